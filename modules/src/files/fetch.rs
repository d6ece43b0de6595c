//! `fetch`: a file of the node, on the control host.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::path::RemotePath;
use crate::args::{Destination, Flag};
use crate::describe::{CheckMode, Return};
use crate::files::announced;
use crate::files::content::Sums;
use crate::files::landing::Landing;
use crate::host::{HostError, Output};
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Up to this many bytes come along with the first answer.
const SMALL: u64 = 256 * 1024;

/// Copies a file of the node to the control host.
///
/// It is written there whole or not at all, after its size and checksum were compared, and only when the
/// file that is there is another. Its name follows from `src` as it is written and from nothing that the
/// node says; below `dest` no link is followed. A file that not everyone on the node may read gets the mode 0600, others
/// get 0644. One round trip; two for a file of more than 256 KiB that is fetched.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchArgs {
    /// The file on the node. Links are followed. `~` and variables are filled in on the node, and stay as
    /// they are written in the name on the control host.
    src: RemotePath,
    /// A folder on the control host; the file becomes `dest/HOST/PATH` in it. A relative one is
    /// relative to the playbook. With `flat`: see there.
    dest: Destination,
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

impl Arguments for FetchArgs {
    const NAME: &'static str = "fetch";
    const RETURNS: &'static [Return] = &[
        Return::text("dest", "the file on the control host"),
        Return::text("file", "the file on the node"),
        Return::text("checksum", "its SHA-1"),
        Return::text(
            "msg",
            "why nothing was fetched, where there is no such file",
        ),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Does(
        "It says whether the control host's file would change, and fetches nothing.",
    );
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Keep each node's list of users under fetched/HOST/etc/passwd\n  fetch:\n    src: /etc/passwd\n    dest: fetched\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let local = self.local(context)?;
        let here = local.sums()?;
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
        let sum = records.text("sum").unwrap_or_default();
        let outcome = match here {
            Some(sums) if sums.match_digest(&sum) => {
                let tightened = !context.check && local.tighten(mode(&records))?;
                Outcome::changed(tightened).with("checksum", sums.sha1)
            }
            _ if context.check => Outcome::changed(true),
            _ => {
                let sums = self.download(context, &records, &local).await?;
                Outcome::changed(true).with("checksum", sums.sha1)
            }
        };
        Ok(outcome
            .with("dest", local.path().display().to_string())
            .with("file", path))
    }
}

impl FetchArgs {
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
            SMALL.min(context.host.largest_file()).to_string()
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
        local: &Landing,
    ) -> Result<Sums, Failure> {
        let size = announced::size(records)?;
        let new = local.begin()?;
        if let Some(bytes) = records.bytes("content") {
            announced::check(bytes, size, SMALL, &self.src, context.host)?;
            new.write(bytes)?;
        } else {
            let mut script = kit::script(&[kit::PATHS], format!("cat {}", self.src.word()));
            script.stdout = Output::File {
                file: new.file(),
                size,
            };
            let reply = match context.host.run(script).await {
                Err(HostError::MoreThanAnnounced { announced }) => {
                    return Err(announced::exceeded(&self.src, announced));
                }
                other => other?,
            };
            if reply.status != 0 {
                return Err(Failure::new(format!(
                    "cannot read {} on the node: {}",
                    self.src,
                    reply.error_text().trim()
                )));
            }
        }
        let sums = new.sums()?;
        if !sums.match_digest(&records.text("sum").unwrap_or_default()) {
            let place = local.path();
            let what = if sums.size < size {
                format!("{} of the {size} bytes of {} arrived", sums.size, self.src)
            } else {
                format!(
                    "the bytes of {} that arrived are not those on the node",
                    self.src
                )
            };
            return Err(
                Failure::new(format!("{what}; {} was left as it was", place.display()))
                    .hint(announced::WRITTEN_TO),
            );
        }
        new.put(mode(records))?;
        Ok(sums)
    }

    /// Where the file belongs on the control host: the user alone says that.
    fn local(&self, context: &Context<'_>) -> Result<Landing, Failure> {
        let dest = Landing::dest(context, &self.dest);
        let src = Path::new(self.src.as_str());
        let no_file = || {
            Failure::new(format!(
                "{} is a directory; only files can be fetched",
                self.src
            ))
        };
        if !*self.flat {
            let host = context.host.name();
            if host.contains('/') || host == ".." || host == "." {
                return Err(Failure::new(format!(
                    "the name of the host, {host}, cannot be the name of a folder"
                ))
                .hint("set `flat: true` and name the file in `dest`"));
            }
            // Cleaned first, so that nothing in it leads out of the folder of the host.
            let below = Landing::new(Path::new(host).to_owned(), src).ok_or_else(no_file)?;
            return Landing::new(dest, &below.path()).ok_or_else(no_file);
        }
        if self.dest.ends_with('/') {
            let name = src.file_name().ok_or_else(no_file)?;
            return Landing::new(dest, Path::new(name)).ok_or_else(no_file);
        }
        if let (Some(folder), Some(name)) = (dest.parent(), dest.file_name())
            && !dest.is_dir()
            && let Some(landing) = Landing::new(folder.to_owned(), Path::new(name))
        {
            return Ok(landing);
        }
        Err(Failure::new(format!(
            "`dest` is a folder on the control host: {}",
            dest.display()
        ))
        .hint("end it with / to have the file in it"))
    }
}

