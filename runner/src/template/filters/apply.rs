//! Filters that apply a filter or test to every item: `map`, `select`, `selectattr` …

use std::cell::RefCell;

use minijinja::Value;

use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, CallArguments, Function, integer, item, truth};
use crate::template::python::{string, type_name};
use crate::template::special::{List, failed, is_undefined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("map", map, 1, ["*", "**"]),
    filter!("select", select, 1, ["*", "**"]),
    filter!("reject", reject, 1, ["*", "**"]),
    filter!("selectattr", selectattr, 1, ["*", "**"]),
    filter!("rejectattr", rejectattr, 1, ["*", "**"]),
];

/// A path such as `a.b.0` to an attribute of each item of a list.
pub(super) struct Path {
    name: String,
    steps: Vec<Value>,
    /// What items lack, by the step and the type that has none: a list may lack it in all of its items.
    missing: RefCell<Vec<((usize, &'static str), Value)>>,
}

impl Path {
    pub(super) fn new(path: &Value) -> Self {
        let name = string(path);
        let steps = match integer(path) {
            Some(_) => vec![path.clone()],
            None => name
                .split('.')
                .map(|step| {
                    step.parse::<i64>()
                        .map_or_else(|_| Value::from(step), Value::from)
                })
                .collect(),
        };
        Self {
            name,
            steps,
            missing: RefCell::default(),
        }
    }

    /// The attribute that it leads to, or the default, or something undefined.
    pub(super) fn of(&self, value: &Value, default: Option<&Value>) -> Value {
        let mut at = value.clone();
        for (index, step) in self.steps.iter().enumerate() {
            if is_undefined(&at) {
                break;
            }
            at = match (item(&at, step), default) {
                (Some(found), _) => found,
                (None, Some(default)) => return default.clone(),
                (None, None) => return self.lacks(index, type_name(&at)),
            };
        }
        at
    }

    fn lacks(&self, index: usize, kind: &'static str) -> Value {
        let mut missing = self.missing.borrow_mut();
        if let Some((_, known)) = missing.iter().find(|(of, _)| *of == (index, kind)) {
            return known.clone();
        }
        let (name, step) = (&self.name, string(&self.steps[index]));
        let error = failed(TemplateError {
            undefined: Some(name.clone()),
            ..TemplateError::new(format!(
                "'{name}' is undefined: an item of type '{kind}' has no '{step}'"
            ))
        });
        missing.push(((index, kind), error.clone()));
        error
    }
}

fn map(input: &mut BoundArguments<'_, '_>) -> Result {
    let list = input.list(0)?;
    if input.rest.is_empty() {
        let named = |name: &str| {
            input
                .named
                .iter()
                .find(|(given, _)| &**given == name)
                .map(|(_, value)| value.clone())
        };
        let path = named("attribute")
            .ok_or_else(|| input.error("needs the name of a filter, or 'attribute'"))?;
        let default = named("default");
        let path = Path::new(&path);
        return Ok(List::value(
            list.iter()
                .map(|item| path.of(item, default.as_ref()))
                .collect(),
        ));
    }
    let name = string(&input.rest.remove(0));
    let (rest, named) = (
        std::mem::take(&mut input.rest),
        std::mem::take(&mut input.named),
    );
    let mut out = Vec::with_capacity(list.len());
    for item in list {
        let mut positional = vec![item];
        positional.extend(rest.iter().cloned());
        out.push(input.eval.apply_filter(
            &name,
            CallArguments {
                positional,
                keyword: named.clone(),
            },
        )?);
    }
    Ok(List::value(out))
}

/// The items for which a test has the wanted result; without a test their truth counts.
fn picked(input: &mut BoundArguments<'_, '_>, by_attribute: bool, wanted: bool) -> Result {
    let list = input.list(0)?;
    let mut rest = std::mem::take(&mut input.rest);
    let path = match (by_attribute, rest.is_empty()) {
        (true, true) => return Err(input.error("needs the name of an attribute")),
        (true, false) => Some(Path::new(&rest.remove(0))),
        (false, _) => None,
    };
    let test = if rest.is_empty() {
        None
    } else {
        Some(string(&rest.remove(0)))
    };
    let named = std::mem::take(&mut input.named);
    let mut out = Vec::new();
    for item in list {
        let subject = match &path {
            Some(path) => path.of(&item, None),
            None => item.clone(),
        };
        let result = match &test {
            Some(test) => {
                let mut positional = vec![subject];
                positional.extend(rest.iter().cloned());
                let given = CallArguments {
                    positional,
                    keyword: named.clone(),
                };
                truth(&input.eval.test_by_name(test, given)?)?
            }
            None => truth(&subject)?,
        };
        if result == wanted {
            out.push(item);
        }
    }
    Ok(List::value(out))
}

fn select(input: &mut BoundArguments<'_, '_>) -> Result {
    picked(input, false, true)
}

fn reject(input: &mut BoundArguments<'_, '_>) -> Result {
    picked(input, false, false)
}

fn selectattr(input: &mut BoundArguments<'_, '_>) -> Result {
    picked(input, true, true)
}

fn rejectattr(input: &mut BoundArguments<'_, '_>) -> Result {
    picked(input, true, false)
}
