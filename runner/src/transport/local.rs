//! The control host as a host: the same shell, started by us.

use std::process::Stdio;

use windlass_modules::host::HostError;

use super::channel::{Channel, ShellProcess, pipes};
use super::prelude::START;

/// Starts a shell on the control host, in a process group of its own, so that an interrupt at the
/// terminal reaches us and not it.
///
/// `sh` is the shell's program, with the applet's name where it is part of BusyBox.
pub(super) fn open_shell(sh: &[&str]) -> Result<Channel, HostError> {
    let trouble = |error: std::io::Error| HostError::Local {
        message: format!("cannot start sh on the control host: {error}"),
        hint: "a POSIX sh has to be in the path".to_owned(),
    };
    let (near, far) = pipes().map_err(trouble)?;
    let (program, applet) = sh.split_first().unwrap_or((&"sh", &[]));
    let child = tokio::process::Command::new(program)
        .args(applet)
        .args(["-c", START])
        .stdin(Stdio::from(far.stdin))
        .stdout(Stdio::from(far.stdout))
        .stderr(Stdio::from(far.stderr))
        .process_group(0)
        .spawn()
        .map_err(trouble)?;
    Ok(near.with(ShellProcess::Local(child)))
}
