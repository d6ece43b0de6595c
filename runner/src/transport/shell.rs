//! One live shell of one host and user: sends it a request, and waits for the answer.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::channel::{Channel, Ended, Way};
use super::drain::{LONGEST_NOISE, Outputs, OutputsShared, PIECE, note, receive};
use super::frame::Frame;
use super::patience::Patience;
use super::prelude;
use super::request::{Known, Payload, Request};
use super::settings::Stream;
use super::status::RequestStatus;
use super::unreachable::NotReady;
use super::word::random_word;

/// A shell that takes requests, one at a time.
pub(super) struct Shell {
    channel: Channel,
    /// The word that this shell's requests begin with.
    pub(super) key: String,
    pub(super) known: Known,
    /// Its process on the host, once it has answered.
    pub(super) pid: Option<u32>,
    /// What has to be sent before the first request.
    boot: Vec<u8>,
    /// How long it may take until it has answered for the first time.
    patience: Patience,
    /// What is read into, kept from one request to the next.
    pieces: [Vec<u8>; 2],
}

/// How a request ended.
pub(super) enum Answer {
    /// With the end marker on both streams.
    Ended {
        status: RequestStatus,
        /// What went wrong on the control host.
        trouble: Option<std::io::Error>,
    },
    /// The shell went away.
    Gone(Gone),
}

/// A shell that went away before the end marker.
pub(super) struct Gone {
    /// The begin marker had been seen.
    pub(super) began: bool,
    pub(super) ended: Ended,
    /// What it said before any request.
    pub(super) noise: String,
    /// It was given up: it did not say in time that the request begins.
    pub(super) not_ready: Option<NotReady>,
}

/// A shell that has answered before may take so many times as long as a new one to begin a request.
const AGAIN: u32 = 6;
impl Shell {
    pub(super) fn new(channel: Channel, patience: Patience) -> Self {
        let key = random_word();
        let boot = prelude::boot(&key);
        Self {
            channel,
            key,
            known: Known::default(),
            pid: None,
            boot,
            patience,
            pieces: Default::default(),
        }
    }

    /// Whether it has answered before.
    pub(super) fn has_answered(&self) -> bool {
        self.pid.is_some()
    }

