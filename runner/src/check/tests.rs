//! What is found, and above all what is not: a check that cries wolf stops runs that would succeed.

use std::fs;
use std::sync::Arc;

use super::{Input, check, loader};
use crate::inventory::{self, InventorySource, Pattern};
use crate::playbook::load_partly;
use crate::template::{Templar, TemplateOptions};
use crate::vars::{RunInfo, Store};
use crate::yaml::{Diagnostic, Mapping, Severity, Source, parse};

/// A folder of files, and what is asked of it.
pub(super) struct World {
    pub(super) folder: tempfile::TempDir,
    extra: Mapping,
    pub(super) all_tasks: bool,
    pub(super) from_start: bool,
    pub(super) limit: Option<Pattern>,
}

impl World {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self {
            folder,
            extra: Mapping::default(),
            all_tasks: true,
            from_start: true,
            limit: None,
        }
    }

    pub(super) fn extra(mut self, yaml: &str) -> Self {
        let documents = parse(&Source::named("-e", yaml)).unwrap();
        self.extra = documents[0].as_mapping().unwrap().clone();
        self
    }

    /// Errors begin with `error`, warnings with `warning`.
    fn found(self) -> Vec<String> {
        let found = self.diagnostics();
        found
            .iter()
            .map(|diagnostic| {
                assert!(diagnostic.help.is_some(), "{diagnostic:?}");
                let kind = match diagnostic.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                format!("{kind}: {}", diagnostic.message)
            })
            .collect()
    }

    pub(super) fn diagnostics(&self) -> Vec<Diagnostic> {
        let hosts = self.folder.path().join("hosts");
        let source = if hosts.exists() {
            InventorySource::parse(hosts.to_str().unwrap())
        } else {
            InventorySource::parse("web1,web2,")
        };
        let inventory = Arc::new(inventory::load(&[source]).unwrap());
        let loader = loader();
        let (playbook, errors) = load_partly(&self.folder.path().join("site.yml"), &loader);
        assert_eq!(errors, [], "the playbook can be read");
        let templar = Templar::new(TemplateOptions::default());
        let store = Store::new(
            Arc::clone(&inventory),
            Vec::new(),
            self.extra.clone(),
            templar.clone(),
            RunInfo::default(),
        );
        check(&Input {
            playbooks: &[playbook],
            inventory: &inventory,
            store: &store,
            templar: &templar,
            loader: &loader,
            complete: true,
            all_tasks: self.all_tasks,
            from_start: self.from_start,
            limit: self.limit.as_ref(),
        })
    }
}

/// What is found in a play of these tasks.
fn tasks(tasks: &str) -> Vec<String> {
    play(&format!("  tasks:\n{}", indent(tasks)))
}

fn play(keywords: &str) -> Vec<String> {
    World::new(&[("site.yml", &format!("- hosts: all\n{keywords}\n"))]).found()
}

