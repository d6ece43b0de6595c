//! The secrets of a run.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use windlass_modules::Secret;

use super::decoding::{Bytes, Decoder, decodings};
use super::forms::{SHORTEST, SecretForm, forms};
use super::learned;
use super::scan::{Automaton, places};

/// What stands where a secret stood.
pub const REDACTED: &str = "********";

/// How many secrets a host can mark, and how many texts of its `no_log` results count: it may be hostile,
/// and each costs.
pub(super) const OF_HOST: usize = 64;
/// How many bytes of a host's `no_log` results count, and of all of them in a run.
const LEARNED_OF_HOST: usize = 4096;
const LEARNED: usize = 256 * 1024;
/// So many bytes of a secret at the end of a line may be its beginning.
const BEGINNING: usize = 4;
/// Bytes of forms that are searched apart, so that a new secret does not cost as much as all.
const FEW: usize = 16 * 1024;

/// What must appear in no output of a run. Cheap to clone: all clones are the same.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Whether there are any: most runs have none.
    some: AtomicBool,
    /// How often texts were searched.
    #[cfg(test)]
    searched: std::sync::atomic::AtomicUsize,
    /// The one lock around state of a run, and on purpose: a secret has to be known before anything else is
    /// done with it, by whoever reads it first. A message to one owner would leave a time in which it is read
    /// and not known (docs/decisions/one-owner.md). It is only ever added to.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    texts: HashSet<Secret>,
    /// Whether one of them could be read as a number.
    numbers: bool,
    /// The many that are known for long, and the few that are new.
    old: Tier,
    new: Tier,
    hosts: HashMap<String, Host>,
    learned: usize,
}

/// What a host has added.
#[derive(Default)]
struct Host {
    marked: HashSet<Secret>,
    learned: usize,
    bytes: usize,
}

/// Forms that are searched together.
#[derive(Default)]
struct Tier {
    forms: Vec<SecretForm>,
    /// Which of them begin so.
    beginnings: HashMap<[u8; BEGINNING], Vec<usize>>,
    bytes: usize,
    built: Option<Arc<Automaton>>,
}

impl Tier {
    fn add(&mut self, more: Vec<SecretForm>) {
        for form in more {
            self.bytes += form.bytes.len();
            if let Some(beginning) = form.bytes.first_chunk() {
                let known = self.beginnings.entry(*beginning).or_default();
                known.push(self.forms.len());
            }
            self.forms.push(form);
        }
        self.built = None;
    }

    /// Whether `bytes` are the beginning of a form that goes on.
    fn goes_on(&self, bytes: &[u8]) -> bool {
        let beginning = bytes.first_chunk();
        let forms = beginning.and_then(|beginning| self.beginnings.get(beginning));
        forms.into_iter().flatten().any(|form| {
            let form = &self.forms[*form].bytes;
            form.len() > bytes.len() && form.starts_with(bytes)
        })
    }

    /// The automaton; an error if there can be none.
    fn automaton(&mut self) -> Result<Option<Arc<Automaton>>, TooMany> {
        if self.built.is_none() && !self.forms.is_empty() {
            self.built = Some(Arc::new(Automaton::new(&self.forms).ok_or(TooMany)?));
        }
        Ok(self.built.clone())
    }
}

struct TooMany;

impl Known {
    fn add(&mut self, secret: &Secret) -> bool {
        if secret.expose().trim().len() < SHORTEST || !self.texts.insert(secret.clone()) {
            return false;
        }
        self.numbers |= secret.expose().trim().parse::<f64>().is_ok();
        self.new.add(forms(secret));
        if self.new.bytes > FEW.max(self.old.bytes / 4) {
            let new = std::mem::take(&mut self.new);
            self.old.add(new.forms);
        }
        true
    }

    fn automata(&mut self) -> Result<Vec<Arc<Automaton>>, TooMany> {
        let tiers = [self.old.automaton()?, self.new.automaton()?];
        Ok(tiers.into_iter().flatten().collect())
    }
}

impl Secrets {
    /// How often texts were searched.
    #[cfg(test)]
    pub(crate) fn searched(&self) -> usize {
        self.0.searched.load(Ordering::Relaxed)
    }

