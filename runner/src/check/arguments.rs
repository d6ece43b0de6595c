//! The arguments of a task's module: known, of the right types, and none missing.

use serde_json::{Map, Value as Json};
use windlass_modules::args::Unfit;
use windlass_modules::describe::{Argument, Choice, Given, Kind, stand_in};
use windlass_modules::{ArgumentError, Description, Fault, FreeForm, Module, registry};

use super::given::{at, given};
use super::item::Item;
use super::modules;
use crate::playbook::{self, TaskAction, has_template, unknown_module};
use crate::yaml::{Diagnostic, Mapping, Node, Span, suggest};

/// How many missing arguments of one task are told.
const MOST_MISSING: usize = 8;

/// The module is known, and so are its arguments.
pub(super) fn check(item: &Item, found: &mut Vec<Diagnostic>) {
    let TaskAction::Module {
        name, name_span, ..
    } = &item.task.action
    else {
        return;
    };
    match registry::find(name) {
        Some(module) => of_module(item, module, found),
        None => found.push(unknown_module(name, name_span, registry::names())),
    }
}

/// Checks the arguments of a task whose module is known.
fn of_module(item: &Item, module: &'static dyn Module, found: &mut Vec<Diagnostic>) {
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
        of: module.description(),
        name,
        name_span,
        written: Vec::new(),
        unknown: read.more.is_some(),
        meant: Vec::new(),
        found: Vec::new(),
    };
    task.defaults(item);
    task.take(&read.entries);
    let given = task.each();
    task.together(&given);
    found.extend(task.found);
}

/// An argument as it is written.
struct Written {
    name: String,
    key: Node,
    value: Node,
    given: Given,
}

