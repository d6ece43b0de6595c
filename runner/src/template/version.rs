//! Versions, compared as `is version(…)` does.

use std::cmp::Ordering;

use super::error::TemplateError;

/// How versions are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VersionKind {
    /// Numbers and words one after another; no version is wrong.
    Loose,
    /// `1.2`, `1.2.3`, `1.2a1`.
    Strict,
    /// <https://semver.org>.
    Semantic,
    /// PEP 440, as Python packages have them.
    Python,
}

/// A number or a word of a loose version.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Number(u64),
    Word(String),
}

/// Which of two versions is the later one.
pub(super) fn compare(
    left: &str,
    right: &str,
    kind: VersionKind,
) -> Result<Ordering, TemplateError> {
    match kind {
        VersionKind::Loose => loose(left, right),
        VersionKind::Strict => Ok(strict(left)?.cmp(&strict(right)?)),
        VersionKind::Semantic => Ok(semantic(left)?.cmp_precedence(&semantic(right)?)),
        VersionKind::Python => Ok(python(left)?.cmp(&python(right)?)),
    }
}

fn parts(version: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| {
            if first.is_ascii_digit() {
                c.is_ascii_digit()
            } else {
                first.is_ascii_lowercase() && c.is_ascii_lowercase()
            }
        };
        let end = rest
            .find(|c| !same(c))
            .unwrap_or(rest.len())
            .max(first.len_utf8());
        let part = &rest[..end];
        rest = &rest[end..];
        match part.parse() {
            Ok(number) => parts.push(Part::Number(number)),
            Err(_) if part != "." => parts.push(Part::Word(part.to_owned())),
            Err(_) => {}
        }
    }
    parts
}

fn loose(left: &str, right: &str) -> Result<Ordering, TemplateError> {
    let (first, second) = (parts(left), parts(right));
    for (one, other) in first.iter().zip(&second) {
        let order = match (one, other) {
            (Part::Number(one), Part::Number(other)) => one.cmp(other),
            (Part::Word(one), Part::Word(other)) => one.cmp(other),
            _ => {
                return Err(TemplateError::new(format!(
                    "'version' cannot compare '{left}' and '{right}': one has a number where the other has a word"
                ))
                .hint("say which kind of version they are, with version_type='semver' or 'pep440'"));
            }
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(first.len().cmp(&second.len()))
}

fn bad(version: &str, kind: &str) -> TemplateError {
    TemplateError::new(format!("'{version}' is not a {kind} version"))
}

/// Three numbers, then whether it is final, then the pre-release.
type Strict = ([u64; 3], bool, Option<(char, u64)>);

fn strict(version: &str) -> Result<Strict, TemplateError> {
    let error = || bad(version, "strict");
    let at = version.find(['a', 'b']);
    let (numbers, pre) = version.split_at(at.unwrap_or(version.len()));
    let pre = match pre.chars().next() {
        None => None,
        Some(letter) => Some((letter, pre[1..].parse().map_err(|_| error())?)),
    };
    let given: Vec<u64> = numbers
        .split('.')
        .map(|part| part.parse().map_err(|_| error()))
        .collect::<Result<_, _>>()?;
    if !(2..=3).contains(&given.len()) {
        return Err(error());
    }
    let mut three = [0; 3];
    three[..given.len()].copy_from_slice(&given);
    Ok((three, pre.is_none(), pre))
}

fn semantic(version: &str) -> Result<semver::Version, TemplateError> {
    semver::Version::parse(version).map_err(|error| {
        bad(version, "semantic").hint(format!(
            "{error}; three numbers are needed, as <https://semver.org> has them"
        ))
    })
}

fn python(version: &str) -> Result<pep440_rs::Version, TemplateError> {
    (version.trim().parse()).map_err(|_| bad(version, "Python"))
}

#[cfg(test)]
mod tests {
    use super::{VersionKind, compare};

    #[test]
    fn versions_are_ordered() {
        for (kind, ascending) in [
            (VersionKind::Loose, &["1.9", "1.10", "1.10.1", "2"][..]),
            (VersionKind::Strict, &["1.0a1", "1.0b1", "1.0", "1.0.1"][..]),
            (
                VersionKind::Semantic,
                &[
                    "1.0.0-alpha",
                    "1.0.0-alpha.1",
                    "1.0.0-beta.2",
                    "1.0.0-beta.11",
                    "1.0.0",
                    "1.0.1",
                ][..],
            ),
            (
                VersionKind::Python,
                &[
                    "1.0.dev1",
                    "1.0a1",
                    "1.0rc1",
                    "1.0",
                    "1.0+local",
                    "1.0.post1",
                    "1.1",
                ][..],
            ),
        ] {
            for pair in ascending.windows(2) {
                let order = compare(pair[0], pair[1], kind).expect("they are versions");
                assert!(order.is_lt(), "{kind:?}: {} < {}", pair[0], pair[1]);
            }
        }
        assert!(compare("v1.29.3", "1.29", VersionKind::Loose).is_err());
        // What was built of it says nothing of which is later.
        let built = compare("1.0.0+a", "1.0.0+b", VersionKind::Semantic);
        assert!(built.expect("they are versions").is_eq());
        for wrong in ["1.0", "01.0.0", "1.0.0-01", "v1.0.0"] {
            assert!(
                compare(wrong, "1.0.0", VersionKind::Semantic).is_err(),
                "{wrong}"
            );
        }
        for wrong in ["1.0.", "a", "1..0"] {
            assert!(
                compare(wrong, "1.0", VersionKind::Python).is_err(),
                "{wrong}"
            );
        }
        assert!(
            compare("1.0", "1.0.0", VersionKind::Python)
                .expect("they are versions")
                .is_eq()
        );
    }
}
