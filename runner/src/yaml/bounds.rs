//! How much one text may hold.

use super::diagnostic::Diagnostic;
use super::source::Span;

/// How deep collections may nest. Whatever walks nodes may recurse so deep.
pub(super) const MAX_NESTING: usize = 100;

/// How many nodes aliases may add to a document: enough for any playbook, and far less than what a
/// few lines of aliases of aliases make ("billion laughs").
pub(super) const MAX_ALIASED: usize = 100_000;

/// How many nodes may be kept for aliases: anchors within anchors keep the inner ones many times.
pub(super) const MAX_ANCHORED: usize = 1_000_000;

/// How many values a text may have, unless less is said.
pub(super) const MAX_VALUES: usize = 2_000_000;

/// More errors than this are not looked for: nobody reads them, and each is far larger than what it is about.
pub(super) const MOST_ERRORS: usize = 500;

/// Text counts as one more node for each of so many bytes.
pub(super) const BYTES_OF_NODE: usize = 256;

/// What is wrong with collections in collections in …
pub(super) fn too_deep(span: &Span) -> Diagnostic {
    Diagnostic::error(
        span,
        format!("lists and mappings are nested more than {MAX_NESTING} deep"),
    )
    .help("this is probably not the file that you meant; otherwise make it flatter")
}
