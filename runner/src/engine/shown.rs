//! What reports see of a result: bounded, whatever a host printed.
//!
//! Secrets are redacted in all events later; of a text that is cut they are before, so that none
//! survives in half at the cut. What is left out is said at the end of the text; whoever registers the
//! result has all of it.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::{Map, Value as Json};
use windlass_modules::Difference;
use windlass_modules::transcript::{Account, Held, Transcript};

use super::data::{Data, DataEntry};
use crate::secrets::Secrets;
use crate::template;

/// The most bytes of one text.
pub(crate) const TEXT: usize = 256 << 10;
/// The most lines of one text.
const LINES: usize = 1 << 14;
/// The most bytes of a message, a hint, a warning, or a line while a task runs.
const SENTENCE: usize = 16 << 10;
/// The most bytes of all that a result shows.
const ALL: usize = 4 << 20;
/// What each value counts for beside its text.
const NODE: usize = 64;
/// The most bytes of one side of a difference, and of all of a task on a host.
const DIFFERENCE: usize = 1 << 20;
const DIFFERENCES: usize = 8 << 20;
/// Shorter ones are not worth an account.
const FREE_DIFFERENCES: u64 = 64 << 10;
/// Nesting beyond this is not shown.
const DEEPEST: usize = 128;

/// Shows one result.
pub(crate) struct Shown<'a> {
    secrets: &'a Secrets,
    left: usize,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(secrets: &'a Secrets) -> Self {
        Self { secrets, left: ALL }
    }

    /// The data of a result.
    pub(crate) fn data(&mut self, data: &Data) -> Json {
        self.entries(data, 0)
    }

    /// A value beside a result: the item of a loop.
    pub(crate) fn value(&mut self, value: &Value) -> Json {
        self.convert(value, 0)
    }

    fn entries(&mut self, data: &Data, depth: usize) -> Json {
        let mut shown = Map::new();
        for (name, entry) in data.entries() {
            let value = match entry {
                DataEntry::Value(value) => self.convert(value, depth + 1),
                DataEntry::Text(text) => self.transcript(text).into(),
                DataEntry::Lines(text) => self.lines(text),
            };
            shown.insert(name.to_owned(), value);
        }
        shown.into()
    }

    fn convert(&mut self, value: &Value, depth: usize) -> Json {
        self.left = self.left.saturating_sub(NODE);
        if depth > DEEPEST {
            return Json::Null;
        }
        if let Some(data) = Data::of_value(value) {
            return self.entries(data, depth);
        }
        if let Some(text) = template::kept::text_of_lines(value) {
            return self.lines(text);
        }
        match value.kind() {
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                let head = head(text, self.reach());
                self.cut(head.to_owned(), text.len()).into()
            }
            ValueKind::Seq | ValueKind::Iterable => self.sequence(value, depth),
            ValueKind::Map => self.mapping(value, depth),
            _ => template::to_json(value),
        }
    }

    fn sequence(&mut self, value: &Value, depth: usize) -> Json {
        let mut shown = Vec::new();
        let mut items = value.try_iter().into_iter().flatten();
        for item in items.by_ref() {
            if template::is_omit(&item) {
                continue;
            }
            if self.left == 0 {
                shown.push(format!("[{} more are not shown]", items.count() + 1).into());
                break;
            }
            shown.push(self.convert(&item, depth + 1));
        }
        shown.into()
    }

    fn mapping(&mut self, value: &Value, depth: usize) -> Json {
        let mut shown = Map::new();
        let mut keys = value.try_iter().into_iter().flatten();
        for key in keys.by_ref() {
            let member = value.get_item(&key).unwrap_or_default();
            if template::is_omit(&member) {
                continue;
            }
            let name = template::key_text(&key);
            if self.left < name.len() {
                let more = format!("[{} more are not shown]", keys.count() + 1);
                shown.insert("...".to_owned(), more.into());
                break;
            }
            self.left -= name.len();
            shown.insert(name, self.convert(&member, depth + 1));
        }
        shown.into()
    }

    /// How much of a text is looked at: what is shown of it, and as much again, so that secrets that
    /// begin in the first half are whole.
    fn reach(&self) -> usize {
        2 * TEXT.min(self.left)
    }

    fn transcript(&mut self, text: &Transcript) -> String {
        let length = usize::try_from(text.len()).unwrap_or(usize::MAX);
        let head = text.head(self.reach() as u64);
        self.cut(head, length)
    }

    fn lines(&mut self, text: &Transcript) -> Json {
        let shown = self.transcript(text);
        let lines: Vec<Json> = shown.lines().map(Json::from).collect();
        self.left = self.left.saturating_sub(lines.len() * NODE);
        lines.into()
    }

    /// What is shown of a text of `length` bytes that begins with `head`.
    fn cut(&mut self, head: String, length: usize) -> String {
        let text = cut(head, length, TEXT.min(self.left), self.secrets);
        self.left = self.left.saturating_sub(text.len());
        text
    }
}

