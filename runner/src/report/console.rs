//! The reports for people: `human` with live lines on a terminal, `plain` without.
//!
//! A result is one line: status, task, hosts, time. Hosts with equal results share a line, so that
//! forty equal results are one. Failures follow with everything that the host said.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::details::{changes, details, word};
use super::failures::Failures;
use super::live::{Busy, LiveLines};
use super::printer::Printer;
use super::settings::{Report, Settings};
use super::text::{self, clean};
use super::{Theme, escape};
use crate::event::{Event, EventKind, Finished, Recap, Status, TaskId, TaskInfo};

/// How long a task is quiet, in plain output, before a line says that it is still at work.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How long a failure waits for others that come at the same time, before it is told.
const TOGETHER: Duration = Duration::from_secs(1);
/// The width that task names are filled up to.
const NAME: usize = 44;

/// Prints for people.
pub(crate) struct Console {
    printer: Printer,
    settings: Settings,
    live: Option<LiveLines>,
    tasks: BTreeMap<TaskId, Running>,
    started: Instant,
    /// The hosts of the play, in its order: results come in any.
    order: HashMap<String, usize>,
    failures: Failures,
    stopped: bool,
}

/// How many bytes of lines are kept of a host's items: they are shown when the task is done.
const MANY: usize = 256 << 10;

struct Running {
    info: Arc<TaskInfo>,
    total: usize,
    done: usize,
    since: Instant,
    spoke: Instant,
    /// By the host. Each looks itself up when it is done, so that thousands cost no more each than one.
    busy: HashMap<String, Busy>,
    items: BTreeMap<String, Items>,
    groups: Vec<Group>,
    /// The last of the groups with this word and these lines.
    alike: HashMap<(&'static str, Arc<Vec<String>>), usize>,
}

/// What is to be shown of the items of a host's loop, once it is done.
#[derive(Default)]
struct Items {
    lines: Lines,
    differences: Lines,
}

/// Lines, as long as somebody may want to read them all.
#[derive(Default)]
struct Lines {
    kept: Vec<String>,
    bytes: usize,
    left_out: usize,
}

impl Lines {
    fn extend(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            if self.bytes > MANY {
                self.left_out += 1;
                continue;
            }
            self.bytes += line.len();
            self.kept.push(line);
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.left_out > 0 {
            let more = format!("    … {} more lines are not shown", self.left_out);
            self.kept.push(more);
        }
        self.kept
    }
}

/// Hosts with equal results.
struct Group {
    word: &'static str,
    lines: Arc<Vec<String>>,
    hosts: Vec<String>,
    slowest: Duration,
    since: Instant,
    /// It was shown while other hosts were still at work.
    shown: bool,
    /// The host of such a one whose result was the same.
    as_on: Option<String>,
}

impl Group {
    fn is_bad(&self) -> bool {
        matches!(self.word, "failed" | "unreachable")
    }
}

impl Console {
    pub(crate) fn new(printer: Printer, settings: Settings, moving: bool) -> Self {
        let live = (moving && printer.is_terminal()).then(LiveLines::default);
        Self {
            printer,
            settings,
            live,
            tasks: BTreeMap::new(),
            started: Instant::now(),
            order: HashMap::new(),
            failures: Failures::default(),
            stopped: false,
        }
    }

    fn print(&self, line: &str) {
        match &self.live {
            Some(live) => live.aside(|| self.printer.line(line)),
            None => self.printer.line(line),
        }
    }

    fn note(&self, line: &str) {
        match &self.live {
            Some(live) => live.aside(|| self.printer.note(line)),
            None => self.printer.note(line),
        }
    }

    fn heading(&self, text: &str) {
        self.print("");
        self.print(&self.printer.theme().strong(text));
    }

    fn finish(&mut self, task: TaskId) {
        let Some(mut running) = self.tasks.remove(&task) else {
            return;
        };
        if let Some(live) = &mut self.live {
            live.clear();
        }
        running.groups.retain(|group| !group.shown);
        for group in &mut running.groups {
            self.put_in_order(group);
        }
        // As the play has them, not as they came: two runs of the same read the same.
        let first = |group: &Group| {
            let host = group.hosts.first();
            host.and_then(|host| self.order.get(host).copied())
        };
        running.groups.sort_by_key(first);
        for group in &running.groups {
            if group.word == "skipped" && self.settings.verbosity == 0 {
                continue;
            }
            self.group(&running, group);
        }
    }