fn indent(text: &str) -> String {
    format!("    {}\n", text.replace('\n', "\n    "))
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_is_defined_anywhere_is_defined() {
    for text in [
        "- command: uptime\n  register: out\n- debug: {msg: \"{{ out.stdout }}\"}",
        "- debug: {msg: \"{{ later }}\"}\n- set_fact: {later: 1}",
        "- set_fact: a=1 b=2\n- debug: {msg: \"{{ a }} {{ b }}\"}",
        "- debug: {msg: \"{{ item }} {{ n }}\"}\n  loop: [1]\n  loop_control: {index_var: n}",
        "- debug: {msg: \"{{ thing }}\"}\n  loop: [1]\n  loop_control: {loop_var: thing}",
        "- debug: {msg: \"{{ x }}\"}\n  vars: {x: 1}",
        "- block:\n    - debug: {msg: \"{{ x }}\"}\n  vars: {x: 1}",
        "- debug: {msg: \"{{ ansible_facts }} {{ ansible_hostname }} {{ hostvars }} {{ groups }}\"}",
        "- debug: {msg: \"{{ inventory_hostname }} {{ playbook_dir }} {{ omit }} {{ play_hosts }}\"}",
        "- debug: {msg: \"{% set y = 1 %}{{ y }}{% for z in [1] %}{{ z }}{{ loop.index }}{% endfor %}\"}",
    ] {
        assert_eq!(tasks(text), NOTHING, "{text}");
    }
}

#[test]
fn what_may_be_missing_is_no_error() {
    for text in [
        "- debug: {msg: \"{{ nope | default('x') }} {{ nope.a.b | default('x') }}\"}",
        "- debug: {msg: \"{{ nope is defined }}\"}",
        "- debug: {msg: \"{{ nope }}\"}\n  when: nope is defined",
        "- block:\n    - debug: {msg: \"{{ nope }}\"}\n  when: [nope is defined, nope > 1]",
        "- debug: {msg: \"{% if nope is defined %}{{ nope }}{% endif %}\"}",
        "- debug: {var: nope}",
    ] {
        assert_eq!(tasks(text), NOTHING, "{text}");
    }
}

#[test]
fn what_may_not_be_reached_is_a_warning() {
    for text in [
        "- debug: {msg: \"{{ nope }}\"}\n  when: inventory_hostname == 'x'",
        "- debug: {msg: \"{{ nope }}\"}\n  loop: \"{{ groups.all }}\"",
        "- debug: {msg: \"{{ nope }}\"}\n  tags: extra",
        "- block: [{ping: }]\n  rescue:\n    - debug: {msg: \"{{ nope }}\"}",
        "- debug: {msg: \"{{ 1 if true else nope }}\"}",
    ] {
        let found = tasks(text);
        assert_eq!(
            found,
            ["warning: nothing defines the variable `nope`"],
            "{text}"
        );
    }
    let mut some_tasks = World::new(&[(
        "site.yml",
        "- hosts: all\n  tasks:\n    - debug: {msg: \"{{ nope }}\"}\n",
    )]);
    some_tasks.all_tasks = false;
    assert_eq!(
        some_tasks.found(),
        ["warning: nothing defines the variable `nope`"]
    );
    let mut limited = World::new(&[(
        "site.yml",
        "- hosts: web1\n  tasks:\n    - debug: {msg: \"{{ nope }}\"}\n",
    )]);
    limited.limit = Some(Pattern::limit("web2").unwrap());
    assert_eq!(
        limited.found(),
        ["warning: nothing defines the variable `nope`"]
    );
}

#[test]
fn what_nothing_defines_is_an_error() {
    for text in [
        "- debug: {msg: \"{{ nope }}\"}",
        "- debug: {msg: \"{{ nope.x }}\"}",
        "- debug: {msg: \"{{ nope }}\"}\n  loop: [1]",
        "- ping:\n  when: nope",
        "- ping:\n  loop: \"{{ nope }}\"",
        "- assert: {that: [nope > 1]}",
        "- ping:\n  become: \"{{ nope }}\"",
    ] {
        assert_eq!(
            tasks(text),
            ["error: nothing defines the variable `nope`"],
            "{text}"
        );
    }
}

#[test]
fn a_variable_whose_value_needs_another_is_followed() {
    let through = "  vars: {a: \"{{ b }}\", b: \"{{ nope }}\", c: \"{{ c }}\"}\n  tasks:\n    \
                   - debug: {msg: \"{{ a }}\"}";
    assert_eq!(
        play(through),
        ["error: nothing defines the variable `nope`"]
    );
    // Another value may be the one that counts.
    let also = format!("{through}\n    - set_fact: {{b: 1}}");
    assert_eq!(play(&also), NOTHING);
    // A value that nobody looks at needs nothing.
    assert_eq!(
        play("  vars: {a: \"{{ nope }}\"}\n  tasks: [{ping: }]"),
        NOTHING
    );
}

#[test]
fn inventories_and_extra_variables_define_names() {
    let site = "- hosts: all\n  tasks:\n    - debug: {msg: \"{{ a }} {{ b }} {{ c }}\"}\n";
    let world = World::new(&[
        ("site.yml", site),
        ("hosts", "[web]\nweb1 a=1\n[web:vars]\nb=2\n"),
    ]);
    assert_eq!(world.extra("{c: 3}").found(), NOTHING);
}

#[test]
fn what_cannot_be_seen_may_define_anything() {
    let use_it = "- debug: {msg: \"{{ nope }}\"}";
    for text in [
        format!("- include_tasks: \"{{{{ inventory_hostname }}}}.yml\"\n{use_it}"),
        format!("- set_fact: {{\"{{{{ inventory_hostname }}}}\": 1}}\n{use_it}"),
    ] {
        assert_eq!(tasks(&text), NOTHING, "{text}");
    }
    let vars_files = format!(
        "  vars_files: [\"{{{{ inventory_hostname }}}}.yml\"]\n  tasks:\n{}",
        indent(use_it)
    );
    assert_eq!(play(&vars_files), NOTHING);
}

#[test]
fn included_files_are_checked_with_what_is_around_them() {
    let world = World::new(&[
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - include_tasks: t.yml\n      vars: {given: 1}\n    \
             - include_tasks: u.yml\n      when: nope is defined\n",
        ),
        (
            "t.yml",
            "- debug: {msg: \"{{ given }}\"}\n- cpoy: {}\n- include_tasks: t.yml\n  when: false\n",
        ),
        ("u.yml", "- debug: {msg: \"{{ nope }}\"}\n"),
    ]);
    assert_eq!(world.found(), ["error: there is no module `cpoy`"]);
}

