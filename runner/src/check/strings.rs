//! Every string of a playbook that is a template or an expression: its syntax, and its filters,
//! tests and lookups.

use std::collections::HashSet;
use std::sync::Arc;

use windlass_modules::registry;

use super::files::{self, VarsFiles};
use super::item::{Around, Item};
use super::items::{self, Collected};
use super::modules;
use crate::playbook::{Common, Keyword, Play, TaskAction, has_template};
use crate::template::{FileOptions, References, Syntax, Templar, TemplateError};
use crate::yaml::{Diagnostic, Mapping, Node, Span, Tag, Value, read};

/// When a string of a task is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Whenever the task runs.
    Always,
    /// Before the task loops.
    Loop,
    /// Perhaps.
    Perhaps,
    /// Where an undefined value does no harm.
    Harmless,
}

/// A string of a task, and what it refers to.
#[derive(Debug)]
pub(super) struct TaskString {
    pub(super) when: When,
    pub(super) references: References,
}

/// Checks all of them.
pub(super) fn check(
    plays: &[Arc<Play>],
    collected: &Collected,
    vars_files: &VarsFiles,
    templar: &Templar,
    found: &mut Vec<Diagnostic>,
) {
    let mut reader = Reader {
        templar,
        found,
        uses: Vec::new(),
    };
    for play in plays {
        reader.play(play);
    }
    for mapping in items::variables(plays, collected) {
        reader.mapping(mapping, When::Perhaps);
    }
    for file in &vars_files.read {
        reader.text(file, When::Perhaps);
    }
    let mut known = HashSet::new();
    for item in &collected.items {
        for common in item.around.iter().map(Around::common) {
            if known.insert(std::ptr::from_ref(common)) {
                reader.common(common, When::Always);
            }
        }
        reader.task(item);
    }
}

/// What the strings of one task refer to, and what is around it, apart from conditions; those that cannot be
/// read are left out.
pub(super) fn uses(item: &Item, templar: &Templar) -> Vec<TaskString> {
    let mut reader = Reader {
        templar,
        found: &mut Vec::new(),
        uses: Vec::new(),
    };
    reader.task(item);
    // Where the task has the keyword itself, what is around it does not count.
    for common in item.commons() {
        reader.common(common, When::Perhaps);
    }
    reader.uses
}

/// The same of a play's own keywords.
pub(super) fn uses_of_play(play: &Play, templar: &Templar) -> Vec<TaskString> {
    let mut reader = Reader {
        templar,
        found: &mut Vec::new(),
        uses: Vec::new(),
    };
    reader.play(play);
    reader.uses
}

/// What a value refers to.
pub(super) fn references(node: &Node, templar: &Templar) -> Vec<References> {
    let mut reader = Reader {
        templar,
        found: &mut Vec::new(),
        uses: Vec::new(),
    };
    reader.text(node, When::Always);
    reader.uses.into_iter().map(|one| one.references).collect()
}

/// What a condition refers to.
pub(super) fn condition(node: &Node, templar: &Templar) -> References {
    let mut reader = Reader {
        templar,
        found: &mut Vec::new(),
        uses: Vec::new(),
    };
    reader.conditions(std::slice::from_ref(node), When::Always);
    let first = reader.uses.pop();
    first.map(|one| one.references).unwrap_or_default()
}

struct Reader<'a> {
    templar: &'a Templar,
    found: &'a mut Vec<Diagnostic>,
    uses: Vec<TaskString>,
}

