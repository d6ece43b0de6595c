//! Argument types that read values as leniently as Ansible does, and describe themselves.
//!
//! A task's arguments arrive with the types that YAML and templates gave them, or all as strings
//! where they were written `key=value`. Each type here takes every spelling that Ansible takes for
//! it and nothing else, and says what it wanted and what it found ([`Unfit`]).

mod control;
pub mod mode;
pub mod path;
pub mod pattern;
mod presence;
mod unfit;
mod values;
mod words;

pub use control::{
    ControlFile, ControlTemplate, ControlVariables, ControlVariablesFolder, Destination, Manifests,
    NodePath, NodePaths, Script,
};
pub use presence::Presence;
pub use unfit::{ReadArgument, Unfit};
pub use values::{
    Data, Flag, LONGEST, List, Many, Number, Numeric, SecretText, SpacedList, Text, fits_text,
};
pub use words::{describe, scalar_text};
