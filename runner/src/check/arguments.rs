//! The arguments of a task's module: known, of the right types, and none missing.

use serde_json::{Map, Value as Json};
use windlass_modules::{FreeForm, Module, registry};

use super::items::Item;
use super::modules;
use super::probe::{self, Verdict};
use crate::playbook::{self, TaskAction, has_template};
use crate::yaml::{Diagnostic, Mapping, Node, Span, Tag, Value, suggest};

/// How many missing arguments of one task are told.
const MOST_MISSING: usize = 8;

/// Checks the arguments of a task whose module is known.
pub(super) fn check(item: &Item, module: &'static dyn Module, found: &mut Vec<Diagnostic>) {
    let TaskAction::Module {
        name,
        name_span,
        arguments,
        more,
    } = &item.task.action
    else {
        return;
    };
    let read = match playbook::arguments(arguments, more.as_ref(), &modules::form(module)) {
        Ok(read) => read,
        Err(diagnostics) => {
            found.extend(diagnostics);
            return;
        }
    };
    let mut task = Task {
        module,
        name,
        name_span,
        schema: module.schema(),
        known: Map::new(),
        stand_ins: Vec::new(),
        unknown: read.more.is_some(),
        omittable: Vec::new(),
        meant: Vec::new(),
        found: Vec::new(),
    };
    task.defaults(item);
    task.each(&read.entries);
    task.together();
    found.extend(task.found);
}

struct Task<'a> {
    module: &'static dyn Module,
    name: &'a str,
    name_span: &'a Span,
    schema: &'static Json,
    /// Arguments with values that stand in the playbook.
    known: Map<String, Json>,
    /// Arguments with templates: what they may be.
    stand_ins: Vec<(String, Vec<Json>)>,
    /// Whether there are more arguments that are not known.
    unknown: bool,
    /// Arguments that a template may leave out (`omit`).
    omittable: Vec<String>,
    /// What unknown arguments were probably meant to be.
    meant: Vec<String>,
    found: Vec<Diagnostic>,
}

