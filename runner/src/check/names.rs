//! Variables that nothing defines.
//!
//! A name counts as defined if anything in the run may define it, at any time and for any host. What
//! may be defined in a way that cannot be seen (a file whose name is a template) makes every name
//! count as defined.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::argument_specs;
use super::defined::{self, Defined};
use super::files::VarsFiles;
use super::hosts;
use super::input::Input;
use super::item::{Around, Item};
use super::items::Collected;
use super::strings::{self, When};
use crate::playbook::{LoopSource, Play};
use crate::template::{Reference, References, Templar};
use crate::yaml::{Diagnostic, Severity, Span, suggest};

/// Reports uses of names that nothing defines: an error where the run is sure to reach it, a warning
/// where it may.
pub(super) fn check(
    plays: &[Arc<Play>],
    collected: &Collected,
    vars_files: &VarsFiles,
    input: &Input<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let items = &collected.items;
    let Some(defined) = Defined::collect(plays, collected, vars_files, input) else {
        return;
    };
    let templar = input.templar;
    let sure: Vec<_> = plays
        .iter()
        .filter(|play| input.all_tasks && hosts::is_sure_to_run(play, input))
        .collect();
    let uses = |sure| Uses {
        sure,
        defined: &defined,
        templar,
        guarded: HashSet::new(),
        looked_at: HashMap::new(),
        found: HashMap::new(),
    };
    for play in plays {
        let mut uses = uses(false);
        uses.play(play);
        found.extend(uses.found.into_values());
    }
    for item in items {
        let mut uses = uses(sure.iter().any(|play| Arc::ptr_eq(play, &item.play)));
        uses.item(item);
        let certain =
            uses.reaches(item) && item.conditions().next().is_none() && always_loops(item);
        argument_specs::check(item, &defined, certain, found);
        found.extend(uses.found.into_values());
    }
}

/// The uses of one task, or of a play's own keywords.
struct Uses<'d, 'a> {
    defined: &'d Defined<'a>,
    templar: &'d Templar,
    /// Whether the play runs.
    sure: bool,
    /// Names that a condition around asks for: where they are used, they are there.
    guarded: HashSet<String>,
    /// Names that were looked at, each with whether it is certain to be used: variables may use one
    /// another in more ways than there are variables.
    looked_at: HashMap<String, bool>,
    /// What is wrong, by name.
    found: HashMap<String, Diagnostic>,
}

impl Uses<'_, '_> {
    fn play(&mut self, play: &Play) {
        for one in strings::uses_of_play(play, self.templar) {
            self.guard(&one.references);
            self.all(&one.references, false);
        }
    }

    fn guard(&mut self, references: &References) {
        let guarded = references.variables.iter().filter(|one| one.guarded);
        self.guarded.extend(guarded.map(|one| one.name.clone()));
    }

    fn item(&mut self, item: &Item) {
        let conditions: Vec<References> = item
            .conditions()
            .map(|condition| strings::condition(condition, self.templar))
            .collect();
        let uses = strings::uses(item, self.templar);
        for references in conditions
            .iter()
            .chain(uses.iter().map(|one| &one.references))
        {
            self.guard(references);
        }
        let reached = self.reaches(item);
        for (index, references) in conditions.iter().enumerate() {
            // The first condition that does not hold ends them.
            self.all(references, reached && index == 0 && always_loops(item));
        }
        for one in &uses {
            let looped = match one.when {
                When::Always => always_loops(item),
                When::Loop => around_loops(item),
                When::Perhaps => false,
                When::Harmless => continue,
            };
            let certain = reached && conditions.is_empty() && looped;
            self.all(&one.references, certain);
        }
    }

    /// Whether the run comes to the task, unless a condition says otherwise, and fails with it.
    fn reaches(&self, item: &Item) -> bool {
        self.sure && !item.rescue && !item.handler && !item.is_forgiven() && !item.is_tagged()
    }

    fn all(&mut self, references: &References, certain: bool) {
        for reference in &references.variables {
            if !reference.guarded {
                self.one(reference, certain && reference.certain);
            }
        }
    }

    /// A use of a variable, and all that its value uses.
    fn one(&mut self, reference: &Reference, certain: bool) {
        let mut ahead = vec![(reference.clone(), certain, None)];
        // Not by recursion: a row of variables may be longer than the stack is deep.
        while let Some((reference, certain, first)) = ahead.pop() {
            let name = &reference.name;
            let again = self.looked_at.get(name);
            if self.guarded.contains(name) || again.is_some_and(|before| *before || !certain) {
                continue;
            }
            self.looked_at.insert(name.clone(), certain);
            if !self.defined.knows(name) {
                self.undefined(&reference, certain, first.as_ref());
                continue;
            }
            let Some(value) = self.defined.value(name) else {
                continue;
            };
            // Where the variable is used in whose value the others are.
            let first = first.or_else(|| reference.span.clone());
            for references in strings::references(value, self.templar).into_iter().rev() {
                let asked: HashSet<&String> = references
                    .variables
                    .iter()
                    .filter(|one| one.guarded)
                    .map(|one| &one.name)
                    .collect();
                for inner in references.variables.iter().rev() {
                    if !inner.guarded && !asked.contains(&inner.name) {
                        ahead.push((inner.clone(), certain && inner.certain, first.clone()));
                    }
                }
            }
        }
    }

    fn undefined(&mut self, reference: &Reference, certain: bool, first: Option<&Span>) {
        let name = &reference.name;
        if let Some(known) = self.found.get(name)
            && (known.severity == Severity::Error || !certain)
        {
            return;
        }
        let severity = if certain {
            Severity::Error
        } else {
            Severity::Warning
        };
        let mut diagnostic =
            Diagnostic::new(severity, format!("nothing defines the variable `{name}`"));
        if let Some(span) = &reference.span {
            diagnostic = diagnostic.label(span, "");
        }
        if let Some(span) = first {
            diagnostic = diagnostic.label(span, "needed here");
        }
        let names = self.defined.names.iter().map(String::as_str);
        let help = match suggest(name, names.chain(defined::ALWAYS.iter().copied())) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!(
                "define it in `vars:`, in the inventory or with `-e {name}=…`; where it may be \
                 missing write `{name} | default(…)`"
            ),
        };
        let note = if certain {
            "no variables file, inventory, task or `-e` of this run sets it"
        } else {
            "no variables file, inventory, task or `-e` of this run sets it; where it is used may \
             not be reached"
        };
        self.found
            .insert(name.clone(), diagnostic.note(note).help(help));
    }
}

/// Whether a task runs at least once for each host that comes to it: it does not loop, or over a list
/// that has items.
fn always_loops(item: &Item) -> bool {
    item.task.looping.iter().all(has_items) && around_loops(item)
}

/// The same for the includes around it.
fn around_loops(item: &Item) -> bool {
    let mut includes = item.around.iter().filter_map(|around| match around {
        Around::Include(task) => task.looping.as_ref(),
        Around::Block(_) | Around::Role(_) => None,
    });
    includes.all(has_items)
}

fn has_items(source: &LoopSource) -> bool {
    let items = source.items.as_sequence();
    items.is_some_and(|items| !items.is_empty())
}
