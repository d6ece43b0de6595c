//! What the API says of a pod, and of the workload that it belongs to, judged: is it well, will it be,
//! or is it broken? Pure; the shapes are those of Kubernetes 1.13 to 1.37.

use std::fmt::Write as _;

use serde_json::Value;

/// How a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Running and ready, or done.
    Well,
    /// Being deleted: not counted.
    Leaving,
    /// On its way.
    Waiting(String),
    /// In a state that seldom mends itself, and why.
    Broken(String),
}

/// Reasons for which a container waits in vain, until someone mends something.
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
        "Succeeded" => return Health::Well,
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
        return Health::Well;
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
fn containers(status: &Value) -> impl Iterator<Item = &Value> {
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
        .sum();
    let state = match health(pod) {
        Health::Well => pod["status"]["phase"]
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

    /// Nothing when all pods that it should have are there, current and available; otherwise what is
    /// not so yet.
    pub fn lacks(self, object: &Value) -> Option<String> {
        let status = &object["status"];
        let number = |value: &Value| value.as_i64().unwrap_or(0);
        let generation = number(&object["metadata"]["generation"]);
        if number(&status["observedGeneration"]) < generation {
            return Some("its controller has not seen it yet".to_owned());
        }
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
        if updated == wanted && available == wanted && !surplus {
            return None;
        }
        Some(format!(
            "{available} of {wanted} available, {updated} of them current"
        ))
    }
}
