//! The order of the checks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::items;
use super::{files, handlers, hosts, modules, names, strings, surprises};
use crate::inventory::{Inventory, Pattern};
use crate::playbook::{Loader, Play, Playbook};
use crate::template::Templar;
use crate::vars::Store;
use crate::yaml::{Diagnostic, Severity, Span};

/// What is checked, and against what.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The playbooks of the run, in order.
    pub playbooks: &'a [Playbook],
    /// The hosts and groups.
    pub inventory: &'a Inventory,
    /// The variables that are known before the run.
    pub store: &'a Store,
    /// Knows the syntax of templates.
    pub templar: &'a Templar,
    /// Reads files that are included.
    pub loader: &'a Loader,
    /// Whether all of the playbooks and inventories could be read; otherwise what they define is not
    /// known.
    pub complete: bool,
    /// Whether every task may run: `--tags` and `--start-at-task` leave others out.
    pub all_tasks: bool,
    /// `--limit`.
    pub limit: Option<&'a Pattern>,
}

/// A loader that knows the modules.
pub fn loader() -> Loader {
    Loader::new(|name| windlass_modules::registry::find(name).is_some())
}

/// Everything wrong with the playbooks: errors and warnings, file by file, each from top to bottom.
pub fn check(input: &Input<'_>) -> Vec<Diagnostic> {
    let plays: Vec<Arc<Play>> = input
        .playbooks
        .iter()
        .flat_map(|playbook| playbook.plays.iter().cloned())
        .collect();
    let (items, mut found) = items::collect(&plays, input.loader);
    let vars_files = files::vars_files(&plays, &mut found);
    // What is not read may define variables and handlers, hosts and groups.
    let all_read = input.complete && found.is_empty();
    if input.complete {
        hosts::check(&plays, input, &mut found);
    }
    if all_read {
        handlers::check(&items, &mut found);
    }
    for item in &items {
        modules::check(item, &mut found);
    }
    files::check(&items, &mut found);
    surprises::check(&plays, &items, &mut found);
    strings::check(&plays, &items, &vars_files, input.templar, &mut found);
    if all_read {
        names::check(&plays, &items, &vars_files, input, &mut found);
    }
    in_order(found)
}

/// Each once; files in the order in which they come up, and in each from top to bottom.
#[expect(
    clippy::mutable_key_type,
    reason = "a source finds out late where its lines begin, which is no part of what it is"
)]
fn in_order(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut known = HashSet::new();
    let mut all: Vec<Diagnostic> = Vec::with_capacity(found.len());
    for diagnostic in found {
        if known.insert(diagnostic.clone()) {
            all.push(diagnostic);
        }
    }
    let mut files: HashMap<String, usize> = HashMap::new();
    for span in all.iter().filter_map(place) {
        let next = files.len();
        files.entry(span.source.name().to_owned()).or_insert(next);
    }
    all.sort_by_key(|diagnostic| {
        let at = place(diagnostic).map(|span| (files.get(span.source.name()), span.start));
        (diagnostic.severity == Severity::Warning, at)
    });
    all
}

fn place(diagnostic: &Diagnostic) -> Option<&Span> {
    diagnostic.labels.first().map(|label| &label.span)
}
