//! Where a request's output goes: into a writer or a file, past who watches, and no further than there is room.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;
use windlass_modules::host::Reply;
use windlass_modules::transcript::{Full, Printed, Writer};

use super::frame::Frame;
use super::settings::{ProgressSink, Stream};

/// Bytes moved at a time.
pub(super) const PIECE: usize = 64 << 10;
/// The longest first line that is looked at.
const LONGEST_HEAD: usize = 4096;

/// More is not read before a request begins: no login shell has that much to say.
pub(super) const LONGEST_NOISE: usize = 1 << 20;

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

/// The first line of an output that describes the rest.
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

/// What was taken of a request's outputs.
pub(super) struct Taken {
    /// The first line of what it printed, where that is asked for.
    pub(super) head: Vec<u8>,
    /// What it printed, where that does not go to a file. Its status is not known here.
    pub(super) reply: Reply,
    /// How many bytes of its outputs have come.
    pub(super) came: Seen,
}

/// How many bytes of standard output and standard error have been seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen(pub(super) u64, pub(super) u64);

/// What can be seen of a request while it runs.
#[derive(Default)]
pub(super) struct Watch {
    /// Bytes left for an answer, both streams together.
    pub(super) left: AtomicUsize,
    /// How many there were.
    pub(super) answer: u64,
    /// Why no more is taken.
    pub(super) full: OnceLock<Full>,
    /// How many bytes were announced for a file.
    pub(super) announced: u64,
    /// More came for it.
    pub(super) exceeded: AtomicBool,
    /// Told when no more is taken, or output has nowhere to go.
    pub(super) spent: Notify,
    /// The shell's process on the host; 0 until it is known.
    pub(super) pid: AtomicU32,
}

/// What the two outputs of a request have in common.
pub(super) struct OutputsShared<'a> {
    pub(super) progress: Option<&'a ProgressSink>,
    pub(super) watch: &'a Watch,
    /// The first thing that went wrong on the control host.
    pub(super) trouble: Mutex<Option<std::io::Error>>,
    /// How many of the streams have not said that the request begins.
    pub(super) to_begin: AtomicUsize,
    /// One of them said too much else.
    pub(super) flood: AtomicBool,
    /// Told when both have begun, or when one floods.
    pub(super) news: Notify,
}

impl Outputs {
    /// What was taken of them.
    pub(super) fn taken(self) -> Result<Taken, Full> {
        Ok(Taken {
            came: Seen(self.stdout.came, self.stderr.came),
            head: self.stdout.head.line().to_vec(),
            reply: Reply {
                status: 0,
                stdout: self.stdout.finish()?,
                stderr: self.stderr.finish()?,
            },
        })
    }
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

    /// Takes `body`, which comes now, where there is room for it. What comes after that is read, so that
    /// the markers behind it are found, and dropped.
    async fn take(&mut self, body: &[u8], shared: &OutputsShared<'_>) {
        let watch = shared.watch;
        self.came += body.len() as u64;
        match &mut self.sink {
            Sink::File(file, left) => {
                if let Some(rest) = left.checked_sub(body.len() as u64) {
                    *left = rest;
                    if let Err(error) = file.write_all(body).await {
                        note(&shared.trouble, error);
                        watch.spent.notify_one();
                    }
                } else {
                    *left = 0;
                    watch.exceeded.store(true, Ordering::Relaxed);
                    watch.spent.notify_one();
                }
            }
            Sink::Writer(_) if watch.full.get().is_some() => {}
            Sink::Writer(writer) => {
                if let Err(full) = watch.spend(body.len()).and_then(|()| writer.push(body)) {
                    watch.refuse(full);
                }
            }
        }
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

/// Keeps the first thing that went wrong on the control host.
pub(super) fn note(trouble: &Mutex<Option<std::io::Error>>, error: std::io::Error) {
    if let Ok(mut noted) = trouble.lock() {
        noted.get_or_insert(error);
    }
}

/// Reads one stream until the end marker, or until it ends.
pub(super) async fn receive(
    pipe: &mut Receiver,
    piece: &mut Vec<u8>,
    frame: &mut Frame,
    drain: &mut Drain,
    stream: Stream,
    shared: &OutputsShared<'_>,
) -> std::io::Result<()> {
    let mut output = Vec::new();
    let mut begun = false;
    // Not filled with zeros: of a host that prints little, little of it is ever touched.
    piece.reserve_exact(PIECE.saturating_sub(piece.len()));
    while frame.ended.is_none() {
        piece.clear();
        if pipe.read_buf(piece).await? == 0 {
            break;
        }
        frame.feed(piece, &mut output);
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
        drain.take(body, shared).await;
        output.clear();
    }
    if let Sink::File(file, _) = &mut drain.sink
        && let Err(error) = file.flush().await
    {
        note(&shared.trouble, error);
    }
    Ok(())
}
