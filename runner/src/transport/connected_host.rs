//! One host: its ssh master and its live shells, shared by all tasks that need them.
//!
//! A request has a shell to itself. At most `channels_per_master` shells are open; who comes later
//! waits for one, in order.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as PlainMutex};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};
use windlass_modules::host::{HostError, Unreachable};
use windlass_modules::transcript::{Account, Ledger};

use super::becoming::change_user;
use super::channel::Channel;
use super::control_dir::{control_dir, socket_name, sweep};
use super::gate::Gate;
use super::local;
use super::master::{Master, NoChannel};
use super::password::check_passwords;
use super::patience::Patience;
use super::settings::{Become, Connection, ConnectionKind, Limits, SshSettings};
use super::shell::Shell;
use super::unreachable::{lost, no_answer, other_key};

/// How many shells of the control host may be open at once: tasks of many hosts are delegated to it.
const LOCAL_SHELLS: usize = 64;

/// What all hosts of a transport share.
pub(super) struct TransportShared {
    pub(super) limits: Limits,
    pub(super) gate: Gate,
    pub(super) ledger: Ledger,
    /// The control host's shell.
    pub(super) local_shell: &'static [&'static str],
    /// How long that may take until it is ready.
    pub(super) local_patience: Duration,
    /// Masters started.
    pub(super) connects: AtomicU64,
    /// Requests sent.
    pub(super) round_trips: AtomicU64,
}

/// One host.
pub(super) struct ConnectedHost {
    pub(super) connection: Arc<Connection>,
    pub(super) common: Arc<TransportShared>,
    /// What is kept of what it prints draws on this.
    pub(super) account: Arc<Account>,
    master: Mutex<Held>,
    idle: PlainMutex<Vec<(Option<Become>, Shell, Slot)>>,
    /// Who holds one may have a shell open.
    turns: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
    bound: AtomicUsize,
    /// Shells that end others' requests, beside the rest.
    killers: Semaphore,
    /// What the user should know, until it is told.
    notice: PlainMutex<Notice>,
}

/// That the host's key is another than the one on record.
#[derive(Default)]
enum Notice {
    #[default]
    None,
    ToTell(String),
    Told,
}

/// The ssh master, and what became of the last try to have one.
#[derive(Default)]
struct Held {
    master: Option<Arc<Master>>,
    failed: Option<(Instant, HostError)>,
}

/// One open shell, as counted.
pub(super) struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A shell for one request, with the turn that allows it.
pub(super) struct Lease {
    pub(super) shell: Shell,
    pub(super) holds: Holds,
}

/// What a shell counts for while it is used.
pub(super) struct Holds {
    slot: Slot,
    _turn: OwnedSemaphorePermit,
}

impl ConnectedHost {
    pub(super) fn new(connection: Arc<Connection>, common: Arc<TransportShared>) -> Self {
        let bound = match connection.kind {
            ConnectionKind::Local => LOCAL_SHELLS,
            ConnectionKind::Ssh(_) => common.limits.channels_per_master.max(1),
        };
        Self {
            account: common.ledger.account(&connection.name),
            connection,
            common,
            master: Mutex::default(),
            idle: PlainMutex::new(Vec::new()),
            turns: Arc::new(Semaphore::new(bound)),
            open: Arc::new(AtomicUsize::new(0)),
            bound: AtomicUsize::new(bound),
            killers: Semaphore::new(1),
            notice: PlainMutex::default(),
        }
    }

    /// The user to become, if that is another than the one who connects.
    pub(super) fn other_user(&self, wanted: Option<Become>) -> Option<Become> {
        wanted.filter(|wanted| match &self.connection.kind {
            ConnectionKind::Ssh(settings) => settings.user.as_deref() != Some(wanted.user.as_str()),
            // Who runs as root is root already.
            ConnectionKind::Local => {
                !(wanted.user == "root" && rustix::process::geteuid().is_root())
            }
        })
    }

