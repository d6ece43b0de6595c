//! Which pods `wait_pods` waits for, and how long.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::{List, NodePath, Number, Text};
use crate::kube::defaults::{admin, five_minutes, kubectl, one, one_minute, two_seconds};
use crate::kube::kubectl::Kubectl;
use crate::kube::pods::Workload;

/// Waits until pods are running and ready, asking with kubectl on the node every few seconds.
///
/// What to wait for: pods by their names, the pods that a selector selects, or all pods of a DaemonSet,
/// Deployment or StatefulSet, which must be complete and of its newest version (`OnDelete` and `partition` are
/// heeded). Pods that have succeeded are healthy; pods that are being deleted do not count; no pod at all is not enough.
///
/// While it waits it shows what changes, as `kubectl get pods -w` does. A pod that cannot pull its image,
/// crashes again and again, fits on no node or the like makes the task fail after `grace` seconds, with
/// the reason, the last events and the last lines that its container logged, and not only when the whole time is over.
/// That the API does not answer is borne for `api_grace` seconds at a time: it happens while etcd gains a member.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitPodsArgs {
    /// The namespace.
    #[serde(default = "default_namespace")]
    pub namespace: Text,
    /// Pods that must be there, by name; `kube-apiserver-cp1` is how the static pod of node cp1 is
    /// called.
    #[serde(default)]
    pub names: List,
    /// A label selector.
    pub selector: Option<Text>,
    /// A DaemonSet whose pods to wait for.
    pub daemonset: Option<Text>,
    /// A Deployment whose pods to wait for.
    pub deployment: Option<Text>,
    /// A StatefulSet whose pods to wait for.
    pub statefulset: Option<Text>,
    /// Names of nodes: only pods on these count, and those that have no node yet. Each of these nodes must
    /// have a pod of a DaemonSet; how many a Deployment or StatefulSet is to have does not matter then,
    /// only `count`. For a cluster with a node that is known to be down.
    #[serde(default)]
    pub nodes: List,
    /// How many pods there must be at least.
    #[serde(default = "one")]
    pub count: Number<u32>,
    /// Seconds to wait at most.
    #[serde(default = "five_minutes")]
    pub timeout: Number<u64>,
    /// Seconds between two looks.
    #[serde(default = "two_seconds")]
    pub sleep: Number<u64>,
    /// Seconds that a pod may be broken (`ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`, …) before
    /// that is taken to be final.
    #[serde(default = "half_a_minute")]
    pub grace: Number<u64>,
    /// Seconds that the API may fail to answer, each time.
    #[serde(default = "one_minute")]
    pub api_grace: Number<u64>,
    /// The kubeconfig to use, a path on the node.
    #[serde(default = "admin")]
    pub kubeconfig: NodePath,
    /// The kubectl to use, from the `PATH` or by its path.
    #[serde(default = "kubectl")]
    pub kubectl: Text,
}

fn default_namespace() -> Text {
    Text::from("default")
}

fn half_a_minute() -> Number<u64> {
    Number(30)
}

impl WaitPodsArgs {
    /// The workload that is waited for, if it is one.
    pub fn workload(&self) -> Option<(Workload, &str)> {
        [
            (Workload::DaemonSet, &self.daemonset),
            (Workload::Deployment, &self.deployment),
            (Workload::StatefulSet, &self.statefulset),
        ]
        .into_iter()
        .find_map(|(workload, name)| Some((workload, &**name.as_ref()?)))
    }

    pub(super) fn kubectl(&self) -> Kubectl<'_> {
        Kubectl {
            program: &self.kubectl,
            kubeconfig: &self.kubeconfig,
        }
    }

    /// What is waited for, in words.
    pub(super) fn what(&self) -> String {
        let of = match (self.workload(), &self.selector) {
            (Some((workload, name)), _) => format!("the {} {name}", workload.resource()),
            (None, Some(selector)) => format!("pods with {selector}"),
            (None, None) => match &*self.names {
                [first, _, _, _, ..] => format!("pods {first} and {} more", self.names.len() - 1),
                names => format!("pods {}", names.join(", ")),
            },
        };
        format!("{of} in {}", self.namespace)
    }
}
