//! `debug`: shows a message or a value.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::args::{Data, Number};
use crate::describe::{CheckMode, Invalid, Return, Rule};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Shows a message, or the value of an expression. Changes nothing and needs no connection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DebugArgs {
    /// What to show: text, or a value of any type. `Hello world!` when neither this nor `var` is
    /// given.
    #[serde(default, deserialize_with = "given")]
    #[schemars(extend("x-null" = true))]
    msg: Option<Data>,
    /// An expression, most often the name of a variable, without braces. What is undefined is shown
    /// as `VARIABLE IS NOT DEFINED!`, and is no error.
    var: Option<Data>,
    /// Show it only when the run is at least as verbose: 1 for `-v`, 2 for `-vv`.
    #[serde(default)]
    verbosity: Number<u8>,
}

impl Arguments for DebugArgs {
    const NAME: &'static str = "debug";
    const NEEDS_HOST: bool = false;
    const RAW: &'static [&'static str] = &["var"];
    const SHOWS: bool = true;
    const MAY_BE_UNDEFINED: &'static [&'static str] = &["var"];
    const RULES: &'static [Rule] = &[Rule::AtMostOne(&["msg", "var"])];
    const RETURNS: &'static [Return] = &[
        Return::any(
            "msg",
            "the message; for `var` the value is under the expression itself",
        ),
        Return::text(
            "skipped_reason",
            "why nothing was shown, where `verbosity` was too much",
        ),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Say where the run is\n  debug:\n    msg: \"this is {{ inventory_hostname }}\"\n",
        "- name: Show a variable\n  debug:\n    var: groups.all\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        match self.var.as_deref() {
            None | Some(Value::String(_)) => Ok(()),
            Some(other) => Err(Invalid::new(
                &["var"],
                format!(
                    "`var` is an expression in a string, found {}; use `msg` to show a value",
                    crate::args::describe(other)
                ),
            )),
        }
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        if context.control.verbosity() < *self.verbosity {
            return Ok(Outcome {
                skipped: true,
                ..Outcome::ok().with("skipped_reason", "Verbosity threshold not met.")
            });
        }
        if let Some(expression) = self.var.as_deref().and_then(Value::as_str) {
            return Ok(Outcome::ok().with(expression, value(context, expression)?));
        }
        let message = self.msg.clone().map(|message| message.0);
        Ok(Outcome::ok().with("msg", message.unwrap_or_else(|| "Hello world!".into())))
    }
}

/// A message that is there, though it may be null.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Data>, D::Error> {
    Data::deserialize(deserializer).map(Some)
}

/// The value of an expression, with something to show for an undefined one.
fn value(context: &Context<'_>, expression: &str) -> Result<Value, Failure> {
    let value = context.control.evaluate(expression)?;
    Ok(value.unwrap_or_else(|| "VARIABLE IS NOT DEFINED!".into()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::DebugArgs;
    use crate::controller::ControllerError;
    use crate::fake::{self, Fake, FakeController, REAL};
    use crate::outcome::{Failure, Outcome};

    async fn run(arguments: Value) -> Result<Outcome, Failure> {
        let control = FakeController::new("/").evaluating(|expression| match expression {
            "port + 1" => Ok(Some(json!(6444))),
            "nope" => Ok(None),
            other => Err(error(&format!("`{other}` does not work"))),
        });
        fake::run::<DebugArgs>(&Fake::new([]), &control, REAL, arguments).await
    }

    fn error(message: &str) -> ControllerError {
        ControllerError {
            message: message.to_owned(),
            hint: None,
        }
    }

    #[tokio::test]
    async fn nothing_is_a_message_too() {
        let outcome = run(json!({"msg": null})).await.unwrap();
        assert_eq!(outcome.data["msg"], Value::Null);
        let outcome = run(json!({})).await.unwrap();
        assert_eq!(outcome.data["msg"], "Hello world!");
    }

    #[tokio::test]
    async fn a_message_may_be_any_value() {
        let outcome = run(json!({"msg": {"a": [1]}})).await.unwrap();
        assert_eq!(outcome.data["msg"], json!({"a": [1]}));
        let outcome = run(json!({})).await.unwrap();
        assert_eq!(outcome.data["msg"], "Hello world!");
    }

    #[tokio::test]
    async fn the_value_of_an_expression_is_under_the_expression() {
        let outcome = run(json!({"var": "port + 1"})).await.unwrap();
        assert_eq!(outcome.data["port + 1"], 6444);
    }

    #[tokio::test]
    async fn undefined_is_shown_and_a_broken_expression_is_an_error() {
        let outcome = run(json!({"var": "nope"})).await.unwrap();
        assert_eq!(outcome.data["nope"], "VARIABLE IS NOT DEFINED!");
        let failure = run(json!({"var": "5 +"})).await.unwrap_err();
        assert_eq!(failure.message, "`5 +` does not work");
    }

    #[tokio::test]
    async fn it_is_skipped_when_the_run_is_not_verbose_enough() {
        let outcome = run(json!({"msg": "x", "verbosity": 2})).await.unwrap();
        assert!(outcome.skipped);
        assert!(!outcome.data.contains_key("msg"));
    }

    #[tokio::test]
    async fn both_at_once_and_a_value_for_an_expression_are_refused() {
        assert!(run(json!({"msg": "x", "var": "y"})).await.is_err());
        let failure = run(json!({"var": ["y"]})).await.unwrap_err();
        assert!(
            failure.message.contains("found a list"),
            "{}",
            failure.message
        );
    }
}
