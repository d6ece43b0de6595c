//! One made-up run in every format.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::{Format, Printer, Settings, report};
use crate::event::{Diff, Event, EventKind, Finished, Recap, Status, TaskInfo, Text};

fn info(name: &str, module: &str) -> Arc<TaskInfo> {
    Arc::new(TaskInfo {
        name: name.into(),
        module: module.into(),
        handler: false,
        file: "site.yml".into(),
        line: 7,
        no_log: false,
        shows: module == "debug",
    })
}

fn finished(status: Status, changed: bool, data: serde_json::Value) -> Finished {
    Finished {
        status,
        changed,
        ignored: false,
        data,
        message: None,
        hint: None,
        diff: Vec::new(),
        warnings: Vec::new(),
        delegated_to: None,
        took: Duration::from_millis(1200),
    }
}

fn host(task: u64, host: &str, result: Finished) -> EventKind {
    EventKind::HostFinished {
        task,
        host: host.into(),
        result: Box::new(result),
    }
}

fn failure() -> Finished {
    let data = json!({
        "cmd": ["kubelet", "--version"], "rc": 127, "msg": "non-zero return code",
        "stdout": "", "stderr": "sh: kubelet: not found\n\u{1b}[2Jgone",
    });
    Finished {
        message: Some("there is no command `kubelet` on this host".into()),
        hint: Some("install it, or say where it is".into()),
        ..finished(Status::Failed, true, data)
    }
}

#[expect(clippy::too_many_lines, reason = "a list of events, one after another")]
fn events() -> Vec<EventKind> {
    let hosts: Vec<String> = (1..=40).map(|n| format!("w{n:02}")).collect();
    let mut events = vec![
        EventKind::RunStarted {
            playbooks: vec!["site.yml".into()],
            check: false,
            at: "2026-11-01T12:00:00Z".into(),
        },
        EventKind::PlaybookStarted {
            playbook: "site.yml".into(),
        },
        EventKind::PlayStarted {
            name: "Workers".into(),
            hosts: hosts.clone(),
        },
        EventKind::TaskStarted {
            task: 1,
            info: info("Load the modules", "modprobe"),
            hosts: 40,
        },
    ];
    for (index, name) in hosts.iter().enumerate() {
        let result = finished(Status::Ok, index % 20 != 0, json!({"name": "overlay"}));
        events.push(host(1, name, result));
    }
    events.push(EventKind::TaskFinished { task: 1 });
    events.push(EventKind::TaskStarted {
        task: 2,
        info: info("Ask the kubelet", "command"),
        hosts: 3,
    });
    events.push(EventKind::Progress {
        task: 2,
        host: "w01".into(),
        line: "asking…".into(),
    });
    events.push(host(
        2,
        "w01",
        finished(Status::Ok, true, json!({"rc": 0, "stdout": "v1.20.2"})),
    ));
    events.push(host(2, "w02", failure()));
    events.push(host(
        2,
        "w03",
        Finished {
            ignored: true,
            ..failure()
        },
    ));
    events.push(EventKind::TaskFinished { task: 2 });
    events.push(EventKind::TaskStarted {
        task: 3,
        info: info("Say it", "debug"),
        hosts: 1,
    });
    let said = json!({"msg": "two\nlines"});
    events.push(host(3, "w01", finished(Status::Ok, false, said)));
    events.push(EventKind::TaskFinished { task: 3 });
    events.push(EventKind::TaskStarted {
        task: 4,
        info: info("Write the files", "copy"),
        hosts: 2,
    });
    let diff = Diff {
        before_header: "before: /etc/a".into(),
        after_header: "after: /etc/a".into(),
        before: "old\n".into(),
        after: "new\n".into(),
    };
    let item = Finished {
        diff: vec![diff],
        ..finished(Status::Ok, true, json!({"item": "a"}))
    };
    events.push(EventKind::ItemFinished {
        task: 4,
        host: "w01".into(),
        item: json!({"k": true}),
        result: Box::new(item),
    });
    events.push(host(
        4,
        "w01",
        finished(Status::Ok, true, json!({"results": []})),
    ));
    let lost = Finished {
        message: Some("w04 (10.0.0.4 port 22): connection refused".into()),
        hint: Some("is sshd running there?".into()),
        ..finished(Status::Unreachable, false, json!({}))
    };
    events.push(host(4, "w04", lost));
    events.push(EventKind::TaskFinished { task: 4 });
    events.push(EventKind::Warning {
        message: "a warning".into(),
    });
    let counts = Recap {
        ok: 3,
        changed: 2,
        ..Recap::default()
    };
    events.push(EventKind::RunFinished {
        recap: vec![
            ("w01".into(), counts),
            (
                "w02".into(),
                Recap {
                    ok: 1,
                    changed: 1,
                    failed: 1,
                    ..Recap::default()
                },
            ),
            (
                "w04".into(),
                Recap {
                    ok: 1,
                    unreachable: 1,
                    ..Recap::default()
                },
            ),
        ],
        interrupted: false,
    });
    events
}

/// Standard output, then standard error, of the made-up run.
fn printed(format: Format, verbosity: u8) -> String {
    printed_of(events(), format, verbosity)
}

fn printed_of(events: Vec<EventKind>, format: Format, verbosity: u8) -> String {
    let (out, err) = (
        Arc::new(Mutex::new(Vec::new())),
        Arc::new(Mutex::new(Vec::new())),
    );
    let to: Arc<Mutex<dyn Write + Send>> = out.clone();
    let also: Arc<Mutex<dyn Write + Send>> = err.clone();
    let mut report = report(format, Settings { verbosity }, Printer::to(to, also));
    for (index, what) in events.into_iter().enumerate() {
        let elapsed = Duration::from_millis(100 * index as u64);
        report.event(Event { elapsed, what });
    }
    let text = |bytes: &Mutex<Vec<u8>>| String::from_utf8(bytes.lock().unwrap().clone()).unwrap();
    format!("{}--- standard error\n{}", text(&out), text(&err))
}

