//! What defines the names of variables.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use windlass_modules::{FreeForm, registry};

use super::files::VarsFiles;
use super::input::Input;
use super::item::Item;
use super::items::{self, Collected};
use super::modules;
use super::places;
use crate::playbook::{Play, TaskAction, has_template};
use crate::yaml::{self, Mapping, Node};

/// Names that are there without anyone defining them; so is what begins with `ansible_`.
pub(super) const ALWAYS: &[&str] = &[
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
const DEFINE_ANYTHING: &[&str] = &["add_host", "group_by"];

/// What defines names.
#[derive(Debug, Default)]
pub(super) struct Defined<'a> {
    pub(super) names: HashSet<String>,
    /// Values that stand in playbooks, of names that are defined nowhere else.
    values: HashMap<&'a str, Vec<&'a Node>>,
    /// Names whose values are not known before the run.
    elsewhere: HashSet<String>,
}

impl<'a> Defined<'a> {
    /// Nothing where names may be defined unseen.
    pub(super) fn collect(
        plays: &'a [Arc<Play>],
        collected: &'a Collected,
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
        for mapping in items::variables(plays, collected).chain(files) {
            defined.mapping(mapping);
        }
        for item in &collected.items {
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
            TaskAction::IncludeRole { role, .. } => role.is_literal().then_some(()),
            TaskAction::Meta(..) => Some(()),
            TaskAction::Module { name, more, .. } => {
                let short = name.rsplit('.').next().unwrap_or(name);
                if DEFINE_ANYTHING.contains(&short) {
                    return None;
                }
                if short == "include_vars" {
                    return self.included(item);
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

    /// The variables of the file that `include_vars` names, where it can be told.
    fn included(&mut self, item: &Item) -> Option<()> {
        let arguments = modules::arguments(item)?;
        if let Some(name) = arguments.get("name") {
            let name = name.as_str().filter(|name| !has_template(name))?;
            self.elsewhere.insert(name.to_owned());
            return Some(());
        }
        let mut named = ["_raw_params", "file"].iter();
        let file = named.find_map(|key| arguments.get(key))?.as_str()?;
        if has_template(file) {
            return None;
        }
        let path = places::find(&item.folders(), "vars", file)?;
        let node = yaml::load(&path).ok()?;
        let names = node.as_mapping().into_iter().flat_map(Mapping::iter);
        let names = names.filter_map(|(key, _)| key.as_str().map(str::to_owned));
        self.elsewhere.extend(names);
        Some(())
    }

    /// The values of a name that all stand in playbooks; nothing where it may have others.
    pub(super) fn literals(&self, name: &str) -> Option<&[&'a Node]> {
        let values = self.values.get(name).map(Vec::as_slice);
        values.filter(|_| !self.elsewhere.contains(name))
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        name.starts_with("ansible_") || ALWAYS.contains(&name) || self.names.contains(name)
    }

    /// The one value that a name can have.
    pub(super) fn value(&self, name: &str) -> Option<&'a Node> {
        match self.values.get(name).map(Vec::as_slice) {
            Some([value]) if !self.elsewhere.contains(name) => Some(value),
            _ => None,
        }
    }
}
