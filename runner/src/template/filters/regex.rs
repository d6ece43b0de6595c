//! Filters with regular expressions.

use minijinja::Value;
use minijinja::value::Tuple;

use crate::template::budget::{Growing, ITEM, fits};
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function};
use crate::template::python::string;
use crate::template::regex::{self, Flags};
use crate::template::special::List;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!(
        "regex_replace",
        replace,
        1,
        [
            "pattern",
            "replacement",
            "ignorecase",
            "multiline",
            "count",
            "mandatory_count"
        ]
    ),
    filter!("regex_search", search, 2, ["regex", "*", "**"]),
    filter!(
        "regex_findall",
        findall,
        2,
        ["regex", "multiline", "ignorecase"]
    ),
    filter!("regex_escape", escape, 1, ["re_type"]),
];

fn replace(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let pattern = input.optional_text(1).unwrap_or_default();
    let replacement = input.optional_text(2).unwrap_or_default();
    let flags = Flags {
        ignorecase: input.bool_or(3, false)?,
        multiline: input.bool_or(4, false)?,
    };
    let limit = usize::try_from(input.int_or(5, 0)?)
        .ok()
        .filter(|count| *count > 0);
    let regex = regex::compile(&pattern, flags)?;
    let mut out = Growing::default();
    let (mut at, mut count) = (0, 0);
    for captures in regex::matches(&regex, &text).take(limit.unwrap_or(usize::MAX)) {
        let captures = captures?;
        if let Some(whole) = captures.get(0) {
            out.push(&text[at..whole.start()])?;
            out.push(&regex::expand(&regex, &replacement, &captures)?)?;
            at = whole.end();
            count += 1;
            // A pattern that matches between all characters would be at it for long.
            input.eval.shared.spend(usize::from(count % 2 == 0))?;
        }
    }
    out.push(&text[at..])?;
    let out = out.text();
    let mandatory = input.int_or(6, 0)?;
    if mandatory != 0 && mandatory != count {
        return Err(input.error(format_args!(
            "should match {mandatory} times, but '{pattern}' matches {count} times"
        )));
    }
    input.eval.shared.spend(out.len() / 64)?;
    Ok(out.into())
}

fn search(input: &mut BoundArguments<'_, '_>) -> Result {
    let (text, pattern) = (input.text(0)?, input.text(1)?);
    let mut flags = Flags::default();
    for (name, value) in &input.named {
        match &**name {
            "ignorecase" => flags.ignorecase = value.is_true(),
            "multiline" => flags.multiline = value.is_true(),
            other => return Err(input.error(format_args!("has no argument '{other}'"))),
        }
    }
    let regex = regex::compile(&pattern, flags)?;
    let Some(captures) = regex::search(&regex, &text)? else {
        return Ok(Value::from(()));
    };
    if input.rest.is_empty() {
        return Ok(captures.get(0).map_or("", |whole| whole.as_str()).into());
    }
    let mut groups = Vec::new();
    for wanted in &input.rest {
        let wanted = string(wanted);
        let name = wanted
            .strip_prefix("\\g<")
            .and_then(|name| name.strip_suffix('>'))
            .or_else(|| wanted.strip_prefix('\\'))
            .ok_or_else(|| {
                input.error(format_args!(
                    "names groups as '\\1' or '\\g<name>', not as '{wanted}'"
                ))
            })?;
        let found = match name.parse::<usize>() {
            Ok(index) if index >= captures.len() => {
                return Err(input.error(format_args!("has no group {index} in '{pattern}'")));
            }
            Ok(index) => captures.get(index),
            Err(_) => captures.name(name),
        };
        groups.push(found.map_or_else(|| Value::from(()), |found| Value::from(found.as_str())));
    }
    Ok(List::value(groups))
}

fn findall(input: &mut BoundArguments<'_, '_>) -> Result {
    let (text, pattern) = (input.text(0)?, input.text(1)?);
    let flags = Flags {
        multiline: input.bool_or(2, false)?,
        ignorecase: input.bool_or(3, false)?,
    };
    let regex = regex::compile(&pattern, flags)?;
    let (mut found, mut bytes) = (Vec::new(), 0_usize);
    for captures in regex::matches(&regex, &text) {
        let captures = captures?;
        let texts = captures.iter().flatten().map(|group| group.as_str().len());
        bytes = bytes.saturating_add(texts.sum::<usize>() + captures.len() * ITEM);
        fits(Some(bytes))?;
        let group = |index| {
            captures
                .get(index)
                .map_or("", |found: fancy_regex::Match<'_>| found.as_str())
        };
        found.push(match captures.len() {
            1 => Value::from(group(0)),
            2 => Value::from(group(1)),
            count => {
                let groups: Vec<Value> =
                    (1..count).map(|index| Value::from(group(index))).collect();
                Value::from(Tuple::from(groups))
            }
        });
    }
    Ok(List::value(found))
}

fn escape(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    match input.optional_text(1).as_deref() {
        None | Some("python") => Ok(regex::escape(&text).into()),
        Some("posix_basic") => {
            let mut out = String::new();
            for character in text.chars() {
                if "].[^$*\\".contains(character) {
                    out.push('\\');
                }
                out.push(character);
            }
            Ok(out.into())
        }
        Some(other) => Err(input.error(format_args!(
            "escapes for 'python' or 'posix_basic', not '{other}'"
        ))),
    }
}
