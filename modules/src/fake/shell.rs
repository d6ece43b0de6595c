//! A host that is this machine, with a shell of one's choice.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::host::{Host, HostError, Input, Output, Reply, Script};
use crate::kit;

/// The tools of POSIX (Issue 7) that a node may be expected to have.
const POSIX_TOOLS: &[&str] = &[
    "awk", "basename", "cat", "chgrp", "chmod", "chown", "cksum", "cmp", "comm", "cp", "cut",
    "date", "dd", "df", "diff", "dirname", "du", "echo", "env", "expr", "false", "find", "fold",
    "getconf", "grep", "head", "id", "join", "kill", "ln", "logname", "ls", "mkdir", "mkfifo",
    "mv", "nl", "od", "paste", "pr", "printf", "ps", "pwd", "rm", "rmdir", "sed", "sh", "sleep",
    "sort", "split", "tail", "tee", "test", "touch", "tr", "true", "tty", "uname", "uniq", "wc",
    "xargs",
];

/// This machine as a host: scripts run under one shell, in a folder of their own.
///
/// `HOME` and the working folder are [`Shell::dir`], which goes when the value goes. Nothing else of
/// the environment is handed on. Tools that a test puts in with [`Shell::tool`] come before all
/// others.
#[derive(Debug)]
pub struct Shell {
    name: &'static str,
    command: Vec<PathBuf>,
    dir: TempDir,
    /// Not in `dir`: scripts, tools and applets must not show in what a test lists there.
    aside: TempDir,
    path: String,
    /// Functions that every script begins with.
    functions: String,
    environment: BTreeMap<String, String>,
    trips: AtomicUsize,
}

/// The shells that every module is tested under: dash, bash and BusyBox ash with the tools of this
/// machine, and BusyBox ash with nothing but BusyBox, in both builds.
///
/// # Panics
///
/// When one is missing, with what to install: a test that did not run must not look like one that
/// passed.
pub fn shells() -> Vec<Shell> {
    let busybox_only = Shell::new("busybox-only", &["busybox", "sh"]);
    let other = other_busybox();
    let other = other.to_str().expect("a path of the project is UTF-8");
    vec![
        Shell::new("dash", &["dash"]),
        Shell::new("bash", &["bash"]),
        Shell::new("busybox", &["busybox", "sh"]),
        busybox_only.limited_to_busybox(),
        Shell::new("busybox-other", &[other, "sh"]).limited_to_busybox(),
    ]
}

/// The build of BusyBox that this machine does not have. The shell of one build takes its own applets for commands, of
/// the other what is first in the `PATH`.
///
/// # Panics
///
/// When it is missing, with what brings it.
pub fn other_busybox() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    let found = tools.join("busybox").canonicalize();
    found.unwrap_or_else(|_| {
        panic!("the other build of BusyBox is missing: run tests/setup-check.sh")
    })
}

/// The names of the user and the group that tests run as, and so the scripts of a [`Shell`].
///
/// # Panics
///
/// When `id` does not know them.
pub fn me() -> (String, String) {
    let name = |which: &str| {
        let id = std::process::Command::new("id").arg(which).output();
        let name = id.expect("POSIX has id").stdout;
        String::from_utf8_lossy(&name).trim().to_owned()
    };
    (name("-un"), name("-gn"))
}

/// dash with the tools that POSIX names and no others: no `stat`, `sha256sum`, `mktemp`, `readlink`.
pub fn posix() -> Shell {
    Shell::new("posix", &["dash"]).limited_to(POSIX_TOOLS)
}

impl Shell {
    /// A host whose scripts run under `command`, which is looked for on this machine's `PATH`.
    pub fn new(name: &'static str, command: &[&str]) -> Self {
        let mut command: Vec<PathBuf> = command.iter().map(PathBuf::from).collect();
        let program = command
            .first()
            .map(|program| program.to_string_lossy().into_owned())
            .unwrap_or_default();
        command[0] = on_path(&program).unwrap_or_else(|| {
            panic!("`{program}` is missing on this machine: apt-get install {program}")
        });
        let temporary = || {
            tempfile::Builder::new()
                .prefix("windlass-shell-")
                .tempdir()
                .expect("tests need a temporary folder")
        };
        Self {
            name,
            command,
            dir: temporary(),
            aside: temporary(),
            path: std::env::var("PATH").unwrap_or_default(),
            functions: String::new(),
            environment: BTreeMap::new(),
            trips: AtomicUsize::new(0),
        }
    }

