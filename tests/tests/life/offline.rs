//! `offline: true`: what is missing is named for its host, before anything is changed.

use serde_json::json;
use windlass_tests::lab::{recap, unchanged};

use crate::life::Life;

pub fn offline(life: &Life) {
    // With everything there, it is no hindrance.
    unchanged(
        &life.play("stacked.yml", &["-e", "offline=true"]).well(),
        life.count(),
    );

    let worker = life.hosts.workers[0];
    let images = life.lab.on(worker, "ctr -n k8s.io images ls -q").well();
    let image = images
        .lines()
        .find(|image| image.contains("/coredns:"))
        .expect("a node has the image of CoreDNS");
    let keep = format!("ctr -n k8s.io images tag {image} docker.io/lab/kept:1");
    let remove =
        format!("ctr -n k8s.io images rm {image} && mv /usr/bin/socat /usr/bin/socat.away");
    let _ = life.lab.on(worker, &format!("{keep} && {remove}")).well();
    let manifest = json!({"url": "https://network.invalid/net.yaml", "checksum": format!("sha256:{}", "0".repeat(64))});
    let run = life.play(
        "stacked.yml",
        &[
            "-e",
            "offline=true",
            "-e",
            &json!({"cni_manifests": [manifest]}).to_string(),
        ],
    );
    let restore = format!(
        "ctr -n k8s.io images tag docker.io/lab/kept:1 {image} && ctr -n k8s.io images rm docker.io/lab/kept:1 && \
         mv /usr/bin/socat.away /usr/bin/socat"
    );
    let _ = life.lab.on(worker, &restore).well();

    assert_eq!(run.status, 2, "{}", run.text);
    for line in [
        "the control host: https://network.invalid/net.yaml, a manifest of the network".to_owned(),
        format!("{worker}: image {image}\n"),
        format!("{worker}: program socat\n"),
    ] {
        assert!(run.text.contains(&line), "{line} is not in:\n{}", run.text);
    }
    for other in [life.hosts.control_plane, &life.hosts.workers[1..]].concat() {
        assert!(
            !run.text.contains(&format!("{other}: image")),
            "{}",
            run.text
        );
    }
    assert!(
        recap(&run.text)
            .iter()
            .all(|line| line.contains("changed=0 ")),
        "{}",
        run.text
    );
    unchanged(
        &life.play("stacked.yml", &["-e", "offline=true"]).well(),
        life.count(),
    );
}
