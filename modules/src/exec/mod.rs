//! Modules that run commands: one file each, and what they share.
//!
//! | file | for |
//! |---|---|
//! | `words.rs` | a line into words, and words into sh source |
//! | `request.rs` | what comes before a command: its folder, `creates` and `removes` |
//! | `outcome.rs` | a reply into a result |

use crate::module::modules;

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

modules! {
    /// The modules of this folder.
    Command,
    Raw,
    ScriptFile,
    Shell,
}
