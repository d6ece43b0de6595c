//! Kubernetes objects before and after, compared as their owner would: without what the server and
//! its controllers write into them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::kube::pruned;
use crate::outcome::Difference;

/// What tells an object from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    kind: String,
    namespace: String,
    name: String,
    /// Without the version: one object is the same in all versions of its API.
    group: String,
}

impl Id {
    fn of(object: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let api = text(&object["apiVersion"]);
        Self {
            kind: text(&object["kind"]),
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
            group: api
                .split_once('/')
                .map(|(group, _)| group.to_owned())
                .unwrap_or_default(),
        }
    }

    /// `kind/name`, with the namespace where there is one.
    pub fn text(&self) -> String {
        let kind = self.kind.to_lowercase();
        if self.namespace.is_empty() {
            format!("{kind}/{}", self.name)
        } else {
            format!("{kind}/{} in {}", self.name, self.namespace)
        }
    }
}

/// The objects of what kubectl printed: one object, a List, or several of either; text before the
/// first brace (warnings) is passed over.
pub fn read(text: &str) -> Result<Vec<Value>, String> {
    let Some(start) = text.find('{') else {
        return Ok(Vec::new());
    };
    let mut objects = Vec::new();
    let values = pruned::read_whole(&text[start..])
        .map_err(|why| format!("kubectl printed no JSON that can be used: {why}"))?;
    for mut value in values {
        let is_list = value["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"));
        match value.get_mut("items") {
            Some(Value::Array(items)) if is_list => objects.append(items),
            _ => objects.push(value),
        }
    }
    match objects.iter().find(|object| !object.is_object()) {
        None => Ok(objects),
        Some(_) => {
            Err("kubectl printed something among the objects that is not an object".to_owned())
        }
    }
}

/// Fields of `metadata` that the server writes.
const SERVERS: &[&str] = &[
    "managedFields",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "uid",
    "selfLink",
];

/// Annotations that kubectl and controllers write.
const BOOKKEEPING: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
];

/// An object as its owner wrote it, with the server's defaults.
fn owned(mut object: Value) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in SERVERS {
            metadata.remove(*key);
        }
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            for key in BOOKKEEPING {
                annotations.remove(*key);
            }
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    object
}

/// What became of each object of a manifest.
#[derive(Debug, Default)]
pub struct Changes {
    /// Objects that were not there.
    pub created: Vec<String>,
    /// Objects that are other than before.
    pub configured: Vec<String>,
    /// Objects that are as before.
    pub unchanged: Vec<String>,
    /// The texts before and after of those that are not.
    pub differences: Vec<Difference>,
}

/// Compares objects before and after.
pub fn compare(before: Vec<Value>, after: Vec<Value>) -> Changes {
    let mut known: BTreeMap<Id, Value> = before
        .into_iter()
        .map(|object| (Id::of(&object), owned(object)))
        .collect();
    let mut changes = Changes::default();
    for object in after {
        let id = Id::of(&object);
        let after = owned(object);
        let name = id.text();
        match known.remove(&id) {
            None => {
                changes
                    .differences
                    .push(difference(&name, None, Some(&after)));
                changes.created.push(name);
            }
            // Keys come in any order.
            Some(before) if sorted(&before) == sorted(&after) => changes.unchanged.push(name),
            Some(before) => {
                changes
                    .differences
                    .push(difference(&name, Some(&before), Some(&after)));
                changes.configured.push(name);
            }
        }
    }
    changes
}

/// An object's removal as a difference.
pub fn removal(object: Value) -> (String, Difference) {
    let name = Id::of(&object).text();
    let before = owned(object);
    let difference = difference(&name, Some(&before), None);
    (name, difference)
}

fn difference(name: &str, before: Option<&Value>, after: Option<&Value>) -> Difference {
    let text = |object: Option<&Value>| {
        object
            .and_then(|object| serde_yaml::to_string(&sorted(&veiled(object))).ok())
            .unwrap_or_default()
    };
    Difference {
        before_header: name.to_owned(),
        after_header: name.to_owned(),
        before: text(before),
        after: text(after),
    }
}

