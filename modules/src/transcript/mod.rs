//! What programs print, kept once.
//!
//! A host prints what it likes. What is to be kept of it goes through a [`Writer`], which draws on the
//! [`Account`] of the host: a little is free for each host, the rest comes out of one limit for the
//! memory of all hosts, and what is more goes to a file without a name, up to a second limit. The
//! result, a [`Printed`], is shared and never copied; a [`Transcript`] is the same as text, and its
//! [`Lines`] are views of it. Dropping the last of them gives back what was drawn.

mod account;
mod full;
mod index;
mod lines;
mod pool;
mod printed;
mod spilled;
mod text;
mod writer;

pub use account::{Account, Bounds, Held, Ledger, Passing, Turn};
pub use full::Full;
pub use lines::{LineIter, Lines};
pub use printed::Printed;
pub use text::{LARGEST_IN_HAND, TextError, Transcript};
pub use writer::Writer;
