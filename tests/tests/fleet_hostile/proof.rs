//! What must hold of each run, whatever the node did.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use windlass_tests::hostile::modes::{Held, Mode};
use windlass_tests::watch::forms;

use crate::ground::{CONNECT, Ground, PASSWORD};
use crate::run::{Format, Ran};

/// The results of the healthy hosts: by host and task.
pub type Good = BTreeMap<(String, String), Vec<Value>>;

/// A folder's files: kind, mode and bytes by path.
pub type Files = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// All that is below `folder`.
pub fn files(folder: &Path) -> Files {
    use std::os::unix::fs::MetadataExt;
    let mut found = Files::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(about) = entry.metadata() else {
            continue;
        };
        let bytes = if about.is_dir() {
            found.extend(files(&path));
            Vec::new()
        } else if about.is_symlink() {
            std::fs::read_link(&path)
                .unwrap_or_default()
                .into_os_string()
                .into_encoded_bytes()
        } else {
            std::fs::read(&path).unwrap_or_default()
        };
        found.insert(path, (about.mode(), bytes));
    }
    found
}

/// What happened to files that nothing should have happened to. What `fetch` was told to write may be
/// there, as files and folders.
pub fn changed_files(place: &Path, before: &Files, after: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, was) in before {
        match after.get(path) {
            Some(is) if is == was => {}
            // A folder's mode is the same, or it is seen here.
            Some(_) => wrong.push(format!("{} was changed", path.display())),
            None => wrong.push(format!("{} is gone", path.display())),
        }
    }
    for (path, (mode, bytes)) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
        let short = path.strip_prefix(place).unwrap_or(path);
        let is_file = mode & 0o170_000 == 0o100_000;
        let is_folder = mode & 0o170_000 == 0o040_000;
        // Heavy modes have four hosts.
        let host = |name: &str| matches!(name, "bad1" | "bad2" | "bad3" | "bad4");
        let expected = match short
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .as_slice()
        {
            [only] if only == "fetched" => is_folder,
            [only] if only == "report.txt" => is_file,
            [fetched, file] if fetched == "fetched" && file == "kubeconfig" => is_file,
            [fetched, home] if fetched == "fetched" && home == "home" => is_folder,
            [fetched, home, name]
                if fetched == "fetched" && home == "home" && name == "hosts.ini" =>
            {
                is_file
            }
            [fetched, name, rest @ ..] if fetched == "fetched" && host(name) => {
                let rest = rest.join("/");
                match rest.as_str() {
                    "etc/hostname" => is_file,
                    _ if rest.ends_with("big.bin") => is_file,
                    // Folders that lead to them, and no others' names.
                    _ => is_folder && !rest.contains(".."),
                }
            }
            _ => false,
        };
        if !expected {
            wrong.push(format!(
                "{} is new ({mode:o}, {} bytes)",
                short.display(),
                bytes.len()
            ));
        }
    }
    wrong
}

/// What a run in JSON tells.
#[derive(Debug, Default)]
pub struct Told {
    pub good: Good,
    /// The status of each module's task on the first hostile host.
    pub outcomes: BTreeMap<String, String>,
    /// The longest that a task took, and which.
    pub longest: (f64, String),
    /// Each host's counts.
    pub recap: BTreeMap<String, Value>,
    /// Results that claim to be whole, and are not.
    pub lost: Vec<String>,
}

/// Reads the lines of a run.
pub fn told(ran: &Ran, number: usize) -> Told {
    let own = format!("-{}.", crate::cases::run(number));
    let mut told = Told::default();
    let mut tasks: BTreeMap<u64, (String, f64)> = BTreeMap::new();
    for line in &ran.lines {
        let line = &line.replace(&own, "-RUN.");
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            long(line, &tasks, &mut told);
            continue;
        };
        let task = event["task"].as_u64().unwrap_or(u64::MAX);
        let elapsed = event["elapsed"].as_f64().unwrap_or_default();
        match event["event"].as_str().unwrap_or_default() {
            "task_started" => {
                let name = event["info"]["name"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                tasks.insert(task, (name, elapsed));
            }
            "task_finished" => {
                if let Some((name, began)) = tasks.get(&task)
                    && elapsed - began > told.longest.0
                {
                    told.longest = (elapsed - began, name.clone());
                }
            }
            "host_finished" => {
                let Some((name, _)) = tasks.get(&task) else {
                    continue;
                };
                finished(name, &event, &mut told);
            }
            "run_finished" => {
                for pair in event["recap"].as_array().into_iter().flatten() {
                    told.recap.insert(
                        pair[0].as_str().unwrap_or_default().to_owned(),
                        pair[1].clone(),
                    );
                }
            }
            _ => {}
        }
    }
    told
}

