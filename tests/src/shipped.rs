//! The shipped playbooks as somebody reads them who asks what a node said: results, variables, and what these are
//! made of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use windlass::yaml::{self, Mapping, Node};

use crate::expressions::{expressions, paths};
use crate::program::root;

/// The shipped playbooks as data.
#[derive(Debug)]
pub struct Shipped {
    /// By their names below `playbooks`.
    pub files: BTreeMap<String, std::sync::Arc<Node>>,
    /// What modules answer.
    pub registered: BTreeSet<String>,
    /// Variables of everywhere: vars/, `set_fact`.
    common: Definitions,
    /// Variables of tasks and plays, by the file.
    own: BTreeMap<String, Definitions>,
}

/// What variables are made of, and in which file: `a`, and `a.b` where a mapping says it.
type Definitions = BTreeMap<String, Vec<(String, String)>>;

fn define(definitions: &mut Definitions, file: &str, name: &str, value: &Node) {
    let texts = texts(value).into_iter().map(|text| (file.to_owned(), text));
    definitions
        .entry(name.to_owned())
        .or_default()
        .extend(texts);
    for (key, value) in pairs(value) {
        define(definitions, file, &format!("{name}.{key}"), value);
    }
}

impl Shipped {
    /// Reads them.
    ///
    /// # Panics
    ///
    /// When one cannot be read.
    #[must_use]
    pub fn read() -> Self {
        let mut shipped = Self {
            files: BTreeMap::new(),
            registered: BTreeSet::from(["ansible_facts".to_owned()]),
            common: BTreeMap::new(),
            own: BTreeMap::new(),
        };
        let folder = root().join("playbooks");
        for (name, path) in ["", "tasks"]
            .iter()
            .flat_map(|part| yaml_files(&folder, part))
        {
            let node = yaml::load(&path).expect("a shipped file can be read");
            shipped.files.insert(name, node);
        }
        for (file, path) in yaml_files(&folder, "vars") {
            let node = yaml::load(&path).expect("a shipped file can be read");
            for (name, value) in pairs(&node) {
                define(&mut shipped.common, &file, &name, value);
            }
        }
        shipped.define_all();
        assert!(shipped.files.len() > 50 && shipped.registered.len() > 80);
        shipped
    }

    /// Finds the variables and results of the tasks in `files`.
    pub fn define_all(&mut self) {
        for (file, node) in &self.files {
            for task in all_tasks(node) {
                if let Some(name) = task.get("register").and_then(Node::as_str) {
                    self.registered.insert(name.to_owned());
                }
                for (name, value) in task.get("vars").into_iter().flat_map(pairs) {
                    let own = self.own.entry(file.clone()).or_default();
                    define(own, file, &name, value);
                }
                for (name, value) in task.get("set_fact").into_iter().flat_map(pairs) {
                    define(&mut self.common, file, &name, value);
                }
            }
        }
    }

    /// What the expressions of a text say, by way of variables, that a node said; and whether that may be another
    /// host's word.
    #[must_use]
    pub fn said(&self, file: &str, text: &str) -> BTreeMap<String, bool> {
        self.said_through(file, text, &[])
    }

    fn said_through(&self, file: &str, text: &str, through: &[String]) -> BTreeMap<String, bool> {
        let mut said = BTreeMap::new();
        let expressions = expressions(text).join(" ");
        // Whatever chose them: these are names of the inventory.
        if expressions
            .trim_end()
            .ends_with("map(attribute='inventory_hostname') | list")
        {
            return said;
        }
        let others = expressions.contains("hostvars");
        for path in paths(&expressions) {
            let parts: Vec<&str> = path.split('.').collect();
            let registered = parts
                .iter()
                .position(|part| self.registered.contains(*part));
            if let Some(at) = registered {
                let rest = parts[at..].join(".");
                // Whether it worked is a number or a yes.
                let status = parts
                    .get(at + 1)
                    .is_some_and(|part| ["rc", "changed", "failed"].contains(part));
                if !status {
                    *said.entry(rest).or_default() |= others;
                }
            } else if !through.iter().any(|name| name == parts[0]) {
                let through = [through, &[parts[0].to_owned()]].concat();
                for (file, definition) in self.definitions(file, &parts) {
                    for (path, of_others) in self.said_through(file, definition, &through) {
                        *said.entry(path).or_default() |= others || of_others;
                    }
                }
            }
        }
        said
    }

    /// How a variable is defined: in the file, or for all, or by those who include the file.
    fn definitions(&self, file: &str, path: &[&str]) -> Vec<&(String, String)> {
        let deep = path.get(..2).unwrap_or_default().join(".");
        let of = |definitions| {
            let mut names = [deep.as_str(), path[0]].into_iter();
            names.find_map(|name| Definitions::get(definitions, name))
        };
        if let Some(own) = self.own.get(file).and_then(of) {
            return own.iter().collect();
        }
        if let Some(common) = of(&self.common) {
            return common.iter().collect();
        }
        self.own.values().filter_map(of).flatten().collect()
    }
}

fn yaml_files(folder: &Path, part: &str) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder.join(part)).expect("the folder is shipped");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| {
            let name = path.strip_prefix(folder).expect("it is below");
            (name.display().to_string(), path)
        })
        .collect()
}

fn pairs(node: &Node) -> Vec<(String, &Node)> {
    let mapping = node.as_mapping().into_iter().flat_map(Mapping::iter);
    mapping
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value)))
        .collect()
}

/// All strings of a value, keys too.
#[must_use]
pub fn texts(node: &Node) -> Vec<String> {
    if let Some(text) = node.as_str() {
        return vec![text.to_owned()];
    }
    let items = node.as_sequence().into_iter().flatten().flat_map(texts);
    let mapping = node.as_mapping().into_iter().flat_map(Mapping::iter);
    items
        .chain(mapping.flat_map(|(key, value)| [texts(key), texts(value)].concat()))
        .collect()
}

/// The plays and tasks of a file, with those in blocks.
#[must_use]
pub fn all_tasks(node: &Node) -> Vec<&Mapping> {
    let mut found = Vec::new();
    for task in node.as_sequence().into_iter().flatten() {
        let Some(task) = task.as_mapping() else {
            continue;
        };
        found.push(task);
        for key in ["tasks", "handlers", "block", "rescue", "always"] {
            found.extend(task.get(key).into_iter().flat_map(all_tasks));
        }
    }
    found
}
