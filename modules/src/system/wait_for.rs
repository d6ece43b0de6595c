//! `wait_for`: waits until a port, a file or the end of connections is there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::{List, NodePath, Number, Text};
use crate::describe::{CheckMode, Invalid, Return, Rule, When};
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
/// none is needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForArgs {
    /// The host whose port is tried: a name or an address, as the node knows it.
    #[serde(default = "localhost")]
    host: Text,
    /// The port.
    port: Option<Number<u16>>,
    /// The file, on the node.
    path: Option<NodePath>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WaitState {
    /// The port is open, or the file is there (with `search_regex` in it).
    #[default]
    #[schemars(extend("x-aliases" = ["present"]))]
    Started,
    /// The port is not open, or the file is not there (or has no `search_regex` in it).
    #[schemars(extend("x-aliases" = ["absent"]))]
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

impl WaitForArgs {
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
            (None, Some(path)) => path.to_string(),
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
        for (key, value) in [
            ("path", self.path.as_deref()),
            ("search_regex", self.search_regex.as_deref()),
        ] {
            if let Some(value) = value {
                outcome = outcome.with(key, value);
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

impl Arguments for WaitForArgs {
    const NAME: &'static str = "wait_for";
    const NEEDS: &'static [&'static str] =
        &["for a port of another machine: bash, nc, socat or curl"];
    const RULES: &'static [Rule] = &[
        Rule::AtMostOne(&["port", "path"]),
        Rule::Needs(When::Is("state", &["drained", "reachable"]), &["port"]),
        Rule::NeedsOne(When::Given(&["search_regex"]), &["path", "port"]),
    ];
    const RETURNS: &'static [Return] = &[
        Return::int("elapsed", "how long it took, in seconds"),
        Return::int("port", "the port, if one was given"),
        Return::text("path", "the file, if one was given"),
        Return::text("search_regex", "the expression, if one was given"),
        Return::text("state", "what was waited for"),
        Return::text(
            "probe",
            "what the last connection met: `open`; `refused`, when the machine answers and nothing \
             listens; `timeout`, when nothing answers, as behind a firewall that drops; `unreachable`, \
             without a route; `unresolved`, when the name has no address; `closed`, when it is not \
             known which",
        ),
        Return::text("msg", "why nothing was waited for, in check mode"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Skips;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Wait for a file\n  wait_for:\n    path: /etc/passwd\n    search_regex: '^root:'\n    timeout: 10\n",
        "- name: Wait until the API answers\n  wait_for:\n    host: 10.0.0.10\n    port: 6443\n    timeout: 120\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        if self.port.is_some() && self.search_regex.is_some() && self.state != WaitState::Started {
            return Err(Invalid::new(
                &["search_regex", "port", "state"],
                "`search_regex` with `port` needs `state: started`",
            ));
        }
        self.codes()
            .map(drop)
            .map_err(Invalid::about(&["active_connection_states"]))
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        if context.check {
            return Ok(Outcome {
                skipped: true,
                ..Outcome::ok().message("nothing is waited for in check mode")
            });
        }
        if self.port.is_none() && self.path.is_none() {
            context.control.sleep(self.timeout.seconds()).await?;
            return Ok(self.keys(Outcome::ok().with("elapsed", *self.timeout)));
        }
        let words = [
            self.state.word().to_owned(),
            self.host.0.clone(),
            self.port.map(|port| port.to_string()).unwrap_or_default(),
            self.path.clone().unwrap_or_default().to_string(),
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
mod tests;
