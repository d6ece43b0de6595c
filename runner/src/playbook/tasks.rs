//! Reads lists of tasks and blocks.

use std::path::Path;
use std::sync::Arc;

use super::keywords;
use super::model::{Block, Entry};
use super::reader::{Reader, describe};
use super::search::Home;
use crate::yaml::{Diagnostic, Mapping, Node, Value};

/// Where tasks stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct TasksPosition<'a> {
    /// The file.
    pub(super) path: &'a Path,
    /// Whether another task has named the file, and not the play or the role.
    pub(super) included: bool,
    /// Whether they are handlers.
    pub(super) handlers: bool,
    /// Where roles and files that they name are looked for.
    pub(super) home: &'a Home,
}

impl Reader<'_> {
    /// The entries of a list of tasks, which `owner` names in messages.
    pub(super) fn entries(
        &mut self,
        place: TasksPosition<'_>,
        node: &Node,
        owner: &str,
    ) -> Vec<Entry> {
        match &node.value {
            Value::Null => Vec::new(),
            Value::Sequence(items) => items
                .iter()
                .filter_map(|item| self.entry(place, item))
                .collect(),
            _ => {
                let message = format!(
                    "{owner} must be a list of tasks, but this is {}",
                    describe(node)
                );
                self.error(Diagnostic::error(&node.span, message).help(
                    "begin each task with `- ` and indent its other lines by two spaces more",
                ));
                Vec::new()
            }
        }
    }

    fn entry(&mut self, place: TasksPosition<'_>, item: &Node) -> Option<Entry> {
        if !self.has_room(item) {
            return None;
        }
        let Some(mapping) = item.as_mapping() else {
            self.no_task(item);
            return None;
        };
        if mapping.get("hosts").is_some() && mapping.get("block").is_none() {
            let (key, _) = mapping.entry("hosts")?;
            self.error(
                Diagnostic::error(&key.span, "a play cannot be among tasks")
                    .note("`hosts` is a keyword of plays")
                    .help(
                        "put the play beside the other plays; to run a single task \
                         elsewhere use `delegate_to`",
                    ),
            );
            return None;
        }
        if ["block", "rescue", "always"]
            .iter()
            .any(|key| mapping.get(key).is_some())
        {
            return self.block(place, item, mapping);
        }
        self.task(place, item, mapping)
    }

    fn no_task(&mut self, item: &Node) {
        let help = match item.as_str() {
            Some(name) if (self.loader.is_module)(name) => {
                format!("with a colon, `- {name}:` is a task")
            }
            _ => "a task is a mapping: `- name: …`, and below it a module with its arguments"
                .to_owned(),
        };
        let message = format!("a task was expected here, but this is {}", describe(item));
        self.error(Diagnostic::error(&item.span, message).help(help));
    }

    fn block(&mut self, place: TasksPosition<'_>, item: &Node, mapping: &Mapping) -> Option<Entry> {
        if mapping.entry("block").is_none() {
            let key = ["rescue", "always"]
                .iter()
                .find_map(|key| mapping.entry(key));
            let (key, _) = key?;
            self.error(
                Diagnostic::error(
                    &key.span,
                    format!("`{}` without a `block`", key.source_text()),
                )
                .note("`rescue` and `always` belong to the tasks of a `block`")
                .help("put the tasks that may fail under `block:`, beside it"),
            );
            return None;
        }
        let mut rescues = ["rescue", "always"].iter();
        let rescue = rescues.find_map(|key| mapping.entry(key));
        if let (true, Some((key, _))) = (place.handlers, rescue) {
            self.error(
                Diagnostic::error(
                    &key.span,
                    format!("`{}` means nothing among handlers", key.source_text()),
                )
                .note("each task of the block is a handler of its own, which runs when it is notified")
                .help("include a file of tasks as the handler, and put the block into that"),
            );
            return None;
        }
        self.only(mapping, "a block", keywords::BLOCK_KEYWORDS);
        let common = self.notifying(mapping);
        let home = self.home_with(place.home, mapping, place.home.known.within(&common.vars));
        let place = TasksPosition {
            home: &home,
            ..place
        };
        let mut section = |key: &str| {
            mapping.get(key).map_or_else(Vec::new, |node| {
                self.entries(place, node, &format!("`{key}`"))
            })
        };
        let (block, rescue, always) = (section("block"), section("rescue"), section("always"));
        Some(Entry::Block(Arc::new(Block {
            span: item.span.clone(),
            name: self.scalar_node(mapping, "name"),
            common,
            block,
            rescue,
            always,
        })))
    }
}
