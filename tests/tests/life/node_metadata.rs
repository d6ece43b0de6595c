//! `node_labels`, `node_annotations` and `node_taints` of the inventory: what somebody changed by hand is shown, and put right by the
//! playbook that built the cluster; what is others' stays.

use std::fs;

use windlass_tests::lab::unchanged;

use crate::life::Life;

const WISHES: &str = "
node_labels: {rack: r1, disk: ssd}
node_annotations: {windlass.example/owner: storage}
node_taints: ['dedicated=db:PreferNoSchedule']
";

/// Asks for these three, and for a label that is nobody's of the inventory.
const ASK: &str = r#"-o 'jsonpath={.metadata.labels.rack} {.metadata.labels.disk} {.metadata.labels.mine} {.metadata.annotations.windlass\.example/owner} {.spec.taints[?(@.key=="dedicated")].value}'"#;

pub fn put_right(life: &Life) {
    let worker = life.hosts.workers[0];
    let inventory = life.inventory("hosts", &life.hosts);
    let folder = inventory.with_file_name("host_vars");
    fs::create_dir_all(&folder).expect("folders can be made beside an inventory");
    fs::write(folder.join(format!("{worker}.yml")), WISHES).expect("files can be written there");
    let is = || {
        life.kubectl(&format!("get node {worker} {ASK}"))
            .well()
            .trim()
            .to_owned()
    };
    let build = || life.play(life.hosts.playbook(), &[]).well();

    let _ = build();
    assert_eq!(is(), "r1 ssd  storage db");
    for by_hand in [
        format!("label node {worker} rack=elsewhere disk- mine=stays --overwrite"),
        format!("annotate node {worker} windlass.example/owner=nobody --overwrite"),
        format!("taint node {worker} dedicated-"),
    ] {
        let _ = life.kubectl(&by_hand).well();
    }
    assert_eq!(is(), "elsewhere  stays nobody");

    let shown = life.play("cluster-status.yml", &[]).well();
    for drift in [
        "label rack=r1 (was elsewhere)",
        "label disk=ssd",
        "annotation windlass.example/owner=storage (was nobody)",
        "taint dedicated=db:PreferNoSchedule",
    ] {
        let said = format!("not as the inventory says, stacked.yml would change: {drift}");
        assert!(shown.contains(&said), "{said}\n{shown}");
    }
    let _ = build();
    assert_eq!(is(), "r1 ssd stays storage db");
    unchanged(&build(), life.count());

    // What the inventory does not say any more goes, and nothing else.
    fs::remove_dir_all(&folder).expect("it was made above");
    let _ = build();
    assert_eq!(is(), "stays");
    let _ = life.kubectl(&format!("label node {worker} mine-")).well();
    unchanged(&build(), life.count());
}
