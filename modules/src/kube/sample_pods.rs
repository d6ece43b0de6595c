//! Pods as the API gives them, for tests.

use serde_json::{Value, json};

/// A pod that runs, and is ready or not.
pub(super) fn pod(name: &str, ready: bool) -> Value {
    let status = if ready { "True" } else { "False" };
    json!({
        "metadata": {"name": name, "uid": name},
        "spec": {"containers": [{}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}]},
    })
}

/// One whose image cannot be pulled.
pub(super) fn broken(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "uid": name},
        "spec": {"containers": [{}]},
        "status": {"phase": "Pending", "containerStatuses": [
            {"name": "c", "ready": false, "state": {"waiting": {"reason": "ImagePullBackOff"}}},
        ]},
    })
}
