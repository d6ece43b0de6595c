//! Handlers that are notified must be there.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexSet;

use super::item::Item;
use crate::playbook::{Play, TaskAction, has_template};
use crate::yaml::{Diagnostic, Node, suggest};

/// The names that the handlers of a play answer to.
#[derive(Debug, Default)]
struct Names<'a> {
    /// `name` and `listen`.
    names: IndexSet<Cow<'a, str>>,
    /// Whether a name is a template, or handlers are in files that are not known yet.
    unknown: bool,
}

/// Checks every literal `notify`.
pub(super) fn check(items: &[Item], found: &mut Vec<Diagnostic>) {
    // The items of a play stand together.
    for of_play in items.chunk_by(|one, next| Arc::ptr_eq(&one.play, &next.play)) {
        let play = &of_play[0].play;
        let of_play = || of_play.iter();
        let mut names = names(of_play().filter(|item| item.handler));
        // The handlers of a role that is not known yet are not known either.
        names.unknown |= of_play().any(|item| match &item.task.action {
            TaskAction::IncludeRole { role, .. } => !role.is_literal(),
            TaskAction::IncludeTasks { file, .. } => file.as_str().is_none_or(has_template),
            _ => false,
        });
        // Those of roles go by the names of their roles as well.
        let own = |item: &&Item| item.handler && item.role().is_none();
        twice(of_play().filter(own), found);
        if names.unknown {
            continue;
        }
        for notify in of_play().flat_map(Item::notify) {
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
                Some(name) => {
                    names.names.insert(name.into());
                    if let Some(role) = handler.role() {
                        let titled = |role: &str| format!("{role} : {name}").into();
                        names.names.insert(titled(&role.name));
                        names.names.insert(titled(&role.full_name()));
                    }
                }
                None => {
                    names.names.insert(node.source_text().into());
                }
            }
        }
    }
    names
}

/// The first names, and how many more there are.
fn listed(names: &IndexSet<Cow<'_, str>>) -> String {
    const SHOWN: usize = 30;
    let mut list: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    let more = format!("and {} more", names.len().saturating_sub(SHOWN));
    if names.len() > SHOWN {
        list.push(&more);
    }
    list.join(", ")
}

fn unknown(notify: &Node, names: &Names<'_>, play: &Play) -> Option<Diagnostic> {
    let name = notify.as_str().filter(|name| !has_template(name))?;
    if names.names.contains(name) {
        return None;
    }
    let help = match suggest(name, names.names.iter().map(AsRef::as_ref)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if names.names.is_empty() => {
            "add it under `handlers:` of this play, which has none".to_owned()
        }
        None => format!(
            "add it under `handlers:` of this play; there are: {}",
            listed(&names.names)
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
    let mut known: HashMap<&str, &Node> = HashMap::new();
    for name in handlers.filter_map(|handler| handler.task.name.as_ref()) {
        let text = name.as_str().unwrap_or_else(|| name.source_text());
        if let Some(first) = known.get(text) {
            found.push(
                Diagnostic::warning(&first.span, "a later handler has the same name")
                    .label(&name.span, "this one is run")
                    .note("of handlers with one name only the last is run, as in Ansible")
                    .help("rename one of them; let both `listen` to one name to run both"),
            );
        }
        known.entry(text).or_insert(name);
    }
}
