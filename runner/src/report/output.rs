//! The output formats, and how a report follows a run.

use std::fmt;
use std::str::FromStr;

use tokio::sync::mpsc;

use super::ansible::Ansible;
use super::console::Console;
use super::json::JsonLines;
use super::printer::Printer;
use super::settings::{Report, Settings};
use crate::event::Event;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person at a terminal: live lines, colour, equal results in one line.
    Human,
    /// The same results without live lines and colour, one line a result, for logs and grep.
    Plain,
    /// One JSON object a line, as docs/reference/events.md has it.
    Json,
    /// As `ansible-playbook` prints.
    Ansible,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Human => "human",
            Self::Plain => "plain",
            Self::Json => "json",
            Self::Ansible => "ansible",
        })
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        clap::ValueEnum::from_str(text, false)
    }
}

/// The report for a format.
pub fn report(format: Format, settings: Settings, printer: Printer) -> Box<dyn Report> {
    match format {
        Format::Human => Box::new(Console::new(printer, settings, true)),
        Format::Plain => Box::new(Console::new(printer, settings, false)),
        Format::Json => Box::new(JsonLines::new(printer)),
        Format::Ansible => Box::new(Ansible::new(printer, settings)),
    }
}

/// Feeds `report` until the run is over.
pub async fn follow(mut report: Box<dyn Report>, mut events: mpsc::Receiver<Event>) {
    let mut clock = tokio::time::interval(std::time::Duration::from_millis(100));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => report.event(event),
                None => break,
            },
            _ = clock.tick() => report.tick(),
        }
    }
}
