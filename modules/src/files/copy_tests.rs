//! `copy` under every shell.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use serde_json::{Value, json};

use super::CopyArgs;
use crate::fake::{self, CHECK, DIFF, FakeController, REAL, RunMode, Shell, run};
use crate::host::Host;
use crate::outcome::{Failure, Outcome};

struct Lab {
    shell: Shell,
    control: FakeController,
    folder: tempfile::TempDir,
}

impl Lab {
    fn new(shell: Shell) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            shell,
            control: FakeController::new(folder.path()),
            folder,
        }
    }

    fn all() -> Vec<Self> {
        let mut shells = fake::shells();
        shells.push(fake::posix());
        shells.into_iter().map(Self::new).collect()
    }

    fn source(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    async fn copy(&self, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        run::<CopyArgs>(&self.shell, &self.control, mode, arguments).await
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.shell.dir().join(name)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        let path = self.shell.dir().join(name);
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// What is in the node's folder, hidden files too.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.shell.dir())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_text_is_written_once_in_one_round_trip_each() {
    for lab in Lab::all() {
        let name = lab.shell.name();
        let arguments = json!({"content": "hello\n", "dest": lab.shell.at("x"), "mode": "0640"});
        let checked = lab.copy(CHECK, arguments.clone()).await.unwrap();
        assert!(checked.changed, "{name}");
        assert_eq!(checked.data["mode"], "0640");
        assert!(lab.names().is_empty(), "check mode wrote something");

        let first = lab.copy(DIFF, arguments.clone()).await.unwrap();
        assert!(first.changed);
        assert_eq!(lab.read("x"), b"hello\n");
        assert_eq!(lab.mode("x"), 0o640);
        assert_eq!(
            first.data["checksum"],
            "f572d396fae9206628714fb2ce00f72e94f2258f"
        );
        assert_eq!(first.data["dest"], lab.shell.at("x"));
        assert_eq!(first.data["owner"], fake::me().0);
        assert_eq!(first.data["size"], 6);
        assert_eq!(first.data["state"], "file");
        assert_eq!(first.diff.len(), 1);
        assert_eq!(
            (&*first.diff[0].before, &*first.diff[0].after),
            ("", "hello\n")
        );

        let second = lab.copy(DIFF, arguments).await.unwrap();
        assert!(!second.changed, "{name}");
        assert!(second.diff.is_empty());
        assert_eq!(lab.shell.trips(), 3, "{name}");
        assert_eq!(lab.names(), ["x"], "something was left over");
    }
}

#[tokio::test]
async fn another_text_replaces_it_and_keeps_the_mode() {
    replaced(None).await;
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn another_text_replaces_it_and_keeps_mode_and_owner() {
    replaced(Some((12, 34))).await;
}

/// Another text replaces one of this owner, if it is not ours.
async fn replaced(owner: Option<(u32, u32)>) {
    for lab in Lab::all() {
        let path = lab.shell.dir().join("x");
        fs::write(&path, "old\n").unwrap();
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(&path, Some(user), Some(group)).unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4711)).unwrap();
        let before = fs::metadata(&path).unwrap();
        let outcome = lab
            .copy(DIFF, json!({"content": "new\n", "dest": lab.shell.at("x")}))
            .await
            .unwrap();
        assert!(outcome.changed);
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.uid(), before.uid());
        assert_eq!(metadata.gid(), before.gid());
        assert_eq!(lab.mode("x"), 0o4711, "{}", lab.shell.name());
        assert_eq!(outcome.diff.len(), 1);
        assert_eq!(
            (&*outcome.diff[0].before, &*outcome.diff[0].after),
            ("old\n", "new\n")
        );
    }
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn mode_and_owner_alone_are_changes_and_are_shown() {
    for lab in Lab::all() {
        fs::write(lab.shell.dir().join("x"), "same").unwrap();
        let arguments = json!({"content": "same", "dest": lab.shell.at("x"),
            "mode": "u=rwx,go=", "owner": "daemon", "group": "3"});
        let checked = lab.copy(CHECK, arguments.clone()).await.unwrap();
        assert!(checked.changed);
        assert_eq!(lab.mode("x"), 0o644);
        let real = lab.copy(DIFF, arguments.clone()).await.unwrap();
        assert!(real.changed, "{}", lab.shell.name());
        assert_eq!(lab.mode("x"), 0o700);
        for outcome in [&checked, &real] {
            assert_eq!(outcome.data["mode"], "0700");
            assert_eq!(outcome.data["uid"], 1);
            assert_eq!(outcome.data["owner"], "daemon");
            assert_eq!(
                outcome.diff[0].before,
                "mode: 0644\nowner: root\ngroup: root\n"
            );
        }
        assert_eq!(
            real.diff[0].after,
            "mode: 0700\nowner: daemon\ngroup: sys\n"
        );
        assert!(!lab.copy(REAL, arguments).await.unwrap().changed);
    }
}