#[test]
fn what_nothing_defines_is_found_in_the_keywords_of_plays_and_blocks() {
    let nope = ["warning: nothing defines the variable `nope`"];
    let of_both = [
        "become_user: '{{ nope }}'",
        "environment: {A: '{{ nope }}'}",
        "any_errors_fatal: '{{ nope }}'",
        "no_log: '{{ nope }}'",
        "remote_user: '{{ nope }}'",
        "throttle: '{{ nope }}'",
    ];
    let of_plays = [
        "serial: '{{ nope }}'",
        "order: '{{ nope }}'",
        "strategy: '{{ nope }}'",
        "max_fail_percentage: '{{ nope }}'",
        "force_handlers: '{{ nope }}'",
        "gather_facts: '{{ nope }}'",
        "gather_subset: ['{{ nope }}']",
    ];
    let found = |play: &str| World::new(&[("site.yml", play)]).found();
    for keyword in of_both.iter().chain(&of_plays) {
        let task = "  tasks:\n    - debug: {msg: x}\n";
        assert_eq!(
            found(&format!("- hosts: all\n  {keyword}\n{task}")),
            nope,
            "{keyword}"
        );
        let fallback = keyword.replace("nope", "nope | default(1)");
        assert_eq!(
            found(&format!("- hosts: all\n  {fallback}\n{task}")),
            NOTHING,
            "{fallback}"
        );
        let broken = found(&format!(
            "- hosts: all\n  {}\n{task}",
            keyword.replace("}}", "")
        ));
        assert!(
            broken.len() == 1 && broken[0].starts_with("error: "),
            "{broken:?}"
        );
    }
    for keyword in of_both {
        let block = format!(
            "- hosts: all\n  tasks:\n    - {keyword}\n      block:\n        - debug: {{msg: x}}\n"
        );
        assert_eq!(found(&block), nope, "{keyword}");
    }
    let hosts = "- hosts: '{{ nope }}'\n  tasks:\n    - debug: {msg: x}\n";
    assert_eq!(found(hosts), nope);
}

