//! Turns checked playbooks into outcomes on hosts, and reports it in [`Event`](crate::event::Event)s.
//!
//! A play is compiled into flat programs ([`plan`]); where a host is in them is a value, and what starts next a
//! function of these ([`course`]). One dispatcher ([`run`]) owns everything that changes in a run: who failed,
//! who was notified, what was registered. It drives the hosts of a batch ([`drive`]), starts units of
//! work ([`unit`]: one task on one host), receives their messages, and takes in their results ([`settle`]). Units get snapshots and share nothing that
//! changes. The engine never prints and knows no SSH and no module's semantics.

mod arguments;
mod attempt;
mod batch;
mod chain;
mod conceal;
mod control;
#[cfg(test)]
mod cost_tests;
mod course;
mod data;
mod dispatch;
mod drive;
mod gather;
mod handler_index;
mod handlers;
mod include;
mod include_source;
mod included;
mod keywords;
mod lines;
mod looping;
mod message;
mod meta;
mod options;
mod plan;
mod prepared;
mod result;
mod run;
mod running;
mod settle;
mod shared;
mod shown;
mod state;
mod step;
#[cfg(test)]
mod step_tests;
mod tags;
mod unit;
mod variables_files;
mod work;

pub use chain::{Chain, ChainLayer, Include};
pub use options::{Interrupt, Prompt, RunOptions, TagFilter};
pub use run::{Run, Summary};
pub use tags::selected;
