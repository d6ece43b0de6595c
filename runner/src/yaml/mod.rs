//! Turns text into [`Node`]s, each with its span, tag and style. Knows nothing of playbooks.

mod diagnostic;
mod node;
mod source;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use node::{Mapping, Node, Style, Tag, Value};
pub use source::{Source, Span};
