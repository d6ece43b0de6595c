//! One argument of a module.

use serde_json::Value;

use super::kind::Kind;

/// The name of the argument that free text is.
pub(crate) const LINE: &str = "_raw_params";

/// One argument of a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Other names of it.
    pub aliases: Vec<String>,
    /// What it takes.
    pub kind: Kind,
    /// What its text names, where it names a file.
    pub names: Option<Names>,
    /// Whether it changes how templates that the task names are written (`block_start_string`).
    pub syntax: bool,
    /// Whether null is a value of it like others; otherwise the argument is not given then.
    pub null: bool,
    /// Whether the module cannot do without it.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<Value>,
    /// What it is for.
    pub about: String,
}

impl Argument {
    /// Its first sentence, without the full stop; empty where there is none.
    pub fn summary(&self) -> String {
        let words: Vec<_> = self.about.split_whitespace().collect();
        let text = words.join(" ");
        let sentence = text.split(". ").next().unwrap_or_default();
        sentence.trim_end_matches('.').to_owned()
    }

    /// What is to be known of it in a few words each: what it takes, whether it is needed, its default, its other
    /// names.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![match &self.kind {
            Kind::Choice(choices) => {
                let words: Vec<_> = choices.iter().map(|choice| shown(&choice.word)).collect();
                format!("one of {}", words.join(", "))
            }
            Kind::Path => String::new(),
            kind => kind.about(),
        }];
        notes.extend(self.names.map(|names| names.about().to_owned()));
        notes.retain(|note| !note.is_empty());
        if self.required {
            notes.push("required".to_owned());
        }
        match &self.default {
            Some(Value::String(text)) if text.is_empty() => {}
            Some(Value::Array(items)) if items.is_empty() => {}
            Some(Value::Object(map)) if map.is_empty() => {}
            Some(Value::Bool(flag)) => notes.push(format!("default: {}", yes_or_no(*flag))),
            Some(Value::String(text)) => notes.push(format!("default: {}", shown(text))),
            Some(other) => notes.push(format!("default: {other}")),
            None => {}
        }
        if !self.aliases.is_empty() {
            notes.push(format!("also {}", self.aliases.join(", ")));
        }
        notes
    }

    /// What its words mean, where that is said.
    pub fn words(&self) -> Vec<(String, &str)> {
        match &self.kind {
            Kind::Choice(choices) => choices
                .iter()
                .filter(|choice| !choice.about.is_empty())
                .map(|choice| {
                    let words = std::iter::once(&choice.word).chain(&choice.aliases);
                    let words: Vec<String> = words.map(|word| shown(word)).collect();
                    (words.join(", "), choice.about.as_str())
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// All of its names.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// A word as a page shows it: line ends as they are written in quotes.
fn shown(word: &str) -> String {
    if word.contains(char::is_control) {
        format!("\"{}\"", word.escape_default())
    } else {
        word.to_owned()
    }
}

fn yes_or_no(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// What the text of an argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Paths of the node.
    Node,
    /// A file or folder of the control host that is sent; where `remote_src` is given, a path of the node.
    File,
    /// A file of variables on the control host.
    Variables,
    /// A folder of such files.
    VariablesFolder,
    /// A file of the control host that is rendered.
    Template,
    /// Files of the control host; those whose names end in `.j2` are rendered.
    Manifest,
    /// A file of the control host, and words after its name.
    Script,
    /// A file or folder of the control host that is written.
    Destination,
}

impl Names {
    const ALL: [(&'static str, Self); 8] = [
        ("node", Self::Node),
        ("file", Self::File),
        ("variables", Self::Variables),
        ("variables_folder", Self::VariablesFolder),
        ("template", Self::Template),
        ("manifest", Self::Manifest),
        ("script", Self::Script),
        ("destination", Self::Destination),
    ];

    pub(super) fn from_word(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == word);
        found.map(|(_, names)| *names)
    }

    /// The folder beside the task file and the playbook in which the control host's file `name` is looked for;
    /// nothing where it is not one that is read.
    pub fn folder(self, name: &str) -> Option<&'static str> {
        match self {
            Self::Node | Self::Destination => None,
            _ if self.is_rendered(name) => Some("templates"),
            Self::Variables | Self::VariablesFolder => Some("vars"),
            Self::File | Self::Script | Self::Template | Self::Manifest => Some("files"),
        }
    }

    /// Whether the control host's file `name` is rendered as a template.
    pub fn is_rendered(self, name: &str) -> bool {
        match self {
            Self::Template => true,
            Self::Manifest => std::path::Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "j2"),
            Self::Node
            | Self::File
            | Self::Variables
            | Self::VariablesFolder
            | Self::Script
            | Self::Destination => false,
        }
    }

    /// What it is, for the reference.
    pub fn about(self) -> &'static str {
        match self {
            Self::Node => "path of the node",
            Self::File => "file or folder of the control host",
            Self::Variables => "file of variables on the control host",
            Self::VariablesFolder => "folder of files of variables on the control host",
            Self::Template => "template of the control host",
            Self::Manifest => "files of the control host, templates if they end in `.j2`",
            Self::Script => "file of the control host, and its arguments",
            Self::Destination => "written on the control host",
        }
    }
}
