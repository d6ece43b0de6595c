//! Reads a YAML inventory: groups with `hosts`, `children` and `vars`, from `all` or any other group
//! down.

use crate::yaml::{Diagnostic, Mapping, Node, did_you_mean};

use super::model::{Inventory, MOST_TOLD, Origin};
use super::{range, shared};

const SECTIONS: [&str; 3] = ["hosts", "children", "vars"];

/// Adds what a document says to `inventory`.
pub(super) fn read(
    document: &Node,
    origin: &Origin,
    inventory: &mut Inventory,
) -> Result<(), Vec<Diagnostic>> {
    let mut reader = Reader {
        origin,
        inventory,
        errors: Vec::new(),
    };
    match document.as_mapping() {
        Some(groups) => reader.document(groups),
        None if document.is_null() => reader.errors.push(
            Diagnostic::error(&document.span, "this inventory is empty")
                .help("write groups, as in `all: {hosts: {web1: }}`"),
        ),
        None => reader.errors.push(
            Diagnostic::error(
                &document.span,
                format!(
                    "a YAML inventory is a mapping of groups, but this is {}",
                    document.kind()
                ),
            )
            .help("begin with `all:`, and write `hosts:` and `children:` below it"),
        ),
    }
    if reader.errors.is_empty() {
        Ok(())
    } else {
        Err(reader.errors)
    }
}

