//! Bounds how many handshakes run at once, and how many begin in a second. Where sshd drops
//! connections, fewer run at once from then on, until they succeed again.

use std::sync::Mutex as PlainMutex;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The way to new connections.
pub(super) struct Gate {
    at_once: Semaphore,
    most: usize,
    /// How many may run at once now, and how many succeeded since that changed.
    now: PlainMutex<(usize, usize)>,
    between: Duration,
    next: Mutex<Instant>,
}

impl Gate {
    pub(super) fn new(at_once: usize, per_second: u32) -> Self {
        Self {
            at_once: Semaphore::new(at_once.max(1)),
            most: at_once.max(1),
            now: PlainMutex::new((at_once.max(1), 0)),
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

    /// Ends a turn whose connection sshd dropped. A turn that was given up before counts no more.
    pub(super) fn dropped(&self, turn: Option<SemaphorePermit<'_>>) {
        let Some(turn) = turn else { return };
        let Ok(mut now) = self.now.lock() else { return };
        if now.0 > 1 {
            turn.forget();
            *now = (now.0 - 1, 0);
        }
    }

    /// Ends a turn that succeeded.
    pub(super) fn went_well(&self, turn: Option<SemaphorePermit<'_>>) {
        drop(turn);
        let Ok(mut now) = self.now.lock() else { return };
        now.1 += 1;
        if now.0 < self.most && now.1 >= 4 {
            self.at_once.add_permits(1);
            *now = (now.0 + 1, 0);
        }
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

    #[tokio::test]
    async fn drops_make_it_narrow_and_success_makes_it_wide_again() {
        let gate = Gate::new(3, 1000);
        for _ in 0..5 {
            gate.dropped(Some(gate.enter().await));
        }
        assert_eq!(gate.at_once.available_permits(), 1);
        for _ in 0..20 {
            gate.went_well(Some(gate.enter().await));
        }
        assert_eq!(gate.at_once.available_permits(), 3);
    }
}