    fn put_in_order(&self, group: &mut Group) {
        let place = |host: &String| self.order.get(host).copied().unwrap_or(usize::MAX);
        group.hosts.sort_by_key(place);
    }

    /// Failures are told while other hosts are still at work, as soon as those that come at the same time
    /// are together.
    fn show_failures(&mut self) {
        let mut tasks = std::mem::take(&mut self.tasks);
        for running in tasks.values_mut() {
            let mut groups = std::mem::take(&mut running.groups);
            for group in &mut groups {
                if group.is_bad() && !group.shown && group.since.elapsed() >= TOGETHER {
                    group.shown = true;
                    self.put_in_order(group);
                    self.group(running, group);
                }
            }
            running.groups = groups;
        }
        self.tasks = tasks;
    }

    fn group(&self, running: &Running, group: &Group) {
        let theme = self.printer.theme();
        let names: Vec<&str> = group.hosts.iter().map(String::as_str).collect();
        let word = format!("{:<11}", group.word);
        let word = match group.word {
            "ok" => theme.good(&word),
            "changed" => theme.changed(&word),
            "failed" | "unreachable" => theme.bad(&word),
            _ => theme.aside(&word),
        };
        let name = clean(&running.info.name);
        let kind = if running.info.handler {
            "handler: "
        } else {
            ""
        };
        let name = format!("{kind}{name}");
        let time = theme.faint(&text::time(group.slowest));
        self.print(&format!(
            "{word} {name:<NAME$}  {}  {time}",
            text::hosts(&names)
        ));
        match &group.as_on {
            Some(host) => self.print(&format!("    as on {host}")),
            None => group.lines.iter().for_each(|line| self.print(line)),
        }
        if group.is_bad() && names.len() > 8 {
            self.print(&format!("    hosts: {}", names.join(" ")));
        }
        if self.settings.verbosity >= 2 || matches!(group.word, "failed") {
            let place = format!("    at {}:{}", running.info.file, running.info.line);
            self.print(&theme.faint(&place));
        }
    }

    fn finished(&mut self, task: TaskId, host: &str, result: &Finished) {
        let verbosity = self.settings.verbosity;
        let theme = self.printer.theme();
        let Some(running) = self.tasks.get_mut(&task) else {
            return;
        };
        running.done += 1;
        running.spoke = Instant::now();
        running.busy.remove(host);
        let items = running.items.remove(host);
        let word = word(result);
        let mut lines = Vec::new();
        for warning in &result.warnings {
            let word = theme.changed("warning:");
            let warning = text::indented(&clean(warning), "    ");
            lines.push(format!("    {word} {}", warning.trim_start()));
        }
        let mut differences = Lines::default();
        match items {
            Some(items) => {
                lines.extend(items.lines.finish());
                differences = items.differences;
            }
            None => lines.extend(details(host, &running.info, result, verbosity)),
        }
        differences.extend(changes(result, theme));
        lines.extend(differences.finish());
        let told = verbosity > 0 || matches!(result.status, Status::Failed);
        if let Some(other) = result.delegated_to.as_ref().filter(|_| told) {
            lines.push(format!("    on {other}"));
        }
        if !result.ignored && matches!(result.status, Status::Failed | Status::Unreachable) {
            self.failures.add(host, &running.info, result);
        }
        let took = result.took;
        let lines = Arc::new(lines);
        let alike = running.alike.entry((word, Arc::clone(&lines)));
        let before = match &alike {
            Entry::Occupied(at) => running.groups.get_mut(*at.get()),
            Entry::Vacant(_) => None,
        };
        // One that was shown already takes no more: who comes later is told to be as the first host of it.
        let as_on = match before {
            Some(group) if !group.shown => {
                group.hosts.push(host.to_owned());
                group.slowest = group.slowest.max(took);
                return;
            }
            Some(group) => group.as_on.clone().or_else(|| group.hosts.first().cloned()),
            None => None,
        };
        alike.insert_entry(running.groups.len());
        running.groups.push(Group {
            word,
            lines,
            hosts: vec![host.to_owned()],
            slowest: took,
            since: Instant::now(),
            shown: false,
            as_on,
        });
    }

