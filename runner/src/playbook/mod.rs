//! Turns `Node`s into a [`Playbook`], its plays, blocks and tasks: typed, with spans. Knows no
//! variables, no inventory and no modules.
//!
//! Reading is strict and goes on after an error, so that a user hears of all of them at once.
//! Files that are imported are read here; included ones when the task runs, with [`load_tasks`].

mod action;
mod arguments;
mod common;
mod file;
mod import;
mod include;
mod keywords;
mod looping;
mod model;
mod pairs;
mod play;
mod reader;
mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod unknown;

pub use arguments::{Arguments, Form, arguments};
pub use file::{Loader, load, load_partly, load_tasks};
pub use keywords::{BLOCK_KEYWORDS, PLAY_KEYWORDS, TASK_KEYWORDS};
pub use model::{
    Block, Common, Entry, Import, Keyword, LoopControl, LoopSource, Order, Play, Playbook, Serial,
    Strategy, Task, TaskAction,
};
pub(crate) use pairs::{unescape, words as pairs};
pub use reader::{has_template, is_identifier};
pub use unknown::unknown_module;
