//! `clean-node.sh`, which takes away what `kubeadm reset` leaves, with programs of the test's own.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use windlass_tests::program::root;

/// Runs it where this is the state of the unit `kubelet`; what it printed, and how crictl was called.
fn run(kubelet: &str, words: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder of our own");
    let calls = folder.path().join("calls");
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
        let tool = folder.path().join(name);
        std::fs::write(&tool, format!("#!/bin/sh\n{script}\n")).expect("it can be written");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&tool, mode).expect("it is ours");
    }
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let output = Command::new("sh")
        .arg(root().join("playbooks/files/clean-node.sh"))
        .args(["--no-cni", "--no-iptables"])
        .args(words)
        .env("PATH", path)
        .output()
        .expect("there is a shell");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("it is text");
    (printed, std::fs::read_to_string(calls).unwrap_or_default())
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
