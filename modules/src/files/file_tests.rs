//! `file` under every shell.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::FileArgs;
use crate::fake::{self, CHECK, DIFF, FakeController, REAL, RunMode, Shell, run};
use crate::host::Host;
use crate::outcome::{Failure, Outcome};

fn all() -> Vec<Shell> {
    let mut shells = fake::shells();
    shells.push(fake::posix());
    shells
}

async fn file(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
    run::<FileArgs>(shell, &FakeController::new("/"), mode, arguments).await
}

/// Check mode says that it would change, and changes nothing; then it changes; then it does not.
async fn once(shell: &Shell, arguments: Value) -> [Outcome; 2] {
    let before = picture(shell);
    let checked = file(shell, CHECK, arguments.clone()).await.unwrap();
    assert!(checked.changed, "{} {arguments}", shell.name());
    assert_eq!(picture(shell), before, "{} {arguments}", shell.name());
    let first = file(shell, DIFF, arguments.clone()).await.unwrap();
    assert!(first.changed, "{} {arguments}", shell.name());
    for mode in [CHECK, DIFF] {
        let second = file(shell, mode, arguments.clone()).await.unwrap();
        assert!(!second.changed, "{} {arguments}", shell.name());
        assert!(second.diff.is_empty(), "{:?}", second.diff);
    }
    [checked, first]
}

