//! What a run costs a host more, as counts: they are the same on any machine.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use windlass_modules::registry;

use super::arguments::PREPARED;
use super::{Run, RunOptions};
use crate::event::{Event, EventKind, Status};
use crate::inventory::{self, InventorySource};
use crate::playbook::{self, Loader};
use crate::template::{self, Templar};
use crate::transport::{Limits, Transport};
use crate::vars::{RunInfo, Store};
use crate::yaml::Mapping;

/// What was counted in a run.
#[derive(Debug, PartialEq)]
struct Counted {
    /// How often a template was looked for among those that are compiled, or compiled.
    asked: usize,
    /// How often arguments were taken apart.
    prepared: usize,
    /// Results of hosts that are no failures.
    results: usize,
}

/// Runs a playbook on so many hosts, all on this thread.
fn run(playbook: &str, hosts: usize) -> Counted {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.yml");
    std::fs::write(&path, playbook).unwrap();
    let more = "- debug: {msg: \"{{ item }}\"}\n";
    std::fs::write(folder.path().join("more.yml"), more).unwrap();
    let names: Vec<String> = (0..hosts).map(|number| format!("h{number}")).collect();
    let hosts = InventorySource::Hosts(format!("{},", names.join(",")));
    let inventory = Arc::new(inventory::load(&[hosts]).unwrap());
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
    let run = Run {
        playbooks: vec![playbook],
        inventory,
        store,
        templar: templar.clone(),
        loader,
        transport: Transport::new(Limits::default()),
        options: RunOptions::default(),
    };
    let before = PREPARED.get();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let results = runtime.block_on(async {
        let (events, mut seen) = mpsc::channel::<Event>(1024);
        let (_stop, interrupt) = watch::channel(false);
        let counted = tokio::spawn(async move {
            let mut results = 0;
            while let Some(event) = seen.recv().await {
                match event.what {
                    EventKind::HostFinished { result, .. } => {
                        assert_ne!(result.status, Status::Failed, "{:?}", result.message);
                        results += 1;
                    }
                    EventKind::Stopped { message, .. } => panic!("{message}"),
                    _ => {}
                }
            }
            results
        });
        run.run(events, interrupt).await;
        counted.await.unwrap()
    });
    Counted {
        asked: templar.asked(),
        prepared: PREPARED.get() - before,
        results,
    }
}

/// A play in which everything that a task has is a template.
const ALL: &str = r#"
- hosts: all
  gather_facts: false
  HEAD
  module_defaults: {debug: {verbosity: "{{ 0 + 0 }}"}, assert: {quiet: true}}
  environment: {A: "{{ 'a' ~ 'b' }}"}
  tasks:
    - name: "greet {{ 1 + 1 }}"
      debug: {msg: "hello {{ inventory_hostname }} {{ item }}"}
      loop: "{{ ['a', 'b'] }}"
      loop_control: {label: "{{ item }}", pause: "{{ 0 }}", break_when: ["item == 'z'"]}
      when: ["inventory_hostname != 'nobody'", "{{ true }}"]
      no_log: "{{ false }}"
      check_mode: "{{ true }}"
      register: said
      until: said is not failed
      retries: "{{ 1 }}"
      delay: "{{ 0 }}"
      changed_when: "'hello' in said.msg"
      failed_when: ["'nothing' in said.msg"]
      ignore_errors: "{{ false }}"
      notify: "the {{ 'handler' }}"
    - assert: {that: ["inventory_hostname != 'nobody'", "1 == 1"]}
    - debug: {var: said}
    - set_fact: {"x{{ 1 }}": "{{ inventory_hostname }}"}
    - command: {cmd: "true {{ x1 }}"}
      when: x1 == 'nobody'
    - debug:
      with_items: ["{{ x1 }}"]
      delegate_to: "{{ x1 }}"
      vars: {literal: 1}
    - meta: end_host
      when: x1 == 'nobody'
  handlers:
    - name: the handler
      debug: {msg: "{{ 'called' }}"}
"#;

#[test]
fn a_tasks_arguments_and_templates_are_read_once_however_many_hosts_there_are() {
    for head in ["strategy: linear", "strategy: free", "serial: [1, 1, 100]"] {
        let play = ALL.replace("HEAD", head);
        let (few, many) = (run(&play, 3), run(&play, 30));
        assert_eq!(few.results, 7 * 3, "{head}");
        assert_eq!(many.results, 7 * 30, "{head}");
        assert_eq!(few.prepared, 7, "{head}");
        assert_eq!(many.prepared, few.prepared, "{head}");
        assert_eq!(many.asked, few.asked, "{head}");
    }
}

#[test]
fn what_hosts_include_by_themselves_is_compiled_once() {
    for strategy in ["linear", "free", "host_pinned"] {
        let play = format!(
            "- hosts: all\n  gather_facts: false\n  strategy: {strategy}\n  tasks:\n    - include_tasks: more.yml\n      loop: [1, 2]\n"
        );
        let (few, many) = (run(&play, 3), run(&play, 30));
        assert_eq!((few.results, many.results), (2 * 3, 2 * 30), "{strategy}");
        assert_eq!((few.prepared, many.prepared), (2, 2), "{strategy}");
        assert_eq!(many.asked, few.asked, "{strategy}");
    }
}
