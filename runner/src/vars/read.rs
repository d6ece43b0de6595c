//! Reads connection variables: a name, or one of its synonyms, as the type that it must have.

use std::sync::Arc;

use minijinja::Value;

use crate::template::{Scope, TemplateError};

/// The first of `names` that is defined, with the name.
fn first<'a>(
    scope: &Arc<dyn Scope>,
    names: &[&'a str],
) -> Result<Option<(&'a str, Value)>, TemplateError> {
    for name in names {
        if let Some(value) = scope.get(name) {
            let value = value?;
            if !value.is_none() && value.as_str() != Some("") {
                return Ok(Some((name, value)));
            }
        }
    }
    Ok(None)
}

/// As text; numbers are taken as written.
pub(super) fn text(
    scope: &Arc<dyn Scope>,
    names: &[&str],
) -> Result<Option<String>, TemplateError> {
    Ok(first(scope, names)?.map(|(_, value)| value.to_string()))
}

/// As a yes or a no.
pub(super) fn flag(scope: &Arc<dyn Scope>, names: &[&str]) -> Result<Option<bool>, TemplateError> {
    let Some((name, value)) = first(scope, names)? else {
        return Ok(None);
    };
    if let Ok(flag) = bool::try_from(value.clone()) {
        return Ok(Some(flag));
    }
    match value.to_string().to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Ok(Some(true)),
        "no" | "false" | "off" | "0" => Ok(Some(false)),
        other => Err(TemplateError::new(format!(
            "`{name}` must be a yes or a no, not `{other}`"
        ))),
    }
}

/// As a number.
pub(super) fn number<T: std::str::FromStr>(
    scope: &Arc<dyn Scope>,
    names: &[&str],
    what: &str,
) -> Result<Option<T>, TemplateError> {
    let Some((name, value)) = first(scope, names)? else {
        return Ok(None);
    };
    let text = value.to_string();
    text.trim()
        .parse()
        .map(Some)
        .map_err(|_| TemplateError::new(format!("`{name}` must be {what}, not `{text}`")))
}

/// As words, split as a shell splits them.
pub(super) fn words(scope: &Arc<dyn Scope>, name: &str) -> Result<Vec<String>, TemplateError> {
    let Some(text) = text(scope, &[name])? else {
        return Ok(Vec::new());
    };
    split(&text, name)
}

/// Splits `text` as a shell does.
pub(super) fn split(text: &str, name: &str) -> Result<Vec<String>, TemplateError> {
    shlex::split(text)
        .ok_or_else(|| TemplateError::new(format!("a quote in `{name}` is not closed: {text}")))
}
