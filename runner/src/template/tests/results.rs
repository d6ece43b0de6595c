//! Tests of what a task registered, of text, versions, sets and files.

use std::path::Path;

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, contains as holds, item, items, truth};
use crate::template::filters::yes_or_no;
use crate::template::python::{string, type_name};
use crate::template::regex::{self, Flags};
use crate::template::version::{self, VersionKind};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static TESTS: &[Function] = &[
    test!("failed", |input| flag(input, "failed")),
    test!("failure", |input| flag(input, "failed")),
    test!("success", |input| Ok(!flag(input, "failed")?)),
    test!("succeeded", |input| Ok(!flag(input, "failed")?)),
    test!("successful", |input| Ok(!flag(input, "failed")?)),
    test!("unreachable", |input| flag(input, "unreachable")),
    test!("reachable", |input| Ok(!flag(input, "unreachable")?)),
    test!("skipped", |input| flag(input, "skipped")),
    test!("skip", |input| flag(input, "skipped")),
    test!("changed", changed),
    test!("change", changed),
    test!("finished", |input| flag_or(input, "finished", true)),
    test!("started", |input| flag_or(input, "started", true)),
    test!("timedout", timedout),
    test!("match", matched, 1, ["pattern", "ignorecase", "multiline"]),
    test!(
        "search",
        searched,
        1,
        ["pattern", "ignorecase", "multiline"]
    ),
    test!(
        "regex",
        regexed,
        1,
        ["pattern", "ignorecase", "multiline", "match_type"]
    ),
    test!(
        "version",
        version_test,
        2,
        ["version", "operator", "strict", "version_type"]
    ),
    test!(
        "version_compare",
        version_test,
        2,
        ["version", "operator", "strict", "version_type"]
    ),
    test!("any", |input| input
        .list(0)?
        .iter()
        .try_fold(false, |found, item| Ok(truth(item)? || found))),
    test!("all", |input| input
        .list(0)?
        .iter()
        .try_fold(true, |all, item| Ok(truth(item)? && all))),
    test!("truthy", truthy, 1, ["convert_bool"]),
    test!("falsy", falsy, 1, ["convert_bool"]),
    test!("subset", subset, 2, ["b"]),
    test!("issubset", subset, 2, ["b"]),
    test!("superset", superset, 2, ["b"]),
    test!("issuperset", superset, 2, ["b"]),
    test!("contains", contains, 2, ["value"]),
    test!("nan", |input| Ok(
        f64::try_from(input.value(0)).is_ok_and(f64::is_nan)
    )),
    test!("isnan", |input| Ok(
        f64::try_from(input.value(0)).is_ok_and(f64::is_nan)
    )),
    test!("directory", |input| path(input, Path::is_dir)),
    test!("is_dir", |input| path(input, Path::is_dir)),
    test!("file", |input| path(input, Path::is_file)),
    test!("is_file", |input| path(input, Path::is_file)),
    test!("link", |input| path(input, Path::is_symlink)),
    test!("is_link", |input| path(input, Path::is_symlink)),
    test!("exists", |input| path(input, Path::exists)),
    test!("link_exists", |input| path(input, |path| path
        .symlink_metadata()
        .is_ok())),
    test!("abs", |input| path(input, Path::is_absolute)),
    test!("is_abs", |input| path(input, Path::is_absolute)),
    test!("same_file", same_file, 2, ["other"]),
    test!("is_same_file", same_file, 2, ["other"]),
    test!("vault_encrypted", |input| Ok(input
        .value(0)
        .as_str()
        .is_some_and(|text| text.starts_with("$ANSIBLE_VAULT")))),
    test!("uri", uri, 1, ["schemes"]),
    test!("url", uri, 1, ["schemes"]),
    test!("urn", |input| Ok(input.text(0)?.starts_with("urn:"))),
];

fn result(input: &BoundArguments<'_, '_>) -> Result<Value> {
    let value = input.value(0);
    if value.kind() == ValueKind::Map {
        return Ok(value);
    }
    Err(input
        .error(format_args!(
            "asks about the result of a task, but this is of type '{}'",
            type_name(&value)
        ))
        .hint("use it with a variable that a task registered"))
}

fn flag_or(input: &BoundArguments<'_, '_>, name: &str, default: bool) -> Result<bool> {
    match item(&result(input)?, &Value::from(name)) {
        Some(value) => truth(&value),
        None => Ok(default),
    }
}

fn flag(input: &BoundArguments<'_, '_>, name: &str) -> Result<bool> {
    flag_or(input, name, false)
}

