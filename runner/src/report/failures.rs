//! What failed in a run, for its end: each failure once, short, and how to run those hosts again.

use indexmap::IndexMap;

use super::text::{self, clean};
use crate::event::{Finished, Recap, TaskInfo};

/// How many failures are kept of a host: one that is rescued again and again has many.
const MOST: usize = 16;
/// How many characters of a reason are shown.
const REASON: usize = 160;
/// How many hosts are named for another run.
const NAMED: usize = 50;

/// The failures of a run, by host.
#[derive(Default)]
pub(super) struct Failures {
    of_hosts: IndexMap<String, Vec<String>>,
}

impl Failures {
    /// A task has failed on a host, or the host could not be reached.
    pub(super) fn add(&mut self, host: &str, info: &TaskInfo, result: &Finished) {
        let message = result.message.as_deref().unwrap_or("failed");
        let own = message.strip_prefix(host);
        let own = own.and_then(|rest| rest.strip_prefix(": "));
        let reason = clean(own.unwrap_or(message));
        let reason = reason.lines().next().unwrap_or_default();
        let short: String = reason.chars().take(REASON).collect();
        let more = if short.len() < reason.len() {
            "…"
        } else {
            ""
        };
        let line = format!(
            "{}: {short}{more} ({}:{})",
            clean(&info.name),
            info.file,
            info.line
        );
        let known = self.of_hosts.entry(host.to_owned()).or_default();
        if known.len() == MOST {
            known.remove(0);
        }
        known.push(line);
    }

    /// Lines about those that counted, the latest of each host; nothing where none did.
    pub(super) fn lines(&self, recap: &[(String, Recap)]) -> Vec<String> {
        let mut hosts_of: IndexMap<&str, Vec<&str>> = IndexMap::new();
        let mut again = Vec::new();
        for (host, counts) in recap {
            let bad = counts.failed + counts.unreachable;
            let Some(known) = self.of_hosts.get(host).filter(|_| bad > 0) else {
                continue;
            };
            again.push(host.as_str());
            // What was rescued came before.
            for line in &known[known.len().saturating_sub(bad)..] {
                hosts_of.entry(line).or_default().push(host);
            }
        }
        let lines = hosts_of.iter();
        let lines = lines.map(|(line, hosts)| format!("{}  {line}", text::hosts(hosts)));
        let mut lines: Vec<String> = lines.collect();
        if !again.is_empty() && again.len() <= NAMED {
            lines.push(format!("to run these hosts again: -l {}", again.join(",")));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Status;

    fn add(failures: &mut Failures, host: &str, task: &str, message: &str) {
        let info = TaskInfo {
            name: task.to_owned(),
            module: "command".to_owned(),
            handler: false,
            file: "site.yml".to_owned(),
            line: 7,
            no_log: false,
            shows: false,
        };
        let result = Finished {
            status: Status::Failed,
            changed: false,
            ignored: false,
            data: serde_json::Value::Null,
            message: Some(message.to_owned()),
            hint: None,
            diff: Vec::new(),
            warnings: Vec::new(),
            delegated_to: None,
            took: std::time::Duration::ZERO,
        };
        failures.add(host, &info, &result);
    }

    fn counts(failed: usize, rescued: usize) -> Recap {
        Recap {
            failed,
            rescued,
            ..Recap::default()
        }
    }

    #[test]
    fn each_failure_that_counts_is_there_once_with_its_hosts() {
        let mut failures = Failures::default();
        add(&mut failures, "a", "try", "rescued");
        add(&mut failures, "a", "go back", "no\nroom");
        add(&mut failures, "b", "go back", "b: no");
        add(&mut failures, "c", "try", "rescued");
        let recap = [
            ("a".to_owned(), counts(1, 1)),
            ("b".to_owned(), counts(1, 0)),
            ("c".to_owned(), counts(0, 1)),
            ("d".to_owned(), counts(0, 0)),
        ];
        assert_eq!(
            failures.lines(&recap),
            [
                "a b  go back: no (site.yml:7)",
                "to run these hosts again: -l a,b"
            ]
        );
        assert!(failures.lines(&recap[2..]).is_empty());
    }

    #[test]
    fn what_is_kept_and_shown_is_bounded() {
        let mut failures = Failures::default();
        for number in 0..100 {
            add(
                &mut failures,
                "a",
                &format!("task {number}"),
                &"x".repeat(1000),
            );
        }
        let recap = [("a".to_owned(), counts(100, 0))];
        let lines = failures.lines(&recap);
        assert_eq!(lines.len(), MOST + 1);
        assert!(lines[0].len() < 200 && lines[0].contains("x… (site.yml:7)"));
    }
}
