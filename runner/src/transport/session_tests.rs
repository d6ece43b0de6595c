//! Sessions on a stand-in for an ssh master: a socket that speaks its protocol, and shells of this machine
//! behind it. Both ways to open one give the same.

use std::io::{self, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::master::Master;
use super::session::{NoSession, Session, open};

/// What a stand-in does with a session that is asked for.
#[derive(Clone, Copy)]
enum Does {
    /// Runs it and tells its status.
    Runs,
    /// Runs it and goes away without a word.
    GoesAway,
    Refuses,
}

/// A stand-in: where it listens, and whether each session that was asked for wanted the agent.
struct StandIn {
    _dir: tempfile::TempDir,
    socket: PathBuf,
    wanted: Receiver<bool>,
}

impl StandIn {
    fn new(does: Does) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let (tell, wanted) = channel();
        // It ends with the tests.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if let Some(agent) = serve(&mut connection.unwrap(), does) {
                    let _ = tell.send(agent);
                }
            }
        });
        Self {
            _dir: dir,
            socket,
            wanted,
        }
    }

    async fn open(&self, command: &str, agent: bool) -> Result<Opened, NoSession> {
        let (stdin, to) = std::io::pipe().unwrap();
        let (out, stdout) = std::io::pipe().unwrap();
        let (err, stderr) = std::io::pipe().unwrap();
        let master = openssh::Session::resume_mux(self.socket.as_path().into(), None);
        let ends = [stdin.into(), stdout.into(), stderr.into()];
        let session = open(&Arc::new(master), command, ends, agent).await?;
        Ok(Opened {
            session,
            to,
            from: [out, err],
        })
    }
}

struct Opened {
    session: Session,
    to: io::PipeWriter,
    from: [io::PipeReader; 2],
}

/// One packet: its numbers, read as far as they go, and its bytes.
fn read_packet(from: &mut UnixStream) -> Option<(Vec<u32>, Vec<u8>)> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut body).ok()?;
    let numbers = body.chunks_exact(4);
    let numbers = numbers.map(|four| u32::from_be_bytes(four.try_into().unwrap()));
    Some((numbers.collect(), body))
}

fn write_packet(to: &mut UnixStream, numbers: &[u32], text: &str) {
    let body = numbers.iter().flat_map(|number| number.to_be_bytes());
    let mut body: Vec<u8> = body.collect();
    if !text.is_empty() {
        body.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
        body.extend_from_slice(text.as_bytes());
    }
    let mut packet = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    packet.extend_from_slice(&body);
    // Who asked may have let go.
    let _ = to.write_all(&packet);
}

fn read_descriptor(from: &UnixStream) -> OwnedFd {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut into = [IoSliceMut::new(&mut byte)];
    recvmsg(from, &mut into, &mut ancillary, RecvFlags::empty()).unwrap();
    let mut found = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    found.next().expect("a descriptor comes with the byte")
}

/// Serves one connection; whether a session that was asked for wanted the agent. The numbers are those of
/// OpenSSH's PROTOCOL.mux.
fn serve(client: &mut UnixStream, does: Does) -> Option<bool> {
    let (hello, _) = read_packet(client)?;
    assert_eq!(hello, [1, 4]);
    write_packet(client, &hello, "");
    let (asked, body) = read_packet(client)?;
    match asked[0] {
        0x1000_0004 => {
            write_packet(client, &[0x8000_0005, asked[1], 1], "");
            None
        }
        0x1000_0002 => {
            // Type, number, an empty text; terminal, X11, agent, subsystem, escape character, two texts.
            let agent = asked[5] == 1;
            assert_eq!((asked[2], asked[3], asked[6]), (0, 0, 0));
            let text = |at: usize| {
                let length = u32::from_be_bytes(body[at..at + 4].try_into().unwrap()) as usize;
                (&body[at + 4..at + 4 + length], at + 4 + length)
            };
            let (_terminal, at) = text(32);
            let (command, _) = text(at);
            let ends: [OwnedFd; 3] = std::array::from_fn(|_| read_descriptor(client));
            if matches!(does, Does::Refuses) {
                write_packet(client, &[0x8000_0003, asked[1]], "no more sessions");
                return Some(agent);
            }
            let [stdin, stdout, stderr] = ends;
            let mut shell = Command::new("sh");
            let shell = shell.arg("-c").arg(str::from_utf8(command).unwrap());
            let mut shell = (shell.stdin(stdin).stdout(stdout).stderr(stderr))
                .spawn()
                .unwrap();
            write_packet(client, &[0x8000_0006, asked[1], 7], "");
            let status = shell.wait().unwrap();
            if matches!(does, Does::Runs) {
                let code = u32::try_from(status.code().unwrap()).unwrap();
                write_packet(client, &[0x8000_0004, 7, code], "");
            }
            Some(agent)
        }
        other => panic!("{other:x}"),
    }
}

