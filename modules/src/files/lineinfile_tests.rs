//! `lineinfile` under every shell: what a file of the node becomes. What lines become is tested in
//! `lines`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use super::LineInFileArgs;
use crate::fake::{self, CHECK, DIFF, FakeController, REAL, RunMode, Shell, run};
use crate::host::Host;
use crate::outcome::{Failure, Outcome};

async fn line(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
    run::<LineInFileArgs>(shell, &FakeController::new("/"), mode, arguments).await
}

fn all() -> Vec<Shell> {
    let mut shells = fake::shells();
    shells.push(fake::posix());
    shells
}

#[tokio::test]
async fn a_line_is_written_in_two_trips_and_seen_in_one() {
    for shell in all() {
        let path = shell.at("sysctl d/it's");
        fs::create_dir(shell.at("sysctl d")).unwrap();
        fs::write(&path, "# first\nnet.ipv4.ip_forward = 0\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let arguments = json!({"path": path, "regexp": r"^\s*#?\s*net\.ipv4\.ip_forward\s*=",
            "line": "net.ipv4.ip_forward = 1"});
        let checked = line(&shell, CHECK, arguments.clone()).await.unwrap();
        assert!(checked.changed, "{}", shell.name());
        assert!(fs::read_to_string(&path).unwrap().ends_with("= 0\n"));
        let before = shell.trips();
        let first = line(&shell, DIFF, arguments.clone()).await.unwrap();
        assert_eq!(shell.trips(), before + 2);
        for outcome in [&checked, &first] {
            assert_eq!(outcome.data["msg"], "line replaced");
            assert_eq!(outcome.diff.len(), 1);
            assert_eq!(outcome.diff[0].before, "# first\nnet.ipv4.ip_forward = 0\n");
            assert_eq!(outcome.diff[0].after, "# first\nnet.ipv4.ip_forward = 1\n");
        }
        let second = line(&shell, DIFF, arguments).await.unwrap();
        assert!(!second.changed && second.diff.is_empty());
        assert_eq!(shell.trips(), before + 3);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert_eq!(fs::read_dir(shell.at("sysctl d")).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn a_file_is_created_only_when_asked() {
    for shell in all() {
        let path = shell.at("new/hosts");
        let mut arguments = json!({"path": path, "line": "10.0.0.1 cp1", "mode": "0600"});
        let failure = line(&shell, CHECK, arguments.clone()).await.unwrap_err();
        assert_eq!(
            failure.message,
            format!("{path} does not exist on the node")
        );
        assert_eq!(
            failure.hint.unwrap(),
            "set `create: true` to have it created"
        );
        arguments["create"] = json!(true);
        assert!(
            line(&shell, CHECK, arguments.clone())
                .await
                .unwrap()
                .changed
        );
        assert!(!fs::exists(shell.at("new")).unwrap());
        assert!(line(&shell, REAL, arguments.clone()).await.unwrap().changed);
        assert_eq!(fs::read_to_string(&path).unwrap(), "10.0.0.1 cp1\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(!line(&shell, REAL, arguments.clone()).await.unwrap().changed);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let mode = line(&shell, DIFF, arguments).await.unwrap();
        assert!(mode.changed);
        assert_eq!(mode.data["msg"], "mode or owner changed");
        assert_eq!(mode.diff[0].after, "mode: 0600\n", "{}", shell.name());
        let gone = json!({"path": shell.at("none"), "line": "x", "state": "absent"});
        assert!(!line(&shell, REAL, gone).await.unwrap().changed);
    }
}

#[tokio::test]
async fn links_are_followed_bytes_are_kept_and_a_copy_too() {
    for shell in all() {
        let bytes = b"caf\xe9\nk=1\n\xff\0";
        fs::write(shell.at("real"), bytes).unwrap();
        symlink("real", shell.at("link")).unwrap();
        let arguments = json!({"path": shell.at("link"), "regexp": "^k=", "line": "k=ü",
            "backup": true, "validate": "test -s %s"});
        let outcome = line(&shell, REAL, arguments).await.unwrap();
        assert!(fs::symlink_metadata(shell.at("link")).unwrap().is_symlink());
        assert_eq!(
            fs::read(shell.at("real")).unwrap(),
            b"caf\xe9\nk=\xc3\xbc\n\xff\0",
            "{}",
            shell.name()
        );
        let backup = outcome.data["backup"].as_str().unwrap();
        assert_eq!(fs::read(backup).unwrap(), bytes);
        let gone = json!({"path": shell.at("link"), "search_string": "k=ü", "state": "absent"});
        let outcome = line(&shell, REAL, gone).await.unwrap();
        assert_eq!(outcome.data["msg"], "1 line(s) removed");
        assert_eq!(
            (&outcome.data["found"], &outcome.data["backup"]),
            (&json!(1), &json!(""))
        );
        assert_eq!(fs::read(shell.at("real")).unwrap(), b"caf\xe9\n\xff\0");
    }
}

/// A host on which something else adds to a file before each of the first few writes.
struct Meddled<'a> {
    shell: &'a Shell,
    path: String,
    times: std::sync::atomic::AtomicUsize,
}

impl Host for Meddled<'_> {
    fn name(&self) -> &str {
        self.shell.name()
    }

    fn run(
        &self,
        script: crate::host::Script,
    ) -> futures::future::BoxFuture<'_, Result<crate::host::Reply, crate::host::HostError>> {
        use std::sync::atomic::Ordering::SeqCst;
        let write = script.source.contains("\nw_write");
        if write
            && self
                .times
                .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
                .is_ok()
        {
            let text = fs::read_to_string(&self.path).unwrap_or_default();
            fs::write(&self.path, text + "theirs\n").unwrap();
        }
        self.shell.run(script)
    }
}

