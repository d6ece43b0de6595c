//! The markers around answers, and what becomes of them.
//!
//! An answer is, on each of the two streams, a line of mark and `b`, its bytes, and a line of mark and `e`.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getppid, kill_process};

use super::login::{Dripping, forever};
use super::modes::{Frames, Heavy, Mode, Records, Way};
use super::{cluster, records, tools, words};

/// Longer than anybody waits for an answer with a time limit of two seconds.
const LATE: Duration = Duration::from_secs(32);
/// No line of a marker is longer.
const LONGEST_MARKER: usize = 512;
/// The length of a mark.
const MARK: usize = 23;

/// One of the two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Stream {
    Out,
    Err,
}

/// What passes through one login shell.
pub struct Answers {
    mode: &'static Mode,
    run: String,
    module: Arc<Mutex<String>>,
    /// Answers given.
    count: AtomicUsize,
    /// The last of each stream, as it was sent.
    last: [Mutex<Vec<u8>>; 2],
}

/// An answer on one stream.
#[derive(Debug, Default, Clone)]
struct Answer {
    mark: Vec<u8>,
    begin: Vec<u8>,
    body: Vec<u8>,
    end: Vec<u8>,
}

impl Answers {
    /// None yet.
    pub fn new(mode: &'static Mode, run: String, module: Arc<Mutex<String>>) -> Self {
        Self {
            mode,
            run,
            module,
            count: AtomicUsize::new(0),
            last: Default::default(),
        }
    }

    /// How many were given.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Passes on what the real shell says, spoilt.
    pub fn relay(&self, from: &mut dyn Read, to: &mut dyn Write, stream: Stream) -> io::Result<()> {
        let mut piece = vec![0; 65536];
        let mut buffer = Vec::new();
        loop {
            let count = from.read(&mut piece)?;
            if count == 0 {
                to.write_all(&buffer)?;
                return to.flush();
            }
            let fresh = buffer.len().saturating_sub(LONGEST_MARKER);
            buffer.extend_from_slice(&piece[..count]);
            // Without a marker in what is new no answer has come to its end, and a long one is not looked through again.
            if memchr::memchr(0x1e, &buffer[fresh..]).is_none() {
                if memchr::memchr(0x1e, &buffer).is_none() {
                    to.write_all(&buffer)?;
                    to.flush()?;
                    buffer.clear();
                }
                continue;
            }
            while let Some((before, answer, length)) = first(&buffer) {
                to.write_all(&buffer[..before])?;
                buffer.drain(..length);
                self.give(answer, to, stream)?;
                to.flush()?;
            }
            // What is no answer, nor the beginning of one, goes on at once: questions for a password do.
            let keep = buffer
                .iter()
                .position(|&byte| byte == 0x1e)
                .unwrap_or(buffer.len());
            to.write_all(&buffer[..keep])?;
            to.flush()?;
            buffer.drain(..keep);
        }
    }

