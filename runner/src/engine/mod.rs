//! Turns checked playbooks into outcomes on hosts, and tells of it in [`Event`](crate::event::Event)s.
//!
//! One dispatcher ([`run`]) owns everything that changes in a run: who failed, who was notified,
//! what was registered. It walks the plays ([`walk`]), starts units of work ([`unit`]: one task on
//! one host) and receives their messages and results. Units get snapshots and share nothing that
//! changes. The engine never prints and knows no SSH and no module's semantics.

mod arguments;
mod attempt;
mod batch;
mod chain;
mod conceal;
mod control;
mod data;
mod dispatch;
mod gather;
mod handlers;
mod include;
mod keywords;
mod lines;
mod looping;
mod options;
mod result;
mod run;
mod shown;
mod state;
mod tags;
mod unit;
mod walk;

pub use chain::{Chain, Include, Layer};
pub use options::{Interrupt, Options, Prompt, TagFilter};
pub use run::{Run, Summary};
pub use tags::selected;
