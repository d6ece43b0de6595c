//! An image that cannot be pulled: the run says so, with the reason and the last events, long before its limit.

use std::time::{Duration, Instant};

use serde_json::json;
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

    let began = Instant::now();
    let run = life.play("stacked.yml", &["-e", &variables.to_string()]);
    // Far from the hour that it may wait, on the slowest of machines.
    assert!(
        began.elapsed() < Duration::from_secs(10 * 60),
        "{}",
        run.text
    );
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

    let _ = life
        .kubectl("delete daemonset -n kube-system wrong-image --wait")
        .well();
    // Mended, the same command ends with a whole cluster.
    let _ = life.play("stacked.yml", &[]).well();
    life.whole();
}
