//! Regular expressions as Python reads them: its syntax in that of `fancy_regex` where the two differ, and its
//! replacement templates.

use fancy_regex::{Captures, Regex};

/// `pattern` in the syntax of the crate, where that differs from Python's: `$` also matches before a newline at the
/// end, unless it is to match at every line (`multiline`, or `(?m)` in the pattern); `\Z` matches only at the very
/// end; `{` and `[` may stand for themselves; `&&`, `--` and `~~` have no meaning in a class; an escaped character
/// that is no letter or digit is itself.
pub fn translate(pattern: &str, multiline: bool) -> String {
    let multiline = multiline || has_multiline(pattern);
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.char_indices().peekable();
    // Where in a class: how many characters of it were read.
    let mut class: Option<usize> = None;
    while let Some((at, c)) = chars.next() {
        match (c, class) {
            ('\\', _) => {
                escape(chars.next().map(|(_, c)| c), class.is_some(), &mut out);
                class = class.map(|read| read + 1);
            }
            ('[', None) => {
                out.push('[');
                if chars.next_if(|(_, c)| *c == '^').is_some() {
                    out.push('^');
                }
                class = Some(0);
            }
            (']', Some(0)) => {
                out.push_str("\\]");
                class = Some(1);
            }
            (']', Some(_)) => {
                out.push(']');
                class = None;
            }
            ('[' | '&' | '~', Some(read)) => {
                out.push('\\');
                out.push(c);
                class = Some(read + 1);
            }
            ('-', Some(0)) => {
                out.push_str("\\-");
                class = Some(1);
            }
            // A range that ends with a `-`.
            ('-', Some(read)) if chars.next_if(|(_, next)| *next == '-').is_some() => {
                out.push_str("-\\-");
                class = Some(read + 2);
            }
            (_, Some(read)) => {
                out.push(c);
                class = Some(read + 1);
            }
            ('$', None) if !multiline => out.push_str("(?=\\n?\\z)"),
            ('{', None) => match quantifier(&pattern[at..]) {
                Some((text, length)) => {
                    out.push_str(&text);
                    for _ in 1..length {
                        chars.next();
                    }
                }
                None => out.push_str("\\{"),
            },
            ('}', None) => out.push_str("\\}"),
            (_, None) => out.push(c),
        }
    }
    out
}

/// Whether the flags that a pattern begins with hold an `m`: `^` and `$` match at every line.
pub fn has_multiline(pattern: &str) -> bool {
    pattern.strip_prefix("(?").is_some_and(|flags| {
        flags
            .chars()
            .take_while(char::is_ascii_lowercase)
            .any(|flag| flag == 'm')
    })
}

fn escape(escaped: Option<char>, in_class: bool, out: &mut String) {
    match escaped {
        None => out.push('\\'),
        Some('Z') if !in_class => out.push_str("\\z"),
        Some('b') if in_class => out.push_str("\\x08"),
        Some(c) if c.is_alphanumeric() => {
            out.push('\\');
            out.push(c);
        }
        // The crate reads `\<` and `\>` as boundaries of words.
        Some(c @ ('<' | '>' | '_')) => out.push(c),
        Some(c) if c.is_ascii() && !c.is_ascii_whitespace() => {
            out.push('\\');
            out.push(c);
        }
        Some(c) => out.push(c),
    }
}

/// A counted repetition at the start of `text`, in the crate's syntax, and its length.
fn quantifier(text: &str) -> Option<(String, usize)> {
    let end = text.find('}')?;
    let inner = &text[1..end];
    let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !number(least) || !number(most) || inner.is_empty() {
        return None;
    }
    let least = if least.is_empty() { "0" } else { least };
    let text = if inner.contains(',') {
        format!("{{{least},{most}}}")
    } else {
        format!("{{{least}}}")
    };
    Some((text, end + 1))
}

/// Why a replacement template cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unexpandable {
    /// The expression has no such group.
    #[error("there is no group {0}")]
    NoGroup(String),
    /// A `\g` without a name in angle brackets.
    #[error("`\\g` needs a group: \\g<name>")]
    Unnamed,
    /// An escape that means nothing.
    #[error("`\\{0}` means nothing there; write `\\\\{0}`")]
    Meaningless(char),
    /// A number of a character that has three octal digits and is more than 377.
    #[error("`\\{0}` is not a character")]
    NoCharacter(String),
    /// Nothing follows the last backslash.
    #[error("it ends with a single `\\`")]
    Backslash,
    /// It makes more bytes than it may.
    #[error("it makes too long a text")]
    TooLong,
}

/// What Python's `Match.expand` makes of `template` after a match of `regex`: `\1` and `\g<name>` are groups, `\n` and
/// the like are what they are elsewhere, `\0` and three octal digits are a character. A group that took no part is
/// empty. No more than some `most` bytes are made.
pub fn expand(
    regex: &Regex,
    captures: &Captures<'_, str>,
    template: &str,
    most: usize,
) -> Result<String, Unexpandable> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let first = after.chars().next().ok_or(Unexpandable::Backslash)?;
        rest = &after[first.len_utf8()..];
        match first {
            'g' => {
                let named = rest
                    .strip_prefix('<')
                    .and_then(|named| named.split_once('>'));
                let (name, behind) = named.ok_or(Unexpandable::Unnamed)?;
                out.push_str(named_group(regex, captures, name)?);
                rest = behind;
            }
            '0'..='9' => rest = numbered(captures, after, &mut out)?,
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'f' => out.push('\x0c'),
            'v' => out.push('\x0b'),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            '\\' => out.push('\\'),
            letter if letter.is_ascii_alphabetic() => {
                return Err(Unexpandable::Meaningless(letter));
            }
            other => out.extend(['\\', other]),
        }
        if out.len() > most {
            return Err(Unexpandable::TooLong);
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn named_group<'t>(
    regex: &Regex,
    captures: &Captures<'t, str>,
    name: &str,
) -> Result<&'t str, Unexpandable> {
    if let Ok(number) = name.parse::<usize>() {
        return group(captures, number);
    }
    if !regex.capture_names().flatten().any(|known| known == name) {
        return Err(Unexpandable::NoGroup(format!("`{name}`")));
    }
    Ok(captures.name(name).map_or("", |found| found.as_str()))
}

