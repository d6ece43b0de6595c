//! `windlass check`: everything wrong that can be known without connecting.

use clap::Args;

use super::args::{self, InputFlags};
use super::exit::Exit;
use super::prepare;
use crate::report::{Printer, count};
use crate::vars::RunInfo;

/// Read playbooks, inventory and variables, and find everything wrong that can be known without
/// connecting.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    input: InputFlags,

    #[command(flatten)]
    output: args::OutputFlags,
}

pub(crate) fn start(arguments: &CheckArgs, printer: &Printer) -> Exit {
    let info = RunInfo {
        verbosity: arguments.output.verbose,
        limit: arguments.input.hosts.limit.clone(),
        tags: arguments.input.tags.clone(),
        skip_tags: arguments.input.skip_tags.clone(),
        ..RunInfo::default()
    };
    match prepare::prepare(&arguments.input, info, true, printer) {
        Ok(prepared) => {
            let plays: usize = prepared.playbooks.iter().map(|book| book.plays.len()).sum();
            let hosts = prepared.inventory.hosts().len();
            let (plays, hosts) = (count(plays, "play"), count(hosts, "host"));
            printer.line(&format!(
                "nothing wrong found: {plays}, {hosts} in the inventory"
            ));
            Exit::Success
        }
        Err(exit) => exit,
    }
}
