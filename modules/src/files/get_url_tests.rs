//! `get_url` under every shell, against a server of the test's own on loopback.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::GetUrlArgs;
use crate::fake::{self, CHECK, FakeController, REAL, Shell, run};
use crate::host::Host;
use crate::module::{Module, Of};
use crate::outcome::{Failure, Outcome};

const BODY: &str = "kind: Namespace\n";
const SHA256: &str = "sha256:e25209b6e6c1f782b78132b008b475de169b9153540f2d59a52d4c0e44d15571";

/// A web server that serves `BODY` at `/net.yaml`, what is half of it at `/cut`, and nothing else.
struct Server {
    address: String,
    /// The requests so far, with their headers.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let head: Vec<String> = BufReader::new(&stream)
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let (status, length, body) = match head[0].split(' ').nth(1) {
                    Some("/net.yaml?x=1" | "/net.yaml") => ("200 OK", BODY.len(), BODY),
                    Some("/cut") => ("200 OK", BODY.len(), &BODY[..8]),
                    _ => ("404 Not Found", 0, ""),
                };
                seen.lock().unwrap().push(head.join("\n"));
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
            }
        });
        Self { address, requests }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

/// Shells with curl, with BusyBox' wget, and with GNU's wget and no curl.
fn hosts() -> Vec<Shell> {
    let tools = [
        "awk",
        "cat",
        "chmod",
        "chown",
        "cmp",
        "cp",
        "date",
        "df",
        "grep",
        "id",
        "ls",
        "mkdir",
        "mv",
        "rm",
        "sed",
        "sha256sum",
        "tail",
        "wget",
    ];
    let wget = ["bash", "dash"].map(|sh| Shell::new("wget", &[sh]).limited_to(&tools));
    fake::shells().into_iter().chain(wget).collect()
}

async fn get(shell: &Shell, mode: fake::RunMode, arguments: Value) -> Result<Outcome, Failure> {
    run::<GetUrlArgs>(shell, &FakeController::new("/"), mode, arguments).await
}

