//! What labels, annotations and taints Nodes are to have, and what that changes of a Node as it is. Pure; the rules for
//! keys and values are those of Kubernetes' API (`qualified names`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::kube::forms;

/// All annotations of a Node together: they go to kubectl as one word.
const MOST_BYTES: usize = 100 << 10;

/// What begins the names of annotations that Windlass keeps for itself.
const RESERVED: &str = "windlass/";

/// A taint, as it is told from others of a Node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaintId {
    key: String,
    effect: String,
}

impl TaintId {
    /// `key:Effect`.
    fn text(&self) -> String {
        format!("{}:{}", self.key, self.effect)
    }

    fn of(taint: &Value) -> Self {
        let text = |key: &str| taint[key].as_str().unwrap_or_default().to_owned();
        Self {
            key: text("key"),
            effect: text("effect"),
        }
    }
}

/// What a Node is to have; `None` is for what it is not to have, whoever gave it that.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    labels: BTreeMap<String, Option<String>>,
    annotations: BTreeMap<String, Option<String>>,
    /// With the value; an effect that is empty stands for all.
    taints: BTreeMap<TaintId, Option<String>>,
}

impl Wishes {
    /// Takes in labels: a mapping of texts, and of nothing where one is to go.
    pub fn labels(&mut self, value: &Value) -> Result<(), String> {
        self.labels = texts(value, is_label_value, LABEL_VALUE)?;
        Ok(())
    }

    /// Takes in annotations: the same, but of any text.
    pub fn annotations(&mut self, value: &Value) -> Result<(), String> {
        self.annotations = texts(value, |_| true, "")?;
        if let Some(key) = self
            .annotations
            .keys()
            .find(|key| key.starts_with(RESERVED))
        {
            return Err(format!(
                "{key} is one of those that Windlass keeps for itself"
            ));
        }
        let texts = self.annotations.values().flatten();
        let bytes: usize = texts.map(String::len).sum();
        if bytes > MOST_BYTES {
            return Err(format!(
                "they have {bytes} bytes, and all together may have {MOST_BYTES}"
            ));
        }
        Ok(())
    }

    /// Takes in taints: a list of mappings of `key`, `value` and `effect`, or of texts as kubectl takes them.
    pub fn taints(&mut self, value: &Value) -> Result<(), String> {
        self.taints = BTreeMap::new();
        let items = match value {
            Value::Null => return Ok(()),
            Value::Array(items) => items,
            other => {
                return Err(format!(
                    "{} is not a list: write [\"dedicated=db:NoSchedule\"]",
                    shown(other)
                ));
            }
        };
        for item in items {
            let (id, value) = taint(item).map_err(|why| format!("{}: {why}", shown(item)))?;
            if self.taints.insert(id.clone(), value).is_some() {
                return Err(format!("{} is there twice", id.text()));
            }
        }
        Ok(())
    }
}

const LABEL_VALUE: &str = "a label's value has up to 63 letters, digits, `-`, `_` and `.`, and begins and ends with a letter or digit";

const KEY: &str = "a key is a name of up to 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit, \
                   after a domain and `/` where it has one";

/// A value as its author would know it.
fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(60) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn texts(
    value: &Value,
    fits: impl Fn(&str) -> bool,
    rule: &str,
) -> Result<BTreeMap<String, Option<String>>, String> {
    let map = match value {
        Value::Null => return Ok(BTreeMap::new()),
        Value::Object(map) => map,
        other => {
            return Err(format!(
                "{} is not a mapping: write {{key: \"value\"}}",
                shown(other)
            ));
        }
    };
    let pair = |(key, value): (&String, &Value)| {
        if !is_key(key) {
            return Err(format!("`{key}` is not a valid key: {KEY}"));
        }
        match value {
            Value::Null => Ok((key.clone(), None)),
            Value::String(text) if fits(text) => Ok((key.clone(), Some(text.clone()))),
            Value::String(_) => Err(format!("{key} is {}: {rule}", shown(value))),
            // What was written (`1.30`, `on`) is not known any more.
            Value::Bool(_) | Value::Number(_) => Err(format!(
                "{key} is {value}, and no text: write it in quotes, {key}: \"{value}\" (or as you meant it)"
            )),
            other => Err(format!("{key} is {}, and no text", shown(other))),
        }
    };
    map.iter().map(pair).collect()
}

