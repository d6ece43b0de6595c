//! `upgrade.yml` from 1.20.2 to 1.20.3: refused where it would skip a version, interrupted by a node that is
//! rebooted in the middle of its upgrade, and taken up by the next run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use windlass_tests::lab::{Ended, eventually, recap, unchanged};
use windlass_tests::program;

use crate::life::Life;

const OLD: &str = "v1.20.2";
const NEW: &str = "v1.20.3";

/// Two pods of an image that every node has.
const WORKLOAD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: upgraded-under, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: upgraded-under}}
  template:
    metadata: {labels: {app: upgraded-under}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: pause, image: 'k8s.gcr.io/pause:3.2', imagePullPolicy: Never}]
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: upgraded-under, namespace: default}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: upgraded-under}}
";

/// Brings the programs as the lab does, and then gives the test time to pull the plug of w1.
const SLOW: &str = "
- name: The lab's way
  include_tasks: LAB
- name: Take long
  command: sleep 120
  when: inventory_hostname == 'w1' and 'kubelet' in upgrade_components
";

pub fn upgrade(life: &Life) {
    let lab_tasks = program::root().join("tests/lab/upgrade-packages.yml");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let slow = folder.path().join("slow.yml");
    let text = SLOW.replace("LAB", &lab_tasks.display().to_string());
    std::fs::write(&slow, text).expect("files can be written there");
    let with = |tasks: &PathBuf, version: &str| {
        [
            format!("kubernetes_version={version}"),
            format!("upgrade_packages={}", tasks.display()),
            format!("etcd_backup_dest={}", folder.path().display()),
        ]
        .join(" ")
    };

    let refused = life.play("upgrade.yml", &["-e", &with(&lab_tasks, "1.22.0")]);
    refuses_to_skip(life, &refused);
    let words = format!("{} offline=true", with(&lab_tasks, "1.20.4"));
    let refused = life.play("upgrade.yml", &["-e", &words]);
    assert_eq!(refused.status, 2, "{}", refused.text);
    assert!(
        refused.text.contains("/kube-apiserver:v1.20.4") && refused.text.contains("w1: image "),
        "{}",
        refused.text
    );

    let words = with(&lab_tasks, NEW);
    let _ = life.play("upgrade.yml", &["-C", "-e", &words]).well();
    let versions = nodes(life);
    assert!(
        versions.values().all(|(version, _)| version == OLD),
        "check mode changed something: {versions:?}"
    );

    life.apply(WORKLOAD);
    eventually(Duration::from_secs(60), "two pods of the workload", || {
        available(life) == "2"
    });
    let stopped = rebooted_in_the_middle(life, &["-e", &with(&slow, NEW)]);
    stopped_whole(life, &stopped);
    let snapshots = std::fs::read_dir(folder.path())
        .expect("the folder is there")
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("snapshot.db").exists());
    assert_eq!(snapshots.count(), 1, "{}", stopped.text);

    let went_on = life
        .play("upgrade.yml", &["-e", &with(&lab_tasks, NEW)])
        .well();
    for line in recap(&went_on) {
        let control_plane = life
            .hosts
            .control_plane
            .iter()
            .any(|host| line.starts_with(host));
        // The first one takes the snapshot.
        if control_plane && !line.starts_with(life.hosts.control_plane[0]) {
            assert!(line.contains("changed=0 "), "{line}\n{went_on}");
        }
    }
    life.whole();
    all_upgraded(life);
    assert_eq!(
        available(life),
        "2",
        "{}",
        life.kubectl("get pods -o wide").text
    );

    let again = life
        .play("upgrade.yml", &["-e", &with(&lab_tasks, NEW)])
        .well();
    unchanged(
        &again,
        life.hosts.control_plane.len() + life.hosts.workers.len(),
    );
    let _ = life
        .kubectl("delete deployment,poddisruptionbudget upgraded-under")
        .well();
}

fn available(life: &Life) -> String {
    life.kubectl("get deployment upgraded-under -o jsonpath={.status.availableReplicas}")
        .text
}

/// Each node's kubelet version, and whether it may be given no pods.
fn nodes(life: &Life) -> BTreeMap<String, (String, bool)> {
    let listed = life
        .kubectl(
            "get nodes -o 'jsonpath={range .items[*]}{.metadata.name} {.status.nodeInfo.kubeletVersion} {.spec.unschedulable}{\"\\n\"}{end}'",
        )
        .well();
    let words = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some((words.next()?, (words.next()?, words.next().is_some())))
    };
    listed.lines().filter_map(words).collect()
}

