//! Names of files with variables in them: `vars_files`, and what a host may not say.

use std::sync::Arc;

use serde_json::json;

use super::super::PlayLayers;
use super::run::{Run, map, values};
use crate::yaml::{self, Source};

#[test]
fn vars_files_take_the_first_that_exists_and_wait_for_facts() {
    let mut run = Run::new(
        &[
            ("inv/hosts", "h\ni\n"),
            ("play/vars/Debian.yml", "pkg: apt\nshared: file\n"),
            ("play/default.yml", "pkg: none\n"),
            ("play/last.yml", "shared: last\nname: '{{ pkg }}!'\n"),
            (
                "play/main.yml",
                "- hosts: all\n  vars_files:\n    - ['{{ ansible_facts.os_family }}.yml', default.yml]\n    \
                 - '{{ pkg | default(\"x\") and \"last\" }}.yml'\n  tasks:\n    - debug:\n",
            ),
        ],
        &[],
    );
    assert_eq!(run.evaluate("h", "pkg is defined").unwrap(), json!(false));
    run.store
        .set_facts("h", map(&json!({"ansible_os_family": "Debian"})), None);
    run.store
        .set_facts("i", map(&json!({"ansible_os_family": "Gentoo"})), None);
    assert_eq!(
        run.evaluate("h", "[pkg, shared, name]").unwrap(),
        json!(["apt", "last", "apt!"])
    );
    assert_eq!(run.evaluate("i", "name").unwrap(), "none!");
}

#[test]
fn vars_files_that_are_nowhere_are_told_with_all_that_was_tried() {
    let play = "- hosts: all\n  vars_files: [[a.yml, b.yml]]\n  tasks:\n    - debug:\n";
    let run = Run::simple("h\n", play);
    let layers = PlayLayers {
        play: Arc::clone(&run.plays[0]),
        name: String::new(),
        hosts: Vec::new(),
        batch: Vec::new(),
    };
    insta::assert_snapshot!(run.text_of(&run.store.play(layers).unwrap_err()));
    let run = Run::simple("h name=c\n", &play.replace("a.yml", "'{{ name }}.yml'"));
    insta::assert_snapshot!(run.text_of(&run.evaluate("h", "anything").unwrap_err()));
}

#[test]
fn no_host_leads_the_name_of_a_file_to_another_folder() {
    let mut run = Run::simple(
        "h\ni\n",
        "- hosts: all\n  vars:\n    common: ../shared\n    base: '{{ playbook_dir }}/../shared'\n    \
         files: {evil: ../b.yml}\n    os: '{{ ansible_distribution }}'\n  tasks: []\n",
    );
    let evil = "../../fetched/app";
    let facts = json!({"ansible_distribution": evil, "ansible_system": "evil", "ansible_path": "/fetched/app", "ansible_dot": ".",
        "ansible_list": [{"name": evil}]});
    for host in ["h", "i"] {
        run.store.set_facts(host, map(&facts), None);
    }
    let results = json!({"r": {"stdout": evil, "stdout_lines": [evil], "path": "/fetched/app"}, "set": evil, "whole": "/a/b.yml"});
    run.store.set_variables("h", values(&results));
    let running = values(&json!({"item": evil, "found": "/play/../x.yml"}));
    let view = run.view_with("h", Vec::new(), running);
    let name = |text: &str| {
        let source = Source::named("test", format!("{text:?}"));
        let node = yaml::parse(&source).unwrap().remove(0);
        run.templar.render_name(&node, &view)
    };
    for text in [
        "os/{{ ansible_distribution }}.yml",
        "os/{{ ansible_facts.distribution | lower }}.yml",
        "os/{{ ansible_facts['list'][0].name }}.yml",
        "os/{{ ansible_facts['list'] | map(attribute='name') | first }}.yml",
        "os/{{ hostvars['i'].ansible_distribution }}.yml",
        "os/{{ vars.ansible_distribution }}.yml",
        "os/{{ os }}.yml",
        "os/{{ r.stdout }}.yml",
        "os/{{ r.stdout_lines[0] }}.yml",
        "os/{{ hostvars.h.r.stdout }}.yml",
        "os/{{ set }}.yml",
        "os/{{ item }}.yml",
        "{{ playbook_dir }}/os/{{ ansible_distribution }}.yml",
        "../{{ ansible_distribution }}.yml",
        "os/{{ ansible_dot }}{{ ansible_dot }}/x",
        "os/.{{ ansible_dot }}/x",
        "{{ ansible_path }}",
        "{{ ansible_path }}/x.yml",
        "{{ r.path }}",
    ] {
        let error = name(text).expect_err(text);
        assert!(
            error.message.contains("to another folder"),
            "{text}: {error:?}"
        );
        assert!(error.hint.unwrap().contains("| basename"));
        assert!(error.span.is_some());
    }
    for text in [
        "os/{{ ansible_system }}.yml",
        "../os/{{ ansible_system }}.yml",
        "{{ common }}/x.yml",
        "{{ base }}/{{ ansible_system }}.yml",
        "{{ playbook_dir }}/../{{ ansible_system }}.yml",
        "os/{{ ansible_distribution | basename }}.yml",
        "{{ playbook_dir }}/{{ files[ansible_system] }}",
        "{{ files[ansible_system] }}",
        "{{ found }}",
        "{{ whole }}",
        "os/{{ inventory_hostname }}.yml",
    ] {
        name(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    }
}
