//! Whether values are as a specification of arguments wants them: that of a role, in `meta/argument_specs.yml`.
//!
//! The rules are those of ansible-core's `validate_argument_spec`; a value of another type is right where it can be
//! read as the one that is wanted.

use serde_json::{Map, Value};

use crate::args::{Flag, describe, scalar_text};

/// The types that there are.
pub const TYPES: &[&str] = &[
    "bits", "bool", "bytes", "dict", "float", "int", "json", "jsonarg", "list", "path", "raw",
    "str",
];

/// Everything wrong with the values of `given`, each in a sentence. `spec`: names with what each option wants.
pub fn errors(spec: &Map<String, Value>, given: &Map<String, Value>) -> Vec<String> {
    let mut errors = Vec::new();
    options(spec, given, "", &mut errors);
    errors
}

/// Checks the options of one level; `within` is the path to it, with a dot at its end.
fn options(
    spec: &Map<String, Value>,
    given: &Map<String, Value>,
    within: &str,
    errors: &mut Vec<String>,
) {
    let mut known: Vec<&str> = Vec::new();
    for (name, option) in spec {
        known.push(name);
        let aliases = list(&option["aliases"]);
        let named = std::iter::once(name.as_str()).chain(aliases.iter().copied());
        let value = named.filter_map(|name| given.get(name)).next_back();
        known.extend(aliases);
        match value {
            // Nothing is a value of every type, as in ansible-core.
            Some(Value::Null) => {}
            Some(found) => self::value(&format!("{within}{name}"), option, found, errors),
            None if is(&option["required"]) => {
                errors.push(format!("`{within}{name}` is required, and is not given"));
            }
            None => {}
        }
    }
    for name in given.keys().filter(|name| !known.contains(&name.as_str())) {
        errors.push(format!(
            "there is no argument `{within}{name}`; there are: {}",
            known.join(", ")
        ));
    }
}

/// Checks the value of one option.
fn value(path: &str, option: &Value, found: &Value, errors: &mut Vec<String>) {
    let kind = option["type"].as_str().unwrap_or("str");
    if !TYPES.contains(&kind) {
        errors.push(format!(
            "`{path}` is of the type `{kind}`, and there are: {}",
            TYPES.join(", ")
        ));
        return;
    }
    let Some(read) = converted(kind, found) else {
        errors.push(format!(
            "`{path}` must be {}, but this is {}",
            wanted(kind),
            describe(found)
        ));
        return;
    };
    if let Some(choices) = option["choices"].as_array() {
        let values = read
            .as_array()
            .map_or_else(|| vec![&read], |items| items.iter().collect());
        for value in values {
            if !choices.iter().any(|choice| same(choice, value)) {
                let all: Vec<String> = choices.iter().map(shown).collect();
                errors.push(format!(
                    "`{path}` must be one of: {}; this is {}",
                    all.join(", "),
                    describe(value)
                ));
            }
        }
    }
    let elements = option["elements"].as_str();
    let items = read.as_array().filter(|_| kind == "list");
    if let (Some(items), Some(elements)) = (items, elements) {
        for (index, item) in items.iter().enumerate() {
            if converted(elements, item).is_none() {
                errors.push(format!(
                    "item {} of `{path}` must be {}, but this is {}",
                    index + 1,
                    wanted(elements),
                    describe(item)
                ));
            }
        }
    }
    let Some(inner) = option["options"].as_object() else {
        return;
    };
    match &read {
        Value::Object(given) => inside(option, inner, given, &format!("{path}."), errors),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(given) = item.as_object() {
                    inside(option, inner, given, &format!("{path}[{index}]."), errors);
                }
            }
        }
        _ => {}
    }
}

