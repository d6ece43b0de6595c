//! An image that cannot be pulled: the run says so, with the reason and the last events, long before its limit.

use serde_json::json;
use windlass_tests::lab::note;
use windlass_tests::program;

use crate::life::Life;

const MANIFEST: &str = "apiVersion: apps/v1
kind: DaemonSet
metadata: {name: wrong-image, namespace: kube-system}
spec:
  selector: {matchLabels: {app: wrong-image}}
  template:
    metadata: {labels: {app: wrong-image}}
    spec:
      hostNetwork: true
      tolerations: [{operator: Exists}]
      containers:
        - {name: main, image: 'registry.invalid/nothing:1'}
";

pub fn bad_image(life: &Life) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let manifest = folder.path().join("wrong-image.yaml");
    std::fs::write(&manifest, MANIFEST).expect("a file can be written there");
    let network = program::root().join("tests/lab/cni.yaml");
    let variables = json!({
        "cni_manifests": [network, manifest],
        "cni_wait": {"namespace": "kube-system", "daemonset": "wrong-image"},
        "wait_timeout": 3600,
    });

    let run = life.play("stacked.yml", &["-e", &variables.to_string()]);
    assert_eq!(run.status, 2, "{}", run.text);
    for word in [
        "Wait for the network on every node",
        "pod wrong-image-",
        // The reason, the image, and the events.
        "ImagePull",
        "registry.invalid/nothing:1",
        "Failed to pull image",
        "kubectl -n kube-system describe pod wrong-image-",
    ] {
        assert!(run.text.contains(word), "{word} is not in:\n{}", run.text);
    }

    // It may wait for an hour, and should see within a minute that it is of no use. A machine that has much to do takes
    // longer to find out that there is no such registry.
    let took = seconds_of(&run.text, "Wait for the network on every node");
    note(&format!(
        "{took} s until an image that cannot be pulled has ended the wait"
    ));
    assert!(took <= 100, "{}", run.text);

    let _ = life
        .kubectl("delete daemonset -n kube-system wrong-image --wait")
        .well();
    // Repaired, the same command ends with a complete cluster.
    let _ = life.play("stacked.yml", &[]).well();
    life.whole();
}

/// Another tag for the network that runs, and there is no such image: the old pods run on, and it is a failure all the same.
pub fn wrong_tag(life: &Life) {
    let shipped = program::root().join("tests/lab/cni.yaml");
    let text = std::fs::read_to_string(shipped).expect("the lab has a network");
    let wrong = text
        .replace(
            "docker.io/lab/cni:1",
            "registry.invalid/lab/cni:no-such-tag",
        )
        .replace("imagePullPolicy: Never", "imagePullPolicy: IfNotPresent");
    assert_ne!(wrong, text);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let manifest = folder.path().join("cni.yaml");
    std::fs::write(&manifest, wrong).expect("a file can be written there");
    let variables = json!({"cni_manifests": [manifest]}).to_string();
    let run = life.play(life.hosts.playbook(), &["-e", &variables]);
    assert_eq!(run.status, 2, "{}", run.text);
    for word in [
        "Wait for the network on every node",
        "pod lab-cni-",
        "ImagePull",
        "registry.invalid/lab/cni:no-such-tag",
    ] {
        assert!(run.text.contains(word), "{word} is not in:\n{}", run.text);
    }
    let _ = life.play(life.hosts.playbook(), &[]).well();
    life.whole();
}

/// How long a task took that failed, by its line: `36s` or `1m02s` at the end.
#[track_caller]
fn seconds_of(text: &str, task: &str) -> u64 {
    let line = text
        .lines()
        .find(|line| line.starts_with("failed") && line.contains(task))
        .unwrap_or_else(|| panic!("{task} has not failed:\n{text}"));
    let took = line.rsplit(' ').next().unwrap_or_default();
    let (minutes, seconds) = took
        .trim_end_matches('s')
        .split_once('m')
        .unwrap_or(("0", took.trim_end_matches('s')));
    let number = |digits: &str| {
        let whole = digits.split('.').next().unwrap_or_default();
        whole
            .parse::<u64>()
            .unwrap_or_else(|_| panic!("no time at the end of: {line}"))
    };
    number(minutes) * 60 + number(seconds)
}
