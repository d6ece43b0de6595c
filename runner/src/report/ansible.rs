//! The report in `ansible-playbook`'s default format, for programs and people that read that.
//!
//! The rules of the format were observed on ansible-core 2.19: banners filled with asterisks to the
//! width (79 where there is no terminal), one line a result, and the recap with fixed columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::printer::Printer;
use super::settings::{Report, Settings};
use super::text::clean;
use super::{diff, escape};
use crate::event::{Event, EventKind, Finished, Recap, Status, TaskId, TaskInfo};

/// The width where there is no terminal.
const WIDTH: usize = 79;

/// Prints as `ansible-playbook` does.
pub(crate) struct Ansible {
    printer: Printer,
    settings: Settings,
    width: usize,
    tasks: BTreeMap<TaskId, Arc<TaskInfo>>,
}

impl Ansible {
    pub(crate) fn new(printer: Printer, settings: Settings) -> Self {
        let width = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(WIDTH, |size| {
            usize::from(size.ws_col).saturating_sub(1).max(WIDTH)
        });
        Self {
            printer,
            settings,
            width,
            tasks: BTreeMap::new(),
        }
    }

    fn banner(&self, text: &str) {
        let stars = self.width.saturating_sub(text.chars().count() + 1).max(3);
        self.printer
            .line(&format!("\n{text} {}", "*".repeat(stars)));
    }

    fn result(&self, task: TaskId, host: &str, item: Option<&Value>, result: &Finished) {
        let Some(info) = self.tasks.get(&task) else {
            return;
        };
        let theme = self.printer.theme();
        for change in &result.diff {
            for line in diff::lines(change, theme) {
                self.printer.line(&line);
            }
        }
        for warning in &result.warnings {
            self.printer.note(&format!("[WARNING]: {}", below(warning)));
        }
        let host = match &result.delegated_to {
            Some(other) => format!("{host} -> {other}"),
            None => host.to_owned(),
        };
        let json = || full(result);
        let (line, failed) = match (result.status, item) {
            (Status::Failed, Some(item)) => (
                format!("failed: [{host}] (item={}) => {}", shown(item), json()),
                true,
            ),
            (Status::Failed, None) => (format!("fatal: [{host}]: FAILED! => {}", json()), true),
            (Status::Unreachable, _) => {
                (format!("fatal: [{host}]: UNREACHABLE! => {}", json()), true)
            }
            (status, item) => {
                let word = match status {
                    Status::Skipped => "skipping",
                    _ if result.changed => "changed",
                    _ => "ok",
                };
                let item = item.map(|item| format!(" => (item={})", shown(item)));
                let line = format!("{word}: [{host}]{}", item.clone().unwrap_or_default());
                let tells =
                    self.settings.verbosity > 0 || (info.shows && status != Status::Skipped);
                if tells {
                    (format!("{line} => {}", self.pretty(info, result)), false)
                } else {
                    (line, false)
                }
            }
        };
        let painted = match (failed, result.changed, result.status) {
            (true, ..) => theme.bad(&line),
            (_, true, _) => theme.changed(&line),
            (_, _, Status::Skipped) => theme.aside(&line),
            _ => theme.good(&line),
        };
        self.printer.line(&painted);
        if failed && result.ignored && item.is_none() {
            self.printer.line("...ignoring");
        }
    }

    fn pretty(&self, info: &TaskInfo, result: &Finished) -> String {
        let mut data = result.data.clone();
        if info.shows && self.settings.verbosity == 0 {
            if let Some(data) = data.as_object_mut() {
                for key in ["changed", "failed", "item", "ansible_loop_var"] {
                    data.shift_remove(key);
                }
            }
            let mut bytes = Vec::new();
            let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            let mut writer = serde_json::Serializer::with_formatter(&mut bytes, format);
            if serde::Serialize::serialize(&data, &mut writer).is_ok() {
                return escape::json(&String::from_utf8_lossy(&bytes)).into_owned();
            }
        }
        full(result)
    }

    fn recap(&self, recap: &[(String, Recap)]) {
        self.banner("PLAY RECAP");
        // Hosts that no task was run for are not in Ansible's.
        let mut recap = recap.to_vec();
        recap.retain(|(_, counts)| *counts != Recap::default());
        recap.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (host, counts) in recap {
            let columns = [
                ("ok", counts.ok),
                ("changed", counts.changed),
                ("unreachable", counts.unreachable),
                ("failed", counts.failed),
                ("skipped", counts.skipped),
                ("rescued", counts.rescued),
                ("ignored", counts.ignored),
            ];
            let columns: Vec<String> = columns
                .iter()
                .map(|(name, count)| format!("{name}={count:<4}"))
                .collect();
            self.printer
                .line(&format!("{host:<26} : {}", columns.join(" ")));
        }
        self.printer.line("");
    }
}

