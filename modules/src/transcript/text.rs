//! What a program printed, as text.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use thiserror::Error;

use super::account::{Charge, Stay};
use super::full::{size, unreadable};
use super::index::Index;
use super::spilled::Spilled;

/// The longest text that is read back from a file in one piece, as templates need it.
pub const LARGEST_IN_HAND: u64 = 64 << 20;
/// Bytes read at a time.
const PIECE: u64 = 64 << 10;

/// A text that a program printed, kept once: in memory, or in a file. Cloning it shares it.
#[derive(Clone)]
pub struct Transcript(Arc<Kept>);

struct Kept {
    place: TextStore,
    /// Bytes of text.
    length: u64,
    index: OnceLock<Index>,
}

enum TextStore {
    Memory {
        text: Arc<str>,
        #[expect(dead_code, reason = "held for as long as the text is")]
        charge: Option<Charge>,
    },
    File {
        file: Arc<Spilled>,
        /// Whoever reads all of it has this: others wait for what that one gets.
        reading: Mutex<()>,
    },
}

/// Why a text cannot be had in one piece.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum TextError {
    /// It is too long to be a value.
    #[error(
        "this text has {0} bytes, and templates take no more than {limit} at once",
        limit = size(LARGEST_IN_HAND)
    )]
    TooLong(u64),
    /// Memory is used up.
    #[error(
        "this text has {length} bytes, and the results of this run have used up the memory that they may take ({limit})",
        limit = size(*.limit)
    )]
    NoRoom {
        /// Of the text, in bytes.
        length: u64,
        /// Of all results, in bytes.
        limit: u64,
    },
    /// The file cannot be read.
    #[error("{0}")]
    File(String),
}

impl TextError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLong(_) => {
                "use some of its lines (`r.stdout_lines[0]`, `r.stdout_lines | length`), or let the command \
                 print less"
            }
            Self::NoRoom { .. } => "allow more with --max-output-memory",
            Self::File(_) => "look at the file system that TMPDIR names",
        }
    }
}

impl Transcript {
    pub(super) fn in_memory(text: Arc<str>, charge: Option<Charge>) -> Self {
        let length = text.len() as u64;
        Self::new(TextStore::Memory { text, charge }, length)
    }

    pub(super) fn in_file(file: Arc<Spilled>, strip: bool) -> Self {
        let length = if strip { stripped(&file) } else { file.length };
        let place = TextStore::File {
            file,
            reading: Mutex::default(),
        };
        Self::new(place, length)
    }

    fn new(place: TextStore, length: u64) -> Self {
        Self(Arc::new(Kept {
            place,
            length,
            index: OnceLock::new(),
        }))
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.0.length
    }

    /// Whether it has no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it, shared with whoever has asked before.
    pub fn whole(&self) -> Result<Arc<str>, TextError> {
        let (file, reading) = match &self.0.place {
            TextStore::Memory { text, .. } => return Ok(Arc::clone(text)),
            TextStore::File { file, reading, .. } => (file, reading),
        };
        let length = self.len();
        if length > LARGEST_IN_HAND {
            return Err(TextError::TooLong(length));
        }
        let _reading = reading.lock().unwrap_or_else(PoisonError::into_inner);
        let id = (file.number, length);
        if let Some(text) = file.charge.in_hand(id) {
            return Ok(text);
        }
        // While it is put together there are two of it.
        let mut charge = file.charge.another();
        if !charge.memory(2 * length, Stay::Passing) {
            return Err(TextError::NoRoom {
                length,
                limit: charge.bounds().memory,
            });
        }
        let text: Arc<str> = Arc::from(self.slice(0, length)?);
        charge.less(length);
        charge.hold(id, &text);
        Ok(text)
    }

    /// Its beginning: `limit` bytes at most, cut between two characters.
    pub fn head(&self, limit: u64) -> String {
        let mut end = limit.min(self.len());
        match &self.0.place {
            TextStore::Memory { text, .. } => {
                while !text.is_char_boundary(usize::try_from(end).unwrap_or(usize::MAX)) {
                    end -= 1;
                }
                text[..usize::try_from(end).unwrap_or(usize::MAX)].to_owned()
            }
            TextStore::File { file, .. } => {
                let mut bytes = file.read(0, end).unwrap_or_default();
                if let Err(error) = std::str::from_utf8(&bytes) {
                    bytes.truncate(error.valid_up_to());
                }
                String::from_utf8(bytes).unwrap_or_default()
            }
        }
    }

    /// The bytes between two offsets; each is the beginning of a line, or the end.
    pub(super) fn slice(&self, from: u64, to: u64) -> Result<String, TextError> {
        if to - from > LARGEST_IN_HAND {
            return Err(TextError::TooLong(to - from));
        }
        let lost = |error: &dyn fmt::Display| TextError::File(error.to_string());
        match &self.0.place {
            TextStore::Memory { text, .. } => {
                let [from, to] = [from, to].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
                Ok(text.get(from..to).unwrap_or_default().to_owned())
            }
            TextStore::File { file, .. } => {
                let bytes = file
                    .read(from, to - from)
                    .map_err(|error| TextError::File(unreadable(&error)))?;
                String::from_utf8(bytes).map_err(|error| lost(&error))
            }
        }
    }

    /// Calls `each` with the bytes from `from` on, piece by piece, until it says that it has enough.
    pub(super) fn scan(
        &self,
        from: u64,
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), TextError> {
        match &self.0.place {
            TextStore::Memory { text, .. } => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                each(text.as_bytes().get(from..).unwrap_or_default());
            }
            TextStore::File { file, .. } => {
                let mut at = from;
                while at < self.len() {
                    let begin = at / PIECE * PIECE;
                    let length = PIECE.min(self.len() - begin);
                    // Lines are asked for one after the other.
                    let piece = file
                        .piece(begin, length)
                        .map_err(|error| TextError::File(unreadable(&error)))?;
                    let skipped = usize::try_from(at - begin).unwrap_or(usize::MAX);
                    if !each(piece.get(skipped..).unwrap_or_default()) {
                        break;
                    }
                    at = begin + length;
                }
            }
        }
        Ok(())
    }

    /// Where its lines begin, found out once by `find`.
    pub(super) fn index(
        &self,
        find: impl FnOnce(&Self) -> Result<Index, TextError>,
    ) -> Result<&Index, TextError> {
        if let Some(index) = self.0.index.get() {
            return Ok(index);
        }
        let index = find(self)?;
        Ok(self.0.index.get_or_init(|| index))
    }
}

/// The length without the newlines at the end.
fn stripped(file: &Spilled) -> u64 {
    let mut end = file.length;
    while end > 0 {
        let from = end.saturating_sub(PIECE);
        let Ok(piece) = file.read(from, end - from) else {
            return end;
        };
        let blank = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let blanks = piece.iter().rev().take_while(blank).count();
        end -= blanks as u64;
        if blanks < piece.len() {
            break;
        }
    }
    end
}

impl From<String> for Transcript {
    fn from(text: String) -> Self {
        Self::in_memory(text.into(), None)
    }
}

impl From<&str> for Transcript {
    fn from(text: &str) -> Self {
        Self::in_memory(text.into(), None)
    }
}

impl Default for Transcript {
    fn default() -> Self {
        "".into()
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.head(1000))?;
        match self.len() {
            0..=1000 => Ok(()),
            more => write!(f, " and so on, {more} bytes"),
        }
    }
}

impl PartialEq<&str> for Transcript {
    fn eq(&self, other: &&str) -> bool {
        self.whole().is_ok_and(|text| *text == **other)
    }
}