/// A taint with its value; without one where it is to go.
fn taint(item: &Value) -> Result<(TaintId, Option<String>), String> {
    let (key, value, effect, gone) = match item {
        Value::String(text) => {
            let (text, gone) = match text.strip_suffix('-') {
                Some(text) => (text, true),
                None => (text.as_str(), false),
            };
            let (pair, effect) = text.split_once(':').unwrap_or((text, ""));
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key, value, effect, gone)
        }
        Value::Object(map) => {
            if let Some(other) = map
                .keys()
                .find(|key| !["key", "value", "effect"].contains(&key.as_str()))
            {
                return Err(format!(
                    "`{other}` is not one of `key`, `value` and `effect`"
                ));
            }
            let text = |name: &str| match &item[name] {
                Value::Null => Ok(""),
                Value::String(text) => Ok(text.as_str()),
                other => Err(format!(
                    "{name} is {other}, and no text: write it in quotes"
                )),
            };
            (text("key")?, text("value")?, text("effect")?, false)
        }
        _ => {
            return Err(
                "it is neither a text like dedicated=db:NoSchedule nor a mapping".to_owned(),
            );
        }
    };
    if !is_key(key) {
        return Err(format!("`{key}` is not a valid key: {KEY}"));
    }
    if !is_label_value(value) {
        return Err(LABEL_VALUE.to_owned());
    }
    if !(EFFECTS.contains(&effect) || gone && effect.is_empty()) {
        return Err(format!(
            "`{effect}` is not an effect: there are {}",
            EFFECTS.join(", ")
        ));
    }
    let id = TaintId {
        key: key.to_owned(),
        effect: effect.to_owned(),
    };
    Ok((id, (!gone).then(|| value.to_owned())))
}

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

fn is_word(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.len() <= 63
        && text.chars().all(inner)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_word(text)
}

fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        // A domain has the form of a Node's name.
        Some((domain, name)) => forms::is_node_name(domain) && is_word(name),
        None => is_word(text),
    }
}

/// What was set on a Node before, by the keys: of these, and of no other, what is not wished for any more goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The Node that it was: another of the same name begins with nothing.
    uid: String,
    labels: BTreeSet<String>,
    annotations: BTreeSet<String>,
    taints: BTreeSet<String>,
}

impl Record {
    /// Reads what [`Record::text`] wrote; what is none is as if nothing had been set.
    pub fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let set = |key: &str| {
            let items = value[key].as_array().into_iter().flatten();
            items
                .filter_map(|item| Some(item.as_str()?.to_owned()))
                .collect()
        };
        Self {
            uid: value["uid"].as_str().unwrap_or_default().to_owned(),
            labels: set("labels"),
            annotations: set("annotations"),
            taints: set("taints"),
        }
    }

    /// As one text.
    pub fn text(&self) -> String {
        json!({"uid": self.uid, "labels": self.labels, "annotations": self.annotations, "taints": self.taints})
            .to_string()
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty() && self.taints.is_empty()
    }

    /// What was set, or is about to be.
    fn and(&self, other: &Self) -> Self {
        let both =
            |one: &BTreeSet<String>, other: &BTreeSet<String>| one.union(other).cloned().collect();
        Self {
            uid: other.uid.clone(),
            labels: both(&self.labels, &other.labels),
            annotations: both(&self.annotations, &other.annotations),
            taints: both(&self.taints, &other.taints),
        }
    }
}

/// What is to be done with a Node.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// What changes, each in some words.
    pub changes: Vec<String>,
    /// As a merge patch of the Node; nothing where nothing changes.
    pub patch: Option<Value>,
    /// The record while it is being done, and when it is.
    pub records: [Record; 2],
}

