//! `raw`: runs a line as it is.

use schemars::JsonSchema;
use serde::Deserialize;

use super::command::skipped;
use super::outcome::{Reading, returned, timed};
use super::shell::{one_line, under};
use crate::args::{NodePath, Text};
use crate::describe::{CheckMode, FreeForm, Invalid, Return, Rule};
use crate::host::Script;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Runs a line of sh as it is, with its output untouched.
///
/// In Ansible `raw` is the one module that needs no Python on the node. Here no module does, and
/// `raw` is `shell` without its other arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawArgs {
    /// The line, as in `raw: uname -a`.
    #[serde(rename = "_raw_params")]
    free_form: Option<Text>,
    /// The same, as an argument of its own.
    cmd: Option<Text>,
    /// The full path of the shell to run it with. The node's `sh` when not given.
    executable: Option<NodePath>,
}

impl RawArgs {
    fn text(&self) -> Result<&str, String> {
        one_line("raw", self.free_form.as_deref(), self.cmd.as_deref())
    }
}

impl Arguments for RawArgs {
    const NAME: &'static str = "raw";
    const FREE_FORM: FreeForm = FreeForm::Into("_raw_params");
    const RULES: &'static [Rule] = &[Rule::ExactlyOne(&["_raw_params", "cmd"])];
    const RETURNS: &'static [Return] = &returned(Return::text("cmd", "the line"));
    const CHECK_MODE: CheckMode = CheckMode::Skips;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: See what the node is\n  raw: uname -a\n  register: node\n  changed_when: false\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        self.text()
            .map(drop)
            .map_err(Invalid::about(&["_raw_params", "cmd"]))
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let text = self.text().map_err(Failure::new)?;
        if context.check {
            return Ok(skipped().with("cmd", text));
        }
        let script = Script::new(under(self.executable.as_deref(), text)).kept();
        let ran = timed(context.host, script).await?;
        Reading {
            cmd: text.into(),
            program: self.executable.as_deref(),
            strip: false,
        }
        .outcome(ran)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::RawArgs;
    use crate::fake::{self, CHECK, FakeController, REAL};

    #[tokio::test]
    async fn output_is_untouched() {
        let control = FakeController::new("/");
        for shell in fake::shells() {
            let arguments = json!({"_raw_params": "echo a; echo; true | false"});
            let failure = fake::run::<RawArgs>(&shell, &control, REAL, arguments)
                .await
                .unwrap_err();
            assert_eq!(failure.said("stdout"), "a\n\n");
            assert_eq!(failure.data["rc"], 1);
            let arguments = json!({"_raw_params": "echo a >made"});
            assert!(
                fake::run::<RawArgs>(&shell, &control, CHECK, arguments)
                    .await
                    .unwrap()
                    .skipped
            );
            assert!(!shell.dir().join("made").exists());
        }
    }
}
