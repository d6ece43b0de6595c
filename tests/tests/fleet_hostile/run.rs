//! Runs the program, watches what it takes, and looks at each byte that it prints.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use windlass_tests::program::high_water;

/// Lines up to this length are kept whole, of longer ones the beginning.
const KEPT: usize = 256 << 10;
/// What the hostile node has after sequences that the program prints as well, with ESC for each of them.
const NODES_OWN: &[u8] = b"\x1bwiped";
/// How often its memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How it is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Json,
    /// On a terminal.
    Human,
    Plain,
    Ansible,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Human => "human",
            Self::Plain => "plain",
            Self::Ansible => "ansible",
        }
    }
}

/// What became of a run.
#[derive(Debug, Default)]
pub struct Ran {
    pub status: Option<i32>,
    /// Why it was ended from here.
    pub ended: Option<String>,
    /// The most memory that it had, in KiB.
    pub peak: u64,
    pub took: Duration,
    pub lines: Vec<String>,
    /// Bytes that no terminal should get, with what stands around them.
    pub controls: Vec<String>,
}

/// The most that a run may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub time: Duration,
    /// KiB.
    pub memory: u64,
}

/// Runs it to its end, or ends it where it is past all bounds.
pub fn run(command: &mut Command, format: Format, bounds: Bounds) -> Ran {
    let begun = Instant::now();
    let (mut child, pipes): (Child, Vec<File>) = if format == Format::Human {
        let (near, far) = terminal();
        let again = far.try_clone().expect("a descriptor can be copied");
        let child = command
            .stdin(Stdio::null())
            .stdout(far)
            .stderr(again)
            .spawn();
        // The command holds the far end until it is told of others.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        (child.expect("the program starts"), vec![near])
    } else {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.expect("the program starts");
        let out = child
            .stdout
            .take()
            .map(|out| File::from(OwnedFd::from(out)));
        let err = child
            .stderr
            .take()
            .map(|err| File::from(OwnedFd::from(err)));
        (child, out.into_iter().chain(err).collect())
    };
    let over = AtomicBool::new(false);
    let peak = AtomicU64::new(0);
    let mut ran = Ran::default();
    thread::scope(|scope| {
        let readers: Vec<_> = pipes
            .into_iter()
            .map(|pipe| scope.spawn(move || Look::at(pipe, format)))
            .collect();
        while !over.load(Ordering::Relaxed) {
            if let Ok(Some(status)) = child.try_wait() {
                ran.status = status.code();
                break;
            }
            let now = high_water(child.id()).unwrap_or_default();
            peak.fetch_max(now >> 10, Ordering::Relaxed);
            let why = if begun.elapsed() > bounds.time {
                Some(format!("still at work after {} s", bounds.time.as_secs()))
            } else if peak.load(Ordering::Relaxed) > bounds.memory * 2 {
                Some("more than twice the memory that it may have".to_owned())
            } else {
                None
            };
            if why.is_some() {
                ran.ended = why;
                let _ = child.kill();
                let _ = child.wait();
                break;
            }
            thread::sleep(LOOK);
        }
        ran.took = begun.elapsed();
        for reader in readers {
            let look = reader.join().expect("it only reads");
            ran.lines.extend(look.lines);
            ran.controls.extend(look.controls);
        }
    });
    ran.peak = peak.load(Ordering::Relaxed);
    ran
}

fn terminal() -> (File, OwnedFd) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal of our own");
    grantpt(&near).expect("it can be opened");
    unlockpt(&near).expect("it can be opened");
    let name = ptsname(&near, Vec::new()).expect("it has a name");
    let far = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().expect("a path"))
        .expect("it can be opened");
    (File::from(near), far.into())
}

struct Look {
    lines: Vec<String>,
    controls: Vec<String>,
    line: Vec<u8>,
    long: bool,
    /// The last bytes, for what is around a fault.
    last: Vec<u8>,
    /// An escape sequence that has begun.
    escape: Option<Vec<u8>>,
    returned: bool,
}

impl Look {
    fn new() -> Self {
        Self {
            lines: Vec::new(),
            controls: Vec::new(),
            line: Vec::new(),
            long: false,
            // So that each byte has two before it.
            last: vec![0; 2],
            escape: None,
            returned: false,
        }
    }

    fn at(mut pipe: File, format: Format) -> Self {
        let mut look = Self::new();
        let mut piece = vec![0; 65536];
        // A terminal's reader gets an error once its other end is closed.
        while let Ok(count @ 1..) = pipe.read(&mut piece) {
            for &byte in &piece[..count] {
                look.take(byte, format);
            }
        }
        look.end_line();
        look
    }

