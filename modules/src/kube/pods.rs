//! What the API says of a pod, and of the workload that it belongs to, judged: is it healthy, will it be,
//! or is it broken? Pure; the shapes are those of Kubernetes 1.13 to 1.37.

use std::fmt::Write as _;

use serde_json::Value;

/// How a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Running and ready, or done.
    Healthy,
    /// Being deleted: not counted.
    Leaving,
    /// On its way.
    Waiting(String),
    /// In a state that seldom repairs itself, and why.
    Broken(String),
}

/// Reasons for which a container waits in vain, until someone repairs something.
const BROKEN: &[&str] = &[
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    CRASHES,
    "RunContainerError",
    "CreateContainerConfigError",
    "CreateContainerError",
    "PreCreateHookError",
    "PreStartHookError",
    "PostStartHookError",
];

const CRASHES: &str = "CrashLoopBackOff";

/// So often must a container have been started again before its crashes count as more than a bad
/// start: what begins beside a new API server often fails once or twice.
const CRASHES_IN_VAIN: i64 = 3;

/// How one pod is.
pub fn health(pod: &Value) -> Health {
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return Health::Leaving;
    }
    let status = &pod["status"];
    let phase = status["phase"].as_str().unwrap_or("Unknown");
    match phase {
        "Succeeded" => return Health::Healthy,
        "Failed" => return Health::Broken(failed(status)),
        _ => {}
    }
    if let Some(reason) = broken_container(status) {
        return Health::Broken(reason);
    }
    if let Some(condition) = condition(status, "PodScheduled")
        && condition["status"] == "False"
        && condition["reason"] == "Unschedulable"
    {
        return Health::Broken(with_message("Unschedulable", condition));
    }
    let ready = condition(status, "Ready").is_some_and(|ready| ready["status"] == "True");
    if phase == "Running" && ready {
        return Health::Healthy;
    }
    Health::Waiting(waiting(status, phase))
}

fn failed(status: &Value) -> String {
    let reason = status["reason"].as_str().unwrap_or("Failed");
    match terminated(status) {
        Some(exit) if status["message"].is_null() => format!("{reason}: {exit}"),
        _ => with_message(reason, status),
    }
}

/// How a container of a failed pod ended.
fn terminated(status: &Value) -> Option<String> {
    containers(status).find_map(|container| {
        let end = &container["state"]["terminated"];
        let code = end["exitCode"].as_i64().filter(|code| *code != 0)?;
        let name = container["name"].as_str().unwrap_or("?");
        let reason = end["reason"].as_str().unwrap_or("Error");
        Some(format!("container {name} ended with {code} ({reason})"))
    })
}

fn broken_container(status: &Value) -> Option<String> {
    containers(status).find_map(|container| {
        let waiting = &container["state"]["waiting"];
        let reason = waiting["reason"].as_str()?;
        let restarts = container["restartCount"].as_i64().unwrap_or(0);
        if !BROKEN.contains(&reason) || (reason == CRASHES && restarts < CRASHES_IN_VAIN) {
            return None;
        }
        let name = container["name"].as_str().unwrap_or("?");
        let mut text = format!("{reason} of container {name}");
        if let Some(message) = waiting["message"].as_str() {
            let _ = write!(text, ": {}", one_line(message));
        }
        let last = &container["lastState"]["terminated"];
        if reason == CRASHES
            && let Some(code) = last["exitCode"].as_i64()
        {
            let _ = write!(text, " (it last ended with {code})");
        }
        Some(text)
    })
}

/// What a pod that is on its way waits for, in few words.
fn waiting(status: &Value, phase: &str) -> String {
    let reasons: Vec<String> = containers(status)
        .filter(|container| container["ready"] != true)
        .filter_map(|container| {
            let state = &container["state"];
            let reason = state["waiting"]["reason"].as_str()?;
            Some(reason.to_owned())
        })
        .collect();
    if let Some(reason) = reasons.first() {
        return reason.clone();
    }
    if phase == "Running" {
        return "not ready".to_owned();
    }
    match status["reason"].as_str() {
        Some(reason) => with_message(reason, status),
        None => phase.to_owned(),
    }
}

/// All containers' states, those of init containers first.
pub fn containers(status: &Value) -> impl Iterator<Item = &Value> {
    ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .flat_map(|key| status[key].as_array().into_iter().flatten())
}

fn condition<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"]
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)
}

fn with_message(reason: &str, of: &Value) -> String {
    match of["message"].as_str().filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {}", one_line(message)),
        None => reason.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name of an object.
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or("?")
}

/// What sets a pod apart from another of the same name, such as a new mirror of a static pod.
pub fn identity(object: &Value) -> String {
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    format!("{}/{uid}", name(object))
}

