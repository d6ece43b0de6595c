//! Views as wholes: precedence, magic variables, `hostvars`, circles. Expectations about the language
//! were observed with ansible-core 2.19.14.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use minijinja::Value;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{
    BecomeDefaults, BecomeKeywords, ConnectionDefaults, ConnectionKeywords, PlayLayers, PlayVars,
    RunInfo, Store, TaskLayer, TaskLayers, becoming, connection, extra,
};
use crate::inventory::{self, Beside, InventorySource};
use crate::playbook::{self, Entry, Loader, Play};
use crate::template::{self, Expression, Scope, Templar, TemplateError, TemplateOptions};
use crate::transport::{ConnectionKind, HostKeys, Method, SshSettings};
use crate::yaml::{self, Mapping, Source};

/// A run over files in a folder.
struct Run {
    folder: TempDir,
    store: Store,
    templar: Templar,
    plays: Vec<Arc<Play>>,
}

impl Run {
    fn new(files: &[(&str, &str)], extra_vars: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let at = |name: &str| folder.path().join(name);
        let inventory = inventory::load(&[InventorySource::Path(at("inv/hosts"))]).unwrap();
        let playbook = playbook::load(&at("play/main.yml"), &Loader::new(|_| true)).unwrap();
        let mut folders: Vec<_> = playbook
            .plays
            .iter()
            .map(|play| play.path.parent().unwrap().to_owned())
            .collect();
        folders.dedup();
        let beside = folders.into_iter().map(|folder| {
            let beside = Beside::load(&folder, &inventory).unwrap();
            (folder, Arc::new(beside))
        });
        let beside = beside.collect();
        let templar = Templar::new(TemplateOptions::default());
        let extra_vars: Vec<String> = extra_vars.iter().map(|text| (*text).to_owned()).collect();
        let store = Store::new(
            Arc::new(inventory),
            beside,
            extra(&extra_vars).unwrap(),
            templar.clone(),
            RunInfo {
                forks: 5,
                ..RunInfo::default()
            },
        );
        Self {
            folder,
            store,
            templar,
            plays: playbook.plays,
        }
    }

    /// With an inventory and a play of one task.
    fn simple(hosts: &str, play: &str) -> Self {
        Self::new(&[("inv/hosts", hosts), ("play/main.yml", play)], &[])
    }

    fn play(&self, index: usize) -> Arc<PlayVars> {
        let play = &self.plays[index];
        let layers = PlayLayers {
            play: Arc::clone(play),
            name: "the play".to_owned(),
            hosts: vec!["h".to_owned(), "i".to_owned()],
            batch: vec!["h".to_owned()],
        };
        Arc::new(self.store.play(layers).unwrap())
    }

    fn view(&self, host: &str) -> Arc<dyn Scope> {
        self.view_with(host, Vec::new(), Vec::new())
    }

    fn view_with(
        &self,
        host: &str,
        layers: Vec<TaskLayer>,
        running: Vec<(String, Value)>,
    ) -> Arc<dyn Scope> {
        self.store
            .view(host, &self.play(0), &Arc::new(TaskLayers(layers)), running)
    }

    fn evaluate(&self, host: &str, expression: &str) -> Result<Json, TemplateError> {
        let value = self
            .templar
            .evaluate(&Expression::written(expression), &self.view(host))?;
        Ok(template::to_json(&value))
    }

    fn text_of(&self, error: &TemplateError) -> String {
        let span = error
            .span
            .as_ref()
            .map_or(String::new(), |span| format!("{span:?}: "));
        let hint = error.hint.as_deref().unwrap_or_default();
        let folder = self.folder.path().display().to_string();
        format!("{span}{}\n{hint}", error.message).replace(&folder, "DIR")
    }
}

fn values(json: &Json) -> Vec<(String, Value)> {
    let values = json.as_object().unwrap().iter();
    values
        .map(|(name, value)| (name.clone(), template::from_json(value)))
        .collect()
}

