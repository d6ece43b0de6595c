//! What is wrong with a module's arguments, as data.

use thiserror::Error;

use crate::args::Unfit;

/// An argument that is not as the module needs it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ArgumentError {
    /// Where in the arguments: keys and indexes, outermost first; empty for the whole.
    pub path: Vec<String>,
    /// What is wrong, in words.
    pub message: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with arguments.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// There is no such argument.
    #[error("there is no argument `{argument}`; there are: {}", known.join(", "))]
    Unknown {
        /// As it was written.
        argument: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// It is given under two of its names.
    #[error("`{argument}` is another name of `{first}`, which is given too")]
    Twice {
        /// The one name, as it was written.
        argument: String,
        /// The other, as it was written.
        first: String,
    },
    /// The module cannot do without it.
    #[error("the argument `{argument}` is missing")]
    Missing {
        /// Its name.
        argument: String,
    },
    /// The value of an argument is not what it takes.
    #[error("{why}")]
    Unfit {
        /// The argument, as it was written.
        argument: String,
        /// Why.
        why: Unfit,
    },
    /// Arguments do not go together.
    #[error("{0}")]
    Together(String),
    /// Something else.
    #[error(transparent)]
    Invalid(Invalid),
}

/// Something about arguments that neither their kinds nor the rules say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Invalid {
    /// The arguments that it is about; with others for these it would not be so. None: all of them.
    pub arguments: &'static [&'static str],
    /// What is wrong.
    pub message: String,
}

impl Invalid {
    /// About these arguments.
    pub fn new(arguments: &'static [&'static str], message: impl Into<String>) -> Self {
        Self {
            arguments,
            message: message.into(),
        }
    }

    /// About these arguments, for `map_err`.
    pub fn about(arguments: &'static [&'static str]) -> impl FnOnce(String) -> Self {
        move |message| Self { arguments, message }
    }
}

impl From<Fault> for ArgumentError {
    fn from(fault: Fault) -> Self {
        let path = match &fault {
            Fault::Unfit { argument, why } => {
                let inner = match why {
                    Unfit::Item { index, .. } => Some(index.to_string()),
                    Unfit::Key { key, .. } => Some(key.clone()),
                    _ => None,
                };
                std::iter::once(argument.clone()).chain(inner).collect()
            }
            Fault::Twice { argument, .. } => vec![argument.clone()],
            Fault::Unknown { .. }
            | Fault::Missing { .. }
            | Fault::Together(_)
            | Fault::Invalid(_) => Vec::new(),
        };
        Self {
            path,
            message: fault.to_string(),
            fault,
        }
    }
}
