//! Regular expressions as users write them, which is as Python reads them.

use std::fmt;

use fancy_regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::args::Text;

/// What a pattern matched in a text.
pub type Captures<'t> = fancy_regex::Captures<'t, str>;

/// A regular expression in Python's syntax.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Reads an expression.
    pub fn new(text: &str) -> Result<Self, String> {
        let regex = Regex::new(&translate(text))
            .map_err(|error| format!("`{text}` is no regular expression: {error}"))?;
        Ok(Self {
            text: text.to_owned(),
            regex,
        })
    }

    /// As the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `^` and `$` match at every line of a text (`(?m)`).
    pub fn many_lines(&self) -> bool {
        many_lines(&self.text)
    }

    /// The first match in `text`.
    pub fn search<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, String> {
        self.regex
            .captures(text)
            .map_err(|error| format!("the regular expression `{}`: {error}", self.text))
    }

    /// What Python's `Match.expand` makes of `template` after a match of this pattern: `\1` and `\g<name>` are groups, `\n` and the like
    /// are what they are elsewhere. A group that took no part is empty.
    pub fn expand(&self, captures: &Captures<'_>, template: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut chars = template.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('g') => {
                    let name: String = match chars.next() {
                        Some('<') => chars.by_ref().take_while(|c| *c != '>').collect(),
                        _ => return Err("`\\g` needs a group: \\g<name>".to_owned()),
                    };
                    let text = match name.parse::<usize>() {
                        Ok(number) if number < captures.len() => captures.get(number),
                        Err(_)
                            if self
                                .regex
                                .capture_names()
                                .flatten()
                                .any(|known| known == name) =>
                        {
                            captures.name(&name)
                        }
                        _ => return Err(format!("there is no group `{name}`")),
                    };
                    out.push_str(text.map_or("", |found| found.as_str()));
                }
                Some(digit @ '1'..='9') => {
                    let mut number = digit as usize - '0' as usize;
                    if let Some(second) = chars.next_if(char::is_ascii_digit) {
                        number = number * 10 + (second as usize - '0' as usize);
                    }
                    if number >= captures.len() {
                        return Err(format!("there is no group {number}"));
                    }
                    out.push_str(captures.get(number).map_or("", |found| found.as_str()));
                }
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('f') => out.push('\x0c'),
                Some('v') => out.push('\x0b'),
                Some('a') => out.push('\x07'),
                Some('b') => out.push('\x08'),
                Some('\\') => out.push('\\'),
                Some(other) if other.is_ascii_alphanumeric() => {
                    return Err(format!(
                        "`\\{other}` means nothing there; write `\\\\{other}`"
                    ));
                }
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => return Err("it ends with a single `\\`".to_owned()),
            }
        }
        Ok(out)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&Text::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "regex" })
    }
}

/// Whether the flags that an expression begins with hold an `m`.
fn many_lines(text: &str) -> bool {
    text.strip_prefix("(?").is_some_and(|flags| {
        flags
            .chars()
            .take_while(char::is_ascii_lowercase)
            .any(|flag| flag == 'm')
    })
}

/// From Python's syntax to that of the crate, where the two differ: `$` also matches before a newline
/// at the end, `\Z` only at the very end; `{` and `[` may stand for themselves; an escaped character
/// that is no letter or digit is itself.
fn translate(text: &str) -> String {
    let many = many_lines(text);
    let mut out = String::new();
    let mut chars = text.char_indices().peekable();
    // Where in a class: how many characters of it were read.
    let mut class: Option<usize> = None;
    while let Some((at, c)) = chars.next() {
        let rest = &text[at..];
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
            (_, Some(read)) => {
                out.push(c);
                class = Some(read + 1);
            }
            ('$', None) if !many => out.push_str("(?=\\n?\\z)"),
            ('{', None) => match quantifier(rest) {
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

fn escape(escaped: Option<char>, in_class: bool, out: &mut String) {
    match escaped {
        None => out.push('\\'),
        Some('Z') if !in_class => out.push_str("\\z"),
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
    if !number(least) || !number(most) || inner.is_empty() || inner == "," {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_they_mean_in_python() {
        for (pattern, text, found) in [
            ("^a$", "a\n", true),
            ("a$", "a\n\n", false),
            (r"a\Z", "a\n", false),
            (r"a\Z", "a", true),
            (r"a[$]", "a$", true),
            (r"{a}", "{a}", true),
            (r"x{{ y }}", "x{{ y }}", true),
            (r"^a{2}$", "aa", true),
            (r"^a{,2}$", "", true),
            (r"^a{1,}b", "aaab", true),
            (r"[]]", "]", true),
            (r"[^]]", "]", false),
            (r"[[]x", "[x", true),
            (r"[a&&b]", "&", true),
            (r"\<b\>", "<b>", true),
            (r"\/\ \-\#\@", "/ -#@", true),
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
            let pattern = Pattern::new(pattern).unwrap();
            assert_eq!(
                pattern.search(text).unwrap().is_some(),
                found,
                "{pattern} in {text:?}"
            );
        }
    }

    #[test]
    fn a_wrong_expression_is_shown() {
        let message = Pattern::new("a(b").unwrap_err();
        assert!(
            message.starts_with("`a(b` is no regular expression: "),
            "{message}"
        );
    }

    #[test]
    fn groups_are_filled_in_as_python_does() {
        let pattern = Pattern::new(r"^(?P<key>\w+)=(\w*)(;.*)?$").unwrap();
        let captures = pattern.search("a=b\n").unwrap().unwrap();
        let expand = |template| pattern.expand(&captures, template);
        assert_eq!(
            expand(r"\2=\g<key>\3\g<1>\\ \.\n"),
            Ok("b=aa\\ \\.\n".to_owned())
        );
        assert_eq!(expand(r"\4"), Err("there is no group 4".to_owned()));
        assert!(expand(r"\g<none>").is_err());
        assert!(expand(r"\q").is_err());
        assert!(expand("\\").is_err());
    }
}