fn changed(input: &BoundArguments<'_, '_>) -> Result<bool> {
    let value = result(input)?;
    if let Some(changed) = item(&value, &Value::from("changed")) {
        return truth(&changed);
    }
    let results = item(&value, &Value::from("results"));
    let results = results.filter(|results| results.kind() == ValueKind::Seq);
    let Some(results) = results else {
        return Ok(false);
    };
    for one in items(&results)? {
        if item(&one, &Value::from("changed")).is_some_and(|changed| changed.is_true()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn timedout(input: &BoundArguments<'_, '_>) -> Result<bool> {
    let timedout = item(&result(input)?, &Value::from("timedout"));
    Ok(timedout
        .and_then(|timedout| item(&timedout, &Value::from("period")))
        .is_some_and(|period| period.is_true()))
}

fn expression(input: &BoundArguments<'_, '_>, how: &str) -> Result {
    let (text, pattern) = (input.text(0)?, input.optional_text(1).unwrap_or_default());
    let flags = Flags {
        ignorecase: input.bool_or(2, false)?,
        multiline: input.bool_or(3, false)?,
    };
    let pattern = match how {
        "match" => format!(r"\A(?:{pattern})"),
        "fullmatch" => format!(r"\A(?:{pattern})\Z"),
        _ => pattern,
    };
    let regex = regex::compile(&pattern, flags)?;
    Ok(Value::from(regex::search(&regex, &text)?.is_some()))
}

fn matched(input: &mut BoundArguments<'_, '_>) -> Result {
    expression(input, "match")
}

fn searched(input: &mut BoundArguments<'_, '_>) -> Result {
    expression(input, "search")
}

fn regexed(input: &mut BoundArguments<'_, '_>) -> Result {
    let how = input
        .optional_text(4)
        .unwrap_or_else(|| "search".to_owned());
    expression(input, &how)
}

fn version_test(input: &mut BoundArguments<'_, '_>) -> Result {
    let (left, right) = (input.text(0)?, input.text(1)?);
    if left.is_empty() || right.is_empty() {
        return Err(input.error("compares versions, and one of the two is empty"));
    }
    let operator = input.optional_text(2).unwrap_or_else(|| "eq".to_owned());
    let kind = match (input.bool_or(3, false)?, input.optional_text(4).as_deref()) {
        (true, _) | (_, Some("strict")) => VersionKind::Strict,
        (_, None | Some("loose")) => VersionKind::Loose,
        (_, Some("semver" | "semantic")) => VersionKind::Semantic,
        (_, Some("pep440")) => VersionKind::Python,
        (_, Some(other)) => {
            return Err(input
                .error(format_args!("knows no version_type '{other}'"))
                .hint("it is one of loose, strict, semver, semantic, pep440"));
        }
    };
    let order = version::compare(&left, &right, kind)?;
    Ok(Value::from(match operator.as_str() {
        "==" | "=" | "eq" => order.is_eq(),
        "!=" | "<>" | "ne" => order.is_ne(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        other => {
            return Err(input
                .error(format_args!("knows no comparison '{other}'"))
                .hint("it is one of ==, !=, <, <=, >, >="));
        }
    }))
}

fn truthiness(input: &BoundArguments<'_, '_>) -> Result<bool> {
    let value = input.value(0);
    match value
        .as_str()
        .filter(|_| input.bool_or(1, false).unwrap_or(false))
    {
        Some(text) => Ok(yes_or_no(text).unwrap_or(!text.is_empty())),
        None => truth(&value),
    }
}

fn truthy(input: &mut BoundArguments<'_, '_>) -> Result {
    truthiness(input).map(Value::from)
}

fn falsy(input: &mut BoundArguments<'_, '_>) -> Result {
    truthiness(input).map(|truth| Value::from(!truth))
}

fn subset(input: &mut BoundArguments<'_, '_>) -> Result {
    let (small, large) = (input.list(0)?, input.list(1)?);
    Ok(Value::from(small.iter().all(|item| large.contains(item))))
}

fn superset(input: &mut BoundArguments<'_, '_>) -> Result {
    let (large, small) = (input.list(0)?, input.list(1)?);
    Ok(Value::from(small.iter().all(|item| large.contains(item))))
}

fn contains(input: &mut BoundArguments<'_, '_>) -> Result {
    holds(&input.value(0), &input.value(1)).map(Value::from)
}

fn path(input: &BoundArguments<'_, '_>, test: fn(&Path) -> bool) -> Result<bool> {
    Ok(test(Path::new(&input.text(0)?)))
}

fn same_file(input: &mut BoundArguments<'_, '_>) -> Result {
    let real = |index| -> Result<_> {
        let path = input.text(index)?;
        std::fs::canonicalize(&path)
            .map_err(|error| input.error(format_args!("cannot find {path}: {error}")))
    };
    Ok(Value::from(real(0)? == real(1)?))
}

fn uri(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let scheme = text
        .split_once(':')
        .map(|(scheme, _)| scheme.to_lowercase());
    let wanted: Option<Vec<String>> = match input.get(1) {
        Some(schemes) if !schemes.is_none() => Some(items(schemes)?.iter().map(string).collect()),
        _ => None,
    };
    Ok(Value::from(scheme.is_some_and(|scheme| {
        !scheme.is_empty() && wanted.is_none_or(|wanted| wanted.contains(&scheme))
    })))
}
