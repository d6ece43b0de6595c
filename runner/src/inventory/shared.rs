//! What all inventory formats do alike when they name a host or set a variable.

use super::model::{Inventory, MOST_MEMBERS, Origin, set};
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
        inventory.warn(warning.help("use the variable ansible_port, once"));
    }
}

/// A longer name is no group's: the bound that the names of hosts have.
const LONGEST: usize = 500;

/// Refuses what can be no group's name.
pub(super) fn group_name(name: &str, span: &Span) -> Result<(), Diagnostic> {
    if name.len() <= LONGEST {
        return Ok(());
    }
    let message = format!("a name of a group of more than {LONGEST} bytes");
    Err(Diagnostic::error(span, message).help("is a line break missing?"))
}

/// What the variables of ranges may take, in bytes: each host of a range has its own.
const MOST_COPIED: usize = 64 << 20;

/// How many hosts an inventory may have.
const MOST_HOSTS: usize = 200_000;

/// What a value takes beside its text.
const NODE: usize = 100;

/// What a host of a range takes: its variables, and its name, which is kept about four times.
pub(super) fn weight(names: &[String], variables: usize) -> usize {
    variables.saturating_add(4 * names.iter().map(String::len).max().unwrap_or(0))
}

/// What a variable takes, about. Not what is written of it: an alias is written in two bytes, and a merge
/// key in four.
pub(super) fn size_of(name: &str, value: &Node) -> usize {
    NODE + name.len() + size(value)
}

/// The same for a variable with a text for a value.
pub(super) fn size_of_text(name: &str, value: &str) -> usize {
    2 * NODE + name.len() + value.len()
}

fn size(node: &Node) -> usize {
    NODE + match &node.value {
        Value::String(text) => text.len(),
        Value::Sequence(items) => items.iter().map(size).sum(),
        Value::Mapping(entries) => entries
            .iter()
            .map(|(key, value)| size(key) + size(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
    }
}

/// Refuses these hosts, each with `size` bytes of variables, where that is too much.
///
/// After that nothing more is to be read.
pub(super) fn room(
    inventory: &mut Inventory,
    names: &[impl AsRef<str>],
    size: usize,
    span: &Span,
) -> Result<(), Diagnostic> {
    let room = is_room(inventory, names, size, span);
    inventory.full |= room.is_err();
    room
}

fn is_room(
    inventory: &mut Inventory,
    names: &[impl AsRef<str>],
    size: usize,
    span: &Span,
) -> Result<(), Diagnostic> {
    let hosts = names.len();
    let known = |name: &&str| inventory.hosts.contains_key(*name);
    let new = names.iter().map(AsRef::as_ref).filter(|name| !known(name));
    if inventory.hosts.len() + new.count() > MOST_HOSTS {
        let message = format!("an inventory of more than {MOST_HOSTS} hosts");
        return Err(Diagnostic::error(span, message)
            .help("check the ends of ranges, and whether this is an inventory at all"));
    }
    inventory.named = inventory.named.saturating_add(hosts);
    if inventory.named > MOST_MEMBERS {
        let message = format!("the groups name more than {MOST_MEMBERS} hosts");
        return Err(Diagnostic::error(span, message)
            .note(format!(
                "there are {} hosts; one counts once for each group that names it",
                inventory.hosts.len()
            ))
            .help("name a host in few groups, and those as children of others"));
    }
    let copies = hosts.saturating_sub(1).saturating_mul(size);
    inventory.copied = inventory.copied.saturating_add(copies);
    if inventory.copied <= MOST_COPIED {
        return Ok(());
    }
    let message = format!(
        "the names and variables of ranges of hosts are more than {} MiB",
        MOST_COPIED >> 20
    );
    Err(Diagnostic::error(span, message)
        .note(format!(
            "this range has {hosts} hosts, and each has variables of its own"
        ))
        .help("give the variables to a group"))
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
