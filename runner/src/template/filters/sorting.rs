//! Sorting as Python does: stable, and only what can be compared.

use minijinja::Value;

use crate::template::error::TemplateError;
use crate::template::eval::place;

/// A list in order.
pub(in crate::template) fn sorted(
    list: Vec<Value>,
    reverse: bool,
    case_sensitive: bool,
) -> Result<Vec<Value>, TemplateError> {
    let keyed = list
        .into_iter()
        .map(|item| (folded(&item, case_sensitive), item))
        .collect();
    by_key(keyed, reverse)
}

/// The key by which text is compared.
pub(super) fn folded(value: &Value, case_sensitive: bool) -> Value {
    match value.as_str() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => value.clone(),
    }
}

/// The second of each pair, in the order of the first.
pub(super) fn by_key(
    mut keyed: Vec<(Value, Value)>,
    reverse: bool,
) -> Result<Vec<Value>, TemplateError> {
    let mut failure = None;
    // However they are compared, two neighbours in the end were compared with each other: what cannot be
    // compared is found.
    let mut compare = |left: &Value, right: &Value| {
        place(left, right, &mut |error| {
            failure.get_or_insert(error);
        })
    };
    if reverse {
        keyed.sort_by(|left, right| compare(&right.0, &left.0));
    } else {
        keyed.sort_by(|left, right| compare(&left.0, &right.0));
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect()),
    }
}
