//! Methods of strings.

use minijinja::Value;
use minijinja::value::Tuple;

use super::access::items;
use super::call::CallArguments;
use super::format::text_format;
use super::given::Given;
use super::operators::whole;
use crate::template::budget::{ITEM, fits, joined, replaced};
use crate::template::error::TemplateError;
use crate::template::special::List;

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// `text.name(args)`; nothing if strings have no such method.
pub(super) fn call(text: &str, name: &str, arguments: &CallArguments) -> Option<Result> {
    let given = Given {
        method: name,
        arguments,
    };
    Some(match name {
        "upper" => Ok(text.to_uppercase().into()),
        "lower" | "casefold" => Ok(text.to_lowercase().into()),
        "title" => Ok(title(text).into()),
        "capitalize" => Ok(capitalize(text).into()),
        "swapcase" => Ok(swapcase(text).into()),
        "strip" => strip(text, &given, true, true),
        "lstrip" => strip(text, &given, true, false),
        "rstrip" => strip(text, &given, false, true),
        "removeprefix" => given
            .text(0, "prefix")
            .map(|prefix| text.strip_prefix(prefix).unwrap_or(text).into()),
        "removesuffix" => given
            .text(0, "suffix")
            .map(|suffix| text.strip_suffix(suffix).unwrap_or(text).into()),
        "startswith" => affix(text, &given, |text, part| text.starts_with(part)),
        "endswith" => affix(text, &given, |text, part| text.ends_with(part)),
        "split" => split(text, &given, false),
        "rsplit" => split(text, &given, true),
        "splitlines" => splitlines(text, &given),
        "partition" => partition(text, &given, false),
        "rpartition" => partition(text, &given, true),
        "join" => join(text, &given),
        "replace" => replace(text, &given),
        "count" => given.text(0, "sub").map(|part| {
            Value::from(if part.is_empty() {
                text.chars().count() + 1
            } else {
                text.matches(part).count()
            })
        }),
        "find" | "rfind" | "index" | "rindex" => find(text, &given),
        "zfill" | "ljust" | "rjust" | "center" => pad(text, &given),
        "format" => text_format(text, arguments).map(Value::from),
        "encode" => Ok(Value::from_bytes(text.as_bytes().to_vec())),
        "expandtabs" => replaced(text, "\t", "        ", None).map(Value::from),
        _ => return kind_of(text, name).map(|truth| Ok(Value::from(truth))),
    })
}

/// `isdigit` and its relatives.
fn kind_of(text: &str, name: &str) -> Option<bool> {
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    Some(match name {
        "isdigit" | "isnumeric" | "isdecimal" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "isascii" => text.is_ascii(),
        "isupper" => text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase),
        "islower" => text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase),
        "istitle" => !text.is_empty() && title(text) == text,
        "isidentifier" => {
            all(|c| c.is_alphanumeric() || c == '_') && !text.starts_with(|c: char| c.is_numeric())
        }
        _ => return None,
    })
}

/// Every word with a capital first letter, as Python's `str.title`.
pub(in crate::template) fn title(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if inside {
            out.extend(character.to_lowercase());
        } else {
            out.extend(character.to_uppercase());
        }
        inside = character.is_alphabetic();
    }
    out
}

/// The first letter a capital, the others small.
pub(in crate::template) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(characters.flat_map(char::to_lowercase))
            .collect()
    })
}

fn swapcase(text: &str) -> String {
    text.chars()
        .flat_map(|c| -> Box<dyn Iterator<Item = char>> {
            if c.is_uppercase() {
                Box::new(c.to_lowercase())
            } else {
                Box::new(c.to_uppercase())
            }
        })
        .collect()
}

fn strip(text: &str, given: &Given<'_>, start: bool, end: bool) -> Result {
    let set = given.maybe_text(0, "chars")?;
    let wanted = |c: char| set.map_or_else(|| c.is_whitespace(), |set| set.contains(c));
    let text = if start {
        text.trim_start_matches(wanted)
    } else {
        text
    };
    let text = if end {
        text.trim_end_matches(wanted)
    } else {
        text
    };
    Ok(text.into())
}

fn affix(text: &str, given: &Given<'_>, test: fn(&str, &str) -> bool) -> Result {
    let wanted = given.need(0, "prefix")?;
    let truth = match wanted.as_str() {
        Some(part) => test(text, part),
        None => items(wanted)?
            .iter()
            .filter_map(Value::as_str)
            .any(|part| test(text, part)),
    };
    Ok(Value::from(truth))
}

