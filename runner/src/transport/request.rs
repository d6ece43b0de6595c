//! A script as the bytes of a request.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use windlass_modules::host::{HostError, Input, Output, Script};
use windlass_modules::kit::{Part, quote};
use windlass_modules::secret::Secret;

use super::frame::new_mark;
use super::prelude::{condensed, define};
use super::word::random_word;

/// Input up to this size is read to its end on the host even where the script leaves some: it fits a
/// pipe. Of longer input that is left the rest is not even sent, and the shell is given up.
const SMALL: u64 = 64 << 10;
/// Tenths of a second between the request to end and the order to.
pub(super) const GRACE: u32 = 50;

/// Functions that end a request, now or after a time limit.
const KILL_PART: Part = Part {
    name: "windlass kill",
    source: include_str!("remote/kill.sh"),
    needs: &[],
};

/// Functions that get what another request printed: for the few that need them, as each byte costs.
const COLLECT_PART: Part = Part {
    name: "windlass collect",
    source: include_str!("remote/collect.sh"),
    needs: &[],
};

/// Functions for requests that go on without the link.
const DURABLE_PART: Part = Part {
    name: "windlass durable",
    source: include_str!("remote/durable.sh"),
    needs: &[],
};

/// For a request that goes on without the link.
static DURABLE: &[Part] = &[DURABLE_PART];

/// For a request that collects what another printed.
pub(super) static COLLECTOR: &[Part] = &[COLLECT_PART];

/// For the request that ends another.
pub(super) static KILLER: &[Part] = &[KILL_PART];

/// A request, ready to be sent down one shell.
pub(super) struct Request {
    pub(super) mark: String,
    /// Everything before the payload.
    pub(super) head: Vec<u8>,
    pub(super) payload: Payload,
    /// The line that follows a payload.
    pub(super) trailer: Vec<u8>,
    /// The folder on the host that keeps what a durable request prints.
    pub(super) spool: Option<String>,
}

/// The bytes for a script's standard input.
pub(super) enum Payload {
    /// There are none.
    None,
    /// In memory.
    Bytes(Vec<u8>),
    /// In memory, and wiped after use.
    Secret(Secret),
    /// A file that is streamed: exactly this many bytes.
    File(tokio::fs::File, u64),
}

/// What a shell already knows, and is called.
#[derive(Default)]
pub(super) struct Known {
    /// Names of defined parts.
    parts: HashSet<&'static str>,
    /// The name of its folder for durable requests, once it has had one.
    pub(super) spool: Option<String>,
}

impl Payload {
    pub(super) async fn open(input: &Input) -> Result<Self, HostError> {
        match input {
            Input::Empty => Ok(Self::None),
            Input::Bytes(bytes) => Ok(Self::Bytes(bytes.clone())),
            Input::Secret(secret) => Ok(Self::Secret(secret.clone())),
            Input::File(path) => {
                let name = path.clone();
                let opening = move || windlass_modules::source::open(&name);
                let opened = tokio::task::spawn_blocking(opening).await;
                let opened = opened
                    .map_err(std::io::Error::other)
                    .and_then(|opened| opened);
                let (file, length) = opened.map_err(|e| unreadable(path, &e))?;
                Ok(Self::File(tokio::fs::File::from_std(file), length))
            }
        }
    }

    fn length(&self) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Secret(secret) => Some(secret.expose().len() as u64),
            Self::File(_, length) => Some(*length),
        }
        .filter(|&length| length > 0)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> HostError {
    HostError::Local {
        message: format!(
            "cannot read {} on the control host: {error}",
            path.display()
        ),
        hint: "see that the file is there and that you may read it".to_owned(),
    }
}

