//! Splits a line into words as Python's `shlex` does: quotes group, a backslash takes the meaning away, and nothing
//! else is special (`|`, `>`, `*` and `$` are characters like any other).
//!
//! The `shlex` crate follows sh instead, where `#` begins a comment and `\$` in quotes is `$`.

use std::ops::Range;
use std::str::CharIndices;

/// A word with its quotes taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Where it stands in the line, in bytes, quotes included.
    pub range: Range<usize>,
}

/// The words of a line with a comment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// In order.
    pub words: Vec<Word>,
    /// Where a comment begins that cuts a word short, as in `a#b`.
    pub cut: Option<usize>,
}

/// Why a line cannot be split; the byte at which the trouble begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsplit {
    /// A quote is never closed.
    #[error("a quotation mark is not closed")]
    Quote(usize),
    /// The line ends in a `\`.
    #[error("nothing follows the backslash at the end")]
    Escape(usize),
}

/// The words of `line`, as `shlex.split` has them. As in Ansible, a backslash at the end of a line continues it.
pub fn split(line: &str) -> Result<Vec<String>, Unsplit> {
    let words = read(line, false)?.words;
    Ok(words.into_iter().map(|word| word.text).collect())
}

/// The words of `line` and where they stand. With `comments`, a `#` begins a comment, even in the middle of a word.
pub fn read(line: &str, comments: bool) -> Result<Words, Unsplit> {
    let mut result = Words::default();
    let mut word: Option<Word> = None;
    let mut chars = line.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            ' ' | '\t' | '\r' | '\n' => result.words.extend(word.take()),
            '#' if comments => {
                if word.is_some() {
                    result.cut = Some(at);
                }
                break;
            }
            '\'' | '"' => {
                let word = begin(&mut word, at);
                word.range.end = quoted(&mut chars, char, at, &mut word.text)?;
            }
            '\\' => match chars.next().ok_or(Unsplit::Escape(at))? {
                (_, '\n') => {}
                (behind, escaped) => push(begin(&mut word, at), behind, escaped),
            },
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
    chars: &mut CharIndices<'_>,
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_split_as_pythons_shlex_does() {
        // Each pair was taken from Python 3.11's shlex.split, but for the line that is continued.
        for (line, words) in [
            ("a  b\tc\nd", vec!["a", "b", "c", "d"]),
            ("echo 'a b' \"c d\"", vec!["echo", "a b", "c d"]),
            (r"a\ b \'c", vec!["a b", "'c"]),
            (r#""a\$b\"c\\d""#, vec![r#"a\$b"c\d"#]),
            (r"'a\b'", vec![r"a\b"]),
            ("a # b", vec!["a", "#", "b"]),
            ("a''b '' \"\"", vec!["ab", "", ""]),
            ("x>y|z *.c", vec!["x>y|z", "*.c"]),
            ("a \\\n b", vec!["a", "b"]),
            ("", vec![]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn a_hash_begins_a_comment_anywhere_but_in_quotes_where_there_are_comments() {
        let texts = |line| {
            let words = read(line, true).unwrap().words;
            words.into_iter().map(|word| word.text).collect::<Vec<_>>()
        };
        assert_eq!(texts("h a='#1' # no"), ["h", "a=#1"]);
        let words = read("h a=b#c d", true).unwrap();
        assert_eq!(words.words[1].text, "a=b");
        assert_eq!(words.cut, Some(5));
    }

    #[test]
    fn words_know_where_they_stand() {
        let words = read(" h  k=\"ü x\" y \\é", true).unwrap().words;
        let ranges: Vec<_> = words.into_iter().map(|word| word.range).collect();
        assert_eq!(ranges, [1..2, 4..12, 13..14, 15..18]);
    }

    #[test]
    fn what_is_left_open_is_said() {
        assert_eq!(split("h 'x"), Err(Unsplit::Quote(2)));
        assert_eq!(split("h \"x\\"), Err(Unsplit::Quote(2)));
        assert_eq!(split("h x\\"), Err(Unsplit::Escape(3)));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn never_panics(line in ".*", comments: bool) {
            for word in read(&line, comments).into_iter().flat_map(|words| words.words) {
                prop_assert!(line.get(word.range).is_some());
            }
        }
    }
}