    /// All places of all secrets.
    fn places(&self, texts: &[impl AsRef<str>]) -> Result<Vec<Range<usize>>, TooMany> {
        #[cfg(test)]
        self.0.searched.fetch_add(1, Ordering::Relaxed);
        let automata = self.change(Known::automata)?;
        let automata: Vec<&Automaton> = automata.iter().map(AsRef::as_ref).collect();
        Ok(places(&automata, texts))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut known);
        self.0
            .some
            .store(!known.texts.is_empty(), Ordering::Release);
        result
    }

    /// Blots out `secret`, and each line of it, in all forms, from now on. Texts of less than six bytes are
    /// not: they would turn up in ordinary words.
    pub fn add(&self, secret: &Secret) {
        self.change(|known| known.add(secret));
    }

    /// Like [`Secrets::add`] for what a task on `host` marked. False if the host has marked too many, which
    /// only a hostile one does: then what the task says must not be shown at all.
    #[must_use]
    pub fn mark(&self, host: &str, secret: &Secret) -> bool {
        self.change(|known| {
            let own = known.hosts.entry(host.to_owned()).or_default();
            if own.marked.len() >= OF_HOST && !own.marked.contains(secret) {
                return false;
            }
            own.marked.insert(secret.clone());
            known.add(secret);
            true
        })
    }

    /// Takes from a `no_log` result of `host` what has a secret's form (`docs/security.md` has the rule) and
    /// is no name for which `is_name` is true.
    pub fn learn(&self, host: &str, data: &Map<String, Value>, is_name: impl Fn(&str) -> bool) {
        let found = learned::secrets(data, is_name);
        if found.is_empty() {
            return;
        }
        self.change(|known| {
            for secret in found {
                let length = secret.expose().len();
                let own = known.hosts.entry(host.to_owned()).or_default();
                if known.texts.contains(&secret)
                    || own.learned >= OF_HOST
                    || own.bytes + length > LEARNED_OF_HOST
                    || known.learned + length > LEARNED
                {
                    continue;
                }
                own.learned += 1;
                own.bytes += length;
                known.learned += length;
                known.add(&secret);
            }
        });
    }

    /// Blots out all secrets in `text`.
    pub fn hide(&self, text: &mut String) {
        self.hide_all(&mut [text]);
    }

    /// Blots out all secrets in `texts`. They are read one after another as one, so that a secret is found
    /// of which one text has the beginning and the next the end.
    pub fn hide_all(&self, texts: &mut [&mut String]) {
        if !self.0.some.load(Ordering::Acquire) || texts.is_empty() {
            return;
        }
        let Ok(places) = self.places(texts) else {
            // What cannot be searched is not shown.
            for text in texts {
                REDACTED.clone_into(text);
            }
            return;
        };
        redact(texts, &places);
    }

    /// Blots out all secrets in `text`, which stays as long as it is: places in it do not move.
    pub fn mask(&self, text: &mut String) {
        if self.is_empty() {
            return;
        }
        let whole = std::iter::once(0..text.len()).collect();
        for place in self.places(&[&*text]).unwrap_or(whole) {
            let start = (0..=place.start)
                .rev()
                .find(|at| text.is_char_boundary(*at));
            let mut ends = place.end..=text.len();
            let end = ends.find(|at| text.is_char_boundary(*at));
            let (start, end) = (start.unwrap_or(0), end.unwrap_or(text.len()));
            // Lines stay lines.
            let stars = text[start..end].bytes();
            let stars = stars.map(|byte| if byte == b'\n' { '\n' } else { '*' });
            let stars: String = stars.collect();
            text.replace_range(start..end, &stars);
        }
    }

    /// Whether there is a secret in `texts`, which are read one after another as one.
    pub fn within(&self, texts: &[&str]) -> bool {
        if !self.0.some.load(Ordering::Acquire) || texts.is_empty() {
            return false;
        }
        self.places(texts).map_or(true, |places| !places.is_empty())
    }

    /// How many bytes at the end of `text` may be the beginning of a secret, in any form, that goes on in what
    /// has not come yet; few are not counted.
    pub fn beginning(&self, text: &str) -> usize {
        let begins = decodings(Bytes::of([text])).filter_map(|decoding| {
            let (mut bytes, mut places) = (Vec::new(), Vec::new());
            Decoder::new(decoding).read(text, |byte, place| {
                bytes.push(byte);
                places.push(place.start);
            });
            // The last escape may be half of one.
            let escape = text.rfind(['%', '\\']);
            let escape = escape.map_or(text.len(), |at| text[..at].trim_end_matches('\\').len());
            let whole = places.partition_point(|place| *place < escape);
            let begin = self.change(|known| {
                let goes_on = |bytes: &[u8]| known.old.goes_on(bytes) || known.new.goes_on(bytes);
                (0..bytes.len())
                    .find(|at| goes_on(&bytes[*at..]) || *at < whole && goes_on(&bytes[*at..whole]))
            });
            begin.map(|begin| places[begin])
        });
        let begin = begins.min().unwrap_or(text.len());
        (0..=begin)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .map_or(0, |begin| text.len() - begin)
    }

    /// How many bytes the longest secret may take in a text: each of its own as `\u0041`.
    pub fn longest(&self) -> usize {
        const ESCAPE: usize = 6;
        let longest = |known: &mut Known| {
            let lengths = known.texts.iter().map(|secret| secret.expose().len());
            lengths.max().unwrap_or(0)
        };
        ESCAPE * self.change(longest)
    }

    /// Whether a secret may be a number.
    pub fn has_numbers(&self) -> bool {
        self.change(|known| known.numbers)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        !self.0.some.load(Ordering::Acquire)
    }
}

/// Puts [`REDACTED`] where the places are, in each text that they touch.
fn redact(texts: &mut [&mut String], places: &[Range<usize>]) {
    let mut places = places.iter().peekable();
    let mut base = 0;
    for text in texts {
        let length = text.len();
        let mut clean = String::new();
        let mut kept = 0;
        while let Some(place) = places.peek() {
            if place.start >= base + length {
                break;
            }
            let start = place.start.saturating_sub(base);
            let start = (0..=start)
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0);
            let end = (place.end - base).min(length);
            let end = (end..=length)
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(length);
            clean.push_str(&text[kept..start.max(kept)]);
            clean.push_str(REDACTED);
            kept = end;
            if place.end > base + length {
                break;
            }
            places.next();
        }
        if kept > 0 {
            clean.push_str(&text[kept..]);
            **text = clean;
        }
        base += length;
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}
