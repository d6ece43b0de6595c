//! Modules that run commands: one file each.

use crate::module::Module;

/// The modules of this folder.
pub const MODULES: &[&dyn Module] = &[];
