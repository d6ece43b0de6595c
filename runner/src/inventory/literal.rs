//! Values of INI inventories: a text that is a Python literal becomes what it says, any other text
//! stays a string. This is what Ansible's `ast.literal_eval` accepts, sets and tuples as lists.

use std::collections::HashSet;

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::yaml::{Mapping, Node, Span, Style, Value};

/// How deep literals may nest before they are taken for plain text.
const DEPTH: usize = 60;

/// The value of `text`, which stands at `span`.
pub(super) fn value(text: &str, span: &Span) -> Node {
    let value = Parser::new(text).whole();
    node(
        value.unwrap_or_else(|| Literal::Text(text.to_owned())),
        span,
    )
}

#[derive(Debug, PartialEq)]
enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Literal>),
    Map(Vec<(Literal, Literal)>),
}

impl Literal {
    /// What only the same literal has, to find it among many.
    fn identity(&self) -> String {
        format!("{self:?}")
    }
}

fn node(literal: Literal, span: &Span) -> Node {
    let value = match literal {
        Literal::Null => Value::Null,
        Literal::Bool(truth) => Value::Bool(truth),
        Literal::Int(number) => Value::Int(number),
        Literal::Float(number) => Value::Float(number),
        Literal::Text(text) => Value::String(text),
        Literal::List(items) => {
            Value::Sequence(items.into_iter().map(|item| node(item, span)).collect())
        }
        Literal::Map(entries) => Value::Mapping(Mapping {
            entries: entries
                .into_iter()
                .map(|(key, value)| (node(key, span), node(value, span)))
                .collect(),
        }),
    };
    Node {
        span: span.clone(),
        tag: None,
        style: Style::Plain,
        value,
    }
}