#[tokio::test]
async fn any_bytes_and_any_name_go_through() {
    let names = [
        "a b",
        "it's",
        "-n",
        "new\nline",
        "ü€",
        "$HOM",
        "a;b&c",
        "*",
        "\\x",
        " ",
    ];
    let contents: [&[u8]; 4] = [b"", b"a\0b\xff\x00", b"no newline", b"\n\n\n"];
    for lab in Lab::all() {
        for (index, name) in names.iter().enumerate() {
            let bytes = contents[index % contents.len()];
            lab.source("src", bytes);
            let arguments = json!({"src": "src", "dest": lab.shell.at(name)});
            let first = lab.copy(DIFF, arguments.clone()).await.unwrap();
            assert!(first.changed, "{} {name:?}", lab.shell.name());
            assert_eq!(lab.read(name), bytes);
            assert!(
                !lab.copy(DIFF, arguments).await.unwrap().changed,
                "{name:?}"
            );
        }
        // A relative name that looks like an option.
        lab.copy(REAL, json!({"content": "x", "dest": "-rf"}))
            .await
            .unwrap();
        assert_eq!(lab.read("-rf"), b"x");
    }
}

#[tokio::test]
async fn binary_differences_are_only_described() {
    let lab = Lab::new(fake::shells().remove(0));
    fs::write(lab.shell.dir().join("x"), b"a\0b").unwrap();
    lab.source("src", vec![b'y'; 300_000]);
    let outcome = lab
        .copy(CHECK, json!({"src": "src", "dest": lab.shell.at("x")}))
        .await
        .unwrap();
    assert_eq!(outcome.diff[0].before, "(binary, 3 bytes)\n");
    assert_eq!(outcome.diff[0].after, "(300000 bytes, not shown)\n");
    assert_eq!(outcome.diff[0].before_header, lab.shell.at("x"));
}

#[tokio::test]
async fn a_large_file_takes_two_trips_when_needed_and_one_when_not() {
    for lab in Lab::all() {
        lab.source("big", vec![b'z'; 1_000_000]);
        let arguments = json!({"src": "big", "dest": format!("{}/", lab.shell.at("in/here"))});
        assert!(lab.copy(CHECK, arguments.clone()).await.unwrap().changed);
        assert_eq!(lab.shell.trips(), 1);
        assert!(lab.copy(REAL, arguments.clone()).await.unwrap().changed);
        assert_eq!(lab.shell.trips(), 3);
        assert_eq!(lab.read("in/here/big").len(), 1_000_000);
        assert!(!lab.copy(REAL, arguments).await.unwrap().changed);
        assert_eq!(lab.shell.trips(), 4);
    }
}

