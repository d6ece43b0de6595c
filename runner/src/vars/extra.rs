//! `-e`: variables of the command line.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::yaml::{self, Diagnostic, Mapping, Node, Source, Span, Value};
use crate::{inventory, playbook};

/// Reads what was given with `-e`, in order; later ones win. Each is `name=value …`, YAML or JSON
/// in braces, or `@FILE`.
pub fn extra(arguments: &[String]) -> Result<Mapping, Vec<Diagnostic>> {
    let mut all = Mapping::default();
    let mut errors = Vec::new();
    for argument in arguments {
        match one(argument) {
            Ok(mapping) => all.entries.extend(mapping.entries),
            Err(more) => errors.extend(more),
        }
    }
    // The last of each name.
    all.entries.reverse();
    let mut known = HashSet::new();
    (all.entries).retain(|(key, _)| known.insert(key.as_str().map(str::to_owned)));
    all.entries.reverse();
    if errors.is_empty() {
        Ok(all)
    } else {
        Err(errors)
    }
}

fn one(argument: &str) -> Result<Mapping, Vec<Diagnostic>> {
    let source = Source::named("--extra-vars", argument);
    let whole = Span::new(&source, 0, argument.len());
    if let Some(path) = argument.strip_prefix('@') {
        return mapping(&*inventory::load_yaml(Path::new(path))?);
    }
    if argument.starts_with(['/', '.']) {
        return Err(vec![
            Diagnostic::error(&whole, "this looks like the name of a file").help(format!(
                "to read variables from a file, write `-e @{argument}`"
            )),
        ]);
    }
    if argument.trim_start().starts_with(['{', '[']) {
        let documents = yaml::parse(&source)?;
        let empty = Node::new(whole, Value::Null);
        return mapping(documents.first().map_or(&empty, |node| node));
    }
    pairs(argument, &source)
}

fn mapping(node: &Node) -> Result<Mapping, Vec<Diagnostic>> {
    match node.as_mapping() {
        Some(mapping) => Ok(mapping.clone()),
        None if node.is_null() => Ok(Mapping::default()),
        None => Err(vec![
            Diagnostic::error(
                &node.span,
                format!(
                    "extra variables must be a mapping, but this is {}",
                    node.kind()
                ),
            )
            .help("write `-e name=value`, or `-e '{\"name\": \"value\"}'`"),
        ]),
    }
}

/// `name=value name="another value"`: values are strings, as in Ansible.
fn pairs(argument: &str, source: &Arc<Source>) -> Result<Mapping, Vec<Diagnostic>> {
    let span = |range: Range<usize>| Span::new(source, range.start, range.end);
    let words = playbook::pairs(argument).map_err(|unclosed| {
        let span = span(unclosed.0..argument.len());
        let error = Diagnostic::error(&span, "a quote or a template is not closed");
        vec![error.help("close it, or quote it once more for your shell")]
    })?;
    let mut mapping = Mapping::default();
    let mut errors = Vec::new();
    for word in words {
        let Some(key) = word.key else {
            let text = &argument[word.range.clone()];
            let error = Diagnostic::error(
                &span(word.range),
                format!("`{text}` does not have the form `name=value`"),
            );
            errors.push(error.help(
                "write `-e name=value`, `-e '{\"name\": \"value\"}'` or `-e @FILE`; put a value with \
                 spaces in quotes of its own",
            ));
            continue;
        };
        let name = Node::string(span(key.clone()), &argument[key]);
        let value = playbook::unescape(&argument[word.value.clone()]);
        mapping
            .entries
            .push((name, Node::string(span(word.value), value)));
    }
    if errors.is_empty() {
        Ok(mapping)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(arguments: &[&str], name: &str) -> Option<Value> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let all = extra(&arguments).unwrap();
        all.get(name).map(|node| node.value.clone())
    }

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    /// As ansible-core 2.19.14 reads them.
    #[test]
    fn pairs_are_strings_and_braces_are_yaml() {
        assert_eq!(get(&["a=1 b='x y'"], "a"), Some(text("1")));
        assert_eq!(get(&["a=1 b='x y'"], "b"), Some(text("x y")));
        assert_eq!(get(&["m=hello: w=x"], "m"), Some(text("hello:")));
        assert_eq!(
            get(&["t={{ a | default('x y') }} b=2"], "t"),
            Some(text("{{ a | default('x y') }}"))
        );
        assert_eq!(get(&[r"l=a\nb"], "l"), Some(text("a\nb")));
        assert_eq!(get(&[r#"{"a": 1}"#], "a"), Some(Value::Int(1)));
        assert_eq!(get(&["{a: yes}"], "a"), Some(Value::Bool(true)));
    }

    #[test]
    fn later_ones_win_whatever_their_form() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.yml");
        std::fs::write(&path, "a: [3]\nb: 4\n").unwrap();
        let file = format!("@{}", path.display());
        assert_eq!(get(&["a=1", "a=2"], "a"), Some(text("2")));
        assert!(matches!(
            get(&["a=1", &file], "a"),
            Some(Value::Sequence(_))
        ));
        assert_eq!(get(&[&file, "a=1"], "a"), Some(text("1")));
        assert_eq!(get(&[&file, "a=1"], "b"), Some(Value::Int(4)));
    }

    #[test]
    fn what_makes_no_sense_is_told_all_at_once() {
        let arguments =
            ["oops a=1", "./file.yml", "[1]", "a='x", "@/nowhere", ""].map(str::to_owned);
        let errors = extra(&arguments).unwrap_err();
        let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`oops` does not have the form `name=value`",
                "this looks like the name of a file",
                "extra variables must be a mapping, but this is a list",
                "a quote or a template is not closed",
                "cannot read `/nowhere`: it does not exist",
            ]
        );
        assert_eq!(errors[3].labels[0].span.text(), "'x");
    }
}
