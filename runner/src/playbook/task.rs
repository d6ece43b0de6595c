//! Reads a task: which of its keys is the action, and the keywords around it.

use std::sync::Arc;

use super::keywords;
use super::model::{Common, Entry, Task, TaskAction};
use super::reader::{self, Reader, describe, is_template};
use super::tasks::Place;
use crate::yaml::{Diagnostic, Mapping, Node, Span, Value, suggest};

/// The action of a task as it is written, before its name says what it is.
struct Action {
    name: String,
    span: Span,
    arguments: Node,
    /// `local_action`.
    local: Option<Span>,
}

impl Reader<'_> {
    /// The task of a mapping, or the block of one that imports tasks.
    pub(super) fn task(
        &mut self,
        place: Place<'_>,
        item: &Node,
        mapping: &Mapping,
    ) -> Option<Entry> {
        let action = self.action(item, mapping);
        let mut common = self.common(mapping);
        let Some(action) = action else {
            // Its keywords are worth reading for their errors all the same.
            self.keywords(
                place,
                item,
                mapping,
                common,
                TaskAction::Meta("noop".to_owned(), item.span.clone()),
            );
            return None;
        };
        if let Some(span) = &action.local {
            common.delegate_to = Some(Node::string(span.clone(), "localhost"));
        }
        match keywords::short(&action.name) {
            "import_tasks" => {
                self.not_with_import(mapping);
                let own = self.scalars(mapping, "notify", "the name of a handler");
                let place = Place {
                    notify: if own.is_empty() { place.notify } else { &own },
                    ..place
                };
                let file = self.file_of(&action, mapping)?;
                return self.import_tasks(place, item, &file, common);
            }
            "import_playbook" => {
                self.error(
                    Diagnostic::error(&action.span, "a playbook cannot be imported among tasks")
                        .help(
                            "write `- import_playbook: FILE` beside the plays, or import \
                             tasks with `import_tasks`",
                        ),
                );
                return None;
            }
            _ => {}
        }
        let what = self.what(&action, mapping)?;
        let task = self.keywords(place, item, mapping, common, what);
        Some(Entry::Task(Arc::new(task)))
    }

    fn keywords(
        &mut self,
        place: Place<'_>,
        item: &Node,
        mapping: &Mapping,
        common: Common,
        action: TaskAction,
    ) -> Task {
        if let (false, Some((key, _))) = (place.handlers, mapping.entry("listen")) {
            self.error(
                Diagnostic::error(&key.span, "only handlers can `listen`")
                    .help("move the task to `handlers:`, or remove `listen`"),
            );
        }
        let mut notify = self.scalars(mapping, "notify", "the name of a handler or a list of them");
        if notify.is_empty() {
            notify = place.notify.to_vec();
        }
        Task {
            span: item.span.clone(),
            path: place.path.to_owned(),
            name: self.scalar_node(mapping, "name"),
            action,
            common,
            looping: self.looping(mapping),
            loop_control: self.loop_control(mapping),
            register: self.variable(mapping, "register"),
            until: self.conditions(mapping, "until"),
            retries: self.keyword(
                mapping,
                "retries",
                "a whole number, 0 or more",
                reader::whole,
            ),
            delay: self.keyword(mapping, "delay", "a number of seconds", reader::float),
            changed_when: self.conditions(mapping, "changed_when"),
            failed_when: self.conditions(mapping, "failed_when"),
            notify,
            listen: self.scalars(mapping, "listen", "a name to listen to or a list of them"),
        }
    }

    /// The one key of a task that is no keyword: its module.
    fn action(&mut self, item: &Node, mapping: &Mapping) -> Option<Action> {
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
                    if keywords::short(name).contains("include") || name.ends_with("_role") {
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
                || ["meta", "import_tasks", "include_tasks", "import_playbook"]
                    .contains(&keywords::short(name))
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

    /// What an action's name says that it is.
    fn what(&mut self, action: &Action, mapping: &Mapping) -> Option<TaskAction> {
        Some(match keywords::short(&action.name) {
            "include_tasks" => {
                for (key, _) in mapping.iter() {
                    let name = key.as_str().unwrap_or_default();
                    let known = name.starts_with("with_")
                        || key.span == action.span
                        || keywords::contains(keywords::INCLUDE_TASKS, name);
                    if !known && keywords::contains(keywords::TASK_KEYWORDS, name) {
                        self.not_with_include(key, name);
                    }
                }
                TaskAction::IncludeTasks {
                    file: self.file_of(action, mapping)?,
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
    fn file_of(&mut self, action: &Action, mapping: &Mapping) -> Option<Node> {
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
                "`{name}` wants the name of a file, and this is {}",
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
        Some(Arc::new(self.common(apply)))
    }

    fn not_with_include(&mut self, key: &Node, name: &str) {
        self.error(
            Diagnostic::error(
                &key.span,
                format!("`{name}` means nothing beside `include_tasks`"),
            )
            .note(
                "it would say something of the including, and not of the tasks that \
                     are included",
            )
            .help(format!(
                "for the tasks write it under `apply:`:  include_tasks: {{file: FILE, \
                         apply: {{{name}: …}}}}"
            )),
        );
    }

    fn not_with_import(&mut self, mapping: &Mapping) {
        for (key, _) in mapping.iter() {
            let name = key.as_str().unwrap_or_default();
            if keywords::NOT_WITH_IMPORT.contains(&name) || name.starts_with("with_") {
                let help = if name.starts_with("with_") || name.starts_with("loop") {
                    "use `include_tasks`, which can loop"
                } else {
                    "write it at the tasks in the file"
                };
                self.error(
                    Diagnostic::error(
                        &key.span,
                        format!("`{name}` means nothing beside `import_tasks`"),
                    )
                    .note("the import is done before the run, and its tasks take its place")
                    .help(help),
                );
            }
        }
    }
}

/// The keyword of a task that a key is likely a slip of.
fn nearest_keyword(key: &Node) -> Option<String> {
    let names = keywords::TASK_KEYWORDS.iter().copied().flatten().copied();
    suggest(key.as_str()?, names)
}