    fn take(&mut self, byte: u8, format: Format) {
        let terminal = format == Format::Human;
        if let Some(escape) = &mut self.escape {
            escape.push(byte);
            let ends = (0x40..=0x7e).contains(&byte) && escape.len() > 1;
            if ends || escape.len() > 16 || escape[0] != b'[' {
                let escape = self.escape.take().unwrap_or_default();
                // It stands for the sequence where what follows it is judged.
                self.last.push(0x1b);
                if !is_own(&escape) {
                    self.fault(&format!(
                        "ESC {}",
                        String::from_utf8_lossy(&escape).escape_debug()
                    ));
                }
            }
            return;
        }
        if std::mem::take(&mut self.returned) && byte != b'\n' && byte != 0x1b && byte != b'\r' {
            self.fault("a carriage return");
        }
        let [.., before, last] = self.last[..] else {
            return;
        };
        let wrong = match byte {
            b'\n' => None,
            b'\t' if format != Format::Json => None,
            b'\r' if terminal => {
                self.returned = true;
                None
            }
            0x1b if terminal => {
                self.escape = Some(Vec::new());
                return;
            }
            0..0x20 | 0x7f => Some("a control"),
            0x80..=0x9f if last == 0xc2 => Some("a C1 control"),
            0x8e | 0x8f | 0xaa..=0xae if (before, last) == (0xe2, 0x80) => Some("a direction"),
            0xa6..=0xa9 if (before, last) == (0xe2, 0x81) => Some("a direction"),
            0x9c if last == 0xd8 => Some("a direction"),
            _ => None,
        };
        self.push(byte);
        let wrong = wrong.or_else(|| {
            let is_nodes = self.last.ends_with(NODES_OWN);
            is_nodes.then_some("a sequence of the node's, which the program has as well,")
        });
        if let Some(wrong) = wrong {
            self.fault(wrong);
        }
    }

    fn push(&mut self, byte: u8) {
        self.last.push(byte);
        if self.last.len() > 400 {
            self.last.drain(..200);
        }
        if byte == b'\n' {
            self.end_line();
        } else if self.line.len() < KEPT {
            self.line.push(byte);
        } else {
            self.long = true;
        }
    }

    fn end_line(&mut self) {
        if let Err(error) = std::str::from_utf8(&self.line)
            // What was cut off may have been the rest of a letter.
            && !(self.long && error.error_len().is_none())
        {
            self.fault("bytes that are not UTF-8");
        }
        if self.long {
            self.line.truncate(4096);
        }
        self.lines
            .push(String::from_utf8_lossy(&self.line).into_owned());
        self.line.clear();
        self.long = false;
    }

    fn fault(&mut self, what: &str) {
        if self.controls.len() < 2 {
            let from = self.last.len().saturating_sub(80);
            let around = String::from_utf8_lossy(&self.last[from..]);
            self.controls.push(format!("{what} in {around:?}"));
        }
    }
}

/// Whether the program itself prints this sequence: colours, and what live lines need.
fn is_own(escape: &[u8]) -> bool {
    let text = String::from_utf8_lossy(escape);
    let Some(text) = text.strip_prefix('[') else {
        return false;
    };
    if let Some(numbers) = text.strip_suffix('m') {
        return numbers.split(';').all(|number| {
            [
                "", "0", "1", "2", "22", "31", "32", "33", "36", "39", "92", "93", "94", "96",
            ]
            .contains(&number)
        });
    }
    [
        "2K", "K", "0K", "1A", "2A", "3A", "4A", "5A", "6A", "7A", "8A", "9A", "1B", "?25l",
        "?25h", "0J", "J",
    ]
    .contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(bytes: &[u8], format: Format) -> usize {
        let mut look = Look::new();
        for byte in bytes {
            look.take(*byte, format);
        }
        look.end_line();
        look.controls.len()
    }

    #[test]
    fn what_no_terminal_should_get_is_found_and_what_the_program_prints_is_not() {
        let own: &[&[u8]] = &[
            b"\x1b[2K\x1b[32mok\x1b[0m gr\xc3\xbcn\r\n",
            b"\x1b[1Aa line anew",
        ];
        let wrong: &[&[u8]] = &[
            b"\x07",
            b"\xc2\x9b2J",
            b"\x9b2J",
            b"a \x9b2J",
            b"\xff",
            b"cut \xe2\x82",
            b"\xe2\x80\xae",
            b"\x1b[2J",
            b"\x1b[2Kwiped",
            b"\x1b[1Awiped",
            b"a\rb",
        ];
        for bytes in own {
            assert_eq!(faults(bytes, Format::Human), 0, "{bytes:?}");
        }
        for bytes in wrong {
            assert!(faults(bytes, Format::Human) > 0, "{bytes:?}");
        }
    }
}
