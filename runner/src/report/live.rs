//! The lines at the bottom of a terminal that move while a task runs: what runs, on how many of its
//! hosts it is done, for how long, and the last thing that slow hosts said.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{escape, text};

/// How many hosts have a line of their own.
const SHOWN: usize = 8;
/// A host that works for less than this has no line of its own.
const QUIET: Duration = Duration::from_secs(2);

/// A host that is at work.
pub(crate) struct Busy {
    pub(crate) since: Instant,
    pub(crate) last: Option<String>,
}

/// The moving lines.
#[derive(Default)]
pub(crate) struct LiveLines {
    /// There while something is drawn.
    bar: Option<ProgressBar>,
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner:.cyan} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    bar.with_style(style)
}

impl LiveLines {
    /// Runs `print` with the moving lines out of the way.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Redraws them.
    pub(crate) fn draw(
        &mut self,
        name: &str,
        done: usize,
        total: usize,
        since: Instant,
        busy: &HashMap<String, Busy>,
    ) {
        let width = usize::from(console_width()).max(20);
        let mut lines = vec![format!(
            "{name}  {done}/{total} hosts  {}",
            text::time(since.elapsed())
        )];
        let slow = busy
            .iter()
            .filter(|(_, busy)| busy.since.elapsed() >= QUIET || busy.last.is_some());
        let mut slow: Vec<(&String, &Busy)> = slow.collect();
        // Those that have taken longest, and always in the same order: lines should not jump.
        slow.sort_by_key(|(host, busy)| (busy.since, *host));
        for (host, busy) in slow.iter().take(SHOWN) {
            let last = busy.last.as_deref().unwrap_or("working");
            let time = text::time(busy.since.elapsed());
            lines.push(format!("    {host}  {time}: {last}"));
        }
        if slow.len() > SHOWN {
            lines.push(format!("    … and {} more", slow.len() - SHOWN));
        }
        // These lines do not pass the printer.
        let lines = lines.iter().map(|line| escape::line(line));
        let lines: Vec<String> = lines.map(|line| clipped(&line, width - 3)).collect();
        let bar = self.bar.get_or_insert_with(bar);
        bar.set_message(lines.join("\n"));
        bar.tick();
    }

    /// Takes them away.
    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn console_width() -> u16 {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
    // One that does not know says 0.
    let columns = size.map(|size| size.ws_col).filter(|columns| *columns > 0);
    columns.unwrap_or(80)
}

fn clipped(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}
