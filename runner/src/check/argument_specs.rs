//! The arguments of roles, as far as their values are known before the run: as the role's specification of them wants
//! them.

use serde_json::{Map, Value as Json};
use windlass_modules::argument_spec;

use super::defined::Defined;
use super::given::literal;
use super::item::Item;
use crate::playbook::{Role, TaskAction, VALIDATE};
use crate::yaml::{Diagnostic, Mapping, Node, Severity, suggest};

/// Checks what the task `item` validates, if it is one that a role's specification puts before its tasks. `certain`:
/// the run is sure to reach.
pub(super) fn check(
    item: &Item,
    defined: &Defined<'_>,
    certain: bool,
    found: &mut Vec<Diagnostic>,
) {
    let TaskAction::Module { name, .. } = &item.task.action else {
        return;
    };
    let Some(role) = item.role().filter(|_| name == VALIDATE) else {
        return;
    };
    let Some((entry_point, spec)) = &role.argument_spec else {
        return;
    };
    // A task of the role may validate as well.
    if item.task.span != spec.span {
        return;
    }
    let options = spec.as_mapping().and_then(|spec| spec.get("options"));
    let options = options.and_then(Node::as_mapping);
    for (key, option) in options.into_iter().flat_map(Mapping::iter) {
        let Some(name) = key.as_str() else {
            continue;
        };
        let mut wrong = of_option(role, name, option, defined);
        if let Some(diagnostic) = &mut wrong {
            diagnostic.severity = if certain {
                Severity::Error
            } else {
                Severity::Warning
            };
            *diagnostic = diagnostic
                .clone()
                .label(&key.span, "what the role wants")
                .note(format!(
                    "the entry point `{entry_point}` of the role `{}` validates its arguments before its tasks",
                    role.full_name()
                ));
        }
        found.extend(wrong);
    }
}

/// What is wrong with the values of one option, whichever of them counts.
fn of_option(role: &Role, name: &str, option: &Node, defined: &Defined<'_>) -> Option<Diagnostic> {
    let wanted = literal(option)?;
    let kind = option.as_mapping().and_then(|option| option.get("type"));
    if let Some((node, kind)) = kind.and_then(|node| Some((node, node.as_str()?)))
        && !argument_spec::TYPES.contains(&kind)
    {
        let error = format!("`{kind}` is not a type of an argument");
        let help = match suggest(kind, argument_spec::TYPES.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", argument_spec::TYPES.join(", ")),
        };
        return Some(Diagnostic::error(&node.span, error).help(help));
    }
    let aliases = wanted["aliases"].as_array().cloned().unwrap_or_default();
    let aliases = aliases.iter().filter_map(Json::as_str);
    if aliases
        .clone()
        .any(|alias| role.params.get(alias).is_some() || defined.knows(alias))
    {
        return None;
    }
    let errors = |given: Option<&Json>| {
        let spec = Map::from_iter([(name.to_owned(), wanted.clone())]);
        let given = given.map(|value| (name.to_owned(), value.clone()));
        argument_spec::errors(&spec, &given.into_iter().collect())
    };
    let values = match role.params.get(name) {
        Some(beside) => vec![beside],
        None if defined.knows(name) => defined.literals(name)?.to_vec(),
        None => {
            let error = errors(None).into_iter().next()?;
            return Some(Diagnostic::error(&role.span, error).help(format!(
                "give it beside the role: `{name}: …`, or in `vars:`"
            )));
        }
    };
    let mut first = None;
    for node in values {
        let error = errors(Some(&literal(node)?)).into_iter().next()?;
        first.get_or_insert((node, error));
    }
    let (node, error) = first?;
    Some(
        Diagnostic::error(&node.span, error)
            .label(&role.span, "the role is used here")
            .help("change the value, or the specification"),
    )
}
