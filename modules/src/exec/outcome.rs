//! What became of a command: the result that all modules of this folder share.

use std::time::Instant;

use jiff::Zoned;
use serde_json::Value;

use crate::clock;
use crate::describe::Return;
use crate::host::{Host, HostError, Reply, Script};
use crate::outcome::{Failure, Outcome};

/// What a command returns, of which `cmd` is shown as the module has it.
pub(super) const fn returned(cmd: Return) -> [Return; 10] {
    [
        cmd,
        Return::int("rc", "the exit status"),
        Return::text("stdout", "what it printed"),
        Return::text("stderr", "what it printed as errors"),
        Return::list("stdout_lines", "the lines of `stdout`"),
        Return::list("stderr_lines", "the lines of `stderr`"),
        Return::text("start", "when it began, by the control host's clock"),
        Return::text("end", "when it ended, by the control host's clock"),
        Return::text("delta", "how long it took"),
        Return::text(
            "msg",
            "what went wrong, or why it did not run; otherwise empty",
        ),
    ]
}

/// How much of standard error is looked at to tell why a command failed.
const SAID: u64 = 64 << 10;

/// A command that ran: its reply, and when that was by the control host's clock.
pub(super) struct Ran {
    pub(super) reply: Reply,
    start: Zoned,
    end: Zoned,
    took: std::time::Duration,
}

/// Runs a script and takes the time.
pub(super) async fn timed(host: &dyn Host, script: Script) -> Result<Ran, HostError> {
    let start = Zoned::now();
    let began = Instant::now();
    let reply = host.run(script).await?;
    Ok(Ran {
        reply,
        start,
        end: Zoned::now(),
        took: began.elapsed(),
    })
}

/// What to make of a command's result.
pub(super) struct Reading<'a> {
    /// The command as the result shows it.
    pub(super) cmd: Value,
    /// The program that was to run, where it is known: its absence is then said plainly.
    pub(super) program: Option<&'a str>,
    /// Drop newlines at the end of both outputs.
    pub(super) strip: bool,
}

impl Reading<'_> {
    /// The outcome of a command that ran: a failure when its status is not 0.
    pub(super) fn outcome(self, ran: Ran) -> Result<Outcome, Failure> {
        let Reply {
            status,
            stdout,
            stderr,
        } = ran.reply;
        let (stdout, stderr) = (stdout.transcript(self.strip), stderr.transcript(self.strip));
        let values: [(&str, Value); 5] = [
            ("rc", status.into()),
            ("cmd", self.cmd.clone()),
            ("start", clock::stamp(&ran.start).into()),
            ("end", clock::stamp(&ran.end).into()),
            ("delta", clock::delta(ran.took).into()),
        ];
        let values = values.map(|(key, value)| (key.to_owned(), value));
        if status == 0 {
            let mut outcome = Outcome::changed(true).message("");
            outcome.data.extend(values);
            outcome.printed = vec![("stdout", stdout), ("stderr", stderr)];
            return Ok(outcome);
        }
        let mut failure = self
            .failure(status, &stderr.head(SAID))
            .with("changed", true);
        failure.data.extend(values);
        failure.printed = vec![("stdout", stdout), ("stderr", stderr)];
        Err(failure)
    }

    /// Why a status is not 0: the program could not be started, or it ended so by itself.
    fn failure(&self, status: i32, stderr: &str) -> Failure {
        let Some(program) = self.program.filter(|name| is_shells_own(stderr, name)) else {
            let failure = Failure::new("non-zero return code");
            // A shell that could not find a command of its line ends with this.
            return if status == 127 && self.program.is_none() && stderr.contains("not found") {
                failure.hint(
                    "install what provides the missing command on the node, or give its full path",
                )
            } else {
                failure
            };
        };
        match status {
            127 if program.contains('/') => Failure::new(format!(
                "`{program}` does not exist on the node, or its interpreter does not"
            ))
            .hint("give the path at which the node has it, or install it there"),
            127 => Failure::new(format!("the command `{program}` is missing on the node")).hint(
                format!(
                    "install what provides `{program}` on the node, or give its full path; \
                 builtins of a shell, pipes and `&&` need the module `shell`"
                ),
            ),
            126 => Failure::new(format!("`{program}` cannot be executed on the node"))
                .hint("is it a program, with the executable bit, on a file system without noexec?"),
            _ => Failure::new("non-zero return code"),
        }
    }
}

/// Whether the shell, and not the program, wrote the error: it says the name it could not start (bash
/// with another folder before it).
fn is_shells_own(stderr: &str, program: &str) -> bool {
    const ERRORS: [&str; 5] = [
        "not found",
        "no such file",
        "permission denied",
        "exec format",
        "is a directory",
    ];
    let name = program.rsplit('/').next().unwrap_or(program);
    let last = stderr.lines().last().unwrap_or_default();
    let error = last.to_ascii_lowercase();
    last.contains(name) && ERRORS.iter().any(|known| error.contains(known))
}
