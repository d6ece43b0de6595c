//! Texts as a reader would decode them, byte by byte, each byte with its place in the text.

use std::ops::Range;

/// A way to read a text. In each, lines are joined, as what is wrapped or indented would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoding {
    /// As it stands.
    Raw,
    /// `%41` is `A`: URLs, whole or only where they must be.
    Percent,
    /// `\u0041`, `\x41`, `\101` and `\A` are `A`: JSON, and what shells, Python and C quote.
    Backslash,
    /// The same, however many backslashes there are: JSON in JSON.
    Backslashes,
}

/// Those that can be different from the first for texts with these bytes.
pub(super) fn decodings(text: Bytes) -> impl Iterator<Item = Decoding> {
    let percent = text.percent.then_some(Decoding::Percent);
    let backslash = text.backslash.then_some(Decoding::Backslash);
    let backslashes = text.backslashes.then_some(Decoding::Backslashes);
    let escaped = percent.into_iter().chain(backslash).chain(backslashes);
    std::iter::once(Decoding::Raw).chain(escaped)
}

/// What texts have in them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bytes {
    percent: bool,
    backslash: bool,
    /// Two of them, one after the other.
    backslashes: bool,
}

impl Bytes {
    pub(super) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut has = Self::default();
        for text in texts {
            has.percent |= memchr::memchr(b'%', text.as_bytes()).is_some();
            if let Some(at) = memchr::memchr(b'\\', text.as_bytes()) {
                has.backslash = true;
                has.backslashes = has.backslashes || text[at..].contains(r"\\");
            }
        }
        has
    }
}

/// Reads texts one after another as one.
pub(super) struct Decoder {
    decoding: Decoding,
    /// After the end of a line: its indentation is passed over.
    at_start: bool,
}

impl Decoder {
    pub(super) fn new(decoding: Decoding) -> Self {
        Self {
            decoding,
            at_start: true,
        }
    }

    /// Gives the bytes of `text` as they are read, with their places in it.
    pub(super) fn read(&mut self, text: &str, mut each: impl FnMut(u8, Range<usize>)) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            let escape = match (self.decoding, byte) {
                (Decoding::Percent, b'%') => percent(&bytes[at..]),
                (Decoding::Backslash, b'\\') => backslash(&bytes[at..]),
                (Decoding::Backslashes, b'\\') => backslashes(&bytes[at..]),
                _ => None,
            };
            let Some((decoded, length)) = escape else {
                self.one(byte, at..at + 1, &mut each);
                at += 1;
                continue;
            };
            for &byte in decoded.bytes() {
                self.one(byte, at..at + length, &mut each);
            }
            at += length;
        }
        self.at_start = true;
    }

    #[inline]
    fn one(&mut self, byte: u8, place: Range<usize>, each: &mut impl FnMut(u8, Range<usize>)) {
        match byte {
            b'\n' | b'\r' => self.at_start = true,
            b' ' | b'\t' if self.at_start => {}
            _ => {
                self.at_start = false;
                each(byte, place);
            }
        }
    }
}

/// `text` as it stands, lines joined.
pub(super) fn joined(text: &str) -> Vec<u8> {
    seen(Decoding::Raw, text)
}

/// The same as it is when it was escaped any number of times. A backslash at its end goes with what follows
/// it there.
pub(super) fn unescaped(text: &str) -> Vec<u8> {
    seen(Decoding::Backslashes, text.trim_end_matches('\\'))
}

fn seen(decoding: Decoding, text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    Decoder::new(decoding).read(text, |byte, _| bytes.push(byte));
    bytes
}

/// What an escape stands for.
struct Decoded([u8; 4], usize);

impl Decoded {
    fn byte(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }

    fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| {
        Some(value * 16 + char::from(*digit).to_digit(16)?)
    })
}

fn percent(text: &[u8]) -> Option<(Decoded, usize)> {
    let value = hexadecimal(text.get(1..3)?)?;
    Some((Decoded::byte(u8::try_from(value).ok()?), 3))
}

fn backslash(text: &[u8]) -> Option<(Decoded, usize)> {
    Some(match text.get(1)? {
        b'u' => return unicode(text).or(Some((Decoded::byte(b'u'), 2))),
        b'x' => match text.get(2..4).and_then(hexadecimal) {
            Some(value) => (Decoded::byte(u8::try_from(value).ok()?), 4),
            None => (Decoded::byte(b'x'), 2),
        },
        b'0'..=b'7' => {
            let digits = text[1..].iter().take(3);
            let digits: Vec<u32> = digits
                .map_while(|digit| char::from(*digit).to_digit(8))
                .collect();
            let value = digits.iter().fold(0, |value, digit| value * 8 + digit);
            let byte = u8::try_from(value).unwrap_or(u8::MAX);
            (Decoded::byte(byte), 1 + digits.len())
        }
        b'n' => (Decoded::byte(b'\n'), 2),
        b'r' => (Decoded::byte(b'\r'), 2),
        b't' => (Decoded::byte(b'\t'), 2),
        b'b' => (Decoded::byte(8), 2),
        b'f' => (Decoded::byte(12), 2),
        other => (Decoded::byte(*other), 2),
    })
}

/// The escape after any number of backslashes.
fn backslashes(text: &[u8]) -> Option<(Decoded, usize)> {
    let run = text.iter().take_while(|byte| **byte == b'\\').count();
    match backslash(&text[run - 1..]) {
        Some((decoded, length)) => Some((decoded, run - 1 + length)),
        None if run > 1 => Some((Decoded::byte(b'\\'), run)),
        None => None,
    }
}

/// `\u0041`, or the two of them that stand for one character above U+FFFF.
fn unicode(text: &[u8]) -> Option<(Decoded, usize)> {
    let first = hexadecimal(text.get(2..6)?)?;
    let (code, length) = match first {
        0xD800..=0xDBFF => {
            // Before the other there are as many backslashes as before this one.
            let rest = text.get(6..)?;
            let run = rest.iter().take_while(|byte| **byte == b'\\').count();
            let other = rest.get(run..)?.strip_prefix(b"u").filter(|_| run > 0)?;
            let second = hexadecimal(other.get(..4)?)?;
            let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
            (0x1_0000 + ((first - 0xD800) << 10) + low, 6 + run + 5)
        }
        code => (code, 6),
    };
    let mut buffer = [0; 4];
    let used = char::from_u32(code)?.encode_utf8(&mut buffer).len();
    Some((Decoded(buffer, used), length))
}
