//! What starts next, and on which hosts.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::position::Course;
use super::program::StepId;
use crate::playbook::Strategy;

/// The hosts of a batch, in their order.
pub(crate) type Hosts = IndexMap<String, Course>;

/// A step that is to start on some hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) step: StepId,
    pub(crate) hosts: Vec<String>,
    /// Where it is in the order of all steps.
    pub(crate) order: Vec<usize>,
}

/// What goes on at this time.
#[derive(Debug)]
pub(crate) struct Now<'a> {
    /// Hosts on which something runs.
    pub(crate) busy: &'a HashSet<String>,
    /// Hosts that may have become idle since this was asked before: for `free`, which starts each of these and
    /// need not look at the others.
    pub(crate) idle: &'a [String],
    /// So many hosts at the beginning have nothing more to do.
    pub(crate) over: usize,
    /// How many hosts may be on their way at a time, where the strategy asks for it.
    pub(crate) at_once: usize,
    /// Where the last turn was in the order of all steps.
    pub(crate) last: &'a [usize],
}

/// What starts now. Nothing to start and nothing running is the end.
pub(crate) fn next(strategy: Strategy, hosts: &Hosts, now: &Now<'_>) -> Vec<Turn> {
    match strategy {
        Strategy::Linear if now.busy.is_empty() => linear(hosts, now.last).into_iter().collect(),
        Strategy::Linear => Vec::new(),
        Strategy::Free => {
            let idle = now.idle.iter().filter_map(|host| hosts.get(host));
            each(idle, now)
        }
        Strategy::HostPinned => {
            let left = hosts.values().skip(now.over);
            let on_their_way = left.filter(|course| course.is_on_its_way());
            each(on_their_way.take(now.at_once), now)
        }
    }
}

/// The lowest step after the last one that some host is at, on all hosts that are at it. Where there is none,
/// as others' failures and cleared errors bring hosts back, the lowest of all: ansible-core's order.
fn linear(hosts: &Hosts, last: &[usize]) -> Option<Turn> {
    let on_their_way = || hosts.values().filter(|course| course.is_on_its_way());
    let lowest = |one: &&Course, other: &&Course| one.order().cmp(other.order());
    let later = on_their_way().filter(|course| course.order().gt(last.iter().copied()));
    let first = later
        .min_by(lowest)
        .or_else(|| on_their_way().min_by(lowest))?;
    let step = first.step()?;
    let together = on_their_way().filter(|course| course.order().eq(first.order()));
    let together = together.filter(|course| course.step() == Some(step));
    Some(Turn {
        step,
        hosts: together.map(|course| course.host().to_owned()).collect(),
        order: first.order().collect(),
    })
}

/// Each idle host's own step.
fn each<'a>(hosts: impl Iterator<Item = &'a Course>, now: &Now<'_>) -> Vec<Turn> {
    let idle = hosts.filter(|course| course.is_on_its_way() && !now.busy.contains(course.host()));
    idle.filter_map(|course| {
        Some(Turn {
            step: course.step()?,
            hosts: vec![course.host().to_owned()],
            order: course.order().collect(),
        })
    })
    .collect()
}
