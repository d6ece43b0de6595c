//! Which runs there are: which mode with which modules, in which format.

use std::collections::BTreeSet;
use std::time::Duration;

use windlass_tests::hostile::modes::{
    Frames, Heavy, Held, MODES, Mode, Records, Sshd, Tools, Way, Words,
};

use crate::proof;
use crate::run::{Bounds, Format};

/// All pairs, or enough to have each mode and each module.
pub const ALL: bool = cfg!(feature = "hostile");
/// Seconds for a task of a hostile host.
const LIMIT: u32 = 2;
/// The same where it says much.
pub const LONG_LIMIT: u32 = 120;
/// What one host may add to the program's memory, in KiB.
const A_HOST: u64 = 1 << 10;
/// What all results may take in memory before they go to a file, in KiB.
pub const RESULTS: u64 = 256 << 10;
/// The program itself, in KiB: a build for tests, with all its texts and tables.
pub const PROGRAM: u64 = 160 << 10;
/// How much longer than its bound anything may take: other tests are running.
pub const SLACK: Duration = Duration::from_secs(30);

/// One run to be.
pub struct Job {
    pub mode: &'static Mode,
    pub modules: Vec<&'static str>,
    pub format: Format,
}

impl Job {
    /// Seconds for a task of a hostile host.
    pub fn limit(&self) -> u32 {
        match self.mode.held {
            Held::Timeout | Held::Connect => LIMIT,
            Held::Size | Held::Data => LONG_LIMIT,
        }
    }

    /// How long it may take, all in all, and how much.
    pub fn bounds(&self) -> Bounds {
        let tasks = u32::try_from(self.modules.len() * 3 + 4).unwrap_or(u32::MAX);
        let time = match self.mode.held {
            Held::Connect | Held::Timeout => proof::longest(self.mode, LIMIT) * tasks,
            Held::Size | Held::Data => Duration::from_secs(400),
        };
        let hosts = u64::try_from(self.mode.hosts() + 2).unwrap_or(u64::MAX);
        Bounds {
            time: time + SLACK * 2,
            memory: hosts * A_HOST + RESULTS + PROGRAM,
        }
    }
}

/// The words of an environment variable that chooses some.
fn chosen(variable: &str) -> Option<Vec<String>> {
    let text = std::env::var(variable).ok()?;
    Some(text.split_whitespace().map(str::to_owned).collect())
}

/// Whether nothing is left out by the environment.
pub fn is_whole() -> bool {
    chosen("HOSTILE_MODES").is_none() && chosen("HOSTILE_MODULES").is_none()
}

/// Modules that a mode is about most of all.
fn focus(mode: &Mode) -> &'static [&'static str] {
    match mode.way {
        Way::Records(
            Records::Paths | Records::Longer | Records::Shorter | Records::Endless | Records::Sums,
        ) => &["fetch", "slurp"],
        Way::Records(Records::Token) => &["kubeadm_token"],
        Way::Records(Records::Facts) | Way::Heavy(Heavy::Mounts) => &["setup"],
        Way::Tools(Tools::Full) => &["shell"],
        Way::Tools(Tools::DeepJson | Tools::WrongJson) => {
            &["kube_nodes", "node_metadata", "wait_nodes", "wait_pods"]
        }
        Way::Frames(Frames::StopsReading) => &["copy"],
        // Where no init system and no such module of the kernel is, nothing but a lie lets them come to their end.
        Way::Frames(Frames::EndFirst) => &["modprobe", "service"],
        Way::Heavy(Heavy::Slurp) => &["slurp"],
        Way::Words(Words::Expression | Words::Lookup) => &["command", "setup", "slurp"],
        Way::Heavy(_) => &["command"],
        _ => &[],
    }
}

/// All runs. Each mode has one in JSON, from which results are compared, and one as people see it.
pub fn all(modules: &[&'static str]) -> Vec<Job> {
    let only = chosen("HOSTILE_MODES");
    let some = chosen("HOSTILE_MODULES");
    let wanted = |mode: &Mode| {
        let begins = |words: &Vec<String>| words.iter().any(|word| mode.name.starts_with(word));
        only.as_ref().is_none_or(begins)
    };
    let modules_of = |all: Vec<&'static str>| match &some {
        Some(some) => modules
            .iter()
            .copied()
            .filter(|module| some.iter().any(|word| word == module))
            .collect(),
        None => all,
    };
    let mut jobs = Vec::new();
    for (number, mode) in MODES.iter().enumerate().filter(|(_, mode)| wanted(mode)) {
        let all = modules_of(if ALL {
            let all = modules.iter().copied();
            all.filter(|module| fits(mode, module)).collect()
        } else {
            few(modules, number)
        });
        let chunk = match mode.held {
            Held::Timeout => 4,
            // Each of these moves much.
            _ if matches!(
                mode.way,
                Way::Heavy(_) | Way::Frames(Frames::FloodInside | Frames::FloodErrInside)
            ) =>
            {
                4
            }
            Held::Connect => 10,
            Held::Size | Held::Data => 20,
        };
        // What is shown of a result is shown in one place for all modules: one of them is enough for each change.
        let people = if ALL && matches!(mode.way, Way::Words(_)) {
            all.clone()
        } else {
            modules_of(few(modules, number).into_iter().take(1).collect())
        };
        let format = match mode.way {
            Way::Words(_) => Format::Human,
            _ => [Format::Human, Format::Plain, Format::Ansible][number % 3],
        };
        for (modules, format) in [(all, Format::Json), (people, format)] {
            jobs.extend(modules.chunks(chunk).map(|modules| Job {
                mode,
                modules: modules.to_vec(),
                format,
            }));
        }
    }
    // What waits longest begins first.
    jobs.sort_by_key(|job| match job.mode.held {
        Held::Timeout => 0,
        Held::Connect => 1,
        Held::Size => 2,
        Held::Data => 3,
    });
    jobs
}

/// The modules that the mode of this number runs with in the tests of every change.
pub fn few(modules: &[&'static str], number: usize) -> Vec<&'static str> {
    let mode = &MODES[number];
    let count = match mode.way {
        // Such a node does nothing wrong: each module comes to its end there, however the others fall out.
        Way::Sshd(Sshd::Rekey) => modules.len(),
        _ => quick(mode),
    };
    let from = modules.iter().cycle().skip(number * count);
    let some = from.take(count).copied();
    let all: BTreeSet<&str> = focus(mode).iter().copied().chain(some).collect();
    all.into_iter()
        .filter(|module| fits(mode, module))
        .collect()
}

/// `set_fact` makes copies of what it is given, beside the results that the bounds are about.
fn fits(mode: &Mode, module: &str) -> bool {
    module != "set_fact" || !matches!(mode.way, Way::Heavy(_))
}

/// With how many modules a mode runs in the tests of every change: few where each takes its time.
fn quick(mode: &Mode) -> usize {
    match (mode.held, mode.way) {
        (Held::Timeout, _) => 1,
        (Held::Connect, _) | (_, Way::Heavy(_)) => 2,
        _ => 3,
    }
}
