//! Takes what a program prints, piece by piece.

use std::borrow::Cow;
use std::sync::Arc;

use super::account::{Account, Charge, Stay};
use super::full::Full;
use super::printed::Printed;
use super::spilled::Spilled;

/// What is longer than this goes to a file though there is room in memory: it is seldom looked at, and
/// to move it in memory would need as much again.
const LARGE: usize = 256 << 10;

/// Takes what a program prints, within the host's account.
#[derive(Debug)]
pub struct Writer {
    stay: Stay,
    taken: Taken,
}

/// What was taken until now.
#[derive(Debug)]
enum Taken {
    Memory(Vec<u8>, Charge),
    File(Spilled, Decoder),
}

impl Writer {
    /// For what is kept as text: what does not fit into memory goes to a file.
    pub fn keeping(account: &Arc<Account>) -> Self {
        Self::new(account, Stay::Kept)
    }

    /// For an answer that a module reads: it fits into memory, or it is refused.
    pub fn passing(account: &Arc<Account>) -> Self {
        Self::new(account, Stay::Passing)
    }

    fn new(account: &Arc<Account>, stay: Stay) -> Self {
        Self {
            stay,
            taken: Taken::Memory(Vec::new(), account.charge()),
        }
    }

    /// Takes more bytes. After an error it is of no more use than to be finished.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if let Taken::Memory(memory, charge) = &mut self.taken {
            let fits = self.stay == Stay::Passing || memory.len() + bytes.len() <= LARGE;
            if fits && charge.memory(bytes.len() as u64, self.stay) {
                memory.extend_from_slice(bytes);
                return Ok(());
            }
            if self.stay == Stay::Passing {
                return Err(Full::Memory(charge.bounds().memory));
            }
            self.spill()?;
        }
        self.append(bytes)
    }

    /// From now on all goes to a file, beginning with what is there.
    pub(super) fn spill(&mut self) -> Result<(), Full> {
        let Taken::Memory(memory, charge) = &mut self.taken else {
            return Ok(());
        };
        charge.leave_memory();
        let spilled = Spilled::new(charge.another());
        let begin = std::mem::take(memory);
        self.taken = Taken::File(spilled, Decoder::default());
        self.append(&begin)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let Taken::File(spilled, decoder) = &mut self.taken else {
            return Ok(());
        };
        let text = decoder.decode(bytes);
        add(spilled, &text)
    }

    /// All that was taken.
    pub fn finish(mut self) -> Result<Printed, Full> {
        if self.stay == Stay::Kept {
            self.make_text()?;
        }
        match self.taken {
            Taken::Memory(mut memory, charge) => {
                memory.shrink_to_fit();
                Ok(Printed::charged(memory, charge))
            }
            Taken::File(mut spilled, mut decoder) => {
                add(&mut spilled, decoder.end().as_bytes())?;
                Ok(Printed::spilled(spilled))
            }
        }
    }
}

/// Adds text to what is in the file.
fn add(spilled: &mut Spilled, text: &[u8]) -> Result<(), Full> {
    if !spilled.charge.disk(text.len() as u64) {
        return Err(Full::Disk(spilled.charge.bounds().disk));
    }
    // A piece is small, and goes no further than the page cache as a rule: not worth a thread.
    spilled
        .append(text)
        .map_err(|error| Full::File(error.to_string()))
}

impl Writer {
    /// Replaces bytes that are no UTF-8, which may make three times as much of them.
    fn make_text(&mut self) -> Result<(), Full> {
        let Taken::Memory(memory, charge) = &mut self.taken else {
            return Ok(());
        };
        let text = match String::from_utf8_lossy(memory) {
            Cow::Borrowed(_) => return Ok(()),
            Cow::Owned(text) => text,
        };
        let more = (text.len() as u64).saturating_sub(memory.len() as u64);
        *memory = text.into_bytes();
        if charge.memory(more, self.stay) {
            return Ok(());
        }
        self.spill()
    }
}

/// Makes text of bytes that come in pieces, as [`String::from_utf8_lossy`] does of all at once.
#[derive(Debug, Default)]
struct Decoder {
    /// The beginning of a character.
    held: Vec<u8>,
}

