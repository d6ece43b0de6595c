//! A map into which things are put once, by whoever holds it, and from which nothing is taken.
//!
//! It is what a view remembers of its own work: a snapshot does not change, so what was found out in it
//! once stays so, whoever found it out. Nothing waits here: of two that put the same name in at once, one
//! is first, and both get what that one put in.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{LazyLock, OnceLock};

/// How many bits of a hash tell the way on from an entry.
const BITS: u32 = 2;
/// How many ways that are.
const WAYS: usize = 1 << BITS;

/// Names that nodes choose are among the keys: their places must not be for them to choose.
static PLACES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The map: a tree whose next branch is told by the next bits of a key's hash.
pub(super) struct OnceMap<V>(Slot<V>);

type Slot<V> = OnceLock<Box<Entry<V>>>;

struct Entry<V> {
    key: Box<str>,
    value: V,
    below: [Slot<V>; WAYS],
}

impl<V> fmt::Debug for OnceMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_struct("OnceMap").finish_non_exhaustive()
    }
}

impl<V> Default for OnceMap<V> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<V> OnceMap<V> {
    /// What is there under `key`.
    pub(super) fn get(&self, key: &str) -> Option<&V> {
        let mut way = None;
        let mut slot = &self.0;
        while let Some(entry) = slot.get() {
            if *entry.key == *key {
                return Some(&entry.value);
            }
            // Most maps have few entries, and need no hash.
            slot = &entry.below[way.get_or_insert_with(|| Way::of(key)).next()];
        }
        None
    }

    /// Puts a value in, unless there is one already. Gives what is there now.
    pub(super) fn put(&self, key: &str, value: V) -> &V {
        let mut way = None;
        let mut slot = &self.0;
        let mut new = Some(Box::new(Entry {
            key: key.into(),
            value,
            below: std::array::from_fn(|_| OnceLock::new()),
        }));
        loop {
            if let Some(entry) = new.take_if(|_| slot.get().is_none()) {
                // It comes back where somebody else was faster.
                new = slot.set(entry).err();
            }
            if let Some(entry) = slot.get() {
                if *entry.key == *key {
                    return &entry.value;
                }
                slot = &entry.below[way.get_or_insert_with(|| Way::of(key)).next()];
            }
        }
    }
}

/// Which way leads on, step by step.
struct Way(u64);

impl Way {
    fn of(key: &str) -> Self {
        let mut hasher = PLACES.build_hasher();
        hasher.write(key.as_bytes());
        Self(hasher.finish())
    }

    fn next(&mut self) -> usize {
        // The bits go round: with far more entries than bits, branches repeat, and nothing is lost.
        self.0 = self.0.rotate_right(BITS);
        usize::from(self.0.to_le_bytes()[0]) % WAYS
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::OnceMap;

    #[test]
    fn what_was_put_in_first_stays() {
        let map = OnceMap::default();
        assert_eq!(map.get("a"), None);
        assert_eq!(*map.put("a", 1), 1);
        assert_eq!(*map.put("a", 2), 1);
        assert_eq!(map.get("a"), Some(&1));
        assert_eq!(map.get("b"), None);
    }

    #[test]
    fn thousands_are_found_again_by_all_threads() {
        let map = OnceMap::default();
        thread::scope(|scope| {
            for by in 0..4_u32 {
                let map = &map;
                scope.spawn(move || {
                    for key in 0..5000_u32 {
                        map.put(&key.to_string(), (by, key));
                    }
                });
            }
        });
        for key in 0..5000_u32 {
            assert_eq!(
                map.get(&key.to_string()).map(|(_, found)| *found),
                Some(key)
            );
        }
        assert!(map.get("5000").is_none());
    }
}