fn split(text: &str, given: &Given<'_>, from_right: bool) -> Result {
    let limit = given.int(1, "maxsplit", -1)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX - 1);
    let most = match given.maybe_text(0, "sep")? {
        Some(separator) => text.matches(separator).take(limit).count(),
        None => text
            .chars()
            .filter(|c| c.is_whitespace())
            .take(limit)
            .count(),
    };
    fits(most.checked_mul(ITEM))?;
    let mut parts: Vec<&str> = match given.maybe_text(0, "sep")? {
        Some("") => {
            return Err(TemplateError::new(
                "'split' needs a separator that is not empty",
            ));
        }
        Some(separator) if from_right => text.rsplitn(limit + 1, separator).collect(),
        Some(separator) => text.splitn(limit + 1, separator).collect(),
        None if from_right => words_from_right(text, limit),
        None => words(text, limit),
    };
    if from_right {
        parts.reverse();
    }
    Ok(List::value(parts.into_iter().map(Value::from).collect()))
}

fn words(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if parts.len() == limit {
            parts.push(rest);
            break;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        parts.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    parts
}

fn words_from_right(text: &str, limit: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        if parts.len() == limit {
            parts.push(rest);
            break;
        }
        let start = rest
            .char_indices()
            .rev()
            .find(|(_, c)| c.is_whitespace())
            .map_or(0, |(at, c)| at + c.len_utf8());
        parts.push(&rest[start..]);
        rest = rest[..start].trim_end();
    }
    parts
}

fn splitlines(text: &str, given: &Given<'_>) -> Result {
    fits(text.matches('\n').count().checked_mul(ITEM))?;
    let keep = given.get(0, "keepends").is_some_and(Value::is_true);
    let lines = text.split_inclusive('\n').map(|line| {
        if keep {
            line
        } else {
            let line = line.strip_suffix('\n').unwrap_or(line);
            line.strip_suffix('\r').unwrap_or(line)
        }
    });
    Ok(List::value(lines.map(Value::from).collect()))
}

fn partition(text: &str, given: &Given<'_>, from_right: bool) -> Result {
    let separator = given.text(0, "sep")?;
    let parts = if from_right {
        text.rsplit_once(separator)
            .map_or(["", "", text], |(a, b)| [a, separator, b])
    } else {
        text.split_once(separator)
            .map_or([text, "", ""], |(a, b)| [a, separator, b])
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn join(text: &str, given: &Given<'_>) -> Result {
    let parts = items(given.need(0, "iterable")?)?;
    let parts = parts.iter().map(|part| {
        part.as_str().ok_or_else(|| {
            TemplateError::new(format!(
                "'join' needs strings, and {} is none",
                crate::template::repr(part)
            ))
            .hint("convert them with `map('string')`, or use the filter 'join'")
        })
    });
    joined(parts, text).map(Value::from)
}

fn replace(text: &str, given: &Given<'_>) -> Result {
    let (old, new) = (given.text(0, "old")?, given.text(1, "new")?);
    let count = given.int(2, "count", -1)?;
    replaced(text, old, new, usize::try_from(count).ok()).map(Value::from)
}

fn find(text: &str, given: &Given<'_>) -> Result {
    let part = given.text(0, "sub")?;
    let found = if given.method.starts_with('r') {
        text.rfind(part)
    } else {
        text.find(part)
    };
    match found {
        Some(at) => Ok(Value::from(text[..at].chars().count())),
        None if given.method.ends_with("find") => Ok(whole(-1)),
        None => Err(TemplateError::new("the part is not in the string")),
    }
}

fn pad(text: &str, given: &Given<'_>) -> Result {
    let width = usize::try_from(given.int(0, "width", 0)?.clamp(0, 1 << 20)).unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    if given.method == "zfill" {
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) => (&text[..1], digits),
            None => ("", text),
        };
        return Ok(format!("{sign}{}{digits}", "0".repeat(missing)).into());
    }
    let fill = given.maybe_text(1, "fillchar")?.unwrap_or(" ");
    let (before, after) = match given.method {
        "ljust" => (0, missing),
        "rjust" => (missing, 0),
        // Python puts the odd one on the left when the width is odd too.
        _ => {
            let before = missing / 2 + (missing & width & 1);
            (before, missing - before)
        }
    };
    Ok(format!("{}{text}{}", fill.repeat(before), fill.repeat(after)).into())
}
