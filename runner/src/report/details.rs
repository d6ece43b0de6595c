//! The lines under a result.

use serde_json::Value;

use super::text::{self, clean};
use super::{Theme, diff, escape};
use crate::event::{Finished, Status, TaskInfo};

/// How a result is called.
pub(super) fn word(result: &Finished) -> &'static str {
    match result.status {
        Status::Ok if result.changed => "changed",
        Status::Ok => "ok",
        Status::Skipped => "skipped",
        Status::Failed if result.ignored => "ignored",
        Status::Failed => "failed",
        Status::Unreachable => "unreachable",
    }
}

/// What changed, under `--diff`.
pub(super) fn changes(result: &Finished, theme: Theme) -> Vec<String> {
    let lines = result.diff.iter().flat_map(|diff| diff::lines(diff, theme));
    lines.map(|line| format!("    {line}")).collect()
}

/// The lines under a result.
pub(super) fn details(
    host: &str,
    info: &TaskInfo,
    result: &Finished,
    verbosity: u8,
) -> Vec<String> {
    let mut lines = Vec::new();
    let failed = matches!(result.status, Status::Failed | Status::Unreachable);
    if let Some(message) = &result.message {
        // The host stands on the line above, with all that have the same to tell.
        let own = message.strip_prefix(host);
        let own = own.and_then(|rest| rest.strip_prefix(": "));
        lines.push(text::indented(&clean(own.unwrap_or(message)), "    "));
    }
    if let Some(hint) = &result.hint {
        lines.push(format!(
            "    what to do: {}",
            text::indented(&clean(hint), "    ").trim_start()
        ));
    }
    if failed {
        for key in ["cmd", "rc", "stdout", "stderr", "module_stdout"] {
            if let Some(value) = result.data.get(key) {
                block(&mut lines, key, value);
            }
        }
    } else if info.shows {
        spoken(&mut lines, &result.data);
    } else if verbosity == 1 && result.status != Status::Skipped {
        for key in ["msg", "stdout", "stderr"] {
            if let Some(value) = result.data.get(key) {
                block(&mut lines, key, value);
            }
        }
    } else if verbosity == 1
        && let Some(condition) = result.data.get("false_condition")
    {
        let condition = text::value(condition);
        let condition = escape::line(&condition);
        lines.push(format!("    because `{condition}` does not hold"));
    }
    if verbosity >= 2 {
        let pretty = serde_json::to_string_pretty(&result.data).unwrap_or_default();
        lines.push(text::indented(&clean(&pretty), "    "));
    }
    lines
}

/// What `debug` says: its message, or the variable it shows.
fn spoken(lines: &mut Vec<String>, data: &Value) {
    let Some(data) = data.as_object() else { return };
    for (key, value) in data {
        if matches!(key.as_str(), "changed" | "failed") {
            continue;
        }
        let shown = match value {
            Value::String(text) => text.clone(),
            other => serde_json::to_string_pretty(other).unwrap_or_default(),
        };
        let shown = if key == "msg" {
            shown
        } else {
            format!("{key}: {shown}")
        };
        lines.push(text::indented(&clean(&shown), "    "));
    }
}

/// `key: value`, a text of several lines under its key, nothing where there is nothing.
fn block(lines: &mut Vec<String>, key: &str, value: &Value) {
    let shown = clean(&text::value(value));
    let shown = shown.trim_end();
    if shown.is_empty() {
        return;
    }
    if shown.contains('\n') {
        lines.push(format!("    {key}:"));
        lines.push(text::indented(shown, "      "));
    } else {
        lines.push(format!("    {key}: {shown}"));
    }
}