#[test]
fn arguments_with_templates_are_taken_for_right() {
    for text in [
        "- copy: {content: x, dest: \"{{ d }}\", backup: \"{{ b }}\", mode: \"{{ m }}\"}",
        "- copy: {content: \"{{ c | default(omit) }}\", src: \"{{ s | default(omit) }}\", dest: /x}",
        "- copy: \"content=x dest=/x mode={{ m }}\"",
        "- copy:\n  args: \"{{ d }}\"",
        "- copy:\n    content: x\n  args: {dest: /x}",
        "- command: \"{{ c }}\"",
        "- command: {argv: [\"{{ c }}\", x]}",
        "- systemd: {name: \"{{ s }}\", state: \"{{ s }}\"}",
        "- fail: {msg: \"{{ s }}\"}\n  when: m != 1",
        "- assert: {that: [m, s], fail_msg: \"{{ c }}\"}",
        "- pause: {seconds: \"{{ m }}\"}",
    ] {
        let play = format!(
            "- hosts: all\n  vars: {{d: 1, b: 1, m: 1, c: 1, s: 1}}\n  tasks:\n{}",
            indent(text)
        );
        assert_eq!(
            World::new(&[("site.yml", &play)]).found(),
            NOTHING,
            "{text}"
        );
    }
}

#[test]
fn what_does_not_go_together_is_found_whatever_the_templates_give() {
    for (text, message) in [
        (
            "- copy: {src: \"x{{ a }}\", content: \"x{{ b }}\", dest: /x}",
            "`copy`: `src` and `content` cannot be used together: give one",
        ),
        (
            "- lineinfile: {path: /x, regexp: \"x{{ a }}\"}",
            "`lineinfile`: `line` is needed, since `state` is `present` where it is not given",
        ),
        (
            "- etcd_member: {state: present, name: \"x{{ a }}\"}",
            "`etcd_member`: `state: present` needs `peer_url` and `name`",
        ),
        (
            "- file: {path: \"x{{ a }}\", src: \"x{{ b }}\", state: touch}",
            "`file`: `src` is only for `state: link` or `state: hard`",
        ),
        (
            "- command:",
            "`command`: nothing to do: write the text after `command:`, or give `cmd` or `argv`",
        ),
        (
            "- command: ls\n  args: {cmd: ls}",
            "`command`: the text after `command:` and `cmd` cannot be used together: give one",
        ),
        // Single values, beside others that only a run knows.
        (
            "- get_url: {url: example.com, dest: \"x{{ a }}\"}",
            "`get_url`: `example.com` is not a URL like https://…",
        ),
        (
            "- lineinfile: {path: \"x{{ a }}\", line: x, insertafter: '('}",
            "`lineinfile`: `(` is not a regular expression",
        ),
        (
            "- set_fact: {a-b: \"{{ a }}\"}",
            "`set_fact`: `a-b` cannot be the name of a variable",
        ),
        (
            "- file: {path: /x, dest: /y}",
            "`dest` is another name of `path`, and `file` has both",
        ),
        (
            "- command: {argv: [ls, {a: b}]}",
            "`argv` of `command` (item 2) must be text, but this is a mapping",
        ),
        (
            "- apt: {name: x, upgrade: everything}",
            "`upgrade` of `apt` cannot be `everything`",
        ),
    ] {
        let play = format!(
            "- hosts: all\n  vars: {{a: 1, b: 1}}\n  tasks:\n{}",
            indent(text)
        );
        let found = World::new(&[("site.yml", &play)]).found();
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(
            found[0].starts_with(&format!("error: {message}")),
            "{text}: {found:?}"
        );
    }
    // Other values would make these right.
    for text in [
        "- copy: {content: x, dest: \"{{ d }}\", mode: \"{{ d }}\"}",
        "- apt: {name: x, upgrade: \"{{ d }}\"}",
        "- apt: {upgrade: yes}",
        "- set_fact: {x: \"{{ d }}\"}",
        "- pause: {seconds: \"{{ d }}\", minutes: \"{{ d }}\"}",
        "- file: {path: /x, src: /y, state: \"{{ d }}\"}",
        "- service: {name: x, state: \"{{ d | default(omit) }}\"}",
        "- get_url: {url: \"{{ d }}\", dest: /x, checksum: \"{{ d | default(omit) }}\"}",
    ] {
        let play = format!("- hosts: all\n  vars: {{d: 1}}\n  tasks:\n{}", indent(text));
        assert_eq!(
            World::new(&[("site.yml", &play)]).found(),
            NOTHING,
            "{text}"
        );
    }
}

