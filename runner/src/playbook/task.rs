//! Reads a task: its action, and the keywords around it.

use std::sync::Arc;

use super::keywords;
use super::model::{Common, Entry, Task, TaskAction};
use super::reader::{self, Reader};
use super::tasks::TasksPosition;
use crate::yaml::{Diagnostic, Mapping, Node};

impl Reader<'_> {
    /// The task of a mapping, or the block of one that imports tasks.
    pub(super) fn task(
        &mut self,
        place: TasksPosition<'_>,
        item: &Node,
        mapping: &Mapping,
    ) -> Option<Entry> {
        let action = self.action(item, mapping);
        let mut common = self.notifying(mapping);
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
                self.not_with_import(&action, mapping);
                let file = self.file_of(&action, mapping)?;
                return self.import_tasks(place, item, &file, common);
            }
            "import_role" => {
                self.not_with_import(&action, mapping);
                return self.import_role(place, item, &action, mapping, common);
            }
            "include_role" if place.handlers => {
                self.error(
                    Diagnostic::error(&action.span, "a role cannot be a handler").help(
                        "write its tasks as handlers, or include a file of tasks that includes the role",
                    ),
                );
                return None;
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
        if let TaskAction::Meta(word, span) = &what
            && word == "end_role"
            && (place.home.role.is_none() || place.handlers)
        {
            self.error(
                Diagnostic::error(span, "`end_role` ends nothing here")
                    .note("it ends the role that its task is of, for the host; a handler ends none")
                    .help("use `end_host` or `end_play`, or put the task among those of a role"),
            );
            return None;
        }
        if let TaskAction::Meta(word, span) = &what
            && word == "flush_handlers"
            && place.handlers
        {
            self.error(
                Diagnostic::error(span, "`flush_handlers` cannot be a handler")
                    .note("handlers run at a flush, and there is none inside another")
                    .help("let a handler `notify` those that are to run after it, or put the flush among the tasks"),
            );
            return None;
        }
        let task = self.keywords(place, item, mapping, common, what);
        Some(Entry::Task(Arc::new(task)))
    }

    fn keywords(
        &mut self,
        place: TasksPosition<'_>,
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
            listen: self.scalars(mapping, "listen", "a name to listen to or a list of them"),
        }
    }
}
