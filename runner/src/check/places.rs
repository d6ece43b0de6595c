//! Where files that a playbook names are looked for.

use std::path::{Path, PathBuf};

use crate::playbook::nearest_file;
use crate::yaml::{Diagnostic, Node};

/// The folder of a file.
pub(super) fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_path_buf()
}

/// Where the engine finds `name`, if it is there.
pub(super) fn find(folders: &[PathBuf], sub: &str, name: &str) -> Option<PathBuf> {
    candidates(folders, sub, name)
        .into_iter()
        .find(|path| path.exists())
}

fn candidates(folders: &[PathBuf], sub: &str, name: &str) -> Vec<PathBuf> {
    let path = match name.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(name),
    };
    if path.is_absolute() {
        return vec![path];
    }
    folders
        .iter()
        .flat_map(|folder| [folder.join(sub).join(&path), folder.join(&path)])
        .collect()
}

/// A file that `node` names is not there; `what` it would be, for the message.
pub(super) fn missing(
    node: &Node,
    name: &str,
    folders: &[PathBuf],
    sub: &str,
    what: &str,
) -> Diagnostic {
    not_there(node, name, &candidates(folders, sub, name), what)
}

/// The same, where it has been looked for.
pub(super) fn not_there(node: &Node, name: &str, candidates: &[PathBuf], what: &str) -> Diagnostic {
    let tried: Vec<_> = candidates
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    let nearest = candidates.iter().find_map(|path| nearest_file(path));
    Diagnostic::error(&node.span, format!("there is no {what} `{name}`"))
        .note(format!("looked for {}", tried.join(" and ")))
        .help(match nearest {
            Some(near) => format!("did you mean `{near}`?"),
            None => "check the name; or put the file into one of these places".to_owned(),
        })
}
