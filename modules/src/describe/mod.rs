//! What a module says of itself: its arguments, what goes together, what it returns, what it does in check
//! mode, and examples.
//!
//! Turns the struct of a module's arguments and a few constants into a [`Description`]. Whoever wants to know
//! something of a module reads that and nothing else: reading arguments, `windlass check`, `windlass doc`, the
//! schema for editors, completion and the reference page. Knows no module.

mod argument;
mod description;
mod examine;
mod fault;
mod free_form;
mod givens;
mod kind;
mod reference;
mod returns;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

pub use argument::{Argument, Names};
pub use description::Description;
pub use examine::stand_in;
pub use fault::{ArgumentError, Fault, Invalid};
pub use free_form::FreeForm;
pub use givens::Given;
pub use kind::{Choice, Kind};
pub use reference::reference;
pub use returns::{CheckMode, Refusing, Return, Type};
pub use rules::{Rule, When};
#[cfg(test)]
pub(crate) use schema::unread;
pub(crate) use schema::{about, arguments};
