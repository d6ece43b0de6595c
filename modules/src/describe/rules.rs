//! Which arguments go together.

use serde_json::Value;

use super::argument::{Argument, LINE};
use super::givens::{Given, Givens};
use crate::args::{Flag, ReadArgument, scalar_text};

/// Which arguments go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// At most one of these.
    AtMostOne(&'static [&'static str]),
    /// At least one of these.
    AtLeastOne(&'static [&'static str]),
    /// One of these, and no more.
    ExactlyOne(&'static [&'static str]),
    /// Then all of these are needed.
    Needs(When, &'static [&'static str]),
    /// Then one of these is needed.
    NeedsOne(When, &'static [&'static str]),
    /// Then this argument is one of these words, where it is given.
    Only(When, &'static str, &'static [&'static str]),
}

/// When a [`Rule`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// One of these arguments is given.
    Given(&'static [&'static str]),
    /// This argument is one of these words, by its default too.
    Is(&'static str, &'static [&'static str]),
    /// This argument is yes.
    Yes(&'static str),
}

impl Rule {
    /// The rule in words, with the names that a task writes; `line` is what free text is called.
    pub fn about(&self, line: &str) -> String {
        let and = |names: &[&str]| listed(names, "and", line);
        let or = |names: &[&str]| listed(names, "or", line);
        match self {
            Self::AtMostOne(names) => format!("{} cannot be used together", and(names)),
            Self::AtLeastOne(names) => format!("one of {} is needed", and(names)),
            Self::ExactlyOne(names) => format!("give exactly one of {}", and(names)),
            Self::Needs(when, names) => format!("{} needs {}", when.about(line), and(names)),
            Self::NeedsOne(when, names) if names.len() == 1 => {
                format!("{} needs {}", when.about(line), and(names))
            }
            Self::NeedsOne(when, names) => {
                format!("{} needs one of {}", when.about(line), and(names))
            }
            Self::Only(when, name, words) => {
                let settings: Vec<String> =
                    words.iter().map(|word| format!("{name}: {word}")).collect();
                let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
                format!("{} is only for {}", when.about(line), or(&settings))
            }
        }
    }

    /// The arguments that it names.
    pub fn arguments(&self) -> Vec<&'static str> {
        match *self {
            Self::AtMostOne(names) | Self::AtLeastOne(names) | Self::ExactlyOne(names) => {
                names.to_vec()
            }
            Self::Needs(when, names) | Self::NeedsOne(when, names) => {
                [when.arguments(), names.to_vec()].concat()
            }
            Self::Only(when, name, _) => [when.arguments(), vec![name]].concat(),
        }
    }

    /// What is wrong, if the rule is broken whatever the values are that are not known.
    pub(super) fn broken(
        &self,
        of: &[Argument],
        line: &str,
        givens: &Givens<'_>,
    ) -> Option<String> {
        match self {
            Self::AtMostOne(names) => exclusive(names, line, givens),
            Self::AtLeastOne(names) => lacking(names, line, givens),
            Self::ExactlyOne(names) => {
                exclusive(names, line, givens).or_else(|| lacking(names, line, givens))
            }
            Self::Needs(when, names) => {
                let missing = names.iter().any(|name| givens.given(name) == Some(false));
                let holds = missing && when.holds(of, givens) == Some(true);
                holds.then(|| self.lacking(when, names, line, givens))
            }
            Self::NeedsOne(when, names) => {
                let missing = names.iter().all(|name| givens.given(name) == Some(false));
                let holds = missing && when.holds(of, givens) == Some(true);
                holds.then(|| self.lacking(when, names, line, givens))
            }
            Self::Only(when, name, words) => {
                let other =
                    givens.given(name) == Some(true) && is(of, givens, name, words) == Some(false);
                (other && when.holds(of, givens) == Some(true)).then(|| self.about(line))
            }
        }
    }

    fn lacking(&self, when: &When, names: &[&str], line: &str, givens: &Givens<'_>) -> String {
        match when {
            // Nobody wrote what the rule begins with.
            When::Is(argument, words) if givens.given(argument) == Some(false) => format!(
                "{} {} needed, since `{argument}` is `{}` where it is not given",
                listed(names, "and", line),
                if names.len() == 1 { "is" } else { "are" },
                words.first().unwrap_or(&""),
            ),
            _ => self.about(line),
        }
    }
}

impl When {
    fn about(&self, line: &str) -> String {
        match self {
            Self::Given(names) => listed(names, "or", line),
            Self::Is(name, words) => {
                let settings: Vec<String> =
                    words.iter().map(|word| format!("{name}: {word}")).collect();
                let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
                listed(&settings, "or", line)
            }
            Self::Yes(name) => format!("`{name}: true`"),
        }
    }

    fn arguments(self) -> Vec<&'static str> {
        match self {
            Self::Given(names) => names.to_vec(),
            Self::Is(name, _) | Self::Yes(name) => vec![name],
        }
    }

    fn holds(&self, of: &[Argument], givens: &Givens<'_>) -> Option<bool> {
        match self {
            Self::Given(names) => any(names.iter().map(|name| givens.given(name))),
            Self::Is(name, words) => is(of, givens, name, words),
            Self::Yes(name) => {
                let value = value(of, givens, name)?;
                Some(Flag::read(value).is_ok_and(bool::from))
            }
        }
    }
}

fn argument<'a>(of: &'a [Argument], name: &str) -> Option<&'a Argument> {
    of.iter().find(|argument| argument.name == name)
}

fn exclusive(names: &[&str], line: &str, givens: &Givens<'_>) -> Option<String> {
    let there: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| givens.given(name) == Some(true))
        .collect();
    (there.len() > 1).then(|| {
        format!(
            "{} cannot be used together: give one",
            listed(&there, "and", line)
        )
    })
}

fn lacking(names: &[&str], line: &str, givens: &Givens<'_>) -> Option<String> {
    names
        .iter()
        .all(|name| givens.given(name) == Some(false))
        .then(|| match names {
            [LINE, others @ ..] => format!(
                "nothing to do: write {line}, or give {}",
                listed(others, "or", line)
            ),
            _ => format!("one of {} is needed", listed(names, "and", line)),
        })
}

/// Whether any is true, as far as that is known.
fn any(mut truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    truths.try_fold(false, |found, truth| match truth {
        Some(true) => Some(true),
        Some(false) => Some(found),
        None => found.then_some(true),
    })
}

/// The value of an argument, or its default, or `null`; nothing where it is not known.
fn value<'a>(of: &'a [Argument], givens: &'a Givens<'_>, name: &str) -> Option<&'a Value> {
    match givens.get(name) {
        Some(Given::Value(value)) => Some(value),
        Some(Given::Unknown | Given::Perhaps) => None,
        None => {
            let default = argument(of, name).and_then(|known| known.default.as_ref());
            Some(default.unwrap_or(&Value::Null))
        }
    }
}

/// Whether an argument is one of these words; nothing where it is not known.
fn is(of: &[Argument], givens: &Givens<'_>, name: &str, words: &[&str]) -> Option<bool> {
    let value = value(of, givens, name)?;
    let replaced = argument(of, name).and_then(|argument| argument.kind.fit(value).ok().flatten());
    let text = scalar_text(replaced.as_ref().unwrap_or(value));
    Some(text.is_some_and(|text| words.contains(&text.as_str())))
}

/// Names in a row, each in backticks: "`a`, `b` and `c`". Free text has no name: it is called `line`.
fn listed(names: &[&str], last: &str, line: &str) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| match *name {
            LINE => line.to_owned(),
            name => format!("`{name}`"),
        })
        .collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}
