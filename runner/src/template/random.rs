//! Chance as Python has it: the same seed gives the same numbers as there (the Mersenne Twister), so
//! that `60 | random(seed=inventory_hostname)` keeps the minute it had under Ansible.

use rand_mt::Mt;
use sha2::{Digest, Sha512};

/// A source of numbers.
pub(super) struct Random(Mt);

impl Random {
    /// Seeded with a whole number.
    pub(super) fn from_number(seed: u128) -> Self {
        Self::from_bytes(&seed.to_le_bytes())
    }

    /// Seeded with text.
    pub(super) fn from_text(seed: &str) -> Self {
        // The text followed by its digest, as one large number.
        let mut bytes = seed.as_bytes().to_vec();
        bytes.extend_from_slice(&Sha512::digest(seed.as_bytes()));
        bytes.reverse();
        Self::from_bytes(&bytes)
    }

    /// Seeded by the machine.
    pub(super) fn unpredictable() -> Self {
        Self::from_number(rand::random())
    }

    /// Seeded with the number that has these bytes, the lowest first, as Python does: its words without zeros at the end.
    fn from_bytes(bytes: &[u8]) -> Self {
        let words = bytes.chunks(4).map(|chunk| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_le_bytes(word)
        });
        let mut words: Vec<u32> = words.collect();
        while words.len() > 1 && words.last() == Some(&0) {
            words.pop();
        }
        Self(Mt::new_with_key(words))
    }

    /// As many random bits as asked for, at most 64.
    fn bits(&mut self, count: u32) -> u64 {
        if count <= 32 {
            return u64::from(self.0.next_u32() >> (32 - count));
        }
        let low = u64::from(self.0.next_u32());
        let high = u64::from(self.0.next_u32() >> (64 - count));
        high << 32 | low
    }

    /// A number from 0 up to, but not, `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let count = 64 - limit.leading_zeros();
        loop {
            let number = self.bits(count);
            if number < limit {
                return number;
            }
        }
    }
}
