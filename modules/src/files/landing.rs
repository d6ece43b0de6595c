//! Where bytes of a node may land on the control host: the one place in this crate that writes there.
//!
//! A [`Landing`] is a folder that the user named and names below it that we chose. The folder may be
//! reached through links, as the user likes; below it every folder is opened without following one,
//! so that neither a node nor what an earlier fetch brought leads anywhere else. What is there
//! already is replaced only where it is an ordinary file, and by one that is whole.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::files::content::{Sums, sums_of_file};
use crate::module::Context;
use crate::outcome::Failure;

/// The place of one file.
#[derive(Debug)]
pub struct Landing {
    /// The user's folder.
    folder: PathBuf,
    /// Folders below it.
    below: Vec<OsString>,
    /// The file's own name.
    name: OsString,
}

/// A new file beside its place. It goes when this is dropped, unless it was put there.
#[derive(Debug)]
pub struct New<'a> {
    landing: &'a Landing,
    folder: OwnedFd,
    name: String,
    file: Arc<File>,
    put: bool,
}

impl Landing {
    /// The file `below` in `folder`. Of `below` only names count: nothing leads up or to the root.
    /// `None` if no name is left.
    pub fn new(folder: PathBuf, below: &Path) -> Option<Self> {
        let mut names: Vec<OsString> = Vec::new();
        for component in below.components() {
            match component {
                Component::Normal(name) => names.push(name.to_owned()),
                Component::ParentDir => {
                    names.pop();
                }
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        let name = names.pop()?;
        // The parent of a bare name is an empty path, which is no folder.
        let folder = if folder.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            folder
        };
        Some(Self {
            folder,
            below: names,
            name,
        })
    }

    /// The path that a user means by `dest`: `~/` is the home, and what is relative is so to the playbook.
    pub fn dest(context: &Context<'_>, dest: &str) -> PathBuf {
        match (dest.strip_prefix("~/"), std::env::var_os("HOME")) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => context.control.playbook_dir().join(dest),
        }
    }

    /// The whole path.
    pub fn path(&self) -> PathBuf {
        let folder = self.folder.components();
        let mut path: PathBuf = folder.filter(|part| *part != Component::CurDir).collect();
        path.extend(&self.below);
        path.push(&self.name);
        path
    }

    /// The sums of the file that is there, if one is.
    pub fn sums(&self) -> Result<Option<Sums>, Failure> {
        let file = self.look().and_then(|found| match found {
            Some(folder) => self.open(folder.as_fd()),
            None => Ok(None),
        });
        match file.map_err(|error| self.trouble(&error))? {
            None => Ok(None),
            // One that may not be read is another: it is replaced, or that says why not.
            Some(mut file) => Ok(sums_of_file(&mut file).ok()),
        }
    }

    /// Takes from the file that is there the permissions that `mode` does not have; whether there were
    /// any. Only the mode 0600 takes some.
    pub fn tighten(&self, mode: u32) -> Result<bool, Failure> {
        let tighten = || -> io::Result<bool> {
            let Some(folder) = self.look()? else {
                return Ok(false);
            };
            let Some(file) = self.open(folder.as_fd())? else {
                return Ok(false);
            };
            let is = rustix::fs::fstat(&file)?.st_mode & 0o777;
            if mode != 0o600 || is & 0o700 == is {
                return Ok(false);
            }
            rustix::fs::fchmod(&file, Mode::from_raw_mode(is & 0o700))?;
            Ok(true)
        };
        tighten().map_err(|error| self.trouble(&error))
    }