/// A line on a pod like those of `kubectl get pods`: name, containers ready, state, restarts, node.
pub fn line(pod: &Value) -> String {
    let statuses = pod["status"]["containerStatuses"].as_array();
    let ready = statuses
        .into_iter()
        .flatten()
        .filter(|container| container["ready"] == true)
        .count();
    let all = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let restarts: i64 = statuses
        .into_iter()
        .flatten()
        .filter_map(|container| container["restartCount"].as_i64())
        .fold(0, i64::saturating_add);
    let state = match health(pod) {
        Health::Healthy => pod["status"]["phase"]
            .as_str()
            .unwrap_or("Running")
            .to_owned(),
        Health::Leaving => "Terminating".to_owned(),
        Health::Waiting(reason) | Health::Broken(reason) => {
            reason.split(':').next().unwrap_or(&reason).to_owned()
        }
    };
    let mut line = format!("{} {ready}/{all} {state}", name(pod));
    if restarts > 0 {
        let _ = write!(line, ", {restarts} restarts");
    }
    if let Some(node) = pod["spec"]["nodeName"].as_str() {
        let _ = write!(line, ", on {node}");
    }
    line
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// Says so while a workload's controller has not seen its latest version.
pub fn unseen(object: &Value) -> Option<String> {
    let generation = number(&object["metadata"]["generation"]);
    let seen = number(&object["status"]["observedGeneration"]);
    (seen < generation).then(|| "its controller has not seen it yet".to_owned())
}

/// Why a Deployment's controller cannot make pods: a quota, a policy, an account that is not there. Of those of
/// other workloads only events tell.
pub fn refused(object: &Value) -> Option<String> {
    let failing = condition(&object["status"], "ReplicaFailure")?;
    let reason = failing["reason"].as_str().unwrap_or("ReplicaFailure");
    (failing["status"] == "True").then(|| with_message(reason, failing))
}

/// A workload whose controller keeps pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// One pod a node.
    DaemonSet,
    /// Any number of equal pods.
    Deployment,
    /// Pods with names of their own.
    StatefulSet,
}

