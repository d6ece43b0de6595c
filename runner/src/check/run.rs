//! The order of the checks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::input::Input;
use super::items;
use super::{arguments, begin, files, handlers, hosts, names, strings, surprises};
use crate::playbook::{Loader, Play};
use crate::yaml::{Diagnostic, Severity, Span};

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
    let mut collected = items::collect(&plays, input.loader);
    let mut found = std::mem::take(&mut collected.found);
    let items = &collected.items;
    let vars_files = files::vars_files(&plays, &mut found);
    // What is not read may define variables and handlers, hosts and groups.
    let all_read = input.complete && found.is_empty();
    if input.complete {
        hosts::check(&plays, input, &mut found);
    }
    if all_read {
        handlers::check(items, &mut found);
    }
    for item in items {
        arguments::check(item, &mut found);
    }
    files::check(items, &mut found);
    surprises::check(&plays, &collected, &mut found);
    strings::check(&plays, &collected, &vars_files, input.templar, &mut found);
    if all_read {
        names::check(&plays, &collected, &vars_files, input, &mut found);
        begin::check(&plays, &collected, input, &mut found);
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