    /// A shell of `user`: an idle one, or a new one, after waiting for a turn.
    pub(super) async fn lease(&self, user: Option<&Become>) -> Result<Lease, HostError> {
        check_passwords(&self.connection, user)?;
        let mut patience = self.patience();
        loop {
            let turn = Arc::clone(&self.turns).acquire_owned().await;
            let turn = turn.expect("the semaphore is never closed");
            if let Some((shell, slot)) = self.take_idle(user) {
                return Ok(Lease {
                    shell,
                    holds: Holds { slot, _turn: turn },
                });
            }
            self.make_room();
            let slot = Slot::new(&self.open);
            match self.open_shell(user, &mut patience).await? {
                Ok(shell) => {
                    return Ok(Lease {
                        shell,
                        holds: Holds { slot, _turn: turn },
                    });
                }
                Err(reason) => {
                    drop(slot);
                    self.refused(turn, &reason, &mut patience).await?;
                }
            }
        }
    }

    /// Takes a shell back for the next request.
    pub(super) fn give_back(&self, user: Option<Become>, shell: Shell, holds: Holds) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.push((user, shell, holds.slot));
        }
    }

    fn take_idle(&self, user: Option<&Become>) -> Option<(Shell, Slot)> {
        loop {
            let (mut shell, slot) = {
                let mut idle = self.idle.lock().ok()?;
                let at = idle.iter().rposition(|(of, ..)| of.as_ref() == user)?;
                let (_, shell, slot) = idle.remove(at);
                (shell, slot)
            };
            if shell.is_there() {
                return Some((shell, slot));
            }
        }
    }

    /// Lets the longest idle shell go where one more would be too many.
    fn make_room(&self) {
        if let Ok(mut idle) = self.idle.lock()
            && self.open.load(Ordering::Relaxed) >= self.bound.load(Ordering::Relaxed)
            && !idle.is_empty()
        {
            idle.remove(0);
        }
    }

    /// The host allows fewer sessions than we thought: then one turn fewer is given from now on. If
    /// none of its sessions is ours, waits for another run's to end.
    async fn refused(
        &self,
        turn: OwnedSemaphorePermit,
        reason: &str,
        patience: &mut Patience,
    ) -> Result<(), HostError> {
        let had_idle = self.idle.lock().is_ok_and(|mut idle| {
            let any = !idle.is_empty();
            idle.clear();
            any
        });
        let others = self.open.load(Ordering::Relaxed);
        if !had_idle && others > 0 && self.bound.load(Ordering::Relaxed) > others {
            self.bound.store(others, Ordering::Relaxed);
            turn.forget();
        } else {
            drop(turn);
            let pause = sleep(Duration::from_millis(100));
            if patience.wait(pause).await.is_err() {
                return Err(HostError::Unreachable {
                    kind: Unreachable::Other,
                    message: format!(
                        "{}: the host opens no more sessions ({reason})",
                        self.connection.name
                    ),
                    hint: "raise MaxSessions in its sshd_config, or let other runs end first"
                        .to_owned(),
                });
            }
        }
        Ok(())
    }

    /// How long the host may take until a shell is ready.
    fn patience(&self) -> Patience {
        Patience::new(match &self.connection.kind {
            ConnectionKind::Local => self.common.local_patience,
            ConnectionKind::Ssh(settings) => settings.connect_timeout,
        })
    }

    /// Opens a shell and changes its user. The inner error is the host's refusal of one more session.
    async fn open_shell(
        &self,
        user: Option<&Become>,
        patience: &mut Patience,
    ) -> Result<Result<Shell, String>, HostError> {
        let mut channel = match self.open_channel(patience).await? {
            Ok(channel) => channel,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some(user) = user {
            Box::pin(change_user(&mut channel, user, &self.connection, patience)).await?;
        }
        Ok(Ok(Shell::new(channel, *patience)))
    }

    async fn open_channel(
        &self,
        patience: &mut Patience,
    ) -> Result<Result<Channel, String>, HostError> {
        let ConnectionKind::Ssh(settings) = &self.connection.kind else {
            return local::open_shell(self.common.local_shell).map(Ok);
        };
        // A master that an earlier run left, or that served us before, may be gone: then a new one, for
        // which there must be time left.
        for _ in 0..3 {
            let (master, new) = self.master(settings, patience).await?;
            let most = if new {
                patience.left()
            } else {
                patience.left() / 2
            };
            match master.open_shell(patience, most).await {
                Ok(channel) => return Ok(Ok(channel)),
                Err(NoChannel::Refused(reason)) => return Ok(Err(reason)),
                Err(NoChannel::Here(error)) => return Err(error),
                Err(NoChannel::Gone) => self.forget(&master).await,
            }
            if patience.left().is_zero() {
                return Err(no_answer(&self.connection, settings, patience.whole));
            }
        }
        Err(lost(
            &self.connection,
            "as soon as it was made, three times",
        ))
    }

    /// A shell beside the others, which ends their requests.
    pub(super) async fn killer(&self, user: Option<&Become>) -> Option<(Shell, impl Sized + '_)> {
        let permit = self.killers.acquire().await.ok()?;
        let mut patience = self.patience();
        let shell = self.open_shell(user, &mut patience).await.ok()?.ok()?;
        Some((shell, permit))
    }

    /// The live master, found or started; whether it was started now. Who waited while a try failed
    /// does not try again.
    async fn master(
        &self,
        settings: &SshSettings,
        patience: &mut Patience,
    ) -> Result<(Arc<Master>, bool), HostError> {
        let came = Instant::now();
        let mut held = self.master.lock().await;
        if let Some(master) = &held.master {
            return Ok((Arc::clone(master), false));
        }
        if let Some((when, error)) = &held.failed
            && *when >= came
        {
            return Err(error.clone());
        }
        let folder = control_dir(&self.common.limits)?;
        let socket = folder.join(socket_name(settings));
        if let Some(found) = Master::find(&socket).await {
            return Ok((self.keep(&mut held, settings, found), false));
        }
        if self.common.connects.fetch_add(1, Ordering::Relaxed) == 0 {
            sweep(&folder);
        }
        let TransportShared { limits, gate, .. } = &*self.common;
        let started = Box::pin(Master::start(
            &self.connection,
            settings,
            limits,
            &socket,
            gate,
            patience,
        ));
        match started.await {
            Ok(master) => Ok((self.keep(&mut held, settings, master), true)),
            Err(error) => {
                held.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Keeps a master, and what is to be said of it.
    fn keep(&self, held: &mut Held, settings: &SshSettings, master: Master) -> Arc<Master> {
        if master.other_key
            && let Ok(mut notice) = self.notice.lock()
            && matches!(*notice, Notice::None)
        {
            *notice = Notice::ToTell(other_key(&self.connection, settings));
        }
        Arc::clone(held.master.insert(Arc::new(master)))
    }

    /// What the user should know and has not been told.
    pub(super) fn take_notice(&self) -> Option<String> {
        let mut notice = self.notice.lock().ok()?;
        if !matches!(*notice, Notice::ToTell(_)) {
            return None;
        }
        match std::mem::replace(&mut *notice, Notice::Told) {
            Notice::ToTell(text) => Some(text),
            Notice::None | Notice::Told => None,
        }
    }

    /// Connects without opening a shell.
    pub(super) async fn connect(&self) -> Result<(), HostError> {
        match &self.connection.kind {
            ConnectionKind::Local => Ok(()),
            ConnectionKind::Ssh(settings) => {
                check_passwords(&self.connection, None)?;
                let mut patience = self.patience();
                self.master(settings, &mut patience).await.map(drop)
            }
        }
    }

    /// The master did not answer: it is ended, if it is still this one.
    async fn forget(&self, gone: &Arc<Master>) {
        let mut held = self.master.lock().await;
        if held
            .master
            .as_ref()
            .is_some_and(|master| Arc::ptr_eq(master, gone))
        {
            held.master = None;
            gone.stop().await;
        }
    }

    /// Lets all idle shells go, and keeps the master.
    pub(super) fn let_shells_go(&self) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.clear();
        }
    }

    /// Ends the master and all shells: the next request reconnects.
    pub(super) async fn reset(&self) {
        self.let_shells_go();
        if let Some(master) = self.master.lock().await.master.take() {
            master.stop().await;
        }
    }
}
