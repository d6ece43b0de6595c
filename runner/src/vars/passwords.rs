//! Passwords among the variables: known as secrets when they are read, and not when they are first used.
//!
//! A password is often written once and named where it counts: `ansible_become_password: "{{ vault_root }}"`.
//! Then `vault_root` is the secret, and known before anything is rendered; so is what a host has in a table,
//! as in `"{{ passwords[inventory_hostname] }}"`. What takes more than names to find out (filters, lookups) is
//! known when it is rendered.

use minijinja::Value;
use minijinja::value::ValueKind;
use windlass_modules::Secret;

use super::settings;
use crate::secrets::Secrets;
use crate::template;

/// A step on the way to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathStep<'a> {
    /// `.name` or `['name']`; the first is a variable.
    Key(&'a str),
    /// `[variable]`: the key is the variable's value.
    Named(&'a str),
}

/// Keeps a value that was read under `name`, if it is a password.
pub(super) fn know(secrets: &Secrets, name: &str, value: &Value) {
    if settings::is_password(name)
        && let Some(text) = text(value)
    {
        secrets.add(&Secret::new(text));
    }
}

/// The text of a scalar.
pub(super) fn text(value: &Value) -> Option<String> {
    let scalar = matches!(value.kind(), ValueKind::String | ValueKind::Number);
    scalar.then(|| template::display(value))
}

/// `{{ a.b['c'][d] | filter }}` as a, b, c and what `d` is; what a filter makes of it is known when it is
/// rendered.
pub(super) fn path(template: &str) -> Option<Vec<PathStep<'_>>> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let mut rest = inner.trim_matches('-').split('|').next()?.trim();
    let mut path = Vec::new();
    loop {
        let (step, after) = match rest.strip_prefix('[') {
            Some(inside) if !path.is_empty() => {
                let (step, after) = key(inside.trim_start())?;
                (step, after.trim_start().strip_prefix(']')?)
            }
            _ => {
                let (key, after) = word(rest);
                (PathStep::Key(key), after)
            }
        };
        if matches!(step, PathStep::Key("")) {
            return None;
        }
        path.push(step);
        rest = after.strip_prefix('.').unwrap_or(after);
        if rest.is_empty() {
            return Some(path);
        }
    }
}

/// What stands in `[…]`, and what comes after it.
fn key(inside: &str) -> Option<(PathStep<'_>, &str)> {
    if let Some(quote) = inside.chars().next().filter(|c| "'\"".contains(*c)) {
        let (key, after) = inside[1..].split_once(quote)?;
        return Some((PathStep::Key(key), after));
    }
    let (name, after) = word(inside);
    let is_name = name.starts_with(|first: char| !first.is_ascii_digit());
    is_name.then_some((PathStep::Named(name), after))
}

fn word(text: &str) -> (&str, &str) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split_at(text.find(|c| !is_word(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::{PathStep, path};

    #[test]
    fn names_and_what_is_in_them_are_followed_and_nothing_else() {
        let keys = |path: Option<Vec<PathStep<'_>>>| -> Vec<String> {
            let told = path.unwrap().into_iter().map(|step| match step {
                PathStep::Key(key) => key.to_owned(),
                PathStep::Named(name) => format!("[{name}]"),
            });
            told.collect()
        };
        assert_eq!(keys(path("{{ vault_pw }}")), ["vault_pw"]);
        assert_eq!(
            keys(path("{{a.b['c d']['e'].f|trim}}")),
            ["a", "b", "c d", "e", "f"]
        );
        assert_eq!(
            keys(path("{{ pw[inventory_hostname][ user ].x }}")),
            ["pw", "[inventory_hostname]", "[user]", "x"]
        );
        for other in [
            "{{ lookup('env', 'X') }}",
            "x{{ a }}",
            "{{ a }}{{ b }}",
            "{{ a + b }}",
            "{{ a[b.c] }}",
            "{{ a[0] }}",
            "{{ [a] }}",
            "{{ }}",
        ] {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
