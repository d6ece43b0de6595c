//! Turns `Node`s into a [`Playbook`], its plays, blocks and tasks: typed, with spans. Knows no
//! variables, no inventory and no modules.
//!
//! Reading is strict and goes on after an error, so that a user hears of all of them at once.
//! Files that are imported are read here; included ones when the task runs, with [`load_tasks`].

mod action;
mod argument_spec;
mod arguments;
mod common;
mod file;
mod import;
mod include;
mod include_path;
mod keywords;
mod known;
mod loader;
mod looping;
mod model;
mod pairs;
mod play;
mod reader;
mod role;
mod role_files;
#[cfg(test)]
mod role_tests;
mod role_use;
mod scalar;
mod search;
mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod unknown;

pub use argument_spec::VALIDATE;
pub use arguments::{ArgumentSyntax, Arguments, arguments};
pub use file::{LoadedTasks, load, load_partly, load_tasks};
pub use import::nearest_file;
pub use include_path::tasks_file;
pub use keywords::{
    BECOME_METHODS, BLOCK_KEYWORDS, CONNECTIONS, IMPORT_PLAYBOOK, LOOP_CONTROL, META,
    PLAY_KEYWORDS, TASK_KEYWORDS, is_identifier,
};
pub use known::KnownVariables;
pub use loader::Loader;
pub use model::{
    Block, Common, Entry, Import, Keyword, LoopControl, LoopSource, Order, Play, Playbook, Role,
    RoleFiles, RoleImport, RoleRequest, Serial, Strategy, Task, TaskAction, UsedBy,
};
pub(crate) use pairs::{unescape, words as pairs};
pub use reader::has_template;
pub use role::{has_role, load_role};
pub use search::{Home, SearchPaths, absolute, playbook as playbook_of_collection};
pub use unknown::unknown_module;
