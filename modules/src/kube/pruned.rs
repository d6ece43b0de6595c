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
    "annotations",
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

/// The first value of a text, pruned. `Err` says what is wrong with it.
pub fn read(text: &str) -> Result<Value, String> {
    let left = Cell::new(MOST);
    let mut json = serde_json::Deserializer::from_str(text);
    next(&mut json, &left, false)
}

/// All values of a text, with all that they have.
pub fn read_whole(text: &str) -> Result<Vec<Value>, String> {
    let left = Cell::new(MOST);
    let mut json = serde_json::Deserializer::from_str(text);
    let mut values = Vec::new();
    while json.end().is_err() {
        values.push(next(&mut json, &left, true)?);
    }
    Ok(values)
}

fn next(
    json: &mut serde_json::Deserializer<StrRead<'_>>,
    left: &Cell<usize>,
    whole: bool,
) -> Result<Value, String> {
    let read = Pruned { left, whole }.deserialize(json);
    read.map_err(|error| match left.get() {
        0 => format!("it has more than {MOST} values"),
        _ => error.to_string(),
    })
}

/// Reads a value; knows how many more there may be.
#[derive(Clone, Copy)]
struct Pruned<'a> {
    left: &'a Cell<usize>,
    /// Whether nothing in it is passed over.
    whole: bool,
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
            if !self.whole && UNUSED.contains(&&*key) {
                entries.next_value::<IgnoredAny>()?;
                continue;
            }
            let whole = self.whole || OF_USERS.contains(&&*key);
            let value = entries.next_value_seed(Self { whole, ..self })?;
            kept.insert(key, value);
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
    fn more_values_than_there_can_be_are_refused() {
        let list = |count| format!("[{}0]", "{},".repeat(count));
        assert!(read(&list(MOST - 2)).is_ok());
        let error = read(&list(MOST)).err();
        assert_eq!(error.as_deref(), Some("it has more than 524288 values"));
        let both = format!("{} {}", list(MOST / 2), list(MOST / 2));
        assert_eq!(read_whole(&both).err(), error);
    }
}
