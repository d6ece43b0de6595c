//! Passwords as they stand in the text of files: lines of files are shown with what is wrong in them, and of
//! those that cannot be read no variable is known.

use std::collections::{BTreeSet, HashSet};

use windlass_modules::Secret;

use super::passwords::{self, PathStep};
use super::settings;
use crate::secrets::Secrets;

/// So many names that name each other are followed.
const NAMES: usize = 5;
/// So many lines of a text of several lines are looked at.
const LINES: usize = 100;

/// What `texts` give to the variables that hold passwords, and to those that these name: as far as it may stand in
/// what is `shown`, since a file may have any number of them.
pub fn written(texts: &[&str], shown: &[&str]) -> Secrets {
    let secrets = Secrets::default();
    let shown: HashSet<&str> = shown.iter().flat_map(|text| pieces(text)).collect();
    let add = |text: &str| {
        let text = bare(text);
        if pieces(text)
            .next()
            .is_none_or(|piece| shown.contains(piece))
        {
            secrets.add(&Secret::new(text));
        }
    };
    let mut seen = BTreeSet::new();
    let mut names: BTreeSet<String> = settings::passwords().map(str::to_owned).collect();
    for _ in 0..NAMES {
        let mut more = BTreeSet::new();
        for name in &names {
            for text in texts {
                for value in values(text, name) {
                    value.keep(add, &mut more);
                }
            }
        }
        seen.append(&mut names);
        names = more.difference(&seen).cloned().collect();
    }
    secrets
}

/// What stands after a name, `=` or `:`.
struct Value<'a> {
    /// The rest of the line.
    rest: &'a str,
    /// Whether nothing but the name stands before it: then all of the rest is the value.
    alone: bool,
    /// The lines that are further in, where the value is not on the line itself.
    below: Vec<&'a str>,
}

/// The values of `name` in a text.
fn values<'a>(text: &'a str, name: &str) -> impl Iterator<Item = Value<'a>> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).filter_map(move |(at, found)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        if before.ends_with(is_word) || after.starts_with(is_word) {
            return None;
        }
        let after = after.trim_start_matches([' ', '\t', '"', '\'', '\\']);
        let after = after.strip_prefix(['=', ':'])?;
        let (line, later) = after.split_once('\n').unwrap_or((after, ""));
        let rest = line.trim();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let indented = |line: &str| line.len() - line.trim_start().len();
        let own = indented(&text[start..]);
        let below = later
            .lines()
            .take(LINES)
            .take_while(|line| line.trim().is_empty() || indented(line) > own);
        Some(Value {
            rest,
            alone: before[start..].chars().all(|c| " \t-\"'".contains(c)),
            below: if rest.is_empty() || rest.starts_with(['|', '>', '&', '!']) {
                below.collect()
            } else {
                Vec::new()
            },
        })
    })
}

impl Value<'_> {
    /// Keeps all that may be the password; a template names others.
    fn keep(&self, add: impl Fn(&str) + Copy, names: &mut BTreeSet<String>) {
        let template = bare_of(self.rest, &["\"", "'", ","]);
        if template.starts_with("{{") && template.ends_with("}}") {
            let steps = passwords::path(template).unwrap_or_default();
            names.extend(steps.into_iter().filter_map(|step| match step {
                PathStep::Key(key) => Some(key.to_owned()),
                PathStep::Named(_) => None,
            }));
            return;
        }
        for line in &self.below {
            add(line);
        }
        if self.alone {
            add(self.rest);
            add(self.rest.split(" #").next().unwrap_or_default());
        }
        if let Some(quote) = self.rest.chars().next().filter(|c| "'\"".contains(*c)) {
            add(self.rest[1..].split(quote).next().unwrap_or_default());
        }
        add(self.rest.split([',', '}']).next().unwrap_or_default());
        // Of other words, `name=value` is a variable of its own.
        let mut words = self.rest.split_whitespace();
        words.next().into_iter().for_each(add);
        words.filter(|word| !word.contains('=')).for_each(add);
    }
}

/// What is between blanks, quotes and the like.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| c.is_whitespace() || "\"'`=:,;(){}[]\\".contains(c);
    text.split(between).filter(|piece| !piece.is_empty())
}

/// Without what may stand around a value.
fn bare(text: &str) -> &str {
    bare_of(text, &["\"", "'", ",", "{", "}", "[", "]"])
}

fn bare_of<'a>(text: &'a str, around: &[&str]) -> &'a str {
    text.trim_matches(|c: char| c.is_whitespace() || around.iter().any(|one| one.contains(c)))
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn passwords_are_found_however_they_are_written() {
        for text in [
            "h ansible_password=S3cretPass99 'unclosed",
            "h ansible_password='S3cretPass99",
            "h ansible_password=my S3cretPass99",
            "[web:vars]\nansible_password = a S3cretPass99 # b",
            "ansible_ssh_pass: S3cretPass99\n",
            "- 'ansible_ssh_pass' : \"S3cretPass99\n",
            "{h: {ansible_become_pass: a S3cretPass99, x: ",
            "{\"ansible_become_password\":\"S3cretPass99\"",
            "a:\n  ansible_password: |\n    S3cretPass99\n  b: [",
            "ansible_password:\n  S3cretPass99\n: [",
            "root: S3cretPass99\nansible_become_password: \"{{ root }}\"\n",
            "v: {root: S3cretPass99}\nansible_become_password: '{{ v.root | trim }}'\n",
        ] {
            let mut drawn = "`S3cretPass99` is wrong; the rest is not".to_owned();
            written(&[text], &[&drawn]).hide(&mut drawn);
            assert_eq!(drawn, "`********` is wrong; the rest is not", "{text}");
        }
    }

    #[test]
    fn of_many_passwords_only_those_count_that_may_be_shown() {
        let many = (0..1000).map(|number| format!("h{number} ansible_password=S3cret={number}"));
        let many = many.collect::<Vec<_>>().join("\n");
        let secrets = written(&[&many], &["`S3cret=7` is wrong"]);
        assert!(secrets.within(&["S3cret=7"]));
        assert!(written(&[&many], &["nothing is wrong"]).is_empty());
    }

    #[test]
    fn what_is_no_password_stays() {
        for text in [
            "h ansible_password=short ansible_host=10.0.0.15",
            "ansible_password: \"{{ lookup('env', '10.0.0.15') }}\"",
            "my_ansible_password: 10.0.0.15\nansible_passwords: 10.0.0.15",
            "ansible_password: |\n  S3cretPass99\nb: 10.0.0.15",
            "the ansible_password is 10.0.0.15",
        ] {
            let mut drawn = "ansible_host=10.0.0.15".to_owned();
            written(&[text], &[&drawn]).hide(&mut drawn);
            assert_eq!(drawn, "ansible_host=10.0.0.15", "{text}");
        }
    }
}
