//! Passwords among the variables: known as secrets when they are read, and not when they are first used.
//!
//! A password is often written once and named where it counts: `ansible_become_password: "{{ vault_root }}"`.
//! Then `vault_root` is the secret, and known before anything is rendered. What takes more than names to find
//! out (filters, lookups) is known when it is rendered.

use minijinja::Value;
use minijinja::value::ValueKind;
use windlass_modules::Secret;

use super::view::{Found, View, variable_in};
use super::{magic, settings};
use crate::secrets::Secrets;
use crate::template;
use crate::yaml::{self, Node, Tag};

/// So many names that name each other are followed.
const NAMES: usize = 5;

impl View {
    /// Makes the passwords known that can be found out without rendering anything.
    pub(super) fn know_passwords(&self) {
        for name in settings::passwords() {
            if let Some(text) = self.written(&[name], NAMES) {
                self.store.secrets().add(&Secret::new(text));
            }
        }
    }

    /// The text of the variable `path[0]`, or of what is at the rest of the path in it.
    fn written(&self, path: &[&str], left: usize) -> Option<String> {
        let (name, rest) = path.split_first()?;
        if magic::is_magic(name) {
            return None;
        }
        match self.find(name).ok()?? {
            Found::Value(value) if rest.is_empty() => text(&value),
            Found::Value(_) => None,
            Found::Node(node) => self.written_in(node, rest, left),
            Found::InFile(file) => self.written_in(variable_in(&file, name)?, rest, left),
        }
    }

    fn written_in(&self, node: &Node, rest: &[&str], left: usize) -> Option<String> {
        if let Some((key, rest)) = rest.split_first() {
            return self.written_in(node.as_mapping()?.get(key)?, rest, left);
        }
        match &node.value {
            yaml::Value::String(_) if node.tag == Some(Tag::Vault) => None,
            yaml::Value::String(text) if node.tag == Some(Tag::Unsafe) => Some(text.clone()),
            yaml::Value::String(text) if !text.contains("{{") && !text.contains("{%") => {
                Some(text.clone())
            }
            yaml::Value::String(text) => self.written(&path(text)?, left.checked_sub(1)?),
            yaml::Value::Int(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// Keeps a value that was read under `name`, if it is a password.
pub(super) fn know(secrets: &Secrets, name: &str, value: &Value) {
    if settings::is_password(name)
        && let Some(text) = text(value)
    {
        secrets.add(&Secret::new(text));
    }
}

fn text(value: &Value) -> Option<String> {
    let scalar = matches!(value.kind(), ValueKind::String | ValueKind::Number);
    scalar.then(|| template::display(value))
}

/// `{{ a.b['c'] | filter }}` as a, b, c; what a filter makes of it is known when it is rendered.
fn path(template: &str) -> Option<Vec<&str>> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.trim_matches('-').split('|').next()?.trim();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut path = Vec::new();
    let mut rest = inner;
    loop {
        let (step, after) = match rest.strip_prefix('[') {
            Some(quoted) => {
                let quote = quoted.chars().next().filter(|c| "'\"".contains(*c))?;
                let (key, after) = quoted[1..].split_once(quote)?;
                (key, after.strip_prefix(']')?)
            }
            None => rest.split_at(rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
        };
        if step.is_empty() {
            return None;
        }
        path.push(step);
        rest = after.strip_prefix('.').unwrap_or(after);
        if rest.is_empty() {
            return Some(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn names_and_what_is_in_them_are_followed_and_nothing_else() {
        assert_eq!(path("{{ vault_pw }}").unwrap(), ["vault_pw"]);
        assert_eq!(
            path("{{a.b['c d']['e'].f|trim}}").unwrap(),
            ["a", "b", "c d", "e", "f"]
        );
        for other in [
            "{{ lookup('env', 'X') }}",
            "x{{ a }}",
            "{{ a }}{{ b }}",
            "{{ a + b }}",
            "{{ a[b] }}",
            "{{ }}",
        ] {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
