//! A text in the file of the run.

use std::io;
use std::sync::Arc;

use super::account::Charge;
use super::pool::BLOCK;

/// A text in the file of the run.
#[derive(Debug)]
pub(super) struct Spilled {
    /// Its blocks, in order.
    blocks: Vec<u32>,
    pub(super) length: u64,
    /// What was drawn for it, for as long as it is there.
    pub(super) charge: Charge,
    /// No other text in the file has this number.
    pub(super) number: u64,
}

impl Spilled {
    pub(super) fn new(charge: Charge) -> Self {
        Self {
            blocks: Vec::new(),
            length: 0,
            number: charge.pool().number(),
            charge,
        }
    }

    /// Adds to its end.
    pub(super) fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let within = self.length % BLOCK;
            if within == 0 {
                let block = self.charge.pool().take()?;
                self.blocks.push(block);
            }
            let room = usize::try_from(BLOCK - within).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            let last = self.blocks.last().copied().unwrap_or_default();
            self.charge.pool().write(last, within, now)?;
            self.length += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// A piece of it, which is kept for whoever asks next: of a text that is complete.
    pub(super) fn piece(&self, from: u64, length: u64) -> io::Result<Arc<Vec<u8>>> {
        let pool = self.charge.pool();
        if let Some(known) = pool.known(self.number, from, length) {
            return Ok(known);
        }
        let bytes = Arc::new(self.read(from, length)?);
        pool.keep(self.number, from, &bytes);
        Ok(bytes)
    }

    /// A piece of it.
    pub(super) fn read(&self, from: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        let mut at = from;
        let mut rest = bytes.as_mut_slice();
        while !rest.is_empty() {
            let room = usize::try_from(BLOCK - at % BLOCK).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at_mut(room.min(rest.len()));
            let block = usize::try_from(at / BLOCK).unwrap_or(usize::MAX);
            let block = self.blocks.get(block).copied();
            let block = block.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            self.charge.pool().read(block, at % BLOCK, now)?;
            at += now.len() as u64;
            rest = later;
        }
        Ok(bytes)
    }
}

impl Drop for Spilled {
    fn drop(&mut self) {
        self.charge.pool().give_back(&self.blocks);
    }
}
