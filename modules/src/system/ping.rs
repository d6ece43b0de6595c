//! `ping`: whether a host answers.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::Text;
use crate::describe::{CheckMode, Return};
use crate::host::Script;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Connects, becomes the task's user, and has the node's `sh` answer. Changes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PingArgs {
    /// What to return. `crash` makes the task fail, to try out what a playbook does then.
    #[serde(default = "pong")]
    data: Text,
}

fn pong() -> Text {
    Text::from("pong")
}

impl Arguments for PingArgs {
    const NAME: &'static str = "ping";
    const RETURNS: &'static [Return] = &[Return::text("ping", "the value of `data`")];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] =
        &["- name: See whether the host can be used\n  ping:\n"];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let reply = context.host.run(Script::new(":")).await?;
        if reply.status != 0 {
            let said = reply.error_text();
            return Err(Failure::new(format!(
                "the node's sh answered with an error: {}",
                said.trim()
            )));
        }
        if &*self.data == "crash" {
            return Err(Failure::new("boom"));
        }
        Ok(Outcome::ok().with("ping", self.data.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PingArgs;
    use crate::fake::{self, FakeController, REAL};

    #[tokio::test]
    async fn it_answers_with_the_data() {
        let control = FakeController::new("/");
        for shell in fake::shells() {
            let outcome = fake::run::<PingArgs>(&shell, &control, REAL, json!({}))
                .await
                .unwrap();
            assert_eq!(outcome.data["ping"], "pong");
            let outcome = fake::run::<PingArgs>(&shell, &control, REAL, json!({"data": 5})).await;
            assert_eq!(outcome.unwrap().data["ping"], "5");
            assert!(
                fake::run::<PingArgs>(&shell, &control, REAL, json!({"data": "crash"}))
                    .await
                    .is_err()
            );
        }
    }
}
