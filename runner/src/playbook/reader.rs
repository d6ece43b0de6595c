//! Reads one value of a keyword as the type that it must have, and keeps what is wrong.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::keywords;
use super::known::KnownVariables;
use super::loader::Loader;
use super::model::Keyword;
pub(super) use super::scalar::scalar;
use crate::yaml::{Diagnostic, Mapping, Node, Span, Tag, Value, did_you_mean};

/// What is being read, and everything that was found to be wrong with it.
pub(super) struct Reader<'a> {
    pub(super) loader: &'a Loader,
    pub(super) errors: Vec<Diagnostic>,
    /// The errors, to keep each once.
    pub(super) known: HashSet<Diagnostic>,
    /// The files being read, each imported by the one before.
    pub(super) files: Vec<OpenFile>,
    /// Documents that were read already: a file may be imported many times.
    pub(super) documents: HashMap<PathBuf, Result<Arc<Node>, Vec<Diagnostic>>>,
    /// How many plays, tasks, blocks and imports there are so far.
    pub(super) entries: usize,
    /// The variables that stand beside the `import_playbook` that is read.
    pub(super) imported: KnownVariables,
    /// Whether the name of something that is imported held a template.
    pub(super) filled: bool,
    /// The roles that are being read, each used by the one before: folder, file of tasks, and where it is named.
    pub(super) roles: Vec<(PathBuf, Option<String>, Span)>,
}

/// A file that is being read.
#[derive(Debug)]
pub(super) struct OpenFile {
    /// Its one name.
    pub(super) path: PathBuf,
    /// Where it is imported; nothing for the first one.
    pub(super) named: Option<Span>,
}

/// Whether a text holds a template.
pub fn has_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

/// Whether a value is a string with a template that is to be rendered.
pub(super) fn is_template(node: &Node) -> bool {
    node.tag != Some(Tag::Unsafe) && node.as_str().is_some_and(has_template)
}

/// A value in words, with what it says: "the string `maybe`".
pub(super) fn describe(node: &Node) -> String {
    match &node.value {
        Value::String(text) if text.is_empty() => "an empty string".to_owned(),
        Value::String(text) if text.len() <= 40 && !text.contains('\n') => {
            format!("the string `{text}`")
        }
        Value::Int(_) | Value::Float(_) => format!("the number `{}`", node.source_text()),
        Value::Bool(_) => format!("`{}`", node.source_text()),
        _ => node.kind().to_owned(),
    }
}

