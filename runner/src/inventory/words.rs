//! Splits a line into words as Python's `shlex` does for Ansible's inventories: quotes join, `\`
//! escapes, and `#` begins a comment even in the middle of a word. Keeps where each word stands.

use std::ops::Range;

/// A word with its quotes taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The word.
    pub text: String,
    /// Where it stands in the line, in bytes, quotes included.
    pub range: Range<usize>,
}

/// The words of a line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// In order.
    pub words: Vec<Word>,
    /// Where a comment begins that cuts a word short, as in `a#b`.
    pub cut: Option<usize>,
}

/// Why a line cannot be split; the byte at which the trouble begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unsplit {
    /// A quote is never closed.
    Quote(usize),
    /// The line ends in a `\`.
    Escape(usize),
}

/// Splits `line`.
pub(super) fn split(line: &str) -> Result<Words, Unsplit> {
    let mut result = Words::default();
    let mut word: Option<Word> = None;
    let mut chars = line.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            ' ' | '\t' | '\r' | '\n' => result.words.extend(word.take()),
            '#' => {
                if word.is_some() {
                    result.cut = Some(at);
                }
                break;
            }
            '\'' | '"' => {
                let word = begin(&mut word, at);
                word.range.end = quoted(&mut chars, char, at, &mut word.text)?;
            }
            '\\' => {
                let (at, escaped) = chars.next().ok_or(Unsplit::Escape(at))?;
                push(begin(&mut word, at - 1), at, escaped);
            }
            _ => push(begin(&mut word, at), at, char),
        }
    }
    result.words.extend(word);
    Ok(result)
}

fn begin(word: &mut Option<Word>, at: usize) -> &mut Word {
    word.get_or_insert_with(|| Word {
        text: String::new(),
        range: at..at,
    })
}

fn push(word: &mut Word, at: usize, char: char) {
    word.text.push(char);
    word.range.end = at + char.len_utf8();
}

/// Reads up to the closing quote; returns the byte after it. In `"` quotes, `\` escapes only `"`
/// and itself.
fn quoted(
    chars: &mut std::str::CharIndices<'_>,
    quote: char,
    start: usize,
    text: &mut String,
) -> Result<usize, Unsplit> {
    while let Some((at, char)) = chars.next() {
        match char {
            _ if char == quote => return Ok(at + 1),
            '\\' if quote == '"' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some((_, other)) => text.extend(['\\', other]),
                None => return Err(Unsplit::Quote(start)),
            },
            _ => text.push(char),
        }
    }
    Err(Unsplit::Quote(start))
}

#[cfg(test)]
mod tests {
    use super::{Unsplit, split};

    fn texts(line: &str) -> Vec<String> {
        let words = split(line).unwrap().words;
        words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn quotes_and_escapes_are_those_of_shlex() {
        assert_eq!(
            texts(r#"h k='it''s' a=" x"y \"z "a\"b\nc\\d" '' "#),
            ["h", "k=its", "a= xy", "\"z", r#"a"b\nc\d"#, ""]
        );
    }

    #[test]
    fn a_hash_begins_a_comment_anywhere_but_in_quotes() {
        assert_eq!(texts("h a='#1' # no"), ["h", "a=#1"]);
        let words = split("h a=b#c d").unwrap();
        assert_eq!(words.words[1].text, "a=b");
        assert_eq!(words.cut, Some(5));
    }

    #[test]
    fn words_know_where_they_stand() {
        let words = split(" h  k=\"ü x\" y").unwrap().words;
        let ranges: Vec<_> = words.into_iter().map(|word| word.range).collect();
        assert_eq!(ranges, [1..2, 4..12, 13..14]);
    }

    #[test]
    fn what_is_left_open_is_said() {
        assert_eq!(split("h 'x"), Err(Unsplit::Quote(2)));
        assert_eq!(split("h \"x\\"), Err(Unsplit::Quote(2)));
        assert_eq!(split("h x\\"), Err(Unsplit::Escape(3)));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(line in ".*") {
            if let Ok(words) = split(&line) {
                for word in words.words {
                    proptest::prop_assert!(line.get(word.range).is_some());
                }
            }
        }
    }
}