/// Reads a literal; every method gives `None` for what Python would not take.
struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.trim_start_matches([' ', '\t']),
            depth: 0,
        }
    }

    /// A literal and nothing after it but a comment. Outside brackets, a comma makes a tuple.
    fn whole(mut self) -> Option<Literal> {
        let first = self.literal()?;
        let result = if self.eat(',') {
            Literal::List(self.items_after(first, None)?)
        } else {
            first
        };
        self.space();
        (self.rest.is_empty() || self.rest.starts_with('#')).then_some(result)
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn eat(&mut self, char: char) -> bool {
        self.space();
        match self.rest.strip_prefix(char) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn literal(&mut self) -> Option<Literal> {
        self.space();
        if self.depth == DEPTH {
            return None;
        }
        self.depth += 1;
        let result = match self.rest.chars().next()? {
            '[' => self.list(),
            '(' => self.parenthesised(),
            '{' => self.braced(),
            '0'..='9' | '.' => self.number(false),
            sign @ ('+' | '-') => {
                self.eat(sign);
                self.space();
                self.number(sign == '-')
            }
            _ => self.word(),
        };
        self.depth -= 1;
        result
    }

    /// The items after a first one and its comma, up to `close`, or to the end of the text.
    fn items_after(&mut self, first: Literal, close: Option<char>) -> Option<Vec<Literal>> {
        let mut items = vec![first];
        loop {
            match close {
                Some(close) if self.eat(close) => return Some(items),
                None => {
                    self.space();
                    if self.rest.is_empty() || self.rest.starts_with('#') {
                        return Some(items);
                    }
                }
                Some(_) => {}
            }
            items.push(self.literal()?);
            if !self.eat(',') {
                match close {
                    Some(close) => return self.eat(close).then_some(items),
                    None => return Some(items),
                }
            }
        }
    }

    fn list(&mut self) -> Option<Literal> {
        self.eat('[');
        if self.eat(']') {
            return Some(Literal::List(Vec::new()));
        }
        let first = self.literal()?;
        self.more(first, ']').map(Literal::List)
    }

    fn more(&mut self, first: Literal, close: char) -> Option<Vec<Literal>> {
        if self.eat(',') {
            self.items_after(first, Some(close))
        } else {
            self.eat(close).then(|| vec![first])
        }
    }

    /// `(1)` is 1, `(1,)` is a list of one.
    fn parenthesised(&mut self) -> Option<Literal> {
        self.eat('(');
        if self.eat(')') {
            return Some(Literal::List(Vec::new()));
        }
        let first = self.literal()?;
        if self.eat(',') {
            self.items_after(first, Some(')')).map(Literal::List)
        } else {
            self.eat(')').then_some(first)
        }
    }

    /// A dict or a set.
    fn braced(&mut self) -> Option<Literal> {
        self.eat('{');
        if self.eat('}') {
            return Some(Literal::Map(Vec::new()));
        }
        let first = self.literal()?;
        if !self.eat(':') {
            let mut items = self.more(first, '}')?;
            // A set holds each of its items once.
            let mut known = HashSet::new();
            items.retain(|item| known.insert(item.identity()));
            return Some(Literal::List(items));
        }
        let mut entries: IndexMap<String, (Literal, Literal)> = IndexMap::new();
        let mut key = first;
        loop {
            let value = self.literal()?;
            match entries.entry(key.identity()) {
                Entry::Occupied(mut entry) => entry.get_mut().1 = value,
                Entry::Vacant(entry) => drop(entry.insert((key, value))),
            }
            if self.eat('}') {
                return Some(Literal::Map(entries.into_values().collect()));
            }
            if !self.eat(',') {
                return None;
            }
            if self.eat('}') {
                return Some(Literal::Map(entries.into_values().collect()));
            }
            key = self.literal()?;
            if matches!(key, Literal::List(_) | Literal::Map(_)) || !self.eat(':') {
                return None;
            }
        }
    }

    fn number(&mut self, negative: bool) -> Option<Literal> {
        let end = number_end(self.rest);
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        if rest.starts_with(|char: char| char.is_alphanumeric() || char == '_') {
            return None;
        }
        number(text, negative)
    }

    /// `True`, `None`, or strings, of which several beside each other are one.
    fn word(&mut self) -> Option<Literal> {
        let end = self
            .rest
            .find(|char: char| !char.is_ascii_alphanumeric() && char != '_')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if rest.starts_with(['\'', '"']) {
            return self.strings();
        }
        self.rest = rest;
        match word {
            "True" => Some(Literal::Bool(true)),
            "False" => Some(Literal::Bool(false)),
            "None" => Some(Literal::Null),
            _ => None,
        }
    }

    fn strings(&mut self) -> Option<Literal> {
        let mut text = String::new();
        loop {
            let quote = self.rest.find(['\'', '"']);
            let Some((prefix, rest)) = quote.map(|at| self.rest.split_at(at)) else {
                return Some(Literal::Text(text));
            };
            let raw = match prefix.to_ascii_lowercase().as_str() {
                "" | "u" | "b" => false,
                "r" | "br" | "rb" => true,
                _ if text.is_empty() => return None,
                _ => return Some(Literal::Text(text)),
            };
            self.rest = string(rest, raw, &mut text)?;
            self.space();
        }
    }
}

/// Where a number ends that begins `text`.
fn number_end(text: &str) -> usize {
    let mut before = ' ';
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    text.char_indices()
        .find(|(_, char)| {
            let sign = matches!(char, '+' | '-') && matches!(before, 'e' | 'E') && !hexadecimal;
            before = *char;
            !(sign || char.is_ascii_alphanumeric() || matches!(char, '.' | '_'))
        })
        .map_or(text.len(), |(at, _)| at)
}

fn number(text: &str, negative: bool) -> Option<Literal> {
    let sign = if negative { "-" } else { "" };
    let lower = text.to_ascii_lowercase();
    if lower.starts_with('_') || lower.ends_with('_') || lower.contains("__") {
        return None;
    }
    let digits = lower.replace('_', "");
    let radix = match digits.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => return decimal(&digits, sign),
    };
    let number = i64::from_str_radix(&format!("{sign}{}", &digits[2..]), radix).ok();
    number
        .filter(|_| !digits[2..].starts_with(['+', '-']))
        .map(Literal::Int)
}

fn decimal(digits: &str, sign: &str) -> Option<Literal> {
    let signed = format!("{sign}{digits}");
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // 0644 is no number in Python, but 00 is.
        if digits.starts_with('0') && digits.bytes().any(|byte| byte != b'0') {
            return None;
        }
        // Numbers that do not fit keep their digits, as text.
        return Some(signed.parse().map_or(Literal::Text(signed), Literal::Int));
    }
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'));
    let number = signed.parse().ok().filter(|_| plain);
    number.map(Literal::Float)
}

/// Reads a quoted string that begins `rest` into `text`; gives what comes after it.
fn string<'a>(rest: &'a str, raw: bool, text: &mut String) -> Option<&'a str> {
    let quote = rest.get(..1)?;
    let close = if rest.starts_with(&quote.repeat(3)) {
        quote.repeat(3)
    } else {
        quote.to_owned()
    };
    let mut rest = &rest[close.len()..];
    loop {
        if let Some(after) = rest.strip_prefix(close.as_str()) {
            return Some(after);
        }
        let char = rest.chars().next()?;
        rest = &rest[char.len_utf8()..];
        if char != '\\' {
            text.push(char);
            continue;
        }
        let escaped = rest.chars().next()?;
        if raw {
            text.extend(['\\', escaped]);
            rest = &rest[escaped.len_utf8()..];
        } else {
            rest = escape(rest, escaped, text)?;
        }
    }
}

