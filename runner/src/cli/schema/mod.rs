//! `windlass schema`: the JSON Schema of playbooks, for editors that complete and check YAML while it is written.

mod keywords;
mod language;
mod values;

use clap::{Args, ValueEnum};

use super::exit::Exit;
use crate::report::Printer;

pub use language::schema;

/// Print the JSON Schema of the playbook language, for editors.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Which files the schema is for.
    #[arg(value_enum, default_value_t = File::Playbook)]
    file: File,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum File {
    /// Playbooks: lists of plays.
    Playbook,
    /// Files that playbooks include and import: lists of tasks.
    Tasks,
}

pub(crate) fn start(arguments: &SchemaArgs, printer: &Printer) -> Exit {
    printer.json(&format!("{:#}", schema(arguments.file)));
    Exit::Success
}
