//! One at a time makes much: hosts are worked on by as many threads as there are processors, and each
//! rendering may make [`super::MOST_MADE`].
//!
//! A rendering that has made more than [`LARGE`] waits for its turn, and has it until the outermost
//! rendering of its thread is over. It waits for no other host meanwhile, so the turn comes.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What each rendering may make without a turn, in bytes.
pub(super) const LARGE: usize = 1 << 20;

static TURN: Mutex<()> = Mutex::new(());

#[derive(Default)]
struct Thread {
    /// How many renderings are in each other.
    depth: usize,
    turn: Option<MutexGuard<'static, ()>>,
}

thread_local! {
    static THREAD: RefCell<Thread> = RefCell::default();
}

/// A rendering under way on this thread.
pub(super) struct RenderingGuard {
    /// It ends on the thread that it began on.
    _here: PhantomData<*const ()>,
}

impl RenderingGuard {
    pub(super) fn begin() -> Self {
        THREAD.with_borrow_mut(|thread| thread.depth += 1);
        Self { _here: PhantomData }
    }
}

impl Drop for RenderingGuard {
    fn drop(&mut self) {
        THREAD.with_borrow_mut(|thread| {
            thread.depth -= 1;
            if thread.depth == 0 {
                thread.turn = None;
            }
        });
    }
}

/// Waits for the turn where `bytes` are too many without one. Outside of a rendering nothing is waited for.
pub(super) fn take(bytes: usize) {
    if bytes <= LARGE {
        return;
    }
    THREAD.with_borrow_mut(|thread| {
        if thread.depth > 0 && thread.turn.is_none() {
            thread.turn = Some(TURN.lock().unwrap_or_else(PoisonError::into_inner));
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn large_renderings_take_turns_and_small_ones_do_not_wait() {
        let at_once = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let outer = RenderingGuard::begin();
                        take(LARGE);
                        let inner = RenderingGuard::begin();
                        take(LARGE + 1);
                        drop(inner);
                        take(2 * LARGE);
                        assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0);
                        thread::yield_now();
                        at_once.fetch_sub(1, Ordering::SeqCst);
                        drop(outer);
                    }
                });
            }
        });
        let held = RenderingGuard::begin();
        take(LARGE + 1);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _small = RenderingGuard::begin();
                take(LARGE);
            });
        });
        drop(held);
        take(LARGE + 1);
        THREAD.with_borrow(|thread| assert!(thread.turn.is_none()));
    }
}
