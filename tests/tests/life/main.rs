//! The whole life of a cluster, in the lab: one long test with etcd on the control planes, one with etcd
//! on hosts of its own, one with what needs fresh nodes. Each is a row of scenarios that take turns on one cluster, since building one for
//! each would take hours; a scenario finds a whole cluster, and leaves one. `make test-cluster` runs them.
//!
//! To work on one scenario, keep a lab up and name both:
//!
//!     WINDLASS_LIFE_LAB=mine:172.29.0 WINDLASS_LIFE=upgrade,rollout \
//!         cargo test -p windlass-tests --features cluster --test life stacked -- --nocapture
#![cfg(feature = "cluster")]

mod add_nodes;
mod backup_restore;
mod bad_image;
mod certificates;
mod cluster_status;
mod config_api;
mod encrypt_secrets;
mod endpoint_down;
mod etcd_disk_full;
mod external;
mod fresh;
mod join_faults;
mod keepalived;
mod life;
mod new_machines;
mod node_metadata;
mod offline;
mod preflight;
mod reconfigure;
mod remove_node;
mod replace_etcd_member;
mod replace_node;
mod reset;
mod rollout;
mod second_cni;
mod stacked;
mod today;
mod today_life;
mod upgrade;

// They begin in the order of their names, two at a time: the longest should begin first.

#[test]
fn all_days_stacked() {
    stacked::live();
}

#[test]
fn external() {
    external::live();
}

#[test]
fn fresh() {
    fresh::live();
}

// `make test-versions`: the others leave these out.

#[test]
#[ignore = "today's versions of Kubernetes: make test-versions"]
fn today_bare_binaries() {
    today::binaries();
}

#[test]
#[ignore = "today's versions of Kubernetes: make test-versions"]
fn today_bare_packages() {
    today::packages();
}

#[test]
#[ignore = "today's versions of Kubernetes: make test-versions"]
fn today_external() {
    today::external();
}

#[test]
#[ignore = "today's versions of Kubernetes: make test-versions"]
fn today_life() {
    today_life::live();
}

#[test]
#[ignore = "today's versions of Kubernetes: make test-versions"]
fn today_stacked() {
    today::stacked();
}
