//! `fetch`: a file of the node, on the control host.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::{Flag, Text};
use crate::files::content::{Sums, sums_of};
use crate::files::path::RemotePath;
use crate::host::Output;
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Up to this many bytes come along with the first answer.
const SMALL: u64 = 256 * 1024;

/// Copies a file of the node to the control host.
///
/// It is written there whole or not at all, after its checksum was compared, and only when the file
/// that is there is another. A file that not everyone on the node may read gets the mode 0600, others
/// get 0644. One round trip; two for a file of more than 256 KiB that is fetched.
///
/// Returns: `dest`, `file` (the path on the node), `checksum` (SHA-1).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// The file on the node. Links are followed.
    src: RemotePath,
    /// A folder on the control host; the file becomes `dest/HOST/PATH` in it. A relative one is
    /// relative to the playbook. With `flat`: see there.
    dest: Text,
    /// `dest` is the file itself or, if it ends with `/`, the folder that gets it under its own name.
    #[serde(default)]
    flat: Flag,
    /// Fail when there is no such file.
    #[serde(default = "Flag::yes")]
    fail_on_missing: Flag,
    /// The checksums are compared after each transfer; this is accepted and changes nothing.
    #[serde(default = "Flag::yes")]
    #[expect(dead_code, reason = "playbooks give it")]
    validate_checksum: Flag,
}

impl Arguments for Fetch {
    const NAME: &'static str = "fetch";

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        // Where the node fills in the path, only it can say what it is.
        let guess = if self.src.as_str().contains(['~', '$']) {
            None
        } else {
            Some(self.local(context, self.src.as_str())?)
        };
        let here = guess.as_deref().and_then(|path| sums_of(path).ok());
        let records = self.ask(context, here.as_ref()).await?;
        let path = records.text("path").unwrap_or_default();
        match records.text("type").as_deref() {
            Some("file") => {}
            Some("directory") => {
                return Err(Failure::new(format!(
                    "{path} is a directory on the node; only files can be fetched"
                )));
            }
            _ if *self.fail_on_missing => {
                return Err(Failure::new(format!("{path} does not exist on the node"))
                    .hint("if it need not exist, set `fail_on_missing: false`"));
            }
            _ => {
                return Ok(Outcome::ok()
                    .with("file", path)
                    .message("the file does not exist on the node; nothing to fetch"));
            }
        }
        let local = match guess {
            Some(local) => local,
            None => self.local(context, &path)?,
        };
        let sum = records.text("sum").unwrap_or_default();
        let outcome = match here.or_else(|| sums_of(&local).ok()) {
            Some(sums) if sums.match_digest(&sum) => {
                let tightened = !context.check && tighten(&local, mode(&records))?;
                Outcome::changed(tightened).with("checksum", sums.sha1)
            }
            _ if context.check => Outcome::changed(true),
            _ => {
                let sums = self.download(context, &records, &local).await?;
                Outcome::changed(true).with("checksum", sums.sha1)
            }
        };
        Ok(outcome
            .with("dest", local.display().to_string())
            .with("file", path))
    }
}

impl Fetch {
    /// Asks the node what the file is. A small one that is not the one `here` comes along.
    async fn ask(&self, context: &Context<'_>, here: Option<&Sums>) -> Result<Records, Failure> {
        let (size, sha256, cksum) = match here {
            Some(sums) => (
                sums.size.to_string(),
                sums.sha256.as_str(),
                sums.cksum.to_string(),
            ),
            None => ("none".to_owned(), "none", "none".to_owned()),
        };
        let small = if context.check {
            "-1".to_owned()
        } else {
            SMALL.to_string()
        };
        let source = format!(
            "w_compare_with {} {size} {sha256} {cksum} {small}",
            self.src.word()
        );
        let script = kit::script(&[kit::READ], source);
        Records::read(&context.host.run(script).await?)
    }

