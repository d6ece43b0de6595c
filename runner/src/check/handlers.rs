//! Handlers that are notified must be there.

use std::sync::Arc;

use super::items::Item;
use crate::playbook::{Play, TaskAction, has_template};
use crate::yaml::{Diagnostic, Node, suggest};

/// The names that the handlers of a play answer to.
#[derive(Debug, Default)]
struct Names<'a> {
    /// `name` and `listen`.
    names: Vec<&'a str>,
    /// Whether a name is a template, or handlers are in files that are not known yet.
    unknown: bool,
}

/// Checks every literal `notify`.
pub(super) fn check(items: &[Item], found: &mut Vec<Diagnostic>) {
    let mut plays: Vec<&Arc<Play>> = Vec::new();
    for item in items {
        if !plays.iter().any(|play| Arc::ptr_eq(play, &item.play)) {
            plays.push(&item.play);
        }
    }
    for play in plays {
        let of_play = || items.iter().filter(|item| Arc::ptr_eq(&item.play, play));
        let names = names(of_play().filter(|item| item.handler));
        twice(of_play().filter(|item| item.handler), found);
        if names.unknown {
            continue;
        }
        for notify in of_play().flat_map(|item| &item.task.notify) {
            found.extend(unknown(notify, &names, play));
        }
    }
}

fn names<'a>(handlers: impl Iterator<Item = &'a Item>) -> Names<'a> {
    let mut names = Names::default();
    for handler in handlers {
        if let TaskAction::IncludeTasks { file, .. } = &handler.task.action
            && file.as_str().is_none_or(has_template)
        {
            names.unknown = true;
        }
        for node in handler.task.name.iter().chain(&handler.task.listen) {
            match node.as_str() {
                Some(name) if has_template(name) => names.unknown = true,
                Some(name) => names.names.push(name),
                None => names.names.push(node.source_text()),
            }
        }
    }
    names
}

fn unknown(notify: &Node, names: &Names<'_>, play: &Play) -> Option<Diagnostic> {
    let name = notify.as_str().filter(|name| !has_template(name))?;
    if names.names.contains(&name) {
        return None;
    }
    let help = match suggest(name, names.names.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if names.names.is_empty() => {
            "add it under `handlers:` of this play, which has none".to_owned()
        }
        None => format!(
            "add it under `handlers:` of this play; there are: {}",
            names.names.join(", ")
        ),
    };
    let mut diagnostic = Diagnostic::error(
        &notify.span,
        format!("there is no handler `{name}` in this play"),
    );
    if let Some(name) = &play.name {
        diagnostic = diagnostic.label(&name.span, "the play");
    }
    Some(
        diagnostic
            .note("a handler is found by its `name` or by a `listen`, letter by letter")
            .help(help),
    )
}

/// Of handlers with the same name only the last can be notified.
fn twice<'a>(handlers: impl Iterator<Item = &'a Item>, found: &mut Vec<Diagnostic>) {
    let mut known: Vec<&Node> = Vec::new();
    for name in handlers.filter_map(|handler| handler.task.name.as_ref()) {
        if let Some(first) = known.iter().find(|first| first.value == name.value) {
            found.push(
                Diagnostic::warning(&first.span, "a later handler has the same name")
                    .label(&name.span, "this one is run")
                    .note("of handlers with one name only the last is run, as in Ansible")
                    .help("rename one of them; let both `listen` to one name to run both"),
            );
        }
        known.push(name);
    }
}
