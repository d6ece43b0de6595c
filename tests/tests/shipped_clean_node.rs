//! `clean-node.sh`, which takes away what `kubeadm reset` leaves, with programs of the test's own.

use std::process::Command;

use windlass_tests::program::{Place, root};

/// Runs it where this is the state of the unit `kubelet`; what it printed, and how crictl was called.
fn run(kubelet: &str, words: &[&str]) -> (String, String) {
    let place = Place::new();
    let calls = place.at("calls");
    let tools = [
        (
            "systemctl",
            format!("echo {kubelet}; [ {kubelet} = active ]"),
        ),
        (
            "crictl",
            format!(
                "echo \"$*\" >>{}; case $* in *'pods --quiet') echo aaa; echo bbb ;; esac",
                calls.display()
            ),
        ),
    ];
    for (name, script) in tools {
        place.program(name, &script);
    }
    let path = format!("{}:/usr/bin:/bin", place.path().display());
    let output = Command::new("sh")
        .arg(root().join("playbooks/files/clean-node.sh"))
        .args(["--no-cni", "--no-iptables"])
        .args(words)
        .env("PATH", path)
        .output()
        .expect("there is a shell");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("it is text");
    (printed, place.read("calls"))
}

#[test]
fn pods_that_are_left_are_ended_and_named() {
    let (printed, calls) = run("inactive", &["--cri", "unix:///run/x.sock"]);
    assert_eq!(printed, "pod aaa\npod bbb\n");
    let to = "--runtime-endpoint unix:///run/x.sock";
    let expected = [
        "pods --quiet",
        "stopp aaa",
        "rmp aaa",
        "stopp bbb",
        "rmp bbb",
    ];
    let expected: Vec<String> = expected
        .iter()
        .map(|call| format!("{to} {call}\n"))
        .collect();
    assert_eq!(calls, expected.concat());
}

#[test]
fn a_check_only_names_them_and_a_kubelet_that_runs_keeps_its_own() {
    let (printed, calls) = run("inactive", &["--check"]);
    assert_eq!(printed, "pod aaa\npod bbb\n");
    assert_eq!(calls, "pods --quiet\n");
    for state in ["active", "activating", "unknown"] {
        assert_eq!(run(state, &[]), (String::new(), String::new()), "{state}");
    }
}
