//! Blots out secrets in every event that leaves the engine.
//!
//! What an event has is taken apart without `..`: a new field does not compile until somebody has
//! decided here what it holds.

use std::sync::Arc;

use serde_json::Value;

use crate::event::{Diff, Finished, Recap, TaskInfo, What};
use crate::secrets::Secrets;

/// What can hold secrets: texts, and values with texts in them.
#[derive(Default)]
struct Parts<'a> {
    texts: Vec<&'a mut String>,
    values: Vec<&'a mut Value>,
}

/// Blots out `secrets` in `what`, wherever they are.
pub(crate) fn conceal(what: &mut What, secrets: &Secrets) {
    if secrets.is_empty() {
        return;
    }
    let mut parts = Parts::default();
    parts.event(what);
    let Parts { mut texts, values } = parts;
    for value in values {
        keys_and_numbers(value, secrets);
        strings(value, &mut texts);
    }
    secrets.hide_all(&mut texts);
}

impl<'a> Parts<'a> {
    /// Names of hosts are the inventory's, and needed to read a report: they are left alone.
    fn event(&mut self, what: &'a mut What) {
        match what {
            What::RunStarted {
                playbooks,
                check: _,
                at: _,
            } => self.texts.extend(playbooks),
            What::PlaybookStarted { playbook } => self.texts.push(playbook),
            What::PlayStarted { name, hosts: _ } => self.texts.push(name),
            What::PlaySkipped { name, reason } => self.texts.extend([name, reason]),
            What::BatchStarted {
                number: _,
                of: _,
                hosts: _,
            }
            | What::HostStarted { task: _, host: _ }
            | What::TaskFinished { task: _ } => {}
            What::TaskStarted {
                task: _,
                info,
                hosts: _,
            } => self.info(Arc::make_mut(info)),
            What::Progress {
                task: _,
                host: _,
                line,
            } => self.texts.push(line),
            What::Retrying {
                task: _,
                host: _,
                left: _,
                result,
            }
            | What::HostFinished {
                task: _,
                host: _,
                result,
            } => self.finished(result),
            What::ItemFinished {
                task: _,
                host: _,
                item,
                result,
            } => {
                self.values.push(item);
                self.finished(result);
            }
            What::Included { file, hosts: _ } => self.texts.push(file),
            What::Warning { message } => self.texts.push(message),
            What::Stopped { message, hint } => {
                self.texts.push(message);
                self.texts.extend(hint);
            }
            What::RunFinished {
                recap,
                interrupted: _,
            } => {
                let _: &Vec<(String, Recap)> = recap;
            }
        }
    }

    fn info(&mut self, info: &'a mut TaskInfo) {
        let TaskInfo {
            name,
            module,
            handler: _,
            file,
            line: _,
            no_log: _,
        } = info;
        self.texts.extend([name, module, file]);
    }

    fn finished(&mut self, finished: &'a mut Finished) {
        let Finished {
            status: _,
            changed: _,
            ignored: _,
            data,
            message,
            hint,
            diff,
            warnings,
            delegated_to,
            took: _,
        } = finished;
        self.values.push(data);
        self.texts.extend(message);
        self.texts.extend(hint);
        self.texts.extend(warnings);
        // A template made it.
        self.texts.extend(delegated_to);
        for diff in diff {
            let Diff {
                before_header,
                after_header,
                before,
                after,
            } = diff;
            self.texts
                .extend([before_header, after_header, before, after]);
        }
    }
}

/// All texts in `value`, apart from keys.
fn strings<'a>(value: &'a mut Value, texts: &mut Vec<&'a mut String>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter_mut().for_each(|item| strings(item, texts)),
        Value::Object(map) => map.values_mut().for_each(|item| strings(item, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Keys, and passwords that are numbers.
fn keys_and_numbers(value: &mut Value, secrets: &Secrets) {
    match value {
        Value::Array(items) => {
            for item in items {
                keys_and_numbers(item, secrets);
            }
        }
        Value::Object(map) => {
            if map.keys().any(|key| secrets.within(key)) {
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(mut key, value)| {
                        secrets.hide(&mut key);
                        (key, value)
                    })
                    .collect();
            }
            for item in map.values_mut() {
                keys_and_numbers(item, secrets);
            }
        }
        Value::Number(number) if secrets.has_numbers() => {
            let mut text = number.to_string();
            if secrets.within(&text) {
                secrets.hide(&mut text);
                *value = Value::String(text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use windlass_modules::Secret;

    use super::*;
    use crate::event::Status;

    const SECRET: &str = "hunter2-and-more";

    fn finished() -> Box<Finished> {
        Box::new(Finished {
            status: Status::Failed,
            changed: false,
            ignored: false,
            data: json!({"a": [SECRET, {SECRET: 12_345_678, "half": "hunter2-", "other": "and-more"}]}),
            message: Some(SECRET.to_owned()),
            hint: Some(SECRET.to_owned()),
            diff: vec![Diff {
                before_header: SECRET.to_owned(),
                after_header: SECRET.to_owned(),
                before: SECRET.to_owned(),
                after: SECRET.to_owned(),
            }],
            warnings: vec![SECRET.to_owned()],
            delegated_to: Some(SECRET.to_owned()),
            took: Duration::ZERO,
        })
    }

    fn events() -> Vec<What> {
        let text = || SECRET.to_owned();
        let (task, host) = (1, "h".to_owned());
        vec![
            What::RunStarted {
                playbooks: vec![text()],
                check: false,
                at: "now".to_owned(),
            },
            What::PlaybookStarted { playbook: text() },
            What::PlayStarted {
                name: text(),
                hosts: vec![host.clone()],
            },
            What::PlaySkipped {
                name: text(),
                reason: text(),
            },
            What::TaskStarted {
                task,
                info: Arc::new(TaskInfo {
                    name: text(),
                    module: text(),
                    handler: false,
                    file: text(),
                    line: 1,
                    no_log: false,
                }),
                hosts: 1,
            },
            What::Progress {
                task,
                host: host.clone(),
                line: text(),
            },
            What::Retrying {
                task,
                host: host.clone(),
                left: 1,
                result: finished(),
            },
            What::ItemFinished {
                task,
                host: host.clone(),
                item: json!([{"k": SECRET}]),
                result: finished(),
            },
            What::HostFinished {
                task,
                host,
                result: finished(),
            },
            What::Included {
                file: text(),
                hosts: Vec::new(),
            },
            What::Warning { message: text() },
            What::Stopped {
                message: text(),
                hint: Some(text()),
            },
        ]
    }

    #[test]
    fn a_secret_leaves_in_no_field_of_any_event() {
        let secrets = Secrets::default();
        secrets.add(&Secret::new(SECRET));
        secrets.add(&Secret::new("12345678"));
        for mut what in events() {
            conceal(&mut what, &secrets);
            let text = serde_json::to_string(&what).unwrap();
            assert!(text.contains("********"), "{text}");
            for part in [SECRET, "hunter2", "and-more", "12345678"] {
                assert!(!text.contains(part), "{text}");
            }
        }
    }
}
