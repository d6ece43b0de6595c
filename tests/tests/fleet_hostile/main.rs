//! The real program against a node that misbehaves in every way we know, with every module, beside two
//! hosts that are healthy.
//!
//! `make fleet` has each way and each module at least once, `make test-hostile` each way with each module.
//! `HOSTILE_MODES` and `HOSTILE_MODULES` (words) choose some, `HOSTILE_KEEP` (a folder) keeps what was
//! printed, `HOSTILE_UPDATE` writes the table of `docs/security.md`.
#![cfg(feature = "fleet")]

mod cases;
mod ground;
mod jobs;
mod proof;
mod run;
mod table;

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use windlass_tests::hostile::modes::{MODES, Tools, Way};

use crate::ground::Ground;
use crate::jobs::{ALL, Job, LONG_LIMIT, PROGRAM, RESULTS, SLACK};
use crate::proof::{Good, Told};
use crate::run::{Bounds, Format, Ran};
use crate::table::Outcomes;

/// Runs at a time: most of them wait.
const AT_ONCE: usize = if ALL { 16 } else { 10 };

/// What all runs have shown.
#[derive(Default)]
struct Seen {
    outcomes: Outcomes,
    faults: Vec<String>,
}

/// The program on the playbook of this folder.
fn windlass(command: &mut Command, sockets: &Path, format: Format) {
    command.env("XDG_RUNTIME_DIR", sockets).args([
        "run",
        "site.yml",
        "-i",
        "hosts.ini",
        "--output",
        format.name(),
    ]);
}

/// All runs of the mode without room share one small disk: another's must not give it room again.
static DISK: Mutex<()> = Mutex::new(());

/// Does a job: what became of each module, and what is wrong.
fn work(ground: &Ground, job: &Job, usual: &Good, number: usize) -> (Outcomes, Vec<String>) {
    let (place, sockets) = ground.place(job.mode, &job.modules, job.limit(), number);
    let before = proof::files(place.path());
    let mut command = place.command();
    windlass(&mut command, &sockets, job.format);
    command
        .env("TMPDIR", place.path().join("tmp"))
        .env("TERM", "xterm-256color");
    if job.format != Format::Json && !matches!(job.mode.way, Way::Heavy(_)) {
        command.arg("-vv");
    }
    let alone = (job.mode.way == Way::Tools(Tools::Full))
        .then(|| DISK.lock().unwrap_or_else(PoisonError::into_inner));
    let ran = run::run(&mut command, job.format, job.bounds());
    Ground::end_masters(&sockets);
    drop(alone);
    let after = proof::files(place.path());
    let mut faults = proof::faults(job.format, &ran, job.bounds().memory);
    faults.extend(proof::changed_files(place.path(), &before, &after));
    let told = (job.format == Format::Json).then(|| proof::told(&ran, number));
    if let Some(told) = &told {
        faults.extend(judge(job, &ran, told, usual));
    }
    tell(job, &ran, told.as_ref(), &faults, number);
    let named = |fault: &String| {
        let name = format!(
            "{} ({}, {})",
            job.mode.name,
            job.format.name(),
            job.modules.join(" ")
        );
        format!("{name}: {}", fault.chars().take(1500).collect::<String>())
    };
    let outcomes = told.map(|told| told.outcomes).unwrap_or_default();
    let outcomes = outcomes
        .into_iter()
        .map(|(module, status)| ((job.mode.name, module), status));
    (outcomes.collect(), faults.iter().map(named).collect())
}

/// What a run in JSON shows to be wrong.
fn judge(job: &Job, ran: &Ran, told: &Told, usual: &Good) -> Vec<String> {
    let mut faults = Vec::new();
    if ran.ended.is_none() {
        faults.extend(proof::good_faults(told, usual, &job.modules));
    }
    if job.mode.way == Way::Tools(Tools::Full) {
        // A node that lies about its output is believed; one that lost some must have said so.
        faults.extend(told.lost.clone());
    }
    let (longest, name) = (told.longest.0, short(&told.longest.1));
    if longest > (proof::longest(job.mode, job.limit()) + SLACK).as_secs_f64() {
        faults.push(format!("task {name:?} kept the others for {longest:.0} s"));
    }
    faults
}

fn short(text: &str) -> String {
    let shown = text.chars().filter(|letter| !letter.is_control());
    shown.take(30).collect()
}

