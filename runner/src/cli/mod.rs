//! Turns arguments into calls on the other rooms: one file a subcommand. Exit codes are in [`exit`].

mod ansible;
mod args;
mod check;
mod completions;
mod config;
mod doc;
mod exit;
mod inventory;
mod list;
mod prepare;
mod program;
mod run;
mod schema;
mod size;

pub use program::{command, main};
pub use schema::{File as SchemaFile, schema};
