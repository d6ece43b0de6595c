//! Chance as Python has it: the same seed gives the same numbers as there (the Mersenne Twister), so
//! that `60 | random(seed=inventory_hostname)` keeps the minute it had under Ansible.

use sha2::{Digest, Sha512};

const SIZE: usize = 624;
const MIDDLE: usize = 397;

/// A source of numbers.
pub(super) struct Random {
    state: Box<[u32; SIZE]>,
    at: usize,
}

impl Random {
    /// Seeded with a whole number.
    pub(super) fn from_number(seed: u128) -> Self {
        let words: Vec<u32> = (0..4).map(|index| word(seed >> (32 * index))).collect();
        let used = words
            .iter()
            .rposition(|word| *word != 0)
            .map_or(1, |last| last + 1);
        Self::from_words(&words[..used])
    }

    /// Seeded with text.
    pub(super) fn from_text(seed: &str) -> Self {
        // The text followed by its digest, as one large number.
        let mut bytes = seed.as_bytes().to_vec();
        bytes.extend_from_slice(&Sha512::digest(seed.as_bytes()));
        bytes.reverse();
        let mut words: Vec<u32> = bytes
            .chunks(4)
            .map(|chunk| {
                chunk
                    .iter()
                    .rev()
                    .fold(0, |word, byte| word << 8 | u32::from(*byte))
            })
            .collect();
        while words.len() > 1 && words.last() == Some(&0) {
            words.pop();
        }
        Self::from_words(&words)
    }

    /// Seeded by the machine.
    pub(super) fn unpredictable() -> Self {
        Self::from_number(rand::random())
    }

    fn from_words(key: &[u32]) -> Self {
        let mut state = Box::new([0_u32; SIZE]);
        state[0] = 19_650_218;
        for index in 1..SIZE {
            state[index] = mixed(state[index - 1])
                .wrapping_mul(1_812_433_253)
                .wrapping_add(word(index as u128));
        }
        let (mut i, mut j) = (1, 0);
        for _ in 0..SIZE.max(key.len()) {
            state[i] = (state[i] ^ mixed(state[i - 1]).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(word(j as u128));
            i += 1;
            j = (j + 1) % key.len();
            if i == SIZE {
                state[0] = state[SIZE - 1];
                i = 1;
            }
        }
        for _ in 0..SIZE - 1 {
            state[i] = (state[i] ^ mixed(state[i - 1]).wrapping_mul(1_566_083_941))
                .wrapping_sub(word(i as u128));
            i += 1;
            if i == SIZE {
                state[0] = state[SIZE - 1];
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        Self { state, at: SIZE }
    }

    fn next(&mut self) -> u32 {
        if self.at >= SIZE {
            for index in 0..SIZE {
                let joined = (self.state[index] & 0x8000_0000)
                    | (self.state[(index + 1) % SIZE] & 0x7fff_ffff);
                let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[index] = self.state[(index + MIDDLE) % SIZE] ^ (joined >> 1) ^ twist;
            }
            self.at = 0;
        }
        let mut number = self.state[self.at];
        self.at += 1;
        number ^= number >> 11;
        number ^= (number << 7) & 0x9d2c_5680;
        number ^= (number << 15) & 0xefc6_0000;
        number ^ (number >> 18)
    }

    /// As many random bits as asked for, at most 64.
    fn bits(&mut self, count: u32) -> u64 {
        if count <= 32 {
            return u64::from(self.next() >> (32 - count));
        }
        let low = u64::from(self.next());
        let high = u64::from(self.next() >> (64 - count));
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

fn mixed(previous: u32) -> u32 {
    previous ^ (previous >> 30)
}

/// The lowest 32 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only the lowest bits are wanted"
)]
fn word(number: u128) -> u32 {
    number as u32
}
