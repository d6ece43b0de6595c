//! Variables that nothing defines.
//!
//! A name counts as defined if anything in the run may define it, at any time and for any host. What
//! may be defined in a way that cannot be seen (a file whose name is a template) makes every name
//! count as defined.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use windlass_modules::{FreeForm, registry};

use super::files::VarsFiles;
use super::hosts;
use super::items::{self, Around, Item};
use super::modules;
use super::run::Input;
use super::strings::{self, When};
use crate::playbook::{LoopSource, Play, TaskAction, has_template};
use crate::template::{Reference, References, Templar};
use crate::yaml::{Diagnostic, Mapping, Node, Severity, Span, suggest};

/// Names that are there without anyone defining them; so is what begins with `ansible_`.
const ALWAYS: &[&str] = &[
    "environment",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "item",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
    "template_destpath",
    "template_fullpath",
    "template_host",
    "template_mtime",
    "template_path",
    "template_run_date",
    "template_uid",
    "vars",
];

/// Modules that may define any variable.
const DEFINE_ANYTHING: &[&str] = &["add_host", "group_by", "include_vars"];

/// Reports uses of names that nothing defines: an error where the run is sure to come by, a warning
/// where it may.
pub(super) fn check(
    plays: &[Arc<Play>],
    items: &[Item],
    vars_files: &VarsFiles,
    input: &Input<'_>,
    found: &mut Vec<Diagnostic>,
) {
    let Some(defined) = Defined::collect(plays, items, vars_files, input) else {
        return;
    };
    let templar = input.templar;
    let sure: Vec<_> = plays
        .iter()
        .filter(|play| input.all_tasks && hosts::is_sure_to_run(play, input))
        .collect();
    for item in items {
        let mut uses = Uses {
            sure: sure.iter().any(|play| Arc::ptr_eq(play, &item.play)),
            defined: &defined,
            templar,
            guarded: HashSet::new(),
            looked_at: HashMap::new(),
            found: HashMap::new(),
        };
        uses.item(item);
        found.extend(uses.found.into_values());
    }
}

/// What defines names.
#[derive(Debug, Default)]
struct Defined<'a> {
    names: HashSet<String>,
    /// Values that stand in playbooks, of names that are defined nowhere else.
    values: HashMap<&'a str, Vec<&'a Node>>,
    /// Names whose values are not known before the run.
    elsewhere: HashSet<String>,
}

impl<'a> Defined<'a> {
    /// Nothing where names may be defined unseen.
    fn collect(
        plays: &'a [Arc<Play>],
        items: &'a [Item],
        vars_files: &'a VarsFiles,
        input: &Input<'_>,
    ) -> Option<Self> {
        if vars_files.unknown {
            return None;
        }
        let mut defined = Self {
            elsewhere: input.store.names(),
            ..Self::default()
        };
        let files = vars_files.read.iter().filter_map(|file| file.as_mapping());
        for mapping in items::variables(plays, items).chain(files) {
            defined.mapping(mapping);
        }
        for item in items {
            defined.task(item)?;
        }
        defined.names.extend(defined.elsewhere.iter().cloned());
        Some(defined)
    }

    fn mapping(&mut self, mapping: &'a Mapping) {
        for (key, value) in mapping.iter() {
            if let Some(name) = key.as_str() {
                self.names.insert(name.to_owned());
                self.values.entry(name).or_default().push(value);
            }
        }
    }

    fn task(&mut self, item: &Item) -> Option<()> {
        let task = &item.task;
        let control = &task.loop_control;
        self.elsewhere.extend(
            task.register
                .iter()
                .map(|(name, _)| name)
                .chain(&control.loop_var)
                .chain(&control.index_var)
                .cloned(),
        );
        match &task.action {
            TaskAction::IncludeTasks { file, .. } => {
                file.as_str().filter(|name| !has_template(name)).map(drop)
            }
            TaskAction::Meta(..) => Some(()),
            TaskAction::Module { name, more, .. } => {
                let short = name.rsplit('.').next().unwrap_or(name);
                if DEFINE_ANYTHING.contains(&short) {
                    return None;
                }
                let any = registry::find(name)
                    .is_some_and(|module| module.free_form() == FreeForm::AnyKeys);
                if !any {
                    return Some(());
                }
                if more
                    .as_ref()
                    .is_some_and(|more| more.as_mapping().is_none())
                {
                    return None;
                }
                for (key, _) in modules::arguments(item)?.iter() {
                    let name = key.as_str()?;
                    if has_template(name) {
                        return None;
                    }
                    self.elsewhere.insert(name.to_owned());
                }
                Some(())
            }
        }
    }

    fn knows(&self, name: &str) -> bool {
        name.starts_with("ansible_") || ALWAYS.contains(&name) || self.names.contains(name)
    }

    /// The one value that a name can have.
    fn value(&self, name: &str) -> Option<&'a Node> {
        match self.values.get(name).map(Vec::as_slice) {
            Some([value]) if !self.elsewhere.contains(name) => Some(value),
            _ => None,
        }
    }
}

/// The uses of one task.
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
            let guarded = references.variables.iter().filter(|one| one.guarded);
            self.guarded.extend(guarded.map(|one| one.name.clone()));
        }
        let reached = self.sure && !item.rescue && !item.handler && !is_tagged(item);
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
        let help = match suggest(name, names.chain(ALWAYS.iter().copied())) {
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
        Around::Block(_) => None,
    });
    includes.all(has_items)
}

fn has_items(source: &LoopSource) -> bool {
    let items = source.items.as_sequence();
    items.is_some_and(|items| !items.is_empty())
}

/// Whether `--tags` or `--skip-tags` may leave a task out; `always` counts for none.
fn is_tagged(item: &Item) -> bool {
    let imported = item.play.imports.iter().flat_map(|import| &import.tags);
    item.commons()
        .flat_map(|common| &common.tags)
        .chain(imported)
        .any(|tag| tag.as_str() != Some("always"))
}