struct Task<'a> {
    module: &'static dyn Module,
    of: &'static Description,
    name: &'a str,
    name_span: &'a Span,
    /// The arguments whose names stand in the playbook.
    written: Vec<Written>,
    /// Whether there are more arguments that are not known.
    unknown: bool,
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
                if module.is_some_and(|module| module.name() == self.of.name) {
                    match values.as_mapping() {
                        Some(values) => self.take(values),
                        None => self.unknown = true,
                    }
                }
            }
        }
    }

    /// Takes arguments in; those that come later count.
    fn take(&mut self, arguments: &Mapping) {
        for (key, value) in arguments.iter() {
            let Some(name) = key.as_str() else {
                self.no_name(key);
                continue;
            };
            if has_template(name) {
                self.unknown = true;
                continue;
            }
            let given = match (given(value), self.of.free_form) {
                (Given::Value(value), _) => Given::Value(value),
                // Where any name will do, the names are all that can be wrong.
                (_, FreeForm::AnyKeys) => Given::Value("stand-in".into()),
                (other, _) => other,
            };
            self.written.retain(|written| written.name != name);
            self.written.push(Written {
                name: name.to_owned(),
                key: key.clone(),
                value: value.clone(),
                given,
            });
        }
    }

    /// Says what is wrong with each argument by itself. Gives those whose names are known: of what is wrong
    /// nothing is known any more.
    fn each(&mut self) -> Vec<(String, Given)> {
        let given = |written: &Written| (written.name.clone(), written.given.clone());
        let mut given: Vec<_> = self.written.iter().map(given).collect();
        if self.of.free_form == FreeForm::AnyKeys {
            return given;
        }
        for fault in self.of.each(&given) {
            match &fault {
                Fault::Unknown { argument, known } => {
                    self.unknown_argument(argument, known);
                    given.retain(|(name, _)| name != argument);
                }
                Fault::Twice { argument, first } => {
                    self.twice(argument, first);
                    given.retain(|(name, _)| name != argument);
                }
                Fault::Unfit { argument, why } => {
                    let inner = ArgumentError::from(fault.clone()).path.split_off(1);
                    self.wrong(argument, &inner, why);
                    given
                        .iter_mut()
                        .filter(|(name, _)| name == argument)
                        .for_each(|(_, given)| *given = Given::Unknown);
                }
                Fault::Missing { .. } | Fault::Together(_) | Fault::Invalid(_) => {}
            }
        }
        given
    }

    /// What is missing, and what does not go together.
    fn together(&mut self, given: &[(String, Given)]) {
        if self.unknown || !self.found.is_empty() && self.of.free_form != FreeForm::No {
            return;
        }
        let faults = self.of.together(given);
        let missing = faults.iter().filter_map(|fault| match fault {
            Fault::Missing { argument } if !self.meant.contains(argument) => Some(argument),
            _ => None,
        });
        let missing: Vec<_> = missing
            .take(MOST_MISSING)
            .map(|argument| self.missing(argument))
            .collect();
        self.found.extend(missing);
        if !self.found.is_empty() {
            return;
        }
        for fault in &faults {
            if let Fault::Together(rule) = fault {
                self.found
                    .push(self.do_not_go_together(self.name_span, rule));
            }
        }
        if self.found.is_empty() {
            let invalid = self.invalid(given);
            self.found.extend(invalid);
        }
    }

    /// What the module itself finds wrong, with stand-ins for what only a run knows.
    fn invalid(&self, given: &[(String, Given)]) -> Option<Diagnostic> {
        let with = |perhaps: bool| {
            let values = given.iter().filter_map(|(name, given)| {
                let value = match given {
                    Given::Value(value) => value.clone(),
                    Given::Perhaps if !perhaps => return None,
                    Given::Unknown | Given::Perhaps => match self.of.argument(name) {
                        Some(argument) => stand_in(argument),
                        None => Json::from("stand-in"),
                    },
                };
                Some((name.clone(), value))
            });
            let arguments: Map<String, Json> = values.collect();
            match self.module.parse(arguments.into()) {
                Ok(_) => Some(None),
                Err(ArgumentError {
                    fault: Fault::Invalid(invalid),
                    ..
                }) => Some(Some(invalid)),
                Err(_) => None,
            }
        };
        // Where one of the ways that it may be is right, nothing is known to be wrong.
        let mut judged = [with(false), with(true)].into_iter().flatten();
        let invalid = judged.next()??;
        if judged.any(|other| other.is_none()) {
            return None;
        }
        let is_about = |name: &str| {
            let argument = self.of.argument(name);
            let named = |argument: &Argument| invalid.arguments.contains(&argument.name.as_str());
            invalid.arguments.is_empty() || argument.is_some_and(named)
        };
        let about: Vec<_> = given.iter().filter(|(name, _)| is_about(name)).collect();
        if (about.iter()).any(|(_, given)| !matches!(given, Given::Value(_))) {
            return None;
        }
        let first = about.first().filter(|_| !invalid.arguments.is_empty());
        let written = first.and_then(|(name, _)| self.written(name));
        let span = written.map_or(self.name_span, |written| &written.value.span);
        Some(self.do_not_go_together(span, &invalid.message))
    }

    fn written(&self, name: &str) -> Option<&Written> {
        self.written.iter().find(|written| written.name == name)
    }

    fn no_name(&mut self, key: &Node) {
        self.found.push(
            Diagnostic::error(
                &key.span,
                format!("`{}` is not the name of an argument", key.source_text()),
            )
            .help("arguments have names: `name: value`; quote the name if it is one"),
        );
    }

    fn unknown_argument(&mut self, name: &str, known: &[String]) {
        let Some(Written { key, .. }) = self.written(name) else {
            return;
        };
        let arguments = self.of.named();
        let nearest = suggest(name, arguments.flat_map(Argument::all_names));
        let meant = nearest.as_deref().and_then(|name| self.of.argument(name));
        let meant = meant.map(|argument| argument.name.clone());
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
            None if known.is_empty() => "it takes no arguments".to_owned(),
            None => format!("it has: {}", known.join(", ")),
        };
        let diagnostic = Diagnostic::error(
            &key.span,
            format!("the module `{}` has no argument `{name}`", self.name),
        )
        .label(self.name_span, "the module")
        .help(help);
        self.meant.extend(meant);
        self.found.push(diagnostic);
    }

    fn twice(&mut self, name: &str, first: &str) {
        let (Some(second), Some(one)) = (self.written(name), self.written(first)) else {
            return;
        };
        let message = format!(
            "`{name}` is another name of `{first}`, and `{}` has both",
            self.name
        );
        let diagnostic = Diagnostic::error(&second.key.span, message)
            .label(&one.key.span, "given here already")
            .help("remove one of the two");
        self.found.push(diagnostic);
    }

    fn wrong(&mut self, name: &str, inner: &[String], why: &Unfit) {
        let Some(written) = self.written(name) else {
            return;
        };
        let place = at(&written.value, inner);
        let (item, why) = match why {
            Unfit::Item { index, why } => (format!(" (item {})", index + 1), &**why),
            Unfit::Key { key, why } => (format!(" (`{key}`)"), &**why),
            why => (String::new(), why),
        };
        let argument = format!("`{name}` of `{}`{item}", self.name);
        let error = |text: String| Diagnostic::error(&place.span, text);
        let diagnostic = match why {
            Unfit::Choice { given, choices } => {
                let nearest = suggest(given, self.words(name));
                error(format!("{argument} cannot be `{given}`")).help(match nearest {
                    Some(word) => {
                        format!("did you mean `{word}`? there are: {}", choices.join(", "))
                    }
                    None => format!("write one of: {}", choices.join(", ")),
                })
            }
            Unfit::Kind { expected, found } => error(format!(
                "{argument} must be {expected}, but this is {found}"
            ))
            .note(self.about(name))
            .help(format!("write {expected} after `{name}:`")),
            Unfit::Item { .. } | Unfit::Key { .. } | Unfit::Because(_) => {
                error(format!("{argument}: {why}"))
                    .note(self.about(name))
                    .help(self.reference())
            }
        };
        self.found.push(diagnostic);
    }

    /// The words that an argument takes.
    fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        let choices: &[Choice] = match self.of.argument(name).map(|argument| &argument.kind) {
            Some(Kind::Choice(choices)) => choices,
            _ => &[],
        };
        choices.iter().flat_map(|choice| {
            std::iter::once(&choice.word)
                .chain(&choice.aliases)
                .map(String::as_str)
        })
    }

    fn missing(&self, name: &str) -> Diagnostic {
        Diagnostic::error(
            self.name_span,
            format!("the module `{}` needs the argument `{name}`", self.name),
        )
        .note(self.about(name))
        .help(format!("add `{name}: …` below it"))
    }

    fn do_not_go_together(&self, span: &Span, message: &str) -> Diagnostic {
        Diagnostic::error(span, format!("`{}`: {message}", self.name)).help(self.reference())
    }

    /// What the reference says of an argument.
    fn about(&self, name: &str) -> String {
        let sentence = self.of.argument(name).map(Argument::summary);
        match sentence.filter(|text| !text.is_empty()) {
            Some(text) => format!("`{name}`: {text}"),
            None => self.reference(),
        }
    }

    fn reference(&self) -> String {
        format!("`windlass doc {}` describes its arguments", self.of.name)
    }
}
