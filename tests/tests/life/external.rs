//! A cluster whose etcd has hosts of its own.

use windlass_tests::lab::unchanged;

use crate::life::{Hosts, Life, Scenario, lab};

const HOSTS: Hosts = Hosts {
    load_balancer: &["lb1"],
    etcd: &["etcd1", "etcd2", "etcd3"],
    control_plane: &["cp1", "cp2"],
    workers: &["w1"],
};

const SCENARIOS: &[Scenario] = &[("build", "external-etcd.yml, twice", build)];

fn build(life: &Life) {
    let _ = life.play("external-etcd.yml", &[]).well();
    unchanged(&life.play("external-etcd.yml", &[]).well(), life.count());
    life.whole();
}

#[test]
fn external() {
    let lab = lab("external", "172.27.0", "lb1 etcd1 etcd2 etcd3 cp1 cp2 w1");
    Life { lab, hosts: HOSTS }.live(SCENARIOS);
}
