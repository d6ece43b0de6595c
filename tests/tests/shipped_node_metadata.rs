//! Labels, annotations and taints as the inventory says: `tasks/node-metadata.yml` on hosts of connection=local with a
//! kubectl that stands in, and what `validate.yml` finds wrong with them.

use windlass_tests::program::{Place, Printed, root};

const INVENTORY: &str = "[control_plane]\ncp1\n[workers]\nw1\nw2\n[all:vars]\nansible_connection=local\n\
                         control_plane_endpoint=192.0.2.10:6443\n";

/// The Nodes as they are, but for w1, which has the label already.
const KUBECTL: &str = r#"
echo "$*" >>HERE/log
case "$*" in
  *'get nodes'*)
    labels='{}'
    [ ! -e HERE/done ] || labels='{"disk": "ssd"}'
    for name in cp1 w1 w2; do
      printf '%s{"metadata": {"name": "%s", "uid": "%s", "labels": %s}}' "$comma" $name $name "$labels"
      labels={} comma=,
    done | sed 's/^/{"items": [/; s/$/]}/' ;;
  *'get configmap'*) if [ -e HERE/done ]; then echo '{"data": {"cp1": "{\"uid\": \"cp1\", \"labels\": [\"disk\"]}"}}'; fi ;;
  *'patch node'*) touch HERE/done ;;
esac
"#;

const PLAY: &str = r"
- hosts: all
  gather_facts: false
  vars_files: [PLAYBOOKS/vars/cluster.yml]
  tasks:
    - set_fact:
        node_state: {state: joined, node_name: '{{ inventory_hostname }}', version: v1.34.4}
- hosts: control_plane[0]
  gather_facts: false
  vars_files: [PLAYBOOKS/vars/cluster.yml]
  module_defaults:
    node_metadata: {kubectl: HERE/kubectl, kubeconfig: HERE/kubectl}
  tasks:
    - import_tasks: PLAYBOOKS/tasks/node-metadata.yml
";

fn play(place: &Place, text: &str, more: &[&str]) -> Printed {
    let here = place.path().display().to_string();
    let text = text
        .replace("PLAYBOOKS", &root().join("playbooks").display().to_string())
        .replace("HERE", &here);
    place.program("kubectl", KUBECTL);
    place.play(INVENTORY, &text, more)
}

fn log(place: &Place) -> String {
    place.read("log")
}

#[test]
fn what_hosts_and_groups_say_is_set_and_a_second_run_changes_nothing() {
    let place = Place::new();
    place.write(
        "host_vars/cp1.yml",
        "node_labels: {disk: '{{ kind }}'}\nkind: ssd\n",
    );
    let checked = play(&place, PLAY, &["-C"]);
    assert_eq!(checked.status, 0, "{}", checked.text());
    assert!(checked.out.contains("changed=1"), "{}", checked.text());
    assert!(!log(&place).contains("patch"), "{}", log(&place));

    let first = play(&place, PLAY, &[]);
    assert_eq!(first.status, 0, "{}", first.text());
    assert!(first.out.contains("changed=1"), "{}", first.text());
    let said = log(&place);
    assert!(
        said.contains(
            r#"patch node cp1 --type=merge --patch {"metadata":{"labels":{"disk":"ssd"}}}"#
        ),
        "{said}"
    );
    assert!(!said.contains("patch node w"), "{said}");

    for more in [&[][..], &["-C"]] {
        let second = play(&place, PLAY, more);
        assert_eq!(second.status, 0, "{}", second.text());
        assert!(!second.out.contains("changed=1"), "{}", second.text());
    }
    // It left the inventory.
    place.write("host_vars/cp1.yml", "{}");
    let last = play(&place, PLAY, &[]);
    assert!(last.out.contains("changed=1"), "{}", last.text());
    assert!(
        log(&place).contains(r#"--patch {"metadata":{"labels":{"disk":null}}}"#),
        "{}",
        log(&place)
    );
}

#[test]
fn what_is_no_label_or_taint_is_said_before_anything_is_done() {
    for (name, value, said) in [
        (
            "node_labels",
            "{version: 1.30}",
            "node_labels has the item 1.3",
        ),
        ("node_labels", "[a]", "node_labels is a list"),
        (
            "node_annotations",
            "{a: true}",
            "node_annotations has the item true",
        ),
        (
            "node_taints",
            "a:NoSchedule",
            "node_taints is \"a:NoSchedule\"",
        ),
        (
            "node_taints",
            "['a:NoShedule']",
            "node_taints has the item \"a:NoShedule\"",
        ),
        // Of the right kind, and still none.
        (
            "node_labels",
            "{a b: c}",
            "labels of w1: `a b` is not a valid key",
        ),
        (
            "node_taints",
            "[{key: a, efect: NoSchedule}]",
            "`efect` is not one of",
        ),
    ] {
        let place = Place::new();
        place.write("host_vars/w1.yml", &format!("{name}: {value}\n"));
        let text = "- hosts: all\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  \
                    tasks:\n    - import_tasks: PLAYBOOKS/tasks/validate.yml\n";
        let printed = play(&place, text, &[]);
        let seen = printed.text();
        assert_ne!(printed.status, 0, "{seen}");
        let words = seen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(said), "{said}\n{seen}");
    }
}
