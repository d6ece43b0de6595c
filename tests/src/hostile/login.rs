//! The login shell: what it does before it serves, and how what passes through it is spoilt.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::frames::{Answers, Stream};
use super::modes::{Before, Frames, Mode, Tools, Way};
use super::{tools, words};

/// No process of a hostile node lives longer.
const LIFE: Duration = Duration::from_secs(300);
/// No file that it writes is larger, in bytes.
const LARGEST_FILE: u64 = 16 << 20;
/// A byte of output in this time.
pub(super) const DRIP: Duration = Duration::from_millis(250);

/// Where the node's things are: the folder of the fleet.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

impl Home {
    /// That of the running program.
    fn find() -> Self {
        let program = std::env::current_exe().unwrap_or_default();
        Self(
            program
                .ancestors()
                .nth(2)
                .unwrap_or(Path::new("/"))
                .to_owned(),
        )
    }

    /// A path in it.
    pub fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// A command that leaves a trace of this mode's. Only the control host could run it, and healthy hosts.
    pub fn run(&self, mode: &Mode) -> String {
        run(&self.0, mode)
    }
}

/// See [`Home::run`].
pub fn run(home: &Path, mode: &Mode) -> String {
    format!("touch {}/canary/{}", home.display(), mode.name)
}

/// The program `hostile-shell`, under whichever name it was started.
pub fn main() -> ExitCode {
    thread::spawn(|| {
        thread::sleep(LIFE);
        std::process::exit(1);
    });
    // What never ends is not to fill the disk of the machine that the test runs on.
    let room = Some(LARGEST_FILE);
    let _ = setrlimit(
        Resource::Fsize,
        Rlimit {
            current: room,
            maximum: room,
        },
    );
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_default();
    let name = Path::new(&name)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let user = std::env::var("LOGNAME")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_default();
    let Some(mode) = Mode::named(user.trim_start_matches("h-")) else {
        return ExitCode::from(99);
    };
    let home = Home::find();
    if name.trim_start_matches('-') != "hostile-shell" {
        return tools::main(mode, &home, &name, words);
    }
    let command = words.last().unwrap_or_default();
    // Whoever reads may go away at any moment.
    let served = match mode.way {
        Way::Before(before) => refuse(before, mode, &home).and_then(|serves| {
            if serves {
                serve(mode, &home, Path::new(&command))
            } else {
                Ok(ExitCode::SUCCESS)
            }
        }),
        _ => serve(mode, &home, Path::new(&command)),
    };
    served.unwrap_or(ExitCode::FAILURE)
}

/// Sleeps for as long as the process may live.
pub(super) fn forever() -> ! {
    loop {
        thread::sleep(LIFE);
    }
}

/// What comes before anything is served; whether anything is.
fn refuse(before: Before, mode: &Mode, home: &Home) -> io::Result<bool> {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    match before {
        Before::Silent => {
            io::copy(&mut io::stdin(), &mut io::sink())?;
            forever()
        }
        Before::Deaf => forever(),
        Before::FloodOut => flood(&mut out, b"all work and no play\n"),
        Before::FloodErr => flood(&mut err, b"all work and no play\n"),
        Before::NoNewline => flood(&mut out, b"all work and no play "),
        Before::Nonsense => {
            let mut random = vec![0; 65536];
            std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
            out.write_all(&random)?;
            out.flush()?;
            forever()
        }
        Before::Exits => {
            err.write_all(words::mixed(&home.run(mode)).as_bytes())?;
            Ok(false)
        }
        Before::Killed => {
            rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::KILL,
            )?;
            Ok(false)
        }
        Before::Greets => {
            let words = words::mixed(&home.run(mode));
            write!(
                out,
                "{words}\n{0}b1\nnot so\n{0}e0\n",
                format_args!("\u{1e}{:022}", 0)
            )?;
            writeln!(err, "{words}")?;
            Ok(true)
        }
        Before::Echoes => {
            let mut piece = vec![0; 65536];
            let mut input = io::stdin();
            loop {
                let count = input.read(&mut piece)?;
                if count == 0 {
                    return Ok(false);
                }
                out.write_all(&piece[..count])?;
                out.flush()?;
                err.write_all(&piece[..count])?;
            }
        }
        Before::ClosesOut => {
            tools::to_nowhere()?;
            forever()
        }
        Before::Daemon => {
            Command::new("/bin/sleep").arg("300").spawn()?;
            Ok(false)
        }
        Before::Drips => Ok(true),
    }
}