#[tokio::test]
async fn links_are_replaced_or_followed() {
    for lab in Lab::all() {
        fs::write(lab.shell.dir().join("target"), "old").unwrap();
        symlink("target", lab.shell.dir().join("link")).unwrap();
        let dest = lab.shell.at("link");
        let outcome = lab
            .copy(
                REAL,
                json!({"content": "new", "dest": dest, "follow": true}),
            )
            .await
            .unwrap();
        assert_eq!(outcome.data["dest"], lab.shell.at("target"));
        assert_eq!(lab.read("target"), b"new");
        let outcome = lab
            .copy(REAL, json!({"content": "new", "dest": dest}))
            .await
            .unwrap();
        assert!(outcome.changed, "{}", lab.shell.name());
        let metadata = fs::symlink_metadata(lab.shell.dir().join("link")).unwrap();
        assert!(metadata.is_file());
    }
}

#[tokio::test]
async fn a_refused_file_is_not_put_in_place() {
    for lab in Lab::all() {
        let dest = lab.shell.at("sudoers d");
        fs::write(&dest, "old").unwrap();
        let validate = "grep -q 'a b' %s";
        let bad = json!({"content": "bad", "dest": dest, "validate": validate, "backup": true});
        let failure = lab.copy(REAL, bad).await.unwrap_err();
        let expected = format!("`grep -q 'a b' %s` refused the new {dest} (status 1): ");
        assert_eq!(failure.message, expected, "{}", lab.shell.name());
        assert_eq!(lab.read("sudoers d"), b"old");
        assert_eq!(lab.names(), ["sudoers d"]);
        let good = json!({"content": "a b", "dest": dest, "validate": validate, "backup": "yes"});
        let outcome = lab.copy(REAL, good).await.unwrap();
        let backup = outcome.data["backup_file"].as_str().unwrap();
        assert!(backup.starts_with(&format!("{dest}.")) && backup.ends_with('~'));
        assert_eq!(fs::read(backup).unwrap(), b"old");
        assert_eq!(lab.read("sudoers d"), b"a b");
    }
}

#[tokio::test]
async fn without_force_a_file_that_exists_is_left_alone() {
    for lab in Lab::all() {
        fs::write(lab.shell.dir().join("x"), "mine").unwrap();
        let arguments = json!({"content": "yours", "dest": lab.shell.at("x"), "force": false});
        assert!(!lab.copy(REAL, arguments).await.unwrap().changed);
        assert_eq!(lab.read("x"), b"mine");
    }
}

#[tokio::test]
async fn files_of_the_node_are_copied_there() {
    for lab in Lab::all() {
        let src = lab.shell.dir().join("src");
        fs::write(&src, b"\0bin").unwrap();
        fs::set_permissions(&src, fs::Permissions::from_mode(0o710)).unwrap();
        let arguments = json!({"src": lab.shell.at("src"), "dest": lab.shell.at("copy"),
            "remote_src": true, "mode": "preserve"});
        assert!(lab.copy(CHECK, arguments.clone()).await.unwrap().changed);
        assert!(lab.copy(DIFF, arguments.clone()).await.unwrap().changed);
        assert_eq!(lab.read("copy"), b"\0bin");
        assert_eq!(lab.mode("copy"), 0o710, "{}", lab.shell.name());
        assert!(!lab.copy(DIFF, arguments).await.unwrap().changed);
        let missing = json!({"src": "/no/such", "dest": "/tmp/x", "remote_src": true});
        assert_eq!(
            lab.copy(REAL, missing).await.unwrap_err().message,
            "the source /no/such does not exist on the node"
        );
    }
}

