//! `windlass completions`: what a shell needs to complete the program's words.

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap_complete::{Shell, generate};
use windlass_modules::registry;

use super::exit::Exit;
use crate::report::Printer;

/// Print what a shell needs to complete words: `source <(windlass completions bash)`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// `command` is the whole program's.
pub(crate) fn start(
    arguments: &CompletionsArgs,
    command: clap::Command,
    printer: &Printer,
) -> Exit {
    printer.line(script(arguments.shell, command).trim_end());
    Exit::Success
}

/// The script for a shell, in which `windlass doc` offers the modules.
fn script(shell: Shell, command: clap::Command) -> String {
    let mut names: Vec<&str> = registry::names().collect();
    names.sort_unstable();
    // The program itself takes any word, so that it can say which module is nearest.
    let mut command = command.mut_subcommand("doc", |doc| {
        doc.mut_arg("module", |module| {
            module.value_parser(PossibleValuesParser::new(names))
        })
    });
    let mut script = Vec::new();
    generate(shell, &mut command, "windlass", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