/// Checks a mapping that is a value: its options, and which of them go together.
fn inside(
    option: &Value,
    spec: &Map<String, Value>,
    given: &Map<String, Value>,
    within: &str,
    errors: &mut Vec<String>,
) {
    options(spec, given, within, errors);
    let owner = format!("`{}`", within.trim_end_matches('.'));
    let has = |name: &str| given.get(name).is_some_and(|value| !value.is_null());
    for names in groups(&option["mutually_exclusive"]) {
        let both: Vec<&str> = names.iter().copied().filter(|name| has(name)).collect();
        if both.len() > 1 {
            errors.push(format!(
                "{owner} takes one of these alone: {}",
                both.join(", ")
            ));
        }
    }
    for names in groups(&option["required_together"]) {
        let count = names.iter().filter(|name| has(name)).count();
        if count > 0 && count < names.len() {
            errors.push(format!(
                "{owner} needs these together: {}",
                names.join(", ")
            ));
        }
    }
    for names in groups(&option["required_one_of"]) {
        if !names.iter().any(|name| has(name)) {
            errors.push(format!("{owner} needs one of: {}", names.join(", ")));
        }
    }
    for rule in option["required_if"].as_array().into_iter().flatten() {
        let needs = list(&rule[2]);
        let any = is(&rule[3]);
        let holds = rule[0].as_str().and_then(|name| given.get(name)) == Some(&rule[1]);
        let enough = if any {
            needs.iter().any(|name| has(name))
        } else {
            needs.iter().all(|name| has(name))
        };
        if holds && !enough {
            errors.push(format!(
                "{owner} needs {} of these where `{}` is {}: {}",
                if any { "one" } else { "all" },
                rule[0].as_str().unwrap_or_default(),
                shown(&rule[1]),
                needs.join(", ")
            ));
        }
    }
    for (name, needs) in option["required_by"].as_object().into_iter().flatten() {
        let missing: Vec<&str> = list(needs).into_iter().filter(|need| !has(need)).collect();
        if has(name) && !missing.is_empty() {
            errors.push(format!(
                "`{within}{name}` needs beside it: {}",
                missing.join(", ")
            ));
        }
    }
}

/// A value read as the type that is wanted; nothing where it cannot be.
fn converted(kind: &str, value: &Value) -> Option<Value> {
    let text = || scalar_text(value);
    match kind {
        "bool" => text()
            .and_then(|text| Flag::from_word(&text))
            .map(|flag| flag.0.into()),
        "int" => match value {
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(value.clone()),
            Value::Number(number) => {
                let float = number.as_f64()?;
                (float.fract() == 0.0).then(|| value.clone())
            }
            Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
            Value::Bool(flag) => Some(i64::from(*flag).into()),
            _ => None,
        },
        "float" => match value {
            Value::Number(_) => Some(value.clone()),
            Value::String(text) => text.trim().parse::<f64>().ok().map(Value::from),
            _ => None,
        },
        "list" => match value {
            Value::Array(_) => Some(value.clone()),
            Value::String(text) => Some(text.split(',').map(str::trim).collect()),
            Value::Number(_) => Some(Value::Array(vec![value.clone()])),
            _ => None,
        },
        "dict" => match value {
            Value::Object(_) => Some(value.clone()),
            Value::String(text) => mapping(text),
            _ => None,
        },
        "str" | "path" => text().map(Value::from).or_else(|| {
            // A list or mapping has a text as well.
            Some(Value::from(value.to_string()))
        }),
        "bytes" | "bits" => {
            let text = text()?;
            let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            digits.trim().parse::<f64>().ok().map(|_| value.clone())
        }
        // `raw`, `json`, `jsonarg` and what nobody knows: as it is.
        _ => Some(value.clone()),
    }
}

/// A mapping that is written as text: JSON, or `key=value` pairs.
fn mapping(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str::<Map<String, Value>>(text)
            .ok()
            .map(Value::Object);
    }
    let pairs = text
        .split([',', ' '])
        .filter(|pair| !pair.trim().is_empty());
    let pairs = pairs.map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.trim().to_owned(), Value::from(value.trim())))
    });
    let pairs: Option<Map<String, Value>> = pairs.collect();
    pairs.filter(|pairs| !pairs.is_empty()).map(Value::Object)
}

