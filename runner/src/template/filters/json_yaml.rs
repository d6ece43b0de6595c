//! JSON and YAML, in and out.

use std::fmt::Write as _;

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::template::budget::{ITEM, MOST_MADE, fits, too_much};
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, entries, items};
use crate::template::json::{from_json, key_text, to_json};
use crate::template::python;
use crate::template::render::finished;
use crate::template::special::List;
use crate::template::yaml_layout::YamlLayout;
use crate::template::yaml_text;
use crate::yaml::{self, Node, Source};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!(
        "to_json",
        to_json_text,
        1,
        ["indent", "sort_keys", "ensure_ascii", "separators", "**"]
    ),
    filter!(
        "to_nice_json",
        to_nice_json,
        1,
        ["indent", "sort_keys", "ensure_ascii", "separators", "**"]
    ),
    filter!("tojson", tojson, 1, ["indent"]),
    filter!("from_json", parse_json, 1, ["profile", "**"]),
    filter!("to_yaml", to_yaml, 1, ["indent", "*", "**"]),
    filter!("to_nice_yaml", to_nice_yaml, 1, ["indent", "*", "**"]),
    filter!("from_yaml", from_yaml, 1, []),
    filter!("from_yaml_all", from_yaml_all, 1, []),
    filter!("json_query", json_query, 2, ["expr"]),
];

/// A longer query is no query; the library that reads it knows no bounds.
const LONGEST_QUERY: usize = 4000;

/// Takes as much as a template may make.
struct Limited(Vec<u8>);

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_MADE {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How JSON is laid out.
struct Json {
    indent: Option<String>,
    sort_keys: bool,
    ascii: bool,
    item: String,
    key: String,
    /// Whether what HTML gives a meaning to is escaped, as `tojson` does.
    html: bool,
}

impl Json {
    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<()> {
        fits(Some(out.len()))?;
        if depth > 100 {
            return Err(TemplateError::new("the value nests too deeply for JSON"));
        }
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&number(value)),
            ValueKind::Seq | ValueKind::Iterable => {
                self.lines(out, ['[', ']'], items(value)?, depth, |out, item| {
                    self.write(out, &item, depth + 1)
                })?;
            }
            ValueKind::Map => {
                let mut pairs: Vec<(String, Value)> = entries(value)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(key, value)| (key_text(&key), value))
                    .collect();
                if self.sort_keys {
                    pairs.sort_by(|left, right| left.0.cmp(&right.0));
                }
                self.lines(out, ['{', '}'], pairs, depth, |out, (key, value)| {
                    self.text(out, &key)?;
                    out.push_str(&self.key);
                    self.write(out, &value, depth + 1)
                })?;
            }
            _ => self.text(out, &python::string(value))?,
        }
        Ok(())
    }

    fn lines<T>(
        &self,
        out: &mut String,
        [open, close]: [char; 2],
        members: Vec<T>,
        depth: usize,
        mut write: impl FnMut(&mut String, T) -> Result<()>,
    ) -> Result<()> {
        out.push(open);
        let empty = members.is_empty();
        for (index, member) in members.into_iter().enumerate() {
            if index > 0 {
                out.push_str(&self.item);
            }
            self.line_break(out, depth + 1);
            write(out, member)?;
        }
        if !empty {
            self.line_break(out, depth);
        }
        out.push(close);
        Ok(())
    }

    fn line_break(&self, out: &mut String, depth: usize) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn text(&self, out: &mut String, text: &str) -> Result<()> {
        out.push('"');
        for character in text.chars() {
            if out.len() > MOST_MADE {
                return Err(too_much());
            }
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '<' | '>' | '&' | '\'' if self.html => escaped(out, character),
                _ if (character as u32) < 0x20 || (self.ascii && !character.is_ascii()) => {
                    escaped(out, character);
                }
                _ => out.push(character),
            }
        }
        out.push('"');
        Ok(())
    }
}

