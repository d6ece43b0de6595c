//! Why no more can be taken, and the words for it.

use std::io;

use thiserror::Error;

/// Why no more can be taken.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum Full {
    /// An answer to a module, and longer than those are.
    #[error("its answer is longer than {}, and a module takes no more", size(*.0))]
    Answer(u64),
    /// Memory for what passes is used up.
    #[error(
        "the results of this run have used up the memory that they may take ({})",
        size(*.0)
    )]
    Memory(u64),
    /// Memory for what stays is used up.
    #[error(
        "the results of this run have used up the memory that may be kept: {} of {}, and the rest is for what modules are at",
        size(*.0 / 2),
        size(*.0)
    )]
    Kept(u64),
    /// Files are used up.
    #[error(
        "the results of this run have used up the room on disk that they may take ({})",
        size(*.0)
    )]
    Disk(u64),
    /// The file could not be written.
    #[error("what it printed could not be kept in a temporary file: {0}")]
    File(String),
}

impl Full {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Answer(_) => {
                "files of this size are not for modules that read them into a variable or edit them: \
                 use `fetch` or `copy` for the whole, or `command` to get what is needed of it"
            }
            Self::Memory(_) | Self::Kept(_) => {
                "allow more with --max-output-memory, or let fewer hosts work at once (-f)"
            }
            Self::Disk(_) => {
                "let the command print less, or into a file on the node (`fetch` gets it), or allow more \
                 with --max-output-disk"
            }
            Self::File(_) => {
                "is the disk of the control host full? TMPDIR says which folder is used"
            }
        }
    }
}

/// A number of bytes for people.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    for (shift, unit) in UNITS {
        if bytes >= 1 << shift && bytes.trailing_zeros() >= u32::try_from(shift).unwrap_or(0) {
            return format!("{} {unit}", bytes >> shift);
        }
    }
    format!("{bytes} bytes")
}

/// An error of the file, as what it means for who reads.
pub(super) fn unreadable(error: &io::Error) -> String {
    format!("a temporary file of the control host cannot be read back: {error}")
}
