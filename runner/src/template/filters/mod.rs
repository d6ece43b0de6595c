//! Filters, by family.

mod builtin;
mod sorting;
mod table;

pub(super) use sorting::sorted;
pub(super) use table::{find, names, unknown};
