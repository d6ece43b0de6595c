//! Exit codes, all of them.

use std::process::ExitCode;

use crate::engine::Summary;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All succeeded.
    Success = 0,
    /// The command line makes no sense, or names a file that does not exist.
    Usage = 1,
    /// A task failed on a host, or the run stopped.
    Failed = 2,
    /// A host could not be reached, or a file has an error; nothing was run in that case.
    Unreachable = 4,
    /// The user interrupted the run.
    Interrupted = 99,
}

impl Exit {
    /// A file has an error that could be known before connecting.
    pub(crate) const BAD_INPUT: Self = Self::Unreachable;

    /// How a run ended.
    pub(crate) fn of(summary: &Summary) -> Self {
        if summary.interrupted {
            Self::Interrupted
        } else if summary.unreachable() {
            Self::Unreachable
        } else if summary.failed() || summary.stopped {
            Self::Failed
        } else {
            Self::Success
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Recap;

    fn exit(recap: Recap, stopped: bool, interrupted: bool) -> Exit {
        Exit::of(&Summary {
            recap: vec![("h".into(), recap)],
            stopped,
            interrupted,
            ..Summary::default()
        })
    }

    #[test]
    fn hosts_that_are_out_for_others_failures_are_a_failure() {
        let summary = Summary {
            given_up: true,
            ..Summary::default()
        };
        assert_eq!(Exit::of(&summary), Exit::Failed);
    }

    #[test]
    fn unreachable_wins_over_failed_and_interrupted_over_all() {
        let both = Recap {
            failed: 1,
            unreachable: 1,
            ..Recap::default()
        };
        assert_eq!(exit(both, false, false), Exit::Unreachable);
        assert_eq!(exit(both, false, true), Exit::Interrupted);
        assert_eq!(
            exit(
                Recap {
                    failed: 1,
                    ..Recap::default()
                },
                false,
                false
            ),
            Exit::Failed
        );
        assert_eq!(exit(Recap::default(), true, false), Exit::Failed);
        assert_eq!(
            exit(
                Recap {
                    rescued: 1,
                    ..Recap::default()
                },
                false,
                false
            ),
            Exit::Success
        );
    }
}
