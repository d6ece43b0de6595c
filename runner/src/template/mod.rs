//! Turns strings with `{{ }}` and `{% %}` into values, as Ansible does.
//!
//! The syntax is read by `minijinja`'s parser; the tree is ours ([`tree`]) and so is the evaluation
//! ([`eval`]), because Ansible's rules for undefined values, native types and Python's display of
//! values are what playbooks depend on. Knows nothing of hosts, tasks or variable layers: it asks a
//! [`Scope`] for a variable by name.

mod budget;
mod distinct;
mod error;
mod escapes;
mod eval;
mod files;
mod filters;
mod functions;
mod glob;
mod header;
mod json;
pub(crate) mod kept;
mod limits;
mod lookups;
mod lower;
mod managed;
mod options;
mod prepared;
mod python;
mod random;
mod references;
mod regex;
mod render;
mod scope;
mod special;
mod tame;
mod templar;
mod tests;
mod times;
mod tree;
mod trust;
mod turn;
mod version;
mod yaml_layout;
mod yaml_scalar;
mod yaml_text;

pub use budget::{Budget, MOST_MADE};
pub use error::TemplateError;
pub use json::{from_json, to_json};
pub(crate) use json::{key_text, weight};

pub use options::{FileOptions, TemplateOptions};
pub use prepared::{PreparedCondition, PreparedValue};
pub use python::{display, repr};
pub use references::{Reference, References};
pub use scope::{Empty, Scope};
pub use special::{failed, is_omit, omit};
pub use tame::{NamePart, tame};
pub use templar::{ConditionResult, Syntax, Templar};
pub use trust::{Expression, refused, same};

#[cfg(test)]
mod filters_tests;
#[cfg(test)]
mod observed;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod templar_tests;
#[cfg(test)]
mod trust_tests;
