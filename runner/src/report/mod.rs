//! Turns [`Event`](crate::event::Event)s into what people and programs read. Knows events and
//! nothing else; a new output format is one more file here.

mod ansible;
mod ask;
mod console;
mod details;
pub mod diagnostics;
mod diff;
pub(crate) mod escape;
mod failures;
mod json;
mod live;
mod output;
mod printer;
mod settings;
mod text;

#[cfg(test)]
mod tests;

pub use output::{Format, follow, report};
pub use printer::{Printer, Theme};
pub use settings::{Report, Settings};
pub(crate) use text::count;
