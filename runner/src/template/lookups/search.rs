//! Where files on the control host are looked for.

use std::path::{Path, PathBuf};

use crate::template::eval::Eval;

/// The folders a file may be in, most specific first: those of the options, then the role's and the
/// playbook's, which the scope knows.
pub(super) fn folders(eval: &Eval<'_>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = eval.shared.templar.options().base_dirs.clone();
    for name in ["role_path", "playbook_dir"] {
        if let Some(Ok(value)) = eval.shared.scope.get(name)
            && let Some(path) = value.as_str().map(PathBuf::from)
            && !folders.contains(&path)
        {
            folders.push(path);
        }
    }
    if folders.is_empty() {
        folders.push(PathBuf::from("."));
    }
    folders
}

/// A path with `~` for the user's home.
pub(super) fn at_home(name: &str) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(name),
    }
}

/// A file by name: in the folder `kind` (`files`, `templates`) of each place, or beside it.
pub(in crate::template) fn find_file(eval: &Eval<'_>, kind: &str, name: &str) -> Option<PathBuf> {
    let wanted = at_home(name);
    if wanted.is_absolute() {
        return wanted.exists().then_some(wanted);
    }
    let beside = |folder: &Path| [folder.join(kind).join(&wanted), folder.join(&wanted)];
    folders(eval)
        .iter()
        .flat_map(|folder| beside(folder))
        .find(|path| path.exists())
}