#[tokio::test]
async fn folders_of_the_node_are_copied_there_in_one_trip() {
    for lab in Lab::all() {
        let src = lab.shell.dir().join("src");
        fs::create_dir_all(src.join("sub dir/.empty")).unwrap();
        fs::write(src.join(".hidden"), "h").unwrap();
        fs::write(src.join("sub dir/a\nb"), b"\0").unwrap();
        fs::set_permissions(src.join(".hidden"), fs::Permissions::from_mode(0o701)).unwrap();
        symlink("sub dir", src.join("link")).unwrap();
        let mut arguments = json!({"src": lab.shell.at("src"), "dest": lab.shell.at("dst"),
            "remote_src": true, "mode": "preserve", "local_follow": false});
        assert!(lab.copy(CHECK, arguments.clone()).await.unwrap().changed);
        assert_eq!(lab.names(), ["src"], "{}", lab.shell.name());
        assert!(lab.copy(DIFF, arguments.clone()).await.unwrap().changed);
        assert_eq!(
            lab.read("dst/src/sub dir/a\nb"),
            b"\0",
            "{}",
            lab.shell.name()
        );
        assert_eq!(lab.mode("dst/src/.hidden"), 0o701);
        assert!(lab.shell.dir().join("dst/src/sub dir/.empty").is_dir());
        let link = fs::read_link(lab.shell.dir().join("dst/src/link")).unwrap();
        assert_eq!(link.to_str(), Some("sub dir"));
        assert!(!lab.copy(DIFF, arguments.clone()).await.unwrap().changed);
        assert_eq!(lab.shell.trips(), 3);
        arguments["src"] = json!(format!("{}/", lab.shell.at("src")));
        arguments["dest"] = json!(lab.shell.at("flat"));
        arguments["local_follow"] = json!(true);
        assert!(lab.copy(REAL, arguments).await.unwrap().changed);
        assert_eq!(lab.read("flat/link/a\nb"), b"\0");
    }
}

#[tokio::test]
async fn a_folder_is_copied_with_what_is_in_it() {
    for lab in Lab::all() {
        lab.source("conf/a", "A");
        lab.source("conf/sub/b c", "B");
        fs::create_dir(lab.folder.path().join("conf/empty")).unwrap();
        symlink("a", lab.folder.path().join("conf/link")).unwrap();
        let arguments = json!({"src": "conf", "dest": lab.shell.at("etc"),
            "directory_mode": "0700", "mode": "0600", "local_follow": false});
        let checked = lab.copy(CHECK, arguments.clone()).await.unwrap();
        assert!(
            checked.changed && lab.names().is_empty(),
            "{}",
            lab.shell.name()
        );
        let first = lab.copy(DIFF, arguments.clone()).await.unwrap();
        assert!(first.changed);
        assert_eq!(first.diff.len(), 2);
        assert_eq!(lab.read("etc/conf/sub/b c"), b"B");
        assert_eq!(lab.mode("etc/conf/a"), 0o600);
        assert_eq!(lab.mode("etc/conf/empty"), 0o700);
        let link = fs::read_link(lab.shell.dir().join("etc/conf/link")).unwrap();
        assert_eq!(link.to_str(), Some("a"));
        let trips = lab.shell.trips();
        assert!(!lab.copy(DIFF, arguments).await.unwrap().changed);
        assert_eq!(lab.shell.trips(), trips + 1);

        let inside = json!({"src": "conf/", "dest": lab.shell.at("flat")});
        assert!(lab.copy(REAL, inside).await.unwrap().changed);
        assert_eq!(lab.read("flat/link"), b"A");
    }
}

