//! What a shell keeps of a durable request, and what a collector makes of it, over shells of the control host.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use windlass_modules::host::{Host, HostError, Reply, Script};

use super::request::COLLECTOR;
use super::test_shells::SHELLS;
use super::*;

fn host(sh: &'static [&'static str]) -> Arc<dyn Host> {
    let connection = Arc::new(Connection {
        name: "here".to_owned(),
        kind: ConnectionKind::Local,
    });
    let transport = Transport::with_local_shell(Limits::default(), sh, pool::FOR_LOCAL);
    transport.host(&connection, TaskSettings::default())
}

/// Runs it as a durable request; what hangs is an error.
async fn keep(host: &Arc<dyn Host>, source: &str) -> Result<Reply, HostError> {
    let run = host.run(Script::new(source).durable());
    let ended = tokio::time::timeout(Duration::from_secs(60), run).await;
    ended.unwrap_or_else(|_| panic!("{source}: no end of it"))
}

/// The folder of the shell behind `host`.
async fn folder(host: &Arc<dyn Host>) -> String {
    let reply = keep(host, "printf %s \"$_w_dir\"").await.unwrap();
    assert!(Path::new(&reply.text()).is_dir(), "{reply:?}");
    reply.text()
}

/// What a collector says and gives of the request with `mark`.
async fn collect(host: &Arc<dyn Host>, dir: &str, mark: &str) -> Reply {
    let id = dir.split_once(".windlass-").unwrap().1;
    // No process has this number.
    let source = format!("_w_collect {id} '{mark}' 4194305");
    host.run(Script::new(source).parts(COLLECTOR))
        .await
        .unwrap()
}

/// A login shell whose `df` shows a device with the longest of names, and one that ends what `echo` prints.
macro_rules! with_df {
    ($($shell:literal),+; $device:literal) => {
        &[$($shell),+, "-c", concat!("df() { printf '%s\\n' '", $device, " 9 9 0 100% /'; }; eval \"$2\""), "login"]
    };
}

const LONG: &[&[&str]] = &[
    with_df!("dash"; "//server/a-long-name-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789"),
    with_df!("bash"; "//server/a-long-name-äöü456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789"),
    with_df!("busybox", "sh"; "//server/a-long-name-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789"),
    with_df!("dash"; "//server/back\\\\cslash"),
    with_df!("busybox", "sh"; "//server/back\\\\cslash"),
];

#[tokio::test]
async fn a_full_disk_with_any_name_ends_the_request_as_what_it_is() {
    for sh in LONG {
        let host = host(sh);
        let dir = folder(&host).await;
        keep(&host, &format!("rm {dir}/room; ln -s /dev/full {dir}/room"))
            .await
            .unwrap();
        let error = keep(&host, "echo x").await.unwrap_err();
        let HostError::OutputLost { message, .. } = &error else {
            panic!("{sh:?} {error:?}")
        };
        assert!(message.contains("is full"), "{sh:?} {message}");
        assert!(message.contains("ended with status 0"), "{sh:?} {message}");
        assert_eq!(
            host.run(Script::new("echo on")).await.unwrap().text(),
            "on\n"
        );
    }
}

#[tokio::test]
async fn a_request_that_runs_unkept_leaves_nothing_that_says_it_never_began() {
    for sh in SHELLS.iter() {
        let host = host(sh);
        let dir = folder(&host).await;
        // From now on the folder cannot take what the next request prints.
        keep(&host, &format!("rm {dir}/err; mkdir {dir}/err"))
            .await
            .unwrap();
        let reply = keep(&host, &format!("ls -d {dir} 2>/dev/null; echo ran"))
            .await
            .unwrap();
        assert_eq!(reply.text(), "ran\n", "{sh:?}");
        let reply = collect(&host, &dir, "the mark of it").await;
        assert_eq!(reply.text(), "lost\n", "{sh:?}");
        // The one after has a folder again.
        assert_eq!(folder(&host).await, dir, "{sh:?}");
    }
}

#[tokio::test]
async fn a_new_mark_never_stands_beside_an_old_status() {
    for sh in SHELLS.iter() {
        let host = host(sh);
        let dir = folder(&host).await;
        let at = |name: &str| format!("{dir}/{name}");
        let before = std::fs::read_to_string(at("mark")).unwrap();
        // The next request stops where it blanks the status, until somebody reads that.
        let fifo = format!("rm {0}; mkfifo {0}", at("status"));
        keep(&host, &fifo).await.unwrap();
        let next = Arc::clone(&host);
        let next = tokio::spawn(async move { keep(&next, "echo next").await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let during = std::fs::read_to_string(at("mark")).unwrap();
        let reader = std::fs::File::options()
            .read(true)
            .write(true)
            .open(at("status"));
        let reply = next.await.unwrap().unwrap();
        drop(reader);
        assert_eq!(reply.text(), "next\n", "{sh:?}");
        let after = std::fs::read_to_string(at("mark")).unwrap();
        assert_ne!(after, during, "{sh:?}");
        // The one that made the fifo has a mark of its own.
        assert_ne!(before, during, "{sh:?}");
    }
}

#[tokio::test]
async fn a_collector_that_cannot_give_what_was_printed_does_not_end_well() {
    for sh in SHELLS.iter() {
        for (lacks, status) in [("", 0), ("out", 1), ("err", 1)] {
            let host = host(sh);
            let dir = folder(&host).await;
            let source = format!("echo out; echo err >&2; [ -z '{lacks}' ] || rm {dir}/{lacks}");
            keep(&host, &source).await.unwrap();
            let mark = std::fs::read_to_string(format!("{dir}/mark")).unwrap();
            let reply = collect(&host, &dir, mark.trim_end_matches('\n')).await;
            assert!(reply.text().starts_with("done 0\n"), "{sh:?} {reply:?}");
            assert_eq!(reply.status, status, "{sh:?} {lacks:?} {reply:?}");
            assert!(!Path::new(&dir).exists(), "{sh:?}");
        }
    }
}
