//! `kubeadm_state`: what a node shows of having been initialised or joined.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::{Flag, Number, Text};
use crate::describe::{CheckMode, Return};
use crate::kube::defaults::one_minute;
use crate::kube::membership::{self, Act};
use crate::kube::probe::Question;
use crate::kube::signs::{NodeState, Role};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Finds out whether a node is in its cluster, and changes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeadmStateArgs {
    /// Whether the node is to be a control plane, and not a worker.
    #[serde(default = "Flag::no")]
    pub control_plane: Flag,
    /// Whether etcd runs elsewhere, so that a control plane has none.
    #[serde(default = "Flag::no")]
    pub external_etcd: Flag,
    /// The name of the Node, if it is not the host name.
    pub node_name: Option<Text>,
    /// Seconds that a node which has all of its files may take to answer before it is called half:
    /// it may just have been started.
    #[serde(default = "one_minute")]
    pub settle: Number<u64>,
}

impl Arguments for KubeadmStateArgs {
    const NAME: &'static str = "kubeadm_state";
    const NEEDS: &'static [&'static str] = membership::NEEDS;
    const RETURNS: &'static [Return] = &[
        Return::text("state", "`absent`, `joined` or `half`"),
        Return::list("found", "what the node showed"),
        Return::list("missing", "what it lacked"),
        Return::text("node_name", "the name of the Node"),
        Return::text("version", "the version of kubeadm: `v1.33.1`"),
        Return::bool("reset", "`false`"),
        Return::text("summary", "a sentence, for a half node"),
        Return::bool(
            "repairable",
            "whether `repair: true` of `kubeadm_init`, `kubeadm_join` or `kubeadm_reset` would reset it",
        ),
        Return::any("keep", "why it would not be reset, if so"),
        Return::text(
            "config_api",
            "the version of the configuration API to write for it",
        ),
        Return::list("config_apis", "all versions that it reads"),
        Return::text("peer_url", "where other members reach its etcd member"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: See which nodes are in the cluster\n  kubeadm_state:\n    control_plane: true\n  become: true\n  register: node\n\n- name: Say so\n  debug:\n    msg: \"{{ inventory_hostname }} is {{ node.state }}\"\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let role = if *self.control_plane {
            Role::ControlPlane {
                external_etcd: *self.external_etcd,
            }
        } else {
            Role::Worker
        };
        let probed = Question {
            role,
            node_name: self.node_name.as_deref(),
            settle: self.settle.seconds(),
            places: &membership::places(),
        }
        .ask(context)
        .await?;
        let finding = &probed.finding;
        let half = finding.state == NodeState::Half;
        let summary = if half {
            membership::summary(Act::Either, finding)
        } else {
            format!("the node is {}", finding.state.name())
        };
        Ok(membership::describe(Outcome::ok(), &probed)
            .with("summary", summary)
            .with("repairable", half && finding.keep.is_none())
            .with("keep", finding.keep.clone().unwrap_or_default())
            .with("config_api", probed.version.config_api())
            .with("config_apis", probed.version.config_apis().to_vec())
            .with("peer_url", probed.peer_url.clone().unwrap_or_default()))
    }
}
