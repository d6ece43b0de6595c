//! Lookups that only rearrange what they are given.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::table::{Call, Lookup};
use crate::template::error::TemplateError;
use crate::template::eval::items as items_of;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static LOOKUPS: &[Lookup] = &[
    Lookup {
        name: "items",
        run: items,
    },
    Lookup {
        name: "list",
        run: list,
    },
];

/// The terms, with lists among them opened by one level.
fn items(call: &mut Call<'_, '_>) -> Result<Vec<Value>> {
    let mut flat = Vec::new();
    for term in std::mem::take(&mut call.terms) {
        if term.kind() == ValueKind::Seq {
            flat.extend(items_of(&term)?);
        } else {
            flat.push(term);
        }
    }
    Ok(flat)
}

/// The terms as they are.
fn list(call: &mut Call<'_, '_>) -> Result<Vec<Value>> {
    Ok(std::mem::take(&mut call.terms))
}
