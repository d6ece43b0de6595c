//! Filters that apply a filter or test to every item: `map`, `select`, `selectattr` …

use minijinja::Value;

use crate::template::error::TemplateError;
use crate::template::eval::{Arguments, Function, Input, integer, item, truth};
use crate::template::python::string;
use crate::template::special::{List, failed, is_undefined};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("map", map, 1, ["*", "**"]),
    filter!("select", select, 1, ["*", "**"]),
    filter!("reject", reject, 1, ["*", "**"]),
    filter!("selectattr", selectattr, 1, ["*", "**"]),
    filter!("rejectattr", rejectattr, 1, ["*", "**"]),
];

/// The attribute that a path such as `a.b.0` leads to, or the default, or something undefined.
pub(super) fn attribute(value: &Value, path: &Value, default: Option<&Value>) -> Value {
    let mut at = value.clone();
    let steps: Vec<Value> = match integer(path) {
        Some(_) => vec![path.clone()],
        None => string(path)
            .split('.')
            .map(|step| {
                step.parse::<i64>()
                    .map_or_else(|_| Value::from(step), Value::from)
            })
            .collect(),
    };
    for step in steps {
        if is_undefined(&at) {
            break;
        }
        at = match (item(&at, &step), default) {
            (Some(found), _) => found,
            (None, Some(default)) => return default.clone(),
            (None, None) => {
                let name = string(path);
                return failed(TemplateError {
                    undefined: Some(name.clone()),
                    ..TemplateError::new(format!(
                        "'{name}' is undefined: an item of type '{}' has no '{}'",
                        crate::template::python::type_name(&at),
                        string(&step)
                    ))
                });
            }
        };
    }
    at
}

fn map(input: &mut Input<'_, '_>) -> Result {
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
        return Ok(List::value(
            list.iter()
                .map(|item| attribute(item, &path, default.as_ref()))
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
            Arguments {
                positional,
                keyword: named.clone(),
            },
        )?);
    }
    Ok(List::value(out))
}

/// The items for which a test has the wanted result; without a test their truth counts.
fn picked(input: &mut Input<'_, '_>, by_attribute: bool, wanted: bool) -> Result {
    let list = input.list(0)?;
    let mut rest = std::mem::take(&mut input.rest);
    let path = match (by_attribute, rest.is_empty()) {
        (true, true) => return Err(input.error("needs the name of an attribute")),
        (true, false) => Some(rest.remove(0)),
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
            Some(path) => attribute(&item, path, None),
            None => item.clone(),
        };
        let result = match &test {
            Some(test) => {
                let mut positional = vec![subject];
                positional.extend(rest.iter().cloned());
                let given = Arguments {
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

fn select(input: &mut Input<'_, '_>) -> Result {
    picked(input, false, true)
}

fn reject(input: &mut Input<'_, '_>) -> Result {
    picked(input, false, false)
}

fn selectattr(input: &mut Input<'_, '_>) -> Result {
    picked(input, true, true)
}

fn rejectattr(input: &mut Input<'_, '_>) -> Result {
    picked(input, true, false)
}
