//! Modules that build and look after Kubernetes clusters with kubeadm and kubectl.
//!
//! The files named like a module (`kubeadm_init`, `wait_pods`, …) hold its arguments and its flow. The
//! others are what they share: [`probe`] asks a node and [`signs`] judges the answer; [`kubeadm`] runs
//! kubeadm; [`certificates`] reads X.509; [`forms`] knows names, addresses and tokens when it sees them; [`pruned`]
//! reads what the API says and [`shown`] tells of it; [`versions`] is the table of what differs between
//! kubeadm's versions.

mod certificate_info;
mod certificates;
pub mod documents;
mod etcd;
mod etcd_member;
mod forms;
mod kube_apply;
mod kubeadm;
mod kubeadm_init;
mod kubeadm_join;
mod kubeadm_reset;
mod kubeadm_state;
mod kubeadm_token;
mod kubeconfig;
mod kubectl;
mod kubelet;
mod membership;
mod nodes;
mod objects;
mod pod_watch;
mod pods;
mod probe;
mod pruned;
mod selector;
mod shown;
mod signs;
pub mod versions;
mod wait_nodes;
mod wait_pods;
mod wanted_pods;

use crate::module::{Module, Of};

/// The modules of this folder.
pub const MODULES: &[&dyn Module] = &[
    &Of::<certificate_info::CertificateInfo>::new(),
    &Of::<etcd_member::EtcdMember>::new(),
    &Of::<kube_apply::KubeApply>::new(),
    &Of::<kubeadm_init::KubeadmInit>::new(),
    &Of::<kubeadm_join::KubeadmJoin>::new(),
    &Of::<kubeadm_reset::KubeadmReset>::new(),
    &Of::<kubeadm_state::KubeadmState>::new(),
    &Of::<kubeadm_token::KubeadmToken>::new(),
    &Of::<kubeconfig::Kubeconfig>::new(),
    &Of::<wait_nodes::WaitNodes>::new(),
    &Of::<wanted_pods::WaitPods>::new(),
];
