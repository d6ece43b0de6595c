//! What all inventory formats do alike when they name a host or set a variable.

use super::model::{Inventory, Origin, set};
use crate::yaml::{Diagnostic, Node, Span, Value};

/// Adds a host to a group. A port is the variable `ansible_port`; the first port a host is given
/// counts.
pub(super) fn add_host(
    inventory: &mut Inventory,
    name: &str,
    group: &str,
    port: Option<u16>,
    origin: &Origin,
    span: &Span,
) {
    let known = inventory.hosts.contains_key(name);
    let host = inventory.add_host(name, group, origin, Some(span));
    let Some(port) = port else {
        return;
    };
    if !known {
        let node = Node::new(span.clone(), Value::Int(i64::from(port)));
        set(&mut host.vars, "ansible_port", node);
        return;
    }
    let first = host.vars.get("ansible_port");
    let same = first
        .is_some_and(|node| matches!(node.value, Value::Int(first) if first == i64::from(port)));
    if !same {
        let mut warning = Diagnostic::warning(
            span,
            format!(
                "the port {port} of `{name}` is left out: the host is already known without it"
            ),
        )
        .note("a port counts where a host is named for the first time");
        if let Some(first) = &host.span {
            warning = warning.label(first, "named here first");
        }
        inventory
            .warnings
            .push(warning.help("use the variable ansible_port, once"));
    }
}

/// Sets a variable of a known host.
pub(super) fn set_host_variable(inventory: &mut Inventory, host: &str, name: &str, value: Node) {
    if let Some(host) = inventory.hosts.get_mut(host) {
        set(&mut host.vars, name, value);
    }
}

/// Sets a variable of a known group. `ansible_group_priority` is not a variable but a number that
/// orders groups of the same depth.
pub(super) fn set_group_variable(
    inventory: &mut Inventory,
    group: &str,
    name: &str,
    value: Node,
) -> Result<(), Diagnostic> {
    let group = inventory.add_group(group, None);
    if name != "ansible_group_priority" {
        set(&mut group.vars, name, value);
        return Ok(());
    }
    let number = match &value.value {
        Value::Int(number) => Some(*number),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    group.priority = number.ok_or_else(|| {
        Diagnostic::error(&value.span, "ansible_group_priority must be a whole number")
            .help("groups of the same depth are ordered by it; the highest wins; 1 when not said")
    })?;
    Ok(())
}

/// Whether a template can name a variable so.
pub(super) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|char| char.is_alphanumeric() || char == '_')
}
