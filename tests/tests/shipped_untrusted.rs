//! Reads the shipped playbooks for what one machine says and another is told: in commands without a quote, and as
//! hosts, files and arguments. Whatever is found has to stand below, with where its form is seen to. It follows
//! variables to their definitions, and is a reader's eye and no proof. What `kubectl` prints on a control plane counts as
//! that machine's own word, though other nodes have written some of it.

use std::collections::BTreeMap;

use windlass::yaml::{self, Mapping, Node};
use windlass_tests::expressions::expressions;
use windlass_tests::program::root;
use windlass_tests::shipped::{Shipped, all_tasks, texts};

/// What a node says whose form is seen to where it is read, and where that is.
const FORMED: &[(&str, &str)] = &[
    (
        "node_state.node_name",
        "kubeadm_state: a name of a Node; names.yml, where something is done to the Node: of no other host",
    ),
    (
        "status_node.node_name",
        "kubeadm_state: a name of a Node, which is only looked at",
    ),
    ("node_state.version", "kubeadm_state: a version"),
    (
        "node_state.config_api",
        "kubeadm_state: of a table of its own",
    ),
    (
        "node_state.config_apis",
        "kubeadm_state: of a table of its own",
    ),
    ("node_state.state", "kubeadm_state: one of three words"),
    ("node_state.repairable", "kubeadm_state: yes or no"),
    ("node_state.peer_url", "kubeadm_state: URLs of a member"),
    ("ansible_facts.default_ipv4.address", "setup: an address"),
    (
        "ansible_facts.default_ipv4.interface",
        "setup: a name of an interface",
    ),
    ("ansible_facts.default_ipv6.address", "setup: an address"),
    (
        "ansible_facts.default_ipv6.interface",
        "setup: a name of an interface",
    ),
    ("join_data.join", "kubeadm_token: each of its values"),
    (
        "etcd_listed.members",
        "etcd_member: names and URLs of members",
    ),
    ("etcd_listed.learners", "etcd_member: yes or no"),
    ("etcd_now.members", "etcd_member: names and URLs of members"),
    (
        "rollout_node_said.stdout",
        "rollout-before.yml: a name of a Node, and no other host's",
    ),
    (
        "rollout_node_again.stdout",
        "rollout-before.yml: a name of a Node, and no other host's",
    ),
];

/// What a node says whose form a task sees to: where it is registered, and by which task there, that one or the next.
const ASSERTED: &[(&str, &str, &str)] = &[
    (
        "pki.results",
        "tasks/etcd-pki.yml",
        "They are names of certificates and keys",
    ),
    (
        "member.stdout",
        "etcd-restore.yml",
        "What it says can be so",
    ),
    (
        "version_running.stdout",
        "tasks/state.yml",
        "Ask which version the cluster has",
    ),
    (
        "install_look.stdout_lines",
        "tasks/install-look.yml",
        "Look at what each node has of a container runtime and of Kubernetes",
    ),
    (
        "install_look.stdout_lines",
        "tasks/upgrade-packages.yml",
        "Find which are not at the version yet, and how they came",
    ),
    (
        "packages_said.stdout",
        "tasks/packages.yml",
        "{{ 'Ask which versions there are' if packages_act == 'newest' else 'Install ' ~ packages | map('regex_replace', '^[?]', '') | join(', ') }}",
    ),
    (
        "version_folder.stdout_lines",
        "tasks/kubernetes-version.yml",
        "Look what there is in the folder",
    ),
    (
        "node_ca.stdout",
        "tasks/signs.yml",
        "Find whose cluster that is",
    ),
];

