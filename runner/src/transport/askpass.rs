//! Hands ssh a password without a terminal: through a pipe, so that it is in no file, no environment
//! and no argument.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, StatVfsMountFlags};
use windlass_modules::host::HostError;
use windlass_modules::secret::Secret;

/// What ssh starts to ask its question. It answers with a line of the pipe, and refuses what is no
/// question for a password.
const HELPER: &str = r#"#!/bin/sh
case $1 in
*passphrase*|*yes/no*|*PIN*|*onfirm*) exit 1 ;;
esac
IFS= read -r answer <"$WINDLASS_ANSWERS" && printf '%s\n' "$answer"
"#;

/// The password may be asked for once by each method, and by a jump host.
const ANSWERS: usize = 4;

/// The pipe with the answers; it goes when this is dropped.
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
        if password.expose().contains('\n') {
            return Err(failed(io::Error::other("it holds a line break")));
        }
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
        for _ in 0..ANSWERS {
            open.write_all(password.expose().as_bytes())
                .map_err(failed)?;
            open.write_all(b"\n").map_err(failed)?;
        }
        Ok(Self {
            pipe,
            helper,
            _open: open,
        })
    }

    /// Tells `ssh` to ask here.
    pub(super) fn tell(&self, ssh: &mut tokio::process::Command) {
        ssh.env("SSH_ASKPASS", &self.helper)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("WINDLASS_ANSWERS", &self.pipe);
    }
}

impl Drop for Askpass {
    fn drop(&mut self) {
        // It is in a private folder, and empty once closed: a leftover would do no harm.
        let _ = std::fs::remove_file(&self.pipe);
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
    if std::fs::read(&path).is_ok_and(|found| found == HELPER.as_bytes()) {
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
