//! Asks for a line: at the terminal, or of whoever writes to standard input.

use std::io::{self, ErrorKind, IsTerminal, Stdin};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// How long an interrupt may go unnoticed.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// The next line of standard input, without its end. `show`: puts the question. What is typed at a terminal
/// is shown only with `echo`. Errors: [`ErrorKind::Interrupted`] once `interrupted` is set, and
/// [`ErrorKind::UnexpectedEof`] where there is no line any more.
///
/// A signal may come to any thread, so that no call ends by it: that is why we look again and again.
pub(super) fn line(
    show: impl FnOnce(),
    echo: bool,
    interrupted: &AtomicBool,
) -> io::Result<String> {
    let input = io::stdin();
    let hides = !echo && input.is_terminal();
    // Before the question: what is typed at once is not to be seen either.
    let _hidden = hides.then(|| Hidden::new(&input)).transpose()?;
    show();
    let mut line = Vec::new();
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return Err(ErrorKind::Interrupted.into());
        }
        match poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&LOOK)) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        // No more than the line: the rest answers the next question.
        let mut byte = [0];
        match rustix::io::read(&input, &mut byte) {
            Ok(0) if line.is_empty() => {
                let why = "standard input is at its end";
                return Err(io::Error::new(ErrorKind::UnexpectedEof, why));
            }
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            Ok(_) => line.push(byte[0]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let line = String::from_utf8_lossy(&line);
    Ok(line.trim_end_matches('\r').to_owned())
}

/// A terminal that shows nothing of what is typed but the end of the line, until this is dropped.
struct Hidden<'a> {
    terminal: &'a Stdin,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn new(terminal: &'a Stdin) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        modes.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Now, &modes)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