#[tokio::test]
async fn a_file_with_its_checksum_is_downloaded_once() {
    let server = Server::start();
    for shell in hosts() {
        let before = server.count();
        let arguments = json!({"url": server.url("net.yaml"), "dest": shell.at("net.yaml"), "checksum": SHA256, "mode": "0640"});
        let would = get(&shell, CHECK, arguments.clone()).await.unwrap();
        assert!(would.changed && !shell.dir().join("net.yaml").exists());
        assert_eq!(server.count(), before);
        let first = get(&shell, REAL, arguments.clone()).await.unwrap();
        assert!(first.changed, "{}", shell.name());
        assert_eq!(fs::read_to_string(shell.at("net.yaml")).unwrap(), BODY);
        assert_eq!(first.data["mode"], "0640");
        for mode in [REAL, CHECK] {
            let again = get(&shell, mode, arguments.clone()).await.unwrap();
            assert!(!again.changed, "{}", shell.name());
        }
        assert_eq!(server.count(), before + 1, "{}", shell.name());
        // Another mode is given without a download.
        let mut other = arguments.clone();
        other["mode"] = json!("0600");
        assert!(get(&shell, REAL, other).await.unwrap().changed);
        let mode = fs::metadata(shell.at("net.yaml")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        // What somebody changed is replaced.
        fs::write(shell.at("net.yaml"), "spoilt\n").unwrap();
        assert!(get(&shell, REAL, arguments).await.unwrap().changed);
        assert_eq!(fs::read_to_string(shell.at("net.yaml")).unwrap(), BODY);
        assert_eq!(server.count(), before + 2);
    }
}

#[tokio::test]
async fn what_is_not_what_was_asked_for_is_thrown_away() {
    let server = Server::start();
    for shell in hosts() {
        fs::write(shell.at("net.yaml"), "old\n").unwrap();
        let wrong = format!("sha256:{}", "0".repeat(64));
        for (path, checksum, reasons) in [
            (
                "net.yaml",
                wrong.as_str(),
                &["has the sha256 checksum e252"][..],
            ),
            ("none", SHA256, &["cannot download"]),
            // Not every wget notices.
            (
                "cut",
                SHA256,
                &["cannot download", "has the sha256 checksum"],
            ),
        ] {
            let arguments = json!({"url": server.url(path), "dest": shell.at("net.yaml"), "checksum": checksum});
            let failure = get(&shell, REAL, arguments).await.unwrap_err();
            assert!(
                reasons
                    .iter()
                    .any(|reason| failure.message.contains(reason))
                    && failure.message.contains(&server.address),
                "{}: {}",
                shell.name(),
                failure.message
            );
        }
        assert_eq!(fs::read_to_string(shell.at("net.yaml")).unwrap(), "old\n");
        assert_eq!(fs::read_dir(shell.dir()).unwrap().count(), 1);
    }
}

#[tokio::test]
async fn without_a_checksum_a_file_is_left_or_compared() {
    let server = Server::start();
    for shell in hosts() {
        let into =
            json!({"url": server.url("net.yaml?x=1"), "dest": format!("{}/", shell.at("new"))});
        let made = get(&shell, REAL, into).await.unwrap();
        assert_eq!(made.data["dest"], shell.at("new/net.yaml"));
        fs::write(shell.at("new/net.yaml"), "mine\n").unwrap();
        let dest = shell.at("new/net.yaml");
        let plain = json!({"url": server.url("net.yaml"), "dest": dest});
        assert!(!get(&shell, REAL, plain).await.unwrap().changed);
        assert_eq!(fs::read_to_string(&dest).unwrap(), "mine\n");
        let forced =
            json!({"url": server.url("net.yaml"), "dest": dest, "force": true, "backup": true});
        let outcome = get(&shell, REAL, forced.clone()).await.unwrap();
        assert!(outcome.changed);
        let backup = outcome.data["backup_file"].as_str().unwrap();
        assert_eq!(fs::read_to_string(backup).unwrap(), "mine\n");
        assert_eq!(fs::read_to_string(&dest).unwrap(), BODY);
        assert!(!get(&shell, REAL, forced).await.unwrap().changed);
    }
}

#[tokio::test]
async fn passwords_reach_the_server_and_no_command_line() {
    let server = Server::start();
    let arguments = |shell: &Shell| {
        json!({"url": server.url("net.yaml"), "dest": shell.at("x"), "url_username": "me",
        "url_password": "pa\"ss\\", "headers": {"X-Token": "t0k en"}})
    };
    let mut shells = hosts().into_iter();
    // A curl that keeps a record of its arguments.
    let shell = shells.next().unwrap();
    let shell = shell.tool("curl", r#"echo "$*" >>"$HOME/arguments"; exec /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin curl "$@""#);
    assert!(get(&shell, REAL, arguments(&shell)).await.unwrap().changed);
    let request = server.requests.lock().unwrap().join("\n");
    assert!(request.contains("X-Token: t0k en"), "{request}");
    // me:pa"ss\ in base64.
    assert!(request.contains("Basic bWU6cGEic3Nc"), "{request}");
    let seen = fs::read_to_string(shell.at("arguments")).unwrap();
    assert!(!seen.contains("pa\"") && !seen.contains("t0k"), "{seen}");
    let wget = shells.last().unwrap();
    let failure = get(&wget, REAL, arguments(&wget)).await.unwrap_err();
    assert!(failure.message.contains("need curl"), "{}", failure.message);
}

/// A URL may have a password in it, or a token.
#[tokio::test]
async fn the_url_is_on_no_command_line() {
    let server = Server::start();
    let url = format!("http://me:s3cr-pw@{}/net.yaml?x=1", server.address);
    for (index, name) in [(0, "curl"), (hosts().len() - 1, "wget")] {
        let shell = hosts().swap_remove(index);
        let record = format!(
            r#"echo "$*" >>"$HOME/arguments"; exec /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin {name} "$@""#
        );
        let shell = shell.tool(name, &record);
        let control = FakeController::new("/");
        let arguments = json!({"url": url, "dest": shell.at("x")});
        let outcome = run::<GetUrlArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert!(outcome.changed);
        assert_eq!(fs::read_to_string(shell.at("x")).unwrap(), BODY, "{name}");
        let seen = fs::read_to_string(shell.at("arguments")).unwrap();
        assert!(
            !seen.contains("s3cr-pw") && !seen.contains("net.yaml"),
            "{seen}"
        );
        assert!(
            control
                .hidden()
                .iter()
                .any(|secret| secret.expose() == "s3cr-pw")
        );
    }
    let busybox = Shell::new("busybox", &["busybox", "sh"]).limited_to_busybox();
    let arguments = json!({"url": url, "dest": busybox.at("x")});
    let failure = get(&busybox, REAL, arguments).await.unwrap_err();
    assert!(
        failure
            .message
            .contains("a URL with a password in it needs curl"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_host_with_nothing_to_download_with_says_so() {
    let shell = fake::posix();
    let arguments = json!({"url": "http://127.0.0.1:9/x", "dest": shell.at("x")});
    let failure = get(&shell, REAL, arguments).await.unwrap_err();
    assert!(
        failure.message.contains("neither `curl` nor `wget`"),
        "{}",
        failure.message
    );
    assert_eq!(fs::read_dir(shell.dir()).unwrap().count(), 0);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let refused = |arguments: Value| {
        let module = Of::<GetUrlArgs>::new();
        module.parse(arguments).err().unwrap().message
    };
    let with = |key: &str, value: Value| {
        let mut arguments = json!({"url": "https://example.com/x", "dest": "/x"});
        arguments[key] = value;
        arguments
    };
    assert!(refused(with("url", json!("example.com/x"))).contains("not a URL"));
    for checksum in [
        "abc",
        "sha256:abc",
        "crc:00",
        "sha256:https://example.com/sums",
    ] {
        assert!(refused(with("checksum", json!(checksum))).contains("sha256:64"));
    }
    assert!(refused(with("url_password", json!("x"))).contains("url_username"));
    assert!(refused(with("headers", json!(["x"]))).contains("mapping"));
    assert!(refused(with("headers", json!({"X": "a\nb"}))).contains("line break"));
    assert!(refused(with("mode", json!("preserve"))).contains("write the mode"));
}

#[tokio::test]
async fn no_headers_ask_for_nothing_that_only_curl_has() {
    let server = Server::start();
    let wget = hosts().pop().unwrap();
    let arguments = json!({"url": server.url("net.yaml"), "dest": wget.at("a"), "headers": {}});
    get(&wget, REAL, arguments).await.unwrap();
    assert_eq!(fs::read_to_string(wget.at("a")).unwrap(), BODY);
}
