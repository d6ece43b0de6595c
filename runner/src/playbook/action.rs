//! Which of a task's keys is its action.

use super::keywords;
use super::reader::{self, Reader, is_template};
use crate::yaml::{Diagnostic, Mapping, Node, Span, Value, suggest};

/// The action of a task as it is written, before its name says what it is.
pub(super) struct Action {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) arguments: Node,
    /// `local_action`.
    pub(super) local: Option<Span>,
}

impl Reader<'_> {
    /// The one key of a task that is no keyword: its module.
    pub(super) fn action(&mut self, item: &Node, mapping: &Mapping) -> Option<Action> {
        let mut others = Vec::new();
        for (key, value) in mapping.iter() {
            match key.as_str() {
                Some(name) if keywords::contains(keywords::TASK_KEYWORDS, name) => {
                    if name == "action" || name == "local_action" {
                        others.push((key, value));
                    }
                }
                Some(name) if name.starts_with("with_") => {}
                Some(name) if keywords::not_yet(keywords::short(name)).is_some() => {
                    self.not_here(key);
                    if keywords::short(name).contains("include") {
                        return None;
                    }
                }
                Some(_) => others.push((key, value)),
                None => self.unknown(key, "a task", keywords::TASK_KEYWORDS),
            }
        }
        let (key, value) = self.chosen(item, &others)?;
        match key.as_str() {
            Some("action") => self.spelled_out(key, value, None),
            Some("local_action") => self.spelled_out(key, value, Some(key.span.clone())),
            name => Some(Action {
                name: name.unwrap_or_default().to_owned(),
                span: key.span.clone(),
                arguments: value.clone(),
                local: None,
            }),
        }
    }

    fn not_here(&mut self, key: &Node) {
        let name = keywords::short(key.as_str().unwrap_or_default()).to_owned();
        let instead = keywords::not_yet(&name).unwrap_or_default();
        self.error(
            Diagnostic::error(&key.span, format!("this version has no `{name}`")).help(instead),
        );
    }

    /// Which of the keys that are no keywords is the module.
    fn chosen<'n>(
        &mut self,
        item: &Node,
        others: &[(&'n Node, &'n Node)],
    ) -> Option<(&'n Node, &'n Node)> {
        let known = |name: &str| {
            name == "action"
                || name == "local_action"
                || ["meta", "import_playbook"].contains(&keywords::short(name))
                || keywords::IMPORTS.contains(&keywords::short(name))
                || (self.loader.is_module)(name)
        };
        let is_module = |(key, _): &&(&Node, &Node)| key.as_str().is_some_and(known);
        let modules: Vec<_> = others.iter().filter(is_module).copied().collect();
        match (modules.as_slice(), others) {
            ([], []) => {
                self.no_action(item);
                None
            }
            ([], [only]) => Some(*only),
            ([], [..]) => {
                // Slips in keywords apart, the one that is left is meant as the module.
                let (slips, rest): (Vec<_>, Vec<_>) = others
                    .iter()
                    .partition(|(key, _)| nearest_keyword(key).is_some());
                let unclear = if rest.len() == 1 { &slips } else { others };
                for (key, _) in unclear {
                    self.neither(key);
                }
                rest.first().copied().filter(|_| rest.len() == 1)
            }
            ([module], _) => {
                for (key, _) in others.iter().filter(|(key, _)| key.span != module.0.span) {
                    self.unknown(key, "a task", keywords::TASK_KEYWORDS);
                }
                Some(*module)
            }
            ([first, second, ..], _) => {
                let (one, two) = (first.0.source_text(), second.0.source_text());
                self.error(
                    Diagnostic::error(
                        &second.0.span,
                        format!(
                            "two modules in a task: \
                         `{one}` and `{two}`"
                        ),
                    )
                    .label(&second.0.span, "the second")
                    .label(&first.0.span, "the first")
                    .note("a task runs one module")
                    .help(
                        "make two tasks of it: begin the second with `- `; or indent \
                             it if it is an argument of the first",
                    ),
                );
                None
            }
        }
    }

    fn no_action(&mut self, item: &Node) {
        let span = item
            .as_mapping()
            .and_then(|mapping| mapping.entries.first())
            .map_or(&item.span, |(key, _)| &key.span)
            .clone();
        self.error(
            Diagnostic::error(&span, "this task has no module")
                .note("all of its keys are keywords, and none says what to do")
                .help(
                    "add a module with its arguments, such as `command: uptime`; or \
                     remove the task",
                ),
        );
    }

    /// Neither a keyword nor a module, in a task that has no module either.
    fn neither(&mut self, key: &Node) {
        let name = key.as_str().unwrap_or_default();
        let error = Diagnostic::error(
            &key.span,
            format!("`{name}` is neither a keyword of a task nor a module"),
        );
        let error = match nearest_keyword(key) {
            Some(nearest) => error.help(format!("did you mean `{nearest}`?")),
            None => error.help("`windlass doc` lists the modules"),
        };
        self.error(error);
    }

    /// `action: module arguments` or `action: {module: …}`.
    fn spelled_out(&mut self, key: &Node, value: &Node, local: Option<Span>) -> Option<Action> {
        if let Some(text) = value.as_str() {
            let start = text.len() - text.trim_start().len();
            let name = text[start..].split_whitespace().next().unwrap_or_default();
            let end = start + name.len();
            let rest = end + (text[end..].len() - text[end..].trim_start().len());
            if !name.is_empty() && !reader::has_template(name) {
                let mut arguments = value.clone();
                arguments.span = value.inside(rest, text.len());
                arguments.value = if rest == text.len() {
                    Value::Null
                } else {
                    Value::String(text[rest..].to_owned())
                };
                return Some(Action {
                    name: name.to_owned(),
                    span: value.inside(start, end),
                    arguments,
                    local,
                });
            }
        } else if let Some(mapping) = value.as_mapping()
            && let Some(module) = mapping.get("module")
            && let Some(name) = module.as_str().filter(|_| !is_template(module))
        {
            let mut arguments = value.clone();
            let entries = mapping.entries.iter();
            arguments.value = Value::Mapping(Mapping {
                entries: entries
                    .filter(|(key, _)| key.as_str() != Some("module"))
                    .cloned()
                    .collect(),
            });
            return Some(Action {
                name: name.to_owned(),
                span: module.span.clone(),
                arguments,
                local,
            });
        }
        let name = key.source_text();
        self.error(
            Diagnostic::error(&value.span, format!("`{name}` names no module"))
                .note("which module a task runs must be known before the run")
                .help(
                    "write the module itself as the task's key: `copy:`, and its arguments below",
                ),
        );
        None
    }
}

/// The keyword of a task that a key is likely a slip of.
fn nearest_keyword(key: &Node) -> Option<String> {
    let names = keywords::TASK_KEYWORDS.iter().copied().flatten().copied();
    suggest(key.as_str()?, names)
}
