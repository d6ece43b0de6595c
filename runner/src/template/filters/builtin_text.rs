//! Jinja's own filters for text.

use minijinja::Value;
use minijinja::value::{Tuple, ValueKind};

use crate::template::budget::{Growing, fits, joined, replaced};
use crate::template::error::TemplateError;
use crate::template::eval::{
    BoundArguments, Function, capitalize as capitalized, entries, integer, pair, percent,
};
use crate::template::python::string;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("upper", upper, 1, []),
    filter!("lower", lower, 1, []),
    filter!("title", title, 1, []),
    filter!("capitalize", capitalize, 1, []),
    filter!("trim", trim, 1, ["chars"]),
    filter!("center", center, 1, ["width"]),
    filter!("replace", replace, 3, ["old", "new", "count"]),
    filter!(
        "truncate",
        truncate,
        1,
        ["length", "killwords", "end", "leeway"]
    ),
    filter!("wordcount", wordcount, 1, []),
    filter!(
        "wordwrap",
        wordwrap,
        1,
        [
            "width",
            "break_long_words",
            "wrapstring",
            "break_on_hyphens"
        ]
    ),
    filter!("indent", indent, 1, ["width", "first", "blank"]),
    filter!("format", format, 1, ["*", "**"]),
    filter!("escape", escape, 1, []),
    filter!("e", escape, 1, []),
    filter!("forceescape", escape, 1, []),
    filter!("striptags", striptags, 1, []),
    filter!("urlencode", urlencode, 1, []),
];

fn upper(input: &mut BoundArguments<'_, '_>) -> Result {
    Ok(input.text(0)?.to_uppercase().into())
}

fn lower(input: &mut BoundArguments<'_, '_>) -> Result {
    Ok(input.text(0)?.to_lowercase().into())
}

/// A capital after blanks and brackets only, unlike the method of the same name.
fn title(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let mut out = String::new();
    let mut word = String::new();
    let finish = |word: &mut String, out: &mut String| {
        out.push_str(&capitalized(word));
        word.clear();
    };
    for character in text.chars() {
        if character.is_whitespace() || matches!(character, '-' | '(' | '{' | '[' | '<') {
            finish(&mut word, &mut out);
            out.push(character);
        } else {
            word.push(character);
        }
    }
    finish(&mut word, &mut out);
    Ok(out.into())
}

fn capitalize(input: &mut BoundArguments<'_, '_>) -> Result {
    Ok(capitalized(&input.text(0)?).into())
}

fn trim(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    Ok(match input.optional_text(1) {
        Some(set) => text.trim_matches(|c| set.contains(c)),
        None => text.trim(),
    }
    .into())
}

fn center(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let width = usize::try_from(input.int_or(1, 80)?.clamp(0, 1 << 16)).unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    let before = missing / 2 + (missing & width & 1);
    Ok(format!(
        "{}{text}{}",
        " ".repeat(before),
        " ".repeat(missing - before)
    )
    .into())
}

fn replace(input: &mut BoundArguments<'_, '_>) -> Result {
    let (text, old, new) = (input.text(0)?, input.text(1)?, input.text(2)?);
    let count = match input.get(3) {
        Some(value) if !value.is_none() => integer(value),
        _ => None,
    };
    let count = count.and_then(|count| usize::try_from(count).ok());
    replaced(&text, &old, &new, count).map(Value::from)
}

fn truncate(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let length = usize::try_from(input.int_or(1, 255)?).unwrap_or(0);
    let end = input.optional_text(3).unwrap_or_else(|| "...".to_owned());
    let leeway = usize::try_from(input.int_or(4, 5)?).unwrap_or(0);
    if text.chars().count() <= length + leeway {
        return Ok(text.into());
    }
    let kept: String = text
        .chars()
        .take(length.saturating_sub(end.chars().count()))
        .collect();
    let kept = if input.bool_or(2, false)? {
        kept.as_str()
    } else {
        kept.rsplit_once(' ')
            .map_or(kept.as_str(), |(words, _)| words)
    };
    Ok(format!("{kept}{end}").into())
}

fn wordcount(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    Ok(Value::from(words.filter(|word| !word.is_empty()).count()))
}

fn wordwrap(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let width = usize::try_from(input.int_or(1, 79)?.max(1)).unwrap_or(1);
    let break_long = input.bool_or(2, true)?;
    let with = input.optional_text(3).unwrap_or_else(|| "\n".to_owned());
    // Each line begins with a separator, as far as memory goes.
    fits((text.len() / width).checked_mul(with.len().max(1)))?;
    let lines = text
        .lines()
        .map(|line| joined(wrapped(line, width, break_long).into_iter().map(Ok), &with));
    joined(lines, &with).map(Value::from)
}

fn wrapped(line: &str, width: usize, break_long: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    let mut length = 0;
    for word in line.split(' ') {
        let word: Vec<char> = word.chars().collect();
        let mut word = word.as_slice();
        if length > 0 && length + 1 + word.len() > width {
            lines.push(std::mem::take(&mut current));
            length = 0;
        }
        if length > 0 {
            current.push(' ');
            length += 1;
        }
        while break_long && word.len() > width {
            let (line, rest) = word.split_at(width);
            lines.push(line.iter().collect());
            word = rest;
        }
        length += word.len();
        current.extend(word);
    }
    lines.push(current);
    lines
}

fn indent(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let by = match input.get(1) {
        Some(width) if width.as_str().is_some() => string(width),
        _ => " ".repeat(usize::try_from(input.int_or(1, 4)?.clamp(0, 4096)).unwrap_or(0)),
    };
    let (first, blank) = (input.bool_or(2, false)?, input.bool_or(3, false)?);
    let mut out = Growing::default();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push("\n")?;
        }
        let wanted = if index == 0 {
            first
        } else {
            blank || !line.is_empty()
        };
        if wanted {
            out.push(&by)?;
        }
        out.push(line)?;
    }
    Ok(out.text().into())
}

fn format(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let values = if input.named.is_empty() {
        Value::from(Tuple::from(std::mem::take(&mut input.rest)))
    } else {
        Value::from_pairs(
            input
                .named
                .iter()
                .map(|(name, value)| (&**name, value.clone())),
        )
    };
    percent(&text, &values).map(Value::from)
}

fn escape(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    fits(text.len().checked_mul("&amp;".len()))?;
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            other => out.push(other),
        }
    }
    Ok(out.into())
}

fn striptags(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    Ok(out.split_whitespace().collect::<Vec<_>>().join(" ").into())
}

/// Text as it may stand in a URL.
pub(super) fn quoted(text: &str, safe: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let character = char::from(byte);
        if byte.is_ascii_alphanumeric()
            || "_.-~".contains(character)
            || (byte.is_ascii() && safe.contains(character))
        {
            out.push(character);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn urlencode(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    let pairs = match value.kind() {
        ValueKind::Map => entries(&value).unwrap_or_default(),
        ValueKind::Seq => input.list(0)?.iter().map(pair).collect::<Result<_>>()?,
        _ => {
            let text = input.text(0)?;
            fits(text.len().checked_mul("%20".len()))?;
            return Ok(quoted(&text, "/").into());
        }
    };
    let parts = pairs
        .iter()
        .map(|(key, value)| Ok(format!("{}={}", plus(&string(key)), plus(&string(value)))));
    joined(parts, "&").map(Value::from)
}

/// Text as it may stand in a query.
fn plus(text: &str) -> String {
    quoted(text, " ").replace(' ', "+")
}
