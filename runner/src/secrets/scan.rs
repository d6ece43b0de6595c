//! Finds all forms of all secrets in texts, in time linear in the texts, however many secrets there are.

use std::ops::Range;

use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use super::decoding::{Bytes, Decoder, Decoding, decodings};
use super::forms::SecretForm;

/// Finds forms.
pub(super) struct Automaton {
    nfa: NFA,
    base64: Vec<bool>,
    least: Vec<usize>,
    longest: usize,
}

/// A place in texts that are read as one, to be redacted.
struct Found {
    range: Range<usize>,
    base64: bool,
}

impl Automaton {
    /// For these forms; nothing if they are too many for any automaton.
    pub(super) fn new(forms: &[SecretForm]) -> Option<Self> {
        let nfa = NFA::builder()
            .match_kind(MatchKind::Standard)
            .build(forms.iter().map(|form| &form.bytes))
            .ok()?;
        Some(Self {
            nfa,
            base64: forms.iter().map(|form| form.base64).collect(),
            least: forms.iter().map(|form| form.least).collect(),
            longest: forms.iter().map(|form| form.bytes.len()).max().unwrap_or(0),
        })
    }

    /// Adds the places in `texts`, read one after another as one, to `found`.
    fn find(&self, texts: &[impl AsRef<str>], decoding: Decoding, found: &mut Vec<Found>) {
        let Ok(mut state) = self.nfa.start_state(Anchored::No) else {
            return;
        };
        // Where the last bytes that were read began: a form begins at one of them.
        let mut begun = vec![0; self.longest.next_power_of_two()];
        let mask = begun.len() - 1;
        let (mut count, mut base) = (0_usize, 0);
        let mut decoder = Decoder::new(decoding);
        for text in texts {
            let text = text.as_ref();
            decoder.read(text, |byte, place| {
                begun[count & mask] = base + place.start;
                count += 1;
                state = self.nfa.next_state(Anchored::No, state, byte);
                if self.nfa.is_special(state) && self.nfa.is_match(state) {
                    for index in 0..self.nfa.match_len(state) {
                        let form = self.nfa.match_pattern(state, index);
                        let length = self.nfa.pattern_len(form);
                        let range = begun[(count - length) & mask]..base + place.end;
                        if range.len() >= self.least[form.as_usize()] {
                            found.push(Found {
                                range,
                                base64: self.base64[form.as_usize()],
                            });
                        }
                    }
                }
            });
            base += text.len();
        }
    }
}

/// The places of all forms in `texts`, which are read one after another as one: a text may be split over
/// several. A place may reach over several texts; none touches the next.
pub(super) fn places(automata: &[&Automaton], texts: &[impl AsRef<str>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for decoding in decodings(Bytes::of(texts.iter().map(AsRef::as_ref))) {
        for automaton in automata {
            automaton.find(texts, decoding, &mut found);
        }
    }
    let mut ranges = whole(found, texts);
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// With the characters of base64 at both ends that hold bits of the secret and of its neighbours.
fn whole(found: Vec<Found>, texts: &[impl AsRef<str>]) -> Vec<Range<usize>> {
    if !found.iter().any(|found| found.base64) {
        return found.into_iter().map(|found| found.range).collect();
    }
    let mut starts = Vec::with_capacity(texts.len());
    let mut length = 0;
    for text in texts {
        starts.push(length);
        length += text.as_ref().len();
    }
    let byte = |at: usize| {
        let index = starts
            .partition_point(|start| *start <= at)
            .checked_sub(1)?;
        texts[index]
            .as_ref()
            .as_bytes()
            .get(at - starts[index])
            .copied()
    };
    let digit = |at: usize| {
        byte(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
    };
    found
        .into_iter()
        .map(|Found { mut range, base64 }| {
            if base64 {
                if range.start > 0 && digit(range.start - 1) {
                    range.start -= 1;
                }
                if digit(range.end) {
                    range.end += 1;
                }
                while byte(range.end) == Some(b'=') {
                    range.end += 1;
                }
            }
            range
        })
        .collect()
}