impl Reader<'_> {
    fn keep(&mut self, result: Result<References, TemplateError>, when: When) {
        match result {
            Ok(references) => {
                self.found.extend(references.unknown.iter().map(diagnostic));
                self.uses.push(TaskString { when, references });
            }
            Err(error) => self.found.push(diagnostic(&error)),
        }
    }

    /// A value: every string in it may hold templates.
    fn text(&mut self, node: &Node, when: When) {
        match &node.value {
            _ if matches!(node.tag, Some(Tag::Unsafe | Tag::Vault)) => {}
            Value::String(text) if has_template(text) => {
                let result = self.templar.syntax_check(node, Syntax::Text);
                self.keep(result, when);
            }
            Value::Sequence(items) => items.iter().for_each(|item| self.text(item, when)),
            Value::Mapping(mapping) => self.mapping(mapping, when),
            _ => {}
        }
    }

    fn mapping(&mut self, mapping: &Mapping, when: When) {
        for (key, value) in mapping.iter() {
            self.text(key, when);
            self.text(value, when);
        }
    }

    fn conditions(&mut self, nodes: &[Node], when: When) {
        for node in nodes.iter().filter(|node| node.as_str().is_some()) {
            let result = self.templar.syntax_check(node, Syntax::Expression);
            self.keep(result, when);
        }
    }

    fn keyword<T>(&mut self, keyword: Option<&Keyword<T>>, when: When) {
        if let Some(Keyword::Template(node)) = keyword {
            self.text(node, when);
        }
    }

    fn play(&mut self, play: &Play) {
        for import in &play.imports {
            self.conditions(&import.when, When::Perhaps);
        }
        self.text(&play.hosts, When::Perhaps);
        for node in play.name.iter().chain(&play.vars_files) {
            self.text(node, When::Perhaps);
        }
        if let Some(subset) = &play.gather_subset {
            self.text(subset, When::Perhaps);
        }
        for serial in &play.serial {
            self.keyword(Some(serial), When::Perhaps);
        }
        self.keyword(play.order.as_ref(), When::Perhaps);
        self.keyword(play.strategy.as_ref(), When::Perhaps);
        self.keyword(play.gather_facts.as_ref(), When::Perhaps);
        self.keyword(play.max_fail_percentage.as_ref(), When::Perhaps);
        self.keyword(play.force_handlers.as_ref(), When::Perhaps);
        self.common(&play.common, When::Perhaps);
    }

    /// Shared keywords; variables are read elsewhere.
    fn common(&mut self, common: &Common, when: When) {
        for node in common.environment.iter().chain(&common.module_defaults) {
            self.text(node, when);
        }
        self.conditions(&common.when, When::Perhaps);
        for node in common.tags.iter().chain(&common.delegate_to) {
            self.text(node, when);
        }
        for flag in [
            &common.r#become,
            &common.no_log,
            &common.ignore_errors,
            &common.ignore_unreachable,
            &common.check_mode,
            &common.diff,
            &common.any_errors_fatal,
            &common.run_once,
            &common.delegate_facts,
        ] {
            self.keyword(flag.as_ref(), when);
        }
        for text in [
            &common.become_user,
            &common.become_method,
            &common.become_flags,
            &common.become_exe,
            &common.connection,
            &common.remote_user,
        ] {
            self.keyword(text.as_ref(), when);
        }
        self.keyword(common.timeout.as_ref(), when);
        self.keyword(common.throttle.as_ref(), when);
        self.keyword(common.port.as_ref(), when);
        for name in common.notify.iter().flatten() {
            self.text(name, When::Perhaps);
        }
    }

    fn task(&mut self, item: &Item) {
        let task = &item.task;
        self.common(&task.common, When::Always);
        for node in task.name.iter().chain(&task.listen) {
            self.text(node, When::Perhaps);
        }
        if let Some(source) = &task.looping {
            self.text(&source.items, When::Loop);
            if let Some(name) = &source.lookup
                && let Err(error) = self.templar.has_lookup(name)
            {
                let at = error.or_span(Some(&source.items.span));
                self.found.push(diagnostic(&at));
            }
        }
        if let Some(label) = &task.loop_control.label {
            self.text(label, When::Always);
        }
        self.keyword(task.loop_control.pause.as_ref(), When::Always);
        self.keyword(task.retries.as_ref(), When::Always);
        self.keyword(task.delay.as_ref(), When::Always);
        for conditions in [
            &task.loop_control.break_when,
            &task.until,
            &task.changed_when,
            &task.failed_when,
        ] {
            self.conditions(conditions, When::Perhaps);
        }
        match &task.action {
            TaskAction::IncludeTasks { file, apply } => {
                self.text(file, When::Always);
                if let Some(apply) = apply {
                    self.common(apply, When::Always);
                }
            }
            TaskAction::IncludeRole { role, apply } => {
                let files = &role.files;
                let files = [&files.tasks, &files.vars, &files.defaults, &files.handlers];
                for name in files.into_iter().flatten().chain([&role.name]) {
                    self.text(name, When::Always);
                }
                if let Some(apply) = apply {
                    self.common(apply, When::Always);
                }
            }
            TaskAction::Module { name, more, .. } => {
                if let Some(more) = more {
                    self.text(more, When::Always);
                }
                self.arguments(item, name);
            }
            TaskAction::Meta(..) => {}
        }
    }

    fn arguments(&mut self, item: &Item, name: &str) {
        let (Some(module), Some(arguments)) = (registry::find(name), modules::arguments(item))
        else {
            return;
        };
        for (key, value) in arguments.iter() {
            self.text(key, When::Always);
            if let Some(name) = key.as_str().filter(|key| module.raw().contains(key)) {
                let when = if module.may_be_undefined().contains(&name) {
                    When::Harmless
                } else {
                    When::Always
                };
                let items = value.as_sequence().unwrap_or(std::slice::from_ref(value));
                self.conditions(items, when);
            } else {
                self.text(value, When::Always);
            }
        }
        for file in files::templates(item, module.description(), &arguments) {
            if let Ok(source) = read(&file) {
                let options = FileOptions::default();
                let result = self.templar.syntax_check_file(&source, &options);
                self.keep(result, When::Always);
            }
        }
    }
}

fn diagnostic(error: &TemplateError) -> Diagnostic {
    let diagnostic = error.diagnostic();
    if diagnostic.help.is_some() {
        return diagnostic;
    }
    let at = error.span.as_ref().map(Span::text).unwrap_or_default();
    let message = &error.message;
    diagnostic.help(match () {
        () if message.contains("there is no") => {
            "check the name; the reference lists what there is"
        }
        () if message.contains("unexpected input after expression") && at == "=" => {
            "a comparison is written `==`"
        }
        () if message.contains("expected end of variable block") => {
            "a `{{` is not closed here: put `}}` after the expression"
        }
        () if message.contains("unknown statement") && at.starts_with("end") => {
            "it closes nothing here: the open block needs another word, or no block is open"
        }
        () if message.contains("unknown statement") => {
            "check the word after `{%`; a value is written `{{ … }}`"
        }
        () if message.contains("unexpected end of input") => {
            "something is not closed: a quote, a bracket, or a block without its `{% end… %}`"
        }
        () => "check this place: quotes and brackets, `{{ }}` and `{% %}` come in pairs",
    })
}
