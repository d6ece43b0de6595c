//! Why a value is not what an argument takes, as data.

use serde_json::Value;
use thiserror::Error;

use super::words::describe;

/// Why a value is not what an argument takes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    /// It is of another kind.
    #[error("expected {expected}, found {found}")]
    Kind {
        /// What is taken: "a yes or a no".
        expected: String,
        /// What it is: "the string `maybe`".
        found: String,
    },
    /// It is none of the words that there are.
    #[error("expected {}, found `{given}`", any_of(choices))]
    Choice {
        /// What it is.
        given: String,
        /// The words.
        choices: Vec<String>,
    },
    /// An item of a list is not right.
    #[error("item {}: {why}", index + 1)]
    Item {
        /// Which, from 0.
        index: usize,
        /// Why.
        why: Box<Unfit>,
    },
    /// A value of a mapping is not right.
    #[error("`{key}`: {why}")]
    Key {
        /// Which.
        key: String,
        /// Why.
        why: Box<Unfit>,
    },
    /// Something else, in a sentence.
    #[error("{0}")]
    Because(String),
}

impl Unfit {
    /// `expected`, and what `value` is instead.
    pub fn kind(expected: &str, value: &Value) -> Self {
        Self::Kind {
            expected: expected.to_owned(),
            found: describe(value),
        }
    }
}

/// A type that reads itself from data.
pub trait ReadArgument: Sized {
    /// The value, or why it is none.
    fn read(value: &Value) -> Result<Self, Unfit>;
}

/// Words in a row: "`a`, `b` or `c`".
fn any_of(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
