//! `wait_for`: waits until a port, a file or the end of connections is there.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::{List, Number, Text};
use crate::kit::{self, Part, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

const PARTS: &[Part] = &[Part {
    name: "waitfor",
    source: include_str!("../kit/waitfor.sh"),
    needs: &[&kit::RECORDS],
}];

/// The kernel's names of the states of a TCP connection, and their numbers in `/proc/net/tcp`.
const CONNECTION_STATES: &[(&str, &str)] = &[
    ("ESTABLISHED", "01"),
    ("SYN_SENT", "02"),
    ("SYN_RECV", "03"),
    ("FIN_WAIT1", "04"),
    ("FIN_WAIT2", "05"),
    ("TIME_WAIT", "06"),
];

/// Waits, on the node, until a port answers or no longer does, until a file is there or gone, or until
/// the connections to a port have ended. With neither port nor file it waits for `timeout` seconds.
///
/// A port is tried with what the node has: bash, nc, socat or curl; for a port of the node itself
/// none is needed. In check mode the task is skipped.
///
/// Returns: `elapsed`, in seconds; `port`, `path`, `search_regex`, `state`; `probe`, what the last
/// connection met: `open`; `refused`, when the machine answers and nothing listens; `timeout`, when
/// nothing answers, as behind a firewall that drops; `unreachable`, without a route; `unresolved`,
/// when the name has no address; `closed`, when it is not known which.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitFor {
    /// The host whose port is tried: a name or an address, as the node knows it.
    #[serde(default = "localhost")]
    host: Text,
    /// The port.
    port: Option<Number<u16>>,
    /// The file, on the node.
    path: Option<Text>,
    /// An extended regular expression (as `grep -E` has them) to be found in the file, or in what the
    /// port says by itself when one connects.
    search_regex: Option<Text>,
    /// What to wait for.
    #[serde(default)]
    state: WaitState,
    /// How many seconds to wait at most.
    #[serde(default = "five_minutes")]
    timeout: Number<u64>,
    /// How many seconds one try of a port may take.
    #[serde(default = "five")]
    connect_timeout: Number<u64>,
    /// How many seconds to wait before the first try.
    #[serde(default)]
    delay: Number<u64>,
    /// How many seconds to wait between tries.
    #[serde(default = "one")]
    sleep: Number<u64>,
    /// What to say when the time is over.
    msg: Option<Text>,
    /// For `drained`: the states in which a connection counts.
    active_connection_states: Option<List>,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WaitState {
    /// The port is open, or the file is there (with `search_regex` in it).
    #[default]
    #[serde(alias = "present")]
    Started,
    /// The port is not open, or the file is not there (or has no `search_regex` in it).
    #[serde(alias = "absent")]
    Stopped,
    /// No connection to this port of the node is left.
    Drained,
    /// The machine answers at this port, whether something listens there or not: open and refused
    /// are both right, silence is not. Only Windlass has this.
    Reachable,
}

fn localhost() -> Text {
    Text::from("127.0.0.1")
}

const fn five_minutes() -> Number<u64> {
    Number(300)
}

const fn five() -> Number<u64> {
    Number(5)
}

const fn one() -> Number<u64> {
    Number(1)
}

impl WaitState {
    fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Drained => "drained",
            Self::Reachable => "reachable",
        }
    }
}

impl WaitFor {
    /// The numbers of the states in which a connection counts.
    fn codes(&self) -> Result<String, String> {
        let Some(names) = &self.active_connection_states else {
            let all: Vec<&str> = CONNECTION_STATES.iter().map(|(_, code)| *code).collect();
            return Ok(all.join(" "));
        };
        let codes: Result<Vec<&str>, String> = names
            .iter()
            .map(|name| {
                let known = CONNECTION_STATES
                    .iter()
                    .find(|(known, _)| *known == name.as_str());
                known.map(|(_, code)| *code).ok_or_else(|| {
                    let all: Vec<&str> = CONNECTION_STATES.iter().map(|(name, _)| *name).collect();
                    format!(
                        "`{name}` is not a state of a connection; they are {}",
                        all.join(", ")
                    )
                })
            })
            .collect();
        Ok(codes?.join(" "))
    }

    /// What is waited for, for messages.
    fn target(&self) -> String {
        let host = &self.host;
        let what = match (&self.port, &self.path) {
            (Some(port), _) if host.contains(':') => format!("[{host}]:{}", **port),
            (Some(port), _) => format!("{host}:{}", **port),
            (None, Some(path)) => path.0.clone(),
            (None, None) => String::new(),
        };
        match self.state {
            WaitState::Started => match &self.search_regex {
                Some(pattern) => format!("`{pattern}` in {what}"),
                None => what,
            },
            WaitState::Stopped => format!("{what} to stop"),
            WaitState::Drained => format!("{what} to drain"),
            WaitState::Reachable => format!("{what} to answer"),
        }
    }

