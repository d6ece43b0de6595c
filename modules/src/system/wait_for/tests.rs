use std::fs;
use std::io::Write;
use std::net::TcpListener;

use serde_json::{Value, json};

use super::WaitForArgs;
use crate::fake::{self, CHECK, FakeController, REAL, Shell};
use crate::outcome::{Failure, Outcome};

async fn on(shell: &Shell, arguments: Value) -> Result<Outcome, Failure> {
    fake::run::<WaitForArgs>(shell, &FakeController::new("/"), REAL, arguments).await
}

fn shells() -> impl Iterator<Item = Shell> {
    fake::shells().into_iter().chain([fake::posix()])
}

/// A port on which nothing listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_port_is_open_or_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap().port();
    let refused = free_port();
    for shell in shells() {
        let outcome = on(&shell, json!({"port": open, "timeout": 5}))
            .await
            .unwrap();
        assert_eq!(outcome.data["probe"], "open");
        assert_eq!(outcome.data["port"], open);
        let outcome = on(
            &shell,
            json!({"port": refused, "state": "stopped", "timeout": 5}),
        )
        .await;
        assert_eq!(outcome.unwrap().data["probe"], "refused");
        for port in [open, refused] {
            on(
                &shell,
                json!({"port": port, "state": "reachable", "timeout": 5}),
            )
            .await
            .unwrap();
        }
        let failure = on(&shell, json!({"port": refused, "timeout": 0}))
            .await
            .unwrap_err();
        assert_eq!(
            failure.message,
            format!("Timeout when waiting for 127.0.0.1:{refused}")
        );
        assert_eq!(failure.data["probe"], "refused");
        assert!(failure.hint.unwrap().contains("nothing listens"));
        let failure = on(
            &shell,
            json!({"port": open, "state": "absent", "timeout": 0}),
        )
        .await
        .unwrap_err();
        assert!(failure.message.ends_with("to stop"), "{}", failure.message);
    }
}

#[tokio::test]
async fn every_tool_tells_open_from_refused_from_silence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap().port();
    // What the tools say, as Debian's and others' have it.
    let cases = [
        (
            "nc",
            "case $* in --help) echo OpenBSD netcat ;; *) echo 'nc: connect to h port 1 (tcp) failed: Connection refused' >&2; exit 1 ;; esac",
            "refused",
        ),
        (
            "nc",
            "case $* in --help) echo OpenBSD netcat ;; *) echo 'nc: connect to h port 1 (tcp) timed out: Operation now in progress' >&2; exit 1 ;; esac",
            "timeout",
        ),
        (
            "nc",
            "case $* in --help) echo Ncat ;; *) echo 'Ncat: No route to host.' >&2; exit 1 ;; esac",
            "unreachable",
        ),
        (
            "socat",
            "echo '... E connect(5, AF=2 127.0.0.1:1, 16): Connection refused' >&2; exit 1",
            "refused",
        ),
        (
            "curl",
            "echo 'curl: (28) Connection timed out after 1001 milliseconds' >&2; printf 0.000000; exit 28",
            "timeout",
        ),
        (
            "curl",
            "echo 'curl: (52) Empty reply from server' >&2; printf 0.000178; exit 52",
            "open",
        ),
        (
            "curl",
            "echo 'curl: (6) Could not resolve host: h' >&2; exit 6",
            "unresolved",
        ),
    ];
    for (tool, source, expected) in cases {
        let shell = fake::posix().tool(tool, source);
        let arguments = json!({"host": "h", "port": open, "state": "reachable", "timeout": 0});
        let probe = match on(&shell, arguments).await {
            Ok(outcome) => outcome.data["probe"].clone(),
            Err(failure) => failure.data["probe"].clone(),
        };
        assert_eq!(probe, expected, "{tool}");
    }
    let bare = fake::posix();
    let failure = on(&bare, json!({"host": "192.0.2.1", "port": 1}))
        .await
        .unwrap_err();
    assert!(
        failure
            .message
            .contains("nothing to open a connection to 192.0.2.1")
    );
}

#[tokio::test]
async fn what_a_port_says_can_be_searched() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
        }
    });
    for shell in fake::shells() {
        let found = json!({"port": port, "search_regex": "OpenSSH_[0-9]+", "timeout": 5, "connect_timeout": 2});
        on(&shell, found).await.unwrap();
        let other =
            json!({"port": port, "search_regex": "dropbear", "timeout": 0, "connect_timeout": 1});
        assert!(on(&shell, other).await.is_err());
    }
}

#[tokio::test]
async fn a_file_is_waited_for() {
    for shell in shells() {
        let path = shell.at("a file");
        let gone = json!({"path": path, "state": "absent", "timeout": 0});
        on(&shell, gone.clone()).await.unwrap();
        let failure = on(
            &shell,
            json!({"path": path, "timeout": 0, "msg": "no file yet"}),
        )
        .await;
        assert_eq!(failure.unwrap_err().message, "no file yet");
        fs::write(&path, "level=info ready\n").unwrap();
        on(
            &shell,
            json!({"path": path, "search_regex": "ready$", "timeout": 0}),
        )
        .await
        .unwrap();
        assert!(
            on(
                &shell,
                json!({"path": path, "search_regex": "^ready", "timeout": 0})
            )
            .await
            .is_err()
        );
        assert!(on(&shell, gone).await.is_err());
    }
}

#[tokio::test]
async fn connections_drain() {
    for shell in shells() {
        fs::create_dir_all(shell.at("proc/net")).unwrap();
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0\n   1: 0100007F:1F90 0100007F:C350 06 0\n";
        fs::write(shell.at("proc/net/tcp"), table).unwrap();
        let root = shell.at("");
        let shell = shell.variable("w_root", root.trim_end_matches('/'));
        let drained = json!({"port": 8080, "state": "drained", "timeout": 0});
        assert!(on(&shell, drained).await.is_err());
        let some = json!({"port": 8080, "state": "drained", "timeout": 0, "active_connection_states": "ESTABLISHED"});
        on(&shell, some).await.unwrap();
    }
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused_and_check_mode_waits_for_nothing() {
    let host = fake::Fake::new([]);
    let control = FakeController::new("/");
    for arguments in [
        json!({"port": 1, "path": "/x"}),
        json!({"state": "drained"}),
        json!({"search_regex": "x"}),
        json!({"port": 1, "state": "drained", "active_connection_states": ["CLOSED"]}),
    ] {
        assert!(
            fake::run::<WaitForArgs>(&host, &control, REAL, arguments)
                .await
                .is_err()
        );
    }
    let outcome = fake::run::<WaitForArgs>(&host, &control, CHECK, json!({"port": 1})).await;
    assert!(outcome.unwrap().skipped);
}
