//! One live shell of one host and user: sends it a request, and reads the answer.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;
use tokio::time::sleep;
use windlass_modules::transcript::{Full, Printed, Writer};

use super::channel::{Channel, Ended, Way};
use super::frame::Frame;
use super::patience::Patience;
use super::prelude;
use super::request::{Known, Payload, Request};
use super::settings::{ProgressSink, Stream};
use super::status::Status;
use super::unreachable::NotReady;
use super::word::random_word;

/// Bytes moved at a time.
const PIECE: usize = 64 << 10;
/// The longest first line that is looked at.
const LONGEST_HEAD: usize = 4096;

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

/// Where one of a request's outputs goes.
pub(super) enum Sink {
    Writer(Writer),
    /// A file, and how many bytes it may still take.
    File(tokio::fs::File, u64),
}

/// One of a request's outputs.
pub(super) struct Drain {
    pub(super) sink: Sink,
    /// The first line, where that is not part of the output.
    pub(super) head: Head,
    /// How many bytes of it, from its beginning, somebody has seen already.
    pub(super) seen: u64,
    /// How many bytes of it have come.
    pub(super) came: u64,
}

/// The first line of an output that tells of the rest.
pub(super) enum Head {
    /// There is none, or it is read.
    Over(Vec<u8>),
    /// What has come of it.
    Reading(Vec<u8>),
}

/// What a request may print, and who else wants to see it.
pub(super) struct Outputs {
    pub(super) stdout: Drain,
    pub(super) stderr: Drain,
    /// Receives both streams as they arrive.
    pub(super) progress: Option<ProgressSink>,
    pub(super) watch: Arc<Watch>,
}

/// What can be seen of a request while it runs.
#[derive(Default)]
pub(super) struct Watch {
    /// Bytes left for an answer, both streams together.
    pub(super) left: AtomicUsize,
    /// How many there were.
    pub(super) answer: u64,
    /// Why no more is taken.
    pub(super) full: OnceLock<Full>,
    /// More came for a file than had been announced.
    pub(super) exceeded: AtomicBool,
    /// Told when no more is taken, or output has nowhere to go.
    pub(super) spent: Notify,
    /// The shell's process on the host; 0 until it is known.
    pub(super) pid: AtomicU32,
}

/// How a request ended.
pub(super) enum Answer {
    /// With the end marker on both streams.
    Ended {
        status: Status,
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

impl Drain {
    /// Into a writer, and nobody has seen anything.
    pub(super) fn to(writer: Writer) -> Self {
        Self::into_sink(Sink::Writer(writer))
    }

    pub(super) fn into_sink(sink: Sink) -> Self {
        Self {
            sink,
            head: Head::Over(Vec::new()),
            seen: 0,
            came: 0,
        }
    }

    /// What of `body`, which comes now, nobody has seen.
    fn unseen<'a>(&self, body: &'a [u8]) -> Option<&'a [u8]> {
        let seen = usize::try_from(self.seen.saturating_sub(self.came)).unwrap_or(usize::MAX);
        body.get(seen..).filter(|unseen| !unseen.is_empty())
    }

    /// What was kept of it.
    pub(super) fn finish(self) -> Result<Printed, Full> {
        match self.sink {
            Sink::Writer(writer) => writer.finish(),
            Sink::File(..) => Ok(Printed::default()),
        }
    }
}

impl Head {
    /// Takes what belongs to the first line, and gives the rest.
    fn take_from<'a>(&mut self, output: &'a [u8]) -> &'a [u8] {
        let Self::Reading(line) = self else {
            return output;
        };
        let end = output.iter().position(|&byte| byte == b'\n');
        let ours = end.unwrap_or(output.len());
        // It is short; of a longer one the beginning tells that it is none of ours.
        let room = LONGEST_HEAD.saturating_sub(line.len());
        line.extend_from_slice(&output[..ours.min(room)]);
        if let Some(end) = end {
            *self = Self::Over(std::mem::take(line));
            return &output[end + 1..];
        }
        &[]
    }

    /// The line, as far as it came.
    pub(super) fn line(&self) -> &[u8] {
        match self {
            Self::Over(line) | Self::Reading(line) => line,
        }
    }
}