#[test]
fn files_that_a_module_says_it_reads_are_looked_for() {
    for (text, message) in [
        ("- kube_apply: {src: [a.yml, b.yml.j2]}", "file `a.yml`"),
        ("- script: setup.sh {{ x }}", "file `setup.sh`"),
        ("- template: {src: c.j2, dest: /x}", "template `c.j2`"),
    ] {
        let world = World::new(&[
            (
                "site.yml",
                &format!("- hosts: all\n  vars: {{x: 1}}\n  tasks:\n{}", indent(text)),
            ),
            ("templates/b.yml.j2", "a: 1\n"),
        ]);
        assert_eq!(
            world.found(),
            [format!("error: there is no {message}")],
            "{text}"
        );
    }
    // What a module writes here may be there by then.
    let copy = "- copy: {src: made.txt, dest: /x}";
    let fetched = format!("- fetch: {{src: /made.txt, dest: files/, flat: true}}\n{copy}");
    assert_eq!(tasks(&fetched), ["warning: there is no file `made.txt`"]);
    let broken = World::new(&[
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - kube_apply: {src: a.yml.j2}\n",
        ),
        ("templates/a.yml.j2", "{% if %}\n"),
    ])
    .found();
    assert_eq!(broken.len(), 1, "{broken:?}");
}

#[test]
fn module_defaults_count_as_given() {
    let found = play(
        "  module_defaults: {copy: {dest: /x}}\n  tasks:\n    - ansible.builtin.copy: {content: x}",
    );
    assert_eq!(found, NOTHING);
    let found =
        play("  module_defaults: {copy: {dset: /x}}\n  tasks:\n    - copy: {content: x, dest: /x}");
    assert_eq!(found, ["error: the module `copy` has no argument `dset`"]);
}

#[test]
fn handlers_are_found_by_name_and_by_what_they_listen_to() {
    let found = play(
        "  tasks:\n    - ping:\n      notify: [a, b, \"{{ inventory_hostname }}\"]\n  handlers:\n    \
         - {name: a, ping: }\n    - {name: x, listen: b, ping: }",
    );
    assert_eq!(found, NOTHING);
    let found = play(
        "  tasks:\n    - ping:\n      notify: a\n  handlers:\n    \
         - {name: \"{{ inventory_hostname }}\", ping: }",
    );
    assert_eq!(found, NOTHING);
}

#[test]
fn patterns_that_may_be_empty_are_warnings() {
    let world = World::new(&[
        ("hosts", "[web]\nweb1\n[db]\n"),
        (
            "site.yml",
            "- hosts: db\n- hosts: web:!web1\n- hosts: nobody*\n- hosts: localhost\n",
        ),
    ]);
    assert_eq!(
        world.found(),
        [
            "error: `nobody*` matches no host",
            "warning: `db` matches no host",
            "warning: `web:!web1` matches no host",
        ]
    );
}

#[test]
fn groups_that_an_inventory_lacks_pass_unless_they_look_like_slips() {
    let world = World::new(&[
        ("hosts", "[web]\nweb1\n[database]\ndb1\n"),
        (
            "site.yml",
            "- hosts: web:balancer\n- hosts: [web, databse]\n- hosts: balancer\n- hosts: web:!balancer\n",
        ),
    ]);
    assert_eq!(
        world.found(),
        [
            "error: no group and no host is called `balancer`",
            "error: no group and no host is called `balancer`",
            "warning: no group and no host is called `databse`",
        ]
    );
}

