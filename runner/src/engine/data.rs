//! What a result holds, each thing once: whoever registers it, asks about it or reports it shares it.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use minijinja::value::{Enumerator, Object, ValueKind};
use serde_json::{Map, Value as Json};
use windlass_modules::outcome::Transcripts;
use windlass_modules::transcript::{Account, Full, Held, Transcript, Writer};

use crate::template;

/// A text in a module's answer that is longer is kept as what programs print is.
const LONG: usize = 64 << 10;
/// What a value costs beside its text.
const NODE: u64 = 64;

/// A value by its name, or a text and its lines.
#[derive(Debug, Clone)]
pub(crate) enum DataEntry {
    Value(Value),
    Text(Transcript),
    Lines(Transcript),
}

/// What a result holds. Cloning it copies names and shares values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    entries: IndexMap<String, DataEntry>,
    /// What is drawn for the values.
    held: Option<Held>,
}

impl Data {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// What a module gave: values, and texts with their lines. What is long draws on `account`.
    pub(crate) fn of(
        values: Map<String, Json>,
        printed: Transcripts,
        account: &Arc<Account>,
    ) -> Result<Self, Full> {
        let mut data = Self::new();
        let mut weight = 0;
        for (name, value) in values {
            let entry = match value {
                Json::String(text) if text.len() > LONG => DataEntry::Text(kept(&text, account)?),
                value => {
                    weight += weigh(&value);
                    DataEntry::Value(template::from_json(&value))
                }
            };
            data.entries.insert(name, entry);
        }
        if weight > LONG as u64 {
            data.held = Some(account.hold(weight)?);
        }
        for (name, text) in printed {
            data.print(name, text);
        }
        Ok(data)
    }

    /// Adds a text and its lines.
    pub(crate) fn print(&mut self, name: &str, text: Transcript) {
        let lines = DataEntry::Lines(text.clone());
        self.entries.insert(name.to_owned(), DataEntry::Text(text));
        self.entries.insert(format!("{name}_lines"), lines);
    }

    pub(crate) fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.entries
            .insert(name.into(), DataEntry::Value(value.into()));
    }

    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        self.entries.get(name).map(DataEntry::value)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &DataEntry)> {
        self.entries
            .iter()
            .map(|(name, entry)| (name.as_str(), entry))
    }

    /// As JSON, without long texts, and without lines: those are in the texts.
    pub(crate) fn plain(&self) -> Map<String, Json> {
        let entries = self.entries.iter().filter_map(|(name, entry)| {
            let value = match entry {
                DataEntry::Value(value) => plain(value),
                DataEntry::Text(text) if text.len() <= LONG as u64 => {
                    text.whole().ok()?.as_ref().into()
                }
                DataEntry::Text(_) | DataEntry::Lines(_) => return None,
            };
            Some((name.clone(), value))
        });
        entries.collect()
    }

    /// As a mapping for templates, in which texts are read when they are used.
    pub(crate) fn into_value(self) -> Value {
        Value::from_object(Registered(self))
    }

    /// The data that a value is the mapping of.
    pub(crate) fn of_value(value: &Value) -> Option<&Self> {
        let registered = value.downcast_object_ref::<Registered>()?;
        Some(&registered.0)
    }
}

fn plain(value: &Value) -> Json {
    if let Some(data) = Data::of_value(value) {
        return data.plain().into();
    }
    match value.kind() {
        ValueKind::Seq => value
            .try_iter()
            .into_iter()
            .flatten()
            .map(|item| plain(&item))
            .collect(),
        _ => template::to_json(value),
    }
}

impl DataEntry {
    fn value(&self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Text(text) => template::kept::text(text),
            Self::Lines(text) => template::kept::lines(text),
        }
    }
}

/// What is drawn for a value that a host keeps beside results; nothing for a short one.
pub(crate) fn hold(value: &Json, account: &Arc<Account>) -> Result<Option<Held>, Full> {
    hold_weight(weigh(value), account)
}

/// The same for many that come together.
pub(crate) fn hold_all(
    values: &Map<String, Json>,
    account: &Arc<Account>,
) -> Result<Option<Held>, Full> {
    hold_weight(weigh_all(values), account)
}

fn hold_weight(weight: u64, account: &Arc<Account>) -> Result<Option<Held>, Full> {
    if weight <= LONG as u64 {
        return Ok(None);
    }
    account.hold(weight).map(Some)
}

/// A long text of a module's answer.
fn kept(text: &str, account: &Arc<Account>) -> Result<Transcript, Full> {
    let mut writer = Writer::keeping(account);
    for piece in text.as_bytes().chunks(LONG) {
        writer.push(piece)?;
    }
    Ok(writer.finish()?.transcript(false))
}

/// About how many bytes a value takes.
fn weigh(value: &Json) -> u64 {
    NODE + match value {
        Json::String(text) => text.len() as u64,
        Json::Array(items) => items.iter().map(weigh).sum(),
        Json::Object(entries) => weigh_all(entries),
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    }
}

fn weigh_all(entries: &Map<String, Json>) -> u64 {
    let weights = entries.iter();
    weights
        .map(|(key, value)| NODE + key.len() as u64 + weigh(value))
        .sum()
}

/// What `register` keeps, as a mapping.
#[derive(Debug)]
struct Registered(Data);

impl Object for Registered {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.get(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.0.entries.keys().map(|name| Value::from(name.as_str()));
        Enumerator::Values(names.collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_modules::transcript::{Bounds, Ledger};

    use super::*;

    fn map(value: &Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_text_and_its_lines_are_one_text() {
        let ledger = Ledger::default();
        let printed = vec![("stdout", "a\nb\n".into())];
        let data = Data::of(map(&json!({"rc": 0})), printed, &ledger.account("h")).unwrap();
        let value = data.into_value();
        assert_eq!(
            template::to_json(&value),
            json!({"rc": 0, "stdout": "a\nb\n", "stdout_lines": ["a", "b"]})
        );
    }

    #[test]
    fn a_long_value_is_drawn_for_as_long_as_somebody_has_it_and_refused_where_there_is_no_room() {
        let bounds = Bounds {
            memory: 4 << 20,
            disk: 4 << 20,
        };
        let ledger = Ledger::new(bounds);
        let account = ledger.account("h");
        let of = |value: &Json| Data::of(map(value), Vec::new(), &account);
        let text = of(&json!({"content": "x".repeat(3 << 20)})).unwrap();
        assert_eq!(ledger.drawn(), (0, 3 << 20));
        let list = of(&json!({"items": vec!["x"; 30_000]}))
            .unwrap()
            .into_value();
        assert_eq!(ledger.drawn().0, 30_000 * 65 + 2 * 64 - 64);
        assert!(matches!(
            of(&json!({"items": vec!["x"; 30_000]})),
            Err(Full::Kept(_))
        ));
        let again = list.clone();
        drop((text, list));
        assert_eq!(ledger.drawn(), (30_000 * 65 + 64, 0));
        drop(again);
        assert_eq!(ledger.drawn(), (0, 0));
    }
}
