//! Where the lines of a text begin.

use std::sync::Mutex;

/// Of every so many lines it is known where they begin.
pub(super) const STRIDE: u64 = 1024;

/// Where lines begin: of every [`STRIDE`]th.
pub(super) struct Index {
    pub(super) count: u64,
    pub(super) begins: Vec<u64>,
    /// The line that was asked for last, and where the one after it begins: whoever walks through them
    /// asks for that next.
    pub(super) last: Mutex<(u64, u64)>,
}

impl Index {
    /// The nearest line before, or the line itself, of which it is known where it begins.
    pub(super) fn before(&self, line: u64) -> (u64, u64) {
        let stride = line / STRIDE;
        let begin = usize::try_from(stride).ok();
        let begin = begin.and_then(|stride| self.begins.get(stride)).copied();
        let known = (stride * STRIDE, begin.unwrap_or(0));
        match self.last.lock() {
            Ok(last) if last.0 <= line && last.0 > known.0 => *last,
            _ => known,
        }
    }
}
