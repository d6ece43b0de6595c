//! The value of a keyword for a task on a host: written out, or rendered from a template.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::chain::Chain;
use crate::playbook::{Common, Keyword, Order, Serial, Strategy};
use crate::template::{PreparedValue, Scope, Templar, TemplateError};
use crate::yaml::Span;

/// A type that a keyword has, read from a rendered value.
pub(crate) trait FromRendered: Sized + Clone {
    /// What a message calls it: "a yes or a no".
    const WHAT: &'static str;

    /// The value, if `value` is one.
    fn from_rendered(value: &Value) -> Option<Self>;
}

impl FromRendered for bool {
    const WHAT: &'static str = "a yes or a no";

    fn from_rendered(value: &Value) -> Option<Self> {
        if let Ok(truth) = bool::try_from(value.clone()) {
            return Some(truth);
        }
        if let Some(number) = value.as_i64() {
            return match number {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            };
        }
        match value.as_str()?.trim().to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" | "1" | "y" | "t" => Some(true),
            "no" | "false" | "off" | "0" | "n" | "f" | "" => Some(false),
            _ => None,
        }
    }
}

impl FromRendered for String {
    const WHAT: &'static str = "a string";

    fn from_rendered(value: &Value) -> Option<Self> {
        match value.kind() {
            ValueKind::String | ValueKind::Number => Some(value.to_string()),
            _ => None,
        }
    }
}

impl FromRendered for f64 {
    const WHAT: &'static str = "a number";

    fn from_rendered(value: &Value) -> Option<Self> {
        match value.as_str() {
            Some(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
            None => f64::try_from(value.clone()).ok(),
        }
    }
}

impl FromRendered for usize {
    const WHAT: &'static str = "a whole number";

    fn from_rendered(value: &Value) -> Option<Self> {
        match value.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => usize::try_from(value.clone()).ok(),
        }
    }
}

impl FromRendered for u16 {
    const WHAT: &'static str = "a port";

    fn from_rendered(value: &Value) -> Option<Self> {
        usize::from_rendered(value).and_then(|number| Self::try_from(number).ok())
    }
}

impl FromRendered for Serial {
    const WHAT: &'static str = "a number of hosts or a percentage";

    fn from_rendered(value: &Value) -> Option<Self> {
        match value
            .as_str()
            .map(str::trim)
            .and_then(|text| text.strip_suffix('%'))
        {
            Some(percent) => percent
                .trim()
                .parse()
                .ok()
                .filter(|percent| (0.0..=100.0).contains(percent))
                .map(Self::Percent),
            None => usize::from_rendered(value).map(Self::Count),
        }
    }
}

impl FromRendered for Strategy {
    const WHAT: &'static str = "linear, free or host_pinned";

    fn from_rendered(value: &Value) -> Option<Self> {
        let name = value.as_str()?;
        Some(
            match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
                "linear" => Self::Linear,
                "free" => Self::Free,
                "host_pinned" => Self::HostPinned,
                _ => return None,
            },
        )
    }
}

impl FromRendered for Order {
    const WHAT: &'static str = "inventory, reverse_inventory, sorted, reverse_sorted or shuffle";

    fn from_rendered(value: &Value) -> Option<Self> {
        Some(match value.as_str()? {
            "inventory" => Self::Inventory,
            "reverse_inventory" => Self::ReverseInventory,
            "sorted" => Self::Sorted,
            "reverse_sorted" => Self::ReverseSorted,
            "shuffle" => Self::Shuffle,
            _ => return None,
        })
    }
}

/// A keyword of which everything is known but what its template comes to.
#[derive(Debug)]
pub(crate) enum Ready<T> {
    Known(T),
    Template(PreparedValue, Span),
}

impl<T: Clone> Ready<T> {
    pub(crate) fn new(keyword: &Keyword<T>) -> Self {
        match keyword {
            Keyword::Known(value, _) => Self::Known(value.clone()),
            Keyword::Template(node) => Self::Template(PreparedValue::new(node), node.span.clone()),
        }
    }
}

impl<T: FromRendered> Ready<T> {
    /// The value in `scope`.
    pub(crate) fn value(
        &self,
        templar: &Templar,
        scope: &Arc<dyn Scope>,
    ) -> Result<T, TemplateError> {
        match self {
            Self::Known(value) => Ok(value.clone()),
            Self::Template(template, span) => {
                let rendered = templar.render_prepared(template, scope)?;
                T::from_rendered(&rendered).ok_or_else(|| {
                    TemplateError::new(format!(
                        "expected {}, but the template gives `{rendered}`",
                        T::WHAT
                    ))
                    .or_span(Some(span))
                })
            }
        }
    }
}

/// The value of a keyword that is asked for once.
pub(crate) fn value<T: FromRendered>(
    keyword: &Keyword<T>,
    templar: &Templar,
    scope: &Arc<dyn Scope>,
) -> Result<T, TemplateError> {
    Ready::new(keyword).value(templar, scope)
}

/// The sizes that one entry of `serial` gives: a template may give a list of them.
pub(crate) fn sizes(
    keyword: &Keyword<Serial>,
    templar: &Templar,
    scope: &Arc<dyn Scope>,
) -> Result<Vec<Serial>, TemplateError> {
    let Keyword::Template(node) = keyword else {
        return Ok(vec![value(keyword, templar, scope)?]);
    };
    let rendered = templar.render(node, scope)?;
    let sizes: Option<Vec<Serial>> = match rendered.kind() {
        ValueKind::Seq => rendered
            .try_iter()
            .ok()
            .and_then(|items| items.map(|item| Serial::from_rendered(&item)).collect()),
        _ => Serial::from_rendered(&rendered).map(|size| vec![size]),
    };
    sizes.ok_or_else(|| {
        TemplateError::new(format!(
            "expected {}, or a list of them, but the template gives `{rendered}`",
            Serial::WHAT
        ))
        .or_span(Some(&node.span))
    })
}

/// The innermost value of a keyword around a task, or `default` where none says it.
pub(crate) fn inherited<T: FromRendered>(
    chain: &Chain,
    of: impl Fn(&Common) -> &Option<Keyword<T>>,
    templar: &Templar,
    scope: &Arc<dyn Scope>,
) -> Result<Option<T>, TemplateError> {
    chain
        .keyword(of)
        .map(|keyword| value(keyword, templar, scope))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_as_ansible_reads_them() {
        assert_eq!(bool::from_rendered(&Value::from("Yes")), Some(true));
        assert_eq!(bool::from_rendered(&Value::from(0)), Some(false));
        assert_eq!(bool::from_rendered(&Value::from("maybe")), None);
    }

    #[test]
    fn sizes_of_batches_are_counts_or_shares() {
        assert_eq!(
            Serial::from_rendered(&Value::from("30%")),
            Some(Serial::Percent(30.0))
        );
        assert_eq!(
            Serial::from_rendered(&Value::from("3")),
            Some(Serial::Count(3))
        );
        assert_eq!(
            Serial::from_rendered(&Value::from(2)),
            Some(Serial::Count(2))
        );
        assert_eq!(Serial::from_rendered(&Value::from("some")), None);
        // No batch would ever have a host in it.
        assert_eq!(Serial::from_rendered(&Value::from("nan%")), None);
        assert_eq!(Serial::from_rendered(&Value::from("-1%")), None);
    }
}
