//! Getting the result of a request that went on while the link was lost.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use windlass_modules::host::{HostError, Reply, Script, Unreachable};

use super::ask::{Handle, Purpose, SpooledRequest, Stop, stopped};
use super::connected_host::Lease;
use super::drain::Seen;
use super::request::COLLECTOR;
use super::shell::Answer;
use super::status::RequestStatus;
use super::unreachable::lost;

/// How long a host may stay out of reach before its request is given up for lost.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long it may stay so when its request's time limit is over: as long as a look at the host takes.
const AFTERWARDS: Duration = Duration::from_secs(15);
/// How often a link may be lost during one request.
const TIMES: u32 = 20;
/// The pauses between attempts grow up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What the collecting script's first line says.
enum Found {
    /// The request ended so, and here is what it printed.
    Done(RequestStatus),
    /// It ended so, but what it printed cannot be had.
    Unread(RequestStatus),
    /// It never began, and never will.
    Unbegun,
    /// Nobody knows.
    Lost,
}

impl Handle {
    /// Connects again and waits for the request to end. `seen`: what of its outputs has been reported.
    /// `None`: it never began.
    pub(super) async fn collect(
        &self,
        kept: &SpooledRequest,
        script: &Script,
        mut seen: Seen,
    ) -> Result<Option<Reply>, HostError> {
        let source = format!("_w_collect {} '{}' {}", kept.spool, kept.mark, kept.pid);
        let mut collector = Script::new(source).parts(COLLECTOR).answer(script.answer);
        collector.stdout = script.stdout.clone();
        collector.stream = script.stream;
        for _ in 0..TIMES {
            let lease = self.reconnect(kept.over).await?;
            let purpose = Purpose::Collect {
                pid: kept.pid,
                seen,
            };
            let asked = self.ask(&collector, lease, None, purpose).await?;
            let stop = asked.stop;
            let Some(Answer::Ended { status: ended, .. }) = asked.answer else {
                if let Some(stop) = stop {
                    return Err(stopped(stop, Reply::default()));
                }
                // Lost once more.
                let came = asked.taken.came;
                seen = Seen(seen.0.max(came.0), seen.1.max(came.1));
                continue;
            };
            let (status, unread) = match read(&asked.taken.head, kept.began, ended.code) {
                Found::Unbegun => return Ok(None),
                Found::Lost => return Err(lost(&self.host.connection, "while a command ran")),
                Found::Done(status) => (status, None),
                Found::Unread(status) => (status, Some(UNREAD)),
            };
            let reply = Reply {
                status: status.code,
                ..asked.taken.reply
            };
            let limit = self.task.limit.or(script.limit).filter(|_| status.late);
            return match stop.or(limit.map(Stop::Late)) {
                Some(stop) => Err(stopped(stop, reply)),
                None => match status.lost.as_deref().or(unread) {
                    Some(why) => Err(self.output_lost(status.code, why)),
                    None => Ok(Some(reply)),
                },
            };
        }
        Err(lost(
            &self.host.connection,
            "again and again while a command ran",
        ))
    }

    /// A new shell, however long the host is away, within bounds: what has been over for long is not waited for.
    async fn reconnect(&self, over: Option<Instant>) -> Result<Lease, HostError> {
        let begin = Instant::now();
        let longest = begin + PATIENCE;
        let end = over.map_or(longest, |over| longest.min(over.max(begin) + AFTERWARDS));
        let mut pause = Duration::from_millis(200);
        loop {
            let lease = tokio::select! {
                lease = self.host.lease(self.user.as_ref()) => lease,
                () = self.interruption() => return Err(HostError::Interrupted),
            };
            match lease {
                Err(HostError::Unreachable { kind, .. })
                    if may_come_back(kind) && Instant::now() < end => {}
                done => return done,
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.interruption() => return Err(HostError::Interrupted),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether waiting may help against this kind of trouble.
fn may_come_back(kind: Unreachable) -> bool {
    match kind {
        Unreachable::Refused
        | Unreachable::NoAnswer
        | Unreachable::Lost
        | Unreachable::UnknownName
        | Unreachable::Other => true,
        Unreachable::HostKeyChanged
        | Unreachable::HostKeyRevoked
        | Unreachable::HostKeyUnknown
        | Unreachable::Authentication
        | Unreachable::NoShell => false,
    }
}

/// What is said of output that is there no more.
const UNREAD: &str = "what it printed cannot be read back";

/// What the collecting script says with its first line and its own status. Of a request that has said
/// that it begins, nobody may say otherwise: it would run twice.
fn read(line: &[u8], began: bool, status: i32) -> Found {
    let line = String::from_utf8_lossy(line);
    match line.trim_end().split_once(' ') {
        Some(("done", ended)) => match RequestStatus::read(ended) {
            Some(ended) if status == 0 => Found::Done(ended),
            Some(ended) => Found::Unread(ended),
            None => Found::Lost,
        },
        None if line.trim_end() == "unbegun" && !began => Found::Unbegun,
        _ => Found::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_begun_is_never_sent_again() {
        assert!(matches!(read(b"unbegun", false, 0), Found::Unbegun));
        assert!(matches!(read(b"unbegun", true, 0), Found::Lost));
        assert!(matches!(read(b"lost", false, 0), Found::Lost));
    }

    #[test]
    fn output_that_could_not_be_given_is_not_taken_for_all_there_was() {
        assert!(matches!(read(b"done 3", true, 0), Found::Done(status) if status.code == 3));
        assert!(matches!(read(b"done 3", true, 1), Found::Unread(status) if status.code == 3));
    }
}
