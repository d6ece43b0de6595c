//! The lines of a text, as views of it.

use std::sync::Mutex;

use super::index::{Index, STRIDE};
use super::text::{LARGEST_IN_HAND, TextError, Transcript};

/// Reads through the text once.
fn index(text: &Transcript) -> Result<Index, TextError> {
    let (mut count, mut at) = (0, 0);
    let mut begins = vec![0];
    text.scan(0, |piece| {
        for (offset, byte) in piece.iter().enumerate() {
            if *byte == b'\n' {
                count += 1;
                if count % STRIDE == 0 {
                    begins.push(at + offset as u64 + 1);
                }
            }
        }
        at += piece.len() as u64;
        true
    })?;
    let mut ends_with_newline = text.is_empty();
    if let Some(last) = text.len().checked_sub(1) {
        text.scan(last, |piece| {
            ends_with_newline = piece == b"\n";
            false
        })?;
    }
    Ok(Index {
        count: count + u64::from(!ends_with_newline),
        begins,
        last: Mutex::new((0, 0)),
    })
}

fn newline_in(piece: &[u8]) -> Option<usize> {
    piece.iter().position(|byte| *byte == b'\n')
}

/// The lines of a text, as [`str::lines`] has them; nothing of it is copied but the lines asked for.
#[derive(Debug, Clone)]
pub struct Lines(pub(super) Transcript);

impl Transcript {
    /// Its lines.
    pub fn lines(&self) -> Lines {
        Lines(self.clone())
    }
}

impl Lines {
    /// How many there are.
    pub fn count(&self) -> Result<usize, TextError> {
        let count = self.0.index(index)?.count;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// One of them, without its newline; nothing beyond the last.
    pub fn get(&self, line: usize) -> Result<Option<String>, TextError> {
        let index = self.0.index(index)?;
        let line = line as u64;
        if line >= index.count {
            return Ok(None);
        }
        let (mut at_line, known) = index.before(line);
        let mut newline = None;
        let mut at = known;
        let mut bytes = Vec::new();
        self.0.scan(known, |mut piece| {
            while at_line < line {
                let Some(offset) = newline_in(piece) else {
                    at += piece.len() as u64;
                    return true;
                };
                (at_line, piece) = (at_line + 1, &piece[offset + 1..]);
                at += offset as u64 + 1;
            }
            let end = newline_in(piece);
            newline = end.map(|offset| at + offset as u64);
            at += piece.len() as u64;
            bytes.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
            newline.is_none() && bytes.len() as u64 <= LARGEST_IN_HAND
        })?;
        if bytes.len() as u64 > LARGEST_IN_HAND {
            return Err(TextError::TooLong(self.0.len()));
        }
        if let Ok(mut last) = index.last.lock() {
            *last = (line + 1, newline.map_or(self.0.len(), |at| at + 1));
        }
        if newline.is_some() && bytes.ends_with(b"\r") {
            bytes.pop();
        }
        // A line of a text is text, since it is cut at newlines.
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|error| TextError::File(error.to_string()))
    }

    /// All of them, one after the other.
    pub fn iter(&self) -> LineIter {
        LineIter {
            lines: self.clone(),
            next: 0,
        }
    }

    /// The text whose lines these are.
    pub fn text(&self) -> &Transcript {
        &self.0
    }
}

impl IntoIterator for &Lines {
    type Item = Result<String, TextError>;
    type IntoIter = LineIter;

    fn into_iter(self) -> LineIter {
        self.iter()
    }
}

/// Walks through lines; the first that cannot be read ends it.
#[derive(Debug)]
pub struct LineIter {
    lines: Lines,
    next: usize,
}

impl Iterator for LineIter {
    type Item = Result<String, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.get(self.next).transpose()?;
        self.next = if line.is_ok() {
            self.next + 1
        } else {
            usize::MAX
        };
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Bounds, Ledger, Writer};

    /// The text in memory, and in a file.
    fn both(text: &str) -> [Transcript; 2] {
        let mut writer = Writer::keeping(&Ledger::default().account("h"));
        writer.spill().unwrap();
        writer.push(text.as_bytes()).unwrap();
        let printed = writer.finish().unwrap();
        assert!(printed.in_memory().is_none());
        [text.into(), printed.transcript(false)]
    }

    #[test]
    fn lines_are_those_of_the_text_in_any_order() {
        let long = "long line ".repeat(20_000);
        let many = "äb\n".repeat(100_000);
        let texts = [
            "",
            "a",
            "a\n",
            "a\nb",
            "\n",
            "\n\n\n",
            "a\r\nb\r\r\nc\r",
            "\u{2028}\n\u{85}",
            &long,
            &format!("{long}\n{long}\n\n{long}"),
            &many,
        ];
        for text in texts {
            let expected: Vec<&str> = text.lines().collect();
            for transcript in both(text) {
                let lines = transcript.lines();
                assert_eq!(lines.count().unwrap(), expected.len());
                let all: Vec<String> = lines.iter().map(Result::unwrap).collect();
                assert_eq!(all, expected);
                for at in (0..expected.len()).rev().step_by(expected.len() / 50 + 1) {
                    assert_eq!(lines.get(at).unwrap().unwrap(), expected[at], "line {at}");
                }
                assert_eq!(lines.get(expected.len()).unwrap(), None);
                assert_eq!(*transcript.whole().unwrap(), *text);
            }
        }
    }

    #[test]
    fn nothing_but_newlines_is_as_many_empty_lines() {
        for transcript in both(&"\n".repeat(3_000_000)) {
            assert_eq!(transcript.lines().count().unwrap(), 3_000_000);
            assert_eq!(transcript.lines().get(2_999_999).unwrap().unwrap(), "");
        }
    }

    #[test]
    fn a_text_in_a_file_is_counted_while_somebody_holds_it_and_refused_where_there_is_no_room() {
        let ledger = Ledger::new(Bounds {
            memory: 8 << 20,
            disk: 1 << 30,
        });
        let account = ledger.account("h");
        let text_of = |bytes: usize| {
            let mut writer = Writer::keeping(&account);
            for _ in 0..bytes >> 20 {
                writer.push(&vec![b'x'; 1 << 20]).unwrap();
            }
            writer.finish().unwrap().transcript(false)
        };
        let (fits, too_large) = (text_of(3 << 20), text_of(5 << 20));
        let held = fits.whole().unwrap();
        assert!(std::sync::Arc::ptr_eq(&held, &fits.whole().unwrap()));
        assert_eq!(ledger.drawn().1, 8 << 20);
        assert!(ledger.drawn().0 > 0);
        drop(held);
        assert_eq!(ledger.drawn(), (0, 8 << 20));
        let refused = too_large.whole().unwrap_err();
        assert_eq!(
            refused,
            TextError::NoRoom {
                length: 5 << 20,
                limit: 8 << 20
            }
        );
    }
}
