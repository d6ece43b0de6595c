//! What `kubeadm_init` and `kubeadm_join` have in common: find the state, and go on from there.

use serde_json::Value;

use crate::kube::kubeadm::{self, Command};
use crate::kube::probe::{Places, Probed, Question};
use crate::kube::signs::{Finding, State};
use crate::module::Context;
use crate::outcome::{Failure, Outcome};

/// What these modules need on the node.
pub const NEEDS: &[&str] = &[
    "kubeadm",
    "kubelet",
    "kubectl",
    "mktemp",
    "root (`become: true`)",
];

/// Which way a node comes into its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// As its first node.
    Init,
    /// Later.
    Join,
}

impl Act {
    fn half(self) -> &'static str {
        match self {
            Self::Init => "half initialised",
            Self::Join => "half joined",
        }
    }
}

/// A node that is to be in its cluster.
#[derive(Debug)]
pub struct Membership<'a> {
    /// How it gets there.
    pub act: Act,
    /// Whether it may be reset.
    pub repair: bool,
    /// The runtime's socket, for the reset.
    pub cri_socket: Option<&'a str>,
    /// What to ask it.
    pub question: Question<'a>,
}

impl Membership<'_> {
    /// Leaves a joined node alone; runs the command of `command` on an absent one; resets a half one
    /// first, where that is allowed and does no harm.
    pub async fn reach(
        &self,
        context: &Context<'_>,
        command: impl AsyncFnOnce(&Probed) -> Result<Command, Failure>,
    ) -> Result<Outcome, Failure> {
        let probed = self.question.ask(context).await?;
        let before = probed.finding.state;
        if before == State::Joined {
            return Ok(describe(Outcome::ok(), &probed).message("it is there already, and works"));
        }
        if before == State::Half {
            may_reset(self.act, self.repair, &probed.finding)?;
        }
        // Made before anything is reset: what is wrong with it should do no damage.
        let command = command(&probed).await?;
        let mut outcome = describe(Outcome::changed(true), &probed);
        outcome
            .data
            .insert("reset".to_owned(), Value::Bool(before == State::Half));
        if context.check {
            return Ok(outcome.message(format!("would run `kubeadm {}`", command.arguments[0])));
        }
        if before == State::Half {
            kubeadm::reset(context, self.question.places, self.cri_socket).await?;
        }
        let output = command.run(context, self.question.places).await?;
        Ok(outcome.with("stdout", output))
    }
}

/// What a result says of the state before.
pub fn describe(outcome: Outcome, probed: &Probed) -> Outcome {
    let finding = &probed.finding;
    outcome
        .with("state", finding.state.name())
        .with("found", finding.found.clone())
        .with("missing", finding.missing.clone())
        .with("node_name", probed.node_name.clone())
        .with("version", probed.version.to_string())
        .with("reset", false)
}

/// Fails with what was found and what to do, unless the node may be reset.
pub fn may_reset(act: Act, repair: bool, finding: &Finding) -> Result<(), Failure> {
    let hint = match (&finding.keep, repair) {
        (None, true) => return Ok(()),
        (None, false) => {
            "mend what is missing (`journalctl -xeu kubelet` on the node tells most), or \
             set `repair: true` to reset the node with `kubeadm reset` and begin anew"
                .to_owned()
        }
        (Some(why), _) => format!(
            "it is not reset, not even with `repair: true`, because {why}: mend what is missing \
             (`journalctl -xeu kubelet` on the node tells most), or, if you are sure, run \
             `kubeadm reset -f` on it yourself"
        ),
    };
    Err(Failure::new(summary(act, finding))
        .hint(hint)
        .with("state", finding.state.name())
        .with("found", finding.found.clone())
        .with("missing", finding.missing.clone()))
}

/// One sentence on a half node.
pub fn summary(act: Act, finding: &Finding) -> String {
    format!(
        "the node is {}. It has {}. What is wrong: {}",
        act.half(),
        finding.found.join(", "),
        finding.missing.join("; ")
    )
}

/// Where everything is on a node that kubeadm was installed on.
pub fn places() -> Places {
    Places::default()
}
