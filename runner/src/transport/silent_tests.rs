//! Shells that never get ready, over shells of the control host: each costs the time for connecting and
//! no more, and says what is wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use windlass_modules::host::{HostError, Input, Script, Unreachable};
use windlass_modules::secret::Secret;

use super::test_shells::SHELLS;
use super::*;

/// The time for connecting in these tests.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a busy machine may need beyond it.
const SLACK: Duration = Duration::from_secs(60);

fn local() -> Arc<Connection> {
    Arc::new(Connection {
        name: "here".to_owned(),
        kind: ConnectionKind::Local,
    })
}

/// A transport whose shells run `$1` before they are shells: in it, `$3` is what ours would run.
fn transport(login: &'static [&'static str]) -> Transport {
    Transport::with_local_shell(Limits::default(), login, PATIENCE)
}

async fn refusal(login: &'static [&'static str], script: Script) -> (HostError, Duration) {
    let host = transport(login).host(&local(), TaskSettings::default());
    let begin = Instant::now();
    let error = host.run(script).await.unwrap_err();
    (error, begin.elapsed())
}

macro_rules! login {
    ($source:literal) => {
        &["dash", "-c", $source, "login"]
    };
}

#[tokio::test]
async fn a_shell_that_never_gets_ready_is_given_up_in_time() {
    let silent: &[&[&str]] = &[
        login!("exec sleep 1000"),
        // The answer to everything is what was asked.
        login!("exec cat"),
        login!("while sleep 0.05; do printf x; done"),
        login!("exec <&-; exec sleep 1000"),
        login!("exec >&-; exec sleep 1000"),
        login!(
            "echo welcome; while read -r x; do echo bash: $x: command not found; done; sleep 1000"
        ),
        // Ready on one stream only.
        login!("exec 3>&2 2>/dev/null; eval \"$2\""),
    ];
    for login in silent {
        let (error, took) = refusal(login, Script::new("echo no")).await;
        let HostError::Unreachable {
            kind,
            message,
            hint,
        } = &error
        else {
            panic!("{login:?} {error:?}")
        };
        assert_eq!(*kind, Unreachable::NoAnswer, "{login:?} {message}");
        assert!(message.contains("no sh answered in 2 s"), "{message}");
        assert!(message.len() < 400, "{message}");
        assert!(hint.contains("-T"), "{hint}");
        assert!(took < PATIENCE + SLACK, "{login:?} {took:?}");
    }
}

#[tokio::test]
async fn a_shell_that_floods_before_it_is_ready_is_given_up() {
    let floods: &[&[&str]] = &[
        login!("exec yes"),
        login!("exec yes >&2"),
        login!("exec tr '\\0' x </dev/zero"),
        login!("exec tr '\\0' '\\036' </dev/zero"),
    ];
    for login in floods {
        let (error, took) = refusal(login, Script::new("echo no")).await;
        let HostError::Unreachable { kind, message, .. } = &error else {
            panic!("{login:?} {error:?}")
        };
        assert_eq!(*kind, Unreachable::NoShell, "{login:?} {message}");
        assert!(message.len() < 400, "{message}");
        assert!(took < PATIENCE + SLACK, "{login:?} {took:?}");
    }
}

#[tokio::test]
async fn a_shell_that_ends_says_why() {
    let (error, _) = refusal(login!("echo go away; exit 1"), Script::new(":")).await;
    let message = error.to_string();
    assert!(message.contains("it said: go away"), "{message}");
    // It stays, but nobody hears it.
    let mute = login!("exec >&- 2>&- <&-; exec sleep 1000");
    let (error, took) = refusal(mute, Script::new(":")).await;
    assert!(matches!(error, HostError::Unreachable { .. }), "{error:?}");
    assert!(took < PATIENCE + SLACK, "{took:?}");
}

#[tokio::test]
async fn a_shell_that_reads_nothing_holds_nobody_up() {
    let input = Input::Bytes(vec![b'x'; 10 << 20]);
    let (error, took) = refusal(login!("exec sleep 1000"), Script::new("cat").stdin(input)).await;
    assert!(matches!(error, HostError::Unreachable { .. }), "{error:?}");
    assert!(took < PATIENCE + SLACK, "{took:?}");
}

#[tokio::test]
async fn what_a_shell_gets_too_late_it_does_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    for durable in [false, true] {
        let mut script = Script::new(format!("touch {}", made.display()));
        script.durable = durable;
        let (error, _) = refusal(login!("sleep 4; eval \"$2\""), script).await;
        assert!(matches!(error, HostError::Unreachable { .. }), "{error:?}");
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(!made.exists(), "it ran a command that was given up");
    }
}

