//! What comes before a command: its folder, and whether it has to run at all.

use crate::exec::words::{self, Expand};
use crate::host::Reply;
use crate::kit;
use crate::outcome::{Failure, Outcome};

/// What a script prints, alone and with status [`STOPPED`], when the command did not run. No program
/// prints that by chance.
const MARK: &str = "\u{1e}windlass\u{1e}";
const STOPPED: i32 = 97;

/// The conditions under which a command runs.
pub(super) struct Before<'a> {
    pub(super) chdir: Option<&'a str>,
    pub(super) creates: Option<&'a str>,
    pub(super) removes: Option<&'a str>,
}

/// Why a command did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is no such folder.
    Chdir,
    /// Something matches `creates`.
    Creates,
    /// Nothing matches `removes`.
    Removes,
    /// Check mode: it would have run.
    Check,
}

impl Before<'_> {
    /// Whether a command in check mode can say anything.
    pub(super) fn is_conditional(&self) -> bool {
        self.creates.is_some() || self.removes.is_some()
    }

    /// The sh source that goes before the command; nothing where there are no conditions.
    pub(super) fn source(&self, check: bool) -> String {
        let mut source = String::new();
        if let Some(folder) = self.chdir {
            let folder = words::source(folder, Expand::Variables);
            // CDPATH would make cd print, and go elsewhere.
            let stop = stop(Stop::Chdir);
            source = format!("CDPATH= cd -- {folder} || {stop}\n");
        }
        if let Some(pattern) = self.creates {
            source.push_str(&any(pattern, &stop(Stop::Creates), ":"));
        }
        if let Some(pattern) = self.removes {
            source.push_str(&any(pattern, ":", &stop(Stop::Removes)));
        }
        if check {
            source.push_str(&stop(Stop::Check));
            source.push('\n');
        }
        source
    }

    /// Why the command did not run; nothing when it did.
    pub(super) fn stopped(reply: &Reply) -> Option<Stop> {
        if reply.status != STOPPED {
            return None;
        }
        // As text: where a run has kept much, even a short one is in a file.
        let printed = reply.text();
        let reason = printed.strip_prefix(MARK)?;
        [Stop::Chdir, Stop::Creates, Stop::Removes, Stop::Check]
            .into_iter()
            .find(|stop| stop.letter() == reason)
    }

    /// The outcome of a command that did not run, with the keys that Ansible gives it.
    pub(super) fn outcome(
        &self,
        stop: Stop,
        reply: &Reply,
        check: bool,
    ) -> Result<Outcome, Failure> {
        let did = if check { "Would" } else { "Did" };
        let (path, state) = match stop {
            Stop::Chdir => {
                let folder = self.chdir.unwrap_or_default();
                let said = reply.error_text();
                return Err(Failure::new(format!(
                    "Unable to change directory before execution: {}",
                    said.trim()
                ))
                .hint(format!("`chdir` is {folder}: does it exist on the node, and may the task's user enter it?")));
            }
            Stop::Check => {
                return Ok(Outcome::changed(true)
                    .message("Command would have run if not in check mode")
                    .with("rc", 0));
            }
            Stop::Creates => (self.creates.unwrap_or_default(), "exists"),
            Stop::Removes => (self.removes.unwrap_or_default(), "does not exist"),
        };
        let stdout = format!("skipped, since {path} {state}");
        Ok(Outcome::ok()
            .message(format!("{did} not run command since '{path}' {state}"))
            .with("rc", 0)
            .with("stdout_lines", vec![stdout.clone()])
            .with("stdout", stdout)
            .with("stderr", "")
            .with("stderr_lines", Vec::<String>::new()))
    }
}

impl Stop {
    fn letter(self) -> &'static str {
        match self {
            Self::Chdir => "d",
            Self::Creates => "c",
            Self::Removes => "r",
            Self::Check => "w",
        }
    }
}

fn stop(stop: Stop) -> String {
    let mark = kit::quote(&format!("{MARK}{}", stop.letter()));
    format!("{{ printf %s {mark}; exit {STOPPED}; }}")
}

/// Source that does `there` when a file matches `pattern`, and `absent` when none does. A link that
/// leads nowhere is a file too.
fn any(pattern: &str, there: &str, absent: &str) -> String {
    let pattern = words::source(pattern, Expand::Files);
    format!(
        "for w_path in {pattern}; do [ -e \"$w_path\" ] || [ -L \"$w_path\" ] || w_path=; break; done\n\
         if [ \"$w_path\" ]; then {there}; else {absent}; fi\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Bounds, Ledger, Writer};

    #[test]
    fn a_command_that_did_not_run_is_known_though_its_word_went_to_a_file() {
        let account = Ledger::new(Bounds {
            memory: 0,
            disk: 1 << 20,
        })
        .account("h");
        let _held = account.hold(1 << 20).unwrap();
        for stop in [Stop::Chdir, Stop::Creates, Stop::Removes, Stop::Check] {
            let mut writer = Writer::keeping(&account);
            let word = format!("{MARK}{}", stop.letter());
            writer.push(word.as_bytes()).unwrap();
            let reply = Reply {
                status: STOPPED,
                stdout: writer.finish().unwrap(),
                ..Reply::default()
            };
            assert_eq!(Before::stopped(&reply), Some(stop));
        }
    }
}
