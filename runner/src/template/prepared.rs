//! Nodes and conditions that are read once and rendered often: for many hosts, for the items of a loop, for
//! each try.

use std::sync::Arc;

use minijinja::Value;

use super::error::TemplateError;
use super::render;
use super::scope::Scope;
use super::special::is_omit;
use super::templar::{ConditionResult, Templar, encrypted, is_template, is_whole, judged};
use super::trust::{Code, Expression, KeptCode, users};
use crate::yaml::{self, Node, Tag};

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// A node of which everything is known but what its templates come to.
#[derive(Debug)]
pub struct PreparedValue(PreparedKind);

#[derive(Debug)]
enum PreparedKind {
    /// No template: the same for all.
    Known(Value),
    Text(Box<KeptCode>),
    List(Vec<PreparedValue>),
    Mapping(Vec<(PreparedValue, PreparedValue)>),
    /// What cannot be rendered. That is told where it is rendered, and not where it is never asked for.
    Broken(Box<TemplateError>),
}

impl PreparedValue {
    /// Reads a node.
    pub fn new(node: &Node) -> Self {
        Self(match (&node.tag, &node.value) {
            (Some(Tag::Vault), _) => PreparedKind::Broken(Box::new(encrypted(&node.span))),
            (_, yaml::Value::String(text)) => match Code::of_node(node) {
                Some(code) if is_template(code.text()) => {
                    PreparedKind::Text(Box::new(code.kept(Some(&node.span))))
                }
                Some(code) => PreparedKind::Known(users(code.text())),
                None => PreparedKind::Known(Value::from(text.as_str())),
            },
            (_, yaml::Value::Sequence(items)) => {
                PreparedKind::List(items.iter().map(Self::new).collect())
            }
            (_, yaml::Value::Mapping(mapping)) => {
                let entries = mapping.entries.iter();
                let entries = entries.map(|(key, value)| (Self::new(key), Self::new(value)));
                PreparedKind::Mapping(entries.collect())
            }
            (_, value) => PreparedKind::Known(render::scalar(value)),
        })
        .known()
    }

    /// Reads a string that is a template as a whole: the name of a variable in braces, say. Nothing for others.
    pub fn whole(node: &Node) -> Option<Self> {
        let code = Code::of_node(node).filter(|code| is_whole(code.text()))?;
        Some(Self(PreparedKind::Text(Box::new(
            code.trimmed().kept(Some(&node.span)),
        ))))
    }

    /// A list or mapping without templates is the same for all.
    fn known(self) -> Self {
        match self.0 {
            PreparedKind::List(items) => match items
                .iter()
                .map(Self::is_known)
                .collect::<Option<Vec<Value>>>()
            {
                Some(values) => Self(PreparedKind::Known(Value::from(values))),
                None => Self(PreparedKind::List(items)),
            },
            PreparedKind::Mapping(entries) => {
                let pairs = entries.iter();
                let pairs = pairs.map(|(key, value)| Some((key.is_known()?, value.is_known()?)));
                match pairs.collect::<Option<Vec<_>>>() {
                    Some(pairs) => Self(PreparedKind::Known(Value::from_pairs(pairs))),
                    None => Self(PreparedKind::Mapping(entries)),
                }
            }
            other => Self(other),
        }
    }

    /// The value, where it is the same for all.
    pub fn is_known(&self) -> Option<Value> {
        match &self.0 {
            PreparedKind::Known(value) => Some(value.clone()),
            _ => None,
        }
    }
}

/// A condition of which everything is known but what its expressions come to.
#[derive(Debug)]
pub struct PreparedCondition(Test);

#[derive(Debug)]
enum Test {
    Known(ConditionResult),
    Holds(Expression),
    All(Vec<PreparedCondition>),
    Broken(Box<TemplateError>),
}

impl PreparedCondition {
    /// Reads a condition (`when`, `until`, `changed_when` …).
    pub fn new(node: &Node) -> Self {
        Self(if let Some(items) = node.as_sequence() {
            Test::All(items.iter().map(Self::new).collect())
        } else if node.as_str().is_none() {
            Test::Known(judged(&render::scalar(&node.value), None))
        } else {
            Expression::of_node(node)
                .map_or_else(|error| Test::Broken(Box::new(error)), Test::Holds)
        })
    }
}

impl Templar {
    /// [`Self::holds_prepared`] of a condition that is asked for once.
    pub fn condition(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<ConditionResult> {
        self.holds_prepared(&PreparedCondition::new(node), scope)
    }

    /// What [`Templar::render`] gives of the node.
    pub fn render_prepared(&self, prepared: &PreparedValue, scope: &Arc<dyn Scope>) -> Result {
        match &prepared.0 {
            PreparedKind::Known(value) => Ok(value.clone()),
            PreparedKind::Broken(error) => Err((**error).clone()),
            PreparedKind::Text(text) => self.render_kept(text, scope),
            PreparedKind::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    let value = self.render_prepared(item, scope)?;
                    if !is_omit(&value) {
                        list.push(value);
                    }
                }
                Ok(Value::from(list))
            }
            PreparedKind::Mapping(entries) => {
                let mut pairs = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let value = self.render_prepared(value, scope)?;
                    if !is_omit(&value) {
                        pairs.push((self.render_prepared(key, scope)?, value));
                    }
                }
                Ok(Value::from_pairs(pairs))
            }
        }
    }

    /// Whether a condition (`when`, `until`, `changed_when` …) holds. A list holds if all its items do; the first that does not ends it.
    pub fn holds_prepared(
        &self,
        condition: &PreparedCondition,
        scope: &Arc<dyn Scope>,
    ) -> Result<ConditionResult> {
        match &condition.0 {
            Test::Known(condition) => Ok(condition.clone()),
            Test::Broken(error) => Err((**error).clone()),
            Test::Holds(expression) => self.holds(expression, scope),
            Test::All(items) => {
                let mut all = ConditionResult {
                    truth: true,
                    warning: None,
                };
                for item in items {
                    let one = self.holds_prepared(item, scope)?;
                    all.warning = all.warning.or(one.warning);
                    all.truth = one.truth;
                    if !all.truth {
                        break;
                    }
                }
                Ok(all)
            }
        }
    }
}