/// What `wishes` change of a Node on which `record` was set before.
pub fn plan(node: &Value, wishes: &Wishes, record: &Record) -> Plan {
    let uid = node["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let nothing = Record::default();
    let record = if record.uid == uid { record } else { &nothing };
    let mut changes = Vec::new();
    let labels = texts_patch(
        "label",
        &node["metadata"]["labels"],
        &wishes.labels,
        &record.labels,
        &mut changes,
    );
    let annotations = texts_patch(
        "annotation",
        &node["metadata"]["annotations"],
        &wishes.annotations,
        &record.annotations,
        &mut changes,
    );
    let taints = taints_patch(
        &node["spec"]["taints"],
        &wishes.taints,
        &record.taints,
        &mut changes,
    );
    let mut patch = json!({});
    for (key, map) in [("labels", labels), ("annotations", annotations)] {
        if !map.is_empty() {
            patch["metadata"][key] = map.into();
        }
    }
    if let Some(taints) = taints {
        // The whole list is replaced: only if nobody has changed the Node in between.
        patch["metadata"]["resourceVersion"] = node["metadata"]["resourceVersion"].clone();
        patch["spec"]["taints"] = taints.into();
    }
    let keys = |map: &BTreeMap<String, Option<String>>| {
        let kept = map.iter().filter(|(_, value)| value.is_some());
        kept.map(|(key, _)| key.clone()).collect()
    };
    let after = Record {
        uid,
        labels: keys(&wishes.labels),
        annotations: keys(&wishes.annotations),
        taints: wishes
            .taints
            .iter()
            .filter(|(_, value)| value.is_some())
            .map(|(id, _)| id.text())
            .collect(),
    };
    Plan {
        patch: (!changes.is_empty()).then_some(patch),
        changes,
        records: [record.and(&after), after],
    }
}

/// The part of a merge patch for a mapping of texts.
fn texts_patch(
    what: &str,
    now: &Value,
    wishes: &BTreeMap<String, Option<String>>,
    record: &BTreeSet<String>,
    changes: &mut Vec<String>,
) -> Map<String, Value> {
    let mut patch = Map::new();
    let former = record.iter().map(|key| (key, &None));
    for (key, wish) in wishes
        .iter()
        .chain(former.filter(|(key, _)| !wishes.contains_key(*key)))
    {
        let there = now[key.as_str()].as_str();
        if there == wish.as_deref() {
            continue;
        }
        changes.push(match (wish, there) {
            (None, _) => format!("{what} {key} removed"),
            (Some(value), None) => format!("{what} {key}={}", brief(value)),
            (Some(value), Some(there)) => {
                format!("{what} {key}={} (was {})", brief(value), brief(there))
            }
        });
        patch.insert(key.clone(), json!(wish));
    }
    patch
}

/// A value, or the beginning of one that is long, on one line.
fn brief(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(63) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// All taints as they are to be, if that is other than they are.
fn taints_patch(
    now: &Value,
    wishes: &BTreeMap<TaintId, Option<String>>,
    record: &BTreeSet<String>,
    changes: &mut Vec<String>,
) -> Option<Vec<Value>> {
    let before = now.as_array().cloned().unwrap_or_default();
    let wish = |id: &TaintId| {
        let whole = TaintId {
            effect: String::new(),
            ..id.clone()
        };
        wishes.get(id).or_else(|| wishes.get(&whole))
    };
    let changed = changes.len();
    let mut after = Vec::new();
    let mut there = BTreeSet::new();
    for mut taint in before {
        let id = TaintId::of(&taint);
        let value = taint["value"].as_str().unwrap_or_default().to_owned();
        match wish(&id) {
            Some(None) => {
                changes.push(format!("taint {} removed", id.text()));
                continue;
            }
            None if record.contains(&id.text()) => {
                changes.push(format!("taint {} removed", id.text()));
                continue;
            }
            Some(Some(wanted)) if *wanted != value => {
                changes.push(format!(
                    "taint {}={wanted}:{} (was {value})",
                    id.key, id.effect
                ));
                taint["value"] = json!(wanted);
            }
            _ => {}
        }
        there.insert(id);
        after.push(taint);
    }
    for (id, value) in wishes {
        if let Some(value) = value
            && !there.contains(id)
        {
            let sign = if value.is_empty() { "" } else { "=" };
            changes.push(format!("taint {}{sign}{value}:{}", id.key, id.effect));
            let mut taint = json!({"key": id.key, "effect": id.effect});
            if !value.is_empty() {
                taint["value"] = json!(value);
            }
            after.push(taint);
        }
    }
    (changes.len() > changed).then_some(after)
}

#[cfg(test)]
#[path = "node_wishes_tests.rs"]
mod tests;