    /// With no other tools than these, as this machine has them.
    #[must_use]
    pub fn limited_to(mut self, tools: &[&str]) -> Self {
        let folder = self.folder("tools");
        for tool in tools {
            if let Some(found) = on_path(tool) {
                symlink(found, folder.join(tool)).expect("a new link in a folder of our own");
            }
        }
        self.path = folder.display().to_string();
        self
    }

    /// With no other tools than BusyBox has.
    #[must_use]
    pub fn limited_to_busybox(mut self) -> Self {
        let busybox = self.command[0].clone();
        let list = std::process::Command::new(&busybox)
            .arg("--list")
            .output()
            .expect("busybox can be started");
        let folder = self.folder("applets");
        for applet in String::from_utf8_lossy(&list.stdout).lines() {
            symlink(&busybox, folder.join(applet)).expect("a new link in a folder of our own");
        }
        self.path = folder.display().to_string();
        self
    }

    /// With a tool of the test's own: `source` is the text of a script for this machine's `/bin/sh`.
    #[must_use]
    pub fn tool(mut self, name: &str, source: &str) -> Self {
        let folder = self.folder("own");
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{source}\n"))
            .expect("a new file in a folder of our own");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
            .expect("the mode of a file of our own");
        // A shell that takes its own applets before it looks into the PATH takes functions before those.
        if takes_own_applets(&self.command[0])
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            let file = kit::quote(&file.display().to_string());
            self.functions
                .push_str(&format!("{name}() {{ {file} \"$@\"; }}\n"));
        }
        self
    }

    /// With a variable in the environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The folder in which scripts run.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path in [`Shell::dir`], as text.
    pub fn at(&self, name: &str) -> String {
        self.dir().join(name).display().to_string()
    }

    /// How many scripts ran: round trips, on a real host.
    pub fn trips(&self) -> usize {
        self.trips.load(Ordering::SeqCst)
    }

    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.aside.path().join(name);
        fs::create_dir_all(&folder).expect("a folder in a folder of our own");
        folder
    }

    fn start(&self, script: &Script) -> io::Result<Child> {
        let number = self.trips.fetch_add(1, Ordering::SeqCst);
        let file = self.aside.path().join(format!("script-{number}.sh"));
        let mut source = format!("umask 022\n{}", self.functions);
        for part in kit::with_needs(script.parts) {
            source.push_str(part.source);
            source.push('\n');
        }
        source.push_str(&script.source);
        source.push('\n');
        fs::write(&file, source)?;
        let own = self.aside.path().join("own");
        Command::new(&self.command[0])
            .args(&self.command[1..])
            // In a subshell, as transports run it: traps and `exit` end that alone.
            .args(["-c", "( . \"$1\" )", "sh"])
            .arg(file)
            .current_dir(self.dir())
            .env_clear()
            .env("PATH", format!("{}:{}", own.display(), self.path))
            .env("HOME", self.dir())
            .envs(&self.environment)
            .stdin(match &script.stdin {
                Input::Empty => Stdio::null(),
                Input::File(path) => crate::source::open(path)?.0.into(),
                Input::Bytes(_) | Input::Secret(_) => Stdio::piped(),
            })
            .stdout(match &script.stdout {
                Output::Memory | Output::Kept => Stdio::piped(),
                Output::File { file, .. } => file.try_clone()?.into(),
            })
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }
}

impl Host for Shell {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&self, script: Script) -> BoxFuture<'_, Result<Reply, HostError>> {
        Box::pin(async move {
            let limit = script.limit;
            let work = async {
                let child = self.start(&script)?;
                talk(child, &script.stdin).await
            };
            let reply = match limit {
                None => work.await,
                Some(limit) => match tokio::time::timeout(limit, work).await {
                    Ok(reply) => reply,
                    Err(_) => {
                        return Err(HostError::TimedOut {
                            limit,
                            so_far: Box::default(),
                        });
                    }
                },
            };
            reply.map_err(|error| HostError::Local {
                message: format!("cannot run a script under {}: {error}", self.name),
                hint: "look at the test's set-up".to_owned(),
            })
        })
    }
}

