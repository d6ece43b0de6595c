//! What the API says of a node, judged. Pure; the shapes are those of Kubernetes 1.13 to 1.37.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a node must be to be waited for no longer.
#[derive(Debug, Clone, Default)]
pub struct WantedNode {
    /// A condition that must be `True`.
    pub condition: String,
    /// Whether it must take new pods.
    pub schedulable: bool,
    /// Labels that it must have, with their values.
    pub labels: BTreeMap<String, String>,
}

impl WantedNode {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted() -> WantedNode {
        WantedNode {
            condition: "Ready".to_owned(),
            ..WantedNode::default()
        }
    }

    fn node(status: &str) -> Value {
        json!({
            "metadata": {"name": "w1", "labels": {"zone": "a"}},
            "spec": {},
            "status": {"conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": status, "message": "network plugin\n is not ready"},
            ]},
        })
    }

    #[test]
    fn a_ready_node_lacks_nothing() {
        assert_eq!(wanted().lacks(&node("True")), None);
    }

    #[test]
    fn what_a_node_lacks_is_said_in_its_own_words() {
        assert_eq!(
            wanted().lacks(&node("False")).unwrap(),
            "not Ready: network plugin is not ready"
        );
        assert!(
            wanted()
                .lacks(&node("Unknown"))
                .unwrap()
                .starts_with("Ready unknown")
        );
        assert_eq!(
            wanted().lacks(&json!({})).unwrap(),
            "no condition Ready yet"
        );
    }

    #[test]
    fn cordons_and_labels_count_when_asked_for() {
        let mut cordoned = node("True");
        cordoned["spec"]["unschedulable"] = json!(true);
        assert_eq!(wanted().lacks(&cordoned), None);
        let schedulable = WantedNode {
            schedulable: true,
            ..wanted()
        };
        assert_eq!(schedulable.lacks(&cordoned).unwrap(), "cordoned");
        let labelled = |value: &str| WantedNode {
            labels: BTreeMap::from([("zone".to_owned(), value.to_owned())]),
            ..wanted()
        };
        assert_eq!(labelled("a").lacks(&node("True")), None);
        assert_eq!(
            labelled("b").lacks(&node("True")).unwrap(),
            "no label zone=b"
        );
    }
}
