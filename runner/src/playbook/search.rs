//! Where roles, and files of collections, are.

use std::path::{Component, Path, PathBuf};

use windlass_modules::source::Above;

use super::known::KnownVariables;

/// The folders in which roles and collections are looked for, besides those beside a playbook.
#[derive(Debug, Clone, Default)]
pub struct SearchPaths {
    /// Folders of roles.
    pub roles: Vec<PathBuf>,
    /// Folders in which there is an `ansible_collections`.
    pub collections: Vec<PathBuf>,
}

/// Where tasks stand: what roles and files that they name are looked for from there.
#[derive(Debug, Clone, Default)]
pub struct Home {
    /// The folder of the playbook.
    pub folder: PathBuf,
    /// The collections in which roles are looked for that are named without one.
    pub collections: Vec<String>,
    /// The folder of the role that they are tasks of.
    pub role: Option<PathBuf>,
    /// The variables that are known there.
    pub known: KnownVariables,
}

impl Home {
    /// The variables that say where one is.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        Some(absolute(match name {
            "playbook_dir" => &self.folder,
            "role_path" => self.role.as_ref()?,
            _ => return None,
        }))
    }
}

/// A folder as a text that is the same wherever one is.
pub fn absolute(folder: &Path) -> String {
    let absolute = if folder.as_os_str().is_empty() {
        std::env::current_dir()
    } else {
        std::path::absolute(folder)
    };
    let absolute = absolute.unwrap_or_else(|_| folder.to_path_buf());
    absolute.display().to_string()
}

/// A role that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundRole {
    /// Its name, without the collection.
    pub(super) name: String,
    pub(super) collection: Option<String>,
    pub(super) path: PathBuf,
}

/// The folder of all collections.
const NAME: &str = "ansible_collections";

/// What collections are called that are always there, and hold no roles.
const BUILT_IN: &[&str] = &["ansible.builtin", "ansible.legacy"];

/// The role that `name` means, as ansible-core 2.19 looks for it. `beside`: the folder in which the role that
/// depends on it is. Error: the places where it is not.
pub(super) fn role(
    name: &str,
    home: &Home,
    beside: Option<&Path>,
    paths: &SearchPaths,
) -> Result<FoundRole, Vec<PathBuf>> {
    if let Some(found) = in_collections(name, home, paths) {
        return Ok(found);
    }
    let mut tried = Vec::new();
    let folders = std::iter::once(home.folder.join("roles"))
        .chain(paths.roles.iter().cloned())
        .chain(beside.map(Path::to_path_buf))
        .chain(std::iter::once(home.folder.clone()));
    let found = |name: String, path| FoundRole {
        name,
        collection: None,
        path,
    };
    for folder in folders {
        let path = normal(&folder.join(expanded(name)));
        if path.is_dir() {
            return Ok(found(name.to_owned(), path));
        }
        if !tried.contains(&path) {
            tried.push(path);
        }
    }
    // As it stands, it is named for its folder.
    let path = normal(&expanded(name));
    match path.file_name() {
        Some(last) if path.is_dir() => Ok(found(last.to_string_lossy().into_owned(), path)),
        _ => Err(tried),
    }
}

fn in_collections(name: &str, home: &Home, paths: &SearchPaths) -> Option<FoundRole> {
    let found = |collection: &str, inner: &[&str]| {
        let folder = collection_folder(collection, &home.folder, paths)?;
        let (last, above) = inner.split_last()?;
        let path = above
            .iter()
            .fold(folder.join("roles"), |path, part| path.join(part));
        let path = path.join(last);
        path.is_dir().then(|| FoundRole {
            name: (*last).to_owned(),
            collection: Some(collection.to_owned()),
            path,
        })
    };
    if let Some((collection, inner)) = qualified(name) {
        return found(&collection, &inner);
    }
    let listed = home.collections.iter().map(String::as_str);
    let mut listed = listed.filter(|collection| !BUILT_IN.contains(collection));
    listed.find_map(|collection| found(collection, &[name]))
}

