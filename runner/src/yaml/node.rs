//! A value of a YAML document, with where it stands and how it was written.

use super::source::Span;

/// A YAML value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands. For an alias: where the alias stands.
    pub span: Span,
    /// An explicit tag, if it has one.
    pub tag: Option<Tag>,
    /// How it was written.
    pub style: Style,
    /// The value.
    pub value: Value,
}

/// The value of a [`Node`], resolved as YAML 1.1 and Ansible do.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `yes`, `no`, `on`, `off`, `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values.
    Mapping(Mapping),
}

/// Keys with values, in the order written, merge keys already merged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping {
    /// Each key is a scalar node.
    pub entries: Vec<(Node, Node)>,
}

impl Mapping {
    /// The value of a string key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key and the value of a string key.
    pub fn entry(&self, key: &str) -> Option<&(Node, Node)> {
        self.entries
            .iter()
            .find(|(name, _)| name.as_str() == Some(key))
    }

    /// Keys as text (numbers and booleans as YAML writes them) with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&Node, &Node)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// How a scalar or collection was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In `'` quotes.
    SingleQuoted,
    /// In `"` quotes.
    DoubleQuoted,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
    /// A collection in brackets.
    Flow,
    /// A collection by indentation.
    Block,
}

/// An explicit tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// `!vault`: ciphertext.
    Vault,
    /// `!unsafe`: text that is never a template.
    Unsafe,
    /// Any other.
    Other(String),
}

impl Node {
    /// A value that stands at `span`, as if written there without quotes.
    pub fn new(span: Span, value: Value) -> Self {
        let style = match value {
            Value::Sequence(_) | Value::Mapping(_) => Style::Block,
            _ => Style::Plain,
        };
        Self {
            span,
            tag: None,
            style,
            value,
        }
    }

    /// A string that stands at `span`.
    pub fn string(span: Span, text: impl Into<String>) -> Self {
        Self::new(span, Value::String(text.into()))
    }

    /// The text as it stands in the source: with quotes, before any resolution.
    pub fn source_text(&self) -> &str {
        self.span.text()
    }

    /// Where the bytes `start..end` of this string stand in the source; the whole of it where that
    /// cannot be told (escapes, folded lines).
    pub fn inside(&self, start: usize, end: usize) -> Span {
        self.find_inside(start, end)
            .unwrap_or_else(|| self.span.clone())
    }

    /// The stretch is the n-th of its kind in the value, so it is the n-th in the source too, as
    /// long as both hold as many of it.
    fn find_inside(&self, start: usize, end: usize) -> Option<Span> {
        let value = self.as_str()?;
        let wanted = value.get(start..end).filter(|wanted| !wanted.is_empty())?;
        let written = self.source_text();
        if self.style == Style::DoubleQuoted && written.contains('\\') {
            return None;
        }
        let before = value
            .match_indices(wanted)
            .position(|(at, _)| at == start)?;
        if value.matches(wanted).count() != written.matches(wanted).count() {
            return None;
        }
        let (at, _) = written.match_indices(wanted).nth(before)?;
        Some(self.span.within(at, at + wanted.len()))
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The keys and values of a mapping.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The items of a sequence.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// What a message calls a value of this kind: "a string", "a list" …
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a yes or no",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}