/// A yes or a no, in the spellings that Ansible takes.
pub(super) fn boolean(node: &Node) -> Option<bool> {
    match &node.value {
        Value::Bool(flag) => Some(*flag),
        Value::Int(number @ (0 | 1)) => Some(*number == 1),
        Value::String(word) => match word.trim().to_ascii_lowercase().as_str() {
            "yes" | "y" | "on" | "true" | "t" | "1" => Some(true),
            "no" | "n" | "off" | "false" | "f" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn float(node: &Node) -> Option<f64> {
    match &node.value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds and percentages are small"
        )]
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

pub(super) fn whole(node: &Node) -> Option<usize> {
    match &node.value {
        Value::Int(number) => usize::try_from(*number).ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `30` or `30%`.
pub(super) fn percentage(node: &Node) -> Option<f64> {
    match node.as_str().and_then(|text| text.trim().strip_suffix('%')) {
        Some(number) => number.trim().parse().ok(),
        None => float(node),
    }
    .filter(|number| (0.0..=100.0).contains(number))
}

impl Reader<'_> {
    /// Keeps an error.
    pub(super) fn error(&mut self, diagnostic: Diagnostic) {
        if self.known.insert(diagnostic.clone()) {
            self.errors.push(diagnostic);
        }
    }

    /// Keeps the errors of a file.
    pub(super) fn errors(&mut self, diagnostics: Vec<Diagnostic>) {
        for diagnostic in diagnostics {
            self.error(diagnostic);
        }
    }

    /// A keyword's value is of the wrong type.
    pub(super) fn wrong(&mut self, key: &str, node: &Node, expected: &str) {
        let message = if node.is_null() {
            format!("`{key}` must be {expected}, but nothing is there")
        } else {
            format!("`{key}` must be {expected}, but this is {}", describe(node))
        };
        self.error(
            Diagnostic::error(&node.span, message).help(format!("write {expected} after `{key}:`")),
        );
    }

    /// The value of a keyword, if it is given.
    pub(super) fn given<'n>(mapping: &'n Mapping, key: &str) -> Option<&'n Node> {
        mapping.get(key).filter(|node| !node.is_null())
    }

    /// The value of a keyword, known or a template.
    pub(super) fn keyword<T>(
        &mut self,
        mapping: &Mapping,
        key: &str,
        expected: &str,
        read: impl Fn(&Node) -> Option<T>,
    ) -> Option<Keyword<T>> {
        let node = Self::given(mapping, key)?;
        if is_template(node) {
            return Some(Keyword::Template(node.clone()));
        }
        let value = read(node);
        if value.is_none() {
            self.wrong(key, node, expected);
        }
        value.map(|value| Keyword::Known(value, node.span.clone()))
    }

    /// A yes or a no.
    pub(super) fn flag(&mut self, mapping: &Mapping, key: &str) -> Option<Keyword<bool>> {
        self.keyword(mapping, key, "a yes or a no", boolean)
    }

    /// A text.
    pub(super) fn text(&mut self, mapping: &Mapping, key: &str) -> Option<Keyword<String>> {
        self.keyword(mapping, key, "a text", scalar)
    }

    /// A scalar that is kept as it stands: a name, a label.
    pub(super) fn scalar_node(&mut self, mapping: &Mapping, key: &str) -> Option<Node> {
        let node = Self::given(mapping, key)?;
        if scalar(node).is_none() {
            self.wrong(key, node, "a text");
            return None;
        }
        Some(node.clone())
    }

    /// One scalar, or a list of them.
    pub(super) fn scalars(&mut self, mapping: &Mapping, key: &str, expected: &str) -> Vec<Node> {
        let Some(node) = Self::given(mapping, key) else {
            return Vec::new();
        };
        let items = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        for item in items {
            if scalar(item).is_none() {
                self.wrong(key, item, expected);
            }
        }
        items.to_vec()
    }

    /// A mapping of variables.
    pub(super) fn variables(&mut self, mapping: &Mapping, key: &str) -> Mapping {
        let Some(node) = Self::given(mapping, key) else {
            return Mapping::default();
        };
        let Some(variables) = node.as_mapping() else {
            self.wrong(key, node, "a mapping of variables");
            return Mapping::default();
        };
        for (name, _) in variables.iter() {
            if !scalar(name).is_some_and(|name| keywords::is_identifier(&name)) {
                let shown = name.source_text();
                self.error(
                    Diagnostic::error(&name.span, format!("`{shown}` cannot be a variable's name"))
                        .note("a name has letters, digits and `_`, and begins with no digit")
                        .help("rename it; with `_` in place of `-`, for example"),
                );
            }
        }
        variables.clone()
    }

    /// Reports every key that is not in `known`.
    pub(super) fn only(&mut self, mapping: &Mapping, what: &str, known: &[&[&str]]) {
        self.only_known(mapping.iter().map(|(key, _)| key), what, known);
    }

    /// The same for some of the keys.
    pub(super) fn only_known<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k Node>,
        what: &str,
        known: &[&[&str]],
    ) {
        for key in keys {
            let name = key.as_str().unwrap_or_else(|| key.source_text());
            if key.as_str().is_none() || !keywords::contains(known, name) {
                self.unknown(key, what, known);
            }
        }
    }

    /// Reports a key that is not known here.
    pub(super) fn unknown(&mut self, key: &Node, what: &str, known: &[&[&str]]) {
        let name = key.as_str().unwrap_or_else(|| key.source_text()).to_owned();
        let error = if let Some(instead) = keywords::not_yet(&name) {
            Diagnostic::error(&key.span, format!("this version has no `{name}`")).help(instead)
        } else {
            let names = known.iter().copied().flatten().copied();
            let help = did_you_mean(&name, names).or_else(|| self.belongs(&name));
            Diagnostic::error(&key.span, format!("`{name}` is not a keyword of {what}"))
                .help(help.unwrap_or_else(|| format!("remove it; {}", listed(what, known))))
        };
        self.error(error);
    }

    /// Where a key that is not known here would be.
    fn belongs(&self, name: &str) -> Option<String> {
        let owners = [
            ("plays", keywords::PLAY_KEYWORDS),
            ("blocks", keywords::BLOCK_KEYWORDS),
            ("tasks", keywords::TASK_KEYWORDS),
        ];
        let owners: Vec<_> = owners
            .iter()
            .filter(|(_, known)| keywords::contains(known, name))
            .map(|(owner, _)| *owner)
            .collect();
        if !owners.is_empty() {
            return Some(format!(
                "`{name}` is a keyword of {}",
                owners.join(" and of ")
            ));
        }
        (self.loader.is_module)(name).then(|| {
            format!("`{name}` is a module: write it in a task, `- {name}:` under `tasks:`")
        })
    }
}

/// The keywords there are, for short tables.
fn listed(what: &str, known: &[&[&str]]) -> String {
    let names: Vec<_> = known.iter().copied().flatten().copied().collect();
    if names.len() > 12 {
        return format!("the reference lists the keywords of {what}");
    }
    format!("{what} has {}", names.join(", "))
}
