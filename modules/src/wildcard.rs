//! Patterns with `*`, `?` and `[…]`, as shells have them and Python's `fnmatch`: for names of hosts, of files and of facts.
//!
//! Each becomes a regular expression of the crate `regex`, which takes time that grows with the name, whatever the
//! pattern. `globset` makes such too, but its `?` and `[…]` match bytes and not characters, and it takes `{`, `\\`
//! and `^` for more than themselves (docs/decisions/wildcards.md).

use regex::{Regex, RegexBuilder};

/// A compiled pattern takes no more than so many bytes: one that does is longer than any name.
const LARGEST: usize = 1 << 20;

/// What has no meaning to a pattern is a name.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The whole names that a pattern matches. A `[` without its `]` stands for itself.
///
/// # Errors
/// The pattern is longer than any name.
pub fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    let characters: Vec<char> = pattern.chars().collect();
    let mut text = String::from(r"(?s)\A");
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        at += 1;
        match character {
            // Many say no more than one.
            '*' if text.ends_with(".*") => {}
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' => match inside(&characters[at..]) {
                Some(inside) => {
                    at += inside.len() + 1;
                    class(inside, &mut text);
                }
                None => push(&mut text, '['),
            },
            other => push(&mut text, *other),
        }
    }
    text.push_str(r"\z");
    RegexBuilder::new(&text).size_limit(LARGEST).build()
}

/// What is between a `[` and its `]`. A `]` that comes first is one of the characters.
fn inside(rest: &[char]) -> Option<&[char]> {
    let first = usize::from(rest.first() == Some(&'!'));
    let close = rest.iter().skip(first + 1).position(|c| *c == ']')?;
    Some(&rest[..=first + close])
}

/// One of some characters, or with `!` none of them.
fn class(inside: &[char], text: &mut String) {
    let (negated, mut rest) = match inside {
        ['!', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut members = String::new();
    while let [first, more @ ..] = rest {
        rest = if let ['-', last, more @ ..] = more {
            // From a later one to an earlier one there is none.
            if first <= last {
                push(&mut members, *first);
                members.push('-');
                push(&mut members, *last);
            }
            more
        } else {
            push(&mut members, *first);
            more
        };
    }
    text.push_str(match (members.is_empty(), negated) {
        (true, true) => ".",
        (true, false) => r"[^\s\S]",
        (false, true) => "[^",
        (false, false) => "[",
    });
    if !members.is_empty() {
        text.push_str(&members);
        text.push(']');
    }
}

fn push(text: &mut String, character: char) {
    text.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use super::whole;

    /// Checked against Python's `fnmatch.fnmatchcase`.
    #[test]
    fn names_match_as_in_python() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.confx", false),
            ("?.y*ml", "a.yml", true),
            ("?", "é", true),
            ("?", "ab", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[!a-c]x", "dx", true),
            ("[é-ü]", "ö", true),
            ("[]a]", "]", true),
            ("[!]a]", "]", false),
            ("[!]a]", "b", true),
            ("[a-]", "-", true),
            ("[^a]", "^", true),
            ("[^a]", "b", false),
            ("[z-a]x", "bx", false),
            ("[!z-a]x", "bx", true),
            ("[[]", "[", true),
            ("[&&a]", "&", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            (r"a\*", r"a\b", true),
            ("*", "", true),
            ("*", "a\nb", true),
            ("a*", "a\n", true),
            ("a", "a\n", false),
            ("**", "a", true),
        ] {
            let found = whole(pattern).expect("it is one").is_match(name);
            assert_eq!(found, expected, "{pattern} {name}");
        }
    }

    #[test]
    fn no_pattern_takes_longer_than_a_long_one() {
        let name = "a".repeat(255);
        let pattern = "*a".repeat(100) + "b";
        assert!(!whole(&pattern).expect("it is one").is_match(&name));
        assert!(whole(&"?".repeat(1 << 20)).is_err());
    }
}
