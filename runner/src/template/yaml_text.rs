//! Values as YAML text, laid out as `PyYAML` does: the same quotes, folds and indentation.

use minijinja::Value;
use minijinja::value::ValueKind;

use super::budget::fits;
use super::error::TemplateError;
use super::eval::{entries, items, order};
use super::python;
use super::yaml_layout::{Writer, YamlLayout};
use super::yaml_scalar::{self, TextStyle};

type Result<T> = std::result::Result<T, TemplateError>;

/// A value as a document.
pub(super) fn write(value: &Value, layout: &YamlLayout) -> Result<String> {
    let mut writer = Writer {
        out: String::new(),
        layout,
    };
    if layout.explicit_start {
        writer.out.push_str("---");
        if !writer.in_block(value) {
            writer.out.push(' ');
        }
    }
    writer.node(
        value,
        NodePosition {
            indent: None,
            inside: Inside::Document,
        },
        0,
    )?;
    writer.out.push('\n');
    if layout.explicit_end {
        writer.out.push_str("...\n");
    }
    Ok(writer.out)
}

/// What a node stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Document,
    /// After `key:`.
    Mapping,
    /// After `-`.
    Sequence,
    /// In brackets.
    Flow,
    /// Before `:`.
    Key,
}

/// Where a node stands: how far what holds it is indented.
#[derive(Clone, Copy)]
struct NodePosition {
    indent: Option<usize>,
    inside: Inside,
}