/// A line for each run, where the test takes minutes, and what it printed to a file where that is wanted.
fn tell(job: &Job, ran: &Ran, told: Option<&Told>, faults: &[String], number: usize) {
    let mut text = format!(
        "{:<28} {:<8} {:>4} s {:>5} MiB  {} modules",
        job.mode.name,
        job.format.name(),
        ran.took.as_secs(),
        ran.peak >> 10,
        job.modules.len()
    );
    if let Some(told) = told {
        text.push_str(&format!(
            ", longest {:.0} s: {}",
            told.longest.0,
            short(&told.longest.1)
        ));
    }
    for fault in faults {
        text.push_str(&format!(
            "\n    {}",
            fault.chars().take(500).collect::<String>()
        ));
    }
    say(&text);
    if let Some(folder) = std::env::var_os("HOSTILE_KEEP") {
        let name = format!("{}-{}-{number}", job.mode.name, job.format.name());
        let _ = std::fs::write(Path::new(&folder).join(name), ran.lines.join("\n"));
    }
}

#[expect(clippy::print_stderr, reason = "somebody waits for minutes")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// What the healthy hosts say when there are no others.
fn usual(ground: &Ground, modules: &[&str]) -> Good {
    let (place, sockets) = ground.place(&MODES[0], modules, LONG_LIMIT, 0);
    let mut command = place.command();
    windlass(&mut command, &sockets, Format::Json);
    command.args(["-l", "good"]);
    let bounds = Bounds {
        time: Duration::from_secs(200),
        memory: RESULTS + PROGRAM,
    };
    let ran = run::run(&mut command, Format::Json, bounds);
    Ground::end_masters(&sockets);
    assert_eq!(ran.status, Some(0), "{}", ran.lines.join("\n"));
    let good = proof::told(&ran, 0).good;
    assert!(good.len() > 2 * modules.len(), "{good:?}");
    good
}

/// Modules that are never `ok` on a node: `fail` by its nature.
const NEVER: &[&str] = &["fail"];

/// Modules whose answers nobody has read to their end, in any mode.
fn never_done(modules: &[&str], outcomes: &Outcomes) -> Vec<String> {
    let done: BTreeSet<&str> = outcomes
        .iter()
        .filter(|(_, status)| *status == "ok")
        .map(|((_, module), _)| module.as_str())
        .collect();
    let never = modules
        .iter()
        .filter(|module| !done.contains(*module) && !NEVER.contains(module));
    never
        .map(|module| format!("{module} is ok in no mode"))
        .collect()
}

#[test]
fn each_module_has_a_case() {
    let all = windlass_modules::registry::all();
    let known: BTreeSet<&str> = all.map(windlass_modules::module::Module::name).collect();
    let cases: BTreeSet<&str> = cases::modules().collect();
    assert_eq!(cases, known, "give the new module a case in cases.rs");
}

#[test]
fn a_hostile_node_runs_nothing_here_and_harms_nobody_else() {
    let begun = Instant::now();
    let ground = Ground::new();
    let modules: Vec<&'static str> = cases::modules().collect();
    let usual = usual(&ground, &modules);
    let jobs = jobs::all(&modules);
    let of_json = jobs.iter().filter(|job| job.format == Format::Json);
    let covered: BTreeSet<&str> = of_json.flat_map(|job| job.modules.clone()).collect();
    let whole = jobs::is_whole();
    assert!(
        !whole || covered.len() == modules.len(),
        "each module is there"
    );
    let count = jobs.len();
    let queue = Mutex::new(VecDeque::from(jobs));
    let seen = Mutex::new(Seen::default());
    let numbers = AtomicUsize::new(1);
    let next = || queue.lock().expect("nobody panics with it").pop_front();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(job) = next() {
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    let (outcomes, faults) =
                        ground.with(job.mode, || work(&ground, &job, &usual, number));
                    let mut seen = seen.lock().expect("nobody panics with it");
                    seen.outcomes.extend(outcomes);
                    seen.faults.extend(faults);
                }
            });
        }
    });
    let Seen {
        outcomes,
        mut faults,
    } = seen.into_inner().expect("nobody panics with it");
    faults.extend(MODES.iter().flat_map(|mode| proof::traces(&ground, mode)));
    faults.extend(table::believed(&outcomes));
    if whole {
        let shown = |number| jobs::few(&modules, number);
        let text = table::text(&modules, &shown, &outcomes);
        faults.extend(table::compare(&text));
        faults.extend(never_done(&modules, &outcomes));
    }
    say(&format!("{count} runs in {} s", begun.elapsed().as_secs()));
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
