//! `assert`: goes on only when conditions hold.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::args::{Data, Flag, describe};
use crate::describe::{CheckMode, Invalid, Refusing, Return};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Fails unless every condition holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertArgs {
    /// Conditions, as in `when`: one, or a list of which all must hold.
    that: Data,
    /// What to say when one does not hold: text, or a list of lines. `Assertion failed` when not
    /// given.
    #[schemars(extend("x-aliases" = ["msg"]))]
    fail_msg: Option<Data>,
    /// What to say when all hold. `All assertions passed` when not given.
    success_msg: Option<Data>,
    /// Say nothing about conditions that hold.
    #[serde(default)]
    quiet: Flag,
}

impl AssertArgs {
    fn conditions(&self) -> &[Value] {
        match &*self.that {
            Value::Array(conditions) => conditions,
            one => std::slice::from_ref(one),
        }
    }
}

impl Arguments for AssertArgs {
    const NAME: &'static str = "assert";
    const NEEDS_HOST: bool = false;
    const RAW: &'static [&'static str] = &["that"];
    const RETURNS: &'static [Return] = &[
        Return::any("msg", "the message"),
        Return::any(
            "assertion",
            "the condition that does not hold, when it fails",
        ),
        Return::bool("evaluated_to", "`false`, when it fails"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const REFUSING: Option<Refusing> = Some(Refusing {
        unless: Some("that"),
        message: "fail_msg",
    });
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Stop where the version is too old\n  assert:\n    that:\n      - release is version('1.29', '>=')\n      - release is version('2', '<')\n    fail_msg: \"{{ release }} is not supported\"\n  vars:\n    release: '1.33'\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        let wrong = |value: &&Value| !matches!(value, Value::String(_) | Value::Bool(_));
        match self.conditions().iter().find(wrong) {
            Some(value) => Err(Invalid::new(
                &["that"],
                format!(
                    "`that` is a condition or a list of them, found {} in it",
                    describe(value)
                ),
            )),
            None => Ok(()),
        }
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        for condition in self.conditions() {
            let holds = match condition {
                Value::String(expression) => context.control.condition(expression)?,
                other => other.as_bool().unwrap_or(false),
            };
            if !holds {
                return Err(self.failure(condition));
            }
        }
        let outcome = Outcome::ok();
        Ok(match &self.success_msg {
            Some(message) => outcome.with("msg", message.0.clone()),
            None if *self.quiet => outcome,
            None => outcome.message("All assertions passed"),
        })
    }
}

impl AssertArgs {
    fn failure(&self, condition: &Value) -> Failure {
        let failure = match self.fail_msg.as_deref() {
            None => Failure::new("Assertion failed"),
            Some(message) => Failure::new(text(message)),
        };
        failure
            .with("assertion", condition.clone())
            .with("evaluated_to", false)
    }
}

/// A message as one text: the lines of a list below each other.
fn text(message: &Value) -> String {
    match message {
        Value::Array(lines) => lines.iter().map(text).collect::<Vec<_>>().join("\n"),
        other => crate::args::scalar_text(other).unwrap_or_else(|| other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::AssertArgs;
    use crate::controller::ControllerError;
    use crate::fake::{self, Fake, FakeController, REAL};
    use crate::outcome::{Failure, Outcome};

    async fn run(arguments: Value) -> Result<Outcome, Failure> {
        let control = FakeController::new("/").evaluating(|expression| match expression {
            "good" => Ok(Some(json!(true))),
            "bad" => Ok(Some(json!(false))),
            other => Err(ControllerError {
                message: format!("`{other}` is undefined"),
                hint: None,
            }),
        });
        fake::run::<AssertArgs>(&Fake::new([]), &control, REAL, arguments).await
    }

    #[tokio::test]
    async fn all_conditions_must_hold() {
        let outcome = run(json!({"that": ["good", true, "good"]})).await.unwrap();
        assert_eq!(outcome.data["msg"], "All assertions passed");
        let failure = run(json!({"that": ["good", "bad"]})).await.unwrap_err();
        assert_eq!(failure.message, "Assertion failed");
        assert_eq!(failure.data["assertion"], "bad");
        assert_eq!(failure.data["evaluated_to"], false);
    }

    #[tokio::test]
    async fn messages_are_the_users_where_given() {
        let outcome = run(json!({"that": "good", "success_msg": "fine"}))
            .await
            .unwrap();
        assert_eq!(outcome.data["msg"], "fine");
        for key in ["msg", "fail_msg"] {
            let failure = run(json!({"that": "bad", key: ["a", "b"]}))
                .await
                .unwrap_err();
            assert_eq!(failure.message, "a\nb");
        }
        let outcome = run(json!({"that": "good", "quiet": "yes"})).await.unwrap();
        assert!(outcome.data.is_empty());
    }

    #[tokio::test]
    async fn an_undefined_variable_in_a_condition_is_an_error() {
        let failure = run(json!({"that": "nope == 1"})).await.unwrap_err();
        assert_eq!(failure.message, "`nope == 1` is undefined");
        let failure = run(json!({"that": [{"a": 1}]})).await.unwrap_err();
        assert!(failure.message.contains("found a mapping"));
    }
}
