//! A text with a name, and a stretch of it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A text that was read, kept for as long as anything points into it.
pub struct Source {
    name: String,
    path: Option<PathBuf>,
    text: String,
    /// Where every [`STRIDE`]th of its lines begins; found out when a position is first asked for.
    lines: OnceLock<Vec<usize>>,
}

/// Of every so many lines it is kept where they begin: a text may be nothing but newlines.
const STRIDE: usize = 64;

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.path == other.path && self.text == other.text
    }
}

impl Eq for Source {}

impl Hash for Source {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Not the text: there may be much of it, and many spans.
        self.name.hash(state);
    }
}

impl Source {
    /// The text of a file. Its name in messages is the path as the user would write it.
    pub fn file(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        let path = path.into();
        Arc::new(Self {
            name: path.display().to_string(),
            path: Some(path),
            text: text.into(),
            lines: OnceLock::new(),
        })
    }

    /// A text that is in no file, such as `-e` on the command line.
    pub fn named(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            path: None,
            text: text.into(),
            lines: OnceLock::new(),
        })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of the line that a byte is in, from 1, and where that line begins.
    fn line(&self, at: usize) -> (usize, usize) {
        let lines = self.lines.get_or_init(|| {
            let after = memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at + 1);
            let begins = std::iter::once(0).chain(after);
            begins.step_by(STRIDE).collect()
        });
        let known = lines.partition_point(|start| *start <= at) - 1;
        let mut line = (known * STRIDE + 1, lines[known]);
        for newline in memchr::memchr_iter(b'\n', &self.text.as_bytes()[lines[known]..at]) {
            line = (line.0 + 1, lines[known] + newline + 1);
        }
        line
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.name)
    }
}

/// A stretch of a source, in bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Span {
    /// The text.
    pub source: Arc<Source>,
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// A stretch of `source`.
    pub fn new(source: &Arc<Source>, start: usize, end: usize) -> Self {
        Self {
            source: Arc::clone(source),
            start,
            end,
        }
    }

    /// The bytes that it covers, as far as they are there, in whole characters.
    pub fn range(&self) -> Range<usize> {
        let text = self.source.text();
        let start = floor_boundary(text, self.start);
        start..floor_boundary(text, self.end).max(start)
    }

    /// The text that it covers.
    pub fn text(&self) -> &str {
        &self.source.text()[self.range()]
    }

    /// Line and column of its start, both from 1; the column counts characters.
    pub fn position(&self) -> (usize, usize) {
        let text = self.source.text();
        let at = floor_boundary(text, self.start);
        let (line, start) = self.source.line(at);
        let column = text[start..at].chars().count() + 1;
        (line, column)
    }

    /// A stretch inside this one, by byte offsets from its start.
    #[must_use]
    pub fn within(&self, start: usize, end: usize) -> Self {
        Self {
            source: Arc::clone(&self.source),
            start: (self.start + start).min(self.end),
            end: (self.start + end).min(self.end),
        }
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position();
        write!(f, "{}:{line}:{column}", self.source.name())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, Span};

    #[test]
    fn positions_are_right_in_short_and_long_texts_and_little_is_kept_of_many_lines() {
        let lines: Vec<String> = (0..=500).map(|line| "é".repeat(line % 5)).collect();
        let text = lines.join("\n");
        let source = Source::named("x", text.as_str());
        let (mut line, mut column) = (1, 1);
        for (at, char) in text.char_indices() {
            assert_eq!(Span::new(&source, at, at).position(), (line, column));
            (line, column) = match char {
                '\n' => (line + 1, 1),
                _ => (line, column + 1),
            };
        }
        assert_eq!(
            Span::new(&source, text.len(), text.len()).position(),
            (501, 1)
        );
        let source = Source::named("x", "\n".repeat(1_000_000));
        assert_eq!(
            Span::new(&source, 999_999, 999_999).position(),
            (1_000_000, 1)
        );
        let kept = source.lines.get().unwrap().capacity() * size_of::<usize>();
        assert!(kept < 1_000_000, "{kept} bytes");
    }
}