/// A message, a hint or a warning, as much of it as anybody is told of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sentence {
    head: String,
    /// Of all of it, in bytes.
    length: usize,
}

impl Sentence {
    /// The same after other words.
    pub(crate) fn after(&self, words: &str) -> Self {
        Self {
            head: [words, &self.head].concat(),
            length: words.len() + self.length,
        }
    }

    /// The text, without secrets.
    pub(crate) fn shown(&self, secrets: &Secrets) -> String {
        cut(self.head.clone(), self.length, SENTENCE, secrets)
    }
}

impl<T: AsRef<str>> From<T> for Sentence {
    fn from(text: T) -> Self {
        let text = text.as_ref();
        Self {
            head: head(text, 2 * SENTENCE).to_owned(),
            length: text.len(),
        }
    }
}

/// A hint or a warning.
pub(crate) fn sentence(text: &str, secrets: &Secrets) -> String {
    Sentence::from(text).shown(secrets)
}

/// The differences that are kept of a task's: those that somebody could read, as far as there is room for
/// them; and what is drawn for them.
pub(crate) fn differences(
    differences: Vec<Difference>,
    account: &Arc<Account>,
) -> (Vec<Difference>, Option<Held>) {
    let kept = readable(differences, DIFFERENCES);
    let sides = kept.iter().map(|one| one.before.len() + one.after.len());
    let weight = sides.sum::<usize>() as u64;
    if weight <= FREE_DIFFERENCES {
        return (kept, None);
    }
    match account.hold(weight) {
        Ok(held) => (kept, Some(held)),
        Err(_) => (readable(kept, 0), None),
    }
}

/// Those that are short enough, `left` bytes in all; of the others their sizes.
fn readable(differences: Vec<Difference>, mut left: usize) -> Vec<Difference> {
    differences
        .into_iter()
        .map(|difference| {
            let sizes = [difference.before.len(), difference.after.len()];
            let all: usize = sizes.iter().sum();
            if sizes.iter().all(|size| *size <= DIFFERENCE) && all <= left {
                left -= all;
                return difference;
            }
            let [before, after] = sizes.map(|size| format!("[{size} bytes, too many to show]\n"));
            Difference {
                before,
                after,
                ..difference
            }
        })
        .collect()
}

/// The beginning of a text, cut between two characters.
pub(crate) fn head(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// `text`, the beginning of one of `length` bytes, without secrets, and `limit` bytes of it at most.
fn cut(mut text: String, length: usize, limit: usize, secrets: &Secrets) -> String {
    let looked_at = text.len();
    secrets.hide(&mut text);
    let mut end = limit.min(text.len());
    if looked_at < length {
        // The last bytes may be the beginning of a secret.
        end = end.min(text.len().saturating_sub(secrets.longest()));
    }
    if end > LINES {
        let newlines = text[..head(&text, end).len()].match_indices('\n');
        end = newlines.map(|(at, _)| at).nth(LINES - 1).unwrap_or(end);
    }
    if looked_at == length && end == text.len() {
        return text;
    }
    text.truncate(head(&text, end).len());
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&format!("[cut here: the text has {length} bytes]"));
    text
}

