//! What a report is, and how much it shows.

use crate::event::Event;

/// How much a report shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// How often `-v` was given: 1 shows results, 2 where tasks stand, 3 everything.
    pub verbosity: u8,
}

/// Something that reads the events of a run.
pub trait Report: Send {
    /// Takes an event in. Texts in it may hold anything.
    fn event(&mut self, event: Event);

    /// Called a few times a second, for what moves while nothing happens.
    fn tick(&mut self) {}
}