#[tokio::test]
async fn what_is_wrong_at_the_destination_is_said() {
    for lab in Lab::all() {
        let at = |name: &str| lab.shell.at(name);
        fs::create_dir(lab.shell.dir().join("folder")).unwrap();
        let failure = lab
            .copy(REAL, json!({"content": "x", "dest": at("no/x")}))
            .await
            .unwrap_err();
        assert_eq!(
            failure.message,
            format!(
                "the destination folder {} does not exist on the node",
                at("no")
            )
        );
        assert_eq!(
            failure.hint.unwrap(),
            format!("create it first: `file: path={} state=directory`", at("no"))
        );
        // The task that makes it made nothing either.
        let would = lab
            .copy(CHECK, json!({"content": "x", "dest": at("no/x")}))
            .await
            .unwrap();
        assert!(would.changed);
        assert_eq!(
            would.warnings,
            [format!(
                "the destination folder {} does not exist yet; unless an earlier task makes it, this fails",
                at("no")
            )]
        );
        let failure = lab
            .copy(REAL, json!({"content": "x", "dest": at("folder")}))
            .await
            .unwrap_err();
        assert!(
            failure.message.contains("is a folder on the node"),
            "{}",
            failure.message
        );
        let failure = lab
            .copy(REAL, json!({"content": "x", "dest": "/dev/null"}))
            .await;
        assert_eq!(
            failure.unwrap_err().message,
            "/dev/null is a char on the node, not a file"
        );
        let failure = lab
            .copy(
                REAL,
                json!({"content": "x", "dest": at("x"), "owner": "no-such-user"}),
            )
            .await
            .unwrap_err();
        assert_eq!(
            failure.message,
            "there is no user `no-such-user` on the node"
        );
        let checked = lab
            .copy(
                CHECK,
                json!({"content": "x", "dest": at("x"), "group": "no-such-group"}),
            )
            .await
            .unwrap();
        assert!(checked.warnings[0].contains("no group `no-such-group`"));
        assert_eq!(lab.names(), ["folder"]);
    }
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused() {
    let lab = Lab::new(fake::shells().remove(0));
    for (arguments, words) in [
        (
            json!({"dest": "/x"}),
            "one of `src` and `content` is needed",
        ),
        (
            json!({"dest": "/x", "src": "a", "content": "b"}),
            "cannot be used together",
        ),
        (json!({"dest": "/x/", "content": "b"}), "name the file, too"),
        (
            json!({"dest": "/x", "content": "b", "mode": 644}),
            "mode: the number 644",
        ),
        (
            json!({"dest": "/x", "content": "b", "seuser": "u"}),
            "there is no argument `seuser`",
        ),
        (
            json!({"dest": "/x", "content": "b", "validate": "true"}),
            "must contain %s",
        ),
        (json!({"content": "b"}), "the argument `dest` is missing"),
    ] {
        let failure = lab.copy(REAL, arguments).await.unwrap_err();
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    assert_eq!(lab.shell.trips(), 0);
    lab.source("src", "x");
    let wrong = json!({"src": "src", "dest": "/x", "checksum": "00"});
    let failure = lab.copy(REAL, wrong).await.unwrap_err();
    assert!(failure.message.ends_with("not 00 as `checksum` says"));
}

#[tokio::test]
async fn data_is_written_as_python_writes_json() {
    let lab = Lab::new(fake::shells().remove(0));
    let data = json!({"a": [1, 1.5, true, null], "ü€😀": {"q": "\"\n"}, "e": [], "o": {}});
    lab.copy(REAL, json!({"content": data, "dest": lab.shell.at("x")}))
        .await
        .unwrap();
    assert_eq!(
        String::from_utf8(lab.read("x")).unwrap(),
        r#"{"a": [1, 1.5, true, null], "\u00fc\u20ac\ud83d\ude00": {"q": "\"\n"}, "e": [], "o": {}}"#
    );
}

#[tokio::test]
async fn a_transfer_that_breaks_off_leaves_the_file_as_it_was() {
    use crate::host::Input;
    for lab in Lab::all() {
        fs::write(lab.shell.dir().join("x"), "old").unwrap();
        let content = crate::files::content::Content::bytes(b"0123456789".to_vec());
        let dest = crate::args::path::RemotePath::new(lab.shell.at("x")).unwrap();
        let write = super::FileWrite::new(&dest, super::ContentSource::Here(&content));
        let context = crate::module::Context {
            host: &lab.shell,
            control: &lab.control,
            check: false,
            diff: false,
        };
        let source = write.options(&context, true).unwrap().then("w_write");
        for (sent, words) in [
            ("01234", "only 5 of 10 bytes"),
            ("012345678x", "are not those"),
        ] {
            let script = crate::kit::script(&[crate::kit::WRITE], &source)
                .stdin(Input::Bytes(sent.as_bytes().to_vec()));
            let reply = lab.shell.run(script).await.unwrap();
            let failure = crate::kit::Records::read(&reply).unwrap_err();
            assert!(failure.message.contains(words), "{}", failure.message);
            assert_eq!(lab.read("x"), b"old");
            assert_eq!(lab.names(), ["x"]);
        }
    }
}
