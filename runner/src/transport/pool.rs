//! All hosts of a run, each with what is open to it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use windlass_modules::host::{Host, HostError};
use windlass_modules::transcript::Ledger;

use super::ask::Handle;
use super::connected_host::{ConnectedHost, TransportShared};
use super::gate::Gate;
use super::settings::{Connection, Limits, TaskSettings};

/// How long a shell of the control host may take until it is ready.
pub(super) const FOR_LOCAL: Duration = Duration::from_secs(60);

/// The way to all hosts. Clones share everything.
#[derive(Clone)]
pub struct Transport {
    common: Arc<TransportShared>,
    hosts: Arc<Mutex<HashMap<Connection, Arc<ConnectedHost>>>>,
}

impl Transport {
    /// A transport with nothing open yet.
    pub fn new(limits: Limits) -> Self {
        Self::with_local_shell(limits, &["sh"], FOR_LOCAL)
    }

    /// With another shell of the control host than its `sh`, and other patience.
    pub(super) fn with_local_shell(
        limits: Limits,
        local_shell: &'static [&'static str],
        local_patience: Duration,
    ) -> Self {
        let gate = Gate::new(limits.connects_at_once, limits.connects_per_second);
        let ledger = Ledger::new(limits.output);
        let (connects, round_trips) = (AtomicU64::new(0), AtomicU64::new(0));
        Self {
            common: Arc::new(TransportShared {
                limits,
                gate,
                ledger,
                local_shell,
                local_patience,
                connects,
                round_trips,
            }),
            hosts: Arc::default(),
        }
    }

    /// The host behind `connection`, as `task` sees it. Connects when first asked to run something.
    pub fn host(&self, connection: &Arc<Connection>, task: TaskSettings) -> Arc<dyn Host> {
        let host = self.connected(connection);
        let user = host.other_user(task.become_user.clone());
        Arc::new(Handle { host, task, user })
    }

    /// Connects ahead of the first request, so that the handshake costs no waiting later.
    pub async fn connect(&self, connection: &Arc<Connection>) -> Result<(), HostError> {
        self.connected(connection).connect().await
    }

    /// Drops what is open to a host, its ssh master included: groups and configuration are read again
    /// (`meta: reset_connection`).
    pub async fn reset(&self, connection: &Connection) {
        let host = self.lock().get(connection).cloned();
        if let Some(host) = host {
            host.reset().await;
        }
    }

    /// How much of what hosts print is kept.
    pub fn ledger(&self) -> &Ledger {
        &self.common.ledger
    }

    /// Lets all shells go. Masters stay a while for the next run to find.
    pub fn close(&self) {
        for host in self.lock().values() {
            host.let_shells_go();
        }
    }

    /// How many requests have been sent: one for an ordinary script.
    pub fn count_round_trips(&self) -> u64 {
        self.common.round_trips.load(Ordering::Relaxed)
    }

    /// How many ssh masters have been started.
    pub fn count_connects(&self) -> u64 {
        self.common.connects.load(Ordering::Relaxed)
    }

    fn connected(&self, connection: &Arc<Connection>) -> Arc<ConnectedHost> {
        let mut hosts = self.lock();
        if let Some(host) = hosts.get(&**connection) {
            return Arc::clone(host);
        }
        let host = Arc::new(ConnectedHost::new(
            Arc::clone(connection),
            Arc::clone(&self.common),
        ));
        hosts.insert((**connection).clone(), Arc::clone(&host));
        host
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Connection, Arc<ConnectedHost>>> {
        // Only looked up and added to while locked: a panic elsewhere leaves it whole.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
