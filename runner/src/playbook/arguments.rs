//! A module's arguments, however they were written, as a mapping.

use windlass_modules::describe::Argument;
use windlass_modules::{Description, FreeForm};

use super::pairs::{self, Unclosed, Word};
use super::reader::{describe, is_template};
use crate::yaml::{Diagnostic, Mapping, Node, Style, Value};

/// How a module takes arguments that are not `key: value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentSyntax {
    free: FreeForm,
    /// The names of its arguments.
    keys: Vec<String>,
}

impl ArgumentSyntax {
    /// Of a module that describes itself so.
    pub fn of(module: &Description) -> Self {
        let arguments = module.arguments.iter();
        Self::new(module.free_form, arguments.flat_map(Argument::all_names))
    }

    /// Of a module that takes a string like `free` and has these arguments.
    pub fn new<'a>(free: FreeForm, names: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            free,
            keys: names.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// Arguments as a mapping.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// Those that stand in the playbook.
    pub entries: Mapping,
    /// A template that gives a mapping of more (`args: "{{ … }}"`); those in `entries` win.
    pub more: Option<Node>,
}

/// The arguments of a task: `arguments` as written beside the module's name, and `more` from `args:`,
/// of which those beside the name win.
pub fn arguments(
    arguments: &Node,
    more: Option<&Node>,
    form: &ArgumentSyntax,
) -> Result<Arguments, Vec<Diagnostic>> {
    let mut entries = match &arguments.value {
        Value::Null => Mapping::default(),
        Value::Mapping(mapping) => mapping.clone(),
        Value::String(text) => from_text(arguments, text, form)?,
        _ => {
            let message = format!(
                "a module's arguments are a mapping, but this is {}",
                describe(arguments)
            );
            return Err(vec![
                Diagnostic::error(&arguments.span, message)
                    .help("write them below the module's name, each as `name: value`"),
            ]);
        }
    };
    let mut template = None;
    match more {
        Some(more) if is_template(more) => template = Some(more.clone()),
        Some(more) => {
            for (key, value) in more.as_mapping().into_iter().flat_map(Mapping::iter) {
                if !entries.iter().any(|(known, _)| known.value == key.value) {
                    entries.entries.push((key.clone(), value.clone()));
                }
            }
        }
        None => {}
    }
    Ok(Arguments {
        entries,
        more: template,
    })
}

fn from_text(node: &Node, text: &str, form: &ArgumentSyntax) -> Result<Mapping, Vec<Diagnostic>> {
    let words = match (pairs::words(text), form.free) {
        (Ok(words), _) => words,
        // An apostrophe in a command is no pair of `key=value`.
        (Err(_), FreeForm::Into(_)) => Vec::new(),
        (Err(unclosed), _) => return Err(vec![not_closed(node, text, unclosed)]),
    };
    let (pairs, others): (Vec<Word>, Vec<Word>) = words.into_iter().partition(|word| {
        word.key
            .as_ref()
            .is_some_and(|key| form.takes(&text[key.clone()]))
    });
    let mut entries: Vec<_> = pairs
        .iter()
        .filter_map(|word| pair(node, text, word))
        .collect();
    match form.free {
        FreeForm::Into(argument) => {
            let rest = without(text, &pairs);
            if !rest.trim().is_empty() {
                let mut value = node.clone();
                value.value = Value::String(rest);
                let key = Node::string(node.span.clone(), argument);
                entries.insert(0, (key, value));
            }
        }
        FreeForm::No | FreeForm::AnyKeys => {
            if let Some(word) = others.first() {
                return Err(vec![no_pair(node, text, word)]);
            }
        }
    }
    twice(&entries)?;
    Ok(Mapping { entries })
}

impl ArgumentSyntax {
    /// Whether `key=` begins an argument.
    fn takes(&self, key: &str) -> bool {
        match self.free {
            FreeForm::No | FreeForm::AnyKeys => true,
            FreeForm::Into(argument) => key != argument && self.keys.iter().any(|name| name == key),
        }
    }
}

fn pair(node: &Node, text: &str, word: &Word) -> Option<(Node, Node)> {
    let key = word.key.clone()?;
    let name = text[key.clone()].trim();
    let mut value = node.clone();
    value.span = node.inside(word.value.start, word.value.end);
    if value.span.text().is_empty() {
        value.span = node.inside(word.range.start, word.range.end);
    }
    value.style = Style::DoubleQuoted;
    value.value = Value::String(pairs::unescape(&text[word.value.clone()]));
    Some((Node::string(node.inside(key.start, key.end), name), value))
}

/// The text without the pairs and the space after each.
fn without(text: &str, pairs: &[Word]) -> String {
    if pairs.is_empty() {
        return text.to_owned();
    }
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    for word in pairs {
        rest.push_str(&text[at..word.range.start]);
        at = word.range.end;
        if text[at..].starts_with(' ') {
            at += 1;
        }
    }
    rest.push_str(&text[at..]);
    rest.trim().to_owned()
}

fn twice(entries: &[(Node, Node)]) -> Result<(), Vec<Diagnostic>> {
    for (index, (key, _)) in entries.iter().enumerate() {
        if let Some((first, _)) = entries[..index]
            .iter()
            .find(|(first, _)| first.value == key.value)
        {
            let name = key.as_str().unwrap_or_default();
            return Err(vec![
                Diagnostic::error(&key.span, format!("`{name}` is given twice"))
                    .label(&first.span, "first here")
                    .help("remove one of the two"),
            ]);
        }
    }
    Ok(())
}

fn no_pair(node: &Node, text: &str, word: &Word) -> Diagnostic {
    let span = node.inside(word.range.start, word.range.end);
    let written = &text[word.range.clone()];
    let error = Diagnostic::error(&span, format!("`{written}` is not `key=value`"));
    if is_template(node) {
        error
            .note("which arguments a module gets must be known before the run")
            .help(
                "to give them all from a variable, leave this empty and write `args: \"{{ … }}\"`",
            )
    } else {
        error
            .note("this module takes no free text, only arguments with names")
            .help("write each argument on a line of its own below the module, as `name: value`")
    }
}

fn not_closed(node: &Node, text: &str, Unclosed(at): Unclosed) -> Diagnostic {
    let opened = if text[at..].starts_with('{') { 2 } else { 1 };
    let sign = &text[at..at + opened];
    Diagnostic::error(
        &node.inside(at, text.len()),
        format!("this `{sign}` is never closed"),
    )
    .note("in `key=value` arguments a quote begins a value that goes on to the next one")
    .help("write each argument on a line of its own below the module, as `name: value`")
}
