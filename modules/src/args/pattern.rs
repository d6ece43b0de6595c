//! Regular expressions as users write them, which is as Python reads them.

use std::fmt;

use fancy_regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::unfit::{ReadArgument, Unfit};
use super::values::{Text, by_read, inline_schema};
use crate::python::regex::{self as python, Unexpandable};

/// What a pattern matched in a text.
pub type Captures<'t> = fancy_regex::Captures<'t, str>;

/// A line that a pattern's groups are filled into may become so long, in bytes.
const LONGEST: usize = 16 << 20;

/// A regular expression in Python's syntax.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Reads an expression.
    pub fn new(text: &str) -> Result<Self, String> {
        let regex = Regex::new(&python::translate(text, false))
            .map_err(|error| format!("`{text}` is not a regular expression: {error}"))?;
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
        python::has_multiline(&self.text)
    }

    /// The first match in `text`.
    pub fn search<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, String> {
        self.regex
            .captures(text)
            .map_err(|error| format!("the regular expression `{}`: {error}", self.text))
    }

    /// What Python's `Match.expand` makes of `template` after a match of this pattern.
    pub fn expand(&self, captures: &Captures<'_>, template: &str) -> Result<String, Unexpandable> {
        python::expand(&self.regex, captures, template, LONGEST)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl ReadArgument for Pattern {
    fn read(value: &Value) -> Result<Self, Unfit> {
        Self::new(&Text::read(value)?).map_err(Unfit::Because)
    }
}

by_read!(Pattern);
inline_schema!(Pattern, "Pattern", { "type": "string", "format": "regex", "x-kind": "pattern" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_expression_is_shown() {
        let message = Pattern::new("a(b").unwrap_err();
        assert!(
            message.starts_with("`a(b` is not a regular expression: "),
            "{message}"
        );
    }
}
