//! The one place that writes to the terminal. Results go to standard output, all else to standard
//! error.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use owo_colors::Style;

use super::{ask, escape};

/// What the program paints. Until a text is written, marks stand for it that no other text can hold:
/// whatever a terminal would obey in a text is not the program's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Styles {
    Good,
    Changed,
    Bad,
    Faint,
    Strong,
    Aside,
    None,
}

impl Styles {
    const ALL: [(Self, char); 7] = [
        (Self::Good, '\u{FDD0}'),
        (Self::Changed, '\u{FDD1}'),
        (Self::Bad, '\u{FDD2}'),
        (Self::Faint, '\u{FDD3}'),
        (Self::Strong, '\u{FDD4}'),
        (Self::Aside, '\u{FDD5}'),
        (Self::None, '\u{FDD6}'),
    ];

    fn mark(self) -> char {
        let known = Self::ALL.iter().find(|(style, _)| *style == self);
        known.map_or('\u{FDD6}', |(_, mark)| *mark)
    }

    fn sequence(self) -> String {
        let style = Style::new();
        let style = match self {
            Self::Good => style.green(),
            Self::Changed => style.yellow(),
            Self::Bad => style.red().bold(),
            Self::Faint => style.dimmed(),
            Self::Strong => style.bold(),
            Self::Aside => style.cyan(),
            Self::None => return "\u{1b}[0m".to_owned(),
        };
        style.prefix_formatter().to_string()
    }
}

/// `text` as it is written: the program's own marks as colours, and nothing else that a terminal obeys.
fn written(text: &str, colour: bool) -> Cow<'_, str> {
    let text = escape::marked(text);
    if !text.contains(|c| escape::MARKS.contains(&c)) {
        return text;
    }
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match Styles::ALL.iter().find(|(_, mark)| *mark == c) {
            Some((style, _)) if colour => written.push_str(&style.sequence()),
            Some(_) => {}
            None => written.push(c),
        }
    }
    Cow::Owned(written)
}

/// Colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// Colour or not.
    pub const fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// Colour where standard output is a terminal and the user has not asked for none
    /// (`NO_COLOR`, `TERM=dumb`).
    pub fn detect() -> Self {
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        Self {
            colour: choice != anstream::ColorChoice::Never,
        }
    }

    /// Whether there are colours.
    pub fn is_coloured(self) -> bool {
        self.colour
    }

    fn paint(self, text: &str, style: Styles) -> String {
        if self.colour {
            format!("{}{text}{}", style.mark(), Styles::None.mark())
        } else {
            text.to_owned()
        }
    }

    /// For what succeeded.
    pub fn good(self, text: &str) -> String {
        self.paint(text, Styles::Good)
    }

    /// For what changed.
    pub fn changed(self, text: &str) -> String {
        self.paint(text, Styles::Changed)
    }

    /// For what failed.
    pub fn bad(self, text: &str) -> String {
        self.paint(text, Styles::Bad)
    }

    /// For what matters less.
    pub fn faint(self, text: &str) -> String {
        self.paint(text, Styles::Faint)
    }

    /// For headings.
    pub fn strong(self, text: &str) -> String {
        self.paint(text, Styles::Strong)
    }

    /// For what was skipped, and other asides.
    pub fn aside(self, text: &str) -> String {
        self.paint(text, Styles::Aside)
    }
}

/// Writes lines.
#[derive(Clone)]
pub struct Printer {
    theme: Theme,
    out: Arc<Mutex<dyn Write + Send>>,
    err: Arc<Mutex<dyn Write + Send>>,
    terminal: bool,
    asking: Arc<AtomicBool>,
    interrupted: Arc<AtomicBool>,
    /// Why standard output could not be written, the first time.
    unwritten: Arc<OnceLock<std::io::Error>>,
}

impl Printer {
    /// To standard output and standard error.
    pub fn standard() -> Self {
        Self {
            theme: Theme::detect(),
            out: Arc::new(Mutex::new(std::io::stdout())),
            err: Arc::new(Mutex::new(std::io::stderr())),
            terminal: std::io::stderr().is_terminal(),
            asking: Arc::default(),
            interrupted: Arc::default(),
            unwritten: Arc::default(),
        }
    }

    /// To writers of the caller's; for tests.
    pub fn to(out: Arc<Mutex<dyn Write + Send>>, err: Arc<Mutex<dyn Write + Send>>) -> Self {
        Self {
            theme: Theme::new(false),
            out,
            err,
            terminal: false,
            asking: Arc::default(),
            interrupted: Arc::default(),
            unwritten: Arc::default(),
        }
    }

    /// The colours in use.
    pub fn theme(&self) -> Theme {
        self.theme
    }

    /// Whether live lines can be shown: standard error is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Asks the person at the terminal for a line; live lines keep still meanwhile. What is typed is
    /// shown only with `echo`. Where standard input is no terminal, its next line is the answer. Errors:
    /// [`ErrorKind::Interrupted`](std::io::ErrorKind::Interrupted) after [`Self::interrupt`]; there is no line
    /// any more, or it cannot be read.
    pub fn ask(&self, text: &str, echo: bool) -> std::io::Result<String> {
        self.asking.store(true, Ordering::Relaxed);
        let show = || {
            if let Ok(mut err) = self.err.lock() {
                let _ = write!(err, "{}", escape::block(text));
                let _ = err.flush();
            }
        };
        let answer = ask::line(show, echo, &self.interrupted);
        self.asking.store(false, Ordering::Relaxed);
        answer
    }

    /// Nobody is to be asked any more.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether somebody is being asked something right now.
    pub fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }

    /// Why something that was to go to standard output is not there, if that is so.
    pub fn unwritten(&self) -> Option<&std::io::Error> {
        self.unwritten.get()
    }

    /// A line of results.
    pub fn line(&self, text: &str) {
        self.result(&written(text, self.theme.colour));
    }

    /// Results as JSON: what a terminal would obey is escaped as JSON does.
    pub fn json(&self, text: &str) {
        self.result(&escape::json(text));
    }

    fn result(&self, text: &str) {
        if let Err(error) = write_line(&self.out, text) {
            self.not_written(error);
        }
    }

    /// Notes that something could not be written to standard output.
    pub fn not_written(&self, error: std::io::Error) {
        // A reader that has gone away (`| head`) is no reason to end a run in the middle, nor an error.
        if error.kind() != ErrorKind::BrokenPipe {
            let _ = self.unwritten.set(error);
        }
    }

    /// A line about the run: warnings, errors, progress. Where it cannot be written, there is nobody to tell.
    pub fn note(&self, text: &str) {
        let _ = write_line(&self.err, &written(text, self.theme.colour));
    }

    /// What [`draw`](super::diagnostics::draw) gave: colours in it stay.
    pub fn drawn(&self, text: &str) {
        let _ = write_line(&self.err, &escape::drawn(text));
    }
}

fn write_line(to: &Mutex<dyn Write + Send>, text: &str) -> std::io::Result<()> {
    let mut to = to.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(to, "{text}")?;
    to.flush()
}
