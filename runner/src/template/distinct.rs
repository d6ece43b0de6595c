//! Which values were seen before, by what they are.
//!
//! The values' own hash is of no use for that: two mappings with the same entries in another order are
//! equal and have different ones.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use minijinja::Value;
use minijinja::value::ValueKind;

use super::error::TemplateError;
use super::eval::RenderShared;

/// Deeper than any value is.
const DEEPEST: usize = 200;

/// Values, each once.
#[derive(Default)]
pub(super) struct Distinct {
    hasher: RandomState,
    seen: HashMap<u64, Vec<Value>>,
}

impl Distinct {
    /// These values, each once.
    pub(super) fn of<'v>(
        shared: &RenderShared<'_>,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> Result<Self, TemplateError> {
        let mut distinct = Self::default();
        for value in values {
            distinct.insert(shared, value)?;
        }
        Ok(distinct)
    }

    /// Puts a value in; tells whether it is new.
    pub(super) fn insert(
        &mut self,
        shared: &RenderShared<'_>,
        value: &Value,
    ) -> Result<bool, TemplateError> {
        shared.look_through(value)?;
        let same = self.seen.entry(self.hash(value, 0)).or_default();
        let new = !same.contains(value);
        if new {
            same.push(value.clone());
        }
        Ok(new)
    }

    /// Whether a value is in it.
    pub(super) fn contains(
        &self,
        shared: &RenderShared<'_>,
        value: &Value,
    ) -> Result<bool, TemplateError> {
        shared.look_through(value)?;
        let same = self.seen.get(&self.hash(value, 0));
        Ok(same.is_some_and(|same| same.contains(value)))
    }

    fn hash(&self, value: &Value, depth: usize) -> u64 {
        if depth > DEEPEST {
            return 0;
        }
        match value.kind() {
            ValueKind::Map => {
                let keys = value.try_iter().into_iter().flatten();
                keys.map(|key| {
                    let member = value.get_item(&key).unwrap_or_default();
                    let pair = (self.hash(&key, depth + 1), self.hash(&member, depth + 1));
                    self.hasher.hash_one(pair)
                })
                .fold(1, u64::wrapping_add)
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let items = value.try_iter().into_iter().flatten();
                items.fold(0, |hash, item| {
                    self.hasher.hash_one((hash, self.hash(&item, depth + 1)))
                })
            }
            _ => self.hasher.hash_one(value),
        }
    }
}
