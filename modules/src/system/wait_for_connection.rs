//! `wait_for_connection`: waits until a host can be reached.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::Number;
use crate::describe::{CheckMode, Return};
use crate::host::{HostError, Script, Unreachable};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Tries to reach the host until it answers, as after a restart.
///
/// A host key that is not the one on record, or that is not on record, is an error at once: waiting
/// helps against neither.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForConnectionArgs {
    /// How many seconds to wait at most.
    #[serde(default = "ten_minutes")]
    timeout: Number<u64>,
    /// How many seconds one try may take.
    #[serde(default = "five")]
    connect_timeout: Number<u64>,
    /// How many seconds to wait before the first try.
    #[serde(default)]
    delay: Number<u64>,
    /// How many seconds to wait between tries.
    #[serde(default = "one")]
    sleep: Number<u64>,
}

const SECOND: Duration = Duration::from_secs(1);

const fn ten_minutes() -> Number<u64> {
    Number(600)
}

const fn five() -> Number<u64> {
    Number(5)
}

const fn one() -> Number<u64> {
    Number(1)
}

/// Whether trying again can help.
fn is_temporary(error: &HostError) -> bool {
    match error {
        HostError::Unreachable { kind, .. } => !matches!(
            kind,
            Unreachable::HostKeyChanged
                | Unreachable::HostKeyRevoked
                | Unreachable::HostKeyUnknown
                | Unreachable::NoShell
        ),
        HostError::TimedOut { .. } => true,
        HostError::Become { .. }
        | HostError::Interrupted
        | HostError::TooMuchOutput { .. }
        | HostError::MoreThanAnnounced { .. }
        | HostError::TooLarge { .. }
        | HostError::OutputLost { .. }
        | HostError::Local { .. } => false,
    }
}

impl Arguments for WaitForConnectionArgs {
    const NAME: &'static str = "wait_for_connection";
    const RETURNS: &'static [Return] = &[Return::int("elapsed", "how long it took, in seconds")];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] =
        &["- name: Wait until the node is back\n  wait_for_connection:\n    timeout: 300\n"];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let began = Instant::now();
        let end = tokio::time::Instant::now() + self.timeout.seconds();
        context.control.sleep(self.delay.seconds()).await?;
        loop {
            let mut script = Script::new(":");
            script.limit = Some(self.connect_timeout.seconds().max(SECOND));
            let Err(error) = context.host.run(script).await else {
                return Ok(Outcome::ok().with("elapsed", began.elapsed().as_secs()));
            };
            if !is_temporary(&error) {
                return Err(error.into());
            }
            if tokio::time::Instant::now() >= end {
                let failure = Failure::new(format!(
                    "{} could not be reached within {} s: {error}",
                    context.host.name(),
                    *self.timeout
                ));
                return Err(Failure {
                    hint: Failure::from(error).hint,
                    ..failure.with("elapsed", began.elapsed().as_secs())
                });
            }
            context.control.progress(&format!("not there yet: {error}"));
            let pause = self.sleep.seconds().max(SECOND);
            context.control.sleep(pause).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::WaitForConnectionArgs;
    use crate::fake::{self, Fake, FakeController, REAL};
    use crate::host::{HostError, Reply, Unreachable};

    fn unreachable(kind: Unreachable) -> HostError {
        HostError::Unreachable {
            kind,
            message: "Connection refused".to_owned(),
            hint: "is sshd running?".to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_tries_until_the_host_answers() {
        let refused = || Err(unreachable(Unreachable::Refused));
        let host = Fake::new([refused(), refused(), Ok(Reply::default())]);
        let control = FakeController::new("/");
        let before = tokio::time::Instant::now();
        let arguments = json!({"delay": 10, "sleep": 3});
        fake::run::<WaitForConnectionArgs>(&host, &control, REAL, arguments)
            .await
            .unwrap();
        assert_eq!(before.elapsed().as_secs(), 16);
        assert_eq!(control.progress_lines().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_after_its_time_and_at_once_for_a_changed_key() {
        let control = FakeController::new("/");
        let host = Fake::new((0..10).map(|_| Err(unreachable(Unreachable::Refused))));
        let arguments = json!({"timeout": 5});
        let failure = fake::run::<WaitForConnectionArgs>(&host, &control, REAL, arguments)
            .await
            .unwrap_err();
        assert_eq!(
            failure.message,
            "fake could not be reached within 5 s: Connection refused"
        );
        assert_eq!(failure.hint.unwrap(), "is sshd running?");

        let host = Fake::new([Err(unreachable(Unreachable::HostKeyChanged))]);
        let failure = fake::run::<WaitForConnectionArgs>(&host, &control, REAL, json!({})).await;
        assert!(failure.unwrap_err().host.is_some());
        assert_eq!(host.scripts().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn seconds_without_end_are_no_crash() {
        let refused = || Err(unreachable(Unreachable::Refused));
        let host = Fake::new([refused(), Ok(Reply::default())]);
        let control = FakeController::new("/");
        let arguments = json!({"timeout": u64::MAX, "connect_timeout": u64::MAX});
        fake::run::<WaitForConnectionArgs>(&host, &control, REAL, arguments)
            .await
            .unwrap();
        // What uses the limit adds to it.
        let limit = host.scripts()[0].limit.unwrap();
        assert!(tokio::time::Instant::now().checked_add(limit * 2).is_some());
    }
}
