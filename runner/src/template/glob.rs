//! Files on the control host that match a pattern with `*`, `?` and `[…]`.

use std::path::{Path, PathBuf};

/// The files (not folders) that a pattern matches, sorted by name.
pub(super) fn files(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !text.contains(['*', '?', '[']) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        found = found
            .iter()
            .flat_map(|folder| children(folder, &text))
            .collect();
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

fn children(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let listed = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let pattern: Vec<char> = pattern.chars().collect();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(listed).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let text: Vec<char> = name.to_string_lossy().chars().collect();
        let hidden = text.first() == Some(&'.') && pattern.first() != Some(&'.');
        if !hidden && matches(&pattern, &text) {
            found.push(folder.join(&name));
        }
    }
    found
}

/// Whether a name matches a pattern, as Python's `fnmatch` has it.
fn matches(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
        ['?', rest @ ..] => !name.is_empty() && matches(rest, &name[1..]),
        ['[', rest @ ..] => match (class(rest), name) {
            (Some((set, rest)), [first, tail @ ..]) => in_class(set, *first) && matches(rest, tail),
            (Some(_), []) => false,
            (None, _) => name.first() == Some(&'[') && matches(rest, &name[1..]),
        },
        [letter, rest @ ..] => name.first() == Some(letter) && matches(rest, &name[1..]),
    }
}

/// The inside of a class, and what follows it.
fn class(text: &[char]) -> Option<(&[char], &[char])> {
    let first = usize::from(matches!(text.first(), Some('!' | '^')));
    let end = text.iter().skip(first + 1).position(|c| *c == ']')? + first + 1;
    Some((&text[..end], &text[end + 1..]))
}

fn in_class(set: &[char], letter: char) -> bool {
    let (negated, mut set) = match set {
        ['!' | '^', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut found = false;
    while let [first, rest @ ..] = set {
        set = if let ['-', last, rest @ ..] = rest {
            found |= (*first..=*last).contains(&letter);
            rest
        } else {
            found |= *first == letter;
            rest
        };
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn names_match_as_in_a_shell() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.confx", false),
            ("?.y*ml", "a.yml", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[", "[", true),
            ("*", "", true),
        ] {
            assert_eq!(
                matches(&chars(pattern), &chars(name)),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
