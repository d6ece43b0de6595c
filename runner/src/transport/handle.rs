//! A host as one task sees it: runs its scripts within the task's bounds, and says what went wrong.

use futures::FutureExt;
use futures::future::BoxFuture;
use windlass_modules::host::{Host, HostError, Output, Reply, Script};

use super::ask::{Handle, Purpose, Stop, stopped};
use super::becoming;
use super::channel::Ended;
use super::connected_host::Lease;
use super::shell::{Answer, Gone};
use super::status::RequestStatus;
use super::unreachable::{NotReady, lost, no_shell, not_ready};

impl Host for Handle {
    fn name(&self) -> &str {
        &self.host.connection.name
    }

    fn largest_file(&self) -> u64 {
        self.host.common.limits.max_transfer
    }

    fn run(&self, script: Script) -> BoxFuture<'_, Result<Reply, HostError>> {
        let run = async move {
            let done = self.run_script(script).await;
            if let Some(tell) = &self.task.notices
                && let Some(notice) = self.host.take_notice()
            {
                tell(&notice);
            }
            done
        };
        run.boxed()
    }
}

impl Handle {
    async fn run_script(&self, script: Script) -> Result<Reply, HostError> {
        // A shell that was idle may turn out to be gone: a request that it never began runs on another.
        for _ in 0..3 {
            let lease = tokio::select! {
                lease = self.host.lease(self.user.as_ref()) => lease?,
                () = self.interruption() => return Err(HostError::Interrupted),
            };
            if let Some(reply) = self.attempt(&script, lease).await? {
                return Ok(reply);
            }
        }
        Err(lost(
            &self.host.connection,
            "three times before a request could begin",
        ))
    }

    /// One request down one shell. `None`: the shell ended before it began anything.
    async fn attempt(&self, script: &Script, lease: Lease) -> Result<Option<Reply>, HostError> {
        let had_answered = lease.shell.has_answered();
        let limit = match (self.task.limit, script.limit) {
            (Some(task), Some(own)) => Some(task.min(own)),
            (task, own) => task.or(own),
        };
        let asked = self.ask(script, lease, limit, Purpose::Own).await?;
        let status = match asked.answer {
            Some(Answer::Ended {
                trouble: Some(error),
                ..
            }) => {
                return Err(self.local_trouble(script, &error));
            }
            Some(Answer::Ended { status, .. }) => status,
            Some(Answer::Gone(gone)) if asked.stop.is_none() => {
                return match asked.kept {
                    Some(kept)
                        if gone.not_ready.is_none()
                            && gone.ended == Ended::Lost
                            && kept.pid != 0 =>
                    {
                        let seen = asked.taken.came;
                        drop(asked.taken);
                        Box::pin(self.collect(&kept, script, seen)).await
                    }
                    _ => self.gone(&gone, had_answered).map(|()| None),
                };
            }
            Some(Answer::Gone(_)) | None => RequestStatus {
                code: 255,
                ..RequestStatus::default()
            },
        };
        let reply = Reply {
            status: status.code,
            ..asked.taken.reply
        };
        match asked
            .stop
            .or_else(|| limit.filter(|_| status.late).map(Stop::Late))
        {
            Some(stop) => Err(stopped(stop, reply)),
            None => match status.lost {
                Some(why) => Err(self.output_lost(status.code, &why)),
                None => Ok(Some(reply)),
            },
        }
    }

    fn local_trouble(&self, script: &Script, error: &std::io::Error) -> HostError {
        let way = match &script.stdout {
            Output::File { .. } => "written to",
            Output::Memory | Output::Kept => "read",
        };
        HostError::Local {
            message: format!(
                "{}: a file on the control host could not be {way}: {error}",
                self.host.connection.name
            ),
            hint: "see that nobody changes the file meanwhile, and that the disk is not full"
                .to_owned(),
        }
    }

    /// The shell did not get ready. Where another user is to be become, that program may be why.
    fn not_ready(&self, why: NotReady, noise: &str) -> HostError {
        match &self.user {
            Some(user) if !noise.trim().is_empty() => {
                becoming::trouble(&self.host.connection, user, noise)
            }
            _ => not_ready(&self.host.connection, why, noise),
        }
    }

    /// What it means that the shell went away. `Ok`: nothing had begun, and another shell may help.
    fn gone(&self, gone: &Gone, had_answered: bool) -> Result<(), HostError> {
        let connection = &self.host.connection;
        if let Some(why) = gone.not_ready {
            return Err(if had_answered {
                lost(connection, "when a command was to begin")
            } else {
                self.not_ready(why, &gone.noise)
            });
        }
        if gone.began {
            return Err(lost(connection, "while a command ran"));
        }
        match (gone.ended, had_answered) {
            // It said itself that it ends: it had not understood, and so not run, anything.
            (Ended::Exited(_), true) => Ok(()),
            (Ended::Exited(_), false) => Err(match &self.user {
                Some(user) => becoming::trouble(connection, user, &gone.noise),
                None => no_shell(connection, &gone.noise),
            }),
            (Ended::Lost, _) => Err(lost(connection, "before a command could begin")),
        }
    }
}
