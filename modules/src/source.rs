//! Files of the control host that a user names: playbooks, inventories, variables, templates, what is
//! copied. Only whole files are read. A named pipe that nobody writes to would be waited for without
//! end, and a device such as /dev/zero has no end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// How many bytes a text may have that is read as a whole.
pub const LONGEST: u64 = 64 << 20;

/// Names under which a shell hands over a pipe, as for `-e @<(…)` and `-i /dev/stdin`. What is at their
/// other end was started by whoever gave the command.
const HANDED_OVER: [&str; 3] = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"];

/// Opens a file to be read in parts, however large it is; gives its size too.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    // So that a pipe is opened at once, to be refused.
    let file = options(true).open(path)?;
    let found = file.metadata()?;
    if found.is_file() {
        return Ok((file, found.len()));
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, kind(&found)))
}

/// What is in a file that is small enough to be read as a whole, or in a pipe that a shell handed over.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let name = path.as_os_str().as_encoded_bytes();
    let mut handed_over = HANDED_OVER.iter();
    let handed_over = handed_over.any(|start| name.starts_with(start.as_bytes()));
    let file = if handed_over && is_pipe(path)? {
        options(false).open(path)?
    } else {
        open(path)?.0
    };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        let message = format!("it is larger than {} MiB", LONGEST >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The text of a file, as [`read`] reads it.
pub fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The folders that one is in while going down a tree. A link may lead back to one of them; two such links side by
/// side would be gone through for ever.
#[derive(Debug, Clone, Default)]
pub struct Above(Vec<(u64, u64)>);

impl Above {
    /// These with `folder`, for what is in it. Nothing if one is in that folder already. A folder that cannot be
    /// looked at is taken for another: listing it says why.
    #[must_use]
    pub fn with(&self, folder: &Path) -> Option<Self> {
        let mut folders = self.0.clone();
        if let Ok(found) = folder.metadata() {
            let this = (found.dev(), found.ino());
            if folders.contains(&this) {
                return None;
            }
            folders.push(this);
        }
        Some(Self(folders))
    }
}

fn options(at_once: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    if at_once {
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or_default());
    }
    options
}

fn is_pipe(path: &Path) -> io::Result<bool> {
    Ok(path.metadata()?.file_type().is_fifo())
}

/// What something is that is no file, as the reason why it is not read.
fn kind(found: &std::fs::Metadata) -> &'static str {
    let kind = found.file_type();
    if kind.is_dir() {
        "it is a directory"
    } else if kind.is_fifo() {
        "it is a named pipe, and only files are read"
    } else if kind.is_socket() {
        "it is a socket, and only files are read"
    } else {
        "it is a device, and only files are read"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path) -> String {
        let of_open = open(path).map(drop).unwrap_err().to_string();
        assert_eq!(of_open, read(path).unwrap_err().to_string());
        of_open
    }

    #[test]
    fn what_has_no_end_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(
            refused(&pipe),
            "it is a named pipe, and only files are read"
        );
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        assert_eq!(
            refused(&link),
            "it is a named pipe, and only files are read"
        );
        for device in ["/dev/zero", "/dev/null", "/dev/random"] {
            assert_eq!(
                refused(Path::new(device)),
                "it is a device, and only files are read"
            );
        }
        assert_eq!(refused(folder.path()), "it is a directory");
    }

    #[test]
    fn a_file_that_is_too_large_to_be_read_as_a_whole_can_be_opened() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LONGEST).unwrap();
        assert_eq!(read(file.path()).unwrap().len() as u64, LONGEST);
        file.as_file().set_len(LONGEST + 1).unwrap();
        assert_eq!(
            read(file.path()).unwrap_err().to_string(),
            "it is larger than 64 MiB"
        );
        assert_eq!(open(file.path()).unwrap().1, LONGEST + 1);
    }
}