    fn item(&mut self, task: TaskId, host: &str, label: &Value, item: &Finished) {
        let verbosity = self.settings.verbosity;
        let theme = self.printer.theme();
        let Some(running) = self.tasks.get_mut(&task) else {
            return;
        };
        let items = running.items.entry(host.to_owned()).or_default();
        if verbosity > 0 || matches!(item.status, Status::Failed) {
            let label = text::value(label);
            let label = escape::line(&label);
            let first = format!("    {} item {label}", word(item));
            let details = details(host, &running.info, item, verbosity);
            let details = details.iter().map(|line| format!("  {line}"));
            items.lines.extend(std::iter::once(first).chain(details));
        }
        items.differences.extend(changes(item, theme));
    }

    fn progress(&mut self, task: TaskId, host: &str, line: &str) {
        let line = clean(line);
        if let Some(running) = self.tasks.get_mut(&task) {
            running.spoke = Instant::now();
            if let Some(busy) = running.busy.get_mut(host) {
                busy.last = Some(line.clone());
            }
        }
        if self.live.is_none() || self.settings.verbosity > 0 {
            self.note(&self.printer.theme().faint(&format!("… {host}: {line}")));
        }
    }

    fn retrying(&self, task: TaskId, host: &str, left: usize) {
        let name = self
            .tasks
            .get(&task)
            .map_or("", |running| &running.info.name);
        let tries = if left == 1 {
            "1 try left".to_owned()
        } else {
            format!("{left} tries left")
        };
        self.note(
            &self
                .printer
                .theme()
                .faint(&format!("… {host}: {name}: not yet, {tries}")),
        );
    }

