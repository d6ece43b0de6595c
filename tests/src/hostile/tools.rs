//! Programs of the node: some lie, some stand in for what the test's machine lacks, and sudo.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::login::{Home, forever};
use super::modes::{Mode, Sudo, Tools, Way};
use super::{cluster, words};

/// Those that lie, where a mode is about them.
pub const LIARS: &[&str] = &[
    "awk",
    "cat",
    "chmod",
    "chown",
    "cksum",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "env",
    "find",
    "grep",
    "head",
    "hostname",
    "id",
    "ip",
    "ln",
    "ls",
    "lsmod",
    "md5sum",
    "mkdir",
    "mktemp",
    "mv",
    "ps",
    "readlink",
    "realpath",
    "rm",
    "sed",
    "sha1sum",
    "sha256sum",
    "sort",
    "stat",
    "sysctl",
    "tail",
    "touch",
    "tr",
    "uname",
    "wc",
];

/// Those that stand in for others.
pub const STAND_INS: &[&str] = &[
    "sudo",
    "kubectl",
    "kubeadm",
    "etcdctl",
    "systemctl",
    "apt-get",
    "dpkg-query",
    "dnf",
    "rpm",
    "curl",
    "getent",
    "file",
    "lsattr",
    "systemd-detect-virt",
];

/// Runs as the program of this name.
pub(super) fn main(
    mode: &Mode,
    home: &Home,
    name: &str,
    words: impl Iterator<Item = OsString>,
) -> ExitCode {
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let done = match name {
        "sudo" => sudo(mode, home, &words),
        _ if LIARS.contains(&name) => liar(mode, home, name, &words),
        _ => stand_in(mode, home, name, &words),
    };
    done.unwrap_or(ExitCode::FAILURE)
}

fn liar(mode: &Mode, home: &Home, name: &str, words: &[String]) -> io::Result<ExitCode> {
    let Way::Tools(how) = mode.way else {
        return Ok(ExitCode::FAILURE);
    };
    let said = words::of(mode, &home.run(mode));
    match how {
        Tools::Empty => return Ok(ExitCode::SUCCESS),
        Tools::Fail => {
            io::stderr().write_all(&words::mixed(&home.run(mode)).into_bytes())?;
            return Ok(ExitCode::from(3));
        }
        Tools::Words | Tools::Numbers => {
            // What is sent to it has to go somewhere, or nothing that is written could ever be compared.
            let real = real(home, name, words).stdout(Stdio::piped()).output()?;
            let mut out = io::stdout();
            if matches!(name, "cat" | "sed" | "tr" | "head" | "dd" | "grep" | "awk") {
                out.write_all(&real.stdout)?;
            }
            out.write_all(&said)?;
            out.write_all(b"\n")?;
            return Ok(ExitCode::SUCCESS);
        }
        Tools::Endless if matches!(name, "cat" | "head" | "dd" | "tail") => loop {
            io::stdout().write_all(&b"e".repeat(65536))?;
        },
        Tools::Slow => thread::sleep(Duration::from_secs(4)),
        _ => {}
    }
    Err(real(home, name, words).exec())
}

fn real(home: &Home, name: &str, words: &[String]) -> Command {
    let mut real = Command::new(home.at("bin/busybox").join(name));
    real.args(words);
    real
}