/// Lines after the first are indented: at the margin they could pass for lines of the report's own.
fn below(text: &str) -> String {
    clean(text).replace('\n', "\n  ")
}

/// A result as one line of JSON, keys sorted and `, ` and `: ` between as Python writes it.
fn full(result: &Finished) -> String {
    let mut data = match &result.data {
        Value::Object(data) => data.clone(),
        _ => Map::new(),
    };
    data.insert("changed".into(), result.changed.into());
    if result.status == Status::Unreachable {
        data.insert("unreachable".into(), true.into());
    }
    if let Some(message) = &result.message {
        data.entry("msg").or_insert_with(|| message.clone().into());
    }
    if let Some(hint) = &result.hint {
        data.entry("hint").or_insert_with(|| hint.clone().into());
    }
    escape::json(&spaced(&Value::Object(data))).into_owned()
}

fn spaced(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let pairs: Vec<String> = keys
                .into_iter()
                .map(|key| format!("{}: {}", Value::from(key.as_str()), spaced(&map[key])))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(spaced).collect::<Vec<_>>().join(", ")
            )
        }
        other => other.to_string(),
    }
}

/// An item as Python prints it in a format string.
fn shown(item: &Value) -> String {
    match item {
        Value::String(text) => escape::line(text).into_owned(),
        other => escape::line(&python(other)).into_owned(),
    }
}

fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.contains('\'') && !text.contains('"') => format!("\"{text}\""),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(python).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| {
                format!("{}: {}", python(&Value::String(key.clone())), python(value))
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

impl Report for Ansible {
    fn event(&mut self, mut event: Event) {
        escape::event(&mut event);
        match &event.what {
            EventKind::PlayStarted { name, .. } => self.banner(&format!("PLAY [{}]", clean(name))),
            EventKind::PlaySkipped { name, reason } => {
                self.banner(&format!("PLAY [{}]", clean(name)));
                self.printer.line(&format!("skipping: {reason}"));
            }
            EventKind::TaskStarted { task, info, .. } => {
                let word = if info.handler {
                    "RUNNING HANDLER"
                } else {
                    "TASK"
                };
                self.banner(&format!("{word} [{}]", clean(&info.name)));
                if self.settings.verbosity >= 2 {
                    self.printer
                        .line(&format!("task path: {}:{}", info.file, info.line));
                }
                self.tasks.insert(*task, Arc::clone(info));
            }
            EventKind::ItemFinished {
                task,
                host,
                item,
                result,
            } => {
                self.result(*task, host, Some(item), result);
            }
            EventKind::HostFinished { task, host, result } => {
                let looped = result.data.get("results").is_some();
                let quiet = looped
                    && !matches!(
                        result.status,
                        Status::Failed | Status::Unreachable | Status::Skipped
                    );
                if !quiet {
                    self.result(*task, host, None, result);
                }
            }
            EventKind::TaskFinished { task } => {
                self.tasks.remove(task);
            }
            EventKind::Retrying {
                task, host, left, ..
            } => {
                let name = self.tasks.get(task).map_or("", |info| &info.name);
                let line = format!("FAILED - RETRYING: [{host}]: {name} ({left} retries left).");
                self.printer.line(&line);
            }
            EventKind::Included { file, hosts } => {
                self.printer
                    .line(&format!("included: {file} for {}", hosts.join(", ")));
            }
            EventKind::Warning { message } => {
                self.printer.note(&format!("[WARNING]: {}", below(message)));
            }
            EventKind::Stopped { message, hint } => {
                self.printer.note(&format!("[ERROR]: {}", below(message)));
                if let Some(hint) = hint {
                    self.printer.note(&below(hint));
                }
            }
            EventKind::RunFinished { recap, .. } => self.recap(recap),
            EventKind::RunStarted { .. }
            | EventKind::PlaybookStarted { .. }
            | EventKind::BatchStarted { .. }
            | EventKind::HostStarted { .. }
            | EventKind::Progress { .. } => {}
        }
    }
}
