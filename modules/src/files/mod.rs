//! Modules that handle files, one file each; and what they share: [`path`], [`mode`], [`content`],
//! [`landing`], where bytes of a node may land on the control host, and [`write`], which makes one file
//! what it should be.

mod announced;
pub mod block;
pub mod blockinfile;
pub mod content;
pub mod copy;
pub mod edit;
pub mod fetch;
pub mod file;
pub mod get_url;
pub mod landing;
pub mod lineinfile;
pub mod lines;
pub mod mode;
pub mod path;
pub mod pattern;
pub mod slurp;
pub mod stat;
pub mod template;
pub mod times;
pub mod tree;
pub mod write;

use crate::module::{Module, Of};

/// The modules of this folder.
pub const MODULES: &[&dyn Module] = &[
    &Of::<blockinfile::BlockInFile>::new(),
    &Of::<copy::Copy>::new(),
    &Of::<fetch::Fetch>::new(),
    &Of::<file::File>::new(),
    &Of::<get_url::GetUrl>::new(),
    &Of::<lineinfile::LineInFile>::new(),
    &Of::<slurp::Slurp>::new(),
    &Of::<stat::Stat>::new(),
    &Of::<template::Template>::new(),
];

#[cfg(test)]
mod disk_tests;
