//! What handlers are called: by their names, those of their roles, and what they listen to.

use std::collections::{BTreeSet, HashMap};

use super::course::Step;
use super::plan::Planned;
use crate::yaml::{Node, Value};

/// Which handlers of a batch go by a name, each as its place among them.
#[derive(Default)]
pub(crate) struct HandlerIndex {
    /// Of handlers with the same name the last one counts, as in Ansible.
    named: HashMap<String, usize>,
    /// Of those that listen, too, the last one of each name.
    listening: HashMap<String, Vec<Listener>>,
    /// Those whose names are templates.
    templated: Vec<usize>,
}

/// A handler that listens to a name.
struct Listener {
    at: usize,
    /// Its own name, as it is written.
    name: Option<String>,
}

impl HandlerIndex {
    /// Of the handlers of a play.
    pub(crate) fn of(handlers: &[Step<Planned>]) -> Self {
        let mut index = Self::default();
        for (at, step) in handlers.iter().enumerate() {
            if let Step::Task(handler) = step {
                index.add(at, handler);
            }
        }
        index
    }

    /// The handlers that go by a name, or listen to it. `rendered`: whether the template of a handler's name gives it.
    pub(crate) fn called(&self, name: &str, rendered: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let named = self.named.get(name).copied();
        let templated = self.templated.iter().copied().rev();
        let mut later = templated.take_while(|at| named.is_none_or(|named| *at > named));
        let found = later.find(|at| rendered(*at)).or(named);
        let listening = self.listening.get(name).into_iter().flatten();
        found
            .into_iter()
            .chain(listening.map(|one| one.at))
            .collect()
    }

    /// Adds a handler, which is at this place.
    pub(crate) fn add(&mut self, at: usize, handler: &Planned) {
        let written = handler.task.name.as_ref().and_then(Node::as_str);
        if let Some(text) = written {
            for name in called(handler, text) {
                self.named.insert(name, at);
            }
            if text.contains("{{") {
                self.templated.push(at);
            }
        }
        for topic in topics(handler) {
            let listening = self.listening.entry(topic).or_default();
            listening.retain(|one| one.name.is_none() || one.name.as_deref() != written);
            let name = written.map(str::to_owned);
            listening.push(Listener { at, name });
        }
    }
}

/// What a handler of that name goes by: the name, and with that of its role before it.
pub(crate) fn called(handler: &Planned, text: &str) -> BTreeSet<String> {
    let role = handler.chain.role();
    let with_role = role.map(|role| format!("{} : {text}", role.name));
    let titled = handler.chain.titled(text.to_owned());
    [text.to_owned(), titled]
        .into_iter()
        .chain(with_role)
        .collect()
}

/// What a handler listens to, which may have the name of its role before it.
fn topics(handler: &Planned) -> BTreeSet<String> {
    let texts = handler
        .task
        .listen
        .iter()
        .flat_map(|node| match &node.value {
            Value::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        });
    let texts = texts.filter_map(Node::as_str);
    texts
        .flat_map(|text| [text.to_owned(), handler.chain.titled(text.to_owned())])
        .collect()
}