/// Builds the request. `known` is what the shell has been told before, and learns what this tells it.
pub(super) async fn build(
    script: &Script,
    environment: &[(String, String)],
    limit: Option<Duration>,
    key: &str,
    known: &mut Known,
) -> Result<Request, HostError> {
    let mark = new_mark();
    let payload = Payload::open(&script.stdin).await?;
    let source = with_environment(&script.source, environment)?;
    // From here on nothing fails: what the shell learns, it is sent.
    let mut head = String::new();
    for part in script.parts {
        send_part(part, key, known, &mut head);
    }
    if limit.is_some() {
        send_part(&KILLER[0], key, known, &mut head);
    }
    // Output that goes to a file of ours is not kept twice.
    let durable = script.durable && !matches!(script.stdout, Output::File { .. });
    if durable {
        send_part(&DURABLE[0], key, known, &mut head);
    }
    let lines = source.lines_for_shell();
    let _ = write!(head, "{key} ");
    let spool = durable.then(|| spool(known, &mut head));
    if let Some(limit) = limit {
        let _ = write!(head, "_w_limit={} _w_grace={GRACE};", seconds(limit));
    }
    let (length, small) = match payload.length() {
        None => (String::new(), ""),
        Some(length) => (length.to_string(), if length <= SMALL { "y" } else { "" }),
    };
    let trailer = if length.is_empty() {
        String::new()
    } else {
        format!("{key}{mark}\n")
    };
    let _ = if durable {
        let stream = if script.stream { "y" } else { "" };
        match (length.as_str(), stream) {
            // Empty arguments at the end need not be sent.
            ("", "") => writeln!(head, "_w_keep '{mark}' {lines}"),
            _ => writeln!(
                head,
                "_w_keep '{mark}' {lines} '{length}' '{small}' {stream}"
            ),
        }
    } else if length.is_empty() {
        writeln!(head, "_w_run '{mark}' {lines}")
    } else {
        writeln!(head, "_w_feed '{mark}' {lines} {length} '{small}'")
    };
    head.push_str(&source.0);
    Ok(Request {
        mark,
        head: head.into_bytes(),
        payload,
        trailer: trailer.into_bytes(),
        spool,
    })
}

/// The name of the shell's folder for durable requests. The shell is told once.
fn spool(known: &mut Known, head: &mut String) -> String {
    let name = known.spool.get_or_insert_with(|| {
        let name = random_word();
        let _ = write!(head, "_w_id={name};");
        name
    });
    name.clone()
}

/// More seconds are not taken by every `sleep`; they are decades.
const LONGEST_SLEEP: Duration = Duration::from_secs(i32::MAX as u64);

/// Seconds as `sleep` takes them: whole ones wherever possible, as POSIX knows no others.
fn seconds(limit: Duration) -> String {
    let limit = limit.min(LONGEST_SLEEP);
    if limit.subsec_nanos() == 0 {
        limit.as_secs().to_string()
    } else {
        format!("{:.3}", limit.as_secs_f64())
    }
}

/// Source that ends with a newline.
struct Source(String);

impl Source {
    fn lines_for_shell(&self) -> usize {
        self.0.bytes().filter(|&byte| byte == b'\n').count()
    }
}

fn with_environment(source: &str, environment: &[(String, String)]) -> Result<Source, HostError> {
    let mut text = String::with_capacity(source.len() + 1);
    for (name, value) in environment {
        if !is_name(name) {
            return Err(HostError::Local {
                message: format!("{name:?} cannot be the name of an environment variable"),
                hint: "names are letters, digits and underscores, and begin with no digit"
                    .to_owned(),
            });
        }
        let _ = writeln!(text, "export {name}={}", quote(value));
    }
    text.push_str(source);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if text.contains('\0') {
        return Err(HostError::Local {
            message: "a script or an environment variable holds a NUL byte".to_owned(),
            hint: "no shell can take it; put the bytes into a file or on standard input".to_owned(),
        });
    }
    Ok(Source(text))
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A part after those that it needs, each once.
fn send_part(part: &'static Part, key: &str, known: &mut Known, head: &mut String) {
    if !known.parts.insert(part.name) {
        return;
    }
    for needed in part.needs {
        send_part(needed, key, known, head);
    }
    if part.name.starts_with("windlass ") {
        head.push_str(&define(key, &condensed(part.source)));
    } else {
        head.push_str(&define(key, part.source));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found of the request of shell 20 in a table of PID, PPID, PGRP and START.
    fn found(table: &str) -> String {
        let script = format!(
            "{}\n_w_processes() {{ _w_table='{table}'; }}\n_w_since=''; _w_find 20 29; echo $_w_found",
            KILL_PART.source
        );
        let mut shell = std::process::Command::new("sh");
        let output = shell.args(["-c", &script]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn a_request_is_what_its_shell_started_and_what_was_orphaned_of_that() {
        // The sudo that the shell runs under, started in the same hundredth of a second as the request;
        // the watch and what is below it; one that an earlier request left; one of another session.
        let others = "10 1 10 100 20 10 10 100 29 20 10 100 30 29 10 100 15 1 10 99 40 1 40 100";
        assert_eq!(found(others), "");
        let request = "21 20 10 100 22 21 10 101 23 1 10 101 24 23 24 102";
        assert_eq!(found(&format!("{others} {request}")), "21 22 23 24");
    }
}
