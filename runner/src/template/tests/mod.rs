//! Tests (`is …`), by family.

mod builtin;
mod table;

pub(super) use table::{find, names, unknown};