/// One escape, after its `\`.
fn escape<'a>(rest: &'a str, escaped: char, text: &mut String) -> Option<&'a str> {
    let after = &rest[escaped.len_utf8()..];
    let digits = match escaped {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '0'..='7' => {
            let end = rest
                .bytes()
                .take(3)
                .take_while(|byte| matches!(byte, b'0'..=b'7'));
            let (octal, after) = rest.split_at(end.count());
            text.push(char::from_u32(u32::from_str_radix(octal, 8).ok()?)?);
            return Some(after);
        }
        _ => {
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                'a' => text.push('\u{7}'),
                'b' => text.push('\u{8}'),
                'f' => text.push('\u{c}'),
                'v' => text.push('\u{b}'),
                '\\' | '\'' | '"' => text.push(escaped),
                _ => text.extend(['\\', escaped]),
            }
            return Some(after);
        }
    };
    let code = after.get(..digits)?;
    text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
    Some(&after[digits..])
}

#[cfg(test)]
mod tests {
    use super::value;
    use crate::yaml::{Node, Source, Span, Value};

    fn show(node: &Node) -> String {
        match &node.value {
            Value::Null => "None".to_owned(),
            Value::Bool(truth) => format!("{truth}"),
            Value::Int(number) => format!("{number}"),
            Value::Float(number) => format!("{number:?}"),
            Value::String(text) => format!("{text:?}"),
            Value::Sequence(items) => {
                format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(","))
            }
            Value::Mapping(mapping) => {
                let entries = mapping
                    .iter()
                    .map(|(k, v)| format!("{}:{}", show(k), show(v)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }
        }
    }

    fn read(text: &str) -> String {
        let span = Span::new(&Source::named("t", text), 0, text.len());
        show(&value(text, &span))
    }

    /// Each of these was read by ansible-core 2.19.14.
    #[test]
    fn values_are_those_that_ansible_reads() {
        for (text, expected) in [
            ("1_000", "1000"),
            ("0x1f", "31"),
            ("0o17", "15"),
            ("0b101", "5"),
            ("-3", "-3"),
            ("- 5", "-5"),
            ("+1", "1"),
            ("--1", "\"--1\""),
            ("0644", "\"0644\""),
            ("00", "0"),
            ("0_1", "\"0_1\""),
            ("1__0", "\"1__0\""),
            ("5L", "\"5L\""),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("1.10", "1.1"),
            ("1e3", "1000.0"),
            ("1e999", "inf"),
            ("1+2", "\"1+2\""),
            ("1 2", "\"1 2\""),
            ("1,2", "[1,2]"),
            ("(1,2)", "[1,2]"),
            ("(1)", "1"),
            ("(1,)", "[1]"),
            ("()", "[]"),
            ("{1,2,1}", "[1,2]"),
            ("[1, 2,]", "[1,2]"),
            ("[True, False, None,]", "[true,false,None]"),
            ("[yes]", "\"[yes]\""),
            ("[1", "\"[1\""),
            ("{}", "{}"),
            (
                "{'a': {'b': [1.5, -2, \"x\"]}, 1: 2, None: 3}",
                "{\"a\":{\"b\":[1.5,-2,\"x\"]},1:2,None:3}",
            ),
            ("True", "true"),
            ("true", "\"true\""),
            ("yes", "\"yes\""),
            ("None", "None"),
            ("True and False", "\"True and False\""),
            ("'quoted'", "\"quoted\""),
            ("'unterminated", "\"'unterminated\""),
            ("'a' 'b'", "\"ab\""),
            ("'a', 'b'", "[\"a\",\"b\"]"),
            ("b'x'", "\"x\""),
            ("u'é'", "\"é\""),
            ("r'\\n'", "\"\\\\n\""),
            ("f'x'", "\"f'x'\""),
            ("\"\"\"tri\"\"\"", "\"tri\""),
            ("'a\\x41\\u00e9\\n\\'\\\\ \\q'", "\"aAé\\n'\\\\ \\\\q\""),
            ("42 # answer", "42"),
            ("\"a\" # c", "\"a\""),
            ("words # not a comment", "\"words # not a comment\""),
            ("{{ a }}", "\"{{ a }}\""),
            ("", "\"\""),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_plain_text() {
        let deep = "[".repeat(10_000);
        assert_eq!(read(&deep), format!("{deep:?}"));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "[\\[\\](){}'\"\\\\0-9a-fxub,:+._ #é-]{0,40}") {
            read(&text);
        }
    }
}