#[test]
fn a_file_that_the_run_may_make_is_a_warning() {
    let copy = "- copy: {src: made.txt, dest: /x}";
    assert_eq!(tasks(copy), ["error: there is no file `made.txt`"]);
    let made = format!("- command: touch made.txt\n  delegate_to: localhost\n{copy}");
    assert_eq!(tasks(&made), ["warning: there is no file `made.txt`"]);
    assert_eq!(
        tasks("- copy: {src: /made.txt, dest: /x, remote_src: true}"),
        NOTHING
    );
}

#[test]
fn a_role_is_checked_with_its_files_its_variables_and_what_it_is_handed() {
    let spec = "argument_specs:\n  main:\n    options:\n      http_port: {type: int, required: true}\n      \
                state: {choices: [up, down]}\n      kind: {type: number}\n";
    let found = |site: &str, tasks: &str| {
        let world = World::new(&[
            ("site.yml", site),
            ("roles/a/tasks/main.yml", tasks),
            ("roles/a/vars/main.yml", "own: 1\nbroken: '{{ x'\n"),
            ("roles/a/vars/more.yml", "more: 1\n"),
            ("roles/a/meta/argument_specs.yml", spec),
        ]);
        world.found()
    };
    let has = |found: &[String], text: &str| found.iter().any(|one| one.contains(text));
    let all = found(
        "- hosts: all\n  roles: [{role: a, state: maybe}]\n",
        "- include_vars: more.yml\n- debug: msg={{ own }}{{ more }}{{ nowhere }}\n",
    );
    for expected in [
        "error: `http_port` is required, and is not given",
        "error: `state` must be one of: up, down; this is the string `maybe`",
        "error: `number` is not a type of an argument",
        "error: nothing defines the variable `nowhere`",
        "error: syntax error in the template",
    ] {
        assert!(has(&all, expected), "{expected}: {all:#?}");
    }
    assert!(!has(&all, "`own`") && !has(&all, "`more`"), "{all:#?}");
    let handed = found(
        "- hosts: all\n  roles: [{role: a, http_port: 80}]\n",
        "[]\n",
    );
    assert!(!has(&handed, "http_port"), "{handed:#?}");
    let perhaps = found(
        "- hosts: all\n  roles: [{role: a, when: x}]\n  vars: {x: 1}\n",
        "[]\n",
    );
    assert!(
        has(&perhaps, "warning: `http_port` is required"),
        "{perhaps:#?}"
    );
    let files = found(
        "- hosts: all\n  roles: [a]\n",
        "- include_vars: missing.yml\n- include_vars: os.yml\n  when: false\n",
    );
    assert!(
        has(&files, "error: there is no file of variables `missing.yml`"),
        "{files:#?}"
    );
    assert!(
        has(&files, "warning: there is no file of variables `os.yml`"),
        "{files:#?}"
    );
}

#[test]
fn a_failure_that_is_no_end_of_the_run_is_a_warning() {
    let wrong = [
        (
            "include_tasks: missing.yml",
            "there is no file of tasks `missing.yml`",
        ),
        (
            "include_role: {name: missing}",
            "there is no role `missing`",
        ),
        (
            "include_vars: missing.yml",
            "there is no file of variables `missing.yml`",
        ),
        (
            "template: {src: missing.j2, dest: /x}",
            "there is no template `missing.j2`",
        ),
        (
            "debug: {msg: \"{{ nope }}\"}",
            "nothing defines the variable `nope`",
        ),
    ];
    for (task, message) in wrong {
        assert_eq!(tasks(&format!("- {task}\n")), [format!("error: {message}")]);
        for around in [
            format!("- {task}\n  when: inventory_hostname == 'other'\n"),
            format!("- block:\n    - {task}\n  rescue:\n    - ping:\n"),
            format!("- block:\n    - {task}\n  ignore_errors: true\n"),
            format!("- block:\n    - ping:\n  rescue:\n    - {task}\n"),
        ] {
            assert_eq!(tasks(&around), [format!("warning: {message}")], "{around}");
        }
        let never = format!("- {task}\n  ignore_errors: false\n");
        assert_eq!(tasks(&never), [format!("error: {message}")], "{never}");
    }
}
