//! What a node sends down a stream of its shell.

use windlass_modules::host::Reply;
use windlass_modules::kit::Records;

use crate::transport::fuzzing::{Framed, framed};

/// A mark that an input can hold.
const MARK: &str = "\u{1e}m0";
/// What is held back of a stream beyond what was asked for: noise, and a line that may be a marker.
const HELD: usize = 32 << 10;

/// The first two bytes say how the rest is cut as it arrives.
pub fn frame(input: &[u8]) {
    let Some(([first, second], stream)) = input.split_first_chunk() else {
        return;
    };
    let (sizes, whole) = (
        [usize::from(*first) + 1, usize::from(*second) + 1],
        framed(MARK, &[stream]),
    );
    let mut pieces = Vec::new();
    let mut rest = stream;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    let cut = framed(MARK, &pieces);
    same(&whole, &cut);
    for framed in [&whole, &cut] {
        assert!(framed.held <= HELD, "{} bytes are held", framed.held);
    }
    records(whole);
}

/// What comes out does not depend on how it arrived.
fn same(whole: &Framed, cut: &Framed) {
    assert_eq!(
        whole.began, cut.began,
        "the begin marker depends on the cut"
    );
    assert_eq!(whole.ended, cut.ended, "the end marker depends on the cut");
    assert_eq!(whole.desynchronised, cut.desynchronised);
    assert!(
        whole.output == cut.output,
        "the output depends on the cut:\n{:?}\n{:?}",
        String::from_utf8_lossy(&whole.output),
        String::from_utf8_lossy(&cut.output)
    );
}

fn records(framed: Framed) {
    let reply = Reply {
        stdout: framed.output.into(),
        ..Reply::default()
    };
    let Ok(records) = Records::read(&reply) else {
        return;
    };
    let mut bytes = 0;
    for (key, value) in records.iter() {
        bytes += key.len() + value.len();
        records.number(key);
        records.flag(key);
    }
    assert!(
        bytes <= reply.stdout.bytes().len(),
        "records hold more than came"
    );
    if let Some((key, _)) = records.iter().next() {
        assert!(records.groups(key).count() <= records.all(key).count());
    }
}
