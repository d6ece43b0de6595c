//! What is read from a struct, and what is said of arguments that are only partly known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::schema::unread;
use super::{
    Argument, Choice, Description, Fault, FreeForm, Given, Kind, Names, Rule, When, stand_in,
};
use crate::args::{ControlFile, Flag, List, Number, Text};
use crate::registry;

/// A struct with one argument of each kind that matters here.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its description counts")]
struct Sample {
    /// Where from. And more.
    #[schemars(extend("x-aliases" = ["source"]))]
    src: ControlFile,
    /// How much.
    port: Option<Number<u16>>,
    state: Option<State>,
    #[serde(default)]
    backup: Flag,
    #[serde(default)]
    names: List,
    text: Option<Text>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is there.
    #[default]
    #[schemars(extend("x-aliases" = ["there"]))]
    Present,
    Absent,
}

fn sample() -> Description {
    let schema = schemars::schema_for!(Sample).to_value();
    Description {
        rules: &[
            Rule::AtMostOne(&["port", "names"]),
            Rule::Needs(When::Is("state", &["present"]), &["text"]),
            Rule::Needs(When::Yes("backup"), &["port"]),
        ],
        ..Description::new(
            "sample",
            super::about(&schema),
            super::arguments(&schema),
            FreeForm::No,
        )
    }
}

fn given(pairs: Value) -> Vec<(String, Given)> {
    let Value::Object(map) = pairs else {
        panic!("a mapping");
    };
    map.into_iter()
        .map(|(name, value)| {
            let given = match value.as_str() {
                Some("?") => Given::Unknown,
                Some("??") => Given::Perhaps,
                _ => Given::Value(value),
            };
            (name, given)
        })
        .collect()
}

