//! Files that a playbook names: they must be there, and variables files must hold variables.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_modules::describe::{Argument, Description, Names};

use super::item::Item;
use super::modules;
use super::places::{find, folder, missing};
use crate::playbook::{Play, TaskAction, has_template};
use crate::yaml::{self, Diagnostic, Mapping, Node};

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
            format!("a variables file is a mapping, but this is {}", node.kind()),
        )
        .help("write each variable as `name: value`")
    };
    Err(vec![diagnostic.label(&named.span, "named here")])
}

/// Whether the files that tasks name are there.
pub(super) fn check(items: &[Item], found: &mut Vec<Diagnostic>) {
    for (index, item) in items.iter().enumerate() {
        let (Some(module), Some(arguments)) = (modules::of(item), modules::arguments(item)) else {
            continue;
        };
        let folders = item.folders();
        for file in named(module, &arguments) {
            if find(&folders, file.folder, file.name).is_some() {
                continue;
            }
            let what = match file.folder {
                "vars" => "file of variables",
                _ if file.rendered => "template",
                _ => "file",
            };
            let mut diagnostic = missing(file.node, file.name, &folders, file.folder, what);
            // Which of several is read is often a condition.
            if !item.fails_for_certain() {
                diagnostic.severity = yaml::Severity::Warning;
            }
            // Nobody writes templates while a run goes on; files that are sent are made now and then.
            if !file.rendered && items[..index].iter().any(writes_here) {
                diagnostic.severity = yaml::Severity::Warning;
                diagnostic =
                    diagnostic.help("an earlier task may make it; otherwise check the name");
            }
            found.push(diagnostic);
        }
    }
}

/// A file of the control host that a task names.
struct Named<'n> {
    /// Where it is named.
    node: &'n Node,
    /// What it is called there.
    name: &'n str,
    /// In which folder it may be.
    folder: &'static str,
    /// Whether it is rendered as a template.
    rendered: bool,
}

/// The files of the control host that a task reads, as far as their names are literal.
fn named<'n>(module: &Description, arguments: &'n Mapping) -> Vec<Named<'n>> {
    let each = |(key, value): &'n (Node, Node)| {
        let argument = module.argument(key.as_str()?)?;
        let names = argument.names?;
        let there = names == Names::File && is_remote(arguments);
        let nodes = value.as_sequence().unwrap_or(std::slice::from_ref(value));
        let files = nodes.iter().filter_map(move |node| {
            let name = file_name(node, names)?;
            Some(Named {
                node,
                name,
                folder: names.folder(name)?,
                rendered: names.is_rendered(name),
            })
        });
        (!there).then_some(files)
    };
    arguments
        .entries
        .iter()
        .filter_map(each)
        .flatten()
        .collect()
}

/// The template files that a task renders, as far as their names are literal and their syntax is the
/// usual one.
pub(super) fn templates(item: &Item, module: &Description, arguments: &Mapping) -> Vec<PathBuf> {
    let unusual = |(key, _): (&Node, &Node)| {
        let argument = key.as_str().and_then(|key| module.argument(key));
        argument.is_some_and(|argument| argument.syntax)
    };
    if arguments.iter().any(unusual) {
        return Vec::new();
    }
    let files = named(module, arguments).into_iter();
    files
        .filter(|file| file.rendered)
        .filter_map(|file| find(&item.folders(), file.folder, file.name))
        .collect()
}

/// The literal name of a file; where words come after it, the first.
fn file_name(node: &Node, names: Names) -> Option<&str> {
    let text = node.as_str().filter(|text| !text.trim().is_empty())?;
    if names != Names::Script {
        return (!has_template(text)).then_some(text);
    }
    // The arguments of a script may be templates; only its name counts.
    let first = text.split_whitespace().next()?;
    (!has_template(first) && !first.contains(['"', '\'', '\\'])).then_some(first)
}

fn is_remote(arguments: &Mapping) -> bool {
    arguments
        .get("remote_src")
        .is_some_and(|value| !matches!(value.value, yaml::Value::Bool(false)))
}

/// Whether a task may write files on the control host.
fn writes_here(item: &Item) -> bool {
    let local = |node: &Node| node.as_str().is_none_or(|host| host != "all");
    let names_one = |argument: &Argument| argument.names == Some(Names::Destination);
    let fetch = match &item.task.action {
        TaskAction::Module { .. } => {
            modules::of(item).is_some_and(|module| module.arguments.iter().any(names_one))
        }
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
