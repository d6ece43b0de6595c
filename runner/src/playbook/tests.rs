//! What plays and tasks are read as, and what is said of those that cannot be.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use windlass_modules::FreeForm;

use super::reader::Reader;
use super::tasks::TasksPosition;
use super::{
    ArgumentSyntax, Block, Common, Entry, Home, Keyword, Loader, Order, Play, Playbook, Serial,
    Task, TaskAction, arguments, load, load_tasks,
};
use crate::yaml::{Diagnostic, Node, Source, Value, parse};

fn loader() -> Loader {
    let mut loader = Loader::new(|name| {
        [
            "command",
            "copy",
            "debug",
            "ping",
            "shell",
            "ansible.builtin.copy",
        ]
        .contains(&name)
    });
    loader.variables.insert("env".into(), "prod".into());
    loader
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

pub(super) fn loaded(files: &[(&str, &str)]) -> Result<Playbook, Vec<Diagnostic>> {
    let folder = folder(files);
    load(&folder.path().join(files[0].0), &loader())
}

fn good(text: &str) -> Playbook {
    match loaded(&[("site.yml", text)]) {
        Ok(playbook) => playbook,
        Err(errors) => panic!("{}", lines(&errors)),
    }
}

/// Every diagnostic: place, what is underlined, message, help.
pub(super) fn lines(diagnostics: &[Diagnostic]) -> String {
    let mut all = String::new();
    for diagnostic in diagnostics {
        let help = diagnostic.help.as_deref().expect("every error has help");
        match diagnostic.labels.first() {
            Some(label) => {
                let file = label.span.source.path().and_then(Path::file_name);
                let file =
                    file.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                let (line, column) = label.span.position();
                let text = label.span.text().lines().next().unwrap_or_default();
                writeln!(
                    all,
                    "{file}:{line}:{column} [{text}] {}",
                    diagnostic.message
                )
                .unwrap();
            }
            None => writeln!(all, "{}", diagnostic.message).unwrap(),
        }
        writeln!(all, "    help: {help}").unwrap();
    }
    all
}

/// What is said of a playbook with this one task.
fn task_errors(task: &str) -> String {
    let indented = indent(task);
    match loaded(&[("site.yml", &format!("- hosts: all\n  tasks:\n{indented}"))]) {
        Ok(_) => "nothing\n".to_owned(),
        Err(errors) => lines(&errors),
    }
}

fn only_task(play: &Play) -> &Task {
    match play.tasks.as_slice() {
        [Entry::Task(task)] => task,
        other => panic!("{other:?}"),
    }
}

fn only_block(entries: &[Entry]) -> &Block {
    match entries {
        [Entry::Block(block)] => block,
        other => panic!("{other:?}"),
    }
}

fn indent(text: &str) -> String {
    format!("    {}\n", text.replace('\n', "\n    "))
}

fn known<T: Clone>(keyword: Option<&Keyword<T>>) -> T {
    match keyword {
        Some(Keyword::Known(value, _)) => value.clone(),
        _ => panic!("not known"),
    }
}

#[test]
fn a_playbook_is_imported_by_each_of_the_names_of_the_keyword() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("other.yml"), "- hosts: all\n").unwrap();
    for prefix in ["", "ansible.builtin.", "ansible.legacy.", "windlass."] {
        let path = folder.path().join("site.yml");
        let text = format!("- {prefix}import_playbook: other.yml\n  tags: a\n");
        std::fs::write(&path, text).unwrap();
        let playbook = load(&path, &Loader::new(|_| false)).unwrap();
        assert_eq!(playbook.plays.len(), 1, "{prefix}");
        let text = format!("- {prefix}import_playbook: other.yml\n  hosts: a\n");
        std::fs::write(&path, text).unwrap();
        let errors = load(&path, &Loader::new(|_| false)).unwrap_err();
        let message = "`hosts` is not a keyword of an import_playbook";
        assert_eq!(errors[0].message, message, "{prefix}");
    }
}

