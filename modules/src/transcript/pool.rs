//! The file for what does not fit into memory: one for a run, since each open file counts.
//!
//! It is cut into blocks. A text has as many as it needs, in any order; they are used again once it goes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The size of a block.
pub(super) const BLOCK: u64 = 256 << 10;

/// A file without a name, for nobody else to read.
#[derive(Debug, Default)]
pub(super) struct Pool {
    file: OnceLock<File>,
    blocks: Mutex<Blocks>,
    /// How many texts there have been.
    texts: AtomicU64,
    /// What was read last of some of them, the latest last.
    pieces: Mutex<Vec<Piece>>,
}

/// So many pieces are kept in memory: of as many hosts as read theirs line by line at once.
const PIECES: usize = 16;

/// A piece of a text that was read.
#[derive(Debug)]
struct Piece {
    of: u64,
    begin: u64,
    bytes: Arc<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Blocks {
    free: Vec<u32>,
    /// How many there have been.
    count: u32,
}

impl Pool {
    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        // Closed to others from the beginning, and without a name from then on.
        let file = tempfile::Builder::new().prefix("windlass-").tempfile()?;
        Ok(self.file.get_or_init(|| file.into_file()))
    }

    /// A number for a text.
    pub(super) fn number(&self) -> u64 {
        self.texts.fetch_add(1, Ordering::Relaxed)
    }

    /// The piece of a text from `begin` on, if it is the one that was read last.
    pub(super) fn known(&self, of: u64, begin: u64, length: u64) -> Option<Arc<Vec<u8>>> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let at = pieces.iter().rposition(|piece| piece.of == of)?;
        let piece = pieces.remove(at);
        let same = piece.begin == begin && piece.bytes.len() as u64 == length;
        let bytes = same.then(|| Arc::clone(&piece.bytes));
        pieces.push(piece);
        bytes
    }

    /// Keeps a piece of a text in place of the one before.
    pub(super) fn keep(&self, of: u64, begin: u64, bytes: &Arc<Vec<u8>>) {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.retain(|piece| piece.of != of);
        if pieces.len() >= PIECES {
            pieces.remove(0);
        }
        let bytes = Arc::clone(bytes);
        pieces.push(Piece { of, begin, bytes });
    }

    #[cfg(test)]
    pub(super) fn pieces(&self) -> usize {
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.len()
    }

    /// A block that nobody uses.
    pub(super) fn take(&self) -> io::Result<u32> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.free.pop() {
            return Ok(block);
        }
        let block = blocks.count;
        let next = block.checked_add(1);
        blocks.count = next.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        Ok(block)
    }

    pub(super) fn give_back(&self, taken: &[u32]) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.free.extend_from_slice(taken);
    }

    /// Writes into a block, `within` bytes from its beginning; no further than its end.
    pub(super) fn write(&self, block: u32, within: u64, bytes: &[u8]) -> io::Result<()> {
        self.file()?
            .write_all_at(bytes, u64::from(block) * BLOCK + within)
    }

    /// Reads from a block; no further than its end.
    pub(super) fn read(&self, block: u32, within: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file()?
            .read_exact_at(bytes, u64::from(block) * BLOCK + within)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_file_has_no_name_and_is_for_nobody_else() {
        let pool = Pool::default();
        pool.write(pool.take().unwrap(), 0, b"text").unwrap();
        let file = pool.file().unwrap();
        let metadata = file.metadata().unwrap();
        assert_eq!(metadata.mode() & 0o777, 0o600);
        assert_eq!(metadata.nlink(), 0);
        let path = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
        assert!(path.to_string_lossy().ends_with("(deleted)"), "{path:?}");
    }
}
