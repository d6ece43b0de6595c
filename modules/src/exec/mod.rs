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

pub use command::CommandArgs;
pub use raw::RawArgs;
pub use script::ScriptFileArgs;
pub use shell::ShellArgs;

modules! {
    /// The modules of this folder.
    CommandArgs,
    RawArgs,
    ScriptFileArgs,
    ShellArgs,
}
