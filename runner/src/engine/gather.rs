//! The task that gathers facts at the start of a play.

use std::sync::Arc;

use super::chain::Chain;
use super::dispatch::Dispatcher;
use super::keywords;
use crate::playbook::{Common, LoopControl, Play, Task, TaskAction};
use crate::template::TemplateError;
use crate::vars::PlayVars;
use crate::yaml::{Mapping, Node, Span, Style, Value};

impl Dispatcher {
    /// The task that gathers facts, unless the play says not to.
    pub(crate) fn gather(
        &self,
        play: &Arc<Play>,
        vars: &Arc<PlayVars>,
        first: &str,
    ) -> Result<Option<Arc<Task>>, TemplateError> {
        if let Some(keyword) = &play.gather_facts {
            let layers = Chain::new(play).task_layers();
            let scope = self.store.view(first, vars, &layers, vec![]);
            if !keywords::value(keyword, &self.shared.templar, &scope)? {
                return Ok(None);
            }
        }
        Ok(Some(Arc::new(task(play))))
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
