//! How long one host is waited for until a shell of ours is ready there: all of connecting,
//! authentication, the channel, becoming another user and the shell's first word together. What is
//! waited for on this side, a turn or a lock, does not count.

use std::time::Duration;

use tokio::time::{Instant, timeout};

/// What is left of the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// All of it, for messages.
    pub(super) whole: Duration,
    left: Duration,
}

/// The time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Over;

impl Patience {
    pub(super) fn new(whole: Duration) -> Self {
        Self { whole, left: whole }
    }

    /// What is left.
    pub(super) fn left(self) -> Duration {
        self.left
    }

    /// Waits for `work`, as long as there is time.
    pub(super) async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Over> {
        self.wait_at_most(self.left, work).await
    }

    /// Waits for `work`, but no longer than `most`.
    pub(super) async fn wait_at_most<T>(
        &mut self,
        most: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Over> {
        let begin = Instant::now();
        let done = timeout(most.min(self.left), work).await;
        self.left = self.left.saturating_sub(begin.elapsed());
        done.map_err(|_| Over)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_what_is_waited_for_counts() {
        let mut patience = Patience::new(Duration::from_secs(10));
        let second = Duration::from_secs(1);
        sleep(second * 60).await;
        assert_eq!(patience.wait(sleep(second * 6)).await, Ok(()));
        sleep(second * 60).await;
        assert_eq!(patience.left(), second * 4);
        assert_eq!(
            patience.wait_at_most(second, sleep(second * 2)).await,
            Err(Over)
        );
        assert_eq!(patience.wait(sleep(second * 4)).await, Err(Over));
        assert_eq!(patience.left(), Duration::ZERO);
    }
}
