//! Files that a playbook names: they must be there, and variables files must hold variables.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::items::{Item, folder};
use super::modules;
use crate::playbook::{Play, TaskAction, has_template};
use crate::yaml::{self, Diagnostic, Mapping, Node, suggest};

/// Arguments that name a file on the control host: module, argument, the folder that it may be in,
/// and whether a run may make it (`fetch` and tasks on the control host write files).
const FILES: &[(&str, &str, &str, bool)] = &[
    ("template", "src", "templates", false),
    ("copy", "src", "files", true),
    ("script", "cmd", "files", true),
];

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
    let candidates = candidates(folders, sub, name);
    let tried: Vec<_> = candidates
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    Diagnostic::error(&node.span, format!("there is no {what} `{name}`"))
        .note(format!("looked for {}", tried.join(" and ")))
        .help(match nearest(&candidates) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "check the name; or put the file into one of these places".to_owned(),
        })
}

/// A file with a similar name, in one of the folders that were looked in.
fn nearest(candidates: &[PathBuf]) -> Option<String> {
    candidates.iter().find_map(|path| {
        let wanted = path.file_name()?.to_str()?;
        let folder = path.parent()?;
        let folder = if folder == Path::new("") {
            Path::new(".")
        } else {
            folder
        };
        let names: Vec<String> = std::fs::read_dir(folder)
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        suggest(wanted, names.iter().map(String::as_str))
    })
}

/// What the variables files of a play hold.
#[derive(Debug, Default)]
pub(super) struct VarsFiles {
    /// Those that could be read.
    pub(super) read: Vec<Arc<Node>>,
    /// Whether there are some whose names are templates.
    pub(super) unknown: bool,
}

/// Reads the variables files with literal names.
pub(super) fn vars_files(plays: &[Arc<Play>], found: &mut Vec<Diagnostic>) -> VarsFiles {
    let mut files = VarsFiles::default();
    let mut known: Vec<PathBuf> = Vec::new();
    for play in plays {
        let folder = folder(&play.path);
        for entry in &play.vars_files {
            let names = entry.as_sequence().unwrap_or(std::slice::from_ref(entry));
            let texts: Vec<&str> = names.iter().filter_map(Node::as_str).collect();
            if texts.iter().any(|name| has_template(name)) {
                files.unknown = true;
                continue;
            }
            let folders = std::slice::from_ref(&folder);
            let path = texts.iter().find_map(|name| find(folders, "vars", name));
            match path {
                None => found.extend(no_vars_file(entry, &texts, folders)),
                Some(path) if known.contains(&path) => {}
                Some(path) => {
                    match variables(&path, names.first().unwrap_or(entry)) {
                        Ok(node) => files.read.push(node),
                        Err(diagnostics) => found.extend(diagnostics),
                    }
                    known.push(path);
                }
            }
        }
    }
    files
}

fn no_vars_file(entry: &Node, names: &[&str], folders: &[PathBuf]) -> Option<Diagnostic> {
    let first = names.first()?;
    let diagnostic = missing(entry, first, folders, "vars", "variables file");
    Some(if names.len() > 1 {
        Diagnostic {
            message: format!("none of these {} variables files is there", names.len()),
            ..diagnostic
        }
    } else {
        diagnostic
    })
}

fn variables(path: &Path, named: &Node) -> Result<Arc<Node>, Vec<Diagnostic>> {
    let node = yaml::load(path)?;
    if node.is_null() || node.as_mapping().is_some() {
        return Ok(node);
    }
    let diagnostic = if node
        .as_str()
        .is_some_and(|text| text.starts_with("$ANSIBLE_VAULT"))
    {
        Diagnostic::error(&node.span, "this variables file is encrypted")
            .note("this version cannot decrypt files")
            .help("decrypt it with `ansible-vault decrypt`, and keep it where only you can read it")
    } else {
        Diagnostic::error(
            &node.span,
            format!("a variables file is a mapping, and this is {}", node.kind()),
        )
        .help("write each variable as `name: value`")
    };
    Err(vec![diagnostic.label(&named.span, "named here")])
}