#[tokio::test]
async fn what_others_write_in_between_is_not_lost() {
    for shell in all() {
        let control = FakeController::new("/");
        for (times, created) in [(1, false), (1, true), (99, false)] {
            let path = shell.at("hosts");
            if created {
                fs::remove_file(&path).unwrap();
            } else {
                fs::write(&path, "a\n").unwrap();
            }
            let host = Meddled {
                shell: &shell,
                path: path.clone(),
                times: times.into(),
            };
            let arguments = json!({"path": path, "line": "ours", "create": true});
            let outcome = run::<LineInFileArgs>(&host, &control, REAL, arguments).await;
            let text = fs::read_to_string(&path).unwrap();
            if times == 1 {
                assert!(outcome.unwrap().changed);
                let start = if created { "" } else { "a\n" };
                assert_eq!(text, format!("{start}theirs\nours\n"), "{}", shell.name());
            } else {
                assert!(
                    outcome
                        .unwrap_err()
                        .message
                        .contains("changed by something else")
                );
                assert_eq!(text, "a\ntheirs\ntheirs\ntheirs\n");
            }
        }
    }
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused() {
    let shell = all().remove(0);
    for (arguments, words) in [
        (json!({"path": "/x"}), "`line` is needed"),
        (
            json!({"path": "/x", "state": "absent"}),
            "needs one of `line`",
        ),
        (
            json!({"path": "/x", "line": "a", "regexp": "a(b"}),
            "regexp: `a(b` is not a regular",
        ),
        (
            json!({"path": "/x", "line": "a", "insertafter": "["}),
            "`[` is not a regular",
        ),
        (
            json!({"path": "/x", "line": "a", "backrefs": true}),
            "`backrefs: true` needs `regexp`",
        ),
        (
            json!({"path": "/x", "line": "a", "insertafter": "b", "insertbefore": "c"}),
            "cannot be used together",
        ),
        (
            json!({"path": "/x", "line": "a", "state": "gone"}),
            "state: expected `present` or `absent`, found `gone`",
        ),
    ] {
        let failure = line(&shell, REAL, arguments).await.unwrap_err();
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    assert_eq!(shell.trips(), 0);
    let failure = line(&shell, REAL, json!({"path": "/etc", "line": "x"}))
        .await
        .unwrap_err();
    assert_eq!(
        failure.message,
        "/etc is a directory on the node, not a file"
    );
    fs::write(shell.at("x"), "a\nb\n").unwrap();
    let empty = json!({"path": shell.at("x"), "line": "x", "regexp": ""});
    assert!(line(&shell, CHECK, empty).await.unwrap().warnings[0].contains("every line"));
}
