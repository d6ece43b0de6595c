//! How much of what hosts print a run keeps, and who has drawn how much of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::full::Full;
use super::pool::Pool;

/// What each host may keep in memory before it draws on the limit for all.
const FREE: u64 = 1 << 20;

/// How often whoever looks for room does so.
const LOOK: Duration = Duration::from_millis(100);
/// How often when nobody is known to be at work who would leave some: what is only rendered is soon over.
const LOOKS: u32 = 5;

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
    /// What of it is for what stays.
    kept: AtomicU64,
    disk: AtomicU64,
    /// Where texts go that are not kept in memory.
    pool: Pool,
    /// Texts that were read back from there, for as long as somebody holds them.
    in_hand: Mutex<Vec<InHand>>,
    /// How many tasks have large arguments at this time, and the news that one has them no more.
    passing: AtomicU64,
    passed: Notify,
    /// Whoever looks for room has this.
    turns: tokio::sync::Mutex<()>,
}

/// Which text it is: its number in the file, and how much of it.
pub(super) type TextId = (u64, u64);

/// A text that was read back, and what was drawn for it. It is let go of in [`Sums::sweep`], when nobody
/// else has it. To know it only weakly would not do: its memory would be there as long as somebody
/// knows it, uncounted. It knows its account only as long as others do: the account has the sums, and
/// these the text.
#[derive(Debug)]
struct InHand {
    id: TextId,
    text: Arc<str>,
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

    /// A turn to look for room for what passes: who finds none waits behind the others.
    pub async fn turn(&self) -> Turn<'_> {
        Turn {
            sums: &self.sums,
            looks: LOOKS,
            _alone: self.sums.turns.lock().await,
        }
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
    /// Lets go of texts that nobody else holds any more, and of what was drawn for them.
    fn sweep(&self) {
        self.in_hand().retain(|known| {
            let held = Arc::strong_count(&known.text) > 1;
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
            kept: 0,
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

    /// The same for what a task works on.
    pub fn pass(self: &Arc<Self>, bytes: u64) -> Result<Passing, Full> {
        let mut charge = self.charge();
        if charge.memory(bytes, Stay::Passing) {
            self.sums.passing.fetch_add(1, Ordering::Relaxed);
            return Ok(Passing(charge));
        }
        Err(Full::Memory(self.sums.bounds.memory))
    }
}

/// What is drawn for what a task works on.
#[derive(Debug)]
pub struct Passing(Charge);

/// The turn of one who looks for room.
#[derive(Debug)]
pub struct Turn<'a> {
    sums: &'a Sums,
    looks: u32,
    _alone: tokio::sync::MutexGuard<'a, ()>,
}

impl Turn<'_> {
    /// Waits until there may be more. False: nobody is at work who would leave some.
    pub async fn more(&mut self) -> bool {
        let passed = self.sums.passed.notified();
        if self.sums.passing.load(Ordering::Relaxed) == 0 {
            if self.looks == 0 {
                return false;
            }
            self.looks -= 1;
        }
        // It may be over, or others' renderings, without a word.
        let _ = tokio::time::timeout(LOOK, passed).await;
        true
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.leave_memory();
        let sums = &self.0.account.sums;
        sums.passing.fetch_sub(1, Ordering::Relaxed);
        sums.passed.notify_waiters();
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
    kept: u64,
    disk: u64,
}

impl Charge {
    pub(super) fn bounds(&self) -> Bounds {
        self.account.sums.bounds
    }

    /// Keeps `text`, and what was drawn, for as long as somebody else has it.
    pub(super) fn hold(mut self, id: TextId, text: &Arc<str>) {
        let held = InHand {
            id,
            text: Arc::clone(text),
            account: Arc::downgrade(&self.account),
            free: std::mem::take(&mut self.free),
            memory: std::mem::take(&mut self.memory),
        };
        self.account.sums.in_hand().push(held);
    }

    /// The text that was read back, if somebody still has it.
    pub(super) fn in_hand(&self, id: TextId) -> Option<Arc<str>> {
        self.sweep();
        let known = self.account.sums.in_hand();
        let known = known.iter().find(|known| known.id == id)?;
        Some(Arc::clone(&known.text))
    }

    /// Lets go of texts that nobody else holds any more, and of what was drawn for them.
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
        let kept = match stay {
            Stay::Kept => bytes,
            Stay::Passing => 0,
        };
        if !draw(&sums.kept, kept, sums.bounds.memory / 2) {
            return false;
        }
        if !draw(&sums.memory, bytes, sums.bounds.memory) {
            sums.kept.fetch_sub(kept, Ordering::Relaxed);
            return false;
        }
        self.memory += bytes;
        self.kept += kept;
        true
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

    /// Gives back `bytes` of what was drawn for memory.
    pub(super) fn less(&mut self, bytes: u64) {
        let memory = bytes.min(self.memory);
        let free = (bytes - memory).min(self.free);
        let sums = &self.account.sums;
        sums.memory.fetch_sub(memory, Ordering::Relaxed);
        self.account.free.fetch_sub(free, Ordering::Relaxed);
        self.memory -= memory;
        self.free -= free;
    }

    /// Gives back what was drawn for memory.
    pub(super) fn leave_memory(&mut self) {
        let sums = &self.account.sums;
        self.account.free.fetch_sub(self.free, Ordering::Relaxed);
        sums.memory.fetch_sub(self.memory, Ordering::Relaxed);
        sums.kept.fetch_sub(self.kept, Ordering::Relaxed);
        (self.free, self.memory, self.kept) = (0, 0, 0);
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