#[cfg(test)]
mod tests {
    use windlass_modules::Secret;
    use windlass_modules::transcript::{Bounds, Ledger};

    use super::*;

    fn shown(value: impl Into<Value>, secrets: &[&str]) -> Json {
        let known = Secrets::default();
        for secret in secrets {
            known.add(&Secret::new(*secret));
        }
        Shown::new(&known).value(&value.into())
    }

    #[test]
    fn a_text_is_cut_and_says_so() {
        let text = "äb\n".repeat(1 << 20);
        let shown = shown(text, &[]);
        let shown = shown.as_str().unwrap();
        assert!(shown.len() < TEXT + 100);
        assert!(
            shown.ends_with("\n[cut here: the text has 4194304 bytes]"),
            "{}",
            &shown[shown.len() - 80..]
        );
    }

    #[test]
    fn lines_are_those_of_the_same_piece_of_the_text() {
        let mut data = Data::new();
        data.print("stdout", "y\n".repeat(1 << 20).into());
        let shown = Shown::new(&Secrets::default()).data(&data);
        let lines = shown["stdout"].as_str().unwrap().lines().map(Json::from);
        assert_eq!(shown["stdout_lines"], lines.collect::<Json>());
        assert_eq!(shown["stdout_lines"].as_array().unwrap().len(), LINES + 1);
    }

    #[test]
    fn no_secret_survives_in_half_at_the_cut_or_where_nobody_looked_further() {
        let secret = "correct-horse-battery-staple";
        for before in [TEXT - 10, TEXT - 1, 2 * TEXT - 10, 2 * TEXT - 27] {
            let text = format!("{}{secret}{}", "x".repeat(before), "y".repeat(TEXT));
            let shown = shown(text, &[secret]);
            assert!(!shown.as_str().unwrap().contains("corr"), "{before}");
        }
        // Where most of what was looked at are secrets, its end is among what is shown.
        let text = format!("x{}", secret.repeat(TEXT));
        let shown = shown(text, &[secret]);
        let shown = shown.as_str().unwrap();
        assert!(shown.len() < TEXT);
        assert!(!shown.contains("corr"));
    }

    #[test]
    fn all_of_a_result_is_bounded() {
        let item = Value::from("x".repeat(100_000));
        let shown = shown(vec![item; 1000], &[]);
        assert!(shown.to_string().len() < ALL + 100_000);
        let last = shown.as_array().unwrap().last().unwrap();
        assert!(
            last.as_str().unwrap().ends_with("more are not shown]"),
            "{last}"
        );
    }

    #[test]
    fn a_difference_that_nobody_could_read_is_left_out() {
        let difference = |size: usize| Difference {
            before: "x".repeat(size),
            ..Difference::default()
        };
        let account = Ledger::default().account("h");
        let kept = differences(vec![difference(10), difference(2 << 20)], &account).0;
        assert_eq!(kept[0], difference(10));
        assert_eq!(kept[1].before, "[2097152 bytes, too many to show]\n");
        let (many, held) = differences(vec![difference(1 << 20); 20], &account);
        assert!(held.is_some());
        let all: usize = many.iter().map(|difference| difference.before.len()).sum();
        assert!(all <= DIFFERENCES + 20 * 50);
        let bounds = Bounds { memory: 0, disk: 0 };
        let full = Ledger::new(bounds).account("h");
        let (none, held) = differences(vec![difference(1 << 20); 2], &full);
        assert!(none.iter().all(|one| one.before.len() < 50) && held.is_none());
    }
}
