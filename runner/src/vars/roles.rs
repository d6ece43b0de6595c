//! The variables of roles: which of the roles around a task, of those that they depend on and of the play's has a
//! name.
//!
//! As ansible-core 2.19 has it. The roles around a task come outermost first; the last one is the task's own.

use std::sync::Arc;

use crate::playbook::{Entry, Play, Role, UsedBy};
use crate::yaml::{Mapping, Node};

/// A name in the `defaults/` of roles.
pub(super) fn default<'a>(around: &[&'a Role], name: &str) -> Option<&'a Node> {
    let own = around
        .iter()
        .rev()
        .find_map(|role| in_files(&role.defaults, name));
    own.or_else(|| in_dependencies(around.last()?, &|role| in_files(&role.defaults, name)))
}

/// A name in the `vars/` of roles, or in the `vars` where they are used.
pub(super) fn variable<'a>(around: &[&'a Role], name: &str) -> Option<&'a Node> {
    let (own, outer) = around.split_last()?;
    let handed = |role: &'a Role| role.common.vars.get(name);
    let in_role = |role: &'a Role| in_files(&role.vars, name);
    handed(own)
        .or_else(|| in_role(own))
        .or_else(|| in_dependencies(own, &in_role))
        .or_else(|| {
            let mut outer = outer.iter().rev();
            outer.find_map(|role| in_role(role).or_else(|| handed(role)))
        })
}

/// A name beside those of roles.
pub(super) fn param<'a>(around: &[&'a Role], name: &str) -> Option<&'a Node> {
    around.iter().rev().find_map(|role| role.params.get(name))
}

/// A name in the `defaults/` of the public ones among a play's roles.
pub(super) fn public_default<'a>(
    roles: impl DoubleEndedIterator<Item = &'a Arc<Role>>,
    name: &str,
) -> Option<&'a Node> {
    let mut public = public(roles);
    public.find_map(|role| default(&[role], name))
}

/// A name in the `vars/` of these.
pub(super) fn exported<'a>(
    roles: impl DoubleEndedIterator<Item = &'a Arc<Role>>,
    name: &str,
) -> Option<&'a Node> {
    let in_role = |role: &'a Role| in_files(&role.vars, name);
    let mut public = public(roles);
    public.find_map(|role| in_role(role).or_else(|| in_dependencies(role, &in_role)))
}

/// The last one first: it counts.
fn public<'a>(
    roles: impl DoubleEndedIterator<Item = &'a Arc<Role>>,
) -> impl Iterator<Item = &'a Role> {
    let roles = roles.rev().map(AsRef::as_ref);
    roles.filter(|role: &&Role| role.public)
}

fn in_files<'a>(files: &'a [Arc<Node>], name: &str) -> Option<&'a Node> {
    let mut files = files.iter().rev().filter_map(|file| file.as_mapping());
    files.find_map(|file| file.get(name))
}

/// What the roles that one depends on have, the last one first, each before those that it depends on itself.
fn in_dependencies<'a>(
    role: &'a Role,
    of: &impl Fn(&'a Role) -> Option<&'a Node>,
) -> Option<&'a Node> {
    let mut dependencies = role.dependencies.iter().rev();
    dependencies.find_map(|dependency| of(dependency).or_else(|| in_dependencies(dependency, of)))
}

/// All names that the roles around a task define, those that they depend on included.
pub(super) fn names<'a>(around: &[&'a Role]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for role in around {
        add_names(role, &mut names);
        for mapping in [&role.params, &role.common.vars] {
            names.extend(keys(mapping));
        }
    }
    names
}

/// All names that the public ones among a play's roles define.
pub(super) fn public_names<'a>(
    roles: impl DoubleEndedIterator<Item = &'a Arc<Role>>,
) -> Vec<&'a str> {
    let mut names = Vec::new();
    for role in public(roles) {
        add_names(role, &mut names);
    }
    names
}

fn add_names<'a>(role: &'a Role, names: &mut Vec<&'a str>) {
    for file in role.defaults.iter().chain(&role.vars) {
        names.extend(file.as_mapping().into_iter().flat_map(keys));
    }
    for dependency in &role.dependencies {
        add_names(dependency, names);
    }
}

fn keys(mapping: &Mapping) -> impl Iterator<Item = &str> {
    mapping.iter().filter_map(|(key, _)| key.as_str())
}

/// The roles that a play has before it runs: those that it lists, then those that are imported, in the order in
/// which they are read.
pub(super) fn of_play(play: &Play) -> Vec<Arc<Role>> {
    let mut imported = Vec::new();
    for role in &play.roles {
        imported_in_role(role, &mut imported);
    }
    for entries in [&play.pre_tasks, &play.post_tasks, &play.tasks] {
        self::imported(entries, &mut imported);
    }
    play.roles.iter().cloned().chain(imported).collect()
}

/// A role that is included, after those that are imported in it.
pub(super) fn of_include(role: &Arc<Role>) -> Vec<Arc<Role>> {
    let mut roles = Vec::new();
    imported_in_role(role, &mut roles);
    roles.push(Arc::clone(role));
    roles
}

/// The roles that are imported in tasks.
pub(super) fn of_tasks(entries: &[Entry]) -> Vec<Arc<Role>> {
    let mut roles = Vec::new();
    imported(entries, &mut roles);
    roles
}

fn imported_in_role(role: &Role, found: &mut Vec<Arc<Role>>) {
    for dependency in &role.dependencies {
        imported_in_role(dependency, found);
    }
    imported(&role.tasks, found);
}

fn imported(entries: &[Entry], found: &mut Vec<Arc<Role>>) {
    for entry in entries {
        match entry {
            Entry::Task(_) => {}
            Entry::Block(block) => {
                for entries in [&block.block, &block.rescue, &block.always] {
                    imported(entries, found);
                }
            }
            Entry::Role(import) => {
                imported_in_role(&import.role, found);
                found.push(Arc::clone(&import.role));
            }
        }
    }
}

/// The roles from whose tasks those around a task were imported or included, the nearest first.
pub(super) fn parents<'a>(around: &[&'a Role]) -> Vec<&'a Role> {
    let pairs = around.windows(2).rev();
    let pairs = pairs.filter(|pair| matches!(pair[1].by, UsedBy::Import | UsedBy::Include));
    pairs.map(|pair| pair[0]).collect()
}

/// The names of the roles that these depend on, each once.
pub(super) fn dependency_names<'a>(roles: impl Iterator<Item = &'a Arc<Role>>) -> Vec<String> {
    fn add(role: &Role, names: &mut Vec<String>) {
        for dependency in &role.dependencies {
            add(dependency, names);
            let name = dependency.full_name();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let mut names = Vec::new();
    roles.for_each(|role| add(role, &mut names));
    names
}