    fn give(&self, mut answer: Answer, to: &mut dyn Write, stream: Stream) -> io::Result<()> {
        let module = self
            .module
            .lock()
            .map(|module| module.clone())
            .unwrap_or_default();
        // What comes before the first module is the way in, which is not what these are about.
        let inside = !module.is_empty();
        if inside {
            if stream == Stream::Out
                && let Some(body) = cluster::instead(&module, &answer.body)
            {
                answer.body = body;
                answer.end = b"0".to_vec();
            }
            answer.body = records::spoilt(self.mode, &self.run, &module, stream, answer.body);
        }
        let result = match self.mode.way {
            Way::Frames(how) => self.framed(how, answer.clone(), inside, to, stream),
            Way::Records(Records::Endless) if inside => endless(&answer, &module, to, stream),
            _ => answer.write(to),
        };
        if let Ok(mut last) = self.last[stream as usize].lock() {
            last.clear();
            answer.write(&mut *last)?;
        }
        if stream == Stream::Out {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        result
    }

    fn framed(
        &self,
        how: Frames,
        mut answer: Answer,
        inside: bool,
        to: &mut dyn Write,
        stream: Stream,
    ) -> io::Result<()> {
        if how == Frames::WrongMark || how == Frames::LaterWrongMark && inside {
            let last = answer.mark.len() - 1;
            answer.mark[last] = if answer.mark[last] == b'0' {
                b'1'
            } else {
                b'0'
            };
            return answer.write(to);
        }
        if !inside {
            return answer.write(to);
        }
        let words = words::of(self.mode, &self.run);
        match (how, stream) {
            (Frames::NoEnd, _) | (Frames::NoEndErr, Stream::Err) => answer.write_open(to),
            (Frames::Twice, _) => {
                answer.write(to)?;
                answer.line(to, b'e', b"7")?;
                to.write_all(&words)
            }
            (Frames::EndFirst, _) => {
                answer.line(to, b'e', b"0")?;
                answer.write(to)
            }
            (Frames::BeginTwice, _) => {
                answer.line(to, b'b', &answer.begin)?;
                to.write_all(b"forged")?;
                answer.line(to, b'e', b"0")?;
                answer.write(to)
            }
            (Frames::Replay, _) => {
                let last = self.last[stream as usize].lock().map(|last| last.clone());
                to.write_all(&last.unwrap_or_default())?;
                answer.write(to)
            }
            (Frames::Desync, Stream::Out) => {
                answer.write_open(to)?;
                answer.line(to, b'd', b"")?;
                answer.line(to, b'e', &answer.end)
            }
            (Frames::StatusHuge, Stream::Out) => answer.ended(to, "9".repeat(30).as_bytes()),
            (Frames::StatusNegative, Stream::Out) => answer.ended(to, b"-2147483649"),
            (Frames::StatusWord, Stream::Out) => {
                // A longer line would be no marker.
                answer.ended(to, &words[..words.len().min(120)])
            }
            (Frames::LongMarker, _) => answer.ended(to, &b"0".repeat(100_000)),
            (Frames::Process, Stream::Out) => {
                answer.begin =
                    [b"1".as_slice(), b"-1", b"99999999999999999999"][self.count() % 3].to_vec();
                answer.write(to)
            }
            (Frames::Talks, _) => {
                to.write_all(&words)?;
                answer.write(to)?;
                to.write_all(&words)
            }
            _ => Self::linked(how, answer, to, stream),
        }
    }

    /// What it does to its own link, and to the time.
    fn linked(
        how: Frames,
        mut answer: Answer,
        to: &mut dyn Write,
        stream: Stream,
    ) -> io::Result<()> {
        match (how, stream) {
            (Frames::Cut, _) => {
                answer.body.truncate(answer.body.len() / 2);
                answer.write_open(to)?;
                to.flush()?;
                std::process::exit(0)
            }
            (Frames::LastWords, Stream::Out) => {
                answer.write(to)?;
                to.flush()?;
                // The other stream has its end to send as well.
                thread::sleep(Duration::from_millis(100));
                std::process::exit(0)
            }
            (Frames::ClosesOut, Stream::Out) => {
                answer.write_open(to)?;
                to.flush()?;
                tools::to_nowhere()?;
                forever()
            }
            (Frames::KillsSshd | Frames::StopsSshd, Stream::Out) => {
                answer.write_open(to)?;
                to.flush()?;
                let signal = if how == Frames::KillsSshd {
                    Signal::KILL
                } else {
                    Signal::STOP
                };
                if let Some(parent) = getppid() {
                    kill_process(parent, signal)?;
                }
                forever()
            }
            (Frames::Drips, Stream::Out) => answer.write(&mut Dripping(to)),
            (Frames::Sleeps, _) => {
                thread::sleep(LATE);
                answer.write(to)
            }
            (Frames::Background, Stream::Out) => {
                tools::leave_behind()?;
                answer.write(to)
            }
            (Frames::FloodInside, Stream::Out) | (Frames::FloodErrInside, Stream::Err) => {
                answer.write_open(to)?;
                flood(to)
            }
            _ => answer.write(to),
        }
    }
}

fn flood(to: &mut dyn Write) -> io::Result<()> {
    let piece = b"all work and no play makes a dull node\n".repeat(2048);
    loop {
        to.write_all(&piece)?;
    }
}

/// Files that never end.
fn endless(answer: &Answer, module: &str, to: &mut dyn Write, stream: Stream) -> io::Result<()> {
    let has_content =
        records::read(&answer.body).is_some_and(|all| all.iter().any(|record| record.rest));
    if stream == Stream::Out && (has_content || module == "fetch") {
        answer.write_open(to)?;
        return flood(to);
    }
    answer.write(to)
}

impl Answer {
    fn line(&self, to: &mut dyn Write, letter: u8, text: &[u8]) -> io::Result<()> {
        to.write_all(&self.mark)?;
        to.write_all(&[letter])?;
        to.write_all(text)?;
        to.write_all(b"\n")
    }

    /// Without its end.
    fn write_open(&self, to: &mut dyn Write) -> io::Result<()> {
        self.line(to, b'b', &self.begin)?;
        to.write_all(&self.body)
    }

    fn ended(&self, to: &mut dyn Write, end: &[u8]) -> io::Result<()> {
        self.write_open(to)?;
        self.line(to, b'e', end)
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        self.ended(to, &self.end)
    }
}

/// Whether a heavy mode is about this stream.
pub(super) fn is_heavy_here(heavy: Heavy, stream: Stream) -> bool {
    (heavy == Heavy::Errors) == (stream == Stream::Err)
}

/// The first whole answer in `bytes`: how many bytes come before it, itself, and where it is over.
fn first(bytes: &[u8]) -> Option<(usize, Answer, usize)> {
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|&byte| byte == 0x1e)?;
        let mark = bytes.get(at..at + MARK)?;
        let is_mark =
            (mark[1..].iter()).all(|&byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_mark || bytes.get(at + MARK)? != &b'b' {
            from = at + 1;
            continue;
        }
        let begin_at = at + MARK + 1;
        let begin_end = begin_at + bytes[begin_at..].iter().position(|&byte| byte == b'\n')?;
        let end_mark = [mark, b"e"].concat();
        let body_at = begin_end + 1;
        let body_end = body_at + memchr::memmem::find(&bytes[body_at..], &end_mark)?;
        let end_at = body_end + end_mark.len();
        let end_end = end_at + bytes[end_at..].iter().position(|&byte| byte == b'\n')?;
        let answer = Answer {
            mark: mark.to_vec(),
            begin: bytes[begin_at..begin_end].to_vec(),
            body: bytes[body_at..body_end].to_vec(),
            end: bytes[end_at..end_end].to_vec(),
        };
        return Some((at, answer, end_end + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_among_other_words() {
        let mark = format!("\u{1e}{}", &"0a-_".repeat(6)[..22]);
        let text = format!("motd\u{1e}x{mark}b12\nbody{mark}e0\nrest");
        let (before, answer, over) = first(text.as_bytes()).expect("it is whole");
        assert_eq!(&text[..before], "motd\u{1e}x");
        assert_eq!(
            (answer.begin, answer.body, answer.end),
            (b"12".to_vec(), b"body".to_vec(), b"0".to_vec())
        );
        assert_eq!(&text[over..], "rest");
        assert!(first(&text.as_bytes()[..over - 1]).is_none());
    }
}
