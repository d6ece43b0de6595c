//! What needs nodes with nothing on them: what preflight.yml finds, kubeadm's own word on our configuration, and a first day with another
//! network and with tasks of the user's; and, at the end, a day on which no machine is left.

use crate::config_api::config_api;
use crate::endpoint_down::endpoint_down;
use crate::life::{Hosts, Life, Scenario, lab};
use crate::new_machines;
use crate::preflight::preflight;
use crate::second_cni::second_cni;

const HOSTS: Hosts = Hosts {
    load_balancer: &["lb1"],
    etcd: &[],
    control_plane: &["cp1"],
    workers: &["w1"],
};

const SCENARIOS: &[Scenario] = &[
    (
        "preflight",
        "preflight.yml names all planted faults at once and changes nothing",
        preflight,
    ),
    (
        "config_api",
        "kubeadm reads our v1beta1 and v1beta2 (config migrate, init --dry-run)",
        config_api,
    ),
    (
        "second_cni",
        "another network by variables alone, and tasks of the user's at all four points",
        second_cni,
    ),
    (
        "endpoint_down",
        "stacked.yml with the balancer down before and during init, then repaired",
        endpoint_down,
    ),
    // The last: its machines are not those of the others.
    (
        "new_machines",
        "all machines are lost; others take over from a backup, with its authorities",
        new_machines::stacked,
    ),
];

pub fn live() {
    let lab = lab("fresh", "172.29.0", "lb1 cp1 cp2 w1 w2");
    Life { lab, hosts: HOSTS }.live(SCENARIOS);
}