#[tokio::test]
async fn a_shell_that_stops_answering_after_it_was_ready_is_given_up_too() {
    let host = transport(&["dash"]).host(&local(), TaskSettings::default());
    let stop = "(sleep 0.5; kill -STOP $$) >/dev/null 2>&1 &";
    host.run(Script::new(stop)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let begin = Instant::now();
    let error = host.run(Script::new("echo no")).await.unwrap_err();
    assert!(
        error.to_string().contains("when a command was to begin"),
        "{error}"
    );
    assert!(begin.elapsed() < PATIENCE * 6 + SLACK);
}

#[tokio::test]
async fn a_shell_that_talks_all_the_time_between_requests_holds_nobody_up() {
    let host = transport(&["dash"]).host(&local(), TaskSettings::default());
    let reply = host.run(Script::new("yes & echo $! >&2")).await.unwrap();
    let pid = reply.error_text();
    let begin = Instant::now();
    // In its own shell the request's output has the other's words in it; in a new one it has not.
    let reply = host.run(Script::new("echo on")).await.unwrap();
    assert!(reply.text().contains("on\n"));
    let ended = host.run(Script::new(format!("kill {pid}"))).await;
    assert_eq!(ended.unwrap().status, 0);
    assert!(begin.elapsed() < SLACK);
}

#[tokio::test]
async fn an_interrupt_ends_the_wait_for_a_shell() {
    let (interrupt, interrupted) = watch::channel(false);
    let task = TaskSettings {
        interrupted,
        ..TaskSettings::default()
    };
    let login = login!("exec sleep 1000");
    let long = Duration::from_secs(600);
    let transport = Transport::with_local_shell(Limits::default(), login, long);
    let host = transport.host(&local(), task);
    let run = tokio::spawn(async move { host.run(Script::new(":")).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begin = Instant::now();
    interrupt.send(true).unwrap();
    assert!(matches!(run.await.unwrap(), Err(HostError::Interrupted)));
    assert!(begin.elapsed() < Duration::from_secs(30));
}

/// A program in sudo's place.
fn sudo(dir: &std::path::Path, source: &str, password: Option<&str>) -> TaskSettings {
    use std::os::unix::fs::PermissionsExt;
    let program = dir.join("sudo");
    std::fs::write(&program, format!("#!/bin/sh\n{source}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    TaskSettings {
        become_user: Some(Become {
            method: Method::Sudo,
            user: "somebody".to_owned(),
            password: password.map(Secret::new),
            flags: Vec::new(),
            executable: Some(program.display().to_string()),
        }),
        ..TaskSettings::default()
    }
}

#[tokio::test]
async fn a_sudo_that_never_lets_in_is_given_up_in_time() {
    let sources = [
        "exec sleep 1000",
        "while :; do printf 'windlass-0:' >&2; sleep 0.1; done",
        "exec yes",
        "exec yes >&2",
        "exec tr '\\0' x </dev/zero",
        "exec <&-; exec sleep 1000",
        // The prompt, and then nothing.
        "while getopts SHp:u: o; do [ $o != p ] || printf %s \"$OPTARG\" >&2; done; exec sleep 1000",
    ];
    for source in sources {
        for password in [None, Some("a password")] {
            let dir = tempfile::tempdir().unwrap();
            let task = sudo(dir.path(), source, password);
            let host = transport(&["sh"]).host(&local(), task);
            let begin = Instant::now();
            let error = host.run(Script::new("echo no")).await.unwrap_err();
            assert!(
                matches!(
                    error,
                    HostError::Become { .. } | HostError::Unreachable { .. }
                ),
                "{source} {error:?}"
            );
            assert!(error.to_string().len() < 600, "{source} {error}");
            assert!(begin.elapsed() < PATIENCE + SLACK, "{source}");
        }
    }
}

#[tokio::test]
async fn time_that_is_over_while_sudo_asks_is_no_answer_and_may_be_tried_again() {
    for password in [None, Some("a password")] {
        let dir = tempfile::tempdir().unwrap();
        let task = sudo(dir.path(), "exec sleep 1000", password);
        let host = transport(&["sh"]).host(&local(), task);
        let error = host.run(Script::new("echo no")).await.unwrap_err();
        let HostError::Unreachable { kind, message, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!(*kind, Unreachable::NoAnswer, "{message}");
        assert!(message.contains("2 s"), "{message}");
    }
}

#[tokio::test]
async fn no_time_is_too_long() {
    let task = TaskSettings {
        limit: Some(Duration::MAX),
        ..TaskSettings::default()
    };
    for sh in SHELLS.iter() {
        let transport = Transport::with_local_shell(Limits::default(), sh, Duration::MAX);
        let host = transport.host(&local(), task.clone());
        for script in [Script::new("echo on"), Script::new("echo on").durable()] {
            for _ in 0..2 {
                let reply = host.run(script.clone()).await.unwrap();
                assert_eq!(reply.text(), "on\n");
            }
        }
    }
}
