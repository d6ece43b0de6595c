//! How masters are started, with a stand-in for `ssh`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use windlass_modules::host::{HostError, Script, Unreachable};
use windlass_modules::secret::Secret;

use super::*;

/// A transport with `source` in place of ssh.
fn transport(dir: &Path, source: &str, connects_at_once: usize) -> Transport {
    let ssh = dir.join("ssh");
    std::fs::write(&ssh, format!("#!/bin/sh\n{source}\n")).unwrap();
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755)).unwrap();
    Transport::new(Limits {
        connects_at_once,
        ssh_executable: ssh,
        control_dir: Some(dir.join("control")),
        ..Limits::default()
    })
}

fn connection(name: &str) -> Arc<Connection> {
    let mut settings = SshSettings::new(name);
    settings.password = Some(Secret::new("a password"));
    settings.connect_timeout = std::time::Duration::from_secs(60);
    Arc::new(Connection {
        name: name.to_owned(),
        kind: ConnectionKind::Ssh(settings),
    })
}

async fn refusal(transport: &Transport, name: &str) -> HostError {
    let host = transport.host(&connection(name), TaskSettings::default());
    host.run(Script::new(":")).await.unwrap_err()
}

/// As an ssh behind a jump host: a master says only that the pipe ended, a look says why.
const BEHIND_A_JUMP: &str = r#"case " $* " in
*" -M "*)
	echo 'kex_exchange_identification: Connection closed by remote host' >&2
	echo 'Connection closed by UNKNOWN port 65535' >&2
	exit 255
	;;
esac
"#;

#[tokio::test]
async fn who_did_not_let_us_in_is_told_from_what_the_look_said() {
    let jump = "echo 'me@jump: Permission denied (publickey).' >&2\n\
                echo 'Connection closed by UNKNOWN port 65535' >&2; exit 255";
    let target = "echo 'me@target: Permission denied (publickey).' >&2; exit 255";
    for (look, words) in [
        (jump, "the jump host did not let us in"),
        (target, "none of the keys or passwords was accepted"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let transport = transport(dir.path(), &format!("{BEHIND_A_JUMP}{look}"), 10);
        let HostError::Unreachable { kind, message, .. } = refusal(&transport, "target").await
        else {
            panic!("{look}")
        };
        assert_eq!(kind, Unreachable::Authentication, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn looks_behind_a_jump_host_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let look = "mkdir \"$0.one\" || echo two >\"$0.two\"; sleep 0.5; rmdir \"$0.one\"\n\
                echo 'me@jump: Permission denied (publickey).' >&2; exit 255";
    let transport = transport(dir.path(), &format!("{BEHIND_A_JUMP}{look}"), 1);
    let all = ["a", "b", "c", "d"].map(|name| refusal(&transport, name));
    futures::future::join_all(all).await;
    assert!(!dir.path().join("ssh.two").exists(), "two looked at once");
}

#[tokio::test]
async fn without_ssh_it_is_said_that_it_has_to_be_installed() {
    let dir = tempfile::tempdir().unwrap();
    for (ssh, mode) in [("none", 0), ("none/ssh", 0), ("no-program", 0o644)] {
        let ssh = dir.path().join(ssh);
        if mode != 0 {
            std::fs::write(&ssh, "no program").unwrap();
        }
        let transport = Transport::new(Limits {
            ssh_executable: ssh,
            control_dir: Some(dir.path().join("control")),
            ..Limits::default()
        });
        let error = refusal(&transport, "target").await;
        let HostError::Local { message, hint } = &error else {
            panic!("{error:?}")
        };
        assert!(message.contains("cannot start"), "{message}");
        assert!(hint.contains("has to be installed"), "{hint}");
    }
}
