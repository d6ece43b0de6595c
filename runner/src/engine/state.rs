//! What the dispatcher knows of the hosts: who is still in, who was notified, and the counts.

use std::collections::HashSet;

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
    /// Hosts of the play that were unreachable or failed in the current batch.
    pub(crate) failed_in_batch: HashSet<String>,
    /// Whether `max_fail_percentage` has ended the current batch.
    pub(crate) batch_failed: bool,
    /// Hosts that are out for others' failures.
    pub(crate) given_up: HashSet<String>,
    /// Whether a play had to go without one of these.
    pub(crate) missed: bool,
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

    /// Forgets what belongs to the play before.
    pub(crate) fn begin_play(&mut self) {
        self.play_over = false;
    }

    /// Forgets what belongs to the batch before.
    pub(crate) fn begin_batch(&mut self) {
        self.failed_in_batch.clear();
        self.batch_failed = false;
    }

    /// Takes a host out of the run.
    pub(crate) fn take_out(&mut self, host: &str) {
        self.out.insert(host.to_owned());
        self.failed_in_batch.insert(host.to_owned());
    }

    /// Takes a host out of the run because others failed.
    pub(crate) fn give_up(&mut self, host: &str) {
        self.given_up.insert(host.to_owned());
        self.take_out(host);
    }
}