    /// A new file beside the place, with the mode 0600, in folders that are made where they are missing.
    pub fn begin(&self) -> Result<New<'_>, Failure> {
        let begin = || -> io::Result<New<'_>> {
            fs::create_dir_all(&self.folder)?;
            let mut folder = open_folder(&self.folder)?;
            for name in &self.below {
                match rustix::fs::mkdirat(&folder, name.as_os_str(), Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                folder = enter(folder.as_fd(), name)?;
            }
            self.ordinary(folder.as_fd())?;
            // Taken by nobody: two of the same name would need the same 64 random bits.
            let name = format!(".windlass-{:016x}", random()?);
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
            let file = rustix::fs::openat(
                &folder,
                name.as_str(),
                flags | OFlags::CLOEXEC,
                Mode::RUSR | Mode::WUSR,
            )?;
            Ok(New {
                landing: self,
                folder,
                name,
                file: Arc::new(File::from(file)),
                put: false,
            })
        };
        begin().map_err(|error| self.trouble(&error))
    }

    /// The folder of the file, if there is one.
    fn look(&self) -> io::Result<Option<OwnedFd>> {
        let absent = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Ok(None),
            _ => Err(error),
        };
        let mut folder = match open_folder(&self.folder) {
            Ok(folder) => folder,
            Err(error) => return absent(error),
        };
        for name in &self.below {
            folder = match enter(folder.as_fd(), name) {
                Ok(folder) => folder,
                Err(error) => return absent(error),
            };
        }
        Ok(Some(folder))
    }

    /// The file, for reading.
    fn open(&self, folder: BorrowedFd<'_>) -> io::Result<Option<File>> {
        if self.ordinary(folder)?.is_none() {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(folder, self.name.as_os_str(), flags, Mode::empty()) {
            Ok(file) => Ok(Some(File::from(file))),
            Err(Errno::NOENT | Errno::ACCESS) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What is at the place, which must be an ordinary file or nothing.
    fn ordinary(&self, folder: BorrowedFd<'_>) -> io::Result<Option<Stat>> {
        let found =
            match rustix::fs::statat(folder, self.name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => found,
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
        let what = match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => return Ok(Some(found)),
            FileType::Symlink => "there is a link, and nothing of a node is written through one",
            FileType::Directory => "there is a folder of that name",
            _ => "what is there is not an ordinary file",
        };
        Err(io::Error::other(what))
    }

    /// The failure that `error` is.
    fn trouble(&self, error: &io::Error) -> Failure {
        Failure::new(format!(
            "cannot write {} on the control host: {error}",
            self.path().display()
        ))
    }
}

impl New<'_> {
    /// The file, for the transport to write to.
    pub fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }

    /// Writes these bytes to it.
    pub fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        (&*self.file)
            .write_all(bytes)
            .map_err(|error| self.landing.trouble(&error))
    }

    /// The sums of what it holds.
    pub fn sums(&self) -> Result<Sums, Failure> {
        let sums = || {
            let mut file = &*self.file;
            io::Seek::rewind(&mut file)?;
            sums_of_file(&mut file)
        };
        sums().map_err(|error| self.landing.trouble(&error))
    }

    /// Gives it the mode and puts it in its place.
    pub fn put(mut self, mode: u32) -> Result<(), Failure> {
        let put = || -> io::Result<()> {
            rustix::fs::fchmod(&self.file, Mode::from_raw_mode(mode))?;
            self.landing.ordinary(self.folder.as_fd())?;
            rustix::fs::renameat(
                &self.folder,
                self.name.as_str(),
                &self.folder,
                self.landing.name.as_os_str(),
            )?;
            Ok(())
        };
        put().map_err(|error| self.landing.trouble(&error))?;
        self.put = true;
        Ok(())
    }
}

impl Drop for New<'_> {
    fn drop(&mut self) {
        if !self.put {
            // It is ours alone, and nobody looks for it.
            let _ = rustix::fs::unlinkat(&self.folder, self.name.as_str(), AtFlags::empty());
        }
    }
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// A folder in a folder, if it is no link.
fn enter(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(|error| {
        let found = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW);
        match found.map(|found| FileType::from_raw_mode(found.st_mode)) {
            Ok(FileType::Symlink) => io::Error::other(format!(
                "{} is a link, and nothing of a node is written through one",
                Path::new(name).display()
            )),
            _ => error.into(),
        }
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the kernel's chance is no file of the user's"
)]
fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    io::Read::read_exact(&mut File::open("/dev/urandom")?, &mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, FakeController};

    #[test]
    fn a_dest_is_at_home_or_beside_the_playbook_or_where_it_says() {
        let context = Context {
            host: &Fake::saying(&[]),
            control: &FakeController::new("/playbook"),
            check: false,
            diff: false,
        };
        let home = PathBuf::from(std::env::var_os("HOME").unwrap());
        for (dest, means) in [
            ("~/a/b", home.join("a/b")),
            ("a", PathBuf::from("/playbook/a")),
            ("/a", PathBuf::from("/a")),
            ("~a/b", PathBuf::from("/playbook/~a/b")),
        ] {
            assert_eq!(Landing::dest(&context, dest), means);
        }
    }
}
