//! Which version of a workload a pod is of. A controller replaces pods one after another, and a new version that
//! cannot run leaves the old pods running and ready: pods that are healthy say nothing of what was applied last.
//! Pure; the shapes are those of Kubernetes 1.13 to 1.37.

use serde_json::Value;

use crate::kube::kubectl::{Question, words};
use crate::kube::pods::{self, Workload};
use crate::kube::pruned::REVISION;

/// What to ask for the versions of a workload, of the pods that `selector` selects. A `StatefulSet` says itself
/// which is its newest.
pub fn question(workload: Workload, namespace: &str, selector: &str) -> Option<Question> {
    let resource = match workload {
        Workload::DaemonSet => "controllerrevisions",
        Workload::Deployment => "replicasets",
        Workload::StatefulSet => return None,
    };
    Some(words(&[
        "get",
        resource,
        "--namespace",
        namespace,
        "--selector",
        selector,
        "-o",
        "json",
    ]))
}

/// The newest version of a workload.
#[derive(Debug, PartialEq, Eq)]
pub struct Newest {
    /// The label in which pods bear their version.
    label: &'static str,
    /// The version, as the label has it.
    version: String,
    /// Pods before this one stay as they are, where a `StatefulSet` is told so.
    first: i64,
    /// The number of the first pod of a `StatefulSet`.
    start: i64,
    /// Whether pods are replaced by their controller, and not only when someone deletes them.
    pub replaces: bool,
    /// Whether the controller replaces broken pods of older versions as well.
    pub clears: bool,
}

impl Newest {
    /// Of a workload, and of its versions: the answer to [`question`].
    pub fn of(workload: Workload, object: &Value, versions: &Value) -> Option<Self> {
        let versions = || versions["items"].as_array().into_iter().flatten();
        // Others may have the same labels: what belongs to this one is called after it.
        let own = |version: &&Value, hash: &Value| {
            let hash = hash.as_str().unwrap_or_default();
            pods::name(version) == format!("{}-{hash}", pods::name(object))
        };
        let (label, version) = match workload {
            Workload::DaemonSet => {
                let hash = |version: &Value| version["metadata"]["labels"][HASH].clone();
                let newest = versions()
                    .filter(|version| own(version, &hash(version)))
                    .max_by_key(|version| version["revision"].as_i64())?;
                (HASH, hash(newest))
            }
            Workload::Deployment => {
                let hash = |version: &Value| version["metadata"]["labels"][TEMPLATE].clone();
                let newest = versions()
                    .filter(|version| own(version, &hash(version)))
                    .max_by_key(|version| number(&version["metadata"]["annotations"][REVISION]))?;
                (TEMPLATE, hash(newest))
            }
            Workload::StatefulSet => (HASH, object["status"]["updateRevision"].clone()),
        };
        let strategy = &object["spec"]["updateStrategy"];
        let stateful = workload == Workload::StatefulSet;
        Some(Self {
            label,
            version: version.as_str()?.to_owned(),
            first: workload.kept(object),
            start: object["spec"]["ordinals"]["start"].as_i64().unwrap_or(0),
            replaces: strategy["type"] != "OnDelete",
            clears: !stateful,
        })
    }

    /// Whether a pod is of this version, or may be of another.
    pub fn has(&self, pod: &Value) -> bool {
        if pod["metadata"]["labels"][self.label] == *self.version {
            return true;
        }
        let number = pods::name(pod).rsplit('-').next();
        let number: Option<i64> = number.and_then(|number| number.parse().ok());
        self.first > 0 && number.is_some_and(|number| number - self.start < self.first)
    }
}

/// In this label pods of a `DaemonSet` or `StatefulSet` bear their version, and each `ControllerRevision` its own.
const HASH: &str = "controller-revision-hash";

/// The same of pods of a `Deployment`, and of each `ReplicaSet`.
const TEMPLATE: &str = "pod-template-hash";

/// A number that is a text, as annotations have it.
fn number(value: &Value) -> Option<i64> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, label: &str, version: &str) -> Value {
        json!({"metadata": {"name": name, "labels": {label: version}}})
    }

    #[test]
    fn the_newest_version_of_a_daemonset_is_the_one_with_the_highest_revision() {
        let set = json!({"metadata": {"name": "cni"}});
        let version = |name: &str, hash: &str, revision: i64| json!({"metadata": {"name": name, "labels": {HASH: hash}}, "revision": revision});
        // One that was rolled back to has a new number. Another with the same labels does not count.
        let versions = json!({"items": [
            version("cni-a", "a", 3), version("cni-b", "b", 2), version("cni-extra-c", "c", 9),
        ]});
        let newest = Newest::of(Workload::DaemonSet, &set, &versions).unwrap();
        assert!(newest.has(&pod("cni-x", HASH, "a")));
        assert!(!newest.has(&pod("cni-x", HASH, "b")));
        assert!(newest.replaces && newest.clears);
        assert_eq!(
            Newest::of(Workload::DaemonSet, &set, &json!({"items": []})),
            None
        );
        let by_hand =
            json!({"metadata": {"name": "cni"}, "spec": {"updateStrategy": {"type": "OnDelete"}}});
        assert!(
            !Newest::of(Workload::DaemonSet, &by_hand, &versions)
                .unwrap()
                .replaces
        );
    }

    #[test]
    fn the_newest_version_of_a_deployment_is_the_replicaset_with_the_highest_number() {
        let deployment = json!({"metadata": {"name": "coredns", "annotations": {REVISION: "10"}}});
        let version = |hash: &str, revision: &str| {
            json!({"metadata": {
                "name": format!("coredns-{hash}"), "labels": {TEMPLATE: hash}, "annotations": {REVISION: revision},
            }})
        };
        let versions = json!({"items": [version("a", "9"), version("b", "10")]});
        let newest = Newest::of(Workload::Deployment, &deployment, &versions).unwrap();
        assert!(newest.has(&pod("coredns-b-1", TEMPLATE, "b")));
        assert!(!newest.has(&pod("coredns-a-1", TEMPLATE, "a")));
    }

    #[test]
    fn a_statefulset_says_itself_and_may_keep_its_first_pods() {
        let set = |partition: i64| {
            json!({
                "metadata": {"name": "db"}, "status": {"updateRevision": "db-new"},
                "spec": {"updateStrategy": {"rollingUpdate": {"partition": partition}}},
            })
        };
        let newest =
            |partition| Newest::of(Workload::StatefulSet, &set(partition), &json!(null)).unwrap();
        assert!(newest(0).has(&pod("db-0", HASH, "db-new")));
        assert!(!newest(0).has(&pod("db-0", HASH, "db-old")));
        assert!(newest(1).has(&pod("db-0", HASH, "db-old")));
        assert!(!newest(1).has(&pod("db-1", HASH, "db-old")));
        assert!(!newest(0).clears);
    }

    #[test]
    fn what_is_no_answer_has_no_version() {
        for object in [
            json!(null),
            json!([]),
            json!({"metadata": {"name": 7}, "status": {"updateRevision": []}}),
        ] {
            for versions in [
                json!(null),
                json!({"items": [7, null, {}, {"metadata": []}]}),
            ] {
                for workload in [
                    Workload::DaemonSet,
                    Workload::Deployment,
                    Workload::StatefulSet,
                ] {
                    if let Some(newest) = Newest::of(workload, &object, &versions) {
                        assert!(!newest.has(&json!({})));
                    }
                }
            }
        }
    }
}
