//! Finds one request's output in a stream: what is between its begin marker and its end marker.
//!
//! A marker is a control byte and a random word, then a letter, some text and a newline. What comes
//! before the begin marker is a login shell's chatter, or late words of an earlier request's children.

use memchr::memmem::Finder;

use super::word::random_word;

/// The byte that markers begin with: rare in any output, so that searching is fast.
const LEAD: char = '\x1e';
/// How much of what comes before the begin marker is kept, to explain a shell that never began.
const NOISE: usize = 8 << 10;
/// A marker's line is short; a longer one is not ours.
const LONGEST_LINE: usize = 256;

/// A new mark, unlike any other and unlike anything that a script could print by chance.
pub(super) fn new_mark() -> String {
    format!("{LEAD}{}", random_word())
}

/// One stream during one request.
pub(super) struct Frame {
    finder: Finder<'static>,
    mark: Vec<u8>,
    buffer: Vec<u8>,
    state: State,
    /// What came before the begin marker: its last few kilobytes.
    pub(super) noise: Vec<u8>,
    /// How many bytes of it came.
    pub(super) noise_seen: usize,
    /// What the begin marker says.
    pub(super) began: Option<String>,
    /// What the end marker says.
    pub(super) ended: Option<String>,
    /// The shell has said that it is of no more use.
    pub(super) desynchronised: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Inside,
    After,
}

impl Frame {
    pub(super) fn new(mark: &str) -> Self {
        Self {
            finder: Finder::new(mark.as_bytes()).into_owned(),
            mark: mark.as_bytes().to_vec(),
            buffer: Vec::new(),
            state: State::Before,
            noise: Vec::new(),
            noise_seen: 0,
            began: None,
            ended: None,
            desynchronised: false,
        }
    }

    /// Takes bytes as they arrive and appends to `output` what belongs to the request.
    pub(super) fn feed(&mut self, bytes: &[u8], output: &mut Vec<u8>) {
        self.buffer.extend_from_slice(bytes);
        let mut from = 0;
        while self.state != State::After {
            let Some(at) = self.finder.find(&self.buffer[from..]).map(|at| at + from) else {
                let keep = self.possible_start(from);
                self.pass(from, keep, output);
                from = keep;
                break;
            };
            self.pass(from, at, output);
            from = at;
            let line_at = at + self.mark.len();
            let line = &self.buffer[line_at..];
            let line = &line[..line.len().min(LONGEST_LINE + 1)];
            let Some(length) = memchr::memchr(b'\n', line) else {
                if line.len() <= LONGEST_LINE {
                    break;
                }
                // Not a marker of ours, however alike.
                self.pass(at, line_at, output);
                from = line_at;
                continue;
            };
            let line =
                String::from_utf8_lossy(&self.buffer[line_at..line_at + length]).into_owned();
            self.marker(&line);
            from = line_at + length + 1;
        }
        self.buffer.drain(..from);
    }

    fn marker(&mut self, line: &str) {
        match line.split_at_checked(1) {
            Some(("b", rest)) => {
                self.state = State::Inside;
                self.began = Some(rest.to_owned());
            }
            Some(("e", rest)) => {
                self.state = State::After;
                self.ended = Some(rest.to_owned());
            }
            _ => self.desynchronised = true,
        }
    }

    fn pass(&mut self, from: usize, to: usize, output: &mut Vec<u8>) {
        let bytes = &self.buffer[from..to];
        if self.state == State::Inside {
            output.extend_from_slice(bytes);
            return;
        }
        self.noise_seen += bytes.len();
        self.noise.extend_from_slice(bytes);
        if self.noise.len() > 2 * NOISE {
            self.noise.drain(..self.noise.len() - NOISE);
        }
    }

    /// Where the rest of the buffer could be the beginning of a marker, or else its end. Output is
    /// held back no longer than that: streamed lines show at once.
    fn possible_start(&self, from: usize) -> usize {
        let tail = self
            .buffer
            .len()
            .saturating_sub(self.mark.len() - 1)
            .max(from);
        (tail..self.buffer.len())
            .find(|&at| self.mark.starts_with(&self.buffer[at..]))
            .unwrap_or(self.buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(mark: &str, pieces: &[&[u8]]) -> (Frame, Vec<u8>) {
        let mut frame = Frame::new(mark);
        let mut output = Vec::new();
        for piece in pieces {
            frame.feed(piece, &mut output);
        }
        (frame, output)
    }

    #[test]
    fn output_is_what_stands_between_the_markers_however_it_is_cut() {
        let whole = b"motd\n\x1emb12\nhi\x1em\x1ex\0\xff\x1eme3\n";
        for cut in 0..whole.len() {
            let (frame, output) = fed("\x1em", &[&whole[..cut], &whole[cut..]]);
            // `\x1em` followed by a letter that is no marker's is the script's own, up to its line.
            assert_eq!(frame.began.as_deref(), Some("12"), "cut at {cut}");
            assert_eq!(frame.noise, b"motd\n");
            assert!(output.starts_with(b"hi"));
        }
    }

    #[test]
    fn bytes_like_a_marker_pass() {
        let mark = new_mark();
        let other = new_mark();
        let output_of = format!("a{other}e0\nb{}\n", &mark[..20]);
        let whole = format!("{mark}b\n{output_of}{mark}e0\n");
        let bytes = whole.as_bytes();
        for cut in 0..bytes.len() {
            let (frame, output) = fed(&mark, &[&bytes[..cut], &bytes[cut..]]);
            assert_eq!(frame.ended.as_deref(), Some("0"));
            assert_eq!(output, output_of.as_bytes(), "cut at {cut}");
        }
    }

    #[test]
    fn a_line_too_long_for_a_marker_is_output_however_it_is_cut() {
        let long = "x".repeat(LONGEST_LINE + 1);
        let output_of = format!("\x1emb{long}\n");
        let whole = format!("\x1emb\n{output_of}\x1eme0\n");
        let bytes = whole.as_bytes();
        for cut in 0..bytes.len() {
            let (frame, output) = fed("\x1em", &[&bytes[..cut], &bytes[cut..]]);
            assert_eq!(frame.began.as_deref(), Some(""), "cut at {cut}");
            assert_eq!(frame.ended.as_deref(), Some("0"), "cut at {cut}");
            assert_eq!(output, output_of.as_bytes(), "cut at {cut}");
        }
    }

    #[test]
    fn output_is_held_back_only_where_it_may_be_a_marker() {
        let mark = new_mark();
        let begin = format!("{mark}b\n");
        let (_, output) = fed(&mark, &[begin.as_bytes(), b"progress\n"]);
        assert_eq!(output, b"progress\n");
    }

    #[test]
    fn noise_is_bounded() {
        let mark = new_mark();
        let (frame, _) = fed(&mark, &vec![&[b'x'; 4096][..]; 100]);
        assert!(frame.noise.len() <= 2 * NOISE);
    }
}
