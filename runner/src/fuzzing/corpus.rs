//! The inputs that fuzzers found, and those that once were faults, go through.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::{FuzzTarget, TARGETS};

/// After this an input counts as one that hangs. Far more than any takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn inputs(name: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
    let mut paths: Vec<PathBuf> = ["corpus", "found"]
        .iter()
        .filter_map(|folder| fs::read_dir(fuzz.join(folder).join(name)).ok())
        .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
        .collect();
    paths.sort();
    paths
}

/// MiB of address space for all inputs of a kind, one after the other: some of those that were found took
/// all memory that there was.
const SPACE: u64 = 1024;

/// Set where inputs are replayed.
const REPLAYS: &str = "WINDLASS_REPLAYS";

fn replay(name: &str, target: FuzzTarget) {
    let paths = inputs(name);
    assert!(paths.len() > 5, "there are only {} inputs", paths.len());
    let (sender, receiver) = channel();
    let count = paths.len();
    let worker = std::thread::spawn(move || {
        for path in paths {
            sender.send(path.clone()).unwrap();
            target(&fs::read(path).unwrap());
        }
    });
    let mut last = PathBuf::new();
    for _ in 0..=count {
        match receiver.recv_timeout(PATIENCE) {
            Ok(path) => last = path,
            Err(RecvTimeoutError::Timeout) => panic!("{} hangs", last.display()),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    assert!(worker.join().is_ok(), "{} is a fault", last.display());
}

/// Replays the inputs of a kind in a process of its own, with little memory; `test` is the calling one.
fn target(name: &str, test: &str) {
    if std::env::var_os(REPLAYS).is_some() {
        let (name, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
        return replay(name, *target);
    }
    let replayed = bounded(&format!("fuzzing::corpus::{test}"));
    assert!(replayed.contains("1 passed"), "{replayed}");
}

/// What is printed by this program with one of its tests, in little memory.
fn bounded(test: &str) -> String {
    let bounded = format!("ulimit -v {} && exec \"$0\" \"$@\"", SPACE * 1024);
    let output = Command::new("sh")
        .args(["-c", &bounded])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            test,
            "--nocapture",
            "--include-ignored",
            "--test-threads=1",
        ])
        .env(REPLAYS, "yes")
        // Threads reserve address space that they do not use.
        .env("MALLOC_ARENA_MAX", "2")
        .output()
        .unwrap();
    let printed = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&printed).into_owned()
}

#[test]
#[ignore = "takes all memory that it gets: what is replayed must not"]
fn takes_all_memory() {
    if std::env::var_os(REPLAYS).is_some() {
        let mut all: Vec<Vec<u8>> = Vec::new();
        (0..SPACE).for_each(|_| all.push(vec![1; 1 << 20]));
        assert!(!std::hint::black_box(all).is_empty());
    }
}

#[test]
fn an_input_that_took_all_memory_would_be_a_fault() {
    let printed = bounded("fuzzing::corpus::takes_all_memory");
    assert!(printed.contains("memory allocation of"), "{printed}");
    assert!(!printed.contains("1 passed"), "{printed}");
}

#[test]
fn frames_that_were_found_go_through() {
    target("frame", "frames_that_were_found_go_through");
}

#[test]
fn facts_that_were_found_go_through() {
    target("facts", "facts_that_were_found_go_through");
}

#[test]
fn inventories_that_were_found_go_through() {
    target("inventory", "inventories_that_were_found_go_through");
}

#[test]
fn yaml_that_was_found_goes_through() {
    target("yaml", "yaml_that_was_found_goes_through");
}

#[test]
fn templates_that_were_found_go_through() {
    target("template", "templates_that_were_found_go_through");
}

#[test]
fn conditions_that_were_found_go_through() {
    target("condition", "conditions_that_were_found_go_through");
}
