//! Files of variables: `vars_files`, and `-e @FILE`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::inventory;
use crate::template::TemplateError;
use crate::yaml::{Node, Value};

/// Whether a template stands in a name, or in one of a list of names.
pub(super) fn has_template(entry: &Node) -> bool {
    match &entry.value {
        Value::String(text) => text.contains("{{") || text.contains("{%"),
        Value::Sequence(items) => items.iter().any(has_template),
        _ => false,
    }
}

/// The names in an entry: one, or a list of which the first that exists is taken.
pub(super) fn names(entry: &Node) -> Vec<String> {
    match &entry.value {
        Value::Sequence(items) => items.iter().flat_map(names).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// The first of `names` that exists, read. Relative names are looked for in `vars/` beside the
/// playbook, then beside it.
pub(super) fn first(
    names: &[String],
    folder: &Path,
    entry: &Node,
) -> Result<Arc<Node>, TemplateError> {
    let mut tried = Vec::new();
    for name in names {
        for candidate in candidates(name, folder) {
            if candidate.is_file() {
                return read(&candidate);
            }
            tried.push(candidate.display().to_string());
        }
    }
    Err(TemplateError::new(format!(
        "there is no such variables file; looked for {}",
        tried.join(", ")
    ))
    .hint("names are relative to the playbook")
    .or_span(Some(&entry.span)))
}

fn candidates(name: &str, folder: &Path) -> Vec<PathBuf> {
    let name = match name.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(name),
    };
    if name.is_absolute() {
        vec![name]
    } else {
        vec![folder.join("vars").join(&name), folder.join(&name)]
    }
}

/// A file that holds a mapping of variables, or nothing.
pub fn read(path: &Path) -> Result<Arc<Node>, TemplateError> {
    let node = inventory::load_yaml(path).map_err(|diagnostics| {
        let mut error = TemplateError::new(format!("cannot read {}", path.display()));
        if let Some(first) = diagnostics.into_iter().next() {
            error = TemplateError::new(first.message)
                .or_span(first.labels.first().map(|label| &label.span));
            error.hint = first.help;
        }
        error
    })?;
    if node.as_mapping().is_none() && !node.is_null() {
        return Err(
            TemplateError::new("a variables file must hold a mapping of names and values")
                .or_span(Some(&node.span)),
        );
    }
    Ok(node)
}
