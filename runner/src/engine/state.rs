//! What the dispatcher knows of the hosts: who is still in, who was notified, and the counts.

use std::collections::{BTreeSet, HashMap, HashSet};

use indexmap::IndexMap;

use crate::event::Recap;

/// The state of a run. Only the dispatcher has it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each ends something else")]
pub(crate) struct State {
    /// Counts a host, in the order of first appearance.
    pub(crate) recap: IndexMap<String, Recap>,
    /// Hosts that failed, or could not be reached, and are out of the rest of the run.
    pub(crate) out: HashSet<String>,
    /// Hosts that left the current play by `meta: end_host`.
    pub(crate) ended: HashSet<String>,
    /// Handlers that are to run, by their place among the play's handlers, and for which hosts.
    pub(crate) notified: HashMap<usize, BTreeSet<String>>,
    /// Hosts of the play that were unreachable or failed in the current batch.
    pub(crate) failed_in_batch: HashSet<String>,
    /// Whether the current batch was ended for all its hosts.
    pub(crate) batch_over: bool,
    /// Whether the whole play was ended by `meta: end_play`.
    pub(crate) play_over: bool,
    /// Whether the run goes no further.
    pub(crate) stopped: bool,
    /// Whether it stopped for a reason that is no host's.
    pub(crate) broken: bool,
}

impl State {
    /// The counts of a host.
    pub(crate) fn count(&mut self, host: &str) -> &mut Recap {
        if !self.recap.contains_key(host) {
            self.recap.insert(host.to_owned(), Recap::default());
        }
        &mut self.recap[host]
    }

    /// Whether a host still takes part in the current play.
    pub(crate) fn takes_part(&self, host: &str) -> bool {
        !self.batch_over
            && !self.play_over
            && !self.stopped
            && !self.out.contains(host)
            && !self.ended.contains(host)
    }

    /// Those of `hosts` that still take part.
    pub(crate) fn remaining(&self, hosts: &[String]) -> Vec<String> {
        hosts
            .iter()
            .filter(|host| self.takes_part(host))
            .cloned()
            .collect()
    }

    /// Forgets what belongs to the play before.
    pub(crate) fn begin_play(&mut self) {
        self.ended.clear();
        self.play_over = false;
    }

    /// Forgets what belongs to the batch before.
    pub(crate) fn begin_batch(&mut self) {
        self.notified.clear();
        self.failed_in_batch.clear();
        self.batch_over = false;
    }

    /// Takes a host out of the run.
    pub(crate) fn take_out(&mut self, host: &str) {
        self.out.insert(host.to_owned());
        self.failed_in_batch.insert(host.to_owned());
    }
}
