//! JSON lines: one object an event. `docs/reference/events.md` describes them.

use serde::Serialize;

use super::printer::Printer;
use super::settings::Report;
use crate::event::{Event, EventKind};

/// The version of the format. It grows when a field changes its meaning or goes away; new fields
/// and new events come without notice.
const VERSION: u32 = 1;

/// Writes JSON lines to standard output.
pub(crate) struct JsonLines {
    printer: Printer,
}

impl JsonLines {
    pub(crate) fn new(printer: Printer) -> Self {
        Self { printer }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    elapsed: f64,
    #[serde(flatten)]
    what: &'a EventKind,
}

impl Report for JsonLines {
    fn event(&mut self, event: Event) {
        let line = Line {
            version: VERSION,
            elapsed: (event.elapsed.as_secs_f64() * 1e6).round() / 1e6,
            what: &event.what,
        };
        match serde_json::to_string(&line) {
            Ok(text) => self.printer.json(&text),
            Err(error) => self
                .printer
                .note(&format!("an event could not be written: {error}")),
        }
    }
}