/// A playbook that is named by its collection: `namespace.collection.name`. Nothing where it is no such name.
/// Error: the places where it is not.
pub fn playbook(
    name: &str,
    folder: &Path,
    paths: &SearchPaths,
) -> Option<Result<PathBuf, Vec<PathBuf>>> {
    let name = name.strip_suffix(".yml").unwrap_or(name);
    let name = name.strip_suffix(".yaml").unwrap_or(name);
    let (collection, inner) = qualified(name)?;
    let inner: PathBuf = inner.iter().collect();
    let mut tried = Vec::new();
    for root in roots(folder, paths) {
        let collection: PathBuf = collection.split('.').collect();
        let stem = root.join(collection).join("playbooks").join(&inner);
        for extension in ["yml", "yaml", "json"] {
            let path = stem.with_extension(extension);
            if path.is_file() {
                return Some(Ok(path));
            }
        }
        tried.push(stem.with_extension("yml"));
    }
    Some(Err(tried))
}

/// The collection that a playbook is in, by the folder that it is in.
pub(super) fn collection_of(folder: &Path) -> Option<String> {
    let folder = std::path::absolute(folder).ok()?;
    let mut parts = folder.components().map(std::path::Component::as_os_str);
    parts.find(|part| *part == NAME)?;
    let (namespace, name) = (parts.next()?.to_str()?, parts.next()?.to_str()?);
    (parts.next()? == "playbooks").then(|| format!("{namespace}.{name}"))
}

/// `namespace.collection`, and what comes after it.
fn qualified(name: &str) -> Option<(String, Vec<&str>)> {
    let parts: Vec<&str> = name.split('.').collect();
    let identifiers = parts
        .iter()
        .all(|part| super::keywords::is_identifier(part));
    (parts.len() >= 3 && identifiers).then(|| (parts[..2].join("."), parts[2..].to_vec()))
}

/// The folder of a collection: the first that there is.
fn collection_folder(collection: &str, playbook: &Path, paths: &SearchPaths) -> Option<PathBuf> {
    let inner: PathBuf = collection.split('.').collect();
    let mut roots = roots(playbook, paths).map(|root| root.join(&inner));
    roots.find(|folder| folder.is_dir())
}

/// The `ansible_collections` folders: beside the playbook first.
fn roots<'p>(playbook: &Path, paths: &'p SearchPaths) -> impl Iterator<Item = PathBuf> + 'p {
    let beside = playbook.join("collections").join(NAME);
    let others = paths.collections.iter().map(|path| {
        if path.ends_with(NAME) {
            path.clone()
        } else {
            path.join(NAME)
        }
    });
    std::iter::once(beside).chain(others)
}

/// With `~` at the beginning as the user's home.
pub(super) fn expanded(name: &str) -> PathBuf {
    match name.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(name),
    }
}

/// Without `.` and with `..` worked out by the names alone.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(normal.components().next_back(), Some(Component::Normal(_))) =>
            {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

/// The files that a role has in one of its folders under a name, as ansible-core 2.19 takes them: `main` where
/// none is asked for. `merged`: a folder of that name gives all files in it, for variables.
pub(super) fn role_files(folder: &Path, asked: Option<&str>, merged: bool) -> Vec<PathBuf> {
    let extensions: &[&str] = match asked {
        None => &[".yml", ".yaml", ".json", ""],
        Some(_) => &["", ".yml", ".yaml", ".json"],
    };
    let stem = asked.unwrap_or("main");
    for extension in extensions {
        let path = normal(&folder.join(format!("{stem}{extension}")));
        if path.is_dir() && merged {
            let mut files = Vec::new();
            below(&path, &Above::default(), &mut files);
            return files;
        }
        if path.is_file() {
            return vec![path];
        }
    }
    Vec::new()
}

/// The YAML and JSON files below a folder, in the order of their names.
fn below(folder: &Path, above: &Above, files: &mut Vec<PathBuf>) {
    let (Some(above), Ok(entries)) = (above.with(folder), std::fs::read_dir(folder)) else {
        return;
    };
    let mut names: Vec<_> = entries.filter_map(Result::ok).collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    for entry in names {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            // Only folders without one are looked into.
            None if path.is_dir() => below(&path, &above, files),
            None | Some("yml" | "yaml" | "json") if path.is_file() => files.push(path),
            _ => {}
        }
    }
}
