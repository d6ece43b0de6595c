//! The task that gathers facts at the start of a play.

use std::sync::Arc;

use super::chain::Chain;
use super::dispatch::Dispatcher;
use super::keywords;
use crate::playbook::{Play, Task};
use crate::template::TemplateError;
use crate::vars::PlayVars;
use crate::yaml::{Mapping, Node, Value};

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
    let subset = play.gather_subset.iter();
    let subset = subset.map(|node| {
        let name = Node::string(node.span.clone(), "gather_subset");
        (name, node.clone())
    });
    let entries = subset.collect();
    let arguments = Value::Mapping(Mapping { entries });
    let arguments = Node::new(play.span.clone(), arguments);
    let call = ("setup", arguments);
    Task::of_ours(&play.span, play.path.clone(), "Gathering Facts", call)
}