impl Decoder {
    fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes_with_held = std::mem::take(&mut self.held);
        bytes_with_held.extend_from_slice(bytes);
        let mut rest = bytes_with_held.as_slice();
        let mut text = Vec::with_capacity(rest.len());
        while let Err(error) = std::str::from_utf8(rest) {
            let (good, bad) = rest.split_at(error.valid_up_to());
            text.extend_from_slice(good);
            let Some(length) = error.error_len() else {
                self.held = bad.to_vec();
                return text;
            };
            text.extend_from_slice(REPLACEMENT.as_bytes());
            rest = &bad[length..];
        }
        text.extend_from_slice(rest);
        text
    }

    fn end(&mut self) -> &'static str {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() { "" } else { REPLACEMENT }
    }
}

const REPLACEMENT: &str = "\u{fffd}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Bounds, Ledger};

    fn ledger(memory: u64, disk: u64) -> Ledger {
        Ledger::new(Bounds { memory, disk })
    }

    fn written(account: &Arc<Account>, bytes: &[u8]) -> Result<Printed, Full> {
        let mut writer = Writer::keeping(account);
        for piece in bytes.chunks(1000) {
            writer.push(piece)?;
        }
        writer.finish()
    }

    #[test]
    fn a_host_has_something_free_then_draws_on_the_limit_for_all_then_goes_to_a_file() {
        const PIECE: usize = 256 << 10;
        let ledger = ledger(2 << 20, 100 << 20);
        let accounts = [ledger.account("h"), ledger.account("i")];
        let piece = vec![b'x'; PIECE];
        let mut kept = Vec::new();
        for account in [&accounts[0], &accounts[1]].repeat(4) {
            kept.push(written(account, &piece).unwrap());
        }
        assert_eq!(ledger.drawn(), (0, 0));
        // Half of the limit is for what passes.
        for account in [&accounts[0], &accounts[1]].repeat(2) {
            kept.push(written(account, &piece).unwrap());
        }
        assert_eq!(ledger.drawn(), (1 << 20, 0));
        assert!(kept.iter().all(|printed| printed.in_memory().is_some()));
        let spilled = written(&accounts[1], &piece).unwrap();
        assert!(spilled.in_memory().is_none());
        assert_eq!(ledger.drawn(), (1 << 20, PIECE as u64));
        drop(kept);
        assert_eq!(spilled.transcript(false).whole().unwrap().len(), PIECE);
        assert_eq!(ledger.drawn(), (0, 0));
    }

    #[test]
    fn memory_of_texts_that_nobody_holds_any_more_is_there_for_whatever_comes_next() {
        let ledger = ledger(4 << 20, 100 << 20);
        let account = ledger.account("h");
        let text = written(&account, &vec![b'x'; 2 << 20]).unwrap();
        let text = text.transcript(false);
        let taken: Vec<_> = (0..4).map(|_| account.hold(256 << 10).unwrap()).collect();
        drop(text.whole().unwrap());
        let mut answer = Writer::passing(&account);
        answer.push(&vec![b'x'; 3 << 20]).unwrap();
        drop(answer);
        drop(text.whole().unwrap());
        account.hold(2 << 20).unwrap();
        drop(taken);
    }

    /// Its memory would stay as long as anybody knows it, even weakly.
    #[test]
    fn a_text_that_was_read_back_is_shared_while_it_is_used_and_then_let_go_of() {
        let ledger = ledger(4 << 20, 100 << 20);
        let account = ledger.account("h");
        let text = written(&account, &vec![b'x'; 2 << 20]).unwrap();
        let text = text.transcript(false);
        let whole = text.whole().unwrap();
        assert!(Arc::ptr_eq(&whole, &text.whole().unwrap()));
        assert_eq!(ledger.drawn().0, 2 << 20);
        let known = Arc::downgrade(&whole);
        drop(whole);
        assert_eq!(ledger.drawn().0, 0);
        assert_eq!((known.strong_count(), known.weak_count()), (0, 0));
    }

    #[test]
    fn what_passes_takes_nothing_of_what_may_stay() {
        let ledger = ledger(4 << 20, 0);
        let account = ledger.account("h");
        let passing = account.pass(2 << 20).unwrap();
        let held = account.hold(2 << 20).unwrap();
        assert!(account.hold(2 << 20).is_err() && account.pass(2 << 20).is_err());
        drop((passing, held));
        assert_eq!(ledger.drawn().0, 0);
        account.hold(2 << 20).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_looks_for_room_waits_as_long_as_somebody_else_may_leave_some() {
        let ledger = ledger(4 << 20, 0);
        let account = ledger.account("h");
        let passing = account.pass(4 << 20).unwrap();
        let mut turn = ledger.turn().await;
        for _ in 0..100 {
            assert!(turn.more().await);
        }
        drop(passing);
        let mut looks = 0;
        while turn.more().await {
            looks += 1;
        }
        assert!((1..10).contains(&looks), "{looks}");
    }

    #[test]
    fn what_is_to_stay_names_the_part_of_the_limit_that_it_may_take() {
        let ledger = ledger(4 << 20, 0);
        let error = ledger.account("h").hold(3 << 20).unwrap_err();
        assert!(error.to_string().contains("2 MiB of 4 MiB"), "{error}");
    }

    #[test]
    fn the_file_is_closed_when_a_run_is_over_though_texts_were_read_back() {
        let ledger = ledger(1 << 20, 100 << 20);
        let account = ledger.account("h");
        let text = written(&account, &vec![b'x'; 300 << 10]).unwrap();
        let text = text.transcript(false);
        let whole = text.whole().unwrap();
        let alive = ledger.alive();
        drop((ledger, account, text, whole));
        assert!(!alive());
    }

    #[test]
    fn lines_of_many_texts_in_the_file_share_few_pieces_in_memory() {
        let ledger = ledger(0, 100 << 20);
        let account = ledger.account("h");
        let texts: Vec<_> = (b' '..b'~')
            .map(|byte| written(&account, &[&[byte; 100][..], b"\n"].concat().repeat(2000)))
            .map(|text| text.unwrap().transcript(false))
            .collect();
        for line in [3, 2, 900, 1999] {
            for (text, byte) in texts.iter().zip(' '..) {
                let expected = byte.to_string().repeat(100);
                assert_eq!(text.lines().get(line).unwrap(), Some(expected));
            }
        }
        assert!(ledger.pieces() <= 16, "{}", ledger.pieces());
    }

    #[test]
    fn texts_in_the_file_do_not_get_into_each_others_way_and_blocks_are_used_again() {
        let ledger = ledger(0, 100 << 20);
        let account = ledger.account("h");
        for _ in 0..3 {
            let mut writers: Vec<Writer> = (0..5).map(|_| Writer::keeping(&account)).collect();
            for _ in 0..900 {
                for (writer, byte) in writers.iter_mut().zip(b'a'..) {
                    writer.push(&[byte; 1000]).unwrap();
                }
            }
            for (writer, byte) in writers.into_iter().zip('a'..) {
                let transcript = writer.finish().unwrap().transcript(false);
                let all = byte.to_string().repeat(900_000);
                assert_eq!(transcript.slice(0, 900_000).unwrap(), all);
            }
        }
        let mut writer = Writer::keeping(&account);
        writer.push(&vec![b'x'; 2 << 20]).unwrap();
        let Taken::File(spilled, _) = &writer.taken else {
            panic!("it is large");
        };
        // Five texts at a time had four blocks each.
        assert!(spilled.charge.pool().take().unwrap() < 20);
    }

    #[test]
    fn what_is_more_than_both_limits_is_refused_and_all_is_given_back() {
        let ledger = ledger(1 << 20, 1 << 20);
        let account = ledger.account("h");
        let refused = written(&account, &vec![b'x'; 4 << 20]).unwrap_err();
        assert_eq!(refused, Full::Disk(1 << 20));
        assert_eq!(
            refused.to_string(),
            "the results of this run have used up the room on disk that they may take (1 MiB)"
        );
        assert_eq!(ledger.drawn(), (0, 0));
    }

    #[test]
    fn an_answer_for_a_module_never_goes_to_a_file() {
        let ledger = ledger(1 << 20, 100 << 20);
        let account = ledger.account("h");
        let mut writer = Writer::passing(&account);
        writer.push(&vec![b'x'; 1 << 20]).unwrap();
        writer.push(&vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(writer.push(b"x"), Err(Full::Memory(1 << 20)));
        assert!(writer.finish().unwrap().in_memory().is_some());
        assert_eq!(ledger.drawn(), (0, 0));
    }

    #[test]
    fn text_in_a_file_is_what_it_would_be_in_memory_however_it_is_cut() {
        let mut bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
        bytes.extend("äöü€🦀".repeat(3).as_bytes());
        bytes.extend(b"\xf0\x9f\xa6 \xe2\x82");
        let whole = String::from_utf8_lossy(&bytes);
        for size in [1, 2, 3, 5, 7, 999] {
            let mut writer = Writer::keeping(&ledger(0, 1 << 20).account("h"));
            writer.spill().unwrap();
            for piece in bytes.chunks(size) {
                writer.push(piece).unwrap();
            }
            let text = writer.finish().unwrap().transcript(false).whole().unwrap();
            assert_eq!(*text, *whole, "in pieces of {size}");
        }
    }
}