    /// Whether it is still there, as far as can be told without asking. Reads away late output of
    /// earlier requests' children.
    pub(super) fn is_there(&mut self) -> bool {
        let mut piece = [0; 4096];
        // One that never stops talking is of no more use.
        for _ in 0..LONGEST_NOISE / piece.len() {
            match self.channel.stdout.try_read(&mut piece) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
        false
    }

    /// Sends `request` and waits for its end. Gives the shell back where it can be used again.
    pub(super) async fn exchange(
        mut self,
        request: Request,
        outputs: &mut Outputs,
    ) -> (Option<Self>, Answer) {
        let boot = std::mem::take(&mut self.boot);
        if self.known.spool.is_some() {
            self.channel.stdin.farewell = format!("{} _w_bye\n", self.key).into_bytes();
        }
        let mut out = Frame::new(&request.mark);
        let mut err = Frame::new(&request.mark);
        let Outputs {
            stdout: to_stdout,
            stderr: to_stderr,
            progress,
            watch,
        } = outputs;
        let shared = OutputsShared {
            progress: progress.as_ref(),
            watch,
            trouble: Mutex::new(None),
            to_begin: AtomicUsize::new(2),
            flood: AtomicBool::new(false),
            news: Notify::new(),
        };
        let time = if self.pid.is_none() {
            self.patience.left()
        } else {
            self.patience.whole.saturating_mul(AGAIN)
        };
        let Channel {
            stdin,
            stdout,
            stderr,
            ..
        } = &mut self.channel;
        let [piece_out, piece_err] = &mut self.pieces;
        let (all_sent, not_ready) = {
            let sender = send(stdin, &boot, request, &shared.trouble);
            let answers = async {
                tokio::join!(
                    receive(
                        stdout,
                        piece_out,
                        &mut out,
                        to_stdout,
                        Stream::Stdout,
                        &shared
                    ),
                    receive(
                        stderr,
                        piece_err,
                        &mut err,
                        to_stderr,
                        Stream::Stderr,
                        &shared
                    ),
                )
            };
            attend(sender, answers, &shared, time).await
        };
        let not_ready = not_ready.map(|why| match why {
            // Other things were waited for before.
            NotReady::Silent(waited) => NotReady::Silent(waited.max(self.patience.whole)),
            NotReady::Flood => NotReady::Flood,
        });
        if let Some(pid) = out.began.as_deref().and_then(|info| info.parse().ok()) {
            self.pid = Some(pid);
        }
        let (Some(status), Some(_)) = (&out.ended, &err.ended) else {
            let noise = [out.noise, err.noise].concat();
            let gone = Gone {
                began: out.began.is_some(),
                ended: match not_ready {
                    // It is let go of as it is.
                    Some(_) => Ended::Lost,
                    None => self.channel.link.ended().await,
                },
                noise: String::from_utf8_lossy(&noise).into_owned(),
                not_ready,
            };
            return (None, Answer::Gone(gone));
        };
        let answer = Answer::Ended {
            status: RequestStatus::read(status).unwrap_or(RequestStatus {
                code: 255,
                ..RequestStatus::default()
            }),
            trouble: shared.trouble.into_inner().ok().flatten(),
        };
        let in_step = all_sent && !out.desynchronised;
        (in_step.then_some(self), answer)
    }
}

/// Waits for the answers, which must have begun within `time`. Whether all was sent; why it is given up.
async fn attend<T>(
    sender: impl Future<Output = std::io::Result<()>>,
    answers: impl Future<Output = T>,
    shared: &OutputsShared<'_>,
    time: Duration,
) -> (bool, Option<NotReady>) {
    let too_late = sleep(time);
    tokio::pin!(sender, answers, too_late);
    let (mut sending, mut all_sent, mut begun) = (true, false, false);
    loop {
        tokio::select! {
            _ = &mut answers => return (all_sent, None),
            () = shared.news.notified(), if !begun => {
                if shared.flood.load(Ordering::Relaxed) {
                    return (all_sent, Some(NotReady::Flood));
                }
                begun = true;
            }
            () = &mut too_late, if !begun => {
                return (all_sent, Some(NotReady::Silent(time)));
            }
            // Trouble in sending shows in the answers: the shell went away, or goes away
            // when its input is cut off.
            done = &mut sender, if sending => {
                sending = false;
                all_sent = done.is_ok();
            }
        }
    }
}

/// Sends everything. A file that turns out shorter than it was cuts the input off.
async fn send(
    stdin: &mut Way,
    boot: &[u8],
    request: Request,
    trouble: &Mutex<Option<std::io::Error>>,
) -> std::io::Result<()> {
    let Some(pipe) = &mut stdin.pipe else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    let Request {
        head,
        payload,
        trailer,
        ..
    } = request;
    let mut first = boot.to_vec();
    first.extend_from_slice(&head);
    match payload {
        Payload::None => pipe.write_all(&first).await?,
        Payload::Bytes(bytes) if bytes.len() <= PIECE => {
            first.extend_from_slice(&bytes);
            first.extend_from_slice(&trailer);
            pipe.write_all(&first).await?;
        }
        Payload::Bytes(bytes) => {
            pipe.write_all(&first).await?;
            pipe.write_all(&bytes).await?;
            pipe.write_all(&trailer).await?;
        }
        Payload::Secret(secret) => {
            pipe.write_all(&first).await?;
            pipe.write_all(secret.expose().as_bytes()).await?;
            pipe.write_all(&trailer).await?;
        }
        Payload::File(file, length) => {
            pipe.write_all(&first).await?;
            let mut file = file.take(length);
            let mut piece = vec![0; PIECE];
            let mut left = length;
            while left > 0 {
                let count = match file.read(&mut piece).await {
                    Ok(count) if count > 0 => count,
                    other => {
                        let error = other
                            .err()
                            .unwrap_or_else(|| std::io::ErrorKind::UnexpectedEof.into());
                        note(trouble, error);
                        stdin.pipe = None;
                        return Err(std::io::ErrorKind::UnexpectedEof.into());
                    }
                };
                pipe.write_all(&piece[..count]).await?;
                left -= count as u64;
            }
            pipe.write_all(&trailer).await?;
        }
    }
    Ok(())
}