fn map(json: &Json) -> serde_json::Map<String, Json> {
    json.as_object().unwrap().clone()
}

fn mapping(text: &str) -> Mapping {
    let documents = yaml::parse(&Source::named("test", text)).unwrap();
    documents[0].as_mapping().unwrap().clone()
}

const PLAY: &str = "- hosts: all\n  tasks:\n    - debug:\n";

/// All the places that can define `v`, from low to high. What each writes is its own name.
const PLACES: [&str; 20] = [
    "all in inventory",
    "parent group in inventory",
    "group in inventory",
    "all beside inventory",
    "all beside playbook",
    "group beside inventory",
    "group beside playbook",
    "host in inventory",
    "host beside inventory",
    "host beside playbook",
    "fact",
    "play",
    "inner import",
    "outer import",
    "vars_files",
    "block",
    "task",
    "set_fact",
    "include",
    "extra",
];

/// What `v` is when the first `count` places define it.
fn value_with(count: usize) -> String {
    let places = &PLACES[..count];
    let at = |place: &str, text: String| {
        if places.contains(&place) {
            text
        } else {
            String::new()
        }
    };
    let line = |place: &str| at(place, format!("v: {place}\n"));
    let vars = |place: &str, indent: &str| at(place, format!("{indent}vars: {{v: {place}}}\n"));
    let inventory = format!(
        "[g]\nh {}\n[parent:children]\ng\n[all:vars]\n{}[parent:vars]\n{}[g:vars]\n{}",
        at("host in inventory", "v='host in inventory'".to_owned()),
        at("all in inventory", "v=all in inventory\n".to_owned()),
        at(
            "parent group in inventory",
            "v=parent group in inventory\n".to_owned()
        ),
        at("group in inventory", "v=group in inventory\n".to_owned()),
    );
    let leaf = format!(
        "- hosts: all\n{}{}  tasks:\n    - block:\n        - debug:\n{}{}",
        vars("play", "  "),
        at(
            "vars_files",
            "  vars_files: ['{{ file }}.yml']\n".to_owned()
        ),
        vars("task", "          "),
        vars("block", "      "),
    );
    let files = [
        ("inv/hosts", inventory),
        (
            "inv/group_vars/all.yml",
            line("all beside inventory") + "file: vars_file\n",
        ),
        ("inv/group_vars/g.yml", line("group beside inventory")),
        ("inv/host_vars/h.yml", line("host beside inventory")),
        ("play/group_vars/all.yml", line("all beside playbook")),
        ("play/group_vars/g.yml", line("group beside playbook")),
        ("play/host_vars/h.yml", line("host beside playbook")),
        ("play/vars/vars_file.yml", line("vars_files")),
        ("play/leaf.yml", leaf),
        (
            "play/mid.yml",
            format!(
                "- import_playbook: leaf.yml\n{}",
                vars("inner import", "  ")
            ),
        ),
        (
            "play/main.yml",
            format!("- import_playbook: mid.yml\n{}", vars("outer import", "  ")),
        ),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let with_extra: &[&str] = if places.contains(&"extra") {
        &["v=extra"]
    } else {
        &[]
    };
    let mut run = Run::new(&files, with_extra);
    if places.contains(&"fact") {
        run.store.set_facts("h", map(&json!({"v": "fact"})), None);
    }
    if places.contains(&"set_fact") {
        run.store
            .set_variables("h", values(&json!({"v": "set_fact"})));
    }
    let Entry::Block(block) = &run.plays[0].tasks[0] else {
        panic!("a block was written")
    };
    let Entry::Task(task) = &block.block[0] else {
        panic!("a task was written")
    };
    let include = if places.contains(&"include") {
        mapping("v: include")
    } else {
        Mapping::default()
    };
    let layers = vec![
        TaskLayer::Include(include, Vec::new()),
        TaskLayer::Block(Arc::clone(block)),
        TaskLayer::Task(Arc::clone(task)),
    ];
    let view = run.view_with("h", layers, Vec::new());
    view.get("v").unwrap().unwrap().to_string()
}

#[test]
fn each_place_wins_over_all_below_it() {
    for count in 1..=PLACES.len() {
        assert_eq!(value_with(count), PLACES[count - 1]);
    }
}

#[test]
fn a_loop_item_wins_over_everything_and_magic_over_extra_variables() {
    let run = Run::new(
        &[("inv/hosts", "h\n"), ("play/main.yml", PLAY)],
        &["item=extra inventory_hostname=extra other=extra"],
    );
    let layers = vec![TaskLayer::Include(
        Mapping::default(),
        vec![
            ("other".to_owned(), Value::from("include item")),
            ("own".to_owned(), Value::from(1)),
        ],
    )];
    let view = run.view_with("h", layers, vec![("item".to_owned(), Value::from("loop"))]);
    let get = |name: &str| view.get(name).unwrap().unwrap().to_string();
    assert_eq!(get("item"), "loop");
    assert_eq!(get("inventory_hostname"), "h");
    assert_eq!(get("other"), "extra");
    assert_eq!(get("own"), "1");
}

#[test]
fn a_play_sees_the_variables_beside_its_own_file() {
    let run = Run::new(
        &[
            ("inv/hosts", "h\n"),
            ("play/main.yml", "- import_playbook: sub/other.yml\n"),
            ("play/group_vars/all.yml", "v: main\n"),
            ("play/sub/group_vars/all.yml", "v: sub\n"),
            ("play/sub/other.yml", PLAY),
        ],
        &[],
    );
    assert_eq!(run.evaluate("h", "v").unwrap(), "sub");
    assert_eq!(run.evaluate("h", "hostvars.h.v").unwrap(), "sub");
    let folder = run.evaluate("h", "playbook_dir").unwrap();
    assert!(Path::new(folder.as_str().unwrap()).ends_with("play/sub"));
}

#[test]
fn variables_are_rendered_when_they_are_used_and_data_never_is() {
    let mut run = Run::simple(
        "h host=yes_i_am bad=\"{{ nope }}\" fine=1\n",
        "- hosts: all\n  vars:\n    greeting: 'hello {{ host }} {{ fact }}'\n    raw: !unsafe '{{ host }}'\n\
        \x20   list: ['{{ fine }}', {a: '{{ host }}'}]\n  tasks:\n    - debug:\n",
    );
    run.store
        .set_facts("h", map(&json!({"fact": "{{ host }}"})), None);
    run.store
        .set_variables("h", values(&json!({"result": {"stdout": "{{ 6 * 7 }}"}})));
    assert_eq!(
        run.evaluate("h", "greeting").unwrap(),
        "hello yes_i_am {{ host }}"
    );
    assert_eq!(run.evaluate("h", "raw").unwrap(), "{{ host }}");
    assert_eq!(
        run.evaluate("h", "list").unwrap(),
        json!([1, {"a": "yes_i_am"}])
    );
    assert_eq!(run.evaluate("h", "result.stdout").unwrap(), "{{ 6 * 7 }}");
    assert_eq!(
        run.evaluate("h", "ansible_facts.fact").unwrap(),
        "{{ host }}"
    );
    assert_eq!(run.evaluate("h", "bad is defined").unwrap(), json!(false));
    assert!(
        run.evaluate("h", "bad")
            .unwrap_err()
            .message
            .contains("nope")
    );
}

#[test]
fn magic_variables_tell_of_the_host_the_play_and_the_run() {
    let run = Run::simple(
        "10.0.0.1\n[g]\nh.example.org\n[web:children]\ng\n",
        "- hosts: all\n  environment: {A: '{{ inventory_hostname }}'}\n  tasks:\n    - debug:\n",
    );
    let host = "h.example.org";
    let inventory = run.folder.path().join("inv");
    for (expression, value) in [
        ("inventory_hostname", json!("h.example.org")),
        ("inventory_hostname_short", json!("h")),
        ("group_names", json!(["g", "web"])),
        (
            "groups",
            json!({
                "all": ["10.0.0.1", "h.example.org"], "ungrouped": ["10.0.0.1"],
                "g": ["h.example.org"], "web": ["h.example.org"],
            }),
        ),
        ("ansible_play_hosts_all", json!(["h", "i"])),
        ("ansible_play_hosts", json!(["h", "i"])),
        ("ansible_play_batch", json!(["h"])),
        ("play_hosts", json!(["h"])),
        ("ansible_play_name", json!("the play")),
        ("ansible_check_mode", json!(false)),
        ("ansible_diff_mode", json!(false)),
        ("ansible_verbosity", json!(0)),
        ("ansible_forks", json!(5)),
        ("ansible_limit is defined", json!(false)),
        ("ansible_run_tags", json!(["all"])),
        ("ansible_skip_tags", json!([])),
        ("ansible_version.major", json!(2)),
        ("ansible_facts", json!({})),
        ("environment", json!([{"A": "h.example.org"}])),
        ("role_path is defined", json!(false)),
        ("inventory_dir", json!(inventory.display().to_string())),
        (
            "inventory_file",
            json!(inventory.join("hosts").display().to_string()),
        ),
        ("vars['inventory_hostname']", json!("h.example.org")),
        ("omit is defined", json!(true)),
    ] {
        assert_eq!(
            run.evaluate(host, expression).unwrap(),
            value,
            "{expression}"
        );
    }
    assert_eq!(
        run.evaluate("10.0.0.1", "inventory_hostname_short")
            .unwrap(),
        "10.0.0.1"
    );
    assert_eq!(
        run.evaluate("localhost", "inventory_dir is defined")
            .unwrap(),
        json!(false)
    );
    assert_eq!(
        run.evaluate("localhost", "ansible_connection").unwrap(),
        "local"
    );
}

#[test]
fn hosts_that_failed_are_no_longer_in_the_play() {
    let mut run = Run::simple("h\ni\n", PLAY);
    let play = run.play(0);
    let before = run.store.view("i", &play, &Arc::default(), Vec::new());
    run.store.leave_out(&["h".to_owned()].into());
    let view = run.store.view("i", &play, &Arc::default(), Vec::new());
    let get = |name: &str| template::to_json(&view.get(name).unwrap().unwrap());
    assert_eq!(get("ansible_play_hosts"), json!(["i"]));
    let before = before.get("ansible_play_hosts").unwrap().unwrap();
    assert_eq!(template::to_json(&before), json!(["h", "i"]));
    assert_eq!(get("ansible_play_batch"), json!([]));
    assert_eq!(get("ansible_play_hosts_all"), json!(["h", "i"]));
}

#[test]
fn hostvars_show_other_hosts_without_what_plays_define() {
    let mut run = Run::simple(
        "h mine=1\ni where=\"{{ inventory_hostname }} {{ mine | default('none of mine') }}\"\n",
        "- hosts: all\n  vars: {in_play: 1}\n  tasks:\n    - debug:\n",
    );
    run.store
        .set_facts("i", map(&json!({"ansible_os_family": "Debian"})), None);
    run.store
        .set_variables("i", values(&json!({"token": {"stdout": "abc"}})));
    for (expression, value) in [
        ("hostvars['i'].where", json!("i none of mine")),
        ("hostvars['i']['ansible_os_family']", json!("Debian")),
        ("hostvars.i.ansible_facts.os_family", json!("Debian")),
        ("hostvars[groups.all[1]].token.stdout", json!("abc")),
        ("hostvars.h.in_play is defined", json!(false)),
        ("in_play", json!(1)),
        ("hostvars.i.mine is defined", json!(false)),
        ("hostvars.nobody is defined", json!(false)),
        ("'i' in hostvars", json!(true)),
        ("hostvars | list", json!(["h", "i"])),
        ("hostvars.i.inventory_hostname", json!("i")),
        ("hostvars.i.ansible_play_batch is defined", json!(false)),
        ("hostvars.localhost.ansible_connection", json!("local")),
    ] {
        assert_eq!(
            run.evaluate("h", expression).unwrap(),
            value,
            "{expression}"
        );
    }
}

#[test]
fn a_variable_that_needs_itself_is_told_with_the_whole_chain() {
    let run = Run::simple(
        "h\n",
        "- hosts: all\n  vars:\n    a: '{{ b }}'\n    b: 'x{{ c }}'\n    c: '{{ a }}'\n  tasks:\n    - debug:\n",
    );
    let error = run.evaluate("h", "c").unwrap_err();
    insta::assert_snapshot!(run.text_of(&error));
    // The next use is told the same.
    assert!(
        run.evaluate("h", "a")
            .unwrap_err()
            .message
            .contains("a → b → c → a")
    );
}

#[test]
fn circles_through_hostvars_are_told_too() {
    let run = Run::simple(
        "h v=\"{{ hostvars.i.v }}\"\ni v=\"{{ hostvars['h'].v }}\"\n[all:vars]\nme=\"{{ hostvars[inventory_hostname].me }}\"\n",
        PLAY,
    );
    insta::assert_snapshot!(run.text_of(&run.evaluate("h", "v").unwrap_err()));
    assert!(
        run.evaluate("h", "me")
            .unwrap_err()
            .message
            .contains("defined by itself")
    );
}

#[test]
fn a_long_chain_of_variables_is_an_error_and_no_overflow() {
    let mut inventory = "h v0=end\n[all:vars]\n".to_owned();
    for number in 1..2000 {
        inventory.push_str(&format!("v{number}={{{{ v{} }}}}\n", number - 1));
    }
    let run = Run::simple(&inventory, PLAY);
    assert_eq!(run.evaluate("h", "v30").unwrap(), "end");
    let error = run.evaluate("h", "v1999").unwrap_err();
    assert!(
        error.message.contains("more than 40 variables"),
        "{}",
        error.message
    );
}

#[test]
fn a_view_is_a_snapshot() {
    let mut run = Run::simple("h\ni\n", PLAY);
    run.store.set_variables("h", values(&json!({"v": 1})));
    let before = run.view("h");
    run.store
        .set_variables("h", values(&json!({"v": 2, "w": 2})));
    assert_eq!(before.get("v").unwrap().unwrap(), Value::from(1));
    assert!(before.get("w").is_none());
    assert_eq!(run.view("h").get("v").unwrap().unwrap(), Value::from(2));
    run.store
        .set_facts("h", map(&json!({"ansible_a": 1})), None);
    run.store.clear_facts("h");
    assert!(run.view("h").get("ansible_a").is_none());
}

#[test]
fn a_change_copies_none_of_a_hosts_variables_though_units_have_snapshots() {
    const MANY: usize = 1000;
    let mut run = Run::simple("h\ni\n", PLAY);
    let text: Arc<str> = "a value that may be long".repeat(100).into();
    let all = (0..MANY).map(|number| (format!("v{number}"), Value::from(Arc::clone(&text))));
    run.store.set_variables("h", all);
    run.store.set_variables("i", values(&json!({"v": 1})));
    let held = Arc::strong_count(&text);
    let units: Vec<_> = (0..10).map(|_| run.view("h")).collect();
    let other = run.store.snapshot().state("i");
    run.store
        .set_variables("h", values(&json!({"v0": 1, "new": 2})));
    assert_eq!(Arc::strong_count(&text), held);
    assert!(Arc::ptr_eq(&other, &run.store.snapshot().state("i")));
    for unit in units {
        assert_eq!(unit.get("v0").unwrap().unwrap().as_str(), Some(&*text));
        assert!(unit.get("new").is_none());
    }
    // Nobody has the old value any more.
    assert_eq!(Arc::strong_count(&text), held - 1);
}

#[test]
fn an_environment_that_needs_itself_is_an_error_and_no_overflow() {
    let run = Run::simple(
        "h\n",
        "- hosts: all\n  environment: {A: '{{ environment }}'}\n  tasks:\n    - debug:\n",
    );
    insta::assert_snapshot!(run.text_of(&run.evaluate("h", "environment").unwrap_err()));
}

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

fn ssh(run: &Run, keywords: &ConnectionKeywords, defaults: &ConnectionDefaults) -> SshSettings {
    let connection = connection(&run.view("h"), "h", keywords, defaults).unwrap();
    assert_eq!(connection.name, "h");
    match connection.kind {
        ConnectionKind::Ssh(settings) => settings,
        ConnectionKind::Local => panic!("ssh was expected"),
    }
}

#[test]
fn connection_variables_win_over_keywords_and_those_over_the_command_line() {
    let keywords = ConnectionKeywords {
        remote_user: Some("keyword".to_owned()),
        connection: None,
        port: Some(2),
    };
    let defaults = ConnectionDefaults {
        user: Some("cli".to_owned()),
        private_key: Some("/cli".into()),
        common_args: Some("-o A='b c'".to_owned()),
        timeout: Some(7),
        ..ConnectionDefaults::default()
    };
    let nothing = Run::simple("h\n", PLAY);
    let settings = ssh(
        &nothing,
        &ConnectionKeywords::default(),
        &ConnectionDefaults::default(),
    );
    assert_eq!(settings, SshSettings::new("h"));
    let settings = ssh(&nothing, &ConnectionKeywords::default(), &defaults);
    assert_eq!(settings.user.as_deref(), Some("cli"));
    assert_eq!(settings.common_args, ["-o", "A=b c"]);
    assert_eq!(settings.connect_timeout.as_secs(), 7);
    let settings = ssh(&nothing, &keywords, &defaults);
    assert_eq!(
        (settings.user.as_deref(), settings.port),
        (Some("keyword"), Some(2))
    );
    let everything = Run::simple(
        "h ansible_host=10.0.0.1 ansible_port=\"{{ 2200 + 22 }}\" ansible_user=var \
         ansible_ssh_private_key_file=/ssh ansible_private_key_file=/plain ansible_password=pw \
         ansible_ssh_common_args=\"-J 'a b'\" ansible_ssh_extra_args=-v ansible_timeout=3 \
         ansible_ssh_args=-4 ansible_host_key_checking=False\n",
        PLAY,
    );
    let settings = ssh(&everything, &keywords, &defaults);
    assert_eq!(settings.address, "10.0.0.1");
    assert_eq!(
        (settings.user.as_deref(), settings.port),
        (Some("var"), Some(2222))
    );
    assert_eq!(
        settings.private_key_file.as_deref(),
        Some(Path::new("/ssh"))
    );
    assert_eq!(settings.password.unwrap().expose(), "pw");
    assert_eq!(settings.common_args, ["-4", "-J", "a b"]);
    assert_eq!(settings.extra_args, ["-v"]);
    assert_eq!(settings.connect_timeout.as_secs(), 3);
    assert_eq!(settings.host_keys, HostKeys::Off);
    // As in Ansible, the name with ssh in it counts more.
    let both = Run::simple(
        "h ansible_ssh_host=a ansible_host=b ansible_ssh_host_key_checking=accept-new\n",
        PLAY,
    );
    let settings = ssh(&both, &keywords, &defaults);
    assert_eq!(
        (settings.address.as_str(), settings.host_keys),
        ("a", HostKeys::AcceptNew)
    );
}

#[test]
fn local_connections_come_from_variables_and_keywords() {
    let run = Run::simple("h ansible_connection=local\ni\n", PLAY);
    let local = |host: &str, connection_keyword: Option<&str>| {
        let keywords = ConnectionKeywords {
            connection: connection_keyword.map(str::to_owned),
            ..ConnectionKeywords::default()
        };
        let defaults = ConnectionDefaults::default();
        connection(&run.view(host), host, &keywords, &defaults)
            .unwrap()
            .kind
            == ConnectionKind::Local
    };
    assert!(local("h", None));
    assert!(!local("i", None));
    assert!(local("i", Some("ansible.builtin.local")));
    assert!(local("localhost", None));
}

#[test]
fn connection_variables_of_wrong_values_are_told_with_their_place() {
    let mut told = String::new();
    for (name, value) in [
        ("ansible_port", "ssh"),
        ("ansible_port", "70000"),
        ("ansible_port", "0"),
        ("ansible_user", "\"['a']\""),
        ("ansible_timeout", "soon"),
        ("ansible_timeout", "4000000000000000000"),
        ("ansible_ssh_common_args", "\"-o 'x\""),
        ("ansible_host_key_checking", "maybe"),
        ("ansible_connection", "winrm"),
        ("ansible_become", "perhaps"),
        ("ansible_become_method", "pbrun"),
        ("ansible_host", "\"{{ nope }}\""),
    ] {
        let run = Run::simple(&format!("h ansible_become=yes {name}={value}\n"), PLAY);
        let scope = run.view("h");
        let keywords = ConnectionKeywords::default();
        let connected = connection(&scope, "h", &keywords, &ConnectionDefaults::default());
        let become_error = becoming(
            &scope,
            &BecomeKeywords::default(),
            &BecomeDefaults::default(),
        );
        let error = connected.err().or(become_error.err()).expect(name);
        told.push_str(&run.text_of(&error));
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}

#[test]
fn becoming_is_asked_for_by_variables_keywords_or_the_command_line() {
    let run = Run::simple(
        "h\nv ansible_become=true ansible_become_user=var ansible_become_password=pw \
         ansible_become_flags=\"-H -n\" ansible_become_exe=/bin/sudo\n\
         s ansible_become=1 ansible_sudo_user=sudo ansible_become_user=plain ansible_sudo_pass=own \
         ansible_become_pass=other\nn ansible_become=no\nu ansible_become=yes ansible_become_method=su ansible_su_user=su\n",
        PLAY,
    );
    let user = |host: &str, keywords: &BecomeKeywords, defaults: &BecomeDefaults| {
        becoming(&run.view(host), keywords, defaults).unwrap()
    };
    let (none, yes) = (
        BecomeDefaults::default(),
        BecomeDefaults {
            r#become: true,
            ..BecomeDefaults::default()
        },
    );
    let nothing = BecomeKeywords::default();
    let keywords = BecomeKeywords {
        r#become: Some(true),
        user: Some("keyword".to_owned()),
        flags: Some("-E 'a b'".to_owned()),
        ..BecomeKeywords::default()
    };
    assert_eq!(user("h", &nothing, &none), None);
    assert_eq!(user("n", &keywords, &yes), None);
    let root = user("h", &nothing, &yes).unwrap();
    assert_eq!((root.user.as_str(), root.method), ("root", Method::Sudo));
    let by_keyword = user("h", &keywords, &none).unwrap();
    assert_eq!(
        (by_keyword.user.as_str(), by_keyword.flags),
        ("keyword", vec!["-E".into(), "a b".into()])
    );
    let by_variable = user("v", &keywords, &none).unwrap();
    assert_eq!(by_variable.user, "var");
    assert_eq!(by_variable.password.unwrap().expose(), "pw");
    assert_eq!(by_variable.flags, ["-H", "-n"]);
    assert_eq!(by_variable.executable.as_deref(), Some("/bin/sudo"));
    let own = user("s", &nothing, &none).unwrap();
    assert_eq!(
        (own.user.as_str(), own.password.unwrap().expose()),
        ("sudo", "own")
    );
    let su = user("u", &nothing, &none).unwrap();
    assert_eq!((su.user.as_str(), su.method), ("su", Method::Su));
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
