//! What the shipped playbooks wait for, and for how long: task files on this machine, with a stand-in for kubectl.

use windlass_tests::program::{Place, Printed, root};

const CLUSTER: &str = "[control_plane]\ncp1\n[all:vars]\nansible_connection=local\ncontrol_plane_endpoint=192.0.2.10:6443\n";

/// Tasks of a play on a first control plane that has no cluster yet, where kubectl is this script.
fn play(kubectl: &str, variables: &str, tasks: &str) -> Printed {
    let place = Place::new();
    place.program("bin/kubectl", kubectl);
    let shipped = root().join("playbooks").display().to_string();
    let play = format!(
        "- hosts: control_plane\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  tasks:\n    \
         - set_fact:\n        node_state: {{state: \"{{{{ now_it_is | default('absent') }}}}\", version: v1.34.4, node_name: cp1}}\n{tasks}"
    )
    .replace("PLAYBOOKS", &shipped);
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}/bin:{path}", place.path().display());
    let mut command = place.playing(CLUSTER, &play, &["-e", variables, "--output", "ansible"]);
    place.printed(command.env("PATH", path))
}

const ENDPOINT: &str = "    - import_tasks: PLAYBOOKS/tasks/endpoint.yml\n";

#[test]
fn an_endpoint_that_stays_silent_ends_the_run_and_the_message_says_what_to_do_if_it_is_meant_to() {
    for said in ["dial tcp: i/o timeout", "lookup api: no such host"] {
        let printed = play(
            &format!("echo 'Unable to connect: {said}' >&2; exit 1"),
            "endpoint_timeout=1",
            ENDPOINT,
        );
        let seen = printed.text();
        assert_eq!(printed.status, 2, "{seen}");
        assert!(seen.contains("set endpoint_late: true"), "{seen}");
    }
}

/// A cloud's balancer that swallows connections until a health check of its own was answered.
#[test]
fn a_balancer_that_is_silent_before_init_is_gone_on_with_where_the_user_says_so() {
    let printed = play(
        "echo 'Unable to connect: dial tcp: i/o timeout' >&2; exit 1",
        "endpoint_late=true",
        ENDPOINT,
    );
    let seen = printed.text();
    assert_eq!(printed.status, 0, "{seen}");
    assert!(
        seen.contains("does not answer yet: Unable to connect"),
        "{seen}"
    );
    // A name that nobody knows is no balancer that is late: kubelets would not find it either.
    let printed = play(
        "echo 'dial tcp: lookup api: no such host' >&2; exit 1",
        "endpoint_late=true",
        ENDPOINT,
    );
    assert_eq!(printed.status, 2, "{}", printed.text());
}

#[test]
fn an_endpoint_that_is_there_a_moment_later_is_waited_for() {
    let printed = play(
        "if [ -e HERE/asked ]; then echo refused >&2; exit 1; fi; touch HERE/asked; echo 'i/o timeout' >&2; exit 1",
        "{}",
        ENDPOINT,
    );
    assert_eq!(printed.status, 0, "{}", printed.text());
}

/// The last tasks of wait.yml.
fn dns() -> String {
    let path = root().join("playbooks/tasks/wait.yml");
    let text = std::fs::read_to_string(path).expect("it is shipped");
    let (_, tasks) = text
        .split_once("DNS was switched\n")
        .expect("the tasks are there");
    let (_, tasks) = tasks.split_once("\n- ").expect("tasks follow");
    let tasks = format!("- {tasks}");
    let lines = tasks.lines().map(|line| format!("    {line}"));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn dns_that_was_switched_off_is_not_waited_for() {
    let variables = r#"{"cni_manifests": ["net.yml"], "wait_timeout": 1, "now_it_is": "joined"}"#;
    let printed = play("exit 0", variables, &dns());
    assert_eq!(printed.status, 0, "{}", printed.text());
    // Where it is there, it is.
    let printed = play(
        "case \"$*\" in *--output=name*) echo deployment.apps/coredns ;; *) echo '{\"items\": []}' ;; esac",
        variables,
        &dns(),
    );
    let seen = printed.text();
    assert_eq!(printed.status, 2, "{seen}");
    assert!(seen.contains("\"item\": \"coredns\""), "{seen}");
}
