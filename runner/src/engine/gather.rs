//! The task that gathers facts at the start of a play.

use std::sync::Arc;

use super::dispatch::Dispatcher;
use super::keywords;
use super::result::located;
use super::walk::{Failures, Place};
use crate::playbook::{Common, Entry, LoopControl, Play, Task, TaskAction};
use crate::yaml::{Mapping, Node, Span, Style, Value};

impl Dispatcher {
    /// Gathers facts of `hosts`, unless the play says not to.
    pub(crate) async fn gather(
        &mut self,
        play: &Arc<Play>,
        place: &Place,
        hosts: &[String],
    ) -> Failures {
        let Some(first) = hosts.first() else {
            return Failures::new();
        };
        if let Some(keyword) = &play.gather_facts {
            let scope =
                self.shared
                    .store
                    .view(first, &place.play, &place.chain.task_layers(), vec![]);
            match keywords::value(keyword, &self.shared.templar, &scope) {
                Ok(true) => {}
                Ok(false) => return Failures::new(),
                Err(error) => {
                    self.stop(located(&error), error.hint.clone()).await;
                    return Failures::new();
                }
            }
        }
        let entry = [Entry::Task(Arc::new(task(play)))];
        let started = std::mem::replace(&mut self.started_at_task, true);
        let failures = self.walk(&entry, place, hosts).await;
        self.started_at_task = started;
        failures
    }
}

/// The task, as if it stood at the top of the play.
fn task(play: &Play) -> Task {
    let mut arguments = Mapping::default();
    if let Some(subset) = &play.gather_subset {
        arguments
            .entries
            .push((text(&subset.span, "gather_subset"), subset.clone()));
    }
    Task {
        span: play.span.clone(),
        path: play.path.clone(),
        name: Some(text(&play.span, "Gathering Facts")),
        action: TaskAction::Module {
            name: "setup".to_owned(),
            name_span: play.span.clone(),
            arguments: Node {
                span: play.span.clone(),
                tag: None,
                style: Style::Block,
                value: Value::Mapping(arguments),
            },
            more: None,
        },
        common: Common {
            tags: vec![text(&play.span, "always")],
            ..Common::default()
        },
        looping: None,
        loop_control: LoopControl::default(),
        register: None,
        until: Vec::new(),
        retries: None,
        delay: None,
        changed_when: Vec::new(),
        failed_when: Vec::new(),
        notify: Vec::new(),
        listen: Vec::new(),
    }
}

fn text(span: &Span, text: &str) -> Node {
    Node {
        span: span.clone(),
        tag: None,
        style: Style::Plain,
        value: Value::String(text.to_owned()),
    }
}
