//! Turns layers of variables into one view for a task on a host, by Ansible's precedence, and the
//! connection variables in it into settings. Knows nothing of how tasks run.
//!
//! Text that came from a host (facts, registered results) is data: it is kept as rendered values and
//! never becomes a template. Everything else is kept as nodes and rendered when it is asked for.

mod becoming;
mod connection;
mod extra;
mod facts;
mod files;
mod foreseen;
mod foresight;
mod hostvars;
mod inherited;
mod layers;
mod magic;
mod names;
mod once;
mod passwords;
mod precedence;
mod read;
mod rendering;
mod roles;
mod settings;
mod sources;
mod state;
mod store;
mod view;
mod written;

pub use becoming::{BecomeDefaults, BecomeKeywords, becoming};
pub use connection::{ConnectionDefaults, ConnectionKeywords, connection};
pub use extra::extra;
pub use files::read as variables_file;
pub use foresight::{Foresight, Own};
pub use layers::{PlayLayers, PlayVars, TaskLayer, TaskLayers};
pub use precedence::{PRECEDENCE, VariableLayer};
pub use state::{RunInfo, Snapshot};
pub use store::Store;
pub use written::written;

#[cfg(test)]
mod tests;