    /// Writes the file to a place of its own, compares it, and puts it where it belongs.
    async fn download(
        &self,
        context: &Context<'_>,
        records: &Records,
        local: &Path,
    ) -> Result<Sums, Failure> {
        let place = beside(local).map_err(|error| cannot_write(local, &error))?;
        let file = place.path().join("content");
        if let Some(bytes) = records.bytes("content") {
            fs::write(&file, bytes).map_err(|error| cannot_write(local, &error))?;
        } else {
            let mut script = kit::script(&[kit::PATHS], format!("cat {}", self.src.word()));
            script.stdout = Output::File(file.clone());
            let reply = context.host.run(script).await?;
            if reply.status != 0 {
                return Err(Failure::new(format!(
                    "cannot read {} on the node: {}",
                    self.src,
                    reply.error_text().trim()
                )));
            }
        }
        let sums = sums_of(&file).map_err(|error| cannot_write(local, &error))?;
        if !sums.match_digest(&records.text("sum").unwrap_or_default()) {
            return Err(Failure::new(format!(
                "the bytes of {} that arrived are not those on the node; {} was left as it was",
                self.src,
                local.display()
            ))
            .hint("if something writes to the file all the time, fetch a copy of it"));
        }
        fs::set_permissions(&file, Permissions::from_mode(mode(records)))
            .and_then(|()| fs::rename(&file, local))
            .map_err(|error| cannot_write(local, &error))?;
        Ok(sums)
    }

    /// Where the file of the node at `path` belongs on the control host.
    fn local(&self, context: &Context<'_>, path: &str) -> Result<PathBuf, Failure> {
        let dest = match (self.dest.strip_prefix("~/"), std::env::var_os("HOME")) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => context.control.playbook_dir().join(&*self.dest),
        };
        // Only names: nothing that a node says leads out of the folder.
        let mut names = PathBuf::new();
        for component in Path::new(path).components() {
            match component {
                Component::Normal(name) => names.push(name),
                Component::ParentDir => {
                    names.pop();
                }
                _ => {}
            }
        }
        let Some(name) = names.file_name() else {
            return Err(Failure::new(format!(
                "{path} is a directory; only files can be fetched"
            )));
        };
        if !*self.flat {
            let host = context.host.name();
            if host.contains('/') || host == ".." || host == "." {
                return Err(Failure::new(format!(
                    "the name of the host, {host}, cannot be the name of a folder"
                ))
                .hint("set `flat: true` and name the file in `dest`"));
            }
            return Ok(dest.join(host).join(names));
        }
        if self.dest.ends_with('/') {
            return Ok(dest.join(name));
        }
        if dest.is_dir() {
            return Err(Failure::new(format!(
                "`dest` is a folder on the control host: {}",
                dest.display()
            ))
            .hint("end it with / to have the file in it"));
        }
        Ok(dest)
    }
}

/// A folder beside `local` that only its owner may enter, and which goes with all that is in it.
fn beside(local: &Path) -> io::Result<tempfile::TempDir> {
    let folder = local.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    tempfile::Builder::new()
        .prefix(".windlass-")
        .tempdir_in(folder)
}

/// The mode on the control host: who may not read it on the node shall not here.
fn mode(records: &Records) -> u32 {
    let mode = records.text("mode").unwrap_or_default();
    match u32::from_str_radix(&mode, 8) {
        Ok(mode) if mode & 0o004 != 0 => 0o644,
        _ => 0o600,
    }
}

/// Takes the permissions that `mode` does not have; whether there were any.
fn tighten(local: &Path, mode: u32) -> Result<bool, Failure> {
    let is = local
        .metadata()
        .map_err(|error| cannot_write(local, &error))?
        .permissions()
        .mode()
        & 0o777;
    if mode != 0o600 || is & 0o700 == is {
        return Ok(false);
    }
    fs::set_permissions(local, Permissions::from_mode(is & 0o700))
        .map_err(|error| cannot_write(local, &error))?;
    Ok(true)
}