fn finished(name: &str, event: &Value, told: &mut Told) {
    let host = event["host"].as_str().unwrap_or_default();
    let result = &event["result"];
    if host.starts_with("good") && (name.starts_with("good")) {
        let mut result = result.clone();
        if let Some(result) = result.as_object_mut() {
            result.remove("took");
        }
        for key in ["start", "end", "delta"] {
            if let Some(data) = result["data"].as_object_mut() {
                data.remove(key);
            }
        }
        told.good
            .entry((host.to_owned(), name.to_owned()))
            .or_default()
            .push(result);
    }
    if host == "bad1"
        && let Some(module) = name.strip_prefix("module ")
    {
        outcome(module, result["status"].as_str().unwrap_or_default(), told);
        let text = result["data"]["stdout"].as_str();
        if module == "shell"
            && result["status"] == "ok"
            && let Some(text) = text
            && !text.ends_with("16000")
        {
            told.lost.push(format!(
                "shell is ok with {} bytes of its output",
                text.len()
            ));
        }
    }
}

fn outcome(module: &str, status: &str, told: &mut Told) {
    told.outcomes.insert(module.to_owned(), status.to_owned());
}

/// A line that was too long to be kept: of which task, and its status.
fn long(line: &str, tasks: &BTreeMap<u64, (String, f64)>, told: &mut Told) {
    let after = |word: &str| line.split_once(word).map(|(_, rest)| rest);
    let word = |text: &str| text.split(['"', ',']).next().unwrap_or_default().to_owned();
    if after("\"event\":\"").map(word).as_deref() != Some("host_finished") {
        return;
    }
    let task = after("\"task\":")
        .map(word)
        .and_then(|number| number.parse().ok());
    let host = after("\"host\":\"").map(word);
    let status = after("\"result\":{\"status\":\"").map(word);
    if let (Some(task), Some("bad1"), Some(status)) = (task, host.as_deref(), status)
        && let Some(module) = tasks
            .get(&task)
            .and_then(|(name, _)| name.strip_prefix("module "))
    {
        outcome(module, &status, told);
    }
}

/// Everything that is wrong with a run.
pub fn faults(format: Format, ran: &Ran, allowed: u64) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(why) = &ran.ended {
        faults.push(why.clone());
    } else if !matches!(ran.status, Some(0 | 2 | 4)) {
        faults.push(format!(
            "ended with {:?}: {}",
            ran.status,
            ran.lines
                .iter()
                .rev()
                .take(5)
                .cloned()
                .collect::<Vec<_>>()
                .join(" | ")
        ));
    }
    if let Some(line) = ran.lines.iter().find(|line| line.contains("panicked at")) {
        faults.push(line.clone());
    }
    if ran.peak > allowed {
        faults.push(format!(
            "{} MiB of memory, {} are allowed",
            ran.peak >> 10,
            allowed >> 10
        ));
    }
    faults.extend(
        ran.controls
            .iter()
            .map(|control| format!("{}: {control}", format.name())),
    );
    let forms = forms(PASSWORD);
    if let Some(line) = ran
        .lines
        .iter()
        .find(|line| forms.iter().any(|form| line.contains(form)))
    {
        let short: String = line.chars().take(300).collect();
        faults.push(format!("the password is shown: {short}"));
    }
    faults
}

/// What is wrong with the healthy hosts, in a run of these modules.
pub fn good_faults(told: &Told, usual: &Good, modules: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let is_there = |task: &str| {
        let beside = task.strip_prefix("good, ");
        beside.is_none_or(|module| module == "before" || modules.contains(&module))
    };
    for (host, task) in usual.keys().filter(|(_, task)| is_there(task)) {
        if !told.good.contains_key(&(host.clone(), task.clone())) {
            faults.push(format!("{host}, {task}: no result"));
        }
    }
    for ((host, task), results) in &told.good {
        match usual.get(&(host.clone(), task.clone())) {
            Some(usual) if usual == results => {}
            other => {
                let text = |value: Option<&Vec<Value>>| {
                    let text = value.map(|value| serde_json::to_string(value).unwrap_or_default());
                    text.unwrap_or_default()
                        .chars()
                        .take(400)
                        .collect::<String>()
                };
                faults.push(format!(
                    "{host}, {task}: {} and not {}",
                    text(Some(results)),
                    text(other)
                ));
            }
        }
    }
    for host in ["good1", "good2"] {
        let counts = &told.recap.get(host).cloned().unwrap_or_default();
        if counts["failed"] != 0 || counts["unreachable"] != 0 {
            faults.push(format!("the recap of {host}: {counts}"));
        }
    }
    faults
}

/// The longest that one task may keep the others.
pub fn longest(mode: &Mode, limit: u32) -> Duration {
    let seconds = match mode.held {
        Held::Connect => CONNECT,
        // What the node's own watch gets beyond the limit, and the end of a request.
        Held::Timeout => limit + 25 + CONNECT,
        Held::Size => limit + 25,
        // It does what it does at once; a module that waits has a second.
        Held::Data => 30,
    };
    Duration::from_secs(u64::from(seconds))
}

/// Traces of what must never have run.
pub fn traces(ground: &Ground, mode: &Mode) -> Vec<String> {
    let traces = ground.traces(mode).into_iter();
    traces
        .map(|name| format!("{}: ran here, or on a healthy host: {name}", mode.name))
        .collect()
}
