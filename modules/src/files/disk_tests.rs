//! Disks that are full, read-only or not ours: what is said, and that nothing is left half written. Root mounts them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::fake::{self, FakeController, REAL, run};
use crate::files::copy::CopyArgs;
use crate::host::Host;

/// A file system in memory, as long as the value lives. Needs root.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(
            mount.status.success(),
            "this test mounts a file system and must run as root: {}",
            String::from_utf8_lossy(&mount.stderr)
        );
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn a_full_disk_is_named_and_the_file_is_as_it_was() {
    for shell in fake::shells().into_iter().chain([fake::posix()]) {
        let mount = Mount::new("size=64k");
        fs::write(mount.at("x"), "old").unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("big"), vec![b'b'; 100_000]).unwrap();
        let control = FakeController::new(folder.path());
        let arguments = json!({"src": "big", "dest": mount.at("x")});
        let failure = run::<CopyArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap_err();
        let path = mount.at("x").display().to_string();
        let root = mount.0.path().display().to_string();
        assert_eq!(
            failure.message,
            format!(
                "cannot write {path}: the disk is full: tmpfs on {root} is 100% full, 0 KiB are free"
            ),
            "{}",
            shell.name()
        );
        assert!(
            failure
                .hint
                .unwrap()
                .starts_with(&format!("free space under {root}"))
        );
        assert_eq!(fs::read(mount.at("x")).unwrap(), b"old");
        assert_eq!(fs::read_dir(mount.0.path()).unwrap().count(), 1);
    }
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn a_read_only_file_system_is_named() {
    for shell in fake::shells().into_iter().chain([fake::posix()]) {
        let mount = Mount::new("ro,size=64k");
        let control = FakeController::new("/");
        let arguments = json!({"content": "x", "dest": mount.at("x")});
        let failure = run::<CopyArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap_err();
        let path = mount.at("x").display().to_string();
        let root = mount.0.path().display().to_string();
        assert_eq!(
            failure.message,
            format!("cannot write {path}: the file system is read-only: tmpfs on {root}"),
            "{}",
            shell.name()
        );
        assert!(
            failure
                .hint
                .unwrap()
                .contains(&format!("mount -o remount,rw {root}"))
        );
    }
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn a_folder_of_someone_else_needs_become() {
    for shell in fake::shells() {
        // Root may write anywhere: the script runs as nobody.
        let script = crate::kit::script(
            &[crate::kit::PATHS],
            "w_do 'cannot create' /etc/x touch /etc/x",
        );
        let source = format!(
            "{}\n{}",
            crate::kit::with_needs(script.parts)
                .iter()
                .map(|part| part.source)
                .collect::<Vec<_>>()
                .join("\n"),
            script.source
        );
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args([
                if shell.name() == "bash" {
                    "bash"
                } else {
                    "dash"
                },
                "-c",
                &source,
            ])
            .output()
            .unwrap();
        let reply = crate::host::Reply {
            status: 1,
            stdout: output.stdout.into(),
            stderr: output.stderr.into(),
        };
        let failure = crate::kit::Records::read(&reply).unwrap_err();
        assert_eq!(
            failure.message,
            "cannot create /etc/x: permission denied for user nobody"
        );
        assert!(failure.hint.unwrap().contains("become: true"));
    }
}

#[tokio::test]
#[ignore = "needs root: `make fleet` runs it"]
async fn a_mount_point_is_written_in_place_only_when_asked() {
    for shell in fake::shells() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("hosts");
        let other = folder.path().join("other");
        fs::write(&hosts, "").unwrap();
        fs::write(&other, "old").unwrap();
        let bound = Command::new("mount")
            .arg("--bind")
            .args([&other, &hosts])
            .status();
        assert!(
            bound.unwrap().success(),
            "this test mounts and must run as root"
        );
        let control = FakeController::new(folder.path());
        let arguments = json!({"content": "new", "dest": hosts, "mode": "0600"});
        let refused = run::<CopyArgs>(&shell, &control, REAL, arguments.clone()).await;
        let mut unsafely = arguments;
        unsafely["unsafe_writes"] = json!(true);
        let written = run::<CopyArgs>(&shell, &control, REAL, unsafely).await;
        let content = fs::read(&hosts).unwrap();
        let _ = Command::new("umount").arg(&hosts).status();
        let failure = refused.unwrap_err();
        assert!(
            failure.hint.unwrap().contains("unsafe_writes"),
            "{}",
            failure.message
        );
        assert!(written.unwrap().changed, "{}", shell.name());
        assert_eq!(content, b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
