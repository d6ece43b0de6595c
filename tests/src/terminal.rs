//! A program at a terminal of its own, and a person who types.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::LocalModes;

/// What is pressed for an interrupt.
pub const CTRL_C: &[u8] = b"\x03";
/// What is pressed for the end of input.
pub const CTRL_D: &[u8] = b"\x04";

/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that runs at a terminal.
pub struct Session {
    child: Child,
    near: File,
    shown: Receiver<Vec<u8>>,
    text: String,
}

impl Session {
    /// Starts `command` at a new terminal, which is its controlling one.
    pub fn start(command: &Command) -> Self {
        let (near, far) = terminal();
        let mut at_terminal = Command::new("setsid");
        at_terminal
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(command.get_current_dir().expect("a folder is set"))
            .env_clear()
            .envs((command.get_envs()).filter_map(|(name, value)| Some((name, value?))));
        let copy = || far.try_clone().expect("a file can be opened once more");
        at_terminal.stdin(copy()).stdout(copy()).stderr(copy());
        let child = at_terminal.spawn().expect("util-linux has setsid");
        let (send, shown) = channel();
        let mut reader = near.try_clone().expect("a file can be opened once more");
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end that the program had is closed when it ends: that is an error.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            near,
            shown,
            text: String::new(),
        }
    }

    /// Waits until `text` is shown.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.text.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.shown.recv_timeout(left) else {
                panic!("{text:?} was not shown:\n{}", self.text);
            };
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Types `keys`.
    pub fn press(&mut self, keys: &[u8]) {
        self.near.write_all(keys).expect("the terminal is open");
    }

    /// Whether what is typed is shown.
    pub fn echoes(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.near).expect("it is a terminal");
        modes.local_modes.contains(LocalModes::ECHO)
    }

    /// The number of the process.
    pub fn process(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// How the program ended, and all that it showed. What does not end is a failure.
    #[track_caller]
    pub fn end(&mut self) -> (Option<i32>, String) {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                break status;
            }
            match self.shown.recv_timeout(Duration::from_millis(20)) {
                Ok(bytes) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(Duration::from_millis(20)),
            }
            assert!(Instant::now() < end, "it does not end:\n{}", self.text);
        };
        while let Ok(bytes) = self.shown.recv_timeout(Duration::from_millis(200)) {
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
        (status.code(), self.text.clone())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn terminal() -> (File, OwnedFd) {
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal of our own");
    grantpt(&near).expect("it can be opened");
    unlockpt(&near).expect("it can be opened");
    let name = ptsname(&near, Vec::new()).expect("it has a name");
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
    let far = rustix::fs::open(&*name, flags, rustix::fs::Mode::empty());
    (File::from(near), far.expect("it can be opened"))
}
