//! What an action is: a module, an include, a `meta`; and which keywords go with it.

use std::sync::Arc;

use super::action::Action;
use super::keywords;
use super::model::{Common, TaskAction};
use super::reader::{Reader, describe, is_template};
use crate::yaml::{Diagnostic, Mapping, Node, Value};

impl Reader<'_> {
    /// What an action's name says that it is.
    pub(super) fn what(&mut self, action: &Action, mapping: &Mapping) -> Option<TaskAction> {
        Some(match keywords::short(&action.name) {
            "include_tasks" => {
                self.only_with_include(action, mapping);
                TaskAction::IncludeTasks {
                    file: self.file_of(action, mapping)?,
                    apply: self.apply(action, mapping),
                }
            }
            "include_role" => {
                self.only_with_include(action, mapping);
                TaskAction::IncludeRole {
                    role: Box::new(self.role_request(action, mapping, true)?),
                    apply: self.apply(action, mapping),
                }
            }
            "meta" => {
                let node = &action.arguments;
                match node.as_str().map(str::trim) {
                    Some(word) if keywords::META.contains(&word) => {
                        TaskAction::Meta(word.to_owned(), node.span.clone())
                    }
                    _ => {
                        self.not_one_of("meta", node, keywords::META);
                        return None;
                    }
                }
            }
            _ => TaskAction::Module {
                name: action.name.clone(),
                name_span: action.span.clone(),
                arguments: action.arguments.clone(),
                more: self.more(mapping),
            },
        })
    }

    fn only_with_include(&mut self, action: &Action, mapping: &Mapping) {
        for (key, _) in mapping.iter() {
            let name = key.as_str().unwrap_or_default();
            let known = name.starts_with("with_")
                || key.span == action.span
                || keywords::contains(keywords::INCLUDE_TASKS, name);
            if !known && keywords::contains(keywords::TASK_KEYWORDS, name) {
                self.not_with_include(action, key, name);
            }
        }
    }

    /// `args`.
    fn more(&mut self, mapping: &Mapping) -> Option<Node> {
        let node = Self::given(mapping, "args")?;
        if node.as_mapping().is_none() && !is_template(node) {
            self.wrong("args", node, "a mapping of arguments");
            return None;
        }
        Some(node.clone())
    }

    /// The file of an import or include: written beside it, as `file:` below it, or in `args`.
    pub(super) fn file_of(&mut self, action: &Action, mapping: &Mapping) -> Option<Node> {
        let name = keywords::short(&action.name).to_owned();
        let in_args = || {
            Self::given(mapping, "args")?
                .as_mapping()?
                .get("file")
                .cloned()
        };
        let file = match &action.arguments.value {
            Value::String(text) => {
                let file = text.trim().strip_prefix("file=");
                Some(file.map_or_else(
                    || action.arguments.clone(),
                    |file| {
                        Node::string(
                            action.arguments.span.clone(),
                            file.trim_matches(['"', '\'']),
                        )
                    },
                ))
            }
            Value::Mapping(arguments) => {
                let known: &[&[&str]] = match name.as_str() {
                    "include_tasks" => &[&["file", "apply"]],
                    _ => &[&["file"]],
                };
                self.only(arguments, &name, known);
                arguments.get("file").cloned().or_else(in_args)
            }
            Value::Null => in_args(),
            _ => None,
        };
        if file
            .as_ref()
            .is_none_or(|file| file.as_str().is_none_or(|name| name.trim().is_empty()))
        {
            let message = format!(
                "`{name}` must be the name of a file, but this is {}",
                describe(&action.arguments)
            );
            self.error(
                Diagnostic::error(&action.span, message).help(format!("write `{name}: FILE`")),
            );
            return None;
        }
        file
    }

    fn apply(&mut self, action: &Action, mapping: &Mapping) -> Option<Arc<Common>> {
        let args = Self::given(mapping, "args").and_then(Node::as_mapping);
        let beside = action.arguments.as_mapping();
        let node = beside
            .and_then(|map| map.get("apply"))
            .or_else(|| args?.get("apply"))?;
        let Some(apply) = node.as_mapping() else {
            self.wrong("apply", node, "a mapping of keywords");
            return None;
        };
        self.only(apply, "apply", keywords::APPLY);
        Some(Arc::new(self.notifying(apply)))
    }

    fn not_with_include(&mut self, action: &Action, key: &Node, name: &str) {
        let (include, file) = match keywords::short(&action.name) {
            "include_role" => ("include_role", "name: ROLE"),
            _ => ("include_tasks", "file: FILE"),
        };
        self.error(
            Diagnostic::error(
                &key.span,
                format!("`{name}` means nothing beside `{include}`"),
            )
            .note(
                "it would say something of the including, and not of the tasks that \
                     are included",
            )
            .help(format!(
                "for the tasks write it under `apply:`:  {include}: {{{file}, \
                         apply: {{{name}: …}}}}"
            )),
        );
    }

    pub(super) fn not_with_import(&mut self, action: &Action, mapping: &Mapping) {
        for (key, _) in mapping.iter() {
            let name = key.as_str().unwrap_or_default();
            if keywords::NOT_WITH_IMPORT.contains(&name) || name.starts_with("with_") {
                let (import, include) = match keywords::short(&action.name) {
                    "import_role" => ("import_role", "include_role"),
                    _ => ("import_tasks", "include_tasks"),
                };
                let help = if name.starts_with("with_") || name.starts_with("loop") {
                    format!("use `{include}`, which can loop")
                } else {
                    "write it at the tasks in the file".to_owned()
                };
                self.error(
                    Diagnostic::error(
                        &key.span,
                        format!("`{name}` means nothing beside `{import}`"),
                    )
                    .note("the import is done before the run, and its tasks take its place")
                    .help(help),
                );
            }
        }
    }
}
