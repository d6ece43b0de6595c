//! Modules that build and look after Kubernetes clusters with kubeadm and kubectl.
//!
//! The files named like a module (`kubeadm_init`, `wait_pods`, …) hold its arguments and its flow. The
//! others are what they share: [`probe`] asks a node and [`signs`] judges the answer; [`kubeadm`] runs
//! kubeadm; [`certificates`] reads X.509; [`forms`] knows names, addresses and tokens when it sees them; [`pruned`]
//! reads what the API says and [`shown`] reports it; [`defaults`] has what arguments of several modules are where
//! nobody gives them; [`versions`] is the table of what differs between kubeadm's versions.

mod certificate_info;
mod certificates;
mod defaults;
pub mod documents;
mod etcd;
mod etcd_member;
mod forms;
mod kube_apply;
mod kube_nodes;
mod kubeadm;
mod kubeadm_init;
mod kubeadm_join;
mod kubeadm_reset;
mod kubeadm_state;
mod kubeadm_token;
mod kubeconfig;
mod kubectl;
mod kubelet;
mod last_words;
mod manifest;
mod membership;
mod node_metadata;
mod node_wishes;
mod nodes;
mod objects;
mod pod_watch;
mod pods;
mod probe;
mod pruned;
mod revisions;
#[cfg(test)]
mod sample_pods;
mod selector;
mod shown;
mod signs;
mod validation;
pub mod versions;
mod wait_nodes;
mod wait_pods;
mod wanted_pods;
mod webhook;

use crate::module::modules;

modules! {
    /// The modules of this folder.
    certificate_info::CertificateInfoArgs,
    etcd_member::EtcdMemberArgs,
    kube_apply::KubeApplyArgs,
    kube_nodes::KubeNodesArgs,
    kubeadm_init::KubeadmInitArgs,
    kubeadm_join::KubeadmJoinArgs,
    kubeadm_reset::KubeadmResetArgs,
    kubeadm_state::KubeadmStateArgs,
    kubeadm_token::KubeadmTokenArgs,
    kubeconfig::KubeconfigArgs,
    node_metadata::NodeMetadataArgs,
    wait_nodes::WaitNodesArgs,
    wanted_pods::WaitPodsArgs,
}
