//! How a module takes arguments that are not `key: value`.

/// How a module takes arguments that are not `key: value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeForm {
    /// Not at all: a string is split into `key=value` pairs.
    No,
    /// A string is the argument named here, apart from leading or trailing `key=value` pairs of
    /// known keys (`command: chdir=/tmp ls`).
    Into(&'static str),
    /// Any keys are taken as they are (`set_fact`).
    AnyKeys,
}