struct Reader<'a> {
    origin: &'a Origin,
    inventory: &'a mut Inventory,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Keeps an error, unless there are more than anybody reads.
    fn wrong(&mut self, error: Diagnostic) {
        if self.errors.len() < MOST_TOLD {
            self.errors.push(error);
        }
    }

    fn document(&mut self, groups: &Mapping) {
        if let Some((key, _)) = groups.entry("plugin") {
            self.wrong(
                Diagnostic::error(&key.span, "Windlass has no inventory plugins")
                    .note("this file is the configuration of one of Ansible's")
                    .help(
                        "use an executable that prints the inventory as JSON, or save the plugin's \
                           result with `ansible-inventory --list --export --yaml`",
                    ),
            );
            return;
        }
        for (key, value) in groups.iter() {
            if let (Some(section @ ("hosts" | "vars" | "children")), Some(_)) =
                (key.as_str(), value.as_mapping())
            {
                self.wrong(
                    Diagnostic::error(&key.span, format!("`{section}` is in no group"))
                        .note("the outermost names of a YAML inventory are groups")
                        .help("write it below `all:`, or another group"),
                );
                continue;
            }
            self.group(key, value);
        }
    }

    /// Reads a group; gives its name.
    fn group(&mut self, key: &Node, value: &Node) -> Option<String> {
        let name = self.group_name(key)?;
        self.inventory.add_group(&name, Some(&key.span));
        if value.is_null() {
            return Some(name);
        }
        let Some(sections) = value.as_mapping() else {
            self.wrong(
                Diagnostic::error(
                    &value.span,
                    format!(
                        "group `{name}` must be a mapping, but this is {}",
                        value.kind()
                    ),
                )
                .help("a group has `hosts`, `children` and `vars`"),
            );
            return Some(name);
        };
        for (key, value) in sections.iter() {
            match key.as_str() {
                Some("hosts") => self.hosts(&name, value),
                Some("children") => self.children(&name, value),
                Some("vars") => self.vars(&name, value),
                _ => self.unknown_section(&name, key),
            }
        }
        Some(name)
    }

    fn unknown_section(&mut self, group: &str, key: &Node) {
        let name = key.source_text();
        let help = did_you_mean(name, SECTIONS).unwrap_or_else(|| {
            "put a host under `hosts`, a group under `children`, a variable under `vars`".to_owned()
        });
        self.wrong(
            Diagnostic::error(&key.span, format!("group `{group}` cannot have `{name}`"))
                .note("a group has `hosts`, `children` and `vars`")
                .help(help),
        );
    }

    fn group_name(&mut self, key: &Node) -> Option<String> {
        let name = self.name(key, "a group")?;
        match shared::group_name(&name, &key.span) {
            Ok(()) => Some(name),
            Err(error) => {
                self.wrong(error);
                None
            }
        }
    }

    fn name(&mut self, key: &Node, what: &str) -> Option<String> {
        let name = key.as_str().filter(|name| !name.is_empty());
        if name.is_none() {
            let message = if key.as_str().is_some() {
                format!("{what} without a name")
            } else {
                format!(
                    "the name of {what} must be text, but this is {}",
                    key.kind()
                )
            };
            self.wrong(Diagnostic::error(&key.span, message).help("write its name, in quotes"));
        }
        name.map(str::to_owned)
    }

    /// The entries of a section. One name alone may stand for a mapping.
    fn entries<'n>(
        &mut self,
        group: &str,
        section: &str,
        value: &'n Node,
    ) -> Vec<(&'n Node, Option<&'n Node>)> {
        if let Some(mapping) = value.as_mapping() {
            return mapping
                .iter()
                .map(|(key, value)| (key, Some(value)))
                .collect();
        }
        if value.is_null() {
            return Vec::new();
        }
        if value.as_str().is_some() && section != "vars" {
            return vec![(value, None)];
        }
        let mut error = Diagnostic::error(
            &value.span,
            format!(
                "`{section}` of group `{group}` must be a mapping, but this is {}",
                value.kind()
            ),
        );
        error = match value.as_sequence() {
            Some(_) if section == "vars" => error.help("write `name: value`, without the `-`"),
            Some(_) => {
                error.help("write each name followed by a colon, as in `web1:`, without the `-`")
            }
            None => error.help("write one name a line, each followed by a colon"),
        };
        self.wrong(error);
        Vec::new()
    }

    fn vars(&mut self, group: &str, value: &Node) {
        for (key, value) in self.entries(group, "vars", value) {
            let (Some(name), Some(value)) = (self.name(key, "a variable"), value) else {
                continue;
            };
            self.warn_of_name(&name, key);
            let result = shared::set_group_variable(self.inventory, group, &name, value.clone());
            if let Err(error) = result {
                self.wrong(error);
            }
        }
    }

    fn warn_of_name(&mut self, name: &str, key: &Node) {
        if !shared::is_name(name) {
            self.inventory.warn(
                Diagnostic::warning(
                    &key.span,
                    format!("no template can name the variable `{name}`"),
                )
                .note("names have letters, digits and `_`, and do not begin with a digit")
                .help("rename it"),
            );
        }
    }

    fn children(&mut self, group: &str, value: &Node) {
        for (key, value) in self.entries(group, "children", value) {
            let child = match value {
                Some(value) => self.group(key, value),
                None => self.group_name(key),
            };
            let Some(child) = child else {
                continue;
            };
            self.inventory.add_group(&child, Some(&key.span));
            let result = self.inventory.add_child(group, &child, &key.span);
            if let Err(error) = result {
                self.wrong(error);
            }
        }
    }

    fn hosts(&mut self, group: &str, value: &Node) {
        for (key, value) in self.entries(group, "hosts", value) {
            if let Err(error) = self.host(group, key, value) {
                self.wrong(error);
            }
            if self.inventory.full || self.errors.len() >= MOST_TOLD {
                return;
            }
        }
    }

    fn host(&mut self, group: &str, key: &Node, value: Option<&Node>) -> Result<(), Diagnostic> {
        let Some(pattern) = self.name(key, "a host") else {
            return Ok(());
        };
        let (hosts, port) = range::expand(&pattern).map_err(|wrong| {
            let span = key.inside(wrong.range.start, wrong.range.end);
            Diagnostic::error(&span, wrong.message).help(wrong.help)
        })?;
        let nothing = Mapping::default();
        let variables = match value {
            Some(value) if !value.is_null() => value.as_mapping().ok_or_else(|| {
                Diagnostic::error(
                    &value.span,
                    format!(
                        "the variables of host `{pattern}` must be a mapping, but this is {}",
                        value.kind()
                    ),
                )
                .help("write `name: value`, one variable a line, indented below the host")
            })?,
            _ => &nothing,
        };
        let mut named = Vec::new();
        for (key, value) in variables.iter() {
            if let Some(name) = self.name(key, "a variable") {
                self.warn_of_name(&name, key);
                named.push((name, value));
            }
        }
        let size = named.iter();
        let size = size.map(|(name, value)| shared::size_of(name, value));
        let size = shared::weight(&hosts, size.sum());
        shared::room(self.inventory, &hosts, size, &key.span)?;
        for host in hosts {
            shared::add_host(self.inventory, &host, group, port, self.origin, &key.span);
            for (name, value) in &named {
                shared::set_host_variable(self.inventory, &host, name, (*value).clone());
            }
        }
        Ok(())
    }
}