#[test]
fn plain() {
    insta::assert_snapshot!(printed(Format::Plain, 0).replace(" in 0.0s", " in TIME"));
}

#[test]
fn a_failure_is_told_while_other_hosts_are_at_work_and_equal_ones_after_it_are_short() {
    let out = Arc::new(Mutex::new(Vec::new()));
    let to: Arc<Mutex<dyn Write + Send>> = out.clone();
    let printer = Printer::to(to.clone(), to);
    let mut report = report(Format::Plain, Settings { verbosity: 0 }, printer);
    let mut tell = |what| {
        let elapsed = Duration::ZERO;
        report.event(Event { elapsed, what });
        report.tick();
        String::from_utf8(std::mem::take(&mut *out.lock().unwrap())).unwrap()
    };
    tell(EventKind::TaskStarted {
        task: 1,
        info: info("Ask", "command"),
        hosts: 4,
    });
    tell(host(1, "w1", failure()));
    // Those that fail at the same time are told together.
    assert_eq!(tell(host(1, "w2", failure())), "");
    std::thread::sleep(Duration::from_millis(1100));
    let while_others_work = tell(EventKind::HostStarted {
        task: 1,
        host: "w3".into(),
    });
    assert!(
        while_others_work.starts_with("failed      Ask"),
        "{while_others_work}"
    );
    assert!(while_others_work.contains("w1 w2") && while_others_work.contains("rc: 127"));
    tell(host(1, "w3", failure()));
    tell(host(1, "w4", finished(Status::Ok, false, json!({}))));
    let after = tell(EventKind::TaskFinished { task: 1 });
    assert!(after.contains("    as on w1\n"), "{after}");
    assert!(
        !after.contains("w2") && !after.contains("rc: 127"),
        "{after}"
    );
    assert!(after.contains("ok          Ask"), "{after}");
}

#[test]
fn plain_with_results() {
    insta::assert_snapshot!(printed(Format::Plain, 1).replace(" in 0.0s", " in TIME"));
}

#[test]
fn ansible() {
    insta::assert_snapshot!(printed(Format::Ansible, 0));
}

#[test]
fn json_has_one_object_a_line_and_every_event_is_documented() {
    let text = printed(Format::Json, 0);
    let documented = include_str!("../../../docs/reference/events.md");
    for line in text.lines().take_while(|line| !line.starts_with("---")) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["version"], 1);
        let event = line["event"].as_str().unwrap();
        assert!(
            documented.contains(&format!("| `{event}` |")),
            "{event} is not documented"
        );
    }
    insta::assert_snapshot!(
        text.lines()
            .filter(|line| !line.contains("w1"))
            .collect::<Vec<_>>()
            .join("\n")
    );
}

/// What a hostile node, or a hostile file, may have in any text.
const HOSTILE: &str =
    "\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\u{7f}\u{2028}\r\nok          Forged  h1  0.0s";

fn hostile_events() -> Vec<EventKind> {
    let mut events = events();
    let (task, host) = (2, "w01".to_owned());
    let retrying = EventKind::Retrying {
        task,
        host,
        left: 2,
        result: Box::new(failure()),
    };
    events.insert(10, retrying.clone());
    let at = events
        .iter()
        .position(|what| matches!(what, EventKind::Progress { .. }));
    events.insert(at.unwrap(), retrying);
    events.push(EventKind::Stopped {
        message: "m".into(),
        hint: Some("h".into()),
    });
    events.push(EventKind::Included {
        file: "f".into(),
        hosts: vec!["h".into()],
    });
    for what in &mut events {
        if let EventKind::HostFinished { result, .. } | EventKind::ItemFinished { result, .. } =
            what
        {
            result.delegated_to = Some("other".into());
            result.warnings.push("w".into());
        }
        for text in what.texts() {
            match text {
                Text::Host(text) | Text::Line(text) | Text::Block(text) => text.push_str(HOSTILE),
                Text::Value(value) => {
                    *value = json!({HOSTILE: HOSTILE, "msg": HOSTILE, "stdout": HOSTILE, "cmd": [HOSTILE]});
                }
            }
        }
    }
    events
}

#[test]
fn no_text_of_an_event_reaches_the_terminal_as_it_is_nor_forges_a_line() {
    for (format, verbosity) in [Format::Human, Format::Plain, Format::Ansible, Format::Json]
        .into_iter()
        .flat_map(|format| (0..4).map(move |verbosity| (format, verbosity)))
    {
        let printed = printed_of(hostile_events(), format, verbosity);
        assert!(printed.contains("Forged"), "{format}: nothing was printed");
        for (number, line) in printed.lines().enumerate() {
            let bad = line.chars().find(|c| {
                c.is_control() && *c != '\t' || "\u{202e}\u{2066}\u{200b}\u{2028}".contains(*c)
            });
            assert_eq!(bad, None, "{format} {verbosity}, line {number}: {line:?}");
            assert!(!line.starts_with("ok          Forged"), "{format}: {line}");
        }
        if format == Format::Json {
            for line in printed.lines().take_while(|line| !line.starts_with("---")) {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                if let Some(name) = value["info"]["name"].as_str() {
                    assert!(name.ends_with(HOSTILE), "JSON keeps the text: {name:?}");
                }
            }
        }
    }
}