/// Everything below the node's folder: names, kinds, modes, owners.
fn picture(shell: &Shell) -> Vec<String> {
    let mut lines = Vec::new();
    let mut folders = vec![shell.dir().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            lines.push(format!(
                "{path:?} {:o} {} {} {:?} {:?}",
                metadata.mode(),
                metadata.uid(),
                metadata.gid(),
                metadata.modified().unwrap(),
                fs::read_link(&path).ok()
            ));
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    lines.sort();
    lines
}

fn make(shell: &Shell, name: &str, mode: u32) -> PathBuf {
    let path = shell.dir().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, name).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn mode(path: impl AsRef<std::path::Path>) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[tokio::test]
async fn a_folder_is_made_with_its_parents() {
    folder_is_made(&fake::me().0).await;
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn a_folder_is_made_with_its_parents_for_another_user() {
    folder_is_made("daemon").await;
}

async fn folder_is_made(owner: &str) {
    for shell in all() {
        let path = shell.at("a b/-c/d");
        let arguments = json!({"path": path, "state": "directory", "mode": "u=rwx,g=rx,o=",
            "owner": owner});
        let [checked, first] = once(&shell, arguments).await;
        for outcome in [&checked, &first] {
            assert_eq!(outcome.data["state"], "directory");
            assert_eq!(outcome.data["mode"], "0750");
            assert_eq!(outcome.data["path"], path);
            assert_eq!(outcome.data["owner"], owner);
            assert_eq!(outcome.diff[0].before, "state: absent\n");
            assert!(
                outcome.diff[0]
                    .after
                    .starts_with("state: directory\nmode: 0750\n")
            );
        }
        for made in ["a b", "a b/-c", "a b/-c/d"] {
            assert_eq!(mode(shell.at(made)), 0o750);
            let uid = fs::metadata(shell.at(made)).unwrap().uid();
            assert_eq!(first.data["uid"], uid);
            assert_eq!(uid == 1, owner == "daemon");
        }
        assert_eq!(shell.trips(), 4, "{}", shell.name());
        // With a set-group-ID bit, which chmod likes to keep.
        fs::set_permissions(&path, Permissions::from_mode(0o2770)).unwrap();
        once(
            &shell,
            json!({"path": path, "state": "directory", "mode": "0755"}),
        )
        .await;
        assert_eq!(mode(&path), 0o755);
        make(&shell, "f", 0o644);
        let failure = file(
            &shell,
            CHECK,
            json!({"path": shell.at("f"), "state": "directory"}),
        )
        .await
        .unwrap_err();
        assert_eq!(
            failure.message,
            format!(
                "{} is a file on the node, and should be a directory",
                shell.at("f")
            )
        );
    }
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn mode_and_owner_of_a_file_and_of_what_a_link_points_to() {
    for shell in all() {
        let path = make(&shell, "f", 0o644);
        symlink("f", shell.dir().join("l")).unwrap();
        let [_, first] = once(
            &shell,
            json!({"path": shell.at("l"), "state": "file", "mode": "a+x"}),
        )
        .await;
        assert_eq!(first.data["path"], shell.at("f"));
        assert_eq!(mode(&path), 0o755);
        assert_eq!(first.diff[0].before, "mode: 0644\n");
        once(
            &shell,
            json!({"path": shell.at("l"), "follow": false, "owner": "daemon"}),
        )
        .await;
        assert_eq!(fs::symlink_metadata(shell.at("l")).unwrap().uid(), 1);
        assert_eq!(fs::metadata(&path).unwrap().uid(), 0);
        let failure = file(&shell, REAL, json!({"path": shell.at("no")}))
            .await
            .unwrap_err();
        assert_eq!(
            failure.message,
            format!(
                "{} does not exist on the node, and `state: file` creates nothing",
                shell.at("no")
            )
        );
    }
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn a_whole_folder_gets_modes_and_owners() {
    for shell in all() {
        make(&shell, "t/run me", 0o711);
        make(&shell, "t/sub/data\n2", 0o600);
        make(&shell, "outside", 0o600);
        symlink("../outside", shell.dir().join("t/link")).unwrap();
        let arguments = json!({"path": shell.at("t"), "state": "directory", "recurse": true,
            "mode": "u=rwX,go=rX", "owner": "daemon", "group": "sys"});
        once(&shell, arguments).await;
        assert_eq!(mode(shell.at("t/run me")), 0o755, "{}", shell.name());
        assert_eq!(mode(shell.at("t/sub/data\n2")), 0o644, "{}", shell.name());
        assert_eq!(mode(shell.at("t/sub")), 0o755);
        assert_eq!(mode(shell.at("outside")), 0o600);
        assert_eq!(fs::symlink_metadata(shell.at("t/link")).unwrap().gid(), 3);
        assert_eq!(fs::metadata(shell.at("outside")).unwrap().gid(), 0);
        let arguments = json!({"path": shell.at("t"), "recurse": true, "mode": "0700"});
        once(&shell, arguments).await;
        assert_eq!(mode(shell.at("t/sub/data\n2")), 0o700);
    }
}

#[tokio::test]
async fn what_should_be_absent_goes() {
    for shell in all() {
        make(&shell, "t/a/b", 0o400);
        make(&shell, "kept", 0o600);
        symlink(shell.at("kept"), shell.dir().join("l")).unwrap();
        symlink("nowhere", shell.dir().join("dangling")).unwrap();
        for name in ["t", "l", "dangling"] {
            let [checked, first] =
                once(&shell, json!({"path": shell.at(name), "state": "absent"})).await;
            assert_eq!(checked.data["state"], "absent");
            assert_eq!(first.diff[0].after, "state: absent\n");
        }
        assert_eq!(picture(&shell).len(), 1);
        let failure = file(&shell, CHECK, json!({"path": "//", "state": "absent"})).await;
        assert!(
            failure.unwrap_err().message.contains("everything"),
            "{}",
            shell.name()
        );
    }
}

#[tokio::test]
async fn links_are_made_changed_and_refused() {
    for shell in all() {
        make(&shell, "one", 0o644);
        make(&shell, "dir/two", 0o644);
        let link = |src: &str| json!({"path": shell.at("l"), "state": "link", "src": src});
        let [checked, first] = once(&shell, link("one")).await;
        for outcome in [&checked, &first] {
            assert_eq!(outcome.data["dest"], shell.at("l"));
            assert_eq!(outcome.data["src"], "one");
            assert_eq!(outcome.data["state"], "link");
        }
        // To a folder, and away from it: no `mv` into the folder.
        once(&shell, link(&shell.at("dir"))).await;
        let [_, third] = once(&shell, link("dir/two")).await;
        assert_eq!(
            third.diff[0].before,
            format!("src: {}\n", shell.at("dir")),
            "{}",
            shell.name()
        );
        assert_eq!(fs::read_dir(shell.at("dir")).unwrap().count(), 1);
        let refused = file(&shell, CHECK, link("nowhere")).await.unwrap_err();
        assert_eq!(
            refused.message,
            format!(
                "{}, which {} should point to, does not exist on the node",
                shell.at("nowhere"),
                shell.at("l")
            )
        );
        let mut forced = link("nowhere");
        forced["force"] = json!(true);
        forced["mode"] = json!("0600");
        let [_, forced] = once(&shell, forced).await;
        assert!(forced.warnings[0].contains("points to nothing"));
        let over = json!({"path": shell.at("one"), "state": "link", "src": shell.at("dir")});
        let refused = file(&shell, REAL, over.clone()).await.unwrap_err();
        assert!(
            refused
                .message
                .ends_with("is a file on the node; it is not replaced by a link")
        );
        let mut over = over;
        over["force"] = json!("yes");
        once(&shell, over).await;
        let full = json!({"path": shell.at("dir"), "state": "link", "src": "/", "force": true});
        let refused = file(&shell, REAL, full).await.unwrap_err();
        assert!(
            refused
                .message
                .ends_with("is not empty; it is not replaced by a link")
        );
    }
}

#[tokio::test]
async fn hard_links_share_the_file() {
    for shell in all() {
        make(&shell, "one", 0o644);
        make(&shell, "two", 0o644);
        let arguments = json!({"path": shell.at("h"), "state": "hard", "src": shell.at("one")});
        once(&shell, arguments).await;
        let inode = |name: &str| fs::metadata(shell.at(name)).unwrap().ino();
        assert_eq!(inode("h"), inode("one"));
        let mut other = json!({"path": shell.at("h"), "state": "hard", "src": shell.at("two")});
        assert!(file(&shell, REAL, other.clone()).await.is_err());
        other["force"] = json!(true);
        once(&shell, other).await;
        assert_eq!(inode("h"), inode("two"), "{}", shell.name());
    }
}

#[tokio::test]
async fn touch_makes_files_and_sets_times() {
    for shell in all() {
        let touch = json!({"path": shell.at("x"), "state": "touch", "mode": "0600"});
        assert!(file(&shell, CHECK, touch.clone()).await.unwrap().changed);
        assert!(picture(&shell).is_empty());
        for _ in 0..2 {
            assert!(file(&shell, REAL, touch.clone()).await.unwrap().changed);
        }
        assert_eq!(mode(shell.at("x")), 0o600);
        let preserve = json!({"path": shell.at("x"), "state": "touch",
            "modification_time": "preserve", "access_time": "preserve"});
        assert!(!file(&shell, REAL, preserve).await.unwrap().changed);
        let dated = json!({"path": shell.at("x"), "modification_time": "2001-02-03",
            "modification_time_format": "%Y-%m-%d"});
        once(&shell, dated).await;
        let modified = fs::metadata(shell.at("x")).unwrap().mtime();
        assert!((981_100_000..981_300_000).contains(&modified), "{modified}");
        if shell.name() != "posix" {
            let read = json!({"path": shell.at("x"), "access_time": "200102030000.00"});
            once(&shell, read).await;
        }
        let failure = file(
            &shell,
            REAL,
            json!({"path": shell.at("no/x"), "state": "touch"}),
        )
        .await;
        assert!(failure.unwrap_err().message.contains("does not exist"));
    }
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused() {
    let shell = all().remove(0);
    for (arguments, words) in [
        (
            json!({"path": "/x", "state": "dir"}),
            "state: expected `file`, `directory`",
        ),
        (
            json!({"path": "/x", "state": "file", "src": "y"}),
            "`src` is only for `state: link` or `state: hard`",
        ),
        (
            json!({"path": "/x", "state": "file", "recurse": true}),
            "`recurse: true` is only for `state: directory`",
        ),
        (
            json!({"path": "/x", "state": "hard"}),
            "`state: hard` needs `src`",
        ),
        (json!({"path": "/x", "mode": 755}), "mode: the number 755"),
        (
            json!({"path": "/x", "access_time": "soon"}),
            "`access_time`: `soon` is neither",
        ),
        (json!({"state": "absent"}), "the argument `path` is missing"),
    ] {
        let failure = file(&shell, REAL, arguments).await.unwrap_err();
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    assert_eq!(shell.trips(), 0);
}
