//! One request of one task down one shell of a host: sent, watched, and ended before its time where that is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use windlass_modules::host::{Host, HostError, Output, Reply, Script};
use windlass_modules::transcript::{Full, Writer};

use super::connected_host::{ConnectedHost, Lease};
use super::drain::{Drain, Head, Outputs, Seen, Sink, Taken, Watch};
use super::request::{self, KILLER};
use super::settings::{Become, TaskSettings};
use super::shell::{Answer, Shell};
use super::unreachable::shortened;

/// What the host's own watch gets beyond the limit to end a request, before we do it from here.
const FOR_WATCH: Duration = Duration::from_secs(10);
/// How long a request that is to be ended is given to begin.
const FOR_BEGIN: Duration = Duration::from_secs(2);
/// What the end of a request may take once its processes are ended.
const FOR_END: Duration = Duration::from_secs(15);

/// One task on one host.
pub(super) struct Handle {
    pub(super) host: Arc<ConnectedHost>,
    pub(super) task: TaskSettings,
    pub(super) user: Option<Become>,
}

/// What came of a request.
pub(super) struct Asked {
    /// Why it was ended before its time.
    pub(super) stop: Option<Stop>,
    /// Its end; nothing where that was waited for in vain.
    pub(super) answer: Option<Answer>,
    /// What it printed.
    pub(super) taken: Taken,
    /// What to ask for if the link was lost.
    pub(super) kept: Option<SpooledRequest>,
}

/// What a request is sent for.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// Itself.
    Own,
    /// To collect what another one printed, after a line that tells how that ended.
    Collect {
        /// The process of the other's shell: it is ended where that is asked for.
        pid: u32,
        seen: Seen,
    },
}

/// Why a request is ended before its time.
#[derive(Clone)]
pub(super) enum Stop {
    TooMuch(Full),
    /// The file that its output goes to cannot be written.
    Unwritable,
    /// More than had been announced, for a file.
    Exceeded(u64),
    Interrupted,
    Late(Duration),
}

/// Where the host keeps what a request prints.
pub(super) struct SpooledRequest {
    /// The folder's name.
    pub(super) spool: String,
    /// The request's mark.
    pub(super) mark: String,
    /// Its shell's process; 0 if that is not known.
    pub(super) pid: u32,
    /// It has said that it begins.
    pub(super) began: bool,
    /// When the host's own watch has ended it at the latest, if it has a time limit.
    pub(super) over: Option<Instant>,
}

impl Handle {
    /// Sends a request down the leased shell and waits for its end, or ends it.
    pub(super) async fn ask(
        &self,
        script: &Script,
        lease: Lease,
        limit: Option<Duration>,
        purpose: Purpose,
    ) -> Result<Asked, HostError> {
        let Lease { mut shell, holds } = lease;
        let environment = &self.task.environment;
        let request =
            request::build(script, environment, limit, &shell.key, &mut shell.known).await?;
        let mut outputs = self.outputs(script, purpose)?;
        let watch = Arc::clone(&outputs.watch);
        let about = match purpose {
            Purpose::Own => shell.pid.unwrap_or(0),
            Purpose::Collect { pid, .. } => pid,
        };
        watch.pid.store(about, Ordering::Relaxed);
        self.host.common.round_trips.fetch_add(1, Ordering::Relaxed);
        let spool = request.spool.clone();
        let mark = request.mark.clone();
        let over =
            limit.and_then(|limit| Instant::now().checked_add(limit.saturating_add(FOR_WATCH)));
        let mut guard = Guard {
            running: Some((&self.host, self.user.as_ref(), &watch)),
        };
        let exchange = shell.exchange(request, &mut outputs);
        let (stop, ended) = self.supervise(exchange, &watch, limit).await;
        guard.running = None;
        // It may have ended before anybody looked at what there was no room for. One that went on without
        // the link is asked for, and ended then.
        let stop = match &ended {
            Some((_, Answer::Ended { .. })) => stop.or_else(|| overflow(&watch)),
            _ => stop,
        };
        let answer = ended.map(|(shell, answer)| {
            if let Some(shell) = shell {
                self.host.give_back(self.user.clone(), shell, holds);
            }
            answer
        });
        let full = |full| stopped(Stop::TooMuch(full), Reply::default());
        let taken = outputs.taken().map_err(full)?;
        let pid = watch.pid.load(Ordering::Relaxed);
        let kept = spool.map(|spool| SpooledRequest {
            spool,
            mark,
            pid,
            over,
            began: matches!(&answer, Some(Answer::Gone(gone)) if gone.began),
        });
        Ok(Asked {
            stop,
            answer,
            taken,
            kept,
        })
    }

