//! Turns `Node`s into a [`Playbook`], its plays, blocks and tasks: typed, with spans. Knows no
//! variables, no inventory and no modules.

mod model;

pub use model::{
    Block, Common, Entry, Import, Keyword, LoopControl, LoopSource, Order, Play, Playbook, Serial,
    Task, TaskAction,
};
