//! `kubeadm_reset`: takes back what kubeadm did on a node.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::{Flag, Number, Text};
use crate::describe::{CheckMode, Return};
use crate::kube::defaults::one_minute;
use crate::kube::kubeadm;
use crate::kube::membership::{self, Act};
use crate::kube::probe::Question;
use crate::kube::signs::{NodeState, Role};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Resets a half initialised or half joined node with `kubeadm reset`, which also takes its etcd member
/// out of the cluster where it can.
///
/// An *absent* node is left alone. A node that works, or that looks like a good node which merely does
/// not answer, makes the task fail, unless `force: true`.
///
/// `kubeadm reset` leaves `/etc/cni/net.d`, iptables rules and `~/.kube` as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeadmResetArgs {
    /// Whether the node is to be a control plane, and not a worker.
    #[serde(default = "Flag::no")]
    pub control_plane: Flag,
    /// Whether etcd runs elsewhere, so that a control plane has none.
    #[serde(default = "Flag::no")]
    pub external_etcd: Flag,
    /// The name of the Node, if it is not the host name.
    pub node_name: Option<Text>,
    /// Resets a node that works as well.
    #[serde(default = "Flag::no")]
    pub force: Flag,
    /// The socket of the container runtime, on a node with more than one.
    pub cri_socket: Option<Text>,
    /// Seconds that a node which has all of its files may take to answer before it is called half.
    #[serde(default = "one_minute")]
    pub settle: Number<u64>,
}

impl Arguments for KubeadmResetArgs {
    const NAME: &'static str = "kubeadm_reset";
    const NEEDS: &'static [&'static str] = membership::NEEDS;
    const RETURNS: &'static [Return] = membership::RETURNS;
    const CHECK_MODE: CheckMode =
        CheckMode::Does("It looks at the node, and says what it would run.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Clean up after a join that broke off\n  kubeadm_reset:\n    control_plane: true\n  become: true\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let role = if *self.control_plane {
            Role::ControlPlane {
                external_etcd: *self.external_etcd,
            }
        } else {
            Role::Worker
        };
        let places = membership::places();
        let probed = Question {
            role,
            node_name: self.node_name.as_deref(),
            settle: if *self.force {
                Duration::ZERO
            } else {
                self.settle.seconds()
            },
            places: &places,
        }
        .ask(context)
        .await?;
        match probed.finding.state {
            NodeState::Absent => return Ok(membership::describe(Outcome::ok(), &probed)),
            NodeState::Joined if !*self.force => {
                return Err(Failure::new("the node is in its cluster, and works")
                    .hint("`force: true` resets it all the same"));
            }
            NodeState::Half if !*self.force => {
                membership::may_reset(Act::Either, true, &probed.finding)?;
            }
            NodeState::Half | NodeState::Joined => {}
        }
        let outcome = membership::describe(Outcome::changed(true), &probed).with("reset", true);
        if context.check {
            return Ok(outcome.message("would run `kubeadm reset`"));
        }
        let output = kubeadm::reset(context, &places, self.cri_socket.as_deref()).await?;
        Ok(outcome.with("stdout", output))
    }
}