fn escaped(out: &mut String, character: char) {
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

fn number(value: &Value) -> String {
    match python::repr(value).as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        text => text.to_owned(),
    }
}

fn layout(
    input: &BoundArguments<'_, '_>,
    indent: Option<usize>,
    sort: bool,
    nice: bool,
) -> Result<Json> {
    let indent = match input.get(1) {
        Some(value) if value.is_none() => None,
        Some(value) if value.as_str().is_some() => {
            let indent = input.optional_text(1).unwrap_or_default();
            if indent.len() > 1000 {
                return Err(input.error("indents by at most 1000 characters"));
            }
            Some(indent)
        }
        Some(_) => Some(" ".repeat(usize::try_from(input.int_or(1, 4)?.clamp(0, 64)).unwrap_or(0))),
        None => indent.map(|width| " ".repeat(width)),
    };
    let separators = match input.get(4) {
        Some(pair) if !nice && !pair.is_none() => Some(crate::template::eval::pair(pair)?),
        _ => None,
    };
    let (item, key) = match separators {
        Some((item, key)) => (python::string(&item), python::string(&key)),
        None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        None => (", ".to_owned(), ": ".to_owned()),
    };
    Ok(Json {
        indent,
        sort_keys: input.bool_or(2, sort)?,
        ascii: input.bool_or(3, true)?,
        item,
        key,
        html: false,
    })
}

fn written(input: &BoundArguments<'_, '_>, json: &Json) -> Result {
    let mut out = String::new();
    json.write(&mut out, &finished(input.value(0))?, 0)?;
    input.eval.shared.spend(out.len() / 64)?;
    Ok(out.into())
}

fn to_json_text(input: &mut BoundArguments<'_, '_>) -> Result {
    let json = layout(input, None, false, false)?;
    written(input, &json)
}

fn to_nice_json(input: &mut BoundArguments<'_, '_>) -> Result {
    let mut json = layout(input, Some(4), true, true)?;
    ",".clone_into(&mut json.item);
    written(input, &json)
}

fn tojson(input: &mut BoundArguments<'_, '_>) -> Result {
    let json = Json {
        html: true,
        sort_keys: true,
        ..layout(input, None, true, false)?
    };
    written(input, &json)
}

fn parse_json(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    if value.as_str().is_none() {
        return Err(input.wrong(0, "a string"));
    }
    let text = input.text(0)?;
    fits(json_values(&text).checked_mul(2 * ITEM))?;
    serde_json::from_str(&text)
        .map(|json| from_json(&json))
        .map_err(|error| input.error(format_args!("cannot read this as JSON: {error}")))
}

/// How many values a text of JSON has at most.
fn json_values(text: &str) -> usize {
    let (mut inside, mut escaped, mut count) = (false, false, 1);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b',' | b':' | b'[' | b'{' if !inside => count += 1,
            _ => {}
        }
    }
    count
}

/// A named option of the YAML writers.
fn option<'i>(input: &'i BoundArguments<'_, '_>, name: &str) -> Option<&'i Value> {
    input
        .named
        .iter()
        .find(|(given, _)| &**given == name)
        .map(|(_, value)| value)
}

fn yaml_layout(
    input: &BoundArguments<'_, '_>,
    indent: usize,
    flow: Option<bool>,
) -> Result<YamlLayout> {
    let number = |name: &str| option(input, name).and_then(Value::as_usize);
    let truth = |name: &str| {
        option(input, name)
            .filter(|value| !value.is_none())
            .map(Value::is_true)
    };
    let indent = match input.get(1) {
        Some(value) if !value.is_none() => usize::try_from(input.int_or(1, 2)?).unwrap_or(2),
        _ => indent,
    };
    Ok(YamlLayout {
        indent: if (2..10).contains(&indent) { indent } else { 2 },
        width: number("width")
            .filter(|width| *width > indent * 2)
            .unwrap_or(80),
        flow: truth("default_flow_style").or(flow),
        sort_keys: truth("sort_keys").unwrap_or(true),
        explicit_start: truth("explicit_start").unwrap_or(false),
        explicit_end: truth("explicit_end").unwrap_or(false),
        literal: option(input, "default_style").and_then(Value::as_str) == Some("|"),
        unicode: truth("allow_unicode").unwrap_or(true),
    })
}