#[tokio::test]
async fn the_agent_is_asked_for_by_who_may_have_it_and_by_nobody_else() {
    let master = StandIn::new(Does::Runs);
    for agent in [true, false] {
        let opened = master.open("exit 0", agent).await.unwrap();
        assert_eq!(opened.session.ended().await, Some(0));
        assert_eq!(master.wanted.recv().unwrap(), agent);
    }
}

#[tokio::test]
async fn the_three_streams_stay_apart() {
    let master = StandIn::new(Does::Runs);
    for agent in [true, false] {
        let opened = master.open("cat; echo err >&2; exit 3", agent).await;
        let mut opened = opened.unwrap();
        opened.to.write_all(b"in and out").unwrap();
        drop(opened.to);
        let [out, err] = opened.from.map(|from| io::read_to_string(from).unwrap());
        assert_eq!((&*out, &*err), ("in and out", "err\n"));
        assert_eq!(opened.session.ended().await, Some(3));
    }
}

#[tokio::test]
async fn every_exit_status_is_told() {
    let master = StandIn::new(Does::Runs);
    for (agent, status) in [true, false].into_iter().flat_map(|agent| {
        let all = [0, 1, 126, 127, 128, 255];
        all.map(|status| (agent, status))
    }) {
        let opened = master.open(&format!("exit {status}"), agent).await;
        assert_eq!(opened.unwrap().session.ended().await, Some(status));
    }
}

#[tokio::test]
async fn a_master_that_goes_away_tells_no_status() {
    let master = StandIn::new(Does::GoesAway);
    for agent in [true, false] {
        let opened = master.open("exit 0", agent).await.unwrap();
        assert_eq!(opened.session.ended().await, None);
    }
}

#[tokio::test]
async fn who_refuses_is_told_from_who_is_not_there() {
    let master = StandIn::new(Does::Refuses);
    for agent in [true, false] {
        let refused = master.open("exit 0", agent).await.err();
        let reason = "no more sessions".to_owned();
        assert_eq!(refused, Some(NoSession::Refused(reason)));
    }
    std::fs::remove_file(&master.socket).unwrap();
    for agent in [true, false] {
        let gone = master.open("exit 0", agent).await.err();
        assert_eq!(gone, Some(NoSession::Gone));
    }
}

async fn wants_agent(socket: &Path, master: &StandIn) -> bool {
    let found = Master::find(socket).await.expect("it is there");
    let mut patience = super::patience::Patience::new(std::time::Duration::from_secs(60));
    let most = patience.left();
    let channel = found.open_shell(&mut patience, most).await;
    drop(channel.ok().expect("it opens one"));
    master.wanted.recv().unwrap()
}

#[tokio::test]
async fn a_master_that_was_found_is_asked_for_the_agent_unless_it_is_marked() {
    let master = StandIn::new(Does::Runs);
    assert!(wants_agent(&master.socket, &master).await);
    std::fs::write(master.socket.with_extension("plain"), "").unwrap();
    assert!(!wants_agent(&master.socket, &master).await);
}
