//! What `run`, `check` and the lists have in common: everything is read and checked before anything
//! is connected to, and all errors of all files are shown together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_modules::registry;

use super::args::InputFlags;
use super::config;
use super::exit::Exit;
use crate::check;
use crate::engine::TagFilter;
use crate::inventory::{self, Beside, Inventory, InventorySource, Pattern};
use crate::playbook::{self, Loader, Playbook, SearchPaths};
use crate::report::{Printer, diagnostics};
use crate::secrets::Secrets;
use crate::template::{Templar, TemplateOptions};
use crate::vars::{self, RunInfo, Store};
use crate::yaml::{Diagnostic, Mapping, Node, Severity, Source, Span};

/// Everything that was read.
pub(crate) struct PreparedRun {
    pub(crate) playbooks: Vec<Playbook>,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) store: Store,
    pub(crate) templar: Templar,
    pub(crate) loader: Loader,
    pub(crate) limit: Option<Pattern>,
    pub(crate) filter: TagFilter,
}

/// Reads and checks all that `input` names. What is wrong is shown, and decides the exit code.
/// `from_start`: the run begins at its first task, and asks nobody before each.
pub(crate) fn prepare(
    input: &InputFlags,
    info: RunInfo,
    from_start: bool,
    printer: &Printer,
) -> Result<PreparedRun, Exit> {
    let (paths, wrong) = config::search_paths();
    if let Some(wrong) = wrong {
        printer.note(&format!("{} {wrong}", printer.theme().bad("error:")));
        printer.note("  what to do: repair the file, or name another with ANSIBLE_CONFIG");
        return Err(Exit::BAD_INPUT);
    }
    let (playbooks, tried) = named_playbooks(&input.playbooks, &paths);
    if let Some(missing) = playbooks.iter().find(|path| !path.exists()) {
        let error = printer.theme().bad("error:");
        printer.note(&format!(
            "{error} there is no playbook {}",
            missing.display()
        ));
        for path in tried {
            printer.note(&format!("  looked for {}", path.display()));
        }
        printer.note("  what to do: check the path; it is relative to the folder you are in");
        return Err(Exit::Usage);
    }
    let input = &InputFlags {
        playbooks,
        ..input.clone()
    };
    let mut found = Vec::new();
    let mut secrets = Vec::new();
    let prepared = read(input, paths, info, from_start, (&mut found, &mut secrets));
    let errors = found
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    show(&found, &mut secrets, printer);
    match prepared {
        Some(prepared) if !errors => Ok(prepared),
        _ => Err(Exit::BAD_INPUT),
    }
}

/// The files of the playbooks: one may be named by its collection. What is none of these is as it was named, with
/// the places where it was looked for.
fn named_playbooks(named: &[PathBuf], paths: &SearchPaths) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut tried = Vec::new();
    let found = named.iter().map(|path| {
        let name = path.to_str().filter(|_| !path.exists());
        let in_collection =
            name.and_then(|name| playbook::playbook_of_collection(name, Path::new(""), paths));
        match in_collection {
            Some(Ok(file)) => file,
            Some(Err(places)) => {
                tried.extend(places);
                path.clone()
            }
            None => path.clone(),
        }
    });
    (found.collect(), tried)
}

/// What is wrong goes to `found`, and to `secrets` what must not be shown of it: also if nothing is given.
fn read(
    input: &InputFlags,
    paths: SearchPaths,
    info: RunInfo,
    from_start: bool,
    (found, secrets): (&mut Vec<Diagnostic>, &mut Vec<Secrets>),
) -> Option<PreparedRun> {
    let extra = keep(vars::extra(&input.extra_vars), found);
    let (inventory, errors) = load_inventory(input, found);
    let whole = errors.is_empty();
    found.extend(errors);
    let loader = Loader {
        is_module: |name| registry::find(name).is_some(),
        variables: extra.as_ref().map(known_text).unwrap_or_default(),
        paths,
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
    let extra = extra.unwrap_or_default();
    let folders = folders(&playbooks);
    let templar = Templar::new(TemplateOptions {
        base_dirs: folders.clone(),
        ..TemplateOptions::default()
    });
    let store = |inventory: &Arc<Inventory>, beside, info| {
        let (extra, templar) = (extra.clone(), templar.clone());
        Store::new(Arc::clone(inventory), beside, extra, templar, info)
    };
    let mut inventory = Arc::new(inventory);
    if !whole {
        // All that is known of it are its passwords.
        let store = store(&inventory, Vec::new(), RunInfo::default());
        secrets.push(store.secrets().clone());
        inventory = Arc::default();
    }
    let limit = input.hosts.limit.as_ref();
    let limit = limit.map(|text| keep(limit_to(text, &inventory), found));
    let beside = beside(&folders, &inventory).map_err(|mut errors| {
        // What is beside the inventory as well may be why that could not be read.
        errors.retain(|error| !found.contains(error));
        errors
    });
    let beside = keep(beside, found);
    let complete_beside = beside.is_some();
    let store = store(&inventory, beside.unwrap_or_default(), info);
    secrets.push(store.secrets().clone());
    if !complete_beside || matches!(limit, Some(None)) {
        return None;
    }
    let limit = limit.flatten();
    let prepared = PreparedRun {
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
        from_start,
        limit: prepared.limit.as_ref(),
    }));
    Some(prepared)
}

/// Shows what was found. Lines of files are shown with it, and a line of an inventory may hold a password: known
/// to a variable, or in a file that could not be read.
pub(super) fn show(found: &[Diagnostic], secrets: &mut Vec<Secrets>, printer: &Printer) {
    if found.is_empty() {
        return;
    }
    let mut sources: Vec<&Arc<Source>> = Vec::new();
    for label in found.iter().flat_map(|diagnostic| &diagnostic.labels) {
        if !(sources.iter()).any(|known| Arc::ptr_eq(known, &label.span.source)) {
            sources.push(&label.span.source);
        }
    }
    let texts: Vec<&str> = sources.iter().map(|source| source.text()).collect();
    secrets.push(vars::written(&texts, &diagnostics::texts(found)));
    let options = diagnostics::DrawOptions {
        colour: printer.theme().is_coloured(),
    };
    let hiding = diagnostics::Hiding {
        lines: &|text| secrets.iter().for_each(|secrets| secrets.mask(text)),
        words: &|text| secrets.iter().for_each(|secrets| secrets.hide(text)),
    };
    let drawn = diagnostics::draw_hiding(found, options, &hiding);
    printer.drawn(drawn.trim_end());
    printer.note(&format!("\n{}", diagnostics::count(found)));
}

/// The value, or nothing with what is wrong kept for later.
fn keep<T>(result: Result<T, Vec<Diagnostic>>, found: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|diagnostics| found.extend(diagnostics)).ok()
}

/// The inventory, and what is wrong with it: then it is not all of it.
fn load_inventory(input: &InputFlags, found: &mut Vec<Diagnostic>) -> (Inventory, Vec<Diagnostic>) {
    let sources: Vec<InventorySource> = input
        .hosts
        .inventory
        .iter()
        .map(|argument| InventorySource::parse(argument))
        .collect();
    let (inventory, errors) = inventory::load_partly(&sources);
    if errors.is_empty() {
        found.extend(inventory.warnings().iter().cloned());
    }
    (inventory, errors)
}

fn limit_to(text: &str, inventory: &Inventory) -> Result<Pattern, Vec<Diagnostic>> {
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
