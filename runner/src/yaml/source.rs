//! A text with a name, and a stretch of it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A text that was read, kept for as long as anything points into it.
#[derive(PartialEq, Eq, Hash)]
pub struct Source {
    name: String,
    path: Option<PathBuf>,
    text: String,
}

impl Source {
    /// The text of a file. Its name in messages is the path as the user would write it.
    pub fn file(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        let path = path.into();
        Arc::new(Self {
            name: path.display().to_string(),
            path: Some(path),
            text: text.into(),
        })
    }

    /// A text that is in no file, such as `-e` on the command line.
    pub fn named(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            path: None,
            text: text.into(),
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
        let before = &text[..floor_boundary(text, self.start)];
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
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