    fn keys(&self, mut outcome: Outcome) -> Outcome {
        if let Some(port) = self.port {
            outcome = outcome.with("port", *port);
        }
        for (key, value) in [("path", &self.path), ("search_regex", &self.search_regex)] {
            if let Some(value) = value {
                outcome = outcome.with(key, value.0.clone());
            }
        }
        outcome.with("state", self.state.word())
    }

    /// The failure when the time was over.
    fn late(&self, elapsed: i64, probe: &str) -> Failure {
        let message = match &self.msg {
            Some(message) => message.0.clone(),
            None => format!("Timeout when waiting for {}", self.target()),
        };
        let hint = match probe {
            "refused" => Some(
                "the machine answers, but nothing listens on the port: does the service run, and on that address?",
            ),
            "timeout" => Some(
                "nothing answers: is the address right, and does a firewall let the port pass?",
            ),
            "unreachable" => Some("the node has no route to that address"),
            "unresolved" => Some("the node finds no address for that name"),
            _ => None,
        };
        let mut failure = Failure::new(message).with("elapsed", elapsed);
        failure.hint = hint.map(str::to_owned);
        if probe.is_empty() {
            failure
        } else {
            failure.with("probe", probe)
        }
    }
}

impl Arguments for WaitFor {
    const NAME: &'static str = "wait_for";
    const NEEDS: &'static [&'static str] =
        &["for a port of another machine: bash, nc, socat or curl"];

    fn validate(&self) -> Result<(), String> {
        if self.port.is_some() && self.path.is_some() {
            return Err("`port` and `path` exclude each other: give one".to_owned());
        }
        let of_port = matches!(self.state, WaitState::Drained | WaitState::Reachable);
        if of_port && self.port.is_none() {
            return Err(format!("`state: {}` needs `port`", self.state.word()));
        }
        if self.port.is_some() && self.search_regex.is_some() && self.state != WaitState::Started {
            return Err("`search_regex` with `port` needs `state: started`".to_owned());
        }
        if self.search_regex.is_some() && self.port.is_none() && self.path.is_none() {
            return Err("`search_regex` needs `path` or `port`".to_owned());
        }
        self.codes().map(drop)
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        if context.check {
            return Ok(Outcome {
                skipped: true,
                ..Outcome::ok().message("nothing is waited for in check mode")
            });
        }
        if self.port.is_none() && self.path.is_none() {
            tokio::time::sleep(Duration::from_secs(*self.timeout)).await;
            return Ok(self.keys(Outcome::ok().with("elapsed", *self.timeout)));
        }
        let words = [
            self.state.word().to_owned(),
            self.host.0.clone(),
            self.port.map(|port| port.to_string()).unwrap_or_default(),
            self.path.clone().unwrap_or_default().0,
            self.search_regex.clone().unwrap_or_default().0,
            self.timeout.to_string(),
            (*self.connect_timeout).max(1).to_string(),
            self.delay.to_string(),
            (*self.sleep).max(1).to_string(),
            self.codes().map_err(Failure::new)?,
        ];
        let script = kit::script(PARTS, kit::call("w_wait", &words));
        let reply = context.host.run(script).await?;
        let records = Records::read(&reply)?;
        let elapsed = records.number("elapsed").unwrap_or_default();
        let probe = records.text("probe").unwrap_or_default();
        if records.flag("late") {
            return Err(self.late(elapsed, &probe));
        }
        let outcome = self.keys(Outcome::ok().with("elapsed", elapsed));
        Ok(if probe.is_empty() {
            outcome
        } else {
            outcome.with("probe", probe)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::net::TcpListener;

    use serde_json::{Value, json};

    use super::WaitFor;
    use crate::fake::{self, CHECK, Controller, REAL, Shell};
    use crate::outcome::{Failure, Outcome};

    async fn on(shell: &Shell, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<WaitFor>(shell, &Controller::new("/"), REAL, arguments).await
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
            let other = json!({"port": port, "search_regex": "dropbear", "timeout": 0, "connect_timeout": 1});
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
        let control = Controller::new("/");
        for arguments in [
            json!({"port": 1, "path": "/x"}),
            json!({"state": "drained"}),
            json!({"search_regex": "x"}),
            json!({"port": 1, "state": "drained", "active_connection_states": ["CLOSED"]}),
        ] {
            assert!(
                fake::run::<WaitFor>(&host, &control, REAL, arguments)
                    .await
                    .is_err()
            );
        }
        let outcome = fake::run::<WaitFor>(&host, &control, CHECK, json!({"port": 1})).await;
        assert!(outcome.unwrap().skipped);
    }
}