fn cannot_write(local: &Path, error: &io::Error) -> Failure {
    Failure::new(format!(
        "cannot write {} on the control host: {error}",
        local.display()
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::{self, CHECK, Controller, REAL, run};
    use crate::host::Host;

    fn mode_of(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_file_lands_under_the_name_of_its_host() {
        for shell in fake::shells().into_iter().chain([fake::posix()]) {
            let folder = tempfile::tempdir().unwrap();
            let control = Controller::new(folder.path());
            for (size, trips) in [(0, 1), (100, 1), (1_000_000, 2)] {
                let bytes: Vec<u8> = (0..=255).cycle().take(size).collect();
                let src = shell.at("a b/../ü");
                fs::create_dir_all(shell.at("a b")).unwrap();
                fs::write(shell.at("ü"), &bytes).unwrap();
                let arguments = json!({"src": src, "dest": "got"});
                let local = folder.path().join("got").join(shell.name());
                let local = local.join(shell.at("ü").trim_start_matches('/'));
                let checked = run::<Fetch>(&shell, &control, CHECK, arguments.clone())
                    .await
                    .unwrap();
                assert!(checked.changed);
                assert_ne!(fs::read(&local).ok().as_ref(), Some(&bytes));
                let before = shell.trips();
                let first = run::<Fetch>(&shell, &control, REAL, arguments.clone())
                    .await
                    .unwrap();
                assert!(first.changed, "{}", shell.name());
                assert_eq!(shell.trips(), before + trips);
                assert_eq!(fs::read(&local).unwrap(), bytes);
                assert_eq!(first.data["dest"], local.display().to_string());
                assert_eq!(fs::read_dir(local.parent().unwrap()).unwrap().count(), 1);
                let second = run::<Fetch>(&shell, &control, REAL, arguments)
                    .await
                    .unwrap();
                assert!(!second.changed);
                assert_eq!(shell.trips(), before + trips + 1);
            }
        }
    }

    #[tokio::test]
    async fn what_not_everyone_may_read_there_nobody_else_may_read_here() {
        let shell = fake::shells().remove(0);
        let folder = tempfile::tempdir().unwrap();
        let control = Controller::new(folder.path());
        fs::write(shell.at("admin.conf"), "secret").unwrap();
        fs::set_permissions(shell.at("admin.conf"), Permissions::from_mode(0o640)).unwrap();
        let arguments = json!({"src": "$HOME/admin.conf", "dest": "here/", "flat": "yes"});
        let local = folder.path().join("here/admin.conf");
        run::<Fetch>(&shell, &control, REAL, arguments.clone())
            .await
            .unwrap();
        assert_eq!(mode_of(&local), 0o600);
        fs::set_permissions(&local, Permissions::from_mode(0o644)).unwrap();
        let again = run::<Fetch>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert!(again.changed);
        assert_eq!(mode_of(&local), 0o600);
        fs::set_permissions(shell.at("admin.conf"), Permissions::from_mode(0o644)).unwrap();
        let arguments = json!({"src": shell.at("admin.conf"), "dest": "open", "flat": true});
        run::<Fetch>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert_eq!(mode_of(&folder.path().join("open")), 0o644);
    }

    #[tokio::test]
    async fn what_cannot_be_fetched_is_said() {
        for shell in fake::shells() {
            let folder = tempfile::tempdir().unwrap();
            let control = Controller::new(folder.path());
            let fetch = async |arguments| run::<Fetch>(&shell, &control, REAL, arguments).await;
            let failure = fetch(json!({"src": "/none", "dest": "x"}))
                .await
                .unwrap_err();
            assert_eq!(failure.message, "/none does not exist on the node");
            let fine = fetch(json!({"src": "/none", "dest": "x", "fail_on_missing": false})).await;
            assert!(!fine.unwrap().changed);
            let failure = fetch(json!({"src": "/etc", "dest": "x"}))
                .await
                .unwrap_err();
            assert_eq!(
                failure.message,
                "/etc is a directory on the node; only files can be fetched"
            );
            fs::create_dir(folder.path().join("folder")).unwrap();
            let flat = json!({"src": "/etc/passwd", "dest": "folder", "flat": true});
            assert!(fetch(flat).await.unwrap_err().hint.unwrap().contains('/'));
            fs::write(folder.path().join("file"), "").unwrap();
            let under = fetch(json!({"src": "/etc/passwd", "dest": "file"}))
                .await
                .unwrap_err();
            assert!(
                under.message.starts_with("cannot write "),
                "{}",
                under.message
            );
        }
    }
}
