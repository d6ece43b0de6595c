//! Turns a playbook and an inventory into diagnostics, without connecting: everything wrong that
//! can be known before a run.
//!
//! An error here means that the run would fail; what only may fail is a warning, and what cannot be
//! known passes. Files that are included by a literal name are read and checked with the rest.

mod argument_specs;
mod arguments;
mod asserts;
mod begin;
#[cfg(test)]
mod begin_tests;
mod defined;
mod files;
mod given;
mod handlers;
mod hosts;
mod input;
mod item;
mod items;
mod modules;
mod names;
mod places;
mod run;
mod strings;
mod surprises;
#[cfg(test)]
mod tests;

pub use input::Input;
pub use run::{check, loader};