/// What decides between things that the user wrote, or is meant to be handed on: the file, the task, what the
/// node says, why that is safe.
const MEANT: &[(&str, &str, &str, &str)] = &[
    (
        "tasks/etcd-snapshot.yml",
        "*",
        "member_health.stdout",
        "which host of the inventory",
    ),
    (
        "etcd-backup.yml",
        "*",
        "member_health.stdout",
        "which host of the inventory",
    ),
    (
        "etcd-backup.yml",
        "Record what it is",
        "etcd_snapshot_taken.stdout",
        "three numbers: `int`",
    ),
    (
        "etcd-backup.yml",
        "Record what it is",
        "etcd_snapshot_file.stat",
        "of the control host",
    ),
    (
        "etcd-backup.yml",
        "*",
        "backups.stdout_lines",
        "of the control host",
    ),
    (
        "etcd-backup.yml",
        "*",
        "backups_failed.stdout_lines",
        "of the control host",
    ),
    (
        "tasks/drain.yml",
        "Drain it",
        "drain_kubectl.stdout",
        "one of two flags",
    ),
    (
        "tasks/etcd-certificates.yml",
        "*",
        "etcd_renewed",
        "yes or no, of who includes it",
    ),
    (
        "tasks/etcd-pki.yml",
        "*",
        "member_health.stdout",
        "which host of the inventory",
    ),
    (
        "tasks/etcd-certificates.yml",
        "*",
        "etcd_look",
        "which of four names",
    ),
    (
        "tasks/etcd-certificates.yml",
        "Copy them here",
        "etcd_made.results",
        "a certificate of this host's, by etcd's authority",
    ),
    (
        "tasks/forget.yml",
        "Remove it from kubeadm's list of control planes",
        "forgotten_config.stdout",
        "told to the same host",
    ),
    (
        "tasks/offline-look.yml",
        "Find what this host lacks",
        "preflight_look.stdout_lines",
        "vars/preflight.yml: a version",
    ),
    (
        "tasks/wait.yml",
        "*",
        "join_result",
        "which host of the inventory",
    ),
    (
        "tasks/node-metadata.yml",
        "*",
        "join_result",
        "which host of the inventory",
    ),
    (
        "tasks/kubelet-certificates.yml",
        "Approve the kubelets' certificates",
        "reconfigure_look.stdout",
        "a + or nothing",
    ),
    (
        "tasks/kubelet-certificates.yml",
        "Approve the kubelets' certificates",
        "join_result",
        "which host of the inventory",
    ),
];

/// Words of commands that need no quotes.
const PLAIN: &[(&str, &str)] = &[
    (
        "cluster_binaries_words",
        "quoted one by one in vars/cluster.yml",
    ),
    ("now(utc=true, fmt='%Y%m%dT%H%M%SZ')", "digits"),
    (
        "cluster_kubelet_flags_gone | map(attribute='name') | join('|')",
        "a table of vars/cluster.yml",
    ),
    (
        "cluster_cri_socket | regex_replace('^unix://', '') | quote if cluster_cri_socket else \
         '/run/containerd/containerd.sock /run/crio/crio.sock /run/cri-dockerd.sock /run/docker.sock'",
        "a list of words",
    ),
];

/// Keywords whose value names a host or a file.
const NAMING: &[&str] = &[
    "hosts",
    "delegate_to",
    "vars_files",
    "include_tasks",
    "import_tasks",
];

/// Keywords of plays and tasks that are no module, and modules that only show, decide or keep.
const NO_MODULE: &[&str] = &[
    "name",
    "become",
    "gather_facts",
    "vars",
    "tasks",
    "handlers",
    "when",
    "register",
    "changed_when",
    "failed_when",
    "until",
    "retries",
    "delay",
    "check_mode",
    "loop",
    "loop_control",
    "no_log",
    "run_once",
    "block",
    "rescue",
    "always",
    "serial",
    "any_errors_fatal",
    "args",
    "notify",
    "ignore_unreachable",
    "diff",
    "environment",
    "timeout",
    "order",
    "max_fail_percentage",
    "ignore_errors",
    "debug",
    "fail",
    "assert",
    "set_fact",
    "pause",
];

/// Each place that names a host or a file, or tells a machine what another said.
fn told(shipped: &Shipped) -> Vec<String> {
    let mut told = Vec::new();
    for (file, node) in &shipped.files {
        for task in all_tasks(node) {
            let name = task.get("name").and_then(Node::as_str).unwrap_or_default();
            let delegated = task.get("delegate_to").is_some();
            for (key, value) in task.iter() {
                let key = key.as_str().unwrap_or_default();
                let naming = NAMING.contains(&key);
                if NO_MODULE.contains(&key) {
                    continue;
                }
                let mut all = texts(value);
                if !naming {
                    all.extend(task.get("args").into_iter().flat_map(texts));
                    all.extend(task.get("loop").into_iter().flat_map(texts));
                }
                for text in &all {
                    for (path, of_others) in said(shipped, file, text) {
                        let own = !naming && !delegated && !of_others;
                        if !own && !is_meant(file, name, &path) {
                            told.push(format!("{file}: {name}: {key} has {path}"));
                        }
                    }
                }
            }
        }
    }
    told
}

