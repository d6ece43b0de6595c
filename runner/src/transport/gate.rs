//! Bounds how many handshakes run at once, and how many begin in a second.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The way to new connections.
pub(super) struct Gate {
    at_once: Semaphore,
    between: Duration,
    next: Mutex<Instant>,
}

impl Gate {
    pub(super) fn new(at_once: usize, per_second: u32) -> Self {
        Self {
            at_once: Semaphore::new(at_once.max(1)),
            between: Duration::from_secs(1) / per_second.max(1),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits for a turn, which lasts until the permit is dropped.
    pub(super) async fn enter(&self) -> SemaphorePermit<'_> {
        let permit = self
            .at_once
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let turn = {
            let mut next = self.next.lock().await;
            let turn = (*next).max(Instant::now());
            *next = turn + self.between;
            turn
        };
        sleep_until(turn).await;
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_begin_in_a_second_than_allowed() {
        let gate = Gate::new(100, 10);
        let begin = Instant::now();
        for _ in 0..21 {
            drop(gate.enter().await);
        }
        assert!(begin.elapsed() >= Duration::from_secs(2));
    }

    #[tokio::test]
    async fn no_more_run_at_once_than_allowed() {
        let gate = Gate::new(2, 1000);
        let _one = gate.enter().await;
        let two = gate.enter().await;
        let wait = Duration::from_millis(50);
        assert!(tokio::time::timeout(wait, gate.enter()).await.is_err());
        drop(two);
        assert!(tokio::time::timeout(wait, gate.enter()).await.is_ok());
    }
}
