//! Evaluates a template's tree against a scope, with Python's operators and Ansible's rules for
//! undefined values: looking into one gives it back, asking whether it is defined is allowed, and
//! anything else is the error that it carries.

mod access;
mod call;
mod expr;
mod flow;
mod format;
mod given;
mod include;
mod layout;
mod locals;
mod loops;
mod macros;
mod method_dict;
mod method_list;
mod method_text;
mod methods;
mod operators;
mod output;
mod percent;
mod state;
mod stmt;

pub(super) use access::{integer, item, items};
pub(super) use call::{BoundArguments, CallArguments, Function, entries};
pub(super) use given::pair;
pub(super) use include::Loaded;
pub(super) use loops::Loop;
pub(super) use macros::Namespace;
pub(super) use method_text::capitalize;
pub(super) use methods::call_text_method;
pub(super) use operators::{add_values as add, compare, contains, order, place, truth, whole};
pub(super) use output::TemplateOutput;
pub(super) use percent::percent;
pub(super) use state::{Eval, RenderShared};
