//! What a node says a file holds, and what comes of it: no more is taken.

use crate::args::path::RemotePath;
use crate::host::{Host, HostError};
use crate::kit::Records;
use crate::outcome::Failure;

/// What to do about a file that is another at each look.
pub(super) const WRITTEN_TO: &str =
    "if something writes to the file all the time, take a copy of it";

/// The size that the node announced.
pub(super) fn size(records: &Records) -> Result<u64, Failure> {
    let size = records.text("size").unwrap_or_default();
    size.trim().parse().map_err(|_| {
        Failure::new(format!(
            "the node gives no size of the file that could be one: {size:?}"
        ))
    })
}

/// Sees that `bytes`, which came along with an answer, are no more than the `size` that was announced, and
/// no more than are taken of one file. Files of /proc have a size of 0 whatever they hold: of one that is
/// said to be empty, `unsized_most` are taken.
pub(super) fn check(
    bytes: &[u8],
    size: u64,
    unsized_most: u64,
    src: &RemotePath,
    host: &dyn Host,
) -> Result<(), Failure> {
    let came = bytes.len() as u64;
    let most = if size == 0 { unsized_most } else { size };
    if came > most {
        return Err(exceeded(src, size));
    }
    let limit = host.largest_file();
    if came > limit {
        let announced = size.max(came);
        return Err(HostError::TooLarge { announced, limit }.into());
    }
    Ok(())
}

/// More came than had been announced.
pub(super) fn exceeded(src: &RemotePath, size: u64) -> Failure {
    Failure::new(format!(
        "the node sent more of {src} than the {size} bytes that it had announced; nothing of it was kept"
    ))
    .hint(WRITTEN_TO)
}

#[cfg(test)]
mod tests {
    use futures::future::BoxFuture;
    use serde_json::json;

    use crate::fake::{Fake, FakeController, REAL, run};
    use crate::files::content::Content;
    use crate::files::fetch::FetchArgs;
    use crate::files::slurp::SlurpArgs;
    use crate::host::{Host, HostError, Reply, Script};

    /// A host of which no more than 1000 bytes of one file are taken.
    struct Bounded(Fake);

    impl Host for Bounded {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn run(&self, script: Script) -> BoxFuture<'_, Result<Reply, HostError>> {
            self.0.run(script)
        }

        fn largest_file(&self) -> u64 {
            1000
        }
    }

    #[tokio::test]
    async fn no_more_is_taken_of_a_small_file_than_of_any() {
        for (size, length, fine) in [
            (1000, 1000, true),
            (2000, 2000, false),
            // As files of /proc do.
            (0, 1000, true),
            (0, 1001, false),
        ] {
            let bytes = "x".repeat(length);
            let sums = Content::bytes(bytes.clone().into()).sums;
            let answer = format!(
                "path 2\n/x\ntype 4\nfile\nsize {}\n{size}\nmode 4\n0644\nsum 71\nsha256:{}\ncontent -\n{bytes}",
                size.to_string().len(),
                sums.sha256
            );
            let folder = tempfile::tempdir().unwrap();
            let control = FakeController::new(folder.path());
            let host = || Bounded(Fake::saying(&[&answer]));
            let (fetching, slurping) = (host(), host());
            let to = json!({"src": "/x", "dest": "x", "flat": true});
            let fetched = run::<FetchArgs>(&fetching, &control, REAL, to).await;
            let slurped = run::<SlurpArgs>(&slurping, &control, REAL, json!({"src": "/x"})).await;
            // It is not even sent by who is honest.
            assert!(fetching.0.scripts()[0].source.ends_with(" 1000"));
            for outcome in [fetched, slurped] {
                match outcome {
                    Ok(_) => assert!(fine, "{length} of {size}"),
                    Err(failure) => {
                        assert!(!fine, "{length} of {size}: {failure:?}");
                        let kind = failure.host.unwrap();
                        assert!(matches!(kind, HostError::TooLarge { limit: 1000, .. }));
                    }
                }
            }
            assert_eq!(folder.path().join("x").exists(), fine);
        }
    }
}
