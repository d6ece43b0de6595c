//! Reads the variables of the table of [`settings`](super::settings), each as the type that it must have.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;
use windlass_modules::python::words::{self, Unsplit};

use super::settings::Setting;
use crate::template::{Scope, TemplateError};

/// A variable that is defined and not empty.
struct Defined<'a> {
    scope: &'a Arc<dyn Scope>,
    name: &'static str,
    value: Value,
}

impl Defined<'_> {
    fn wrong(&self, wanted: impl Display, help: impl Into<String>) -> TemplateError {
        TemplateError::new(format!(
            "`{}` must be {wanted}, not `{}`",
            self.name, self.value
        ))
        .hint(help)
        .or_span(self.scope.span(self.name).as_ref())
    }
}

/// The first of a setting's names that is defined and not empty.
fn first(scope: &Arc<dyn Scope>, setting: Setting) -> Result<Option<Defined<'_>>, TemplateError> {
    for name in setting.names() {
        if let Some(value) = scope.get(name) {
            let value = value?;
            if !value.is_none() && value.as_str() != Some("") {
                return Ok(Some(Defined { scope, name, value }));
            }
        }
    }
    Ok(None)
}

/// As text; numbers are taken as written. What is no text is not shown: it may be a secret.
pub(super) fn text(
    scope: &Arc<dyn Scope>,
    setting: Setting,
) -> Result<Option<String>, TemplateError> {
    let Some(defined) = first(scope, setting)? else {
        return Ok(None);
    };
    match defined.value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => {
            Ok(Some(crate::template::display(&defined.value)))
        }
        _ => Err(
            TemplateError::new(format!("`{}` must be text", defined.name))
                .hint("write one value, not a list or a mapping")
                .or_span(scope.span(defined.name).as_ref()),
        ),
    }
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    scope: &Arc<dyn Scope>,
    setting: Setting,
    choices: &[(&str, T)],
    wanted: &str,
) -> Result<Option<T>, TemplateError> {
    let Some(defined) = first(scope, setting)? else {
        return Ok(None);
    };
    let text = defined.value.to_string();
    let found = choices
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    match found {
        Some((_, choice)) => Ok(Some(*choice)),
        None => Err(defined.wrong(wanted, "correct its value where it is defined")),
    }
}

/// What counts as a yes and as a no, as in Ansible.
pub(super) const FLAGS: [(&str, bool); 12] = [
    ("true", true),
    ("yes", true),
    ("on", true),
    ("y", true),
    ("t", true),
    ("1", true),
    ("false", false),
    ("no", false),
    ("off", false),
    ("n", false),
    ("f", false),
    ("0", false),
];

/// As a yes or a no.
pub(super) fn flag(
    scope: &Arc<dyn Scope>,
    setting: Setting,
) -> Result<Option<bool>, TemplateError> {
    choice(scope, setting, &FLAGS, "a yes or a no")
}

/// As a whole number of `range` that fits its type.
pub(super) fn number<T: TryFrom<u64>>(
    scope: &Arc<dyn Scope>,
    setting: Setting,
    range: RangeInclusive<u64>,
    wanted: &str,
) -> Result<Option<T>, TemplateError> {
    let Some(defined) = first(scope, setting)? else {
        return Ok(None);
    };
    let number: Option<u64> = defined.value.to_string().trim().parse().ok();
    let number = number.filter(|number| range.contains(number));
    match number.and_then(|number| T::try_from(number).ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(defined.wrong(wanted, "correct its value where it is defined")),
    }
}

/// As words, split as a shell splits them.
pub(super) fn words(
    scope: &Arc<dyn Scope>,
    setting: Setting,
) -> Result<Option<Vec<String>>, TemplateError> {
    let Some(defined) = first(scope, setting)? else {
        return Ok(None);
    };
    let text = defined.value.to_string();
    let words = split(&text, defined.name);
    words
        .map(Some)
        .map_err(|error| error.or_span(scope.span(defined.name).as_ref()))
}

/// Splits `text` as Ansible does.
pub(super) fn split(text: &str, name: &str) -> Result<Vec<String>, TemplateError> {
    words::split(text).map_err(|error| match error {
        Unsplit::Quote(_) => TemplateError::new(format!("a quote in `{name}` is not closed"))
            .hint("it is split into words as a shell does: close the quote"),
        Unsplit::Escape(_) => TemplateError::new(format!("`{name}` ends with a single backslash"))
            .hint("a backslash takes the meaning from what follows: double it, or remove it"),
    })
}
