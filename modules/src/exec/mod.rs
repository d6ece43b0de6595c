//! Modules that run commands: one file each, and what they share.
//!
//! | file | for |
//! |---|---|
//! | `words.rs` | a line into words, and words into sh source |
//! | `request.rs` | what comes before a command: its folder, `creates` and `removes` |
//! | `outcome.rs` | a reply into a result |

use crate::module::{Module, Of};

mod command;
mod outcome;
mod raw;
mod request;
mod script;
mod shell;
mod words;

pub use command::Command;
pub use raw::Raw;
pub use script::ScriptFile;
pub use shell::Shell;

/// The modules of this folder.
pub const MODULES: &[&dyn Module] = &[
    &Of::<Command>::new(),
    &Of::<Raw>::new(),
    &Of::<ScriptFile>::new(),
    &Of::<Shell>::new(),
];
