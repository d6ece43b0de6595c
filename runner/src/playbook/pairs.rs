//! Splits `key=value key2="other value"` as Ansible's `parse_kv` does: quotes and templates are
//! kept whole, escapes in values are resolved.

use std::ops::Range;

/// A word of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// Where it stands.
    pub(crate) range: Range<usize>,
    /// The key, where it is a pair.
    pub(crate) key: Option<Range<usize>>,
    /// Where the value stands, without its quotes; all of the word where it is no pair.
    pub(crate) value: Range<usize>,
}

/// A quote or a template that does not end; where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclosed(pub(crate) usize);

const BLOCKS: &[(&str, &str)] = &[("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

/// The words of a text.
pub(crate) fn words(text: &str) -> Result<Vec<Word>, Unclosed> {
    let mut words = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        if character.is_whitespace() {
            if let Some(start) = start.take() {
                words.push(word(text, start..at));
            }
            at += character.len_utf8();
            continue;
        }
        start.get_or_insert(at);
        at = part(text, at)?;
    }
    if let Some(start) = start {
        words.push(word(text, start..text.len()));
    }
    Ok(words)
}

/// Where the character, escape, quoted part or template ends that begins at `at`.
fn part(text: &str, at: usize) -> Result<usize, Unclosed> {
    let rest = &text[at..];
    for (open, close) in BLOCKS {
        if rest.starts_with(open) {
            let end = rest[2..].find(close).ok_or(Unclosed(at))?;
            return Ok(at + 2 + end + 2);
        }
    }
    let mut characters = rest.char_indices();
    match characters.next() {
        Some((_, quote @ ('"' | '\''))) => {
            let mut escaped = false;
            for (offset, character) in characters {
                match character {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    _ if character == quote => return Ok(at + offset + 1),
                    _ => {}
                }
            }
            Err(Unclosed(at))
        }
        Some((_, '\\')) => Ok(at + 1 + characters.next().map_or(0, |(_, next)| next.len_utf8())),
        Some((_, character)) => Ok(at + character.len_utf8()),
        None => Ok(text.len()),
    }
}

/// A word, taken apart at its first `=` that is neither escaped nor its first character.
fn word(text: &str, range: Range<usize>) -> Word {
    let written = &text[range.clone()];
    let equals = written
        .match_indices('=')
        .map(|(at, _)| at)
        .find(|at| *at > 0 && written.as_bytes()[at - 1] != b'\\');
    let Some(equals) = equals else {
        return Word {
            value: range.clone(),
            key: None,
            range,
        };
    };
    let value = range.start + equals + 1..range.end;
    Word {
        key: Some(range.start..range.start + equals),
        value: unquoted(text, value),
        range,
    }
}

/// A stretch without the quotes around it.
fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let bytes = &text.as_bytes()[range.clone()];
    match bytes {
        [first @ (b'"' | b'\''), .., before, last] if first == last && *before != b'\\' => {
            range.start + 1..range.end - 1
        }
        [b'"', b'"'] | [b'\'', b'\''] => range.start + 1..range.end - 1,
        _ => range,
    }
}

/// The value with its escapes resolved: `\n`, `\t`, `\x41`, `\u00e9` and the like.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (character, length) = escape(&rest[at..]);
        out.push(character);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// What the escape at the beginning of `text` means, and how long it is; an unknown one is itself.
fn escape(text: &str) -> (char, usize) {
    let code = |digits: usize| {
        let hexadecimal = text.get(2..2 + digits)?;
        let number = u32::from_str_radix(hexadecimal, 16).ok()?;
        Some((char::from_u32(number)?, 2 + digits))
    };
    let simple = |character| Some((character, 2));
    let found = match text.as_bytes().get(1) {
        Some(b'\\') => simple('\\'),
        Some(b'\'') => simple('\''),
        Some(b'"') => simple('"'),
        Some(b'a') => simple('\u{7}'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'n') => simple('\n'),
        Some(b'r') => simple('\r'),
        Some(b't') => simple('\t'),
        Some(b'v') => simple('\u{b}'),
        Some(b'x') => code(2),
        Some(b'u') => code(4),
        Some(b'U') => code(8),
        _ => None,
    };
    found.unwrap_or(('\\', 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Unclosed, unescape, words};

    fn split(text: &str) -> Vec<(Option<&str>, &str)> {
        words(text)
            .unwrap()
            .into_iter()
            .map(|word| (word.key.map(|key| &text[key]), &text[word.value]))
            .collect()
    }

    #[test]
    fn words_and_pairs_are_told_apart() {
        assert_eq!(
            split("src=a  dest=\"/b c\" mode='0644' plain =x a\\=b"),
            [
                (Some("src"), "a"),
                (Some("dest"), "/b c"),
                (Some("mode"), "0644"),
                (None, "plain"),
                (None, "=x"),
                (None, "a\\=b"),
            ]
        );
    }

    #[test]
    fn templates_are_kept_whole() {
        assert_eq!(
            split("a={{ b == 'c d' }} e={% if x %} f={{ 'g' ~ \"h i\" }}/j k"),
            [
                (Some("a"), "{{ b == 'c d' }}"),
                (Some("e"), "{% if x %}"),
                (Some("f"), "{{ 'g' ~ \"h i\" }}/j"),
                (None, "k"),
            ]
        );
    }

    #[test]
    fn what_does_not_end_is_an_error_at_its_beginning() {
        assert_eq!(words("a='b c"), Err(Unclosed(2)));
        assert_eq!(words("a {{ b"), Err(Unclosed(2)));
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unescape(r"a\nb\t\\\x41\u00e9\q\"), "a\nb\t\\Aé\\q\\");
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn no_text_makes_it_panic(text in r#"([a-c='"\\{}% \né]|\{\{|\}\}){0,30}"#) {
            unescape(&text);
            for word in words(&text).into_iter().flatten() {
                prop_assert!(text.get(word.range).is_some() && text.get(word.value).is_some());
            }
        }
    }
}
