//! What the API says of a node, judged. Pure; the shapes are those of Kubernetes 1.13 to 1.37.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a node must be to be waited for no longer.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// A condition that must be `True`.
    pub condition: String,
    /// Whether it must take new pods.
    pub schedulable: bool,
    /// Labels that it must have, with their values.
    pub labels: BTreeMap<String, String>,
}

impl Wanted {
    /// Nothing when the node is as wanted; otherwise what is not so yet.
    pub fn lacks(&self, node: &Value) -> Option<String> {
        let condition = node["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|condition| condition["type"] == self.condition.as_str());
        match condition {
            None => return Some(format!("no condition {} yet", self.condition)),
            Some(condition) if condition["status"] != "True" => {
                return Some(not_true(&self.condition, condition));
            }
            Some(_) => {}
        }
        if self.schedulable && node["spec"]["unschedulable"] == true {
            return Some("cordoned".to_owned());
        }
        self.labels
            .iter()
            .find(|(key, value)| {
                node["metadata"]["labels"].get(key.as_str()) != Some(&Value::from(value.as_str()))
            })
            .map(|(key, value)| format!("no label {key}={value}"))
    }
}

fn not_true(name: &str, condition: &Value) -> String {
    let said = ["message", "reason"]
        .iter()
        .find_map(|key| condition[*key].as_str().filter(|text| !text.is_empty()))
        .map(|text| {
            format!(
                ": {}",
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            )
        })
        .unwrap_or_default();
    match condition["status"].as_str() {
        Some("Unknown") => format!("{name} unknown{said}"),
        _ => format!("not {name}{said}"),
    }
}
