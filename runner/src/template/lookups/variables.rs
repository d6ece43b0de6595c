//! Lookups of variables and hosts.

use minijinja::Value;

use super::call::{Lookup, LookupCall};
use crate::template::error::TemplateError;
use crate::template::python::string;
use crate::template::regex::{self, Flags};
use crate::template::special::failed;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static LOOKUPS: &[Lookup] = &[
    Lookup {
        name: "vars",
        run: vars,
    },
    Lookup {
        name: "varnames",
        run: varnames,
    },
];

fn vars(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let default = call
        .option("default")
        .filter(|default| !default.is_none())
        .cloned();
    call.terms
        .iter()
        .map(|term| {
            let name = string(term);
            match (call.eval.shared.scope.get(&name), &default) {
                (Some(value), _) => value,
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Ok(failed(TemplateError::undefined(name))),
            }
        })
        .collect()
}

fn varnames(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let names = call.eval.shared.scope.names();
    let mut out = Vec::new();
    for term in &call.terms {
        let regex = regex::compile(&string(term), Flags::default())?;
        for name in &names {
            if regex::search(&regex, name)?.is_some() {
                out.push(Value::from(name.as_str()));
            }
        }
    }
    Ok(out)
}
