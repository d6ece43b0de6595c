//! Versions, compared as `is version(…)` does.

use std::cmp::Ordering;

use super::error::TemplateError;

/// How versions are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) fn compare(left: &str, right: &str, kind: Kind) -> Result<Ordering, TemplateError> {
    match kind {
        Kind::Loose => loose(left, right),
        Kind::Strict => Ok(strict(left)?.cmp(&strict(right)?)),
        Kind::Semantic => Ok(semantic(left)?.cmp(&semantic(right)?)),
        Kind::Python => Ok(python(left)?.cmp(&python(right)?)),
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
                    "'version' cannot compare '{left}' and '{right}': a number stands where the other has a word"
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
    TemplateError::new(format!("'{version}' is no {kind} version"))
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

/// A part of a semantic pre-release: numbers come before words.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

/// Three numbers, whether it is final, the pre-release.
type Semantic = ([u64; 3], bool, Vec<Identifier>);

fn semantic(version: &str) -> Result<Semantic, TemplateError> {
    let error = || bad(version, "semantic");
    let (rest, _) = version.split_once('+').unwrap_or((version, ""));
    let (core, pre) = match rest.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (rest, None),
    };
    let numbers: Vec<u64> = core
        .split('.')
        .map(|part| part.parse().map_err(|_| error()))
        .collect::<Result<_, _>>()?;
    let numbers: [u64; 3] = numbers.try_into().map_err(|_| error())?;
    let identifiers = pre.map_or_else(Vec::new, |pre| {
        pre.split('.')
            .map(|part| {
                part.parse()
                    .map_or_else(|_| Identifier::Word(part.to_owned()), Identifier::Number)
            })
            .collect()
    });
    Ok((numbers, pre.is_none(), identifiers))
}

/// Epoch, release without trailing zeros, pre-release, post-release, development release, local part.
type Python = (
    u64,
    Vec<u64>,
    (i8, u64),
    (bool, u64),
    (bool, u64),
    Vec<(bool, u64, String)>,
);

fn python(version: &str) -> Result<Python, TemplateError> {
    let error = || bad(version, "Python");
    let text = version.trim().trim_start_matches(['v', 'V']).to_lowercase();
    let (text, local) = text
        .split_once('+')
        .map_or((text.as_str(), ""), |(text, local)| (text, local));
    let (epoch, text) = match text.split_once('!') {
        Some((epoch, text)) => (epoch.parse().map_err(|_| error())?, text),
        None => (0, text),
    };
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (release, mut rest) = text.split_at(end);
    let mut release: Vec<u64> = release
        .trim_end_matches('.')
        .split('.')
        .map(|part| part.parse().map_err(|_| error()))
        .collect::<Result<_, _>>()?;
    while release.len() > 1 && release.last() == Some(&0) {
        release.pop();
    }
    let (mut pre, mut post, mut dev) = (None, None, None);
    while !rest.is_empty() {
        let trimmed = rest.trim_start_matches(['.', '-', '_']);
        let word_end = trimmed
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(trimmed.len());
        let (word, after) = trimmed.split_at(word_end);
        let after = if word.is_empty() {
            after
        } else {
            after.trim_start_matches(['.', '-', '_'])
        };
        let digits_end = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let number = after[..digits_end].parse().unwrap_or(0);
        match word {
            "a" | "alpha" => pre = Some((0, number)),
            "b" | "beta" => pre = Some((1, number)),
            "rc" | "c" | "pre" | "preview" => pre = Some((2, number)),
            "post" | "rev" | "r" => post = Some(number),
            "" if digits_end > 0 => post = Some(number),
            "dev" => dev = Some(number),
            _ => return Err(error()),
        }
        rest = &after[digits_end..];
    }
    // A development release alone comes before all pre-releases; a final release after them.
    let pre = pre.unwrap_or(if post.is_none() && dev.is_some() {
        (-1, 0)
    } else {
        (3, 0)
    });
    let local = local
        .split(['.', '-', '_'])
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse().map_or_else(
                |_| (false, 0, part.to_owned()),
                |number| (true, number, String::new()),
            )
        })
        .collect();
    Ok((
        epoch,
        release,
        pre,
        (post.is_some(), post.unwrap_or(0)),
        (dev.is_none(), dev.unwrap_or(0)),
        local,
    ))
}

#[cfg(test)]
mod tests {
    use super::{Kind, compare};

    #[test]
    fn versions_are_ordered() {
        for (kind, ascending) in [
            (Kind::Loose, &["1.9", "1.10", "1.10.1", "2"][..]),
            (Kind::Strict, &["1.0a1", "1.0b1", "1.0", "1.0.1"][..]),
            (
                Kind::Semantic,
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
                Kind::Python,
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
        assert!(compare("v1.29.3", "1.29", Kind::Loose).is_err());
        assert!(
            compare("1.0", "1.0.0", Kind::Python)
                .expect("they are versions")
                .is_eq()
        );
    }
}
