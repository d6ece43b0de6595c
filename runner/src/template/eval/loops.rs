//! `for` loops and what `loop` tells inside them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Value;
use minijinja::value::{DynObject, Object, ObjectRepr};

use super::access::items;
use super::call::CallArguments;
use super::flow::Flow;
use super::output::TemplateOutput;
use super::state::{Eval, RenderShared};
use crate::template::error::TemplateError;
use crate::template::limits::put_in;
use crate::template::special::{as_places, bury, failed, is_undefined};
use crate::template::tree::For;

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// `loop`, for one turn.
pub(in crate::template) struct Loop {
    index: usize,
    items: Arc<[Value]>,
    depth: usize,
    /// The loop itself, if it says `recursive`.
    again: Option<Arc<For>>,
    /// What `loop.changed` was last given, shared by all turns.
    last: Arc<Mutex<Option<Vec<Value>>>>,
}

impl fmt::Debug for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<loop {}/{}>", self.index + 1, self.items.len())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if let Some(items) = Arc::get_mut(&mut self.items) {
            bury(items.iter_mut().map(std::mem::take));
        }
        if let Some(last) = Arc::get_mut(&mut self.last) {
            let last = last.get_mut().unwrap_or_else(PoisonError::into_inner);
            bury(last.take().into_iter().flatten());
        }
    }
}

impl Object for Loop {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        as_places(self, other)
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let length = self.items.len();
        let neighbour = |index: Option<usize>, what: &str| {
            index
                .and_then(|index| self.items.get(index))
                .cloned()
                .unwrap_or_else(|| failed(TemplateError::undefined(format!("loop.{what}"))))
        };
        Some(match key {
            "index" => Value::from(self.index + 1),
            "index0" => Value::from(self.index),
            "revindex" => Value::from(length - self.index),
            "revindex0" => Value::from(length - self.index - 1),
            "first" => Value::from(self.index == 0),
            "last" => Value::from(self.index + 1 == length),
            "length" => Value::from(length),
            "depth" => Value::from(self.depth + 1),
            "depth0" => Value::from(self.depth),
            "previtem" => neighbour(self.index.checked_sub(1), "previtem"),
            "nextitem" => neighbour(self.index.checked_add(1), "nextitem"),
            _ => return None,
        })
    }
}

impl Loop {
    /// The values that it holds.
    pub(in crate::template) fn holds(&self) -> Vec<Value> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.iter().flatten();
        self.items.iter().chain(last).cloned().collect()
    }

    fn remember(&self, values: Option<Vec<Value>>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = values;
    }

    /// `loop.cycle(…)` and `loop.changed(…)`.
    pub(super) fn method(
        &self,
        shared: &RenderShared<'_>,
        name: &str,
        given: &CallArguments,
    ) -> Option<Result> {
        match name {
            "cycle" => Some(match given.positional.len() {
                0 => Err(TemplateError::new(
                    "'loop.cycle' needs something to cycle through",
                )),
                count => Ok(given.positional[self.index % count].clone()),
            }),
            "changed" => {
                let last = (self.last.lock())
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                let new = given.positional.clone();
                let changed = last.as_ref() != Some(&new);
                let value = Value::from(new.clone());
                let kept = put_in(
                    shared,
                    &value,
                    || self.remember(Some(new)),
                    || self.remember(None),
                );
                Some(kept.map(|()| Value::from(changed)))
            }
            _ => None,
        }
    }
}

impl Eval<'_> {
    pub(super) fn for_loop(
        &mut self,
        looped: &Arc<For>,
        output: &mut TemplateOutput,
    ) -> Result<Flow> {
        let list = self.defined(&looped.items)?;
        let list = items(&list).map_err(|error| {
            TemplateError::new(format!("'for' cannot loop over this: {}", error.message))
                .or_at(looped.items.at.clone())
        })?;
        self.turns(looped, list, 0, output)
    }

    fn turns(
        &mut self,
        looped: &Arc<For>,
        list: Vec<Value>,
        depth: usize,
        output: &mut TemplateOutput,
    ) -> Result<Flow> {
        let list = self.wanted(looped, list)?;
        if list.is_empty() {
            return self.scoped(|eval| eval.run(&looped.otherwise, output));
        }
        let list: Arc<[Value]> = list.into();
        let last = Arc::new(Mutex::new(None));
        for index in 0..list.len() {
            let turn = Loop {
                index,
                items: Arc::clone(&list),
                depth,
                again: looped.recursive.then(|| Arc::clone(looped)),
                last: Arc::clone(&last),
            };
            let flow = self.scoped(|eval| {
                eval.assign(&looped.target, list[index].clone())?;
                eval.locals.set(&"loop".into(), Value::from_object(turn));
                eval.run(&looped.body, output)
            })?;
            self.shared.spend(1)?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    /// `loop(items)` in a recursive loop: the same loop over other items, as text.
    pub(super) fn recurse(&mut self, turn: &Loop, given: CallArguments) -> Result {
        let Some(looped) = &turn.again else {
            return Err(TemplateError::new(
                "'loop' can only be called in a loop that says 'recursive'",
            ));
        };
        let list = given.positional.into_iter().next().unwrap_or_default();
        if is_undefined(&list) {
            return Ok(list);
        }
        let list = items(&list)?;
        let mut output = TemplateOutput::default();
        self.nested(|eval| eval.turns(looped, list, turn.depth + 1, &mut output))?;
        output.into_text(self.shared).map(Value::from)
    }

    /// The items that the loop's own `if` keeps.
    fn wanted(&mut self, looped: &For, list: Vec<Value>) -> Result<Vec<Value>> {
        self.shared.spend(list.len())?;
        let Some(condition) = &looped.condition else {
            return Ok(list);
        };
        let mut kept = Vec::new();
        for item in list {
            let keep = self.scoped(|eval| {
                eval.assign(&looped.target, item.clone())?;
                eval.test(condition)
            })?;
            if keep {
                kept.push(item);
            }
        }
        Ok(kept)
    }
}
