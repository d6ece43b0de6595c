//! JSON of the API without what nobody here asks for: most of what it says of a node or a pod. What is kept of an
//! answer has a bound, whatever the node makes of it.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::de::StrRead;
use serde_json::{Map, Value};

/// The most values that are kept of an answer: some hundred for each of thousands of nodes.
const MOST: usize = 1 << 19;

/// Fields in which keys are the user's own words.
const OF_USERS: &[&str] = &["labels", "matchLabels"];

/// Fields that are passed over, wherever else they are.
const UNUSED: &[&str] = &[
    "affinity",
    "allocatable",
    "args",
    "capacity",
    "command",
    "env",
    "envFrom",
    "images",
    "livenessProbe",
    "managedFields",
    "ownerReferences",
    "readinessProbe",
    "resources",
    "securityContext",
    "startupProbe",
    "template",
    "tolerations",
    "volumeMounts",
    "volumes",
    "volumesAttached",
    "volumesInUse",
];

/// The one annotation that is asked for: which of a Deployment's versions an object is.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// What is passed over where what people write on objects is asked for.
const OF_CONTROLLERS: &[&str] = &["managedFields", "ownerReferences", "status"];

/// What is taken of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    /// What the modules ask for.
    Used,
    /// Everything.
    Whole,
    /// What people write, with all annotations.
    Written,
    /// Of annotations: [`REVISION`].
    Revision,
}

impl Take {
    /// What is taken of the value of a key; nothing where the key is passed over.
    fn of(self, key: &str) -> Option<Self> {
        match self {
            Self::Written => (!OF_CONTROLLERS.contains(&key)).then_some(self),
            Self::Revision => (key == REVISION).then_some(self),
            Self::Used if UNUSED.contains(&key) => None,
            Self::Used if OF_USERS.contains(&key) => Some(Self::Whole),
            Self::Used if key == "annotations" => Some(Self::Revision),
            Self::Whole | Self::Used => Some(self),
        }
    }
}

/// The first value of a text, pruned. `Err` says what is wrong with it.
pub fn read(text: &str) -> Result<Value, String> {
    let left = Cell::new(MOST);
    let mut json = serde_json::Deserializer::from_str(text);
    next(&mut json, &left, Take::Used)
}

/// The first value of a text, with the labels and annotations that objects have, and without what controllers
/// say of them.
pub fn read_written(text: &str) -> Result<Value, String> {
    let left = Cell::new(MOST);
    let mut json = serde_json::Deserializer::from_str(text);
    next(&mut json, &left, Take::Written)
}

/// All values of a text, with all that they have.
pub fn read_whole(text: &str) -> Result<Vec<Value>, String> {
    let left = Cell::new(MOST);
    let mut json = serde_json::Deserializer::from_str(text);
    let mut values = Vec::new();
    while json.end().is_err() {
        values.push(next(&mut json, &left, Take::Whole)?);
    }
    Ok(values)
}

fn next(
    json: &mut serde_json::Deserializer<StrRead<'_>>,
    left: &Cell<usize>,
    take: Take,
) -> Result<Value, String> {
    let read = Pruned { left, take }.deserialize(json);
    read.map_err(|error| match left.get() {
        0 => format!("it has more than {MOST} values"),
        _ => error.to_string(),
    })
}

/// Reads a value; knows how many more there may be.
#[derive(Clone, Copy)]
struct Pruned<'a> {
    left: &'a Cell<usize>,
    /// What is taken of it.
    take: Take,
}

impl<'de> DeserializeSeed<'de> for Pruned<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left
            .set(left.ok_or_else(|| D::Error::custom("too many values"))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pruned<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            kept.push(item);
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let Some(take) = self.take.of(&key) else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = entries.next_value_seed(Self { take, ..self })?;
            // Annotations among which nothing is asked for.
            let empty = value.as_object().is_some_and(Map::is_empty);
            if !(take == Take::Revision && self.take == Take::Used && empty) {
                kept.insert(key, value);
            }
        }
        Ok(Value::Object(kept))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_nobody_asks_for_is_left_out_and_all_else_is_as_it_was() {
        let rest = json!({
            "metadata": {"name": "ä\n", "labels": {"a": "b", "env": "prod"}},
            "selector": {"matchLabels": {"template": "x"}},
            "n": [1, -1, 0.5, u64::MAX, null, true, [], {}],
        });
        let mut whole = rest.clone();
        whole["metadata"]["managedFields"] = json!([{"time": "x"}]);
        whole["images"] = json!([{"names": ["x", {"y": 1}]}]);
        assert_eq!(read(&whole.to_string()).unwrap(), rest);
        assert_eq!(read(&format!("{rest} more")).unwrap(), rest);
        for text in ["", "{", "{]", "[1,", "{\"images\": [}", "x"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
        assert_eq!(
            read_whole(&format!("{whole}\n7 {rest} ")).unwrap(),
            [whole, 7.into(), rest]
        );
        assert!(read_whole("{} {").is_err());
    }

    #[test]
    fn of_annotations_the_version_is_kept_and_all_where_they_are_asked_for() {
        let object = json!({
            "metadata": {"annotations": {REVISION: "7", "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
            "spec": {"annotations": {"a": "b"}, "taints": [{"key": "k"}]},
            "status": {"images": [1]},
        });
        let text = object.to_string();
        assert_eq!(
            read(&text).unwrap(),
            json!({"metadata": {"annotations": {REVISION: "7"}}, "spec": {"taints": [{"key": "k"}]}, "status": {}})
        );
        let mut written = object;
        written.as_object_mut().unwrap().remove("status");
        assert_eq!(read_written(&text).unwrap(), written);
    }

    #[test]
    fn more_values_than_there_can_be_are_refused() {
        let list = |count| format!("[{}0]", "{},".repeat(count));
        assert!(read(&list(MOST - 2)).is_ok());
        let error = read(&list(MOST)).err();
        assert_eq!(error.as_deref(), Some("it has more than 524288 values"));
        let both = format!("{} {}", list(MOST / 2), list(MOST / 2));
        assert_eq!(read_whole(&both).err(), error);
    }
}