fn stand_in(mode: &Mode, home: &Home, name: &str, arguments: &[String]) -> io::Result<ExitCode> {
    let said = String::from_utf8_lossy(&words::of(mode, &home.run(mode))).into_owned();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let mut out = io::stdout();
    match name {
        "kubectl" => out.write_all(kubectl(mode, &said, has).as_bytes())?,
        "kubeadm" if has("version") => out.write_all(b"v1.31.2\n")?,
        "kubeadm" if has("token") => writeln!(out, "W1 {said}\n{}", cluster::JOIN)?,
        "kubeadm" if has("upload-certs") => {
            writeln!(out, "[upload-certs] {said}\n{}", cluster::KEY)?;
        }
        "kubeadm" => writeln!(out, "[init] {said}")?,
        "systemctl" if has("show") => writeln!(
            out,
            "LoadState=loaded\nActiveState=active\nSubState={said}\nUnitFileState=enabled\nId={said}\nNeedDaemonReload=no"
        )?,
        "systemctl" => writeln!(out, "active\n{said}")?,
        "apt-get" if has("-s") => writeln!(out, "Inst windlass-none (1.0 {said})\n{said}")?,
        "dpkg-query" | "rpm" => {
            write!(io::stderr(), "{said}")?;
            return Ok(ExitCode::FAILURE);
        }
        "curl" => {
            if let Some(at) = arguments.iter().position(|argument| argument == "--output")
                && let Some(file) = arguments.get(at + 1)
            {
                std::fs::write(file, &said)?;
            }
            write!(out, "200")?;
        }
        "getent" => writeln!(out, "me:x:1:1:{said}:/home/me:/bin/sh")?,
        _ => writeln!(out, "{said}")?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn kubectl(mode: &Mode, said: &str, has: impl Fn(&str) -> bool) -> String {
    use serde_json::json;
    if mode.way == Way::Tools(Tools::WrongJson) {
        if has("pods") {
            return "[{}, 7]".to_owned();
        }
        if has("-f") {
            return r#"{"kind": "List", "items": [1, []]} [] "x" 7"#.to_owned();
        }
        return json!({"kind": ["List"], "items": {"metadata": [1, 2], "status": "x"}, "metadata": 7, "status": [{}]}).to_string();
    }
    let metadata = json!({"name": said, "namespace": said, "labels": {said: said}, "uid": said, "generation": -1,
        "creationTimestamp": said, "resourceVersion": said});
    // What is fine is, so that it is read to its end.
    let phase = if said == "fine" { "Running" } else { said };
    let status = json!({"phase": phase, "conditions": [{"type": "Ready", "status": "True", "reason": said, "message": said}],
        "containerStatuses": [{"name": said, "ready": false, "restartCount": 1_000_000_000_000_u64, "image": said,
        "state": {"waiting": {"reason": said, "message": said}}}], "nodeInfo": {"kubeletVersion": said}});
    let object = json!({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"nodeName": said, "unschedulable": false,
        "containers": [{"name": said, "image": said}]}, "status": status});
    json!({"apiVersion": "v1", "kind": "List", "items": [object, object], "metadata": metadata, "status": status}).to_string()
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Becomes nobody else: the node is this user's. The password that it was given is left in `~/told`.
fn sudo(mode: &Mode, home: &Home, words: &[String]) -> io::Result<ExitCode> {
    let Way::Sudo(how) = mode.way else {
        return run_after(words);
    };
    let prompt = words
        .iter()
        .position(|word| word == "-p")
        .and_then(|at| words.get(at + 1))
        .cloned()
        .unwrap_or_default();
    let mut err = io::stderr();
    let ask = |err: &mut io::Stderr| -> io::Result<String> {
        write!(err, "{prompt}")?;
        err.flush()?;
        // One byte at a time: what follows is for the shell.
        let mut line = String::new();
        let mut byte = io::BufReader::with_capacity(1, io::stdin());
        byte.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    match how {
        Sudo::Silent => forever(),
        Sudo::Asks => loop {
            if ask(&mut err)?.is_empty() {
                return Ok(ExitCode::FAILURE);
            }
        },
        Sudo::Tells => {
            let told = ask(&mut err)?;
            let hex = hex(told.as_bytes());
            let base64 = STANDARD.encode(&told);
            writeln!(
                err,
                "sudo: {told} is wrong; {base64}; {hex}; {}",
                told.replace(' ', "%20")
            )?;
            Ok(ExitCode::FAILURE)
        }
        Sudo::Refuses => {
            writeln!(
                err,
                "{} is not in the sudoers file",
                words::mixed(&home.run(mode))
            )?;
            Ok(ExitCode::FAILURE)
        }
        Sudo::Floods => loop {
            err.write_all(&b"sudo: a lecture\n".repeat(4096))?;
        },
        Sudo::Takes => {
            let told = ask(&mut err)?;
            std::fs::write(
                format!("{}/told", std::env::var("HOME").unwrap_or_default()),
                told,
            )?;
            run_after(words)
        }
    }
}

/// Runs the command after `--`.
fn run_after(words: &[String]) -> io::Result<ExitCode> {
    let at = words
        .iter()
        .position(|word| word == "--")
        .map_or(words.len(), |at| at + 1);
    let Some((program, rest)) = words[at..].split_first() else {
        return Ok(ExitCode::FAILURE);
    };
    Err(Command::new(program).args(rest).exec())
}

/// Standard output goes nowhere from now on, and who reads it sees its end.
pub(super) fn to_nowhere() -> io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(&null)?)
}

/// Processes that outlive the shell, with its outputs.
pub(super) fn leave_behind() -> io::Result<()> {
    Command::new("/bin/sh")
        .args(["-c", "while sleep 1; do echo left behind; done"])
        .stdin(Stdio::null())
        .spawn()?;
    Command::new("/bin/sleep")
        .arg("300")
        .stdin(Stdio::null())
        .spawn()?;
    Ok(())
}
