//! The inputs that fuzzers found, and those that once were faults, go through.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::{TARGETS, Target};

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

fn replay(name: &str, target: Target) {
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

fn target(name: &str) {
    let (name, target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    replay(name, *target);
}

#[test]
fn frames_that_were_found_go_through() {
    target("frame");
}

#[test]
fn facts_that_were_found_go_through() {
    target("facts");
}

#[test]
fn inventories_that_were_found_go_through() {
    target("inventory");
}

#[test]
fn yaml_that_was_found_goes_through() {
    target("yaml");
}

#[test]
fn templates_that_were_found_go_through() {
    target("template");
}

#[test]
fn conditions_that_were_found_go_through() {
    target("condition");
}