/// Feeds a script and collects what it prints, all at once, so that neither side waits for the other.
async fn talk(mut child: Child, input: &Input) -> io::Result<Reply> {
    let bytes = match input {
        Input::Bytes(bytes) => bytes.as_slice(),
        Input::Secret(secret) => secret.expose().as_bytes(),
        Input::Empty | Input::File(_) => &[],
    };
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            match stdin.write_all(bytes).await {
                // A script need not read its input.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
                other => other?,
            }
        }
        Ok::<_, io::Error>(())
    };
    let (mut printed_out, mut printed_err) = (Vec::new(), Vec::new());
    let out = async {
        if let Some(mut stdout) = stdout {
            stdout.read_to_end(&mut printed_out).await?;
        }
        Ok::<_, io::Error>(())
    };
    let err = async {
        if let Some(mut stderr) = stderr {
            stderr.read_to_end(&mut printed_err).await?;
        }
        Ok::<_, io::Error>(())
    };
    tokio::try_join!(feed, out, err)?;
    let status = child.wait().await?;
    Ok(Reply {
        status: status.code().unwrap_or_else(|| {
            use std::os::unix::process::ExitStatusExt;
            128 + status.signal().unwrap_or(0)
        }),
        stdout: printed_out.into(),
        stderr: printed_err.into(),
    })
}

/// Whether `shell` is a BusyBox whose shell takes its own applets for commands before it looks into the `PATH`.
fn takes_own_applets(shell: &Path) -> bool {
    shell.ends_with("busybox")
        && std::process::Command::new(shell)
            .args(["sh", "-c", "echo | cat"])
            .env("PATH", "/nonexistent")
            .stderr(Stdio::null())
            .output()
            .is_ok_and(|output| output.stdout == b"\n")
}

/// Where this machine has a program.
fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[tokio::test]
    async fn every_shell_keeps_bytes_status_and_both_outputs_apart() {
        for shell in shells() {
            let script = Script::new("cat; printf err >&2; exit 3")
                .stdin(Input::Bytes(b"a\0b\xff\n".to_vec()));
            let reply = shell.run(script).await.unwrap();
            assert_eq!(
                reply,
                Reply {
                    status: 3,
                    stdout: b"a\0b\xff\n".to_vec().into(),
                    stderr: b"err".to_vec().into()
                },
                "{}",
                shell.name()
            );
            assert_eq!(shell.trips(), 1);
        }
    }

    #[tokio::test]
    async fn both_builds_of_busybox_are_there_and_a_tool_comes_before_the_applets_of_both() {
        let builds = shells()
            .into_iter()
            .filter(|shell| shell.name().starts_with("busybox-"));
        let mut taken = Vec::new();
        for shell in builds {
            taken.push(takes_own_applets(&shell.command[0]));
            let shell = shell.tool("hostname", "echo \"mine: $*\"");
            let reply = shell.run(Script::new("hostname 'a b' c")).await.unwrap();
            assert_eq!(reply.text(), "mine: a b c\n", "{}", shell.name());
        }
        taken.sort_unstable();
        assert_eq!(taken, [false, true]);
    }

    #[tokio::test]
    async fn more_than_a_pipe_holds_goes_through_in_both_directions() {
        let shell = Shell::new("dash", &["dash"]);
        let bytes = vec![b'x'; 3_000_000];
        let script = Script::new("cat").stdin(Input::Bytes(bytes.clone()));
        assert_eq!(shell.run(script).await.unwrap().stdout, bytes);
    }

    #[tokio::test]
    async fn only_busybox_is_there_when_so_limited() {
        let shell = Shell::new("busybox-only", &["busybox", "sh"]).limited_to_busybox();
        let reply = shell
            .run(Script::new(
                "command -v perl bash; ls --help 2>&1 | head -n 1",
            ))
            .await
            .unwrap();
        assert!(reply.text().starts_with("BusyBox"), "{}", reply.text());
    }

    #[tokio::test]
    async fn posix_has_no_stat_and_own_tools_come_first() {
        let shell = posix().tool("uname", "echo mine");
        let reply = shell
            .run(Script::new("command -v stat; uname"))
            .await
            .unwrap();
        assert_eq!(reply.text(), "mine\n");
    }

    #[tokio::test]
    async fn a_secret_is_fed_and_a_file_is_written() {
        let shell = Shell::new("bash", &["bash"]);
        let mut script = Script::new("cat").stdin(Input::Secret(Secret::new("s3cret")));
        let target = shell.dir().join("out");
        script.stdout = Output::File {
            file: std::sync::Arc::new(fs::File::create(&target).unwrap()),
            size: 6,
        };
        let reply = shell.run(script).await.unwrap();
        assert_eq!(reply, Reply::default());
        assert_eq!(fs::read_to_string(target).unwrap(), "s3cret");
    }
}
