//! Where control sockets live: a private folder with a short path, and a name for each connection.
//!
//! The path of a Unix socket may have 107 bytes, and ssh binds a temporary name of 17 more first.

use std::ffi::OsStr;
use std::fs::{DirBuilder, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use windlass_modules::host::HostError;

use super::settings::{Limits, SshSettings};

/// The extensions of marks beside a socket, which say of its master that the host has another key, and that it
/// forwards no agent.
pub(super) const OTHER_KEY: &str = "key";
pub(super) const NO_AGENT: &str = "plain";

/// A mark that is older than this and has no socket is left over. A younger one may be that of a master that is
/// being started.
const LEFT_OVER: Duration = Duration::from_secs(24 * 3600);

/// The longest folder that leaves room for `/`, a name of 16 bytes and ssh's temporary suffix.
const LONGEST: usize = 107 - 1 - 16 - 17;

/// Finds or makes the folder, and proves that it is nobody else's.
pub(super) fn control_dir(limits: &Limits) -> Result<PathBuf, HostError> {
    let uid = rustix::process::geteuid().as_raw();
    let mut reasons = Vec::new();
    for candidate in candidates(limits, uid) {
        match prepare(&candidate, uid) {
            Ok(()) => return Ok(candidate),
            Err(reason) => reasons.push(format!("{}: {reason}", candidate.display())),
        }
    }
    Err(HostError::Local {
        message: format!(
            "no private folder for ssh control sockets: {}",
            reasons.join("; ")
        ),
        hint: "set XDG_RUNTIME_DIR to a folder of yours with mode 0700 and a short path".to_owned(),
    })
}

fn candidates(limits: &Limits, uid: u32) -> Vec<PathBuf> {
    if let Some(dir) = &limits.control_dir {
        return vec![dir.clone()];
    }
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .filter(|dir| !dir.is_empty())
        .map(|dir| PathBuf::from(dir).join("windlass"));
    let temporary = Path::new("/tmp").join(format!("windlass-{uid}"));
    runtime.into_iter().chain([temporary]).collect()
}

/// Someone else could have made the folder under `/tmp` first, to read what goes through it.
fn prepare(dir: &Path, uid: u32) -> Result<(), String> {
    if dir.as_os_str().len() > LONGEST {
        return Err(format!(
            "the path is longer than {LONGEST} bytes, too long for a socket"
        ));
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.to_string()),
    }
    let found = std::fs::symlink_metadata(dir).map_err(|error| error.to_string())?;
    check_owner(&found, uid)
}

/// Removes marks of masters that ended by themselves: ssh knows its socket only. One that stays does no harm.
pub(super) fn sweep(dir: &Path) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries {
        let path = entry.path();
        let extension = path.extension().and_then(OsStr::to_str);
        let is_mark = extension.is_some_and(|found| [OTHER_KEY, NO_AGENT].contains(&found));
        if !is_mark || path.with_extension("").exists() {
            continue;
        }
        let since = entry.metadata().and_then(|found| found.modified());
        let age = since.map(|since| since.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > LEFT_OVER) {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn check_owner(found: &Metadata, uid: u32) -> Result<(), String> {
    if !found.is_dir() {
        return Err("it is not a folder".to_owned());
    }
    if found.uid() != uid {
        return Err(format!("it belongs to user {}", found.uid()));
    }
    if found.mode() & 0o077 != 0 {
        return Err(format!(
            "others may enter it (mode {:04o})",
            found.mode() & 0o7777
        ));
    }
    Ok(())
}

/// The socket of a connection: a hash of all that shapes it, the same in every run.
pub(super) fn socket_name(settings: &SshSettings) -> String {
    // The password and the timeout shape how the connection is made, not what it is.
    let SshSettings {
        address,
        port,
        user,
        private_key_file,
        common_args,
        extra_args,
        ..
    } = settings;
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    };
    add(address.as_bytes());
    add(&port.unwrap_or(0).to_le_bytes());
    add(user.as_deref().unwrap_or_default().as_bytes());
    add(private_key_file
        .as_deref()
        .map_or(OsStr::new(""), Path::as_os_str)
        .as_bytes());
    add(&[settings.host_keys as u8]);
    add(&common_args.len().to_le_bytes());
    for argument in common_args.iter().chain(extra_args) {
        add(argument.as_bytes());
    }
    hash.finalize()
        .iter()
        .take(8)
        .fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn limits(dir: PathBuf) -> Limits {
        Limits {
            control_dir: Some(dir),
            ..Limits::default()
        }
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = control_dir(&limits(open)).unwrap_err();
        assert!(error.to_string().contains("mode 0755"), "{error}");
    }

    #[test]
    fn a_link_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path(), &link).unwrap();
        assert!(
            control_dir(&limits(link))
                .unwrap_err()
                .to_string()
                .contains("not a folder")
        );
    }

    #[test]
    fn a_new_folder_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let new = dir.path().join("new");
        control_dir(&limits(new.clone())).unwrap();
        assert_eq!(std::fs::metadata(new).unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn old_marks_without_a_socket_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().to_path_buf();
        let make = |name: &str, days: u64| {
            let file = std::fs::File::create(folder.join(name)).unwrap();
            let then = std::time::SystemTime::now() - Duration::from_secs(days * 24 * 3600);
            file.set_modified(then).unwrap();
        };
        for (name, days) in [
            ("aa.plain", 2),
            ("aa.key", 2),
            ("bb.plain", 0),
            ("cc", 2),
            ("cc.plain", 2),
            ("dd.other", 2),
        ] {
            make(name, days);
        }
        sweep(&folder);
        let left = std::fs::read_dir(&folder).unwrap();
        let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut left: Vec<String> = left.collect();
        left.sort();
        assert_eq!(left, ["bb.plain", "cc", "cc.plain", "dd.other"]);
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_refused() {
        let long = PathBuf::from(format!("/tmp/{}", "x".repeat(90)));
        assert!(
            control_dir(&limits(long))
                .unwrap_err()
                .to_string()
                .contains("too long")
        );
    }

    #[test]
    fn what_shapes_a_connection_names_its_socket() {
        let plain = SshSettings::new("a");
        let name = socket_name(&plain);
        assert_eq!(name, socket_name(&plain.clone()));
        assert_eq!(name.len(), 16);
        let mut port = plain.clone();
        port.port = Some(22);
        let mut moved = plain.clone();
        moved.common_args = vec!["-v".to_owned()];
        let mut extra = plain;
        extra.extra_args = vec!["-v".to_owned()];
        assert_ne!(name, socket_name(&port));
        assert_ne!(socket_name(&moved), socket_name(&extra));
    }
}