/// What a text says that a node said, and has no form of its own yet.
fn said(shipped: &Shipped, file: &str, text: &str) -> BTreeMap<String, bool> {
    let mut said = shipped.said(file, text);
    said.retain(|path, _| {
        let formed = FORMED.iter().map(|(path, _)| path);
        let mut formed = formed.chain(ASSERTED.iter().map(|(path, ..)| path));
        !formed.any(|form| is_below(path, form))
    });
    said
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn is_meant(file: &str, task: &str, path: &str) -> bool {
    MEANT.iter().any(|(of_file, of_task, of_path, _)| {
        *of_file == file && (*of_task == "*" || *of_task == task) && is_below(path, of_path)
    })
}

#[test]
fn no_machine_is_told_what_another_made_up() {
    let told = told(&Shipped::read());
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn what_is_asserted_is_asserted_at_once() {
    let shipped = Shipped::read();
    for (path, file, by) in ASSERTED {
        let (register, _) = path.split_once('.').expect("a result and what of it");
        let tasks = all_tasks(&shipped.files[*file]);
        let text =
            |task: &Mapping, key: &str| task.get(key).map(texts).unwrap_or_default().join(" ");
        let at = tasks
            .iter()
            .position(|task| text(task, "register") == register);
        let at = at.expect("it is registered there");
        let itself =
            text(tasks[at], "name") == *by && text(tasks[at], "failed_when").contains(path);
        let next = tasks.get(at + 1).is_some_and(|next| {
            let all = next.iter().flat_map(|(_, value)| texts(value));
            text(next, "name") == *by
                && !text(next, "assert").is_empty()
                && all.collect::<Vec<_>>().join(" ").contains(path)
        });
        assert!(itself || next, "{file}: {path}");
    }
}

#[test]
fn no_configuration_has_what_another_host_made_up() {
    let shipped = Shipped::read();
    let folder = root().join("playbooks/templates");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("it is shipped") {
        let path = entry.expect("it can be read").path();
        // Those of folders are shown, and given to nobody.
        if path.is_dir() {
            continue;
        }
        seen += 1;
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let mut said = said(&shipped, "", &text);
        said.retain(|_, of_others| *of_others);
        assert!(said.is_empty(), "{}: {said:?}", path.display());
    }
    assert!(seen > 8, "{seen}");
}

/// So that the tests above would see it.
#[test]
fn what_would_be_told_is_found() {
    let mut shipped = Shipped::read();
    let source = "
- name: a
  command: x {{ y }}
  delegate_to: '{{ asked.stdout }}'
  vars: {y: \"{% set z = [] %}{% for h in a %}{% set _ = z.append(hostvars[h].asked.stdout) %}{% endfor %}{{ z }}\"}
- name: b
  fetch: {src: /x, dest: \"x/{{ listed | map(attribute='asked.stdout') | first }}\"}
  delegate_to: w1
- name: c
  command: own {{ asked.stdout | quote }}
  register: asked
- name: d
  copy: {content: \"{{ {'a': {'b': words}} | to_json }}\", dest: /x}
  delegate_to: localhost
  vars: {words: \"{{ asked.stdout_lines }}\"}
- name: e
  template: {src: \"{{ groups['a'] | map('extract', hostvars) | selectattr('asked.stdout') | map(attribute='inventory_hostname') | list }}\"}
";
    let source = yaml::Source::file("made-up.yml", source.to_owned());
    let node = yaml::parse(&source).expect("it can be read").remove(0);
    shipped.files = BTreeMap::from([("made-up".to_owned(), node)]);
    shipped.define_all();
    assert_eq!(
        told(&shipped),
        [
            "made-up: a: command has asked.stdout",
            "made-up: a: delegate_to has asked.stdout",
            "made-up: b: fetch has asked.stdout",
            "made-up: d: copy has asked.stdout_lines",
        ]
    );
}

#[test]
fn every_word_of_a_command_is_quoted() {
    let shipped = Shipped::read();
    let mut bare = Vec::new();
    let mut seen = 0;
    for (file, node) in &shipped.files {
        for task in all_tasks(node) {
            for module in ["shell", "command", "script", "raw"] {
                let Some(value) = task.get(module) else {
                    continue;
                };
                let command = value
                    .as_mapping()
                    .and_then(|mapping| mapping.get("cmd"))
                    .unwrap_or(value);
                for expression in command.as_str().into_iter().flat_map(expressions) {
                    seen += 1;
                    if !is_quoted(&expression) {
                        bare.push(format!("{file}: {expression}"));
                    }
                }
            }
        }
    }
    assert!(seen > 60, "only {seen}");
    assert!(bare.is_empty(), "{bare:#?}");
}

fn is_quoted(expression: &str) -> bool {
    let is_text = |text: &str| text.len() > 1 && text.starts_with('\'') && text.ends_with('\'');
    // One of two texts, whatever decides.
    let of_two = expression
        .split_once(" if ")
        .and_then(|(one, rest)| Some((one, rest.split_once(" else ")?.1)));
    ["| quote", "| int", "| map('quote') | join(' ')"]
        .iter()
        .any(|end| expression.ends_with(end))
        || of_two.is_some_and(|(one, other)| is_text(one) && is_text(other))
        || PLAIN.iter().any(|(plain, _)| *plain == expression)
}