/// An object whose secrets are told apart without being shown.
fn veiled(object: &Value) -> Value {
    use sha2::{Digest as _, Sha256};
    let mut object = object.clone();
    if object["kind"] != "Secret" {
        return object;
    }
    for key in ["data", "stringData"] {
        for value in object
            .get_mut(key)
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            let text = value.1.as_str().unwrap_or_default();
            let hash = Sha256::digest(text.as_bytes());
            *value.1 = format!("(not shown; differs by {:02x}{:02x})", hash[0], hash[1]).into();
        }
    }
    object
}

/// With the keys of all mappings in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(
                pairs
                    .into_iter()
                    .map(|(key, value)| (key.clone(), sorted(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(name: &str, version: &str, image: &str) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {
                "name": name, "namespace": "kube-system", "resourceVersion": version,
                "generation": 2, "uid": "u", "managedFields": [{"time": version}],
                "annotations": {"deprecated.daemonset.template.generation": version},
            },
            "spec": {"image": image},
            "status": {"numberAvailable": version},
        })
    }

    #[test]
    fn what_servers_and_controllers_write_is_no_change() {
        let changes = compare(vec![object("cni", "1", "a")], vec![object("cni", "2", "a")]);
        assert_eq!(changes.unchanged, ["daemonset/cni in kube-system"]);
        assert!(changes.created.is_empty() && changes.configured.is_empty());
    }

    #[test]
    fn new_and_other_objects_are_told_apart_and_shown() {
        let changes = compare(
            vec![object("cni", "1", "a")],
            vec![object("cni", "2", "b"), object("new", "3", "a")],
        );
        assert_eq!(changes.configured, ["daemonset/cni in kube-system"]);
        assert_eq!(changes.created, ["daemonset/new in kube-system"]);
        assert!(changes.differences[0].before.contains("image: a"));
        assert!(changes.differences[0].after.contains("image: b"));
        assert_eq!(changes.differences[1].before, "");
    }

    #[test]
    fn an_object_is_the_same_in_another_version_of_its_api() {
        let role = |version: &str| json!({"apiVersion": format!("rbac.authorization.k8s.io/{version}"), "kind": "ClusterRole", "metadata": {"name": "r"}});
        assert_eq!(Id::of(&role("v1beta1")), Id::of(&role("v1")));
    }

    #[test]
    fn secrets_are_compared_and_not_shown() {
        let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": value}});
        let changes = compare(vec![secret("b2xk")], vec![secret("bmV3")]);
        assert_eq!(changes.configured, ["secret/s"]);
        let shown = format!("{:?}", changes.differences);
        assert!(
            !shown.contains("b2xk") && !shown.contains("bmV3"),
            "{shown}"
        );
        assert_ne!(changes.differences[0].before, changes.differences[0].after);
    }

    #[test]
    fn everything_that_kubectl_prints_is_read() {
        let list = json!({"kind": "List", "items": [object("a", "1", "a"), object("b", "1", "a")]});
        let one = object("c", "1", "a");
        assert_eq!(read(&list.to_string()).unwrap().len(), 2);
        assert_eq!(read(&one.to_string()).unwrap()[0], one);
        let both = format!("Warning: old\n{one}\n{list}");
        assert_eq!(read(&both).unwrap().len(), 3);
        assert!(read("").unwrap().is_empty());
        assert!(read("{\"kind\":").is_err());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "{} []",
            "{} 7",
            r#"{"kind": "List", "items": [1]}"#,
            r#"{"kind": "List", "items": [{}, []]}"#,
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains("not an object"), "{text}: {error}");
        }
        for strange in [
            json!({}),
            json!({"metadata": 7, "kind": ["List"]}),
            json!([1]),
        ] {
            let changes = compare(vec![strange.clone()], vec![strange]);
            assert_eq!(changes.unchanged.len(), 1);
        }
    }
}