impl Watch {
    /// Takes `bytes` off what is left for an answer.
    fn spend(&self, bytes: usize) -> Result<(), Full> {
        let rest = |left: usize| left.checked_sub(bytes);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest)
            .map(drop)
            .map_err(|_| Full::Answer(self.answer))
    }

    /// Takes no more.
    fn refuse(&self, full: Full) {
        let _ = self.full.set(full);
        self.spent.notify_one();
    }
}

/// A shell that has answered before may take so many times as long as a new one to begin a request.
const AGAIN: u32 = 6;
/// More is not read before a request begins: no login shell has that much to say.
const LONGEST_NOISE: usize = 1 << 20;

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
        let shared = Shared {
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
            self.patience.whole * AGAIN
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
            status: Status::read(status).unwrap_or(Status {
                code: 255,
                ..Status::default()
            }),
            trouble: shared.trouble.into_inner().ok().flatten(),
        };
        let in_step = all_sent && !out.desynchronised;
        (in_step.then_some(self), answer)
    }
}

struct Shared<'a> {
    progress: Option<&'a ProgressSink>,
    watch: &'a Watch,
    /// The first thing that went wrong on the control host.
    trouble: Mutex<Option<std::io::Error>>,
    /// How many of the streams have not said that the request begins.
    to_begin: AtomicUsize,
    /// One of them said too much else.
    flood: AtomicBool,
    /// Told when both have begun, or when one floods.
    news: Notify,
}

/// Waits for the answers, which must have begun within `time`. Whether all was sent; why it is given up.
async fn attend<T>(
    sender: impl Future<Output = std::io::Result<()>>,
    answers: impl Future<Output = T>,
    shared: &Shared<'_>,
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

fn note(trouble: &Mutex<Option<std::io::Error>>, error: std::io::Error) {
    if let Ok(mut noted) = trouble.lock() {
        noted.get_or_insert(error);
    }
}

/// Reads one stream until the end marker, or until it ends.
async fn receive(
    pipe: &mut Receiver,
    piece: &mut Vec<u8>,
    frame: &mut Frame,
    drain: &mut Drain,
    stream: Stream,
    shared: &Shared<'_>,
) -> std::io::Result<()> {
    let mut output = Vec::new();
    let mut begun = false;
    piece.resize(PIECE, 0);
    while frame.ended.is_none() {
        let count = pipe.read(piece).await?;
        if count == 0 {
            break;
        }
        frame.feed(&piece[..count], &mut output);
        if !begun && frame.began.is_some() {
            begun = true;
            if shared.to_begin.fetch_sub(1, Ordering::Relaxed) == 1 {
                shared.news.notify_one();
            }
        }
        if !begun && frame.noise_seen > LONGEST_NOISE {
            shared.flood.store(true, Ordering::Relaxed);
            shared.news.notify_one();
            std::future::pending::<()>().await;
        }
        if let Some(pid) = frame.began.as_deref().and_then(|info| info.parse().ok()) {
            // Of a request that another is about, the process is known before.
            let _ = shared
                .watch
                .pid
                .compare_exchange(0, pid, Ordering::Relaxed, Ordering::Relaxed);
        }
        let body = drain.head.take_from(&output);
        if body.is_empty() {
            output.clear();
            continue;
        }
        if let Some(progress) = shared.progress
            && let Some(unseen) = drain.unseen(body)
        {
            progress(stream, unseen);
        }
        drain.came += body.len() as u64;
        match &mut drain.sink {
            Sink::File(file, left) => {
                if let Some(rest) = left.checked_sub(body.len() as u64) {
                    *left = rest;
                    if let Err(error) = file.write_all(body).await {
                        note(&shared.trouble, error);
                        shared.watch.spent.notify_one();
                    }
                } else {
                    // As with answers: read on, and dropped.
                    *left = 0;
                    shared.watch.exceeded.store(true, Ordering::Relaxed);
                    shared.watch.spent.notify_one();
                }
            }
            // What still comes is read, so that the markers behind it are found, and dropped.
            Sink::Writer(_) if shared.watch.full.get().is_some() => {}
            Sink::Writer(writer) => {
                if let Err(full) = shared
                    .watch
                    .spend(body.len())
                    .and_then(|()| writer.push(body))
                {
                    shared.watch.refuse(full);
                }
            }
        }
        output.clear();
    }
    if let Sink::File(file, _) = &mut drain.sink
        && let Err(error) = file.flush().await
    {
        note(&shared.trouble, error);
    }
    Ok(())
}