#[test]
fn a_play_with_every_keyword_is_read() {
    let playbook = good(
        "- name: All of it\n  hosts: [web, db]\n  vars: {a: 1}\n  vars_files: [a.yml, [b.yml, c.yml]]\n  \
         gather_facts: no\n  gather_subset: [min]\n  serial: [1, 30%, \"{{ n }}\"]\n  \
         max_fail_percentage: 30\n  order: reverse_sorted\n  force_handlers: yes\n  strategy: free\n  \
         become: \"yes\"\n  become_user: root\n  become_method: sudo\n  become_flags: -H\n  \
         environment: {A: b}\n  tags: a, b\n  any_errors_fatal: true\n  ignore_errors: false\n  \
         ignore_unreachable: false\n  check_mode: false\n  diff: true\n  no_log: \"{{ x }}\"\n  \
         run_once: false\n  timeout: 2.5\n  throttle: 3\n  connection: local\n  remote_user: admin\n  \
         port: 2222\n  module_defaults: {copy: {mode: '0644'}}\n  pre_tasks: [{ping: }]\n  \
         tasks: [{ping: }]\n  post_tasks: [{ping: }]\n  \
         handlers: [{name: h, listen: l, ping: }]\n",
    );
    let play = &playbook.plays[0];
    assert_eq!(play.name.as_ref().unwrap().as_str(), Some("All of it"));
    assert_eq!(play.vars_files.len(), 2);
    assert!(!known(play.gather_facts.as_ref()));
    assert!(matches!(
        play.serial[0],
        Keyword::Known(Serial::Count(1), _)
    ));
    assert!(matches!(
        play.serial[1],
        Keyword::Known(Serial::Percent(30.0), _)
    ));
    assert!(matches!(play.serial[2], Keyword::Template(_)));
    assert!(matches!(
        play.max_fail_percentage,
        Some(Keyword::Known(30.0, _))
    ));
    assert_eq!(known(play.order.as_ref()), Order::ReverseSorted);
    assert!(known(play.common.r#become.as_ref()));
    assert_eq!(known(play.common.become_flags.as_ref()), "-H");
    let tags: Vec<_> = play
        .common
        .tags
        .iter()
        .map(|tag| tag.as_str().unwrap())
        .collect();
    assert_eq!(tags, ["a", "b"]);
    assert_eq!(play.common.tags[1].span.text(), "b");
    assert!(matches!(play.common.no_log, Some(Keyword::Template(_))));
    assert_eq!(known(play.common.port.as_ref()), 2222);
    assert!(matches!(play.common.timeout, Some(Keyword::Known(2.5, _))));
    assert_eq!(
        (
            play.pre_tasks.len(),
            play.post_tasks.len(),
            play.handlers.len()
        ),
        (1, 1, 1)
    );
}

#[test]
fn a_task_with_every_keyword_is_read() {
    let playbook = good(
        "- hosts: all\n  tasks:\n    - name: One\n      ansible.builtin.copy: {src: a}\n      \
         args: {dest: b}\n      when: [a, b is defined]\n      loop: \"{{ xs }}\"\n      \
         loop_control: {loop_var: x, index_var: i, label: \"{{ x }}\", pause: 1, extended: yes}\n      \
         register: out\n      until: out is success\n      retries: \"5\"\n      delay: 0\n      \
         changed_when: false\n      failed_when: [a, b]\n      delegate_to: localhost\n      \
         delegate_facts: true\n      notify: [x, y]\n      tags: always\n",
    );
    let task = only_task(&playbook.plays[0]);
    let TaskAction::Module {
        name,
        name_span,
        more,
        ..
    } = &task.action
    else {
        panic!("{:?}", task.action)
    };
    assert_eq!(name, "ansible.builtin.copy");
    assert_eq!(name_span.position(), (4, 7));
    assert!(more.is_some());
    assert_eq!(task.common.when.len(), 2);
    assert_eq!(task.loop_control.loop_var.as_deref(), Some("x"));
    assert!(task.loop_control.extended);
    assert_eq!(task.register.as_ref().unwrap().0, "out");
    assert_eq!(known(task.retries.as_ref()), 5);
    assert!(matches!(task.delay, Some(Keyword::Known(0.0, _))));
    assert_eq!(task.changed_when.len(), 1);
    assert_eq!(task.failed_when.len(), 2);
    assert_eq!(task.common.notify.as_ref().map(Vec::len), Some(2));
}

#[test]
fn keywords_with_nothing_after_them_are_not_given() {
    let playbook =
        good("- hosts: all\n  vars:\n  tasks:\n    - ping:\n      when:\n      become:\n");
    let task = only_task(&playbook.plays[0]);
    assert!(task.common.when.is_empty() && task.common.r#become.is_none());
}

#[test]
fn actions_can_be_spelled_out() {
    for (text, delegated) in [
        ("- action: copy src=a", None),
        ("- local_action: copy src=a", Some("localhost")),
        ("- action: {module: copy, src: a}", None),
        (
            "- local_action:\n    module: copy\n    src: a",
            Some("localhost"),
        ),
    ] {
        let indented = indent(text);
        let playbook = good(&format!("- hosts: all\n  tasks:\n{indented}"));
        let task = only_task(&playbook.plays[0]);
        let TaskAction::Module {
            name,
            name_span,
            arguments: written,
            ..
        } = &task.action
        else {
            panic!("{text}")
        };
        assert_eq!(
            (name.as_str(), name_span.text()),
            ("copy", "copy"),
            "{text}"
        );
        let form = ArgumentSyntax::new(FreeForm::No, ["src"]);
        let read = arguments(written, None, &form).unwrap();
        let src = read.entries.get("src").unwrap();
        assert_eq!((src.as_str(), src.span.text()), (Some("a"), "a"), "{text}");
        let to = task.common.delegate_to.as_ref().and_then(Node::as_str);
        assert_eq!(to, delegated, "{text}");
    }
}

#[test]
fn blocks_and_tasks_keep_what_each_notifies() {
    let playbook = good(
        "- hosts: all\n  tasks:\n    - block:\n        - ping:\n        - ping:\n          notify: own\n      \
         rescue: [{ping: }]\n      always: [{ping: }, {ping: }]\n      notify: outer\n      when: a\n",
    );
    let block = only_block(&playbook.plays[0].tasks);
    assert_eq!(
        (
            block.rescue.len(),
            block.always.len(),
            block.common.when.len()
        ),
        (1, 2, 1)
    );
    let names = |common: &Common| common.notify.as_ref()?[0].as_str().map(str::to_owned);
    let notified: Vec<_> = block
        .block
        .iter()
        .map(|entry| match entry {
            Entry::Task(task) => names(&task.common),
            Entry::Role(_) => panic!("a role"),
            Entry::Block(_) => panic!("a block"),
        })
        .collect();
    assert_eq!(notified, [None, Some("own".to_owned())]);
    assert_eq!(names(&block.common), Some("outer".to_owned()));
}

#[test]
fn imports_are_resolved_from_the_file_that_names_them() {
    let playbook = loaded(&[
        (
            "site.yml",
            "- import_playbook: sub/{{ env }}.yml\n  when: a\n  tags: t\n  vars: {v: 1}\n- hosts: all\n  \
             tasks:\n    - import_tasks: sub/tasks/one.yml\n      become: yes\n",
        ),
        ("sub/prod.yml", "- import_playbook: more.yml\n  when: b\n- hosts: web\n"),
        ("sub/more.yml", "- hosts: db\n"),
        ("sub/tasks/one.yml", "- import_tasks: two.yml\n- ping:\n"),
        ("sub/tasks/two.yml", "- ping:\n"),
    ])
    .map_err(|errors| lines(&errors))
    .unwrap();
    let hosts: Vec<_> = playbook
        .plays
        .iter()
        .map(|play| play.hosts.as_str().unwrap())
        .collect();
    assert_eq!(hosts, ["db", "web", "all"]);
    let whens: Vec<Vec<_>> = playbook
        .plays
        .iter()
        .map(|play| {
            play.imports
                .iter()
                .map(|i| i.when[0].as_str().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(whens, [vec!["a", "b"], vec!["a"], vec![]]);
    assert!(playbook.plays[0].path.ends_with("sub/more.yml"));
    let outer = only_block(&playbook.plays[2].tasks);
    assert!(known(outer.common.r#become.as_ref()));
    let inner = only_block(&outer.block[..1]);
    let [Entry::Task(task)] = inner.block.as_slice() else {
        panic!()
    };
    assert!(task.path.ends_with("sub/tasks/two.yml"));
}

#[test]
fn includes_are_left_for_the_run() {
    let playbook = good(
        "- hosts: all\n  tasks:\n    - include_tasks:\n        file: \"{{ x }}.yml\"\n        \
         apply: {become: yes, tags: t}\n      loop: [1]\n",
    );
    let task = only_task(&playbook.plays[0]);
    let TaskAction::IncludeTasks { file, apply } = &task.action else {
        panic!()
    };
    assert_eq!(file.as_str(), Some("{{ x }}.yml"));
    assert!(known(apply.as_ref().unwrap().r#become.as_ref()));
    let folder = folder(&[("t.yml", "- ping:\n- debug: {msg: x}\n"), ("e.yml", "")]);
    let read = |name: &str| {
        load_tasks(
            &folder.path().join(name),
            false,
            &Home::default(),
            &loader(),
        )
        .unwrap()
        .entries
        .len()
    };
    assert_eq!((read("t.yml"), read("e.yml")), (2, 0));
}

#[test]
fn what_is_wrong_with_plays_is_said() {
    let mut all = String::new();
    for text in [
        "",
        "hosts: all\ntasks: []\n",
        "a: 1\n",
        "just text\n",
        "- ping\n",
        "- ping:\n",
        "- tasks: []\n",
        "- hosts:\n",
        "- hosts: []\n",
        "- hosts: all\n  taks: []\n  becom: yes\n",
        "- hosts: all\n  when: x\n  copy: {src: a}\n  zzz: 1\n",
        "- hosts: all\n  roles: [common]\n  vars_prompt: []\n  on: 1\n",
        "- hosts: all\n  become: maybe\n  serial: many\n  gather_facts: [1]\n  max_fail_percentage: 101\n",
        "- hosts: all\n  order: sortd\n  strategy: linaer\n  port: 0\n  throttle: -1\n  timeout: soon\n",
        "- hosts: all\n  vars: [a, b]\n  environment: A=b\n  vars_files: {a: b}\n  tags: {a: b}\n",
        "- hosts: all\n  vars: {my-var: 1, 2x: 3, ok: 4}\n",
        "- hosts: all\n  tasks:\n    ping:\n    name: x\n",
        "- hosts: all\n  tasks: [ping, 5, [ping]]\n",
        "- hosts: all\n  tasks:\n    - hosts: web\n",
        "- hosts: all\n  handlers:\n    - name: h\n      block: [{ping: }]\n      rescue: [{ping: }]\n",
        "- hosts: all\n  handlers:\n    - include_role: {name: r}\n    - import_role: {name: r}\n    - meta: end_role\n",
        "- hosts: all\n  roles: {a: b}\n",
        "- hosts: all\n  roles: [{tags: t}, [r], {role: \"{{ who }}\"}]\n",
        "- import_playbook: nope.yml\n",
        "- import_playbook: site.yml\n",
        "- import_playbook: \"{{ x }}.yml\"\n  become: yes\n",
        "- import_playbook:\n",
    ] {
        let said = match loaded(&[("site.yml", text)]) {
            Ok(_) => "nothing\n".to_owned(),
            Err(errors) => lines(&errors),
        };
        writeln!(all, "{text:?}\n{said}").unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn what_is_wrong_with_tasks_is_said() {
    let mut all = String::new();
    for text in [
        "- name: x",
        "- copy: {src: a}\n  debug: {msg: b}",
        "- copy: {src: a}\n  becme: yes\n  wen: x",
        "- cpoy: {src: a}\n  becme: yes",
        "- nearly: {src: a}",
        "- 5: x\n  ping:",
        "- include_role: {name: r, tasks: x}\n  become: yes",
        "- include_role: {tasks_from: x}",
        "- import_role: {name: r, apply: {tags: t}}\n  loop: [1]",
        "- import_role: {name: r}",
        "- meta: end_role",
        "- include: x.yml",
        "- command: sleep 5\n  async: 10\n  poll: 0",
        "- rescue: [{ping: }]",
        "- block: [{ping: }]\n  register: x\n  blok: 1",
        "- ping:\n  loop: [1]\n  with_items: [2]",
        "- ping:\n  loop: xs",
        "- ping:\n  loop: {a: 1}\n  loop_control: {lopp_var: x}",
        "- ping:\n  loop:\n  loop_control: 5",
        "- ping:\n  loop_control: {label: x}",
        "- ping:\n  register: my-var",
        "- ping:\n  register: \"{{ x }}\"",
        "- ping:\n  when: {a: b}\n  until: [[]]\n  failed_when: ''",
        "- ping:\n  listen: x",
        "- ping:\n  args: 5\n  retries: many\n  delay: -1\n  notify: {a: b}",
        "- meta: flush_handler",
        "- meta:",
        "- import_tasks: nope.yml",
        "- import_tasks: \"{{ x }}.yml\"",
        "- import_tasks: site.yml",
        "- import_tasks:",
        "- import_tasks: {fil: x.yml}",
        "- import_tasks: x.yml\n  loop: [1]\n  register: x",
        "- include_tasks: x.yml\n  become: yes\n  delegate_to: x",
        "- include_tasks: {file: x.yml, apply: {becme: yes}}",
        "- import_playbook: x.yml",
        "- action:\n  name: x",
        "- action: \"{{ x }} a=b\"",
    ] {
        writeln!(all, "{text}\n{}", task_errors(text)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn imports_that_come_back_are_found() {
    let errors = loaded(&[
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - import_tasks: a.yml\n",
        ),
        ("a.yml", "- import_tasks: b.yml\n"),
        ("b.yml", "- import_tasks: a.yml\n"),
    ])
    .unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].message, "`a.yml` imports itself");
    assert_eq!(
        errors[0].note.as_deref(),
        Some("a.yml imports b.yml imports a.yml")
    );
}

#[test]
fn errors_of_all_files_are_reported_together() {
    let errors = loaded(&[
        ("site.yml", "- import_playbook: a.yml\n- hosts: all\n  taks: []\n  tasks:\n    - import_tasks: t.yml\n"),
        ("a.yml", "a: [\n"),
        ("t.yml", "- ping:\n  x: 1\n"),
    ])
    .unwrap_err();
    let files: Vec<_> = errors
        .iter()
        .map(|error| {
            error.labels[0]
                .span
                .source
                .path()
                .unwrap()
                .file_name()
                .unwrap()
        })
        .collect();
    assert_eq!(files, ["a.yml", "site.yml", "t.yml"]);
}

fn node(text: &str) -> Node {
    (*parse(&Source::named("t", text)).unwrap()[0]).clone()
}

#[test]
fn text_arguments_become_mappings() {
    let read = |text: &str, free| {
        let form = ArgumentSyntax::new(free, ["cmd", "chdir", "creates"]);
        let read = arguments(&node(text), None, &form).map_err(|errors| lines(&errors))?;
        let pairs: Vec<_> = read
            .entries
            .iter()
            .map(|(key, value)| format!("{}={}", key.as_str().unwrap(), value.as_str().unwrap()))
            .collect();
        Ok::<_, String>(pairs.join("|"))
    };
    let into = FreeForm::Into("cmd");
    for (text, free, wanted) in [
        ("ls -l", into, "cmd=ls -l"),
        ("chdir=/tmp ls  a=b", into, "cmd=ls  a=b|chdir=/tmp"),
        ("ls creates='a b' x", into, "cmd=ls x|creates=a b"),
        ("echo it's", into, "cmd=echo it's"),
        ("echo {{ x y }}", into, "cmd=echo {{ x y }}"),
        ("|\n  a\n  b\n", into, "cmd=a\nb\n"),
        ("chdir=/tmp", into, "chdir=/tmp"),
        ("a=1 b=\"x y\"", FreeForm::AnyKeys, "a=1|b=x y"),
        (
            "chdir={{ a + 'b c' }}/d",
            FreeForm::No,
            "chdir={{ a + 'b c' }}/d",
        ),
        ("~", FreeForm::No, ""),
    ] {
        assert_eq!(read(text, free).as_deref(), Ok(wanted), "{text}");
    }
    let mut all = String::new();
    for (text, free) in [
        ("a b", FreeForm::No),
        ("\"{{ a }}\"", FreeForm::No),
        ("chdir='a", FreeForm::No),
        ("a=1 a=2", FreeForm::AnyKeys),
        ("[a]", FreeForm::No),
        ("5", into),
    ] {
        writeln!(all, "{text}\n{}", read(text, free).unwrap_err()).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn args_give_what_is_not_beside_the_module() {
    let form = ArgumentSyntax::new(FreeForm::Into("cmd"), ["cmd", "chdir"]);
    let read = arguments(
        &node("ls chdir=/a"),
        Some(&node("{chdir: /b, creates: /c}")),
        &form,
    )
    .unwrap();
    let keys: Vec<_> = read
        .entries
        .iter()
        .map(|(key, _)| key.as_str().unwrap())
        .collect();
    assert_eq!(keys, ["cmd", "chdir", "creates"]);
    assert_eq!(
        read.entries.get("chdir").unwrap().value,
        Value::String("/a".into())
    );
    let read = arguments(&node("ls"), Some(&node("\"{{ more }}\"")), &form).unwrap();
    assert_eq!(read.more.unwrap().as_str(), Some("{{ more }}"));
}

/// Values of any shape, made of the language's own words.
fn anything() -> impl Strategy<Value = serde_json::Value> {
    let words = [
        "hosts",
        "tasks",
        "block",
        "rescue",
        "when",
        "loop",
        "with_items",
        "vars",
        "name",
        "args",
        "action",
        "local_action",
        "notify",
        "listen",
        "tags",
        "serial",
        "copy",
        "meta",
        "file",
        "import_tasks",
        "include_tasks",
        "import_playbook",
        "loop_control",
        "register",
        "apply",
        "module",
        "roles",
        "é",
        "{{ x }}",
        "a=b 'c",
        "30%",
        "",
    ];
    let word = prop::sample::select(words.to_vec());
    let leaf = prop_oneof![
        word.clone().prop_map(|word| json!(word)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(|flag| json!(flag)),
        Just(json!(null)),
    ];
    leaf.prop_recursive(6, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
            prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_playbook_makes_it_panic(plays in prop::collection::vec(anything(), 1..3)) {
        // JSON is YAML.
        let source = Source::named("site.yml", json!(plays).to_string());
        let document = parse(&source).expect("no key is given twice")[0].clone();
        let loader = loader();
        for tasks in [false, true] {
            let mut reader = Reader::new(&loader);
            if tasks {
                let home = Home::default();
                let place = TasksPosition { path: Path::new("nowhere/t.yml"), included: false, handlers: true, home: &home };
                reader.task_file(place, &document);
            } else {
                reader.playbook(Path::new("nowhere/site.yml"), None, &document);
            }
            prop_assert!(reader.errors.iter().all(|error| error.help.is_some()));
        }
    }
}
