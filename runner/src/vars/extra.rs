//! `-e`: variables of the command line.

use std::path::Path;
use std::sync::Arc;

use super::files;
use crate::yaml::{self, Diagnostic, Mapping, Node, Severity, Source, Span, Style, Value};

/// Reads what was given with `-e`, in order; later ones win. Each is `name=value …`, YAML or JSON
/// in braces, or `@FILE`.
pub fn extra(arguments: &[String]) -> Result<Mapping, Vec<Diagnostic>> {
    let mut all = Mapping::default();
    for argument in arguments {
        let mapping = one(argument)?;
        for (key, value) in mapping.entries {
            all.entries
                .retain(|(known, _)| known.as_str() != key.as_str());
            all.entries.push((key, value));
        }
    }
    Ok(all)
}

fn one(argument: &str) -> Result<Mapping, Vec<Diagnostic>> {
    let source = Source::named("--extra-vars", argument);
    let whole = Span::new(&source, 0, argument.len());
    if let Some(path) = argument.strip_prefix('@') {
        let node = files::read(Path::new(path)).map_err(|error| vec![error.diagnostic()])?;
        return Ok(node.as_mapping().cloned().unwrap_or_default());
    }
    if argument.trim_start().starts_with(['{', '[']) || argument.contains(": ") {
        let documents = yaml::parse(&source)?;
        return match documents.first().map(|node| node.as_mapping()) {
            Some(Some(mapping)) => Ok(mapping.clone()),
            _ => Err(vec![
                Diagnostic::error(
                    &whole,
                    "extra variables must be a mapping of names and values",
                )
                .help("write `-e name=value`, or `-e '{\"name\": \"value\"}'`"),
            ]),
        };
    }
    pairs(argument, &source, &whole)
}

/// `name=value name="another value"`: values are strings, as in Ansible.
fn pairs(argument: &str, source: &Arc<Source>, whole: &Span) -> Result<Mapping, Vec<Diagnostic>> {
    let words = shlex::split(argument).ok_or_else(|| {
        vec![
            Diagnostic::error(whole, "a quote is not closed")
                .help("close it, or quote it once more for your shell"),
        ]
    })?;
    let mut mapping = Mapping::default();
    for word in words {
        let Some((name, value)) = word.split_once('=') else {
            return Err(vec![
                Diagnostic::error(whole, format!("`{word}` is no `name=value`"))
                    .help("write `-e name=value`, `-e '{\"name\": \"value\"}'` or `-e @FILE`"),
            ]);
        };
        if name.is_empty() {
            return Err(vec![Diagnostic::new(
                Severity::Error,
                format!("`{word}` has no name"),
            )]);
        }
        let at = argument.find(name).unwrap_or(0);
        let span = Span::new(source, at, (at + word.len()).min(argument.len()));
        mapping
            .entries
            .push((text(&span, name), text(&span, value)));
    }
    Ok(mapping)
}

fn text(span: &Span, text: &str) -> Node {
    Node {
        span: span.clone(),
        tag: None,
        style: Style::Plain,
        value: Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(arguments: &[&str], name: &str) -> Option<Value> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        extra(&arguments)
            .unwrap()
            .get(name)
            .map(|node| node.value.clone())
    }

    #[test]
    fn pairs_are_strings_and_braces_are_yaml() {
        assert_eq!(get(&["a=1 b='x y'"], "a"), Some(Value::String("1".into())));
        assert_eq!(
            get(&["a=1 b='x y'"], "b"),
            Some(Value::String("x y".into()))
        );
        assert_eq!(get(&[r#"{"a": 1}"#], "a"), Some(Value::Int(1)));
        assert_eq!(get(&["a: yes"], "a"), Some(Value::Bool(true)));
    }

    #[test]
    fn later_ones_win() {
        assert_eq!(get(&["a=1", "a=2"], "a"), Some(Value::String("2".into())));
    }

    #[test]
    fn a_word_without_a_value_is_refused() {
        let error = extra(&["oops".into()]).unwrap_err();
        assert!(error[0].message.contains("`oops`"));
    }
}
