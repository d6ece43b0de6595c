//! What `windlass inventory` shows, in the shapes of `ansible-inventory`: variables as they are
//! written, templates not rendered.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use super::model::Inventory;
use super::parts::{Beside, Group, Variables};
use crate::yaml::{Node, Tag, Value};

impl Inventory {
    /// `--list`: groups with their hosts and children, and `_meta.hostvars`. `hosts`: only these.
    pub fn list(&self, hosts: &[String], playbook: Option<&Beside>) -> Json {
        let wanted: HashSet<&str> = hosts.iter().map(String::as_str).collect();
        let mut result = Map::new();
        for group in self.groups() {
            let mut entry = Map::new();
            if !group.children.is_empty() {
                entry.insert("children".to_owned(), json!(group.children));
            }
            let own = group
                .hosts
                .iter()
                .filter(|host| wanted.contains(host.as_str()));
            let own: Vec<&String> = own.collect();
            if !own.is_empty() && group.name != "all" {
                entry.insert("hosts".to_owned(), json!(own));
            }
            if !entry.is_empty() {
                result.insert(group.name.clone(), Json::Object(entry));
            }
        }
        let mut variables = Map::new();
        for host in hosts {
            let values = self.host_json(host, playbook);
            if values
                .as_ref()
                .and_then(Json::as_object)
                .is_some_and(|values| !values.is_empty())
            {
                variables.extend(values.map(|values| (host.clone(), values)));
            }
        }
        result.insert(
            "_meta".to_owned(),
            json!({ "hostvars": variables, "profile": "inventory_legacy" }),
        );
        sorted(Json::Object(result))
    }

    /// `--host`: all variables of a host; none if the host is not known.
    pub fn host_json(&self, host: &str, playbook: Option<&Beside>) -> Option<Json> {
        let host = self.host(host)?;
        Some(sorted(variables_json(&self.merged(host, playbook))))
    }

    /// `--graph`: the tree below `group`, line by line, with variables if they are asked for; none if the
    /// group is not known. Names and values are as they stand in the files: one may have a newline.
    pub fn graph(
        &self,
        group: &str,
        variables: bool,
        playbook: Option<&Beside>,
    ) -> Option<Vec<String>> {
        let mut graph = Graph {
            inventory: self,
            variables,
            playbook,
            lines: Vec::new(),
            shown: HashSet::new(),
        };
        graph.group(self.group(group)?, 0);
        Some(graph.lines)
    }
}

/// Groups that are in many others are shown in each, as long as there are not more lines than this.
const MANY_LINES: usize = 20_000;

/// The tree of groups, line by line.
struct Graph<'a> {
    inventory: &'a Inventory,
    variables: bool,
    playbook: Option<&'a Beside>,
    lines: Vec<String>,
    shown: HashSet<&'a str>,
}

impl<'a> Graph<'a> {
    fn group(&mut self, group: &'a Group, depth: usize) {
        self.lines
            .push(indented(&format!("@{}:", group.name), depth));
        if !self.shown.insert(&group.name) && self.lines.len() > MANY_LINES {
            self.lines.push(indented("… as above", depth + 1));
            return;
        }
        let inventory = self.inventory;
        let children = group.children.iter();
        for child in children.filter_map(|child| inventory.group(child)) {
            self.group(child, depth + 1);
        }
        let hosts = group.hosts.iter().filter(|_| group.name != "all");
        for host in hosts {
            self.lines.push(indented(host, depth + 1));
            if self.variables
                && let Some(values) = inventory.host_json(host, self.playbook)
            {
                graph_variables(&values, depth + 2, &mut self.lines);
            }
        }
        if self.variables {
            let mut own = Variables::new();
            let beside = [Some(inventory.beside().as_ref()), self.playbook];
            let files = beside
                .into_iter()
                .flatten()
                .filter_map(|beside| beside.group(&group.name));
            for layer in std::iter::once(&group.vars).chain(files) {
                own.extend(
                    layer
                        .iter()
                        .map(|(name, value)| (name.clone(), value.clone())),
                );
            }
            graph_variables(&sorted(variables_json(&own)), depth + 1, &mut self.lines);
        }
    }
}

fn indented(text: &str, depth: usize) -> String {
    match depth {
        0 => text.to_owned(),
        _ => format!("{}--{text}", "  |".repeat(depth)),
    }
}

fn graph_variables(values: &Json, depth: usize, lines: &mut Vec<String>) {
    for (name, value) in values.as_object().into_iter().flatten() {
        let value = match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        lines.push(indented(&format!("{{{name} = {value}}}"), depth));
    }
}

fn variables_json(variables: &Variables) -> Json {
    let entries = variables
        .iter()
        .map(|(name, value)| (name.clone(), to_json(value)));
    Json::Object(entries.collect())
}

/// A node as JSON. Ciphertext and text that is no template keep their marks, as in Ansible.
pub fn to_json(node: &Node) -> Json {
    match (&node.tag, &node.value) {
        (Some(Tag::Vault), Value::String(text)) => json!({ "__ansible_vault": text }),
        (Some(Tag::Unsafe), Value::String(text)) => json!({ "__ansible_unsafe": text }),
        (_, Value::Null) => Json::Null,
        (_, Value::Bool(truth)) => json!(truth),
        (_, Value::Int(number)) => json!(number),
        (_, Value::Float(number)) => json!(number),
        (_, Value::String(text)) => json!(text),
        (_, Value::Sequence(items)) => items.iter().map(to_json).collect(),
        (_, Value::Mapping(mapping)) => {
            let entry = |(key, value): (&Node, &Node)| (key_text(key), to_json(value));
            Json::Object(mapping.iter().map(entry).collect())
        }
    }
}

fn key_text(key: &Node) -> String {
    match to_json(key) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

/// With the keys of every object in order.
fn sorted(json: Json) -> Json {
    match json {
        Json::Object(object) => {
            let mut entries: Vec<(String, Json)> = object.into_iter().collect();
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            let entries = entries
                .into_iter()
                .map(|(name, value)| (name, sorted(value)));
            Json::Object(entries.collect())
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}