/// The mode on the control host: who may not read it on the node shall not here.
fn mode(records: &Records) -> u32 {
    let mode = records.text("mode").unwrap_or_default();
    match u32::from_str_radix(&mode, 8) {
        Ok(mode) if mode & 0o004 != 0 => 0o644,
        _ => 0o600,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use serde_json::json;

    use super::*;
    use crate::fake::{self, CHECK, FakeController, REAL, run};
    use crate::files::content::Content;
    use crate::host::Host;

    fn mode_of(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_file_lands_under_the_name_of_its_host() {
        for shell in fake::shells().into_iter().chain([fake::posix()]) {
            let folder = tempfile::tempdir().unwrap();
            let control = FakeController::new(folder.path());
            for (size, trips) in [(0, 1), (100, 1), (1_000_000, 2)] {
                let bytes: Vec<u8> = (0..=255).cycle().take(size).collect();
                let src = shell.at("a b/../ü");
                fs::create_dir_all(shell.at("a b")).unwrap();
                fs::write(shell.at("ü"), &bytes).unwrap();
                let arguments = json!({"src": src, "dest": "got"});
                let local = folder.path().join("got").join(shell.name());
                let local = local.join(shell.at("ü").trim_start_matches('/'));
                let checked = run::<FetchArgs>(&shell, &control, CHECK, arguments.clone())
                    .await
                    .unwrap();
                assert!(checked.changed);
                assert_ne!(fs::read(&local).ok().as_ref(), Some(&bytes));
                let before = shell.trips();
                let first = run::<FetchArgs>(&shell, &control, REAL, arguments.clone())
                    .await
                    .unwrap();
                assert!(first.changed, "{}", shell.name());
                assert_eq!(shell.trips(), before + trips);
                assert_eq!(fs::read(&local).unwrap(), bytes);
                assert_eq!(first.data["dest"], local.display().to_string());
                assert_eq!(fs::read_dir(local.parent().unwrap()).unwrap().count(), 1);
                let second = run::<FetchArgs>(&shell, &control, REAL, arguments)
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
        let control = FakeController::new(folder.path());
        fs::write(shell.at("admin.conf"), "secret").unwrap();
        fs::set_permissions(shell.at("admin.conf"), Permissions::from_mode(0o640)).unwrap();
        let arguments = json!({"src": "$HOME/admin.conf", "dest": "here/", "flat": "yes"});
        let local = folder.path().join("here/admin.conf");
        run::<FetchArgs>(&shell, &control, REAL, arguments.clone())
            .await
            .unwrap();
        assert_eq!(mode_of(&local), 0o600);
        fs::set_permissions(&local, Permissions::from_mode(0o644)).unwrap();
        let again = run::<FetchArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert!(again.changed);
        assert_eq!(mode_of(&local), 0o600);
        fs::set_permissions(shell.at("admin.conf"), Permissions::from_mode(0o644)).unwrap();
        let arguments = json!({"src": shell.at("admin.conf"), "dest": "open", "flat": true});
        run::<FetchArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert_eq!(mode_of(&folder.path().join("open")), 0o644);
    }

    #[tokio::test]
    async fn what_cannot_be_fetched_is_said() {
        for shell in fake::shells() {
            let folder = tempfile::tempdir().unwrap();
            let control = FakeController::new(folder.path());
            let fetch = async |arguments| run::<FetchArgs>(&shell, &control, REAL, arguments).await;
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

    #[tokio::test]
    async fn the_name_follows_from_what_the_user_wrote_and_not_from_the_node() {
        for shell in fake::shells() {
            let folder = tempfile::tempdir().unwrap();
            let control = FakeController::new(folder.path());
            let evil = shell.at("hosts.ini");
            fs::write(&evil, "evil").unwrap();
            fs::write(folder.path().join("hosts.ini"), "good").unwrap();
            let name = shell.name().to_owned();
            let shell = shell.variable("EVIL", &evil);
            for (src, flat, dest, lands) in [
                ("$EVIL", true, "./", "$EVIL".to_owned()),
                ("$EVIL", false, ".", format!("{name}/$EVIL")),
                ("~/hosts.ini", false, ".", format!("{name}/~/hosts.ini")),
                (
                    "$HOME/../${EVIL}",
                    false,
                    "a",
                    format!("a/{name}/${{EVIL}}"),
                ),
                ("~/hosts.ini", true, "b/", "b/hosts.ini".to_owned()),
            ] {
                let arguments = json!({"src": src, "dest": dest, "flat": flat});
                let outcome = run::<FetchArgs>(&shell, &control, REAL, arguments).await;
                let lands = folder.path().join(lands);
                match outcome {
                    Ok(outcome) => {
                        assert_eq!(outcome.data["dest"], lands.display().to_string());
                        assert_eq!(fs::read(&lands).unwrap(), b"evil", "{src}");
                    }
                    // `$HOME/../…` is nothing on the node.
                    Err(failure) => assert!(failure.message.contains("does not exist")),
                }
                assert_eq!(fs::read(folder.path().join("hosts.ini")).unwrap(), b"good");
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_written_through_a_link_below_dest() {
        let shell = fake::shells().remove(0);
        let folder = tempfile::tempdir().unwrap();
        let control = FakeController::new(folder.path());
        let outside = folder.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "mine").unwrap();
        fs::write(shell.at("file"), "theirs").unwrap();
        let host = folder.path().join("got").join(shell.name());
        // The folder of the host, one in the middle, the file itself.
        let path = host.join(shell.at("file").trim_start_matches('/'));
        let places = [host, path.parent().unwrap().to_owned(), path.clone()];
        for (number, place) in places.iter().enumerate() {
            let _ = fs::remove_dir_all(folder.path().join("got"));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            let to = if number == 2 {
                outside.join("file")
            } else {
                outside.clone()
            };
            symlink(to, place).unwrap();
            let arguments = json!({"src": shell.at("file"), "dest": "got"});
            let failure = run::<FetchArgs>(&shell, &control, REAL, arguments).await;
            let failure = failure.unwrap_err();
            assert!(failure.message.contains("link"), "{}", failure.message);
        }
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        // The folder that the user names may be a link.
        symlink("outside", folder.path().join("linked")).unwrap();
        let arguments = json!({"src": shell.at("file"), "dest": "linked/", "flat": true});
        run::<FetchArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"theirs");
        let arguments = json!({"src": shell.at("file"), "dest": "/dev/null", "flat": true});
        let failure = run::<FetchArgs>(&shell, &control, CHECK, arguments).await;
        let message = failure.unwrap_err().message;
        assert!(message.contains("not an ordinary file"), "{message}");
    }

    #[tokio::test]
    async fn less_than_announced_and_another_sum_are_errors_and_leave_nothing() {
        for (extra, said) in [
            ("", "10 of the 300000 bytes of /x arrived"),
            ("y", "are not those on the node"),
        ] {
            let size = if extra.is_empty() { 300_000 } else { 10 };
            let sum = format!("sha256:{}", "0".repeat(64));
            let look = format!(
                "path 2\n/x\ntype 4\nfile\nsize {}\n{size}\nmode 4\n0644\nsum {}\n{sum}\n",
                size.to_string().len(),
                sum.len()
            );
            let content = format!("{look}content -\n{}{extra}", "x".repeat(10 - extra.len()));
            let host = fake::Fake::saying(&[&content]);
            let folder = tempfile::tempdir().unwrap();
            let control = FakeController::new(folder.path());
            let arguments = json!({"src": "/x", "dest": "x", "flat": true});
            let failure = run::<FetchArgs>(&host, &control, REAL, arguments).await;
            let message = failure.unwrap_err().message;
            assert!(message.contains(said), "{message}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[tokio::test]
    async fn no_more_comes_along_than_was_announced() {
        for (size, length, fine) in [
            (10, 10, true),
            (10, 11, false),
            // As files of /proc do.
            (0, 4096, true),
            (0, SMALL + 1, false),
        ] {
            let bytes = "x".repeat(usize::try_from(length).unwrap());
            let sums = Content::bytes(bytes.clone().into()).sums;
            let sum = format!("sha256:{}", sums.sha256);
            let look = format!(
                "path 2\n/x\ntype 4\nfile\nsize {}\n{size}\nmode 4\n0644\nsum {}\n{sum}\n",
                size.to_string().len(),
                sum.len()
            );
            let host = fake::Fake::saying(&[&format!("{look}content -\n{bytes}")]);
            let folder = tempfile::tempdir().unwrap();
            let control = FakeController::new(folder.path());
            let arguments = json!({"src": "/x", "dest": "x", "flat": true});
            match run::<FetchArgs>(&host, &control, REAL, arguments).await {
                Ok(_) => assert!(fine, "{length} of {size}"),
                Err(failure) => {
                    assert!(!fine, "{length} of {size}: {failure:?}");
                    let said = format!("than the {size} bytes that it had announced");
                    assert!(failure.message.contains(&said), "{}", failure.message);
                    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
                }
            }
        }
    }
}
