//! `windlass inventory`: hosts, groups and variables.

use clap::Args;

use super::args::Hosts;
use super::exit::Exit;
use crate::report::Printer;

/// Show hosts, groups and variables.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    hosts: Hosts,
}

pub(crate) fn start(_arguments: &Arguments, _printer: &Printer) -> Exit {
    Exit::Well
}
