//! `--list-hosts`, `--list-tasks` and `--list-tags`, in `ansible-playbook`'s layout.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::args::RunFlags;
use super::prepare::PreparedRun;
use crate::engine::{self, Chain, ChainLayer};
use crate::inventory::Pattern;
use crate::playbook::{Entry, Play, Role, TaskAction};
use crate::report::{Printer, escape};
use crate::yaml::Node;

/// Prints what was asked for; the selection of hosts and tags is the run's own.
pub(crate) fn show(running: &RunFlags, prepared: &PreparedRun, printer: &Printer) {
    for text in lines(running, prepared) {
        // A newline in a name would make a line that nobody wrote.
        printer.line(&escape::line(&text));
    }
}

/// The lines, as they are.
fn lines(running: &RunFlags, prepared: &PreparedRun) -> Vec<String> {
    let mut lines = Vec::new();
    for playbook in &prepared.playbooks {
        lines.push(String::new());
        lines.push(format!("playbook: {}", playbook.path.display()));
        for (index, play) in playbook.plays.iter().enumerate() {
            let pattern = pattern(&play.hosts);
            let name = play
                .name
                .as_ref()
                .and_then(Node::as_str)
                .unwrap_or(&pattern);
            let tags: BTreeSet<String> = Chain::new(play).tags();
            lines.push(String::new());
            lines.push(format!(
                "  play #{} ({pattern}): {name}\tTAGS: [{}]",
                index + 1,
                joined(&tags)
            ));
            if running.list_hosts {
                lines.extend(hosts(&pattern, prepared));
            }
            let tasks = tasks(play, &prepared.filter);
            if running.list_tasks {
                lines.push("    tasks:".to_owned());
                for (name, tags) in &tasks {
                    lines.push(format!("      {name}\tTAGS: [{}]", joined(tags)));
                }
            }
            if running.list_tags {
                let all: BTreeSet<String> = tasks.into_iter().flat_map(|(_, tags)| tags).collect();
                lines.push(format!("      TASK TAGS: [{}]", joined(&all)));
            }
        }
    }
    lines.push(String::new());
    lines
}

fn joined(tags: &BTreeSet<String>) -> String {
    tags.iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn pattern(hosts: &Node) -> String {
    match hosts.as_sequence() {
        Some(items) => items
            .iter()
            .filter_map(Node::as_str)
            .collect::<Vec<_>>()
            .join(","),
        None => hosts.as_str().unwrap_or_default().to_owned(),
    }
}

fn hosts(pattern: &str, prepared: &PreparedRun) -> Vec<String> {
    let limit = prepared.limit.as_ref();
    let hosts =
        Pattern::parse(pattern).and_then(|pattern| prepared.inventory.select(&pattern, limit));
    match hosts {
        Ok(hosts) => {
            let mut lines = vec![
                format!("    pattern: ['{pattern}']"),
                format!("    hosts ({}):", hosts.len()),
            ];
            lines.extend(hosts.iter().map(|host| format!("      {host}")));
            lines
        }
        Err(error) => vec![format!("    hosts: {error}")],
    }
}

/// The names and tags of a play's tasks that the filter selects. What `include_tasks` brings in is
/// known only in a run.
fn tasks(play: &Arc<Play>, filter: &engine::TagFilter) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    let chain = Chain::new(play);
    collect(&play.pre_tasks, &chain, filter, &mut found);
    for role in &play.roles {
        of_role(role, &chain, filter, &mut found);
    }
    for entries in [&play.tasks, &play.post_tasks] {
        collect(entries, &chain, filter, &mut found);
    }
    found
}

fn of_role(
    role: &Arc<Role>,
    chain: &Chain,
    filter: &engine::TagFilter,
    found: &mut Vec<(String, BTreeSet<String>)>,
) {
    let inner = chain.with(ChainLayer::Role(Arc::clone(role)));
    for dependency in &role.dependencies {
        of_role(dependency, &inner, filter, found);
    }
    collect(&role.tasks, &inner, filter, found);
}

fn collect(
    entries: &[Entry],
    chain: &Chain,
    filter: &engine::TagFilter,
    found: &mut Vec<(String, BTreeSet<String>)>,
) {
    for entry in entries {
        match entry {
            Entry::Task(task) => {
                let tags = chain.with(ChainLayer::Task(Arc::clone(task))).tags();
                if !engine::selected(&tags, filter) {
                    continue;
                }
                let name = match (&task.name, &task.action) {
                    (Some(name), _) => name.as_str().unwrap_or_default().to_owned(),
                    (None, TaskAction::Module { name, .. }) => name.clone(),
                    (None, TaskAction::IncludeTasks { .. }) => "include_tasks".to_owned(),
                    (None, TaskAction::IncludeRole { role, .. }) => {
                        format!("include_role : {}", role.name.as_str().unwrap_or_default())
                    }
                    (None, TaskAction::Meta(word, _)) => format!("meta: {word}"),
                };
                found.push((chain.titled(name), tags));
            }
            Entry::Block(block) => {
                let inner = chain.with(ChainLayer::Block(Arc::clone(block)));
                for entries in [&block.block, &block.rescue, &block.always] {
                    collect(entries, &inner, filter, found);
                }
            }
            Entry::Role(import) => {
                let inner = chain.with(ChainLayer::Block(Arc::clone(&import.around)));
                of_role(&import.role, &inner, filter, found);
            }
        }
    }
}
