//! What playbooks mean: each case runs the real program on hosts with a local connection. The
//! rules are Ansible's; where one was observed on ansible-core, the case says so.

mod batches;
mod failures;
mod handlers;
mod includes;
mod output;
mod tasks;
mod variables;

use windlass_tests::program::{Place, Printed};

const THREE: &str = "[web]\nh1\nh2\nh3\n[all:vars]\nansible_connection=local\n";

/// Runs `playbook` on three hosts and gives what the Ansible format shows.
fn run(playbook: &str) -> Printed {
    run_with(playbook, &[])
}

fn run_with(playbook: &str, more: &[&str]) -> Printed {
    let usual = ["--output", "ansible", "-f", "1"];
    Place::new().play(THREE, playbook, &[&usual, more].concat())
}

/// The lines with results, without banners.
fn results(printed: &Printed) -> Vec<&str> {
    let starts = [
        "ok:",
        "changed:",
        "skipping:",
        "fatal:",
        "failed:",
        "...",
        "included:",
    ];
    printed
        .out
        .lines()
        .filter(|line| starts.iter().any(|start| line.starts_with(start)))
        .collect()
}

/// The recap line of a host, its counts without padding.
fn recap(printed: &Printed, host: &str) -> String {
    let line = printed
        .out
        .lines()
        .find(|line| line.starts_with(&format!("{host} ")) && line.contains(" : "));
    let line = line.unwrap_or_else(|| panic!("no recap of {host} in\n{}", printed.text()));
    let counts = line.split(" : ").nth(1).unwrap_or_default();
    counts.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The messages of `debug`, each with its host, in order.
fn messages(printed: &Printed) -> Vec<String> {
    let mut host = "";
    let mut found = Vec::new();
    for line in printed.out.lines() {
        if let Some(rest) = line.strip_prefix("ok: [") {
            host = rest.split(']').next().unwrap_or_default();
        }
        if let Some(message) = line.trim().strip_prefix("\"msg\": ") {
            found.push(format!("{host} {}", message.trim_matches('"')));
        }
    }
    found
}
