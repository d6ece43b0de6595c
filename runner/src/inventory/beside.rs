//! `group_vars/` and `host_vars/` beside an inventory or a playbook: for each group and host a
//! file, with the extension .yml, .yaml, .json or none, or a folder of such files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_modules::source::Above;

use super::model::Inventory;
use super::parts::{Beside, Variables};
use super::text;
use crate::yaml::{Diagnostic, Node, Severity};

impl Beside {
    /// Reads the files beside a playbook or an inventory in `directory` that are for groups and
    /// hosts of `inventory`. All that is wrong with them is told at once.
    pub fn load(directory: &Path, inventory: &Inventory) -> Result<Self, Vec<Diagnostic>> {
        let mut beside = Self::default();
        let mut errors = Vec::new();
        let groups = Folder::open(directory, "group_vars", &mut errors);
        let hosts = Folder::open(directory, "host_vars", &mut errors);
        for group in inventory.groups() {
            let read = groups.read(&group.name, &mut beside.warnings, &mut errors);
            beside.groups.extend(read);
        }
        let implicit = super::LOCALHOST
            .iter()
            .filter_map(|name| inventory.host(name));
        for host in inventory.hosts().chain(implicit) {
            let read = hosts.read(&host.name, &mut beside.warnings, &mut errors);
            beside.hosts.extend(read);
        }
        if errors.is_empty() {
            Ok(beside)
        } else {
            Err(errors)
        }
    }

    /// The variables of a group.
    pub fn group(&self, name: &str) -> Option<&Arc<Variables>> {
        self.groups.get(name)
    }

    /// The variables of a host.
    pub fn host(&self, name: &str) -> Option<&Arc<Variables>> {
        self.hosts.get(name)
    }

    /// What the user should know.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Lays `above` over this: its variables win.
    pub fn lay_over(&mut self, above: Self) {
        for (mine, theirs) in [
            (&mut self.groups, above.groups),
            (&mut self.hosts, above.hosts),
        ] {
            for (name, variables) in theirs {
                let variables = (*variables).clone();
                Arc::make_mut(mine.entry(name).or_default()).extend(variables);
            }
        }
        self.warnings.extend(above.warnings);
    }
}

/// A `group_vars` or `host_vars` folder, listed once.
struct Folder {
    path: PathBuf,
    /// Names of what is in it, sorted.
    names: Vec<String>,
}

impl Folder {
    fn open(directory: &Path, name: &str, errors: &mut Vec<Diagnostic>) -> Self {
        let path = directory.join(name);
        let names = match list(&path) {
            Ok(names) => names,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let message = format!("cannot read the folder `{}`: {error}", path.display());
                let help = "it must be a folder with a file or a folder for each group or host";
                errors.push(Diagnostic::new(Severity::Error, message).help(help));
                Vec::new()
            }
        };
        Self { path, names }
    }

    /// The variables of what is called `name`, if there are any.
    fn read(
        &self,
        name: &str,
        warnings: &mut Vec<Diagnostic>,
        errors: &mut Vec<Diagnostic>,
    ) -> Option<(String, Arc<Variables>)> {
        // The first that exists counts, others are left out: this is Ansible's order.
        let candidates =
            ["", ".yml", ".yaml", ".json"].map(|extension| format!("{name}{extension}"));
        let listed = |file: &&String| self.names.binary_search(file).is_ok();
        let mut found = candidates.iter().filter(listed);
        let first = self.path.join(found.next()?);
        for other in found {
            warnings.push(left_out(&first, &self.path.join(other)));
        }
        let mut variables = Variables::new();
        if first.is_dir() {
            for file in files_below(&first, &Above::default(), errors) {
                read_file(&file, &mut variables, errors);
            }
        } else {
            read_file(&first, &mut variables, errors);
        }
        Some((name.to_owned(), Arc::new(variables)))
    }
}

fn left_out(first: &Path, other: &Path) -> Diagnostic {
    let (first, other) = (first.display(), other.display());
    Diagnostic::new(
        Severity::Warning,
        format!("`{other}` is not read, because there is `{first}`"),
    )
    .note("for each group and host, one file or one folder is read")
    .help("move its variables there")
}

/// Files of variables in a folder and the folders in it, by name; backups and hidden files are not
/// among them.
fn files_below(folder: &Path, above: &Above, errors: &mut Vec<Diagnostic>) -> Vec<PathBuf> {
    let Some(above) = above.with(folder) else {
        return Vec::new();
    };
    let names = list(folder).unwrap_or_else(|error| {
        let message = format!("cannot read the folder `{}`: {error}", folder.display());
        errors.push(Diagnostic::new(Severity::Error, message).help("check its permissions"));
        Vec::new()
    });
    let mut files = Vec::new();
    for name in names {
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let path = folder.join(&name);
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy());
        match extension.as_deref() {
            None if path.is_dir() => files.extend(files_below(&path, &above, errors)),
            // A pipe or a device is named, so that reading it says what it is.
            None | Some("yml" | "yaml" | "json") if path.exists() && !path.is_dir() => {
                files.push(path);
            }
            _ => {}
        }
    }
    files
}

/// Names in a folder, sorted by their bytes.
pub(super) fn list(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<Vec<String>>>()?;
    names.sort_unstable();
    Ok(names)
}

fn read_file(path: &Path, variables: &mut Variables, errors: &mut Vec<Diagnostic>) {
    match variables_of(path) {
        Ok(read) => variables.extend(read),
        Err(more) => errors.extend(more),
    }
}

/// The variables of a file: a mapping, or nothing at all.
pub fn variables_of(path: &Path) -> Result<Variables, Vec<Diagnostic>> {
    let node = text::load(path)?;
    mapping_of(&node, "a file of variables").map_err(|error| vec![error])
}

/// The entries of a mapping whose keys are names; null is empty.
pub(super) fn mapping_of(node: &Node, what: &str) -> Result<Variables, Diagnostic> {
    if node.is_null() {
        return Ok(Variables::new());
    }
    let Some(mapping) = node.as_mapping() else {
        let message = format!("{what} must be a mapping, but this is {}", node.kind());
        return Err(
            Diagnostic::error(&node.span, message).help("write `name: value`, one variable a line")
        );
    };
    mapping
        .iter()
        .map(|(key, value)| match key.as_str() {
            Some(name) => Ok((name.to_owned(), value.clone())),
            None => Err(Diagnostic::error(
                &key.span,
                format!(
                    "the name of a variable must be text, but this is {}",
                    key.kind()
                ),
            )
            .help("rename it, so that it begins with a letter or `_`")),
        })
        .collect()
}
