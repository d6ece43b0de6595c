//! Paths on a node.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::unfit::{ReadArgument, Unfit};
use super::values::{Text, by_read, inline_schema};
use crate::kit;

/// A path on the host. `~` and `~user` at its start, and variables of the host's environment (`$HOME`,
/// `${HOME}`), are filled in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePath(String);

impl RemotePath {
    /// Takes a path; nothing, or a NUL in it, is no path.
    pub fn new(text: impl Into<String>) -> Result<Self, Unfit> {
        let text = text.into();
        if text.is_empty() {
            Err(Unfit::Kind {
                expected: "a path".to_owned(),
                found: "an empty string".to_owned(),
            })
        } else if text.contains('\0') {
            Err(Unfit::Because(
                "a path cannot hold a NUL character".to_owned(),
            ))
        } else {
            Ok(Self(text))
        }
    }

    /// As the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A path below this one.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        Self(format!("{}/{name}", self.0.trim_end_matches('/')))
    }

    /// As one word of sh source, in which the shell fills in home folders and variables.
    pub fn word(&self) -> String {
        let (home, rest) = self.home();
        let mut word = home;
        let mut literal = String::new();
        let mut left = rest;
        while let Some(at) = left.find('$') {
            literal.push_str(&left[..at]);
            left = &left[at..];
            if let Some((name, length)) = variable(left) {
                flush(&mut word, &mut literal);
                // One that is not set stays as it is written.
                let written = left[..length].replace('}', "\\}");
                word.push_str(&format!("\"${{{name}-\\{written}}}\""));
                left = &left[length..];
            } else {
                literal.push('$');
                left = &left[1..];
            }
        }
        literal.push_str(left);
        flush(&mut word, &mut literal);
        word
    }

    fn home(&self) -> (String, &str) {
        let Some(after) = self.0.strip_prefix('~') else {
            return (String::new(), &self.0);
        };
        let (user, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if user.is_empty() {
            ("\"$HOME\"".to_owned(), rest)
        } else if user.chars().all(plain) && !user.starts_with('-') {
            // A tilde is expanded in an unquoted word only; these are all harmless there.
            (format!("~{user}"), rest)
        } else {
            (String::new(), &self.0)
        }
    }
}

fn flush(word: &mut String, literal: &mut String) {
    if !literal.is_empty() {
        word.push_str(&kit::quote(literal));
        literal.clear();
    }
}

/// The name of the variable at the start of `text`, and how long its mention is.
fn variable(text: &str) -> Option<(&str, usize)> {
    let after = text.strip_prefix('$')?;
    let named = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if let Some(braced) = after.strip_prefix('{') {
        let name = &braced[..braced.find('}')?];
        return named(name).then_some((name, name.len() + 3));
    }
    let end = after
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(after.len());
    let name = &after[..end];
    named(name).then_some((name, end + 1))
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ReadArgument for RemotePath {
    fn read(value: &Value) -> Result<Self, Unfit> {
        Self::new(Text::read(value)?.0)
    }
}

by_read!(RemotePath);
inline_schema!(RemotePath, "RemotePath", { "type": "string", "x-kind": "path", "x-names": "node" });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use crate::host::{Host, Script};

    #[tokio::test]
    async fn every_shell_fills_in_what_ansible_fills_in_and_nothing_else() {
        for shell in fake::shells() {
            let shell = shell.variable("WHERE", "a b*");
            let home = shell.dir().display().to_string();
            for (path, expected) in [
                ("/etc/x", "/etc/x".to_owned()),
                ("~/x y", format!("{home}/x y")),
                ("~", home.clone()),
                ("~root/x", "/root/x".to_owned()),
                ("$HOME/it's", format!("{home}/it's")),
                ("/${WHERE}/$WHERE.d", "/a b*/a b*.d".to_owned()),
                (
                    "/$NOT_SET/${NOT_SET}/$",
                    "/$NOT_SET/${NOT_SET}/$".to_owned(),
                ),
                ("/a$(id)`id`\"\\$1", "/a$(id)`id`\"\\$1".to_owned()),
                ("/new\nline", "/new\nline".to_owned()),
                ("x~/ü", "x~/ü".to_owned()),
            ] {
                let word = RemotePath::new(path).unwrap().word();
                let script = Script::new(format!("printf %s {word}"));
                assert_eq!(shell.run(script).await.unwrap().text(), expected, "{word}");
            }
        }
    }

    #[test]
    fn nothing_is_no_path() {
        assert!(RemotePath::new("").is_err());
        assert!(RemotePath::new("a\0b").is_err());
    }
}