/// Whether the files that tasks name are there.
pub(super) fn check(items: &[Item], found: &mut Vec<Diagnostic>) {
    for (index, item) in items.iter().enumerate() {
        let TaskAction::Module { name, .. } = &item.task.action else {
            continue;
        };
        let Some(module) = windlass_modules::registry::find(name) else {
            continue;
        };
        let Some((_, argument, sub, made)) =
            FILES.iter().find(|(known, ..)| *known == module.name())
        else {
            continue;
        };
        let Some(arguments) = modules::arguments(item) else {
            continue;
        };
        let Some(node) = arguments.get(argument) else {
            continue;
        };
        let Some(name) = file_name(node, module.name()) else {
            continue;
        };
        let folders = item.folders();
        if is_remote(&arguments) || find(&folders, sub, &name).is_some() {
            continue;
        }
        let what = if module.name() == "template" {
            "template"
        } else {
            "file"
        };
        let mut diagnostic = missing(node, &name, &folders, sub, what);
        if *made && items[..index].iter().any(writes_here) {
            diagnostic.severity = yaml::Severity::Warning;
            diagnostic = diagnostic.help("an earlier task may make it; otherwise check the name");
        }
        found.push(diagnostic);
    }
}

/// The template files that a task renders, as far as their names are literal and their syntax is the
/// usual one.
pub(super) fn templates(item: &Item, module: &str, arguments: &Mapping) -> Vec<PathBuf> {
    let unusual = |(key, _): (&Node, &Node)| {
        key.as_str()
            .is_some_and(|key| key.contains("_string") || key.ends_with("_blocks"))
    };
    let Some(src) = arguments.get("src") else {
        return Vec::new();
    };
    if arguments.iter().any(unusual) {
        return Vec::new();
    }
    let is_template = |name: &str| match module {
        "template" => true,
        "kube_apply" => Path::new(name).extension().is_some_and(|end| end == "j2"),
        _ => false,
    };
    let names = src.as_sequence().unwrap_or(std::slice::from_ref(src));
    names
        .iter()
        .filter_map(Node::as_str)
        .filter(|name| !has_template(name) && is_template(name))
        .filter_map(|name| find(&item.folders(), "templates", name))
        .collect()
}

/// The literal name of a file; for a script, its first word.
fn file_name(node: &Node, module: &str) -> Option<String> {
    let text = node.as_str().filter(|text| !text.trim().is_empty())?;
    if module != "script" {
        return (!has_template(text)).then(|| text.to_owned());
    }
    // The arguments of a script may be templates; only its name counts.
    let first = text.split_whitespace().next()?;
    (!has_template(first) && !first.contains(['"', '\'', '\\'])).then(|| first.to_owned())
}

fn is_remote(arguments: &Mapping) -> bool {
    arguments
        .get("remote_src")
        .is_some_and(|value| !matches!(value.value, yaml::Value::Bool(false)))
}

/// Whether a task may write files on the control host.
fn writes_here(item: &Item) -> bool {
    let local = |node: &Node| node.as_str().is_none_or(|host| host != "all");
    let fetch = match &item.task.action {
        TaskAction::Module { name, .. } => windlass_modules::registry::find(name)
            .is_some_and(|module| matches!(module.name(), "fetch" | "kubeconfig")),
        TaskAction::IncludeTasks { file, .. } => file.as_str().is_some_and(has_template),
        TaskAction::IncludeRole { role, .. } => !role.is_literal(),
        TaskAction::Meta(..) => false,
    };
    fetch
        || item.commons().any(|common| {
            common.delegate_to.as_ref().is_some_and(local) || common.connection.is_some()
        })
        || item
            .play
            .hosts
            .as_str()
            .is_some_and(|hosts| crate::inventory::LOCALHOST.contains(&hosts.trim()))
}
