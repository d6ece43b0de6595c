//! Blots out secrets in every event that leaves the engine.

use serde_json::Value;

use crate::event::{Text, What};
use crate::secrets::Secrets;

/// Blots out `secrets` in `what`, wherever they are. Names of hosts are the inventory's, and needed to
/// read a report: they are left alone.
pub(crate) fn conceal(what: &mut What, secrets: &Secrets) {
    if secrets.is_empty() {
        return;
    }
    let mut texts = Vec::new();
    for text in what.texts() {
        match text {
            Text::Host(_) => {}
            Text::Line(text) | Text::Block(text) => texts.push(text),
            Text::Value(value) => {
                keys_and_numbers(value, secrets);
                strings(value, &mut texts);
            }
        }
    }
    secrets.hide_all(&mut texts);
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
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;
    use windlass_modules::Secret;

    use super::*;
    use crate::event::{Diff, Finished, Status, TaskInfo};

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
