//! How statements go on.

/// What happens after a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::template) enum Flow {
    /// The next one.
    Next,
    /// The next turn of the loop.
    Continue,
    /// What comes after the loop.
    Break,
    /// Nothing: the template extends another, which has been written.
    Done,
}
