//! What a run costs: round trips a task, and logins a host.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use windlass::engine::{Run, RunOptions, Summary};
use windlass::inventory::{self, InventorySource};
use windlass::playbook::{self, Loader};
use windlass::template::{self, Templar};
use windlass::transport::{Limits, Transport};
use windlass::vars::{RunInfo, Store};

use crate::site::Site;

/// Tasks, and the round trips that each costs a host: at first, and where it has nothing to do.
const TRIPS: &[(&str, u64, u64)] = &[
    ("ping:", 1, 1),
    ("command: 'true'", 1, 1),
    ("command: {cmd: touch made, creates: made}", 1, 1),
    ("shell: cat /etc/hostname | tr a-z A-Z", 1, 1),
    ("raw: 'true'", 1, 1),
    ("script: tell.sh", 1, 1),
    ("setup:", 1, 1),
    ("copy: {content: text, dest: copied, force: false}", 1, 1),
    // What is large is sent when it is known that the node has something else.
    ("copy: {src: large, dest: large}", 2, 1),
    ("template: {src: large, dest: templated}", 2, 1),
    ("file: {path: folder, state: directory}", 1, 1),
    ("file: {path: copied, mode: '0600'}", 1, 1),
    ("stat: {path: copied}", 1, 1),
    ("slurp: {src: copied}", 1, 1),
    ("fetch: {src: copied, dest: fetched/}", 1, 1),
    // The file is read, changed here, and written.
    ("lineinfile: {path: copied, line: added}", 2, 1),
    ("blockinfile: {path: copied, block: added}", 2, 1),
    (
        "command: {cmd: id -un, stdin: text}\n      become: true",
        1,
        1,
    ),
    (
        "copy: {content: text, dest: '{{ base }}/{{ inventory_hostname }}'}\n      become: true",
        1,
        1,
    ),
    (
        "file: {path: '{{ base }}/{{ inventory_hostname }}', state: absent}\n      become: true",
        1,
        1,
    ),
    (
        "command: id -un\n      become: true\n      become_user: bash",
        1,
        1,
    ),
    ("command: id -un\n      environment: {A: b}", 1, 1),
    ("set_fact: {a: b}", 0, 0),
    ("debug: {msg: hello}", 0, 0),
    ("assert: {that: true}", 0, 0),
];

/// Runs the playbook of the site with this transport, through the library.
async fn run(site: &Site, transport: Transport) -> Summary {
    let folder = site.place.path();
    let source = InventorySource::parse(&folder.join("hosts.ini").display().to_string());
    let inventory = Arc::new(inventory::load(&[source]).expect("it is well-formed"));
    let loader = Loader::new(|name| windlass_modules::registry::find(name).is_some());
    let playbook = playbook::load(&folder.join("site.yml"), &loader).expect("it is well-formed");
    let templar = Templar::new(template::TemplateOptions {
        base_dirs: vec![folder.to_owned()],
        ..template::TemplateOptions::default()
    });
    let extra = windlass::vars::extra(&[]).expect("there are none");
    let store = Store::new(
        Arc::clone(&inventory),
        Vec::new(),
        extra,
        templar.clone(),
        RunInfo::default(),
    );
    let run = Run {
        playbooks: vec![playbook],
        inventory,
        store,
        templar,
        loader,
        transport,
        options: RunOptions::default(),
    };
    let (events, mut seen) = mpsc::channel(64);
    let reader = tokio::spawn(async move {
        let mut failures = Vec::new();
        while let Some(event) = seen.recv().await {
            let text = format!("{event:?}");
            if text.contains("Failed") || text.contains("Unreachable") {
                failures.push(text);
            }
        }
        failures
    });
    // The sender is kept: a dropped one would not be an interrupt, but let it be a usual run.
    let (_keep, interrupt) = watch::channel(false);
    let summary = run.run(events, interrupt).await;
    let failures = reader.await.expect("it only reads");
    assert!(failures.is_empty(), "{failures:#?}");
    summary
}

fn transport(site: &Site) -> Transport {
    Transport::new(Limits {
        control_dir: Some(site.fleet.runtime_dir().join("windlass")),
        ..Limits::default()
    })
}

fn play(tasks: &[&str]) -> String {
    let mut text = "- hosts: nodes\n  gather_facts: false\n  tasks:\n".to_owned();
    for task in tasks {
        let task = windlass_tests::fleet::own(task);
        text.push_str(&format!("    - {task}\n"));
    }
    text
}

fn files(folder: &Path) {
    std::fs::write(folder.join("large"), vec![b'x'; 300_000]).expect("the folder is ours");
    std::fs::write(folder.join("tell.sh"), "echo told\n").expect("the folder is ours");
}

#[tokio::test]
async fn an_ordinary_task_costs_a_host_one_round_trip() {
    let site = Site::mixed(3, &["dash", "bash", "busybox"]);
    files(site.place.path());
    let transport = transport(&site);
    for again in [false, true] {
        let mut costs = BTreeMap::new();
        for (task, ..) in TRIPS {
            let before = transport.count_round_trips();
            site.playbook(&play(&[task]));
            run(&site, transport.clone()).await;
            costs.insert(*task, transport.count_round_trips() - before);
        }
        let expected = TRIPS.iter();
        let expected =
            expected.map(|(task, first, next)| (*task, 3 * if again { next } else { first }));
        assert_eq!(costs, expected.collect(), "again: {again}");
    }
    assert_eq!(transport.count_connects(), 3);
    assert_eq!(site.logins(), 3);
}

#[tokio::test]
async fn a_play_of_many_tasks_costs_as_many_round_trips_and_the_next_run_logs_in_no_more() {
    let site = Site::mixed(3, &["dash", "bash", "busybox"]);
    files(site.place.path());
    let tasks: Vec<&str> = TRIPS.iter().map(|(task, ..)| *task).collect();
    site.playbook(&play(&tasks));
    let first = TRIPS.iter().map(|(_, first, _)| first).sum::<u64>();
    let next = TRIPS.iter().map(|(.., next)| next).sum::<u64>();
    for (connects, trips) in [(3, first), (0, next)] {
        let transport = transport(&site);
        run(&site, transport.clone()).await;
        assert_eq!(transport.count_round_trips(), 3 * trips);
        assert_eq!(transport.count_connects(), connects);
    }
    // The program finds the masters as well, for any play of its own.
    let printed = site.playbook(&play(&["ping:"])).run(&[]);
    assert_eq!(printed.status, 0, "{}", printed.text());
    assert_eq!(site.logins(), 3);
}
