//! Lookups: what `lookup('file', …)` and `with_file` read on the control host.

#![expect(clippy::unnecessary_wraps, reason = "all lookups share one signature")]

mod call;
mod chance;
mod control_host;
mod first_found;
mod lists;
mod search;
mod sequence;
mod table;
mod variables;

pub(super) use table::{find, lookup, query, unknown, with};