fn wanted(kind: &str) -> &str {
    match kind {
        "bool" => "a yes or a no",
        "int" => "a whole number",
        "float" => "a number",
        "list" => "a list",
        "dict" => "a mapping",
        "bytes" | "bits" => "a size",
        _ => "text",
    }
}

fn same(choice: &Value, value: &Value) -> bool {
    choice == value || scalar_text(choice).is_some_and(|text| scalar_text(value) == Some(text))
}

fn shown(value: &Value) -> String {
    scalar_text(value).unwrap_or_else(|| value.to_string())
}

fn is(value: &Value) -> bool {
    scalar_text(value).is_some_and(|text| Flag::from_word(&text) == Some(Flag(true)))
}

fn list(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(text) => vec![text],
        _ => Vec::new(),
    }
}

fn groups(value: &Value) -> Vec<Vec<&str>> {
    value.as_array().into_iter().flatten().map(list).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn errors(spec: &Value, given: &Value) -> Vec<String> {
        super::errors(spec.as_object().unwrap(), given.as_object().unwrap())
    }

    #[test]
    fn values_that_can_be_read_as_what_is_wanted_are_right() {
        let spec = json!({
            "name": {"required": true},
            "port": {"type": "int"},
            "on": {"type": "bool"},
            "names": {"type": "list", "elements": "str"},
            "more": {"type": "dict"},
            "state": {"choices": ["present", "absent"]},
        });
        let given = json!({
            "name": 5, "port": "80", "on": "yes", "names": "a, b", "more": "a=1 b=2",
            "state": "absent",
        });
        assert_eq!(errors(&spec, &given), [""; 0]);
    }

    #[test]
    fn everything_wrong_is_told_with_its_path() {
        let spec = json!({
            "name": {"required": true},
            "port": {"type": "int"},
            "state": {"choices": ["present", "absent"]},
            "users": {"type": "list", "elements": "dict", "options": {
                "name": {"required": true},
                "uid": {"type": "int"},
            }},
            "ports": {"type": "list", "elements": "int"},
        });
        let given = json!({
            "port": "http", "state": "gone", "users": [{"name": "a", "uid": "x"}, {"shell": "sh"}],
            "ports": [80, "x"], "other": 1,
        });
        assert_eq!(
            errors(&spec, &given),
            [
                "`name` is required, and is not given",
                "`port` must be a whole number, but this is the string `http`",
                "`state` must be one of: present, absent; this is the string `gone`",
                "`users[0].uid` must be a whole number, but this is the string `x`",
                "`users[1].name` is required, and is not given",
                "there is no argument `users[1].shell`; there are: name, uid",
                "item 2 of `ports` must be a whole number, but this is the string `x`",
                "there is no argument `other`; there are: name, port, state, users, ports",
            ]
        );
    }

    #[test]
    fn options_of_a_mapping_may_go_together() {
        let spec = json!({"tls": {"type": "dict",
            "options": {"cert": {}, "key": {}, "acme": {"type": "bool"}, "mail": {}},
            "mutually_exclusive": [["cert", "acme"]],
            "required_together": [["cert", "key"]],
            "required_one_of": [["cert", "acme"]],
            "required_if": [["acme", true, ["mail"]]],
        }});
        assert_eq!(
            errors(&spec, &json!({"tls": {"cert": "c", "key": "k"}})),
            [""; 0]
        );
        assert_eq!(
            errors(&spec, &json!({"tls": {"cert": "c", "acme": true}})),
            [
                "`tls` takes one of these alone: cert, acme",
                "`tls` needs these together: cert, key",
                "`tls` needs all of these where `acme` is True: mail",
            ]
        );
        assert_eq!(
            errors(&spec, &json!({"tls": {}})),
            ["`tls` needs one of: cert, acme"]
        );
    }
}
