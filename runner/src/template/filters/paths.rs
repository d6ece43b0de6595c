//! Paths. They are taken apart as text; only `realpath`, `expanduser` and `fileglob` look at the
//! control host.

use std::path::{Component, Path, PathBuf};

use minijinja::Value;
use minijinja::value::Tuple;

use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function};
use crate::template::glob;
use crate::template::python::string;
use crate::template::special::List;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("basename", basename, 1, []),
    filter!("dirname", dirname, 1, []),
    filter!("path_join", path_join, 1, []),
    filter!("splitext", splitext, 1, []),
    filter!("normpath", normpath, 1, []),
    filter!("realpath", realpath, 1, []),
    filter!("relpath", relpath, 1, ["start"]),
    filter!("commonpath", commonpath, 1, []),
    filter!("expanduser", expanduser, 1, []),
    filter!("expandvars", expandvars, 1, []),
    filter!("fileglob", fileglob, 1, []),
    filter!("win_basename", win_basename, 1, []),
    filter!("win_dirname", win_dirname, 1, []),
];

fn basename(input: &mut BoundArguments<'_, '_>) -> Result {
    let path = input.text(0)?;
    Ok(path.rsplit('/').next().unwrap_or_default().into())
}

fn dirname(input: &mut BoundArguments<'_, '_>) -> Result {
    let path = input.text(0)?;
    let head = path.rfind('/').map_or("", |at| &path[..=at]);
    let trimmed = head.trim_end_matches('/');
    Ok(if trimmed.is_empty() { head } else { trimmed }.into())
}

/// Paths one after another; an absolute one starts over.
pub(super) fn joined<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut out = String::new();
    for part in parts {
        if part.starts_with('/') {
            out.clear();
        } else if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(part);
    }
    out
}

fn path_join(input: &mut BoundArguments<'_, '_>) -> Result {
    if input.value(0).as_str().is_some() {
        return input.text(0).map(Value::from);
    }
    let parts: Vec<String> = input.list(0)?.iter().map(string).collect();
    Ok(joined(parts.iter().map(String::as_str)).into())
}

fn splitext(input: &mut BoundArguments<'_, '_>) -> Result {
    let path = input.text(0)?;
    let start = path.rfind('/').map_or(0, |at| at + 1);
    let leading = path[start..].len() - path[start..].trim_start_matches('.').len();
    let at = path[start + leading..]
        .rfind('.')
        .map_or(path.len(), |at| start + leading + at);
    Ok(Value::from(Tuple::from([
        Value::from(&path[..at]),
        Value::from(&path[at..]),
    ])))
}

/// A path without `.`, `..` and double slashes, as Python's `normpath` has it.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let absolute = path.starts_with('/');
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            other => parts.push(other),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

fn normpath(input: &mut BoundArguments<'_, '_>) -> Result {
    Ok(normal(&input.text(0)?).into())
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return normal(path);
    }
    let here = std::env::current_dir().unwrap_or_default();
    normal(&format!("{}/{path}", here.display()))
}

fn realpath(input: &mut BoundArguments<'_, '_>) -> Result {
    let path = absolute(&input.text(0)?);
    // What does not exist is kept as it is, below the part that does.
    let mut existing = PathBuf::from(&path);
    let mut rest: Vec<String> = Vec::new();
    loop {
        if let Ok(real) = existing.canonicalize() {
            let mut out = real.display().to_string();
            for part in rest.iter().rev() {
                out = joined([out.as_str(), part.as_str()]);
            }
            return Ok(out.into());
        }
        match (
            existing
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()),
            existing.parent(),
        ) {
            (Some(name), Some(parent)) => {
                rest.push(name);
                existing = parent.to_path_buf();
            }
            _ => return Ok(path.into()),
        }
    }
}

fn relpath(input: &mut BoundArguments<'_, '_>) -> Result {
    let path = absolute(&input.text(0)?);
    let start = absolute(&input.optional_text(1).unwrap_or_else(|| ".".to_owned()));
    let parts = |path: &str| -> Vec<String> {
        Path::new(path)
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect()
    };
    let (path, start) = (parts(&path), parts(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut out = vec!["..".to_owned(); start.len() - common];
    out.extend_from_slice(&path[common..]);
    Ok(if out.is_empty() {
        ".".to_owned()
    } else {
        out.join("/")
    }
    .into())
}

fn commonpath(input: &mut BoundArguments<'_, '_>) -> Result {
    let paths: Vec<String> = input
        .list(0)?
        .iter()
        .map(|path| normal(&string(path)))
        .collect();
    let Some(first) = paths.first() else {
        return Err(input.error("needs at least one path"));
    };
    let mut common: Vec<&str> = first.split('/').collect();
    for path in &paths {
        let same = path
            .split('/')
            .zip(&common)
            .take_while(|(a, b)| a == *b)
            .count();
        common.truncate(same);
    }
    let text = common.join("/");
    Ok(if text.is_empty() && first.starts_with('/') {
        "/".to_owned()
    } else {
        text
    }
    .into())
}

fn expanduser(input: &mut BoundArguments<'_, '_>) -> Result {
    let path = input.text(0)?;
    let expanded = match (path.strip_prefix('~'), std::env::var("HOME")) {
        (Some(rest), Ok(home)) if rest.is_empty() || rest.starts_with('/') => {
            format!("{}{rest}", home.trim_end_matches('/'))
        }
        _ => path,
    };
    Ok(expanded.into())
}

fn expandvars(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, length) = if let Some((name, _)) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            (name, name.len() + 2)
        } else {
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(after.len());
            (&after[..end], end)
        };
        match std::env::var(name) {
            Ok(value) if !name.is_empty() => out.push_str(&value),
            _ => {
                out.push('$');
                out.push_str(&after[..length]);
            }
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    Ok(out.into())
}

fn fileglob(input: &mut BoundArguments<'_, '_>) -> Result {
    let found = glob::files(Path::new(&input.text(0)?));
    Ok(List::value(
        found
            .iter()
            .map(|path| Value::from(path.display().to_string()))
            .collect(),
    ))
}

fn win_basename(input: &mut BoundArguments<'_, '_>) -> Result {
    let path = input.text(0)?;
    Ok(path.rsplit(['\\', '/']).next().unwrap_or_default().into())
}

fn win_dirname(input: &mut BoundArguments<'_, '_>) -> Result {
    let path = input.text(0)?;
    Ok(path
        .rfind(['\\', '/'])
        .map_or("", |at| path[..at].trim_end_matches(['\\', '/']))
        .into())
}