impl Writer<'_> {
    /// Whether a value is written over several lines rather than in one.
    fn in_block(&self, value: &Value) -> bool {
        let members: Vec<Value> = match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => items(value).unwrap_or_default(),
            ValueKind::Map => entries(value)
                .unwrap_or_default()
                .into_iter()
                .flat_map(|(key, value)| [key, value])
                .collect(),
            _ => return false,
        };
        let is_scalar = |value: &Value| {
            !matches!(
                value.kind(),
                ValueKind::Seq | ValueKind::Iterable | ValueKind::Map
            )
        };
        !members.is_empty()
            && !self
                .layout
                .flow
                .unwrap_or_else(|| members.iter().all(is_scalar))
    }

    fn node(&mut self, value: &Value, place: NodePosition, depth: usize) -> Result<()> {
        fits(Some(self.out.len()))?;
        if depth > 100 {
            return Err(TemplateError::new("the value nests too deeply for YAML"));
        }
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                let list = items(value)?;
                if place.inside == Inside::Flow || !self.in_block(value) {
                    self.flow_sequence(&list, place, depth)
                } else {
                    self.block_sequence(&list, place, depth)
                }
            }
            ValueKind::Map => {
                let pairs = self.pairs(value);
                if place.inside == Inside::Flow || !self.in_block(value) {
                    self.flow_mapping(&pairs, place, depth)
                } else {
                    self.block_mapping(&pairs, place, depth)
                }
            }
            _ => {
                self.scalar(value, place);
                Ok(())
            }
        }
    }

    fn pairs(&self, value: &Value) -> Vec<(Value, Value)> {
        let mut pairs = entries(value).unwrap_or_default();
        let mut comparable = true;
        if self.layout.sort_keys {
            let unsorted = pairs.clone();
            pairs.sort_by(|left, right| {
                order(&left.0, &right.0, "<")
                    .ok()
                    .flatten()
                    .unwrap_or_else(|| {
                        comparable = false;
                        std::cmp::Ordering::Equal
                    })
            });
            if !comparable {
                return unsorted;
            }
        }
        pairs
    }

    fn deeper(&self, place: NodePosition) -> usize {
        place.indent.map_or(0, |indent| indent + self.layout.indent)
    }

    fn block_sequence(&mut self, list: &[Value], place: NodePosition, depth: usize) -> Result<()> {
        // A list after a key is not moved in.
        let indent = match place.inside {
            Inside::Mapping => place.indent.unwrap_or(0),
            _ => self.deeper(place),
        };
        for (index, item) in list.iter().enumerate() {
            if index > 0 || place.inside != Inside::Document || self.layout.explicit_start {
                self.fresh_line(indent);
            }
            self.out.push('-');
            if !self.in_block(item) {
                self.out.push(' ');
            }
            self.node(
                item,
                NodePosition {
                    indent: Some(indent),
                    inside: Inside::Sequence,
                },
                depth + 1,
            )?;
        }
        Ok(())
    }

    fn block_mapping(
        &mut self,
        pairs: &[(Value, Value)],
        place: NodePosition,
        depth: usize,
    ) -> Result<()> {
        let indent = self.deeper(place);
        for (index, (key, value)) in pairs.iter().enumerate() {
            if index > 0 || place.inside != Inside::Document || self.layout.explicit_start {
                self.fresh_line(indent);
            }
            let here = NodePosition {
                indent: Some(indent),
                inside: Inside::Mapping,
            };
            if is_simple_key(key) {
                self.scalar(
                    key,
                    NodePosition {
                        inside: Inside::Key,
                        ..here
                    },
                );
            } else {
                self.out.push_str("? ");
                self.node(key, here, depth + 1)?;
                self.fresh_line(indent);
            }
            self.out.push(':');
            if !self.in_block(value) {
                self.out.push(' ');
            }
            self.node(value, here, depth + 1)?;
        }
        Ok(())
    }

    /// What separates two members in brackets: a line break once the line is full.
    fn flow_separator(&mut self, index: usize, indent: usize) {
        if index > 0 {
            self.out.push(',');
        }
        if self.column() > self.layout.width {
            self.fresh_line(indent);
        } else if index > 0 {
            self.out.push(' ');
        }
    }

    fn flow_sequence(&mut self, list: &[Value], place: NodePosition, depth: usize) -> Result<()> {
        let indent = place.indent.unwrap_or(0) + self.layout.indent;
        self.out.push('[');
        for (index, item) in list.iter().enumerate() {
            self.flow_separator(index, indent);
            self.node(
                item,
                NodePosition {
                    indent: Some(indent),
                    inside: Inside::Flow,
                },
                depth + 1,
            )?;
        }
        self.out.push(']');
        Ok(())
    }

    fn flow_mapping(
        &mut self,
        pairs: &[(Value, Value)],
        place: NodePosition,
        depth: usize,
    ) -> Result<()> {
        let indent = place.indent.unwrap_or(0) + self.layout.indent;
        let here = NodePosition {
            indent: Some(indent),
            inside: Inside::Flow,
        };
        self.out.push('{');
        for (index, (key, value)) in pairs.iter().enumerate() {
            self.flow_separator(index, indent);
            self.node(key, here, depth + 1)?;
            self.out.push_str(": ");
            self.node(value, here, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn scalar(&mut self, value: &Value, place: NodePosition) {
        let Some(text) = value.as_str() else {
            self.out.push_str(&plain(value));
            return;
        };
        let indent = place.indent.unwrap_or(0) + self.layout.indent;
        let key = place.inside == Inside::Key;
        let flow = place.inside == Inside::Flow;
        let form = yaml_scalar::form(text, flow, key, self.layout);
        match form {
            TextStyle::Plain => yaml_scalar::plain(self, text, indent, !key),
            TextStyle::Single => yaml_scalar::single(self, text, indent, !key),
            TextStyle::Double => yaml_scalar::double(self, text, indent, !key),
            TextStyle::Literal => yaml_scalar::literal(self, text, indent),
        }
    }
}

/// Whether a key can stand before its colon on one line.
fn is_simple_key(key: &Value) -> bool {
    match key.as_str() {
        Some(text) => text.len() <= 128 && !text.contains('\n'),
        None => !matches!(
            key.kind(),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map
        ),
    }
}

/// A scalar that is no text.
fn plain(value: &Value) -> String {
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => "null".to_owned(),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::Number if !value.is_integer() => match python::repr(value).as_str() {
            "nan" => ".nan".to_owned(),
            "inf" => ".inf".to_owned(),
            "-inf" => "-.inf".to_owned(),
            text => match text.split_once('e') {
                Some((digits, power)) if !digits.contains('.') => format!("{digits}.0e{power}"),
                _ => text.to_owned(),
            },
        },
        _ => python::string(value),
    }
}
