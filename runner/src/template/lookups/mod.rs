//! Lookups: what `lookup('file', …)` and `with_file` read on the control host.

mod lists;
mod table;

pub(super) use table::{find, names, unknown, with};
