//! `first_found`: the first of several files that exists.

use std::path::{Path, PathBuf};

use minijinja::Value;
use minijinja::value::ValueKind;

use super::call::{Lookup, LookupCall};
use super::search::find_file;
use crate::template::error::TemplateError;
use crate::template::eval::{item, items};
use crate::template::python::string;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static LOOKUPS: &[Lookup] = &[Lookup {
    name: "first_found",
    run: first_found,
}];

/// A list, or text that is split at the usual separators.
fn names(value: Option<&Value>) -> Result<Vec<String>> {
    match value {
        None => Ok(Vec::new()),
        Some(value) if value.is_none() => Ok(Vec::new()),
        Some(value) if value.kind() == ValueKind::Seq => {
            Ok(items(value)?.iter().map(string).collect())
        }
        Some(value) => Ok(string(value)
            .split([',', ';', ':'])
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()),
    }
}

/// The files to look for, in order, and whether it is fine if there is none.
fn wanted(
    terms: &[Value],
    paths: &[String],
    files: &mut Vec<String>,
    skip: &mut bool,
) -> Result<()> {
    for term in terms {
        match term.kind() {
            ValueKind::Map => {
                let option = |name: &str| item(term, &Value::from(name));
                let own = names(option("paths").as_ref())?;
                let own = if own.is_empty() { paths } else { &own };
                in_paths(&names(option("files").as_ref())?, own, files);
                *skip |= option("skip").is_some_and(|skip| skip.is_true());
            }
            ValueKind::Seq => wanted(&items(term)?, paths, files, skip)?,
            _ => in_paths(&[string(term)], paths, files),
        }
    }
    Ok(())
}

fn in_paths(names: &[String], paths: &[String], files: &mut Vec<String>) {
    if paths.is_empty() {
        files.extend_from_slice(names);
    }
    for path in paths {
        files.extend(
            names
                .iter()
                .map(|name| Path::new(path).join(name).display().to_string()),
        );
    }
}

fn first_found(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let paths = names(call.option("paths"))?;
    let mut skip = call.flag("skip", false)?;
    let terms = if call.terms.is_empty() {
        names(call.option("files"))?
            .into_iter()
            .map(Value::from)
            .collect()
    } else {
        call.terms.clone()
    };
    let mut files = Vec::new();
    wanted(&terms, &paths, &mut files, &mut skip)?;
    // As in ansible-core, called by itself it looks in none of the folders for files of a kind.
    let kinds: &[&str] = if call.looping {
        &["files", "templates", "vars", "tasks"]
    } else {
        &[""]
    };
    for name in &files {
        let found: Option<PathBuf> = kinds
            .iter()
            .find_map(|kind| find_file(call.eval, kind, name));
        if let Some(path) = found {
            return Ok(vec![Value::from(path.display().to_string())]);
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    Err(call
        .error(format_args!("finds none of {}", files.join(", ")))
        .hint("pass skip=true if it is fine that there is none"))
}
