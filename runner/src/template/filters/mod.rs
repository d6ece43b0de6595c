//! Filters, by family.

#![expect(clippy::unnecessary_wraps, reason = "all filters share one signature")]

/// A filter whose first parameter is what it is applied to; the others follow.
macro_rules! filter {
    ($name:literal, $run:ident, $required:literal, [$($param:literal),*]) => {
        crate::template::eval::Function {
            name: $name,
            params: &["value", $($param),*],
            required: $required,
            undefined: false,
            run: $run,
        }
    };
}

mod address;
mod apply;
mod builtin;
mod builtin_list;
mod builtin_text;
mod collections;
mod combinatorics;
mod datetime;
mod encoding;
mod group;
mod hash;
mod json_yaml;
mod math;
mod net;
mod paths;
mod regex;
mod sets;
mod sorting;
mod table;
mod types;

pub(super) use collections::pairs_of;
pub(super) use datetime::formatted;
pub(super) use group::GroupTuple;
pub(super) use sorting::sorted;
#[cfg(test)]
pub(super) use table::all;
pub(super) use table::{find, unknown};
pub(super) use types::yes_or_no;
