//! Blots out secrets in every event that leaves the engine.

use serde_json::Value;

use crate::event::{EventKind, Text};
use crate::secrets::Secrets;

/// Blots out `secrets` in `what`, wherever they are. Names of hosts are the inventory's, and needed to
/// read a report: they are left alone.
pub(crate) fn conceal(what: &mut EventKind, secrets: &Secrets) {
    if secrets.is_empty() {
        return;
    }
    let mut texts = Vec::new();
    for text in what.texts() {
        match text {
            Text::Host(_) => {}
            Text::Line(text) | Text::Block(text) => texts.push(text),
            Text::Value(value) => {
                let mut keys = Vec::new();
                all_keys(value, &mut keys);
                // Most have none: all are searched at once.
                let in_keys = secrets.within(&keys);
                if in_keys || secrets.has_numbers() {
                    keys_and_numbers(value, in_keys, secrets);
                }
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

/// The keys of all objects in `value`.
fn all_keys<'a>(value: &'a Value, keys: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| all_keys(item, keys)),
        Value::Object(map) => {
            for (key, item) in map {
                keys.push(key);
                all_keys(item, keys);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Keys, if a secret is in any, and passwords that are numbers.
fn keys_and_numbers(value: &mut Value, in_keys: bool, secrets: &Secrets) {
    match value {
        Value::Array(items) => {
            for item in items {
                keys_and_numbers(item, in_keys, secrets);
            }
        }
        Value::Object(map) => {
            if in_keys {
                let (mut keys, values): (Vec<String>, Vec<Value>) =
                    std::mem::take(map).into_iter().unzip();
                secrets.hide_all(&mut keys.iter_mut().collect::<Vec<_>>());
                *map = keys.into_iter().zip(values).collect();
            }
            for item in map.values_mut() {
                keys_and_numbers(item, in_keys, secrets);
            }
        }
        Value::Number(number) if secrets.has_numbers() => {
            let mut text = number.to_string();
            if secrets.within(&[&text]) {
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

    fn events() -> Vec<EventKind> {
        let text = || SECRET.to_owned();
        let (task, host) = (1, "h".to_owned());
        vec![
            EventKind::RunStarted {
                playbooks: vec![text()],
                check: false,
                at: "now".to_owned(),
            },
            EventKind::PlaybookStarted { playbook: text() },
            EventKind::PlayStarted {
                name: text(),
                hosts: vec![host.clone()],
            },
            EventKind::PlaySkipped {
                name: text(),
                reason: text(),
            },
            EventKind::TaskStarted {
                task,
                info: Arc::new(TaskInfo {
                    name: text(),
                    module: text(),
                    handler: false,
                    file: text(),
                    line: 1,
                    no_log: false,
                    shows: false,
                }),
                hosts: 1,
            },
            EventKind::Progress {
                task,
                host: host.clone(),
                line: text(),
            },
            EventKind::Retrying {
                task,
                host: host.clone(),
                left: 1,
                result: finished(),
            },
            EventKind::ItemFinished {
                task,
                host: host.clone(),
                item: json!([{"k": SECRET}]),
                result: finished(),
            },
            EventKind::HostFinished {
                task,
                host,
                result: finished(),
            },
            EventKind::Included {
                file: text(),
                hosts: Vec::new(),
            },
            EventKind::Warning { message: text() },
            EventKind::Stopped {
                message: text(),
                hint: Some(text()),
            },
        ]
    }

    #[test]
    fn keys_are_searched_at_once_and_each_is_hidden() {
        let secrets = Secrets::default();
        secrets.add(&Secret::new(SECRET));
        secrets.add(&Secret::new("k".repeat(3000)));
        let entries = (0..100_000).map(|number| (format!("key-{number}"), json!({})));
        let mut data = Value::Object(entries.collect());
        data[SECRET] = json!([{SECRET: 1, "other": 2}]);
        let mut what = EventKind::ItemFinished {
            task: 1,
            host: "h".to_owned(),
            item: data,
            result: finished(),
        };
        let searched = secrets.searched();
        conceal(&mut what, &secrets);
        let text = serde_json::to_string(&what).unwrap();
        assert!(!text.contains("hunter2"), "a key is shown");
        assert!(text.contains("key-99999"));
        assert!(secrets.searched() - searched < 20);
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