impl Task<'_> {
    /// Arguments that `module_defaults` gives.
    fn defaults(&mut self, item: &Item) {
        for node in item.commons().flat_map(|common| &common.module_defaults) {
            let Some(mapping) = node.as_mapping() else {
                self.unknown = true;
                continue;
            };
            for (name, values) in mapping.iter() {
                let module = name.as_str().and_then(registry::find);
                if module.is_some_and(|module| module.name() == self.module.name()) {
                    match values.as_mapping() {
                        Some(values) => self.each(values),
                        None => self.unknown = true,
                    }
                }
            }
        }
    }

    /// Each argument by itself.
    fn each(&mut self, arguments: &Mapping) {
        for (key, value) in arguments.iter() {
            let Some(name) = key.as_str() else {
                self.no_name(key);
                continue;
            };
            if has_template(name) {
                self.unknown = true;
            } else if self.module.free_form() == FreeForm::AnyKeys {
                self.known.insert(name.to_owned(), stand_in_text(value));
            } else {
                self.one(name, key, value);
            }
        }
    }

    fn one(&mut self, name: &str, key: &Node, value: &Node) {
        let literal = literal(value);
        let probe = literal.clone().unwrap_or_else(|| Json::from("stand-in"));
        let verdict = match &probe {
            // What is not given cannot be wrong, but its name can.
            Json::Null => probe::one(self.module, name, Json::from("stand-in")),
            _ => probe::one(self.module, name, probe),
        };
        match (verdict, literal) {
            (Verdict::Unknown(names), _) => self.unknown_argument(name, key, &names),
            (_, Some(Json::Null)) => {}
            (Verdict::Wrong(error), Some(_)) => {
                let place = at(value, &error.path[1..]);
                self.wrong(name, place, &error.path[1..], &error.message);
                self.stand_in(name);
            }
            (Verdict::Fine, Some(literal)) => {
                self.stand_ins.retain(|(known, _)| known != name);
                self.known.insert(name.to_owned(), literal);
            }
            (_, None) => {
                if may_be_left_out(value) {
                    self.omittable.push(name.to_owned());
                }
                self.stand_in(name);
            }
        }
    }

    fn stand_in(&mut self, name: &str) {
        self.known.remove(name);
        self.stand_ins.retain(|(known, _)| known != name);
        let values = probe::stand_ins(self.module, self.schema, name);
        if values.is_empty() {
            self.unknown = true;
        }
        self.stand_ins.push((name.to_owned(), values));
    }

    /// What is missing, and what does not go together.
    fn together(&mut self) {
        if self.unknown || !self.found.is_empty() && self.module.free_form() != FreeForm::No {
            return;
        }
        for _ in 0..MOST_MISSING {
            let Some(message) = self.said() else {
                return;
            };
            if !message.starts_with("missing field") {
                if self.found.is_empty() {
                    self.found.push(self.do_not_go_together(&message));
                }
                return;
            }
            let Some(missing) = probe::named(&message).map(str::to_owned) else {
                return;
            };
            if !self.meant.contains(&missing) {
                self.found.push(self.missing(&missing));
            }
            let values = probe::stand_ins(self.module, self.schema, &missing);
            if values.is_empty() {
                return;
            }
            self.stand_ins.push((missing, values));
        }
    }

    /// What the module says whatever the stand-ins are.
    fn said(&self) -> Option<String> {
        let with = |pick: fn(&[Json]) -> Option<&Json>, omit: bool| {
            let mut arguments = self.known.clone();
            for (name, values) in &self.stand_ins {
                if let Some(value) =
                    pick(values).filter(|_| !omit || !self.omittable.contains(name))
                {
                    arguments.insert(name.clone(), value.clone());
                }
            }
            probe::together(self.module, arguments)
        };
        let first = with(<[Json]>::first, false)?;
        if first.contains("stand-in") || with(<[Json]>::last, false)? != first {
            return None;
        }
        let missing = first.starts_with("missing field");
        (missing || with(<[Json]>::first, true)? == first).then_some(first)
    }

    fn no_name(&mut self, key: &Node) {
        self.found.push(
            Diagnostic::error(
                &key.span,
                format!("`{}` is no argument's name", key.source_text()),
            )
            .help("arguments have names: `name: value`; quote the name if it is one"),
        );
    }

    fn unknown_argument(&mut self, name: &str, key: &Node, names: &[String]) {
        let nearest = suggest(name, names.iter().map(String::as_str));
        self.meant.extend(nearest.clone());
        let help = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None if crate::playbook::TASK_KEYWORDS
                .iter()
                .any(|words| words.contains(&name)) =>
            {
                format!(
                    "`{name}` is a keyword of tasks: align it with `{}:`",
                    self.name
                )
            }
            None if names.is_empty() => "it takes no arguments".to_owned(),
            None => format!("it has: {}", names.join(", ")),
        };
        self.found.push(
            Diagnostic::error(
                &key.span,
                format!("the module `{}` has no argument `{name}`", self.name),
            )
            .label(self.name_span, "the module")
            .help(help),
        );
    }

    fn wrong(&mut self, name: &str, place: &Node, path: &[String], message: &str) {
        let argument = format!("`{name}` of `{}`", self.name);
        let expected = probe::expected(message);
        let inner = probe::named(message).unwrap_or_default();
        let error = |text: String| Diagnostic::error(&place.span, text);
        let diagnostic = if message.starts_with("unknown variant") {
            let nearest = suggest(inner, expected.iter().map(String::as_str));
            error(format!("{argument} cannot be `{inner}`")).help(match nearest {
                Some(word) => {
                    format!("did you mean `{word}`? there are: {}", expected.join(", "))
                }
                None => format!("write one of: {}", expected.join(", ")),
            })
        } else if message.starts_with("unknown field") {
            let nearest = suggest(inner, expected.iter().map(String::as_str));
            error(format!("{argument} has no `{inner}`")).help(match nearest {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("there are: {}", expected.join(", ")),
            })
        } else if message.starts_with("missing field") {
            error(format!("{argument} needs `{inner}`")).help(format!("add `{inner}: …` to it"))
        } else {
            let item = match path.last().and_then(|last| last.parse::<usize>().ok()) {
                Some(index) if !message.starts_with("item ") => format!(" (item {})", index + 1),
                _ => String::new(),
            };
            match message
                .strip_prefix("expected ")
                .and_then(|rest| rest.split_once(", found "))
            {
                Some((wanted, is)) => {
                    error(format!("{argument}{item} wants {wanted}, and this is {is}"))
                        .note(self.about(name))
                        .help(format!("write {wanted} after `{name}:`"))
                }
                None => error(format!("{argument}{item}: {message}"))
                    .note(self.about(name))
                    .help(self.reference()),
            }
        };
        self.found.push(diagnostic);
    }

    fn missing(&self, name: &str) -> Diagnostic {
        Diagnostic::error(
            self.name_span,
            format!("the module `{}` needs the argument `{name}`", self.name),
        )
        .note(self.about(name))
        .help(format!("add `{name}: …` below it"))
    }

    fn do_not_go_together(&self, message: &str) -> Diagnostic {
        Diagnostic::error(self.name_span, format!("`{}`: {message}", self.name))
            .help(self.reference())
    }

    /// What the reference says of an argument.
    fn about(&self, name: &str) -> String {
        let text = self.schema["properties"][name]["description"].as_str();
        let text = text.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let sentence = text.as_deref().and_then(|text| text.split(". ").next());
        match sentence.map(|text| text.trim_end_matches('.')) {
            Some(text) if !text.is_empty() => format!("`{name}`: {text}"),
            _ => self.reference(),
        }
    }

    fn reference(&self) -> String {
        format!(
            "`windlass doc {}` describes its arguments",
            self.module.name()
        )
    }
}

/// A value without templates, as data; nothing where there is one.
pub(super) fn literal(node: &Node) -> Option<Json> {
    if node.tag == Some(Tag::Vault) {
        return None;
    }
    Some(match &node.value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::from(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::String(text) if has_template(text) && node.tag != Some(Tag::Unsafe) => return None,
        Value::String(text) => Json::from(text.as_str()),
        Value::Sequence(items) => items
            .iter()
            .map(literal)
            .collect::<Option<Vec<_>>>()?
            .into(),
        Value::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping.iter() {
                let name = key.as_str().unwrap_or_else(|| key.source_text());
                if has_template(name) {
                    return None;
                }
                object.insert(name.to_owned(), literal(value)?);
            }
            Json::Object(object)
        }
    })
}

fn stand_in_text(node: &Node) -> Json {
    literal(node).unwrap_or_else(|| Json::from("stand-in"))
}

/// Whether a template may give `omit`.
fn may_be_left_out(node: &Node) -> bool {
    match &node.value {
        Value::String(text) => text.contains("omit") || text.trim().starts_with("{{"),
        _ => false,
    }
}

/// The node at a path inside a value; the innermost that is there.
fn at<'n>(node: &'n Node, path: &[String]) -> &'n Node {
    let mut place = node;
    for segment in path {
        let next = match &place.value {
            Value::Sequence(items) => segment
                .parse()
                .ok()
                .and_then(|index: usize| items.get(index)),
            Value::Mapping(mapping) => mapping.get(segment),
            _ => None,
        };
        match next {
            Some(next) => place = next,
            None => break,
        }
    }
    place
}