    fn outputs(&self, script: &Script, purpose: Purpose) -> Result<Outputs, HostError> {
        let account = &self.host.account;
        let (stdout, stderr, answer) = match &script.stdout {
            Output::Memory => {
                let writer = || Drain::to(Writer::passing(account));
                (writer(), writer(), script.answer)
            }
            Output::Kept => {
                let writer = || Drain::to(Writer::keeping(account));
                (writer(), writer(), usize::MAX)
            }
            Output::File { file, size } => {
                let limit = self.largest_file();
                if *size > limit {
                    return Err(HostError::TooLarge {
                        announced: *size,
                        limit,
                    });
                }
                let file = file.try_clone().map_err(|error| HostError::Local {
                    message: format!("cannot open a file on the control host again: {error}"),
                    hint: "see the limit on open files (`ulimit -n`)".to_owned(),
                })?;
                let sink = Sink::File(tokio::fs::File::from_std(file), *size);
                let stderr = Drain::to(Writer::passing(account));
                (Drain::into_sink(sink), stderr, script.answer)
            }
        };
        let announced = match &script.stdout {
            Output::File { size, .. } => *size,
            Output::Memory | Output::Kept => 0,
        };
        let mut outputs = Outputs {
            stdout,
            stderr,
            progress: self.task.progress.clone().filter(|_| script.stream),
            watch: Arc::new(Watch {
                left: AtomicUsize::new(answer),
                answer: answer as u64,
                announced,
                ..Watch::default()
            }),
        };
        if let Purpose::Collect { seen, .. } = purpose {
            outputs.stdout.head = Head::Reading(Vec::new());
            outputs.stdout.seen = seen.0;
            outputs.stderr.seen = seen.1;
        }
        Ok(outputs)
    }

    /// Waits for the request to end, and ends it before its time where that is asked for.
    async fn supervise(
        &self,
        exchange: impl Future<Output = (Option<Shell>, Answer)>,
        watch: &Watch,
        limit: Option<Duration>,
    ) -> (Option<Stop>, Option<(Option<Shell>, Answer)>) {
        tokio::pin!(exchange);
        let late = async {
            match limit {
                Some(limit) => sleep(limit.saturating_add(FOR_WATCH)).await,
                None => std::future::pending().await,
            }
        };
        let stop = tokio::select! {
            biased;
            ended = &mut exchange => return (None, Some(ended)),
            () = watch.spent.notified() => overflow(watch).unwrap_or(Stop::Unwritable),
            () = self.interruption() => Stop::Interrupted,
            () = late => Stop::Late(limit.unwrap_or_default()),
        };
        // What has begun nothing has nothing to be ended; its shell begins nothing for nobody.
        let begun = async {
            while watch.pid.load(Ordering::Relaxed) == 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            ended = &mut exchange => return (Some(stop), Some(ended)),
            begun = timeout(FOR_BEGIN, begun) => if begun.is_err() {
                return (Some(stop), None);
            }
        }
        let ended = timeout(FOR_END, async {
            tokio::join!(
                &mut exchange,
                Box::pin(end_request(&self.host, self.user.as_ref(), watch))
            )
            .0
        });
        (Some(stop), ended.await.ok())
    }

    /// Returns once the run is interrupted.
    pub(super) async fn interruption(&self) {
        let mut interrupted = self.task.interrupted.clone();
        if interrupted
            .wait_for(|&interrupted| interrupted)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }

    /// A request that ended, and of whose output something is missing.
    pub(super) fn output_lost(&self, status: i32, why: &str) -> HostError {
        HostError::OutputLost {
            message: format!(
                "{}: it ended with status {status}, but not all that it printed is there: on the host, {}",
                self.host.connection.name,
                shortened(why.to_owned())
            ),
            hint: "what it did is done; make room on the host, and see whether it may run again"
                .to_owned(),
        }
    }
}

/// Why not all was taken that came, if it was not.
fn overflow(watch: &Watch) -> Option<Stop> {
    let full = watch.full.get().cloned().map(Stop::TooMuch);
    let exceeded = watch.exceeded.load(Ordering::Relaxed);
    full.or_else(|| exceeded.then_some(Stop::Exceeded(watch.announced)))
}

/// What it means that a request was ended before its time.
pub(super) fn stopped(stop: Stop, reply: Reply) -> HostError {
    match stop {
        Stop::TooMuch(full) => HostError::TooMuchOutput { full },
        Stop::Unwritable => HostError::Local {
            message: "what it printed could not be written to a file of the control host"
                .to_owned(),
            hint: "see that the disk is not full".to_owned(),
        },
        Stop::Exceeded(announced) => HostError::MoreThanAnnounced { announced },
        Stop::Interrupted => HostError::Interrupted,
        Stop::Late(limit) => HostError::TimedOut {
            limit,
            so_far: Box::new(reply),
        },
    }
}

/// Ends the processes of a running request, through a shell of the same user beside it.
async fn end_request(host: &ConnectedHost, user: Option<&Become>, watch: &Watch) {
    let Some((mut shell, _permit)) = host.killer(user).await else {
        return;
    };
    let pid = watch.pid.load(Ordering::Relaxed);
    if pid == 0 {
        return;
    }
    let script = Script::new(format!("_w_kill {pid} 0 {}", request::GRACE)).parts(KILLER);
    if let Ok(request) = request::build(&script, &[], None, &shell.key, &mut shell.known).await {
        let watch = Arc::new(Watch::default());
        let writer = || Drain::to(Writer::passing(&host.account));
        let mut outputs = Outputs {
            stdout: writer(),
            stderr: writer(),
            progress: None,
            watch,
        };
        shell.exchange(request, &mut outputs).await;
    }
}

/// Sees that a request whose waiting is given up (its future dropped) does not run on.
struct Guard<'a> {
    running: Option<(&'a Arc<ConnectedHost>, Option<&'a Become>, &'a Arc<Watch>)>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let Some((host, user, watch)) = self.running
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (host, user, watch) = (Arc::clone(host), user.cloned(), Arc::clone(watch));
            let end = async move { end_request(&host, user.as_ref(), &watch).await };
            runtime.spawn(timeout(FOR_END, end));
        }
    }
}
