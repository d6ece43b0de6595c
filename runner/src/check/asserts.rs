//! A task that is there to fail under conditions, on one host: whether it is sure to, and what it says.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::item::Item;
use super::modules;
use crate::playbook::{Keyword, TaskAction};
use crate::template::{Scope, Syntax, Templar, display};
use crate::vars::Foresight;
use crate::yaml::{self, Node, Span};

/// How a task fails.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Failing {
    /// The condition of an `assert`; of a `fail`, the first one, or the items of its loop.
    pub(super) span: Span,
    /// What is wrong with that.
    pub(super) why: &'static str,
    /// What it says, where that is known and may be shown.
    pub(super) message: Option<String>,
}

/// A task that is there to fail under conditions.
pub(super) struct Refusal<'a> {
    item: &'a Item,
    /// The conditions, all of which must hold; without any, those around the task say when it fails.
    that: Option<Node>,
    /// What it says, if that may be shown.
    message: Option<Node>,
}

impl<'a> Refusal<'a> {
    /// Nothing for other tasks, and where something takes care of the failure.
    pub(super) fn of(item: &'a Item) -> Option<Self> {
        let module = modules::of(item)?;
        let refusing = module.refusing?;
        if let TaskAction::Module {
            more: Some(more), ..
        } = &item.task.action
        {
            more.as_mapping()?;
        }
        let arguments = modules::arguments(item).filter(|_| !item.is_forgiven())?;
        let written = |name: &str| {
            let mut entries = arguments.iter();
            let named = entries.find(|(key, _)| {
                let argument = key.as_str().and_then(|key| module.argument(key));
                argument.is_some_and(|argument| argument.name == name)
            });
            named.map(|(_, value)| value.clone())
        };
        let that = match refusing.unless {
            Some(name) => Some(written(name)?),
            None => None,
        };
        let no_log = item.inherited().filter_map(|common| common.no_log.as_ref());
        let shown = matches!(no_log.last(), None | Some(Keyword::Known(false, _)));
        let message = written(refusing.message).filter(|_| shown);
        Some(Self {
            item,
            that,
            message,
        })
    }

    /// How it fails, if it is sure to; its conditions hold, and `scope` is the host's.
    pub(super) fn fails(
        &self,
        templar: &Templar,
        foresight: &Foresight,
        scope: &Arc<dyn Scope>,
    ) -> Option<Failing> {
        let (span, why) = match &self.that {
            Some(that) => (broken(that, templar, foresight, scope)?, "does not hold"),
            // One that always fails is no word on what the user gave.
            None => self.asked(templar)?,
        };
        let said = self.message.as_ref().and_then(|message| {
            let said = foresight.known(|| templar.render(message, scope))?;
            Some(text(&said))
        });
        Some(Failing {
            span,
            why,
            message: said.filter(|text| !text.is_empty()),
        })
    }

    /// The first condition around it that is about something that can be set, or else what it loops over.
    fn asked(&self, templar: &Templar) -> Option<(Span, &'static str)> {
        let own = self.item.task.common.when.iter();
        let all = own.chain(self.item.own_conditions());
        let mut asked = all.filter(|condition| names_any(condition, templar));
        if let Some(condition) = asked.next() {
            return Some((condition.span.clone(), "holds"));
        }
        let items = &self.item.task.looping.as_ref()?.items;
        let found = templar.syntax_check(items, Syntax::Text).ok()?;
        (!found.variables.is_empty()).then(|| (items.span.clone(), "has items"))
    }
}

/// The first of the conditions that is known not to hold.
fn broken(
    that: &Node,
    templar: &Templar,
    foresight: &Foresight,
    scope: &Arc<dyn Scope>,
) -> Option<Span> {
    let conditions = that.as_sequence().unwrap_or(std::slice::from_ref(that));
    let broken = conditions.iter().find(|condition| {
        let holds = || foresight.known(|| templar.condition(condition, scope));
        names_any(condition, templar) && holds().is_some_and(|holds| !holds.truth)
    });
    broken.map(|condition| condition.span.clone())
}

/// Whether a condition names a variable: without any, it is no word on what the user gave.
fn names_any(condition: &Node, templar: &Templar) -> bool {
    match &condition.value {
        yaml::Value::String(_) => templar
            .syntax_check(condition, Syntax::Expression)
            .is_ok_and(|references| !references.variables.is_empty()),
        yaml::Value::Sequence(items) => items.iter().any(|item| names_any(item, templar)),
        _ => false,
    }
}

/// A message as one text: the lines of a list below each other.
fn text(said: &Value) -> String {
    match (said.kind(), said.try_iter()) {
        (ValueKind::Seq, Ok(lines)) => {
            let lines = lines.map(|line| display(&line));
            lines.collect::<Vec<_>>().join("\n")
        }
        _ => display(said),
    }
    .trim()
    .to_owned()
}