fn group<'t>(captures: &Captures<'t, str>, number: usize) -> Result<&'t str, Unexpandable> {
    if number >= captures.len() {
        return Err(Unexpandable::NoGroup(number.to_string()));
    }
    Ok(captures.get(number).map_or("", |found| found.as_str()))
}

/// What the digits at the start of `text` stand for goes to `out`; gives what follows them.
fn numbered<'t>(
    captures: &Captures<'_, str>,
    text: &'t str,
    out: &mut String,
) -> Result<&'t str, Unexpandable> {
    let octal = |most: usize| {
        let digits = text.bytes().take(most);
        digits
            .take_while(|byte| (b'0'..=b'7').contains(byte))
            .count()
    };
    let length = if text.starts_with('0') || octal(3) == 3 {
        octal(3)
    } else {
        let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let number = text[..digits].parse().unwrap_or(usize::MAX);
        out.push_str(group(captures, number)?);
        return Ok(&text[digits..]);
    };
    let (digits, behind) = text.split_at(length);
    let character = u8::from_str_radix(digits, 8);
    let character = character.map_err(|_| Unexpandable::NoCharacter(digits.to_owned()))?;
    out.push(char::from(character));
    Ok(behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, multiline: bool, text: &str) -> bool {
        let prefix = if multiline { "(?m)" } else { "" };
        let regex = Regex::new(&format!("{prefix}{}", translate(pattern, multiline)));
        regex.unwrap().is_match(text).unwrap()
    }

    /// What Python 3.11's `re.search` finds.
    #[test]
    fn expressions_mean_what_they_mean_in_python() {
        for (pattern, text, expected) in [
            ("^a$", "a\n", true),
            ("a$", "a\n\n", false),
            (r"a\Z", "a\n", false),
            (r"a\Z", "a", true),
            (r"a[$]", "a$", true),
            (r"{a}", "{a}", true),
            (r"x{{ y }}", "x{{ y }}", true),
            (r"^a{2}$", "aa", true),
            (r"^a{,2}$", "", true),
            (r"^a{,2}$", "aaa", false),
            (r"^a{1,}b", "aaab", true),
            (r"^a{,}$", "aaa", true),
            (r"^a{,}$", "a{,}", false),
            (r"[]]", "]", true),
            (r"[^]]", "]", false),
            (r"[[]x", "[x", true),
            (r"[a&&b]", "&", true),
            (r"[a~~b]", "~", true),
            (r"[+--]", ",", true),
            (r"[--a]", "A", true),
            (r"[--a]", "+", false),
            (r"[-a]", "-", true),
            (r"[\b]", "\u{8}", true),
            (r"[\b]", "b", false),
            (r"\<b\>", "<b>", true),
            (r"\/\ \-\#\@\é", "/ -#@é", true),
            (r"^(?!#)\s*swap", "#swap", false),
            (r"^(?!#)\s*swap", " swap", true),
            (r"(?i)PermitRootLogin", "permitrootlogin", true),
            (r"(?m)^b$", "a\nb\nc", true),
            (r"(?P<q>['.]).*(?P=q)", "'x'", true),
            (
                r"^\s*#?\s*net\.ipv4\.ip_forward\s*=",
                "# net.ipv4.ip_forward=0\n",
                true,
            ),
        ] {
            assert_eq!(
                found(pattern, false, text),
                expected,
                "{pattern} in {text:?}"
            );
        }
        assert!(found("^b$", true, "a\nb\nc"));
        assert!(!found("^b$", false, "a\nb\nc"));
    }

    #[test]
    fn groups_are_filled_in_as_python_does() {
        let regex = Regex::new(r"^(?P<key>\w+)=(\w*)(;.*)?").unwrap();
        let captures = regex.captures("a=b\n").unwrap().unwrap();
        let expand = |template| expand(&regex, &captures, template, 100);
        assert_eq!(
            expand(r"\2=\g<key>\3\g<1>\g<0>\\ \.\n\b"),
            Ok("b=aaa=b\\ \\.\n\u{8}".to_owned())
        );
        assert_eq!(expand(r"\0|\012|\101|\1x"), Ok("\0|\n|A|ax".to_owned()));
        for (template, wrong) in [
            (r"\4", "there is no group 4"),
            (r"\12", "there is no group 12"),
            (r"\g<none>", "there is no group `none`"),
            (r"\g1", r"`\g` needs a group: \g<name>"),
            (r"\q", r"`\q` means nothing there; write `\\q`"),
            (r"\777", r"`\777` is not a character"),
            (r"x\", r"it ends with a single `\`"),
        ] {
            assert_eq!(
                expand(template).unwrap_err().to_string(),
                wrong,
                "{template}"
            );
        }
        let long = r"\g<0>".repeat(100);
        assert_eq!(expand(&long), Err(Unexpandable::TooLong));
    }
}
