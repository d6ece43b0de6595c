//! Inventories as wholes: what ansible-core 2.19.14 makes of the same files, and what is said about
//! those that make no sense.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{Inventory, InventorySource, Pattern, load};
use crate::yaml::Diagnostic;

/// A folder with files in it.
struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            if text.starts_with("#!") {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load(&self, names: &[&str]) -> Result<Inventory, Vec<Diagnostic>> {
        let sources = names.iter().map(|name| match name {
            list if list.contains(',') => InventorySource::parse(list),
            _ => InventorySource::parse(&self.path(name).display().to_string()),
        });
        load(&sources.collect::<Vec<_>>())
    }

    fn text_of(&self, diagnostics: &[Diagnostic]) -> String {
        let folder = self.0.path().display().to_string();
        let one = |diagnostic: &Diagnostic| {
            let mut text = diagnostic.message.clone();
            for label in &diagnostic.labels {
                let (line, column) = label.span.position();
                let part = label.span.text();
                let _ = write!(text, "\n  {line}:{column} `{part}` {}", label.text);
            }
            for note in diagnostic.note.iter().chain(&diagnostic.help) {
                let _ = write!(text, "\n  = {note}");
            }
            text.replace(&folder, "DIR")
                .replace(" \n", "\n")
                .trim_end()
                .to_owned()
        };
        diagnostics.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}

fn ini(text: &str) -> Inventory {
    let files = Files::new(&[("hosts.ini", text)]);
    let result = files.load(&["hosts.ini"]);
    result.unwrap_or_else(|errors| panic!("{}", files.text_of(&errors)))
}

fn wrong(name: &str, text: &str) -> String {
    let files = Files::new(&[(name, text)]);
    files.text_of(&files.load(&[name]).unwrap_err())
}

fn names(inventory: &Inventory, pattern: &str) -> String {
    match inventory.select(&Pattern::parse(pattern).unwrap(), None) {
        Ok(hosts) => hosts.join(" "),
        Err(error) => format!("{} = {}", error.message, error.help),
    }
}

fn everything(inventory: &Inventory) -> Json {
    let hosts = inventory.members("all").iter().map(ToString::to_string);
    let hosts: Vec<String> = hosts.collect();
    inventory.list(&hosts, None)
}

const AWKWARD: &str = r#"; a comment
# another
plain ansible_host=10.0.0.1 n=1 big=0644 f=1.10 t=True y=yes tr=true l="[1, 'a', True]" d="{'k': [1, None]}" two="two words" e= bare='x' hash=a#b pct=50% neg=-3
h[01:03].example.com:2222 x=1
db[a:b]-[1:2] a=b
[2001:db8::1]:2222 v6=1
2001:db8::2

[web:children]
front
back

[front]
plain
f1 prio=host
[back]
f1
[front:vars]
who=front
num=42
text=some words here # not a comment
quoted="in quotes"
eq=a=b
empty=
bool=True
no=no
[back:vars]
who=back
[back:vars]
extra=1

[web:vars] # comment here
who=web
ansible_group_priority=10
"#;

/// The expected value is what `ansible-inventory --list` printed for this text.
#[test]
fn an_awkward_ini_inventory_is_read_as_ansible_reads_it() {
    let inventory = ini(AWKWARD);
    let list = everything(&inventory);
    assert_eq!(list["all"], json!({"children": ["ungrouped", "web"]}));
    assert_eq!(list["web"], json!({"children": ["front", "back"]}));
    assert_eq!(list["front"], json!({"hosts": ["plain", "f1"]}));
    assert_eq!(list["back"], json!({"hosts": ["f1"]}));
    assert_eq!(
        list["ungrouped"],
        json!({"hosts": [
            "h01.example.com", "h02.example.com", "h03.example.com",
            "dba-1", "dba-2", "dbb-1", "dbb-2", "2001:db8::1", "2001:db8::2",
        ]})
    );
    let hosts = &list["_meta"]["hostvars"];
    assert_eq!(
        hosts["plain"],
        json!({
            "ansible_host": "10.0.0.1", "bare": "x", "big": "0644", "bool": true,
            "d": {"k": [1, null]}, "e": "", "empty": "", "eq": "a=b", "f": 1.1, "hash": "a",
            "l": [1, "a", true], "n": 1, "no": "no", "num": 42, "quoted": "in quotes",
            "t": true, "text": "some words here # not a comment", "tr": "true",
            "two": "two words", "who": "front", "y": "yes",
        })
    );
    assert_eq!(hosts["f1"]["who"], "front");
    assert_eq!(hosts["f1"]["extra"], 1);
    assert_eq!(
        hosts["h02.example.com"],
        json!({"ansible_port": 2222, "x": 1})
    );
    assert_eq!(hosts["2001:db8::1"], json!({"ansible_port": 2222, "v6": 1}));
    assert_eq!(hosts.get("2001:db8::2"), None);
}

#[test]
fn a_comment_that_cuts_a_word_short_is_a_warning() {
    let files = Files::new(&[("hosts.ini", "h a=b#c d=1\n")]);
    let inventory = files.load(&["hosts.ini"]).unwrap();
    insta::assert_snapshot!(files.text_of(inventory.warnings()));
}

#[test]
fn ini_lines_that_make_no_sense_are_all_told_at_once() {
    let text = "h a\nh x=\"un\n[g\n[g:varz]\nx=1\n[g:children]\nwokers\nx y\n[workers]\nh:\n\
                [workers:vars]\nnovalue\n=1\n[ g ]\n[]\n[g]  ; no\nansible_user=root\n[lost:vars]\na=1\n";
    insta::assert_snapshot!(wrong("hosts.ini", text));
}

#[test]
fn groups_cannot_contain_each_other() {
    insta::assert_snapshot!(wrong(
        "hosts.ini",
        "[a:children]\nb\n[b:children]\na\n[c:children]\nc\n"
    ));
}

#[test]
fn an_inventory_that_does_not_exist_is_an_error() {
    let files = Files::new(&[("hosts.ini", "h\n")]);
    insta::assert_snapshot!(files.text_of(&files.load(&["host.ini"]).unwrap_err()));
}

const YAML: &str = "
all:
  hosts:
    lone:
    db[1:2]:
      size: 3
  vars: {who: all}
  children:
    web:
      hosts: {w1: {who: w1}, w2: }
      vars: {who: web}
      children:
        front: {hosts: w2, vars: {who: front}}
empty:
";

/// As ansible-core 2.19.14 lists it.
#[test]
fn a_yaml_inventory_is_read_as_ansible_reads_it() {
    let files = Files::new(&[("hosts", YAML)]);
    let inventory = files.load(&["hosts"]).unwrap();
    let list = everything(&inventory);
    assert_eq!(
        list,
        json!({
            "_meta": {"hostvars": {
                "db1": {"size": 3, "who": "all"},
                "db2": {"size": 3, "who": "all"},
                "lone": {"who": "all"},
                "w1": {"who": "w1"},
                "w2": {"who": "front"},
            }, "profile": "inventory_legacy"},
            "all": {"children": ["ungrouped", "web", "empty"]},
            "front": {"hosts": ["w2"]},
            "ungrouped": {"hosts": ["lone", "db1", "db2"]},
            "web": {"children": ["front"], "hosts": ["w1", "w2"]},
        })
    );
}

#[test]
fn yaml_inventories_of_wrong_shapes_are_told() {
    let text = "all:\n  hosts:\n    - web1\n  host: {a: }\n  children: 3\n  vars: [a]\nweb: yes\n\
                1: {}\ndb:\n  hosts:\n    h[2:1]: {}\n    x: text\n    5:\nhosts: {a: }\n";
    insta::assert_snapshot!(wrong("hosts.yml", text));
    insta::assert_snapshot!(wrong("a.yml", "- web1\n"));
    insta::assert_snapshot!(wrong("b.yml", "# nothing\n"));
    insta::assert_snapshot!(wrong("c.yml", "plugin: aws_ec2\n"));
    insta::assert_snapshot!(wrong("d.toml", "a = 1\n"));
}

#[test]
fn a_folder_is_read_by_name_without_what_is_no_inventory() {
    let files = Files::new(&[
        ("inv/b.ini", "[g]\nh who=b\nonly_b\n"),
        ("inv/a.yml", "g: {hosts: {h: {who: a, a: 1}}}\n"),
        ("inv/c/deep", "deep\n"),
        ("inv/z.txt", "!!!\n"),
        ("inv/.hidden", "!!!\n"),
        ("inv/old.ini~", "!!!\n"),
        ("inv/group_vars/g.yml", "from: group_vars\n"),
        ("inv/c/group_vars/g.yml", "from: too deep\n"),
    ]);
    let inventory = files.load(&["inv"]).unwrap();
    assert_eq!(names(&inventory, "all"), "deep h only_b");
    assert_eq!(
        inventory.host_json("h", None).unwrap(),
        json!({"a": 1, "from": "group_vars", "who": "b"})
    );
    let host = inventory.host("h").unwrap();
    assert_eq!(
        host.inventory_dir.as_deref(),
        Some(files.path("inv").as_path())
    );
    assert!(host.inventory_file.as_ref().unwrap().ends_with("inv/a.yml"));
}

#[test]
fn later_inventories_win_and_lists_of_hosts_are_inventories() {
    let files = Files::new(&[
        ("one/hosts", "[g]\nh a=1 b=1\n"),
        ("one/group_vars/g", "c: one\nd: one\n"),
        ("two/hosts", "[g]\nh b=2\n[late:children]\ng\n"),
        ("two/group_vars/g.yml", "d: two\n"),
    ]);
    let inventory = files
        .load(&["one/hosts", "x,y:22, h ,", "two/hosts"])
        .unwrap();
    assert_eq!(
        inventory.host_json("h", None).unwrap(),
        json!({"a": 1, "b": 2, "c": "one", "d": "two"})
    );
    assert_eq!(names(&inventory, "ungrouped"), "x y");
    assert_eq!(
        inventory.host_json("y", None).unwrap(),
        json!({"ansible_port": 22})
    );
    assert_eq!(inventory.host("x").unwrap().inventory_dir, None);
    assert_eq!(inventory.group("g").unwrap().depth, 2);
}

#[test]
fn a_program_prints_groups_and_hosts() {
    let files = Files::new(&[
        (
            "inv.sh",
            "#!/bin/sh\ntest \"$1\" = --list || exit 9\ncat <<'E'\n{\"_meta\": {\"hostvars\": {\"h1\": {\"a\": [1, true]}}},\
             \"g\": {\"hosts\": [\"h1\", \"h2\"], \"vars\": {\"v\": \"{{ a }}\"}, \"children\": [\"c\"]},\
             \"c\": [\"h3\"]}\nE\n",
        ),
        (
            "old.sh",
            "#!/bin/sh\ntest $1 = --list && echo '{\"g\": [\"h1\"]}' || echo \"{\\\"me\\\": \\\"$2\\\"}\"\n",
        ),
    ]);
    let inventory = files.load(&["inv.sh"]).unwrap();
    assert_eq!(names(&inventory, "g"), "h1 h2 h3");
    assert_eq!(
        inventory.host_json("h1", None).unwrap(),
        json!({"a": [1, true], "v": "{{ a }}"})
    );
    let inventory = files.load(&["old.sh"]).unwrap();
    assert_eq!(
        inventory.host_json("h1", None).unwrap(),
        json!({"me": "h1"})
    );
}

#[test]
fn programs_that_fail_are_told_with_what_they_said() {
    insta::assert_snapshot!(wrong("a", "#!/bin/sh\necho no token >&2\nexit 3\n"));
    insta::assert_snapshot!(wrong("b", "#!/bin/sh\necho hello\n"));
    insta::assert_snapshot!(wrong("c", "#!/bin/sh\necho '[1]'\n"));
    insta::assert_snapshot!(wrong(
        "d",
        "#!/bin/sh\necho '{\"g\": {\"hosts\": \"h\"}}'\n"
    ));
    insta::assert_snapshot!(wrong("e", "#!/nowhere/sh\n"));
}

#[test]
fn a_text_with_the_executable_bit_is_no_program() {
    let files = Files::new(&[("hosts", "h a=1\n")]);
    fs::set_permissions(files.path("hosts"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(names(&files.load(&["hosts"]).unwrap(), "all"), "h");
}

#[test]
fn variables_beside_an_inventory_are_files_or_folders() {
    let files = Files::new(&[
        ("hosts", "[g]\nh.example a=inline\n"),
        ("group_vars/all.yml", "a: all\nb: all\nc: all\n"),
        ("group_vars/g/10.yml", "b: ten\nd: ten\n"),
        ("group_vars/g/20", "d: twenty\n"),
        ("group_vars/g/deep/x.json", "{\"e\": \"deep\"}\n"),
        ("group_vars/g/skipped.txt", "e: txt\n"),
        ("group_vars/g/.hidden.yml", "e: hidden\n"),
        ("group_vars/g.yml", "e: beaten by the folder\n"),
        ("group_vars/other.yml", "[not read\n"),
        ("host_vars/h.example.yml", "c: host\n"),
        ("host_vars/h.example", ""),
    ]);
    let inventory = files.load(&["hosts"]).unwrap();
    assert_eq!(
        inventory.host_json("h.example", None).unwrap(),
        json!({"a": "inline", "b": "ten", "c": "all", "d": "twenty", "e": "deep"})
    );
    insta::assert_snapshot!(files.text_of(inventory.warnings()));
}

#[test]
fn files_of_variables_that_make_no_sense_are_told() {
    let files = Files::new(&[
        ("hosts", "[g]\nh\n"),
        ("group_vars/all", "- a\n"),
        ("group_vars/g", "1: a\n"),
        ("host_vars/h", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
    ]);
    insta::assert_snapshot!(files.text_of(&files.load(&["hosts"]).unwrap_err()));
}

/// In Ansible too: depth first, then `ansible_group_priority`, then the name.
#[test]
fn groups_win_by_depth_then_priority_then_name() {
    let inventory = ini("[a]\nh\n[b]\nh\n[c]\nh\n[deep]\nh\n[up:children]\ndeep\n\
        [a:vars]\nv1=a\nv2=a\nansible_group_priority=5\n[b:vars]\nv1=b\nv2=b\nv3=b\n\
        [c:vars]\nv3=c\nv2=c\n[deep:vars]\nv2=deep\n");
    let host = inventory.host("h").unwrap();
    let groups: Vec<&str> = host.groups.iter().map(AsRef::as_ref).collect();
    assert_eq!(groups, ["b", "c", "up", "a", "deep"]);
    let values = inventory.host_json("h", None).unwrap();
    assert_eq!(values, json!({"v1": "a", "v2": "deep", "v3": "c"}));
    assert!(
        !values
            .as_object()
            .unwrap()
            .contains_key("ansible_group_priority")
    );
}

#[test]
fn the_graph_is_that_of_ansible_inventory() {
    let inventory = ini("lone\n[web:children]\nfront\n[front]\nf1 a=1\n[web:vars]\nv=x\n");
    assert_eq!(
        inventory.graph("all", false, None).unwrap().join("\n"),
        "@all:\n  |--@ungrouped:\n  |  |--lone\n  |--@web:\n  |  |--@front:\n  |  |  |--f1"
    );
    assert_eq!(
        inventory.graph("web", true, None).unwrap().join("\n"),
        "@web:\n  |--@front:\n  |  |--f1\n  |  |  |--{a = 1}\n  |  |  |--{v = x}\n  |--{v = x}"
    );
    assert_eq!(inventory.graph("nope", false, None), None);
}

const FLEET: &str = "mgmt\n[web]\nweb[1:4]\n[db]\ndb1\ndb2\nweb2\n[eu]\nweb1\ndb1\n\
    [both:children]\ndb\nweb\n[none]\n";

/// Each result is that of `ansible PATTERN --list-hosts`.
#[test]
fn patterns_select_what_ansible_selects() {
    let inventory = ini(FLEET);
    for (pattern, hosts) in [
        ("all", "mgmt web1 db1 db2 web2 web3 web4"),
        ("*", "mgmt web1 db1 db2 web2 web3 web4"),
        ("web", "web1 web2 web3 web4"),
        ("web:db", "web1 web2 web3 web4 db1 db2"),
        ("db,web", "db1 db2 web2 web1 web3 web4"),
        ("both", "db1 db2 web2 web1 web3 web4"),
        ("web:!eu", "web2 web3 web4"),
        ("web:&eu", "web1"),
        ("!web", "mgmt db1 db2"),
        ("&eu", "web1 db1"),
        ("!web3:web:&db", "web2"),
        ("web[0]", "web1"),
        ("web[-1]", "web4"),
        ("web[1:2]", "web2 web3"),
        ("web[2:]", "web3 web4"),
        ("web[0:0]", "web1"),
        ("web[9:]", ""),
        ("web[0]:db[1]", "web1 db2"),
        ("web*[0]", "web1"),
        ("web[1:2]:!web3", "web2"),
        ("web?", "web1 web2 web3 web4"),
        ("web[13]", "no such"),
        ("[dw]*2", "web2 db2"),
        ("*[!1-3]", "mgmt web1 db1 db2 web2 web3 web4"),
        ("~web[12]$", "web1 web2"),
        ("~(db|web)1", "web1 db1"),
        ("~eb", ""),
        ("none", ""),
        ("nothing*", ""),
        ("ungrouped", "mgmt"),
        ("localhost", "localhost"),
        ("localhost:mgmt", "localhost mgmt"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        (" web1 , db1 ", "web1 db1"),
        ("web1 db1", "web1 db1"),
    ] {
        if hosts == "no such" {
            assert!(
                inventory
                    .select(&Pattern::parse(pattern).unwrap(), None)
                    .is_err()
            );
        } else {
            assert_eq!(names(&inventory, pattern), hosts, "{pattern}");
        }
    }
}

#[test]
fn a_limit_keeps_the_order_of_the_pattern() {
    let files = Files::new(&[("retry", "db1\n\nweb*\n")]);
    let inventory = ini(FLEET);
    let select = |pattern: &str, limit: &str| {
        let limit = Pattern::limit(limit).unwrap();
        let pattern = Pattern::parse(pattern).unwrap();
        inventory.select(&pattern, Some(&limit)).unwrap().join(" ")
    };
    assert_eq!(select("db", "web2,db1"), "db1 web2");
    assert_eq!(
        select("db:mgmt", &format!("@{}", files.path("retry").display())),
        "db1 web2"
    );
    assert_eq!(select("web", "!web1"), "web2 web3 web4");
    let none = Pattern::limit("web:!web").unwrap();
    assert_eq!(
        inventory.check_limit(&none).unwrap_err().message,
        "this limit leaves no host"
    );
    assert!(
        Pattern::limit("@/nowhere")
            .unwrap_err()
            .message
            .contains("/nowhere")
    );
}

#[test]
fn patterns_that_match_nothing_suggest_the_nearest_name() {
    let inventory = ini(FLEET);
    for (pattern, text) in [
        (
            "wbe",
            "no group and no host is called `wbe` = did you mean `web`?",
        ),
        (
            "all:!dv",
            "no group and no host is called `dv` = did you mean `db`?",
        ),
        (
            "web[7]",
            "`web[7]` asks for a host that is not there = `web` has 4 hosts, counted from 0",
        ),
        (
            "web[-5]",
            "`web[-5]` asks for a host that is not there = `web` has 4 hosts, counted from 0",
        ),
    ] {
        assert_eq!(names(&inventory, pattern), text);
    }
    let partly = Pattern::parse("web:dbs").unwrap();
    assert_eq!(names(&inventory, "web:dbs"), names(&inventory, "web"));
    let unknown = inventory.unknown_parts(&partly);
    assert_eq!(unknown[0].help, "did you mean `db`?");
    assert!(inventory.check_limit(&partly).is_err());
    let error = Pattern::parse("web:~(").unwrap_err();
    assert_eq!(error.range, 4..6);
    assert!(Pattern::parse("web:!").is_err());
    let empty = load(&[]).unwrap();
    assert!(names(&empty, "web").contains("name an inventory"));
    assert_eq!(names(&empty, "all"), "");
}

#[test]
fn an_explicit_local_host_takes_the_place_of_the_implicit_one() {
    let inventory = ini("127.0.0.1 a=1\n");
    assert_eq!(names(&inventory, "localhost"), "127.0.0.1");
    let implicit = ini("h\n");
    let local = implicit.host("localhost").unwrap();
    assert!(local.implicit);
    assert_eq!(local.vars["ansible_connection"].as_str(), Some("local"));
    assert_eq!(names(&implicit, "all"), "h");
}

#[test]
fn names_used_twice_and_second_ports_are_warnings() {
    let files = Files::new(&[("hosts", "[web]\nweb\nh:22\nh:22\n[db]\nh:2222\n")]);
    let inventory = files.load(&["hosts"]).unwrap();
    insta::assert_snapshot!(files.text_of(inventory.warnings()));
    assert_eq!(
        inventory.host_json("h", None).unwrap(),
        json!({"ansible_port": 22})
    );
}

#[test]
fn relative_folders_are_made_absolute() {
    let dir = super::model::directory_of(Path::new("./x/../y/hosts"));
    assert!(dir.is_absolute() && dir.ends_with("y"), "{}", dir.display());
}

proptest::proptest! {
    #[test]
    fn ini_never_panics(text in "([\\[\\]a-c:=#; '\"\\\\1-2]{0,12}\n){0,6}") {
        let files = Files::new(&[("hosts.ini", &text)]);
        let _ = files.load(&["hosts.ini"]);
    }

    #[test]
    fn ini_of_any_text_never_panics(text in ".{0,60}") {
        let files = Files::new(&[("hosts.ini", &text)]);
        let _ = files.load(&["hosts.ini"]);
    }

    #[test]
    fn yaml_never_panics(text in "((all|hosts|children|vars|  |: |a|1|\\[|\\]|\n|- |\\{|\\}){0,12})") {
        let files = Files::new(&[("hosts.yml", &text)]);
        let _ = files.load(&["hosts.yml"]);
    }

    #[test]
    fn patterns_never_panic(text in "[a-c*?\\[\\]!&:,~0-9@ é(-]{0,16}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            let _ = ini("[a]\na[1:3]\n[b]\nb\n").select(&pattern, None);
        }
    }
}
