//! The program: its subcommands, and what it is when called by another name.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::exit::Exit;
use super::{ansible, check, completions, doc, inventory, run, schema};
use crate::report::Printer;

/// Runs Ansible-style playbooks over SSH, on nodes that need nothing but sshd and a POSIX sh.
#[derive(Debug, Parser)]
#[command(
    name = "windlass",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = "First steps:
  windlass check site.yml -i hosts.ini     finds mistakes (connects to nothing)
  windlass run site.yml -i hosts.ini -C    what would change?
  windlass run site.yml -i hosts.ini       change it

Exit status: 0 success; 1 a usage error; 2 a host failed; 4 a host was unreachable, or a file has
an error; 99 interrupted. Called as `ansible-playbook`, it takes that program's arguments.")]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run playbooks.
    Run(Box<run::RunArgs>),
    /// Find everything wrong that can be known without connecting.
    Check(Box<check::CheckArgs>),
    /// Show hosts, groups and variables.
    Inventory(inventory::InventoryArgs),
    /// Show the modules and their arguments.
    Doc(doc::DocArgs),
    /// Print the JSON Schema of the playbook language, for editors.
    Schema(schema::SchemaArgs),
    /// Print what a shell needs to complete words: `source <(windlass completions bash)`.
    Completions(completions::CompletionsArgs),
}

/// The command line as data, for reference pages.
pub fn command() -> clap::Command {
    Program::command()
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let printer = Printer::standard();
    let exit = start(&arguments, &printer);
    let Some(error) = printer.unwritten() else {
        return exit.into();
    };
    let title = printer.theme().bad("error:");
    printer.note(&format!("{title} cannot write: {error}"));
    match exit {
        Exit::Success => Exit::Usage.into(),
        // What went wrong before says more.
        worse => worse.into(),
    }
}

fn start(arguments: &[OsString], printer: &Printer) -> Exit {
    let called = arguments.first().map(Path::new).and_then(Path::file_stem);
    let result = if called.is_some_and(|name| name == "ansible-playbook") {
        ansible::parse(arguments).map(|running| run::start(&running, printer, true))
    } else {
        Program::command()
            .try_get_matches_from(arguments)
            .and_then(|matches| Program::from_arg_matches(&matches))
            .map(|program| match program.command {
                Command::Run(arguments) => run::start(&arguments.running, printer, false),
                Command::Check(arguments) => check::start(&arguments, printer),
                Command::Inventory(arguments) => inventory::start(&arguments, printer),
                Command::Doc(arguments) => doc::start(&arguments, printer),
                Command::Schema(arguments) => schema::start(&arguments, printer),
                Command::Completions(arguments) => {
                    completions::start(&arguments, Program::command(), printer)
                }
            })
    };
    match result {
        Ok(exit) => exit,
        Err(error) => {
            // Clap's own printing knows which stream `--help` and errors belong to.
            if let Err(error) = error.print() {
                printer.not_written(error);
            }
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            }
        }
    }
}
