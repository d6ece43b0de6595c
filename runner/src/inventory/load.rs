//! From the arguments of `-i` to an [`Inventory`]: what each of them is, and in which order they are
//! read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_modules::source::{self, Above};

use super::beside::list;
use super::model::{Inventory, Origin, directory_of};
use super::parts::Beside;
use super::{ini, script, shared, text, yaml_file};
use crate::yaml::{self, Diagnostic, Severity, Source, Span, did_you_mean};

/// An argument of `-i`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InventorySource {
    /// A file, a folder of files, or an executable.
    Path(PathBuf),
    /// Hosts with commas, as in `web1,web2` or `web1,`.
    Hosts(String),
}

impl InventorySource {
    /// What `-i ARGUMENT` means.
    pub fn parse(argument: &str) -> Self {
        if argument.contains(',') && !Path::new(argument).exists() {
            Self::Hosts(argument.to_owned())
        } else {
            Self::Path(PathBuf::from(argument))
        }
    }
}

/// Names that a folder of inventories may hold and that are no inventories.
const IGNORED: [&str; 3] = ["group_vars", "host_vars", "vars_plugins"];

/// Endings of names that are no inventories: Ansible's list.
const IGNORED_ENDINGS: [&str; 12] = [
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
];

/// Reads all of `sources`, in order, with the `group_vars` and `host_vars` beside them. Tells all
/// that is wrong with them at once.
pub fn load(sources: &[InventorySource]) -> Result<Inventory, Vec<Diagnostic>> {
    match load_partly(sources) {
        (inventory, errors) if errors.is_empty() => Ok(inventory),
        (_, errors) => Err(errors),
    }
}

/// The same, with what could be read where something is wrong.
pub fn load_partly(sources: &[InventorySource]) -> (Inventory, Vec<Diagnostic>) {
    let mut inventory = Inventory::default();
    let mut errors = Vec::new();
    for source in sources {
        let result = match source {
            InventorySource::Hosts(hosts) => host_list(hosts, &mut inventory),
            InventorySource::Path(path) => read_path(path, &Above::default(), &mut inventory),
        };
        errors.extend(result.err().unwrap_or_default());
    }
    if let Err(more) = inventory.settle() {
        errors.extend(more);
        return (inventory, errors);
    }
    let mut beside = Beside::default();
    for directory in directories(sources) {
        match Beside::load(&directory, &inventory) {
            Ok(above) => beside.lay_over(above),
            Err(more) => errors.extend(more),
        }
    }
    for warning in beside.warnings() {
        inventory.warn(warning.clone());
    }
    inventory.beside = Arc::new(beside);
    (inventory, errors)
}

/// Where `group_vars` and `host_vars` of the sources are, each directory once, at its last place.
fn directories(sources: &[InventorySource]) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = Vec::new();
    for source in sources {
        let InventorySource::Path(path) = source else {
            continue;
        };
        let directory = match path.parent() {
            _ if path.is_dir() => path.clone(),
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        directories.retain(|known| *known != directory);
        directories.push(directory);
    }
    directories
}

fn host_list(hosts: &str, inventory: &mut Inventory) -> Result<(), Vec<Diagnostic>> {
    let source = Source::named("-i", hosts);
    let origin = Origin {
        file: Some(hosts.into()),
        dir: None,
    };
    let mut errors = Vec::new();
    let mut start = 0;
    for part in hosts.split(',') {
        let name = part.trim();
        let at = start + part.len() - part.trim_start().len();
        start += part.len() + 1;
        if name.is_empty() {
            continue;
        }
        let span = Span::new(&source, at, at + name.len());
        match super::range::expand(name) {
            Ok((names, port)) => {
                if let Err(error) =
                    shared::room(inventory, &names, shared::weight(&names, 0), &span)
                {
                    errors.push(error);
                    break;
                }
                for name in names {
                    shared::add_host(inventory, &name, "ungrouped", port, &origin, &span);
                }
            }
            Err(wrong) => errors.push(
                Diagnostic::error(
                    &span.within(wrong.range.start, wrong.range.end),
                    wrong.message,
                )
                .help(wrong.help),
            ),
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn read_path(path: &Path, above: &Above, inventory: &mut Inventory) -> Result<(), Vec<Diagnostic>> {
    if path.is_dir() {
        let above = above.with(path);
        return above.map_or(Ok(()), |above| read_folder(path, &above, inventory));
    }
    if !path.exists() {
        return Err(vec![missing(path)]);
    }
    read_file(path, inventory)
}

fn missing(path: &Path) -> Diagnostic {
    let name = path.display();
    let error = Diagnostic::new(
        Severity::Error,
        format!("the inventory `{name}` does not exist"),
    );
    let beside = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => list(parent),
        _ => list(Path::new(".")),
    };
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let names = beside.unwrap_or_default();
    let nearest = did_you_mean(&own, names.iter().map(String::as_str));
    error.help(nearest.unwrap_or_else(|| {
        "name a file or a folder; hosts themselves are written with a comma, as in `-i web1,`"
            .to_owned()
    }))
}

/// All files of a folder and of the folders in it, by name.
fn read_folder(
    folder: &Path,
    above: &Above,
    inventory: &mut Inventory,
) -> Result<(), Vec<Diagnostic>> {
    let names = list(folder).map_err(|error| {
        let message = format!("cannot read the folder `{}`: {error}", folder.display());
        vec![Diagnostic::new(Severity::Error, message).help("check its permissions")]
    })?;
    let mut errors = Vec::new();
    for name in names {
        let ignored = name.starts_with('.')
            || IGNORED.contains(&name.as_str())
            || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending));
        if !ignored {
            let result = read_path(&folder.join(&name), above, inventory);
            errors.extend(result.err().unwrap_or_default());
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn read_file(path: &Path, inventory: &mut Inventory) -> Result<(), Vec<Diagnostic>> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let origin = Origin {
        file: Some(absolute.display().to_string().into()),
        dir: Some(directory_of(path).into()),
    };
    if is_program(path) {
        return script::read(path, &origin, inventory);
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    let source = yaml::read(path).map_err(|error| vec![error])?;
    let is_yaml = match extension {
        Some("yml" | "yaml" | "json") => true,
        Some("ini") => false,
        Some("toml") => {
            let message = format!(
                "`{}` is TOML, and Windlass does not read it",
                path.display()
            );
            return Err(vec![
                Diagnostic::new(Severity::Error, message)
                    .help("write the inventory as YAML or INI"),
            ]);
        }
        _ => looks_like_yaml(source.text()),
    };
    if is_yaml {
        yaml_file::read(&*text::document(&source)?, &origin, inventory)
    } else {
        ini::read(&source, &origin, inventory)
    }
}

/// Whether a file is an executable program, and not a text that merely has the bit set.
fn is_program(path: &Path) -> bool {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let executable = path
        .metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
    let mut start = [0; 4];
    executable
        && source::open(path)
            .and_then(|(mut file, _)| file.read(&mut start))
            .is_ok_and(|_| start.starts_with(b"#!") || start == *b"\x7fELF")
}

/// Whether a text without a telling name is YAML: its first line that is no comment decides.
fn looks_like_yaml(text: &str) -> bool {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    first.is_some_and(|line| {
        let code = line.split(" #").next().unwrap_or_default().trim_end();
        line == "---" || line.starts_with('{') || code.ends_with(':')
    })
}