/// The images of all static pods of the control planes.
fn static_images(life: &Life) -> Vec<String> {
    let listed = life
        .kubectl(
            "get pods -n kube-system -l tier=control-plane -o 'jsonpath={range .items[*]}{.spec.containers[0].image}{\"\\n\"}{end}'",
        )
        .well();
    listed
        .lines()
        .filter(|image| !image.contains("/etcd:"))
        .map(str::to_owned)
        .collect()
}

fn refuses_to_skip(life: &Life, refused: &Ended) {
    assert_eq!(refused.status, 2, "{}", refused.text);
    assert!(
        refused
            .text
            .contains("Allowed next: a later v1.20.x, or v1.21.x"),
        "{}",
        refused.text
    );
    for line in recap(&refused.text) {
        assert!(line.contains("changed=0 "), "{line}\n{}", refused.text);
    }
    let nodes = nodes(life);
    assert!(
        nodes.values().all(|node| *node == (OLD.to_owned(), false)),
        "{nodes:?}"
    );
}

/// Starts the upgrade, and pulls the plug of w1 when its new kubelet is there and does not run yet.
fn rebooted_in_the_middle(life: &Life, words: &[&str]) -> Ended {
    let inventory = life.inventory("hosts", &life.hosts);
    let words: Vec<&str> = std::iter::once("playbooks/upgrade.yml")
        .chain(words.iter().copied())
        .collect();
    let run = life
        .lab
        .windlass_command(&inventory, &words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("windlass was built and can be started");
    // Ended elsewhere, because its output has to be read while it runs.
    let run = std::thread::spawn(move || run.wait_with_output().expect("it can be awaited"));
    eventually(Duration::from_secs(1200), "w1 is being upgraded", || {
        let link = life.lab.on("w1", "readlink /usr/bin/kubelet").text;
        link.contains(NEW) || run.is_finished()
    });
    if run.is_finished() {
        let output = run.join().expect("the thread does not panic");
        panic!("it ended too early:\n{}", Ended::of(&output).text);
    }
    // The link is replaced some moments before the long task begins.
    eventually(Duration::from_secs(60), "the long task runs", || {
        life.lab.on("w1", "pgrep -f '^sleep 120'").status == 0
    });
    life.lab.node("kill", "w1");
    life.lab.node("start", "w1");
    let output = run.join().expect("the thread does not panic");
    Ended::of(&output)
}

/// The run says which node it lost; what was done works, and what was not its turn is as it was.
fn stopped_whole(life: &Life, stopped: &Ended) {
    assert_eq!(stopped.status, 4, "{}", stopped.text);
    let lost = recap(&stopped.text)
        .into_iter()
        .find(|line| line.starts_with("w1"))
        .unwrap_or_default();
    assert!(lost.contains("unreachable=1"), "{}", stopped.text);
    let nodes = nodes(life);
    for host in life.hosts.control_plane {
        assert_eq!(nodes[*host], (NEW.to_owned(), false), "{nodes:?}");
    }
    assert!(nodes["w1"].1, "w1 stays cordoned: {nodes:?}");
    assert_eq!(nodes["w2"], (OLD.to_owned(), false), "{nodes:?}");
    assert_eq!(
        available(life),
        "2",
        "{}",
        life.kubectl("get pods -o wide").text
    );
}

fn all_upgraded(life: &Life) {
    let nodes = nodes(life);
    let all = life.hosts.control_plane.len() + life.hosts.workers.len();
    assert_eq!(nodes.len(), all, "{nodes:?}");
    assert!(
        nodes.values().all(|node| *node == (NEW.to_owned(), false)),
        "{nodes:?}"
    );
    let images = static_images(life);
    assert_eq!(
        images.len(),
        3 * life.hosts.control_plane.len(),
        "{images:?}"
    );
    assert!(
        images.iter().all(|image| image.ends_with(NEW)),
        "{images:?}"
    );
    let marked = life
        .kubectl("get nodes -o \"jsonpath={.items[*].metadata.annotations['windlass/cordoned']}\"")
        .well();
    assert_eq!(marked.trim(), "", "no node is marked as cordoned by us");
}