fn flood(to: &mut dyn Write, words: &[u8]) -> io::Result<bool> {
    let piece = words.repeat(4096);
    loop {
        to.write_all(&piece)?;
    }
}

/// A real shell behind this one.
fn shell(mode: &Mode, home: &Home, command: &Path) -> io::Result<Child> {
    let mut path = format!(
        "{}:{}",
        home.at("bin/stand-ins").display(),
        home.at("bin/busybox").display()
    );
    if matches!(
        mode.way,
        Way::Tools(
            Tools::Words
                | Tools::Empty
                | Tools::Fail
                | Tools::Numbers
                | Tools::Endless
                | Tools::Slow
        )
    ) {
        path = format!("{}:{path}", home.at("bin/liars").display());
    }
    let mut shell = Command::new(home.at("bin/stand-ins/sh"));
    shell.arg("-c").arg(command).env("PATH", path);
    match mode.way {
        Way::Tools(Tools::Full) => {
            shell.env("TMPDIR", home.at("full"));
        }
        Way::Tools(Tools::Environment) => {
            let run = home.run(mode);
            for (name, value) in [
                ("ENV", format!("/dev/null; {run}.env")),
                ("IFS", "0123456789abcdef".to_owned()),
                ("PS4", format!("$({run}.ps4)")),
                ("CDPATH", "/etc:/".to_owned()),
                ("LC_ALL", "tr_TR.UTF-8".to_owned()),
                ("LANG", words::mixed(&run)),
                ("POSIXLY_CORRECT", "1".to_owned()),
                ("GREP_OPTIONS", "-v".to_owned()),
                ("HOSTILE", words::mixed(&run)),
                ("ansible_host", "127.0.0.9".to_owned()),
            ] {
                shell.env(name, value);
            }
        }
        _ => {}
    }
    shell
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

fn serve(mode: &'static Mode, home: &Home, command: &Path) -> io::Result<ExitCode> {
    let mut shell = shell(mode, home, command)?;
    let module = Arc::new(Mutex::new(String::new()));
    let answers = Arc::new(Answers::new(mode, home.run(mode), Arc::clone(&module)));
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (shell.stdin.take(), shell.stdout.take(), shell.stderr.take())
    else {
        return Ok(ExitCode::FAILURE);
    };
    let reading = Arc::clone(&answers);
    thread::spawn(move || {
        let _ = relay_input(mode, stdin, &reading, &module);
    });
    let errors = Arc::clone(&answers);
    let other = thread::spawn(move || relay(mode, stderr, Stream::Err, &errors));
    let _ = relay(mode, stdout, Stream::Out, &answers);
    let _ = other.join();
    let status = shell.wait()?;
    Ok(ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(255),
    ))
}

/// Passes on what the node is sent, and notes for which module it is.
fn relay_input(
    mode: &Mode,
    mut to: impl Write,
    answers: &Answers,
    module: &Mutex<String>,
) -> io::Result<()> {
    const SIGN: &[u8] = b"export HOSTILE_MODULE=";
    let mut piece = vec![0; 65536];
    let mut input = io::stdin();
    loop {
        if mode.way == Way::Frames(Frames::StopsReading) && answers.count() > 0 {
            forever();
        }
        let count = input.read(&mut piece)?;
        if count == 0 {
            return Ok(());
        }
        let bytes = &piece[..count];
        if let Some(at) = bytes.windows(SIGN.len()).rposition(|window| window == SIGN) {
            let rest = &bytes[at + SIGN.len()..];
            let end = rest
                .iter()
                .position(|&byte| byte == b'\n')
                .unwrap_or(rest.len());
            if let Ok(mut module) = module.lock() {
                *module = String::from_utf8_lossy(&rest[..end]).into_owned();
            }
        }
        to.write_all(bytes)?;
        to.flush()?;
    }
}

fn relay(mode: &Mode, mut from: impl Read, stream: Stream, answers: &Answers) -> io::Result<()> {
    let mut to: Box<dyn Write> = match stream {
        Stream::Out => Box::new(io::stdout()),
        Stream::Err => Box::new(io::stderr()),
    };
    if mode.way == Way::Before(Before::Drips) {
        to = Box::new(Dripping(to));
    }
    answers.relay(&mut from, &mut *to, stream)
}

/// Writes a byte at a time.
pub(super) struct Dripping<W>(pub(super) W);

impl<W: Write> Write for Dripping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        thread::sleep(DRIP);
        let count = self.0.write(&bytes[..bytes.len().min(1)])?;
        self.0.flush()?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
