//! How much of what hosts print a run keeps, and who has drawn how much of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::pool::Pool;
use super::writer::Full;

/// What each host may keep in memory before it draws on the limit for all.
const FREE: u64 = 1 << 20;

/// How much of what hosts print a run keeps, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// In memory, for all hosts together, beyond the 1 MiB of each.
    pub memory: u64,
    /// In a file, for all hosts together.
    pub disk: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            disk: 2 << 30,
        }
    }
}

/// The accounts of a run. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    sums: Arc<Sums>,
    accounts: Arc<Mutex<HashMap<String, Arc<Account>>>>,
}

#[derive(Debug, Default)]
struct Sums {
    bounds: Bounds,
    memory: AtomicU64,
    disk: AtomicU64,
    /// Where texts go that are not kept in memory.
    pool: Pool,
    /// Texts that were read back from there, for as long as somebody holds them.
    in_hand: Mutex<Vec<InHand>>,
}

/// What was drawn for a text that somebody holds. It knows its account only as long as others do: the
/// account has the sums, and these the text.
#[derive(Debug)]
struct InHand {
    text: Weak<str>,
    account: Weak<Account>,
    free: u64,
    memory: u64,
}

impl Ledger {
    /// With nothing drawn.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            sums: Arc::new(Sums {
                bounds,
                ..Sums::default()
            }),
            ..Self::default()
        }
    }

    /// The account of a host.
    pub fn account(&self, host: &str) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(host) {
            return Arc::clone(account);
        }
        let account = Arc::new(Account {
            sums: Arc::clone(&self.sums),
            free: AtomicU64::new(0),
        });
        accounts.insert(host.to_owned(), Arc::clone(&account));
        account
    }

    /// Bytes drawn of the limits: memory, file.
    pub fn drawn(&self) -> (u64, u64) {
        self.sums.sweep();
        let sum = |sum: &AtomicU64| sum.load(Ordering::Relaxed);
        (sum(&self.sums.memory), sum(&self.sums.disk))
    }

    /// How many pieces of texts are kept in memory for whoever reads on.
    #[cfg(test)]
    pub(super) fn pieces(&self) -> usize {
        self.sums.pool.pieces()
    }

    /// Tells whether anything of the accounts is left.
    #[cfg(test)]
    pub(super) fn alive(&self) -> impl Fn() -> bool + use<> {
        let sums = Arc::downgrade(&self.sums);
        move || sums.strong_count() > 0
    }
}

impl Sums {
    /// Gives back what was drawn for texts that nobody holds any more.
    fn sweep(&self) {
        self.in_hand().retain(|known| {
            let held = known.text.strong_count() > 0;
            if !held {
                self.memory.fetch_sub(known.memory, Ordering::Relaxed);
                if let Some(account) = known.account.upgrade() {
                    account.free.fetch_sub(known.free, Ordering::Relaxed);
                }
            }
            held
        });
    }

    fn in_hand(&self) -> MutexGuard<'_, Vec<InHand>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one host draws.
#[derive(Debug)]
pub struct Account {
    sums: Arc<Sums>,
    /// Drawn of what is free for the host.
    free: AtomicU64,
}

impl Account {
    /// Something that draws on this account, and has drawn nothing yet.
    pub(super) fn charge(self: &Arc<Self>) -> Charge {
        Charge {
            account: Arc::clone(self),
            free: 0,
            memory: 0,
            disk: 0,
        }
    }

    /// Draws for a value of so many bytes, until what is returned and its clones go.
    pub fn hold(self: &Arc<Self>, bytes: u64) -> Result<Held, Full> {
        let mut charge = self.charge();
        if charge.memory(bytes, Stay::Kept) {
            return Ok(Held {
                _charge: Arc::new(charge),
            });
        }
        Err(Full::Kept(self.sums.bounds.memory))
    }
}

/// What is drawn for a value.
#[derive(Debug, Clone)]
pub struct Held {
    _charge: Arc<Charge>,
}

/// How long something stays in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// As long as a result is kept. Half of the limit is left for what only passes, so that modules can
    /// work although a run has kept much, and for what is lost between the pieces of memory that are used.
    Kept,
    /// While a module or a template works on it.
    Passing,
}

/// What is drawn for one thing; given back when it goes.
#[derive(Debug)]
pub(super) struct Charge {
    account: Arc<Account>,
    free: u64,
    memory: u64,
    disk: u64,
}

impl Charge {
    pub(super) fn bounds(&self) -> Bounds {
        self.account.sums.bounds
    }

    /// Counts for `text` for as long as somebody holds it.
    pub(super) fn hold(mut self, text: &Arc<str>) {
        let held = InHand {
            text: Arc::downgrade(text),
            account: Arc::downgrade(&self.account),
            free: std::mem::take(&mut self.free),
            memory: std::mem::take(&mut self.memory),
        };
        self.account.sums.in_hand().push(held);
    }

    /// Gives back what was drawn for texts that nobody holds any more.
    pub(super) fn sweep(&self) {
        self.account.sums.sweep();
    }

    /// Another one that draws on the same account.
    pub(super) fn another(&self) -> Self {
        self.account.charge()
    }

    /// Draws for `bytes` more in memory; false, and nothing drawn, where there is no room.
    pub(super) fn memory(&mut self, bytes: u64, stay: Stay) -> bool {
        if self.try_memory(bytes, stay) {
            return true;
        }
        self.sweep();
        self.try_memory(bytes, stay)
    }

    fn try_memory(&mut self, bytes: u64, stay: Stay) -> bool {
        if draw(&self.account.free, bytes, FREE) {
            self.free += bytes;
            return true;
        }
        let sums = &self.account.sums;
        let limit = match stay {
            Stay::Kept => sums.bounds.memory / 2,
            Stay::Passing => sums.bounds.memory,
        };
        let drawn = draw(&sums.memory, bytes, limit);
        if drawn {
            self.memory += bytes;
        }
        drawn
    }

    /// The file.
    pub(super) fn pool(&self) -> &Pool {
        &self.account.sums.pool
    }

    /// Draws for `bytes` more in the file; false, and nothing drawn, where there is no room.
    pub(super) fn disk(&mut self, bytes: u64) -> bool {
        let sums = &self.account.sums;
        let drawn = draw(&sums.disk, bytes, sums.bounds.disk);
        if drawn {
            self.disk += bytes;
        }
        drawn
    }

    /// Gives back what was drawn for memory.
    pub(super) fn leave_memory(&mut self) {
        let sums = &self.account.sums;
        self.account.free.fetch_sub(self.free, Ordering::Relaxed);
        sums.memory.fetch_sub(self.memory, Ordering::Relaxed);
        (self.free, self.memory) = (0, 0);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.leave_memory();
        let disk = &self.account.sums.disk;
        disk.fetch_sub(self.disk, Ordering::Relaxed);
    }
}

fn draw(sum: &AtomicU64, bytes: u64, limit: u64) -> bool {
    let more = |sum: u64| sum.checked_add(bytes).filter(|sum| *sum <= limit);
    sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
        .is_ok()
}
