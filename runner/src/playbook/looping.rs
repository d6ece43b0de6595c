//! Reads `loop`, `with_*` and `loop_control`.

use super::keywords;
use super::keywords::is_identifier;
use super::model::{Keyword, LoopControl, LoopSource};
use super::reader::{self, Reader, describe, is_template};
use crate::yaml::{Diagnostic, Mapping, Node, Value};

impl Reader<'_> {
    /// Where the items come from, if the task loops.
    pub(super) fn looping(&mut self, mapping: &Mapping) -> Option<LoopSource> {
        let mut sources = mapping.iter().filter_map(|(key, node)| {
            let name = key.as_str()?;
            let lookup = name.strip_prefix("with_");
            (name == "loop" || lookup.is_some()).then_some((key, lookup, node))
        });
        let (key, lookup, node) = sources.next()?;
        if let Some((second, ..)) = sources.next() {
            self.error(
                Diagnostic::error(&second.span, "a second loop in one task")
                    .label(&key.span, "the first")
                    .note("a task goes through one list")
                    .help(
                        "use one of them; for lists in lists combine them with a filter, \
                         as `product`",
                    ),
            );
        }
        let name = key.source_text();
        match (&node.value, lookup) {
            (Value::Null, _) => {
                self.error(
                    Diagnostic::error(&key.span, format!("`{name}` has no items"))
                        .help(format!("write a list after `{name}:`, or leave it out")),
                );
            }
            (Value::Sequence(_), _) | (_, Some(_)) => {}
            (Value::String(_), None) if is_template(node) => {}
            (Value::Mapping(_), None) => {
                self.error(
                    Diagnostic::error(&node.span, "`loop` must be a list, but this is a mapping")
                        .help("go through its entries with `with_dict`, or with `loop: \"{{ NAME | dict2items }}\"`"),
                );
            }
            (_, None) => {
                let message = format!("`loop` must be a list, but this is {}", describe(node));
                let help = match node.as_str().filter(|text| is_identifier(text)) {
                    Some(name) => {
                        format!("if it is a variable's name: `loop: \"{{{{ {name} }}}}\"`")
                    }
                    None => "write a list, or a template that gives one".to_owned(),
                };
                self.error(Diagnostic::error(&node.span, message).help(help));
            }
        }
        Some(LoopSource {
            lookup: lookup.map(str::to_owned),
            items: node.clone(),
        })
    }

    /// `loop_control`.
    pub(super) fn loop_control(&mut self, mapping: &Mapping) -> LoopControl {
        let Some((key, node)) = mapping.entry("loop_control") else {
            return LoopControl::default();
        };
        let Some(control) = node.as_mapping() else {
            if !node.is_null() {
                self.wrong("loop_control", node, "a mapping");
            }
            return LoopControl::default();
        };
        let loops = |(key, _): (&Node, &Node)| {
            let name = key.as_str().unwrap_or_default();
            name == "loop" || name.starts_with("with_")
        };
        if !mapping.iter().any(loops) {
            self.error(
                Diagnostic::error(&key.span, "`loop_control` without a loop")
                    .help("add a `loop`, or remove it"),
            );
        }
        self.only(control, "loop_control", keywords::LOOP_CONTROL);
        let extended = match self.flag(control, "extended") {
            Some(Keyword::Known(flag, _)) => flag,
            Some(Keyword::Template(node)) => {
                self.wrong("extended", &node, "true or false, and not a template");
                false
            }
            None => false,
        };
        LoopControl {
            loop_var: self.variable(control, "loop_var").map(|(name, _)| name),
            index_var: self.variable(control, "index_var").map(|(name, _)| name),
            label: Self::given(control, "label").cloned(),
            pause: self.keyword(control, "pause", "a number of seconds", reader::float),
            extended,
            break_when: self.conditions(control, "break_when"),
        }
    }

    /// The name of a variable that a task sets.
    pub(super) fn variable(
        &mut self,
        mapping: &Mapping,
        key: &str,
    ) -> Option<(String, crate::yaml::Span)> {
        let node = Self::given(mapping, key)?;
        let name = reader::scalar(node).unwrap_or_default();
        if is_identifier(&name) {
            return Some((name, node.span.clone()));
        }
        let error = if is_template(node) {
            Diagnostic::error(
                &node.span,
                format!("`{key}` is a name, and cannot be a template"),
            )
            .help("write the variable's name itself, without `{{ }}`")
        } else {
            let shown = node.source_text();
            let suggested: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            let error =
                Diagnostic::error(&node.span, format!("`{shown}` cannot be a variable's name"))
                    .note("a name has letters, digits and `_`, and begins with no digit");
            if is_identifier(&suggested) {
                error.help(format!("write `{key}: {suggested}`, for example"))
            } else {
                error.help(format!("write another name after `{key}:`"))
            }
        };
        self.error(error);
        None
    }
}
