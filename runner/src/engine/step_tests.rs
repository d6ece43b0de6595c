//! What is asked before tasks, and what the answers do.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc as questions};

use tokio::sync::{mpsc, watch};
use windlass_modules::registry;

use super::{Prompt, Run, RunOptions};
use crate::event::{Event, EventKind};
use crate::inventory::{self, InventorySource};
use crate::playbook::{self, Loader};
use crate::template::{self, Templar};
use crate::transport::{Limits, Transport};
use crate::vars::{RunInfo, Store};
use crate::yaml::Mapping;

const PLAYBOOK: &str = "\
- hosts: all
  gather_facts: false
  roles: [a]
  tasks:
    - name: two
      debug: {msg: x}
    - meta: noop
    - debug: {msg: x}
    - name: four
      debug: {msg: x}
";

/// The questions that were asked, and the tasks that ran. `answers`: nothing where nobody is there to ask.
fn run(answers: Option<&'static [&'static str]>) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let role = folder.path().join("roles/a/tasks");
    std::fs::create_dir_all(&role).unwrap();
    std::fs::write(role.join("main.yml"), "- name: one\n  debug: {msg: x}\n").unwrap();
    let path = folder.path().join("site.yml");
    std::fs::write(&path, PLAYBOOK).unwrap();
    let inventory = inventory::load(&[InventorySource::Hosts("h1,h2,".into())]).unwrap();
    let inventory = Arc::new(inventory);
    let loader = Loader::new(|name| registry::find(name).is_some());
    let playbook = playbook::load(&path, &loader).unwrap();
    let templar = Templar::new(template::TemplateOptions::default());
    let store = Store::new(
        Arc::clone(&inventory),
        Vec::new(),
        Mapping::default(),
        templar.clone(),
        RunInfo::default(),
    );
    let (ask, asked) = questions::channel();
    let prompt = answers.map(|answers| {
        let count = AtomicUsize::new(0);
        Prompt(Arc::new(move |question: &str, _| {
            let name = question.split('`').nth(1).unwrap_or_default();
            ask.send(name.to_owned()).unwrap();
            let answer = answers.get(count.fetch_add(1, Ordering::Relaxed));
            let answer = answer.map(|answer| (*answer).to_owned());
            answer.ok_or_else(|| ErrorKind::UnexpectedEof.into())
        }))
    });
    let run = Run {
        playbooks: vec![playbook],
        inventory,
        store,
        templar,
        loader,
        transport: Transport::new(Limits::default()),
        options: RunOptions {
            step: true,
            prompt,
            ..RunOptions::default()
        },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(1).enable_all().build().unwrap();
    let ran = runtime.block_on(async {
        let (events, mut seen) = mpsc::channel::<Event>(1024);
        let (_stop, interrupt) = watch::channel(false);
        let ran = tokio::spawn(async move {
            let mut ran = Vec::new();
            while let Some(event) = seen.recv().await {
                match event.what {
                    EventKind::TaskStarted { info, .. } => ran.push(info.name.clone()),
                    EventKind::Stopped { message, .. } => ran.push(message),
                    _ => {}
                }
            }
            ran
        });
        tokio::spawn(run.run(events, interrupt)).await.unwrap();
        ran.await.unwrap()
    });
    (asked.try_iter().collect(), ran)
}

#[test]
fn only_what_is_answered_with_yes_runs_and_continue_asks_no_more() {
    let (asked, ran) = run(Some(&["y", "", "no", "YES"]));
    assert_eq!(asked, ["a : one", "two", "debug", "four"]);
    assert_eq!(ran, ["a : one", "four"]);
    let (asked, ran) = run(Some(&["n", "c"]));
    assert_eq!(asked, ["a : one", "two"]);
    assert_eq!(ran, ["two", "debug", "four"]);
}

#[test]
fn a_run_in_which_nobody_answers_stops() {
    let (_, ran) = run(Some(&["y"]));
    assert_eq!(
        ran,
        ["a : one", "--step cannot ask: unexpected end of file"]
    );
    let (_, ran) = run(None);
    assert_eq!(ran, ["--step has nobody to ask"]);
}
