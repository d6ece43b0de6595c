//! Where files on the control host are looked for.

use std::path::{Path, PathBuf};

use crate::template::eval::Eval;

/// The folders a file may be in, most specific first: where the scope says that files are looked for, then those of
/// the options.
pub(super) fn folders(eval: &Eval<'_>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let known = |name: &str| eval.shared.scope.get(name)?.ok();
    if let Some(path) = known("ansible_search_path") {
        let names = path.try_iter().into_iter().flatten();
        folders.extend(names.filter_map(|name| name.as_str().map(PathBuf::from)));
    } else if let Some(folder) = known("playbook_dir") {
        folders.extend(folder.as_str().map(PathBuf::from));
    }
    for folder in &eval.shared.templar.options().base_dirs {
        if !folders.contains(folder) {
            folders.push(folder.clone());
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
