//! `pause`: waits for a while, or for a person.

use std::time::{Duration, Instant};

use jiff::Zoned;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::{Flag, Number, Text};
use crate::clock;
use crate::describe::{CheckMode, Return, Rule};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Waits for a time, or until a person at the terminal presses Enter. Runs once for all hosts.
///
/// With neither `seconds` nor `minutes` it asks, which needs a terminal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseArgs {
    /// How many seconds to wait.
    seconds: Option<Number<f64>>,
    /// How many minutes to wait.
    minutes: Option<Number<f64>>,
    /// What to ask. With a time it is only shown.
    prompt: Option<Text>,
    /// Show what is typed.
    #[serde(default = "Flag::yes")]
    echo: Flag,
}

impl PauseArgs {
    fn time(&self) -> Option<Duration> {
        let seconds = self.seconds.map(|seconds| *seconds);
        let minutes = self.minutes.map(|minutes| *minutes * 60.0);
        // Less than nothing is no wait, as in Ansible (which waits at least a second).
        seconds
            .or(minutes)
            .map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
    }
}

impl Arguments for PauseArgs {
    const NAME: &'static str = "pause";
    const NEEDS_HOST: bool = false;
    const ONCE: bool = true;
    const RULES: &'static [Rule] = &[Rule::AtMostOne(&["seconds", "minutes"])];
    const RETURNS: &'static [Return] = &[
        Return::text("user_input", "what was typed"),
        Return::text("start", "when it began"),
        Return::text("stop", "when it ended"),
        Return::int("delta", "how long it took, in seconds"),
        Return::text("stdout", "a sentence about it"),
        Return::text("stderr", "nothing"),
        Return::int("rc", "0"),
        Return::bool("echo", "whether what is typed was shown"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] =
        &["- name: Give the servers a moment\n  pause:\n    seconds: 0.1\n"];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let start = Zoned::now();
        let began = Instant::now();
        let mut user_input = String::new();
        if let Some(time) = self.time() {
            let seconds = time.as_secs_f64();
            match &self.prompt {
                Some(prompt) => context.control.progress(&format!("{prompt} ({seconds} s)")),
                None => context
                    .control
                    .progress(&format!("pausing for {seconds} s")),
            }
            context.control.sleep(time).await?;
        } else {
            let prompt = match &self.prompt {
                Some(prompt) => format!("{prompt}: "),
                None => "Press Enter to go on, Ctrl+C to interrupt: ".to_owned(),
            };
            user_input = context.control.prompt(&prompt, *self.echo)?;
        }
        let took = began.elapsed();
        Ok(Outcome::ok()
            .with("start", clock::stamp(&start))
            .with("stop", clock::stamp(&Zoned::now()))
            .with("delta", took.as_secs())
            .with(
                "stdout",
                format!("Paused for {:.2} seconds", took.as_secs_f64()),
            )
            .with("stderr", "")
            .with("rc", 0)
            .with("echo", *self.echo)
            .with("user_input", user_input))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::PauseArgs;
    use crate::fake::{self, Fake, FakeController, REAL};
    use crate::host::HostError;
    use crate::outcome::{Failure, Outcome};

    async fn run(control: &FakeController, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<PauseArgs>(&Fake::new([]), control, REAL, arguments).await
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_as_long_as_it_was_told() {
        let control = FakeController::new("/");
        let before = tokio::time::Instant::now();
        let outcome = run(&control, json!({"seconds": "5", "prompt": "settling"}))
            .await
            .unwrap();
        assert_eq!(before.elapsed().as_secs(), 5);
        assert!(!outcome.changed);
        assert_eq!(control.progress_lines(), ["settling (5 s)"]);
        run(&control, json!({"minutes": 2})).await.unwrap();
        assert_eq!(before.elapsed().as_secs(), 125);
    }

    #[tokio::test]
    async fn an_interrupt_ends_the_wait() {
        let control = FakeController::new("/").interrupted();
        let failure = run(&control, json!({"minutes": 5})).await.unwrap_err();
        assert!(matches!(failure.host, Some(HostError::Interrupted)));
    }

    #[tokio::test]
    async fn asking_without_a_terminal_is_an_error() {
        let failure = run(&FakeController::new("/"), json!({})).await.unwrap_err();
        assert_eq!(failure.message, "there is no terminal to ask at");
        assert!(
            run(
                &FakeController::new("/"),
                json!({"seconds": 1, "minutes": 1})
            )
            .await
            .is_err()
        );
    }
}
