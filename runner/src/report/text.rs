//! Small texts that several reports need.

use std::time::Duration;

use serde_json::Value;

use super::escape;

/// How many hosts are named in a line before a number stands for them.
const NAMED: usize = 8;

/// `text` of a host without what could move a terminal's cursor or change its state.
pub(crate) fn clean(text: &str) -> String {
    escape::block(text).into_owned()
}

/// Names of hosts, or their number where they are many.
pub(crate) fn hosts(names: &[&str]) -> String {
    if names.len() <= NAMED {
        names.join(" ")
    } else {
        format!(
            "{} … {} ({} hosts)",
            names[0],
            names[names.len() - 1],
            names.len()
        )
    }
}

/// "1 host", "3 hosts".
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

/// A time for people: `0.4s`, `12s`, `3m05s`, `1h02m`.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    // To the nearest, before it is taken apart: 59.6 s are a minute.
    let whole = time.saturating_add(Duration::from_millis(500)).as_secs();
    if seconds < 9.95 {
        format!("{seconds:.1}s")
    } else if whole < 60 {
        format!("{whole}s")
    } else if whole < 3600 {
        format!("{}m{:02}s", whole / 60, whole % 60)
    } else {
        format!("{}h{:02}m", whole / 3600, whole / 60 % 60)
    }
}

/// A value as a person reads it: text as it is, the rest as JSON.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `text`, each line after `indent`.
pub(crate) fn indented(text: &str, indent: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{indent}{line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let shown: Vec<String> = [0.04, 9.96, 59.0, 59.6, 61.0, 3599.7, 3725.0]
            .into_iter()
            .map(|seconds| time(Duration::from_secs_f64(seconds)))
            .collect();
        assert_eq!(
            shown,
            ["0.0s", "10s", "59s", "1m00s", "1m01s", "1h00m", "1h02m"]
        );
    }

    #[test]
    fn many_hosts_are_a_number() {
        let names: Vec<String> = (1..=40).map(|n| format!("h{n:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(hosts(&names), "h01 … h40 (40 hosts)");
        assert_eq!(hosts(&names[..2]), "h01 h02");
    }
}