fn to_yaml(input: &mut BoundArguments<'_, '_>) -> Result {
    let layout = yaml_layout(input, 2, None)?;
    yaml_text::write(&finished(input.value(0))?, &layout).map(Value::from)
}

fn to_nice_yaml(input: &mut BoundArguments<'_, '_>) -> Result {
    let layout = yaml_layout(input, 4, Some(false))?;
    yaml_text::write(&finished(input.value(0))?, &layout).map(Value::from)
}

/// The documents of a YAML text.
pub(in crate::template) fn parse_yaml(text: &str) -> Result<Vec<Value>> {
    let source = Source::named("YAML text", text);
    // A node takes about as much as three items do.
    let documents = yaml::parse_within(&source, MOST_MADE / (3 * ITEM)).map_err(|problems| {
        let what = problems
            .first()
            .map_or("it cannot be read", |problem| problem.message.as_str());
        TemplateError::new(format!("this is not YAML: {what}"))
    })?;
    Ok(documents.iter().map(|node| data(node)).collect())
}

/// A node as data: nothing in it is a template.
fn data(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Sequence(items) => Value::from(items.iter().map(data).collect::<Vec<_>>()),
        yaml::Value::Mapping(mapping) => {
            Value::from_pairs(mapping.iter().map(|(key, value)| (data(key), data(value))))
        }
        scalar => crate::template::render::scalar(scalar),
    }
}

fn from_yaml(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    if value.as_str().is_none() {
        return Ok(value);
    }
    let documents = parse_yaml(&input.text(0)?)?;
    Ok(documents
        .into_iter()
        .next()
        .unwrap_or_else(|| Value::from(())))
}

fn from_yaml_all(input: &mut BoundArguments<'_, '_>) -> Result {
    if input.value(0).is_none() {
        return Ok(List::value(Vec::new()));
    }
    parse_yaml(&input.text(0)?).map(List::value)
}

fn json_query(input: &mut BoundArguments<'_, '_>) -> Result {
    let expression = input.text(1)?;
    if expression.len() > LONGEST_QUERY {
        return Err(input.error(format_args!(
            "takes a query of at most {LONGEST_QUERY} characters"
        )));
    }
    if steps_too_far(&expression) {
        return Err(input.error("takes slices with numbers of at most 9 digits"));
    }
    // The library goes as deep as the query is nested.
    stacker::maybe_grow(64 << 20, 64 << 20, || queried(input, &expression))
}

/// Whether a slice outside of quotes has a number so large that the library, which adds its step to a place in
/// the list, has no room for the sum.
fn steps_too_far(query: &str) -> bool {
    let mut rest = query.chars();
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' | '`' => loop {
                match rest.next() {
                    Some('\\') => {
                        rest.next();
                    }
                    Some(inside) if inside != character => {}
                    _ => break,
                }
            },
            ':' => {
                let number = rest.as_str().trim_start();
                if number.bytes().take_while(u8::is_ascii_digit).count() > 9 {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

fn queried(input: &BoundArguments<'_, '_>, expression: &str) -> Result {
    let query = jmespath::compile(expression).map_err(|error| {
        input.error(format_args!("cannot read '{expression}': {}", error.reason))
    })?;
    let text = to_json(&finished(input.value(0))?).to_string();
    let data = jmespath::Variable::from_json(&text).map_err(|error| input.error(error))?;
    let found = query
        .search(data)
        .map_err(|error| input.error(&error.reason))?;
    let mut text = Limited(Vec::new());
    serde_json::to_writer(&mut text, &*found).map_err(|_| too_much())?;
    let json: serde_json::Value =
        serde_json::from_slice(&text.0).map_err(|error| input.error(error))?;
    Ok(from_json(&json))
}
