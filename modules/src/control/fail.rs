//! `fail`: ends a host's run with a message.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::Text;
use crate::describe::{CheckMode, Refusing, Return};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Fails with a message. Mostly used with `when`, for a state that a playbook cannot go on from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailArgs {
    /// What to say.
    #[serde(default = "default_message")]
    msg: Text,
}

fn default_message() -> Text {
    Text::from("Failed as requested from task")
}

impl Arguments for FailArgs {
    const NAME: &'static str = "fail";
    const NEEDS_HOST: bool = false;
    const RETURNS: &'static [Return] = &[Return::text("msg", "the message")];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const REFUSING: Option<Refusing> = Some(Refusing {
        unless: None,
        message: "msg",
    });
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Stop on anything but Linux\n  fail:\n    msg: this is not Linux\n  when: system != 'Linux'\n  vars:\n    system: Linux\n",
    ];

    async fn run(&self, _: &Context<'_>) -> Result<Outcome, Failure> {
        Err(Failure::new(self.msg.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::FailArgs;
    use crate::fake::{self, Fake, FakeController, REAL};

    #[tokio::test]
    async fn it_fails_with_the_message() {
        let host = Fake::new([]);
        let control = FakeController::new("/");
        for (arguments, message) in [
            (json!({"msg": "no swap allowed"}), "no swap allowed"),
            (json!({}), "Failed as requested from task"),
        ] {
            let failure = fake::run::<FailArgs>(&host, &control, REAL, arguments).await;
            assert_eq!(failure.unwrap_err().message, message);
        }
    }
}
