//! The frame reader, for fuzzers.

use super::frame::Frame;

/// What the reader made of a stream.
pub(crate) struct Framed {
    pub(crate) output: Vec<u8>,
    pub(crate) began: Option<String>,
    pub(crate) ended: Option<String>,
    pub(crate) desynchronised: bool,
    /// Bytes that it keeps beside the output.
    pub(crate) held: usize,
}

/// Feeds the pieces of a stream, one after the other.
pub(crate) fn framed(mark: &str, pieces: &[&[u8]]) -> Framed {
    let mut frame = Frame::new(mark);
    let mut output = Vec::new();
    for piece in pieces {
        frame.feed(piece, &mut output);
    }
    Framed {
        output,
        held: frame.noise.len(),
        began: frame.began,
        ended: frame.ended,
        desynchronised: frame.desynchronised,
    }
}
