//! A cluster with etcd on its control planes, from its first day to its last.

use windlass_tests::lab::unchanged;

use crate::life::{Hosts, Life, Scenario, lab};

const HOSTS: Hosts = Hosts {
    load_balancer: &["lb1"],
    etcd: &[],
    control_plane: &["cp1", "cp2", "cp3"],
    workers: &["w1", "w2"],
};

/// What is built on the first day; add-nodes brings the rest.
pub const FIRST_DAY: Hosts = Hosts {
    control_plane: &["cp1", "cp2"],
    workers: &["w1"],
    ..HOSTS
};

const SCENARIOS: &[Scenario] = &[("build", "stacked.yml, twice", build)];

fn build(life: &Life) {
    let _ = life.play_on(&FIRST_DAY, "stacked.yml", &[]).well();
    unchanged(&life.play_on(&FIRST_DAY, "stacked.yml", &[]).well(), 4);
}

#[test]
fn stacked() {
    let lab = lab("stacked", "172.28.0", "lb1 lb2 cp1 cp2 cp3 w1 w2");
    Life { lab, hosts: HOSTS }.live(SCENARIOS);
}