    fn recap(&self, recap: &[(String, Recap)], interrupted: bool) {
        let theme = self.printer.theme();
        self.heading("Recap");
        let width = recap
            .iter()
            .map(|(host, _)| host.chars().count())
            .max()
            .unwrap_or(0);
        for (host, counts) in recap {
            let number = |name: &str, count: usize| format!("{name}={count:<4}");
            let coloured = |text: String, count: usize, paint: fn(Theme, &str) -> String| {
                if count > 0 { paint(theme, &text) } else { text }
            };
            let line = [
                coloured(number("ok", counts.ok), counts.ok, Theme::good),
                coloured(
                    number("changed", counts.changed),
                    counts.changed,
                    Theme::changed,
                ),
                coloured(
                    number("unreachable", counts.unreachable),
                    counts.unreachable,
                    Theme::bad,
                ),
                coloured(number("failed", counts.failed), counts.failed, Theme::bad),
                number("skipped", counts.skipped),
                number("rescued", counts.rescued),
                number("ignored", counts.ignored),
            ];
            self.print(&format!("{host:<width$}  {}", line.join(" ").trim_end()));
        }
        let failures = self.failures.lines(recap);
        if !failures.is_empty() {
            self.heading("What failed");
            for line in failures {
                self.print(&line);
            }
            self.print("");
        }
        self.print(&format!(
            "{} in {}",
            sentence(recap, interrupted, self.stopped),
            text::time(self.started.elapsed())
        ));
    }
}

/// A run in one sentence.
fn sentence(recap: &[(String, Recap)], interrupted: bool, stopped: bool) -> String {
    let bad = recap
        .iter()
        .filter(|(_, counts)| counts.failed + counts.unreachable > 0)
        .count();
    let changed = recap
        .iter()
        .filter(|(_, counts)| counts.changed > 0)
        .count();
    let hosts = text::count(recap.len(), "host");
    let changes = match changed {
        0 => "nothing changed".to_owned(),
        some => format!("{} changed", text::count(some, "host")),
    };
    match (interrupted, stopped, bad) {
        (true, ..) => format!("Interrupted: {hosts}, {changes},"),
        (_, true, _) => format!("Stopped by the error above: {hosts}, {changes},"),
        (_, _, 0) => format!("Done: {hosts}, {changes},"),
        (_, _, some) => format!("{some} of {hosts} failed, {changes},"),
    }
}

impl Report for Console {
    fn event(&mut self, mut event: Event) {
        escape::event(&mut event);
        match &event.what {
            EventKind::RunStarted { check: true, .. } => {
                self.print("Check mode: this shows what would change, and changes nothing.");
            }
            EventKind::RunStarted { .. } | EventKind::PlaybookStarted { .. } => {}
            EventKind::PlayStarted { name, hosts } => {
                self.order = hosts.iter().cloned().zip(0..).collect();
                self.heading(&format!(
                    "{} ({})",
                    clean(name),
                    text::count(hosts.len(), "host")
                ));
            }
            EventKind::PlaySkipped { name, reason } => {
                self.heading(&format!("{}: skipped, {reason}", clean(name)));
            }
            EventKind::BatchStarted { number, of, hosts } => {
                let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
                self.print(&format!("Batch {number} of {of}: {}", text::hosts(&names)));
            }
            EventKind::TaskStarted { task, info, hosts } => {
                let now = Instant::now();
                let running = Running {
                    info: Arc::clone(info),
                    total: *hosts,
                    done: 0,
                    since: now,
                    spoke: now,
                    busy: HashMap::new(),
                    alike: HashMap::new(),
                    items: BTreeMap::new(),
                    groups: Vec::new(),
                };
                self.tasks.insert(*task, running);
            }
            EventKind::HostStarted { task, host } => {
                if let Some(running) = self.tasks.get_mut(task) {
                    let since = Instant::now();
                    let busy = Busy { since, last: None };
                    running.busy.insert(host.clone(), busy);
                }
            }
            EventKind::Progress { task, host, line } => self.progress(*task, host, line),
            EventKind::Retrying {
                task, host, left, ..
            } => self.retrying(*task, host, *left),
            EventKind::ItemFinished {
                task,
                host,
                item,
                result,
            } => self.item(*task, host, item, result),
            EventKind::HostFinished { task, host, result } => self.finished(*task, host, result),
            EventKind::TaskFinished { task } => self.finish(*task),
            EventKind::Included { file, .. } => {
                if self.settings.verbosity > 0 {
                    self.print(&format!("included    {file}"));
                }
            }
            EventKind::Warning { message } => {
                let word = self.printer.theme().changed("warning:");
                let message = text::indented(&clean(message), "  ");
                self.note(&format!("{word} {}", message.trim_start()));
            }
            EventKind::Stopped { message, hint } => {
                self.stopped = true;
                let message = text::indented(&clean(message), "  ");
                self.note(&format!(
                    "{} {}",
                    self.printer.theme().bad("error:"),
                    message.trim_start()
                ));
                if let Some(hint) = hint {
                    let hint = text::indented(&clean(hint), "  ");
                    self.note(&format!("  what to do: {}", hint.trim_start()));
                }
            }
            EventKind::RunFinished { recap, interrupted } => self.recap(recap, *interrupted),
        }
    }

    fn tick(&mut self) {
        if self.printer.is_asking() {
            return;
        }
        self.show_failures();
        let Some(running) = self.tasks.values_mut().next_back() else {
            return;
        };
        if let Some(live) = &mut self.live {
            // A task that is over in a blink needs no live line.
            if running.since.elapsed() > Duration::from_millis(300) {
                let name = clean(&running.info.name);
                live.draw(
                    &name,
                    running.done,
                    running.total,
                    running.since,
                    &running.busy,
                );
            }
        } else if running.spoke.elapsed() > HEARTBEAT {
            running.spoke = Instant::now();
            let line = format!(
                "… {}: {}/{} hosts done after {}",
                clean(&running.info.name),
                running.done,
                running.total,
                text::time(running.since.elapsed())
            );
            self.printer.note(&self.printer.theme().faint(&line));
        }
    }
}
