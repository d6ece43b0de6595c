//! `set_fact`: sets variables of a host.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::describe::{CheckMode, FreeForm, Invalid, Return};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// The description that `windlass doc set_fact` shows; the arguments are free, so there are no
/// fields that it could be derived from.
const ABOUT: &str = "Sets variables of the host, for the rest of the run. Every argument is a \
variable: its name, and a value of any type. Values keep their types; written as `key=value` they \
are strings. The argument `cacheable` is taken and means nothing: there is no cache of facts.";

/// Variables for the host, by name.
#[derive(Debug)]
pub struct SetFactArgs(Map<String, Value>);

impl<'de> Deserialize<'de> for SetFactArgs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut variables = Map::deserialize(deserializer)?;
        variables.shift_remove("cacheable");
        Ok(Self(variables))
    }
}

impl JsonSchema for SetFactArgs {
    fn schema_name() -> Cow<'static, str> {
        "SetFact".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": ABOUT,
            "additionalProperties": true,
            "minProperties": 1,
        })
    }
}

impl Arguments for SetFactArgs {
    const NAME: &'static str = "set_fact";
    const FREE_FORM: FreeForm = FreeForm::AnyKeys;
    const NEEDS_HOST: bool = false;
    const RETURNS: &'static [Return] =
        &[Return::map("ansible_facts", "the variables that were set")];
    const CHECK_MODE: CheckMode =
        CheckMode::Does("It sets the variables as always: they are of the run, not of the node.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Remember where the API is\n  set_fact:\n    api_url: https://{{ api_host }}:6443\n    api_ports: [6443, 8443]\n  vars:\n    api_host: 10.0.0.10\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        if self.0.is_empty() {
            return Err(Invalid::new(
                &[],
                "no variable is named: write `set_fact: {name: value}`",
            ));
        }
        match self.0.keys().find(|name| !is_identifier(name)) {
            Some(name) => Err(Invalid::new(
                &[],
                format!(
                    "`{name}` cannot be the name of a variable: names are letters, digits and \
                     underscores, and do not begin with a digit"
                ),
            )),
            None => Ok(()),
        }
    }

    async fn run(&self, _: &Context<'_>) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::ok().with("ansible_facts", self.0.clone());
        outcome.variables.clone_from(&self.0);
        Ok(outcome)
    }
}

fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|other| other.is_alphanumeric() || other == '_')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::SetFactArgs;
    use crate::fake::{self, Fake, FakeController, REAL};
    use crate::outcome::{Failure, Outcome};

    async fn run(arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<SetFactArgs>(&Fake::new([]), &FakeController::new("/"), REAL, arguments).await
    }

    #[tokio::test]
    async fn every_argument_is_a_variable_of_its_type() {
        let arguments = json!({"a": 1, "b": ["x"], "c": "yes", "d": null, "cacheable": true});
        let outcome = run(arguments).await.unwrap();
        let variables = json!({"a": 1, "b": ["x"], "c": "yes", "d": null});
        assert_eq!(Value::Object(outcome.variables), variables);
        assert_eq!(outcome.data["ansible_facts"], variables);
        assert!(!outcome.changed);
    }

    #[tokio::test]
    async fn a_name_that_is_none_is_refused() {
        let message = |failure: Failure| failure.message;
        let refused = run(json!({"a-b": 1})).await.map_err(message).unwrap_err();
        assert!(refused.starts_with("`a-b` cannot be the name"), "{refused}");
        assert!(run(json!({"1a": 1})).await.is_err());
        assert!(run(json!({})).await.is_err());
    }
}
