//! `playbooks/rollout.yml` on two hundred hosts, one in ten of which does not take the change.

use std::collections::BTreeSet;

use windlass_tests::program::{Printed, root};

use crate::site::Site;

const HOSTS: usize = 200;

/// Notes that it was there; on every tenth host it fails until `repaired`.
const CHANGE: &str = "
- name: The change
  shell: |
    echo x >>{{ base }}/{{ inventory_hostname }}
    case {{ inventory_hostname }} in *0) {{ repaired | default('false') | lower }} ;; esac
";

/// Whether a host is healthy is not to depend on this machine's units.
const GATE: &str = "
- name: It answers
  command: test -s {{ base }}/{{ inventory_hostname }}
  changed_when: false
";

fn site(lost: &[usize]) -> Site {
    let names: Vec<String> = (1..=HOSTS)
        .map(|number| format!("node{number:03}"))
        .collect();
    let hosts: Vec<(&str, &str, &str)> = names
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let more = if lost.contains(&(place + 1)) {
                "ansible_port=1"
            } else {
                ""
            };
            (name.as_str(), "dash", more)
        })
        .collect();
    let site = Site::new(&hosts);
    site.place.write("change.yml", CHANGE);
    site.place.write("gate.yml", GATE);
    site
}

/// Runs the shipped playbook.
fn rollout(site: &Site, more: &[&str]) -> Printed {
    let mut command = site.place.command();
    command
        .env("XDG_RUNTIME_DIR", site.fleet.runtime_dir())
        .arg("run")
        .arg(root().join("playbooks/rollout.yml"))
        .args(["-i", "hosts.ini", "--output", "plain"])
        .args(["-e", "rollout_tasks=change.yml rollout_gate=gate.yml"])
        .arg("-e")
        .arg(format!(
            "rollout_left={}",
            site.base().join("left").display()
        ))
        .args(more);
    site.place.printed(&mut command)
}

/// How often the change was made on each host: `(hosts, times in all)`.
fn touched(site: &Site) -> (usize, usize) {
    let texts = std::fs::read_dir(site.base())
        .expect("the folder is there")
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("node"))
        .map(|entry| std::fs::read_to_string(entry.path()).expect("it is text"));
    texts.fold((0, 0), |(hosts, times), text| {
        (hosts + 1, times + text.lines().count())
    })
}

fn left(site: &Site) -> BTreeSet<String> {
    let text = std::fs::read_to_string(site.base().join("left")).expect("the list is written");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_rollout_stops_in_the_batch_that_fails_and_goes_on_with_those_that_are_left() {
    let site = site(&[]);
    let stopped = rollout(&site, &[]);
    assert_eq!(stopped.status, 2, "{}", stopped.text());
    // One host, then a tenth of them: in that batch the tenth and the twentieth host fail.
    assert_eq!(touched(&site), (21, 21), "{}", stopped.text());
    assert!(
        stopped.text().contains("2 of 20 hosts failed"),
        "{}",
        stopped.text()
    );
    let names = left(&site);
    assert_eq!(names.len(), HOSTS - 1, "{names:?}");
    assert!(!names.contains("node001"), "{names:?}");

    let list = format!("@{}", site.base().join("left").display());
    let went_on = rollout(&site, &["-l", &list, "-e", "repaired=true"]);
    assert_eq!(went_on.status, 0, "{}", went_on.text());
    // The twenty of the batch that was stopped have had it twice, the first host once.
    assert_eq!(touched(&site), (HOSTS, HOSTS + 20), "{}", went_on.text());
    assert_eq!(left(&site), BTreeSet::new());
}

#[test]
fn a_rollout_bears_as_many_failures_as_it_is_told_and_lists_them() {
    let site = site(&[]);
    // Of the last batch's 79 hosts 8 fail, which is a little more than a tenth.
    let borne = rollout(&site, &["-e", "rollout_max_fail=11"]);
    assert_eq!(borne.status, 2, "{}", borne.text());
    assert_eq!(touched(&site), (HOSTS, HOSTS), "{}", borne.text());
    let tenth: BTreeSet<String> = (1..=20).map(|number| format!("node{number:02}0")).collect();
    assert_eq!(left(&site), tenth);
}

#[test]
fn a_rollout_counts_lost_hosts_although_they_have_not_failed() {
    let site = site(&[5, 6]);
    let stopped = rollout(&site, &["-e", "repaired=true rollout_max_fail=5"]);
    assert_ne!(stopped.status, 0, "{}", stopped.text());
    assert_eq!(touched(&site), (19, 19), "{}", stopped.text());
    assert!(
        stopped.text().contains("node005, node006"),
        "{}",
        stopped.text()
    );
    assert_eq!(left(&site).len(), HOSTS - 19);
}
