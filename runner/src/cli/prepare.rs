//! What `run`, `check` and the lists have in common: everything is read and checked before anything
//! is connected to, and all errors of all files are shown together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_modules::registry;

use super::args::Input;
use super::exit::Exit;
use crate::check;
use crate::engine::TagFilter;
use crate::inventory::{self, Beside, Inventory, InventorySource, Pattern};
use crate::playbook::{self, Loader, Playbook};
use crate::report::{Printer, diagnostics};
use crate::secrets::Secrets;
use crate::template::{Options, Templar};
use crate::vars::{self, RunInfo, Store};
use crate::yaml::{Diagnostic, Mapping, Node, Severity, Source, Span};

/// Everything that was read.
pub(crate) struct Prepared {
    pub(crate) playbooks: Vec<Playbook>,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) store: Store,
    pub(crate) templar: Templar,
    pub(crate) loader: Loader,
    pub(crate) limit: Option<Pattern>,
    pub(crate) filter: TagFilter,
}

/// Reads and checks all that `input` names. What is wrong is shown, and decides the exit code.
pub(crate) fn prepare(input: &Input, info: RunInfo, printer: &Printer) -> Result<Prepared, Exit> {
    if let Some(missing) = input.playbooks.iter().find(|path| !path.exists()) {
        let error = printer.theme().bad("error:");
        printer.note(&format!(
            "{error} there is no playbook {}",
            missing.display()
        ));
        printer.note("  what to do: check the path; it is relative to the folder you are in");
        return Err(Exit::Usage);
    }
    let mut found = Vec::new();
    let prepared = read(input, info, &mut found);
    let errors = found
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    let secrets = prepared.as_ref().map(|prepared| prepared.store.secrets());
    show(&found, secrets, printer);
    match prepared {
        Some(prepared) if !errors => Ok(prepared),
        _ => Err(Exit::BAD_INPUT),
    }
}

fn read(input: &Input, info: RunInfo, found: &mut Vec<Diagnostic>) -> Option<Prepared> {
    let extra = keep(vars::extra(&input.extra_vars), found);
    let inventory = keep(load_inventory(input, found), found);
    let loader = Loader {
        is_module: |name| registry::find(name).is_some(),
        variables: extra.as_ref().map(known_text).unwrap_or_default(),
    };
    let mut playbooks = Vec::new();
    for path in &input.playbooks {
        let (playbook, errors) = playbook::load_partly(path, &loader);
        found.extend(errors);
        playbooks.push(playbook);
    }
    // What could be read is checked all the same, so that all errors are told together.
    let errors = |found: &[Diagnostic]| found.iter().any(|one| one.severity == Severity::Error);
    let complete = !errors(found);
    let (extra, inventory) = (extra.unwrap_or_default(), inventory.unwrap_or_default());
    let limit = match &input.hosts.limit {
        Some(text) => Some(keep(limit(text, &inventory), found)?),
        None => None,
    };
    let folders = folders(&playbooks);
    let beside = keep(beside(&folders, &inventory), found)?;
    let templar = Templar::new(Options {
        base_dirs: folders,
        ..Options::default()
    });
    let inventory = Arc::new(inventory);
    let store = Store::new(Arc::clone(&inventory), beside, extra, templar.clone(), info);
    let prepared = Prepared {
        playbooks,
        inventory,
        store,
        templar,
        loader,
        limit,
        filter: TagFilter {
            only: words(&input.tags),
            skip: words(&input.skip_tags),
        },
    };
    found.extend(check::check(&check::Input {
        playbooks: &prepared.playbooks,
        inventory: &prepared.inventory,
        store: &prepared.store,
        templar: &prepared.templar,
        loader: &prepared.loader,
        complete,
        all_tasks: prepared.filter.only.is_empty(),
        limit: prepared.limit.as_ref(),
    }));
    Some(prepared)
}

/// Lines of files are shown with what is wrong in them, and a line of an inventory may hold a password.
fn show(found: &[Diagnostic], secrets: Option<&Secrets>, printer: &Printer) {
    if found.is_empty() {
        return;
    }
    let colour = printer.theme().is_coloured();
    let mut drawn = diagnostics::draw(found, diagnostics::Options { colour });
    if let Some(secrets) = secrets {
        secrets.hide(&mut drawn);
    }
    printer.drawn(drawn.trim_end());
    printer.note(&format!("\n{}", diagnostics::count(found)));
}

/// The value, or nothing with what is wrong kept for later.
fn keep<T>(result: Result<T, Vec<Diagnostic>>, found: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|diagnostics| found.extend(diagnostics)).ok()
}

fn load_inventory(
    input: &Input,
    found: &mut Vec<Diagnostic>,
) -> Result<Inventory, Vec<Diagnostic>> {
    let sources: Vec<InventorySource> = input
        .hosts
        .inventory
        .iter()
        .map(|argument| InventorySource::parse(argument))
        .collect();
    let inventory = inventory::load(&sources)?;
    found.extend(inventory.warnings().iter().cloned());
    Ok(inventory)
}

fn limit(text: &str, inventory: &Inventory) -> Result<Pattern, Vec<Diagnostic>> {
    let source = Source::named("--limit", text);
    let span = Span::new(&source, 0, text.len());
    let pattern = Pattern::limit(text).map_err(|error| vec![error.diagnostic(&span)])?;
    inventory
        .check_limit(&pattern)
        .map_err(|error| vec![error.diagnostic(&span)])?;
    Ok(pattern)
}

/// The folders of all plays' files, each once.
fn folders(playbooks: &[Playbook]) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let plays = playbooks.iter().flat_map(|playbook| &playbook.plays);
    let files = playbooks
        .iter()
        .map(|playbook| &playbook.path)
        .chain(plays.map(|play| &play.path));
    for file in files {
        let folder = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !folders.iter().any(|known| known == folder) {
            folders.push(folder.to_path_buf());
        }
    }
    folders
}

/// The variables beside each folder's playbooks.
fn beside(
    folders: &[PathBuf],
    inventory: &Inventory,
) -> Result<Vec<(PathBuf, Arc<Beside>)>, Vec<Diagnostic>> {
    let mut all = Vec::new();
    let mut errors = Vec::new();
    for folder in folders {
        match Beside::load(folder, inventory) {
            Ok(beside) => all.push((folder.clone(), Arc::new(beside))),
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() {
        Ok(all)
    } else {
        Err(errors)
    }
}

/// Variables whose values are text already.
fn known_text(extra: &Mapping) -> BTreeMap<String, String> {
    extra
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str()?.to_owned(), Node::as_str(value)?.to_owned()))
        })
        .collect()
}

fn words(tags: &[String]) -> BTreeSet<String> {
    tags.iter()
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect()
}