fn together(pairs: Value) -> Vec<String> {
    let faults = sample().together(&given(pairs));
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_struct_says_what_its_arguments_are() {
    let sample = sample();
    let argument = |name: &str| sample.argument(name).unwrap();
    assert_eq!(
        argument("source"),
        &Argument {
            name: "src".to_owned(),
            aliases: vec!["source".to_owned()],
            kind: Kind::Text,
            names: Some(Names::File),
            syntax: false,
            null: false,
            required: true,
            default: None,
            about: "Where from. And more.".to_owned(),
        }
    );
    assert_eq!(argument("src").summary(), "Where from");
    assert_eq!(
        argument("port").kind,
        Kind::Number {
            of: "u16".to_owned(),
            minimum: Some(0),
            maximum: Some(65535)
        }
    );
    let word = |word: &str, aliases: &[&str], about: &str| Choice {
        word: word.to_owned(),
        aliases: aliases.iter().map(ToString::to_string).collect(),
        about: about.to_owned(),
    };
    // Words with nothing to say of them come first.
    assert_eq!(
        argument("state").kind,
        Kind::Choice(vec![
            word("absent", &[], ""),
            word("present", &["there"], "It is there.")
        ])
    );
    assert_eq!(argument("backup").default, Some(json!(false)));
    assert!(!argument("backup").required);
    assert_eq!(argument("names").kind, Kind::List { commas: true });
}

#[test]
fn each_argument_is_looked_at_by_itself() {
    let faults = |pairs| sample().each(&given(pairs));
    assert_eq!(faults(json!({"src": "a", "port": "80", "text": "?"})), []);
    // What is not given cannot be wrong.
    assert_eq!(faults(json!({"port": null})), []);
    assert_eq!(
        faults(json!({"prot": "?"})),
        [Fault::Unknown {
            argument: "prot".to_owned(),
            known: ["src", "port", "state", "backup", "names", "text"]
                .map(str::to_owned)
                .to_vec(),
        }]
    );
    assert_eq!(
        faults(json!({"src": "a", "source": "b"})),
        [Fault::Twice {
            argument: "source".to_owned(),
            first: "src".to_owned()
        }]
    );
    let said: Vec<_> = faults(json!({"port": 70000, "state": "their", "names": ["a", {}]}))
        .into_iter()
        .map(super::ArgumentError::from)
        .map(|error| format!("{}: {error}", error.path.join(".")))
        .collect();
    assert_eq!(
        said,
        [
            "port: expected a whole number from 0 to 65535, found the number `70000`",
            "state: expected `absent` or `present`, found `their`",
            "names.1: item 2: expected text, found a mapping",
        ]
    );
}

#[test]
fn rules_are_broken_only_where_no_value_could_keep_them() {
    assert_eq!(together(json!({"src": "a", "text": "b"})), NOTHING);
    assert_eq!(together(json!({"src": "?", "text": "?"})), NOTHING);
    assert_eq!(
        together(json!({"text": "b"})),
        ["the argument `src` is missing"]
    );
    assert_eq!(
        together(json!({"src": "a", "text": "b", "port": "?", "names": "?"})),
        ["`port` and `names` cannot be used together: give one"]
    );
    for harmless in [
        json!({"src": "a", "text": "b", "port": 1, "names": []}),
        json!({"src": "a", "text": "b", "port": 1, "names": "??"}),
        json!({"src": "a", "text": "b", "port": "??", "backup": true}),
        json!({"src": "a", "state": "?"}),
        json!({"src": "a", "state": "absent"}),
    ] {
        assert_eq!(together(harmless.clone()), NOTHING, "{harmless}");
    }
    assert_eq!(
        together(json!({"src": "a", "text": "b", "backup": "yes"})),
        ["`backup: true` needs `port`"]
    );
    assert_eq!(
        together(json!({"src": "a", "state": "there"})),
        ["`state: present` needs `text`"]
    );
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_a_module_reads_is_named_as_its_struct_has_it() {
    let read = |value| sample().read(value).map_err(|fault| fault.to_string());
    assert_eq!(
        read(json!({"source": "a", "state": "there", "text": "b", "port": null})),
        Ok(json!({"src": "a", "state": "present", "text": "b"}))
    );
    assert_eq!(
        read(json!({"text": "b"})),
        Err("the argument `src` is missing".to_owned())
    );
    assert_eq!(
        read(json!({"src": "a", "text": "b", "port": 1, "names": "x, y"})),
        Err("`port` and `names` cannot be used together: give one".to_owned())
    );
}

#[test]
fn every_module_describes_itself_wholly() {
    for module in registry::all() {
        let of = module.description();
        let name = of.name;
        assert!(!of.summary().is_empty(), "{name} says what it is for");
        assert!(!of.returns.is_empty(), "{name} says what it returns");
        assert!(!of.examples.is_empty(), "{name} has an example");
        assert!(!of.about.contains("Returns:"), "{name}");
        for argument in &of.arguments {
            assert!(!argument.about.is_empty(), "{name}: {}", argument.name);
            assert_eq!(
                argument.kind.fit(&stand_in(argument)),
                Ok(None),
                "{name}: {}",
                argument.name
            );
        }
        let known = |argument: &&str| {
            of.argument(argument)
                .is_some_and(|it| it.name == **argument)
        };
        let mut named: Vec<&str> = of.rules.iter().flat_map(Rule::arguments).collect();
        named.extend(module.raw());
        named.extend(module.may_be_undefined());
        if let FreeForm::Into(argument) = of.free_form {
            named.push(argument);
        }
        for argument in named {
            assert!(known(&argument), "{name} has no argument `{argument}`");
        }
    }
}

#[test]
fn no_key_of_ours_goes_unread() {
    let schema = schemars::schema_for!(Sample).to_value();
    assert_eq!(unread(schema.as_object().unwrap()), NOTHING);
    assert_eq!(
        unread(json!({"a": [{"x-nmes": 1}]}).as_object().unwrap()),
        ["x-nmes"]
    );
    for module in registry::all() {
        assert_eq!(module.unread(), NOTHING, "{}", module.name());
    }
}
