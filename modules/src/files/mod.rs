//! Modules that handle files, one file each; and what they share: [`path`], [`mode`], [`content`],
//! and [`write`], which makes one file what it should be.

pub mod content;
pub mod copy;
pub mod fetch;
pub mod file;
pub mod mode;
pub mod path;
pub mod slurp;
pub mod stat;
pub mod template;
pub mod times;
pub mod tree;
pub mod write;

use crate::module::{Module, Of};

/// The modules of this folder.
pub const MODULES: &[&dyn Module] = &[
    &Of::<copy::Copy>::new(),
    &Of::<fetch::Fetch>::new(),
    &Of::<file::File>::new(),
    &Of::<slurp::Slurp>::new(),
    &Of::<stat::Stat>::new(),
    &Of::<template::Template>::new(),
];

#[cfg(test)]
mod disk_tests;
