//! Turns text into [`Node`]s, each with its span, tag and style. Knows nothing of playbooks.
//!
//! Scalars are read by the rules of YAML 1.1, as Ansible reads them. What Ansible lets pass in
//! silence and what then surprises (a key given twice, `{{ x }}` without quotes) is refused here,
//! with the place and what to write.

mod bounds;
mod build;
mod diagnostic;
mod merge;
mod node;
mod parse;
mod scalar;
mod source;
mod suggest;
mod surprise;
mod syntax;
mod unquoted;
mod way;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use node::{Mapping, Node, Style, Tag, Value};
pub use parse::{document, load, parse, parse_within, read};
pub use scalar::resolve;
pub use source::{Source, Span};
pub use suggest::{did_you_mean, suggest};
pub use surprise::surprise;
pub(crate) use way::way;

#[cfg(test)]
mod tests;