impl Workload {
    /// As kubectl calls it.
    pub fn resource(self) -> &'static str {
        match self {
            Self::DaemonSet => "daemonset",
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
        }
    }

    /// How many pods of a `StatefulSet` are to stay at the older version.
    pub fn kept(self, object: &Value) -> i64 {
        let told = &object["spec"]["updateStrategy"]["rollingUpdate"]["partition"];
        match self {
            Self::StatefulSet => told.as_i64().unwrap_or(0).max(0),
            Self::DaemonSet | Self::Deployment => 0,
        }
    }

    /// Nothing when all pods that it should have are there, current and available; otherwise what is
    /// not so yet.
    pub fn lacks(self, object: &Value) -> Option<String> {
        if let Some(unseen) = unseen(object) {
            return Some(unseen);
        }
        let status = &object["status"];
        let (wanted, updated, available) = match self {
            Self::DaemonSet => (
                number(&status["desiredNumberScheduled"]),
                number(&status["updatedNumberScheduled"]),
                number(&status["numberAvailable"]),
            ),
            Self::Deployment => (
                object["spec"]["replicas"].as_i64().unwrap_or(1),
                number(&status["updatedReplicas"]),
                number(&status["availableReplicas"]),
            ),
            // `availableReplicas` of a StatefulSet came in 1.22 and says the same as ready unless
            // minReadySeconds is set.
            Self::StatefulSet => (
                object["spec"]["replicas"].as_i64().unwrap_or(1),
                number(&status["updatedReplicas"]),
                number(&status["readyReplicas"]),
            ),
        };
        if wanted == 0 && self == Self::DaemonSet {
            return Some("it is wanted on no node yet".to_owned());
        }
        let surplus = self == Self::Deployment && number(&status["replicas"]) > wanted;
        // A controller that was told to leave pods as they are says no more of them than that.
        let by_hand = object["spec"]["updateStrategy"]["type"] == "OnDelete";
        let kept = self.kept(object).min(wanted);
        if (updated >= wanted - kept || by_hand) && available == wanted && !surplus {
            return None;
        }
        let paused = if object["spec"]["paused"] == true {
            "; it is paused"
        } else {
            ""
        };
        Some(format!(
            "{available} of {wanted} available, {updated} of them current{paused}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(status: &Value) -> Value {
        json!({
            "metadata": {"name": "p", "uid": "1"},
            "spec": {"nodeName": "w1", "containers": [{"name": "c"}]},
            "status": status,
        })
    }

    fn running(ready: &str) -> Value {
        json!({
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "c", "ready": ready == "True", "restartCount": 0, "state": {"running": {}}}],
        })
    }

    fn waits_for(reason: &str, restarts: i64) -> Value {
        json!({
            "phase": "Pending",
            "containerStatuses": [{
                "name": "c", "ready": false, "restartCount": restarts,
                "state": {"waiting": {"reason": reason, "message": "Back-off\n pulling"}},
                "lastState": {"terminated": {"exitCode": 2}},
            }],
        })
    }

    #[test]
    fn pods_that_run_and_are_ready_or_have_succeeded_are_well() {
        assert_eq!(health(&pod(&running("True"))), Health::Healthy);
        assert_eq!(
            health(&pod(&json!({"phase": "Succeeded"}))),
            Health::Healthy
        );
        assert_eq!(
            health(&pod(&running("False"))),
            Health::Waiting("not ready".to_owned())
        );
    }

    #[test]
    fn a_pod_that_is_being_deleted_does_not_count() {
        let mut leaving = pod(&running("True"));
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(health(&leaving), Health::Leaving);
    }

    #[test]
    fn what_cannot_start_is_broken_with_its_reason() {
        assert_eq!(
            health(&pod(&waits_for("ImagePullBackOff", 0))),
            Health::Broken("ImagePullBackOff of container c: Back-off pulling".to_owned())
        );
        let config = health(&pod(&waits_for("CreateContainerConfigError", 0)));
        assert!(matches!(config, Health::Broken(_)));
        assert_eq!(
            health(&pod(&waits_for("ContainerCreating", 0))),
            Health::Waiting("ContainerCreating".to_owned())
        );
    }

    #[test]
    fn a_bad_start_is_no_crash_in_vain() {
        assert!(matches!(
            health(&pod(&waits_for("CrashLoopBackOff", 2))),
            Health::Waiting(_)
        ));
        assert_eq!(
            health(&pod(&waits_for("CrashLoopBackOff", 3))),
            Health::Broken(
                "CrashLoopBackOff of container c: Back-off pulling (it last ended with 2)"
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_broken_init_container_counts() {
        let mut status = waits_for("ErrImagePull", 0);
        status["initContainerStatuses"] = status["containerStatuses"].take();
        assert!(matches!(health(&pod(&status)), Health::Broken(_)));
    }

    #[test]
    fn a_pod_that_fits_nowhere_is_broken() {
        let status = json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes are available",
        }]});
        assert_eq!(
            health(&pod(&status)),
            Health::Broken("Unschedulable: 0/3 nodes are available".to_owned())
        );
    }

    #[test]
    fn a_failed_pod_says_how_it_ended() {
        let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "low on disk"});
        assert_eq!(
            health(&pod(&evicted)),
            Health::Broken("Evicted: low on disk".to_owned())
        );
        let ended = json!({"phase": "Failed", "containerStatuses": [
            {"name": "c", "state": {"terminated": {"exitCode": 3, "reason": "Error"}}},
        ]});
        assert_eq!(
            health(&pod(&ended)),
            Health::Broken("Failed: container c ended with 3 (Error)".to_owned())
        );
    }

    #[test]
    fn a_line_says_what_kubectl_get_pods_says() {
        assert_eq!(line(&pod(&running("True"))), "p 1/1 Running, on w1");
        assert_eq!(
            line(&pod(&waits_for("CrashLoopBackOff", 4))),
            "p 0/1 CrashLoopBackOff of container c, 4 restarts, on w1"
        );
    }

    #[test]
    fn a_daemonset_is_complete_when_every_wanted_pod_is_current_and_available() {
        let set = |observed: i64, wanted: i64, updated: i64, available: i64| {
            json!({
                "metadata": {"generation": 2},
                "status": {
                    "observedGeneration": observed, "desiredNumberScheduled": wanted,
                    "updatedNumberScheduled": updated, "numberAvailable": available,
                },
            })
        };
        let lacks = |object: &Value| Workload::DaemonSet.lacks(object);
        assert_eq!(lacks(&set(2, 3, 3, 3)), None);
        for (object, word) in [
            (set(1, 3, 3, 3), "has not seen"),
            (set(2, 0, 0, 0), "no node"),
            (set(2, 3, 2, 3), "2 of them current"),
            (set(2, 3, 3, 2), "2 of 3 available"),
            (
                json!({"metadata": {"generation": 1}, "status": {}}),
                "has not seen",
            ),
        ] {
            assert!(
                lacks(&object).is_some_and(|text| text.contains(word)),
                "{object}"
            );
        }
    }

    #[test]
    fn a_deployment_is_complete_when_the_old_pods_are_gone_too() {
        let deployment = |replicas: i64| {
            json!({
                "metadata": {"generation": 1}, "spec": {"replicas": 2},
                "status": {
                    "observedGeneration": 1, "replicas": replicas, "updatedReplicas": 2,
                    "availableReplicas": 2,
                },
            })
        };
        assert_eq!(Workload::Deployment.lacks(&deployment(2)), None);
        assert!(Workload::Deployment.lacks(&deployment(3)).is_some());
    }

    #[test]
    fn more_restarts_than_can_be_counted_are_a_number_all_the_same() {
        let mut status = running("True");
        let container = json!({"ready": true, "restartCount": i64::MAX});
        status["containerStatuses"] = json!([container, container]);
        assert_eq!(
            line(&pod(&status)),
            "p 2/1 Running, 9223372036854775807 restarts, on w1"
        );
    }
}
