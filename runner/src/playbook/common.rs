//! The keywords that plays, blocks and tasks share.

use super::keywords;
use super::model::Common;
use super::reader::{self, Reader, is_template};
use crate::yaml::{Mapping, Node, Value};

impl Reader<'_> {
    /// Reads the shared keywords of a play, a block or a task.
    pub(super) fn common(&mut self, mapping: &Mapping) -> Common {
        Common {
            vars: self.variables(mapping, "vars"),
            environment: self.mappings(mapping, "environment"),
            when: self.conditions(mapping, "when"),
            tags: self.tags(mapping),
            r#become: self.flag(mapping, "become"),
            become_user: self.text(mapping, "become_user"),
            become_method: self.word(mapping, "become_method", keywords::BECOME_METHODS),
            become_flags: self.text(mapping, "become_flags"),
            become_exe: self.text(mapping, "become_exe"),
            no_log: self.flag(mapping, "no_log"),
            ignore_errors: self.flag(mapping, "ignore_errors"),
            ignore_unreachable: self.flag(mapping, "ignore_unreachable"),
            check_mode: self.flag(mapping, "check_mode"),
            diff: self.flag(mapping, "diff"),
            any_errors_fatal: self.flag(mapping, "any_errors_fatal"),
            run_once: self.flag(mapping, "run_once"),
            delegate_to: self.scalar_node(mapping, "delegate_to"),
            delegate_facts: self.flag(mapping, "delegate_facts"),
            timeout: self.keyword(mapping, "timeout", "a number of seconds", reader::float),
            throttle: self.keyword(
                mapping,
                "throttle",
                "a whole number, 0 or more",
                reader::whole,
            ),
            connection: self.word(mapping, "connection", keywords::CONNECTIONS),
            remote_user: self.text(mapping, "remote_user"),
            port: self.keyword(mapping, "port", "a port from 1 to 65535", |node| {
                let number = reader::whole(node)?;
                u16::try_from(number).ok().filter(|port| *port > 0)
            }),
            module_defaults: self.mappings(mapping, "module_defaults"),
            // Plays and roles have none.
            notify: None,
        }
    }

    /// The same of what notifies handlers: a block, `apply`, or a task.
    pub(super) fn notifying(&mut self, mapping: &Mapping) -> Common {
        let notify = Self::given(mapping, "notify").is_some();
        let mut names =
            || self.scalars(mapping, "notify", "the name of a handler or a list of them");
        let notify = notify.then(&mut names);
        Common {
            notify,
            ..self.common(mapping)
        }
    }

    /// Conditions: one, or a list of which all must hold.
    pub(super) fn conditions(&mut self, mapping: &Mapping, key: &str) -> Vec<Node> {
        let Some(node) = Self::given(mapping, key) else {
            return Vec::new();
        };
        let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        for item in items {
            match &item.value {
                Value::String(text) if text.trim().is_empty() => {
                    self.wrong(key, item, "a condition");
                }
                Value::Sequence(_) | Value::Mapping(_) | Value::Null => {
                    self.wrong(key, item, "a condition");
                }
                _ => {}
            }
        }
        items.to_vec()
    }

    /// Tags: a list, or a text with commas.
    pub(super) fn tags(&mut self, mapping: &Mapping) -> Vec<Node> {
        let mut tags = Vec::new();
        for node in self.scalars(mapping, "tags", "a tag or a list of tags") {
            match node.as_str() {
                Some(text) if text.contains(',') && !is_template(&node) => {
                    tags.extend(split(&node, text));
                }
                _ => tags.push(node),
            }
        }
        tags
    }

    /// A mapping, a template that gives one, or a list of such.
    fn mappings(&mut self, mapping: &Mapping, key: &str) -> Vec<Node> {
        let Some(node) = Self::given(mapping, key) else {
            return Vec::new();
        };
        let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        for item in items {
            if item.as_mapping().is_none() && !is_template(item) {
                self.wrong(key, item, "a mapping");
            }
        }
        items.to_vec()
    }
}

/// The parts of a text with commas, each with its own span.
fn split(node: &Node, text: &str) -> Vec<Node> {
    let mut start = 0;
    let mut parts = Vec::new();
    for part in text.split(',') {
        let trimmed = part.trim();
        if !trimmed.is_empty() {
            let at = start + part.len() - part.trim_start().len();
            parts.push(Node::string(node.inside(at, at + trimmed.len()), trimmed));
        }
        start += part.len() + 1;
    }
    parts
}
