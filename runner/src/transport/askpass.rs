//! Hands ssh a password without a terminal: through a pipe, so that it is in no file, no environment
//! and no argument.
//!
//! It is the password of one host, and goes there alone and once. A jump host's ssh, and any other that
//! ours starts, inherits all of our environment and asks the same helper: which of them asks is told by
//! the process that started the helper. What the question says is no help, as a host words it as it likes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, StatVfsMountFlags};
use tokio::process::Command;
use windlass_modules::host::HostError;
use windlass_modules::secret::Secret;

/// What ssh starts to ask its question. It gives the line of the pipe to the ssh that we started, to the
/// first question that may be for a password. Without an answer ssh goes on to other ways of
/// authentication. The names of the user and the host, which ssh puts before what the host says, decide
/// nothing.
const HELPER: &str = r#"#!/bin/sh
[ "$PPID" = "$WINDLASS_ASKS" ] || exit 1
question=$1
case $question in "("*"@"*") "*) question=${question#*") "} ;; esac
case $question in
*"'s password: ") ;;
*"'s old password: "|*"'s new password: ") exit 1 ;;
*passphrase*|*yes/no*|*PIN*|*onfirm*) exit 1 ;;
*[Cc]ode*|*[Tt]oken*|*OTP*|*[Vv]erif*|*[Cc]hallenge*) exit 1 ;;
esac
mv "$WINDLASS_ANSWERS" "$WINDLASS_ANSWERS.taken" 2>/dev/null || exit 1
IFS= read -r answer <"$WINDLASS_ANSWERS.taken" && printf '%s\n' "$answer"
"#;

/// Starts what follows, and names the process that it becomes.
const START: &str = r#"WINDLASS_ASKS=$$ exec "$@""#;

/// The pipe with the answer; it goes when this is dropped.
pub(super) struct Askpass {
    pipe: PathBuf,
    helper: PathBuf,
    /// Held open for reading and writing, so that what it holds stays there.
    _open: File,
}

impl Askpass {
    pub(super) fn new(dir: &Path, password: &Secret) -> Result<Self, HostError> {
        let failed = |error: io::Error| HostError::Local {
            message: format!("cannot hand the password to ssh: {error}"),
            hint: format!("see that {} can be written", dir.display()),
        };
        let helper = helper(dir).map_err(failed)?;
        let flags = rustix::fs::statvfs(dir)
            .map_err(|error| failed(error.into()))?
            .f_flag;
        if flags.contains(StatVfsMountFlags::NOEXEC) {
            return Err(HostError::Local {
                message: format!("ssh cannot ask for the password: {} is mounted noexec", dir.display()),
                hint: "set XDG_RUNTIME_DIR to a folder from which programs may be started, or use a key"
                    .to_owned(),
            });
        }
        let pipe = dir.join(format!("answers-{:016x}", rand::random::<u64>()));
        make_pipe(&pipe).map_err(failed)?;
        let mut open = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&pipe)
            .map_err(failed)?;
        // It fits: `check_passwords` lets no longer one come this far.
        let answer = zeroize::Zeroizing::new(format!("{}\n", password.expose()));
        open.write_all(answer.as_bytes()).map_err(failed)?;
        Ok(Self {
            pipe,
            helper,
            _open: open,
        })
    }

    /// A command for `ssh` that asks here.
    pub(super) fn command(&self, ssh: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", START, "sh"])
            .arg(ssh)
            .env("SSH_ASKPASS", &self.helper)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("WINDLASS_ANSWERS", &self.pipe);
        command
    }

    /// Whether the password was asked for and given.
    pub(super) fn was_given(&self) -> bool {
        !self.pipe.exists()
    }

    fn taken(&self) -> PathBuf {
        self.pipe.with_extension("taken")
    }
}

impl Drop for Askpass {
    fn drop(&mut self) {
        // It is in a private folder, and empty once closed: a leftover would do no harm.
        let _ = std::fs::remove_file(&self.pipe);
        let _ = std::fs::remove_file(self.taken());
    }
}

fn make_pipe(path: &Path) -> io::Result<()> {
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path,
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )?;
    Ok(())
}

fn helper(dir: &Path) -> io::Result<PathBuf> {
    let path = dir.join("askpass");
    if windlass_modules::source::read(&path).is_ok_and(|found| found == HELPER.as_bytes()) {
        return Ok(path);
    }
    let new = dir.join(format!("askpass-{:016x}", rand::random::<u64>()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o700)
        .open(&new)?;
    file.write_all(HELPER.as_bytes())?;
    drop(file);
    std::fs::rename(&new, &path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::process::{Command as Plain, Stdio};

    use super::*;

    /// What a program with our environment gets when it asks; `own`: the one that we start, or one below it.
    fn answer(askpass: &Askpass, own: bool, question: &str) -> String {
        let asking = askpass.command(Path::new("sh"));
        let asks = if own {
            "\"$SSH_ASKPASS\" \"$1\"; :"
        } else {
            "sh -c '\"$SSH_ASKPASS\" \"$1\"; :' sh \"$1\"; :"
        };
        let asking = asking.as_std();
        let mut command = Plain::new(asking.get_program());
        command
            .args(asking.get_args())
            .args(["-c", asks, "sh", question]);
        for (name, value) in asking.get_envs() {
            command.env(name, value.unwrap());
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn the_password_is_given_once_and_to_the_ssh_that_we_started() {
        let dir = tempfile::tempdir().unwrap();
        let password = Secret::new("  it's a\\ secret ");
        let askpass = Askpass::new(dir.path(), &password).unwrap();
        let prompt = "me@target's password: ";
        for question in [prompt, "(me@target) Password: "] {
            assert_eq!(answer(&askpass, false, question), "", "a jump host asks");
        }
        for question in [
            "Enter passphrase for key '/home/me/.ssh/id': ",
            "Are you sure (yes/no/[fingerprint])? ",
            "(me@target) Verification code: ",
            "me@target's new password: ",
        ] {
            assert_eq!(answer(&askpass, true, question), "", "{question}");
        }
        assert!(!askpass.was_given());
        assert_eq!(answer(&askpass, true, prompt), "  it's a\\ secret \n");
        assert!(askpass.was_given());
        assert_eq!(answer(&askpass, true, prompt), "");
        drop(askpass);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn names_of_users_and_hosts_decide_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let password = Secret::new("secret");
        for name in [
            "root@transcoder-1",
            "verifier@token-1",
            "yes/no@challenge",
            "passphrase@PIN",
            "root@confirm1",
            "OTP@h",
        ] {
            for (question, given) in [
                (format!("({name}) Password: "), true),
                (format!("{name}'s password: "), true),
                (format!("({name}) {name}'s password: "), true),
                (format!("({name}) Verification code: "), false),
                (format!("({name}) Enter PIN for key: "), false),
                (format!("{name}'s old password: "), false),
                (format!("{name}'s new password: "), false),
                (format!("Retype {name}'s new password: "), false),
            ] {
                let askpass = Askpass::new(dir.path(), &password).unwrap();
                let expected = if given { "secret\n" } else { "" };
                assert_eq!(answer(&askpass, true, &question), expected, "{question}");
            }
        }
    }
}
