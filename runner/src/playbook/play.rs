//! Reads a play.

use std::path::Path;

use super::keywords;
use super::model::{Entry, Keyword, Order, Play, Serial, Strategy};
use super::reader::{self, Reader, describe, is_template};
use super::search::{self, Home};
use super::tasks::TasksPosition;
use crate::yaml::{Diagnostic, Mapping, Node, Value, suggest};

const ORDERS: &[(&str, Order)] = &[
    ("inventory", Order::Inventory),
    ("reverse_inventory", Order::ReverseInventory),
    ("sorted", Order::Sorted),
    ("reverse_sorted", Order::ReverseSorted),
    ("shuffle", Order::Shuffle),
];

const STRATEGIES: &[(&str, Strategy)] = &[
    ("free", Strategy::Free),
    ("host_pinned", Strategy::HostPinned),
    ("linear", Strategy::Linear),
];

impl Reader<'_> {
    /// The play of an item of a playbook, or the plays that it imports.
    pub(super) fn play_or_import(&mut self, path: &Path, item: &Node) -> Vec<Play> {
        let Some(mapping) = item.as_mapping() else {
            let message = format!("a play was expected here, but this is {}", describe(item));
            self.error(
                Diagnostic::error(&item.span, message)
                    .help("a play is a mapping: `- hosts: all`, and below it `tasks:`"),
            );
            return Vec::new();
        };
        let import = mapping
            .iter()
            .find(|(key, _)| key.as_str().map(keywords::short) == Some("import_playbook"));
        match import {
            Some(import) => self.import_playbook(path, mapping, import),
            None => self.play(path, item, mapping).into_iter().collect(),
        }
    }

    fn play(&mut self, path: &Path, item: &Node, mapping: &Mapping) -> Option<Play> {
        if mapping.get("hosts").is_none() && self.is_task(mapping) {
            self.error(
                Diagnostic::error(&item.span, "this is a task, and a play was expected")
                    .note("a playbook is a list of plays, and tasks belong into a play")
                    .help(
                        "put it under a play: `- hosts: all`, below it `tasks:`, and the \
                         task indented below that",
                    ),
            );
            return None;
        }
        self.only(mapping, "a play", keywords::PLAY_KEYWORDS);
        let hosts = self.hosts(item, mapping);
        let home = Home {
            folder: path.parent().unwrap_or(Path::new("")).to_path_buf(),
            ..Home::default()
        };
        let common = self.common(mapping);
        let known = self.imported.in_play(&common.vars);
        let mut home = self.home_with(&home, mapping, known);
        if let Some(own) = search::collection_of(&home.folder)
            && !home.collections.contains(&own)
        {
            home.collections.insert(0, own);
        }
        Some(Play {
            span: item.span.clone(),
            path: path.to_owned(),
            name: self.scalar_node(mapping, "name"),
            vars_files: self.vars_files(mapping),
            gather_facts: self.flag(mapping, "gather_facts"),
            gather_subset: Self::given(mapping, "gather_subset").cloned(),
            serial: self.serial(mapping),
            max_fail_percentage: self.keyword(
                mapping,
                "max_fail_percentage",
                "a percentage from 0 to 100",
                reader::percentage,
            ),
            order: self.choice(mapping, "order", ORDERS),
            force_handlers: self.flag(mapping, "force_handlers"),
            strategy: self.plugin(mapping, "strategy", STRATEGIES),
            common,
            collections: home.collections.clone(),
            roles: self.roles(mapping, &home),
            pre_tasks: self.section(path, &home, mapping, "pre_tasks"),
            tasks: self.section(path, &home, mapping, "tasks"),
            post_tasks: self.section(path, &home, mapping, "post_tasks"),
            handlers: self.section(path, &home, mapping, "handlers"),
            imports: Vec::new(),
            hosts: hosts?,
        })
    }

    /// Whether a mapping in a playbook is rather a task.
    fn is_task(&self, mapping: &Mapping) -> bool {
        mapping.iter().any(|(key, _)| {
            key.as_str().is_some_and(|key| {
                ["block", "action"].contains(&key)
                    || keywords::IMPORTS.contains(&keywords::short(key))
                    || (self.loader.is_module)(key)
            })
        })
    }

    fn section(&mut self, path: &Path, home: &Home, mapping: &Mapping, key: &str) -> Vec<Entry> {
        let Some(node) = mapping.get(key) else {
            return Vec::new();
        };
        let place = TasksPosition {
            path,
            included: false,
            handlers: key == "handlers",
            home,
        };
        self.entries(place, node, &format!("`{key}`"))
    }

    fn hosts(&mut self, item: &Node, mapping: &Mapping) -> Option<Node> {
        let Some((key, hosts)) = mapping.entry("hosts") else {
            let first = mapping
                .entries
                .first()
                .map_or(&item.span, |(key, _)| &key.span);
            self.error(
                Diagnostic::error(first, "this play has no `hosts`")
                    .note("`hosts` says on which hosts of the inventory the play runs")
                    .help("add `hosts: all`, or the name of a group or a host"),
            );
            return None;
        };
        let items = hosts.as_sequence().unwrap_or(std::slice::from_ref(hosts));
        let blank = |node: &Node| reader::scalar(node).is_none_or(|text| text.trim().is_empty());
        if items.is_empty() || items.iter().any(blank) {
            let span = if hosts.span.text().is_empty() {
                &key.span
            } else {
                &hosts.span
            };
            self.error(
                Diagnostic::error(span, "`hosts` must be a host pattern, or a list of them")
                    .help("write `hosts: all`, or the name of a group or a host"),
            );
            return None;
        }
        Some(hosts.clone())
    }

    fn vars_files(&mut self, mapping: &Mapping) -> Vec<Node> {
        let Some(node) = Self::given(mapping, "vars_files") else {
            return Vec::new();
        };
        let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        for item in items {
            let names = item.as_sequence().unwrap_or(std::slice::from_ref(item));
            for name in names.iter().filter(|name| name.as_str().is_none()) {
                self.wrong("vars_files", name, "the names of files");
            }
        }
        items.to_vec()
    }

    fn serial(&mut self, mapping: &Mapping) -> Vec<Keyword<Serial>> {
        let Some(node) = Self::given(mapping, "serial") else {
            return Vec::new();
        };
        let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        let mut batches = Vec::new();
        for item in items {
            if is_template(item) {
                batches.push(Keyword::Template(item.clone()));
                continue;
            }
            match batch(item) {
                Some(serial) => batches.push(Keyword::Known(serial, item.span.clone())),
                None => self.wrong("serial", item, "a number of hosts or a percentage"),
            }
        }
        batches
    }

    /// One of a few words.
    fn choice<T: Copy>(
        &mut self,
        mapping: &Mapping,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<Keyword<T>> {
        self.named(mapping, key, words, |name| name)
    }

    /// The same where it is the name of a plugin, perhaps with its collection.
    fn plugin<T: Copy>(
        &mut self,
        mapping: &Mapping,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<Keyword<T>> {
        self.named(mapping, key, words, |name| {
            name.strip_prefix("ansible.builtin.").unwrap_or(name)
        })
    }

    fn named<T: Copy>(
        &mut self,
        mapping: &Mapping,
        key: &str,
        words: &[(&str, T)],
        short: fn(&str) -> &str,
    ) -> Option<Keyword<T>> {
        let node = Self::given(mapping, key)?;
        if is_template(node) {
            return Some(Keyword::Template(node.clone()));
        }
        let name = node.as_str().map(short);
        let found = words.iter().find(|(word, _)| name == Some(word));
        if let Some((_, value)) = found {
            return Some(Keyword::Known(*value, node.span.clone()));
        }
        self.not_one_of(
            key,
            node,
            &words.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
        );
        None
    }

    /// One of a few names, perhaps that of a plugin with its collection.
    pub(super) fn word(
        &mut self,
        mapping: &Mapping,
        key: &str,
        words: &[&str],
    ) -> Option<Keyword<String>> {
        let word = self.text(mapping, key);
        if let (Some(Keyword::Known(name, _)), Some(node)) = (&word, mapping.get(key)) {
            let short = name.rsplit('.').next().unwrap_or(name);
            if !words.contains(&short) {
                self.not_one_of(key, node, words);
            }
        }
        word
    }

    /// A value is none of the words that it may be.
    pub(super) fn not_one_of(&mut self, key: &str, node: &Node, words: &[&str]) {
        let message = match &node.value {
            Value::Null => format!("`{key}` needs a value"),
            _ => format!("`{key}` cannot be {}", describe(node)),
        };
        let nearest = node
            .as_str()
            .and_then(|word| suggest(word, words.iter().copied()));
        let list = words.join(", ");
        self.error(Diagnostic::error(&node.span, message).help(match nearest {
            Some(word) => format!("did you mean `{word}`? there are: {list}"),
            None => format!("write one of: {list}"),
        }));
    }
}

fn batch(node: &Node) -> Option<Serial> {
    match &node.value {
        // As in Ansible, 0 (or less) means all hosts at once.
        Value::Int(number) => Some(Serial::Count(usize::try_from(*number).unwrap_or(0))),
        Value::String(text) if text.trim().ends_with('%') => {
            reader::percentage(node).map(Serial::Percent)
        }
        Value::String(text) => text.trim().parse().ok().map(Serial::Count),
        _ => None,
    }
}
