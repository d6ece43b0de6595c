//! Conditions that a run asks before it does anything, and on which it is sure to fail: those of `assert`, and of
//! `fail`, of which all is known before it connects.
//!
//! The tasks are gone through as the run does it, up to the first that may do something. What one may have set
//! until then is not known, and a condition that needs it passes. So does one that only decides which hosts go
//! on: that is a warning.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::ValueKind;
use windlass_modules::describe::CheckMode;
use windlass_modules::{FreeForm, registry};

use super::asserts::{Failing, Refusal};
use super::input::Input;
use super::item::Item;
use super::items::Collected;
use super::modules;
use crate::inventory::Pattern;
use crate::playbook::{Common, Keyword, Play, Strategy, Task, TaskAction, has_template};
use crate::template::Scope;
use crate::vars::{Foresight, Own, PlayLayers, PlayVars, TaskLayers};
use crate::yaml::{Diagnostic, Node, Severity};

/// How often a task is looked at for a host: more would be no beginning.
const MOST: usize = 100_000;

/// How many hosts a message names.
const NAMED: usize = 5;

/// Words of `meta` after which all goes on as before.
const HARMLESS: &[&str] = &["noop", "flush_handlers", "clear_facts", "reset_connection"];

/// Goes through the beginning of the run.
pub(super) fn check(
    plays: &[Arc<Play>],
    collected: &Collected,
    input: &Input<'_>,
    found: &mut Vec<Diagnostic>,
) {
    if !input.from_start || !input.all_tasks {
        return;
    }
    let mut beginning = Beginning {
        input,
        foresight: Foresight::default(),
        out: HashSet::new(),
        included: HashMap::new(),
        left: MOST,
        found,
    };
    let mut items = &collected.items[..];
    for play in plays {
        let of_play = items
            .iter()
            .take_while(|item| Arc::ptr_eq(&item.play, play));
        let (own, rest) = items.split_at(of_play.count());
        items = rest;
        if beginning.play(play, own).is_break() {
            break;
        }
    }
}

/// Whether the run comes to a task on a host, and does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Never,
    Perhaps,
    Surely,
}

/// A play that has begun.
struct Stage {
    /// Nothing where only the run can tell.
    hosts: Option<Vec<String>>,
    vars: Arc<PlayVars>,
}

struct Beginning<'a> {
    input: &'a Input<'a>,
    foresight: Foresight,
    /// Hosts that have failed.
    out: HashSet<String>,
    /// What became of includes on the hosts of the play, in their order. What they include comes after them, before
    /// they come up again.
    included: HashMap<*const Task, Vec<Reach>>,
    left: usize,
    found: &'a mut Vec<Diagnostic>,
}

/// A task with what it needs on every host.
struct Turn<'a> {
    item: &'a Item,
    stage: &'a Stage,
    layers: Arc<TaskLayers>,
}

/// What was found out for a host.
struct Answer<'a, T> {
    index: usize,
    host: &'a str,
    own: Own,
    given: T,
}

/// With so many of the answers for other hosts a host is compared.
const ANSWERS: usize = 8;

/// The names of a loop's item.
type Extra = Vec<(String, Value)>;

impl Beginning<'_> {
    fn play(&mut self, play: &Arc<Play>, items: &[Item]) -> ControlFlow<()> {
        let hosts = self.hosts(play);
        if hosts.as_ref().is_some_and(Vec::is_empty) {
            return ControlFlow::Continue(());
        }
        let names = hosts.clone().unwrap_or_default();
        let name = play.name.as_ref().and_then(Node::as_str);
        let layers = PlayLayers {
            play: Arc::clone(play),
            name: name.unwrap_or_default().to_owned(),
            hosts: names.clone(),
            batch: names,
        };
        // What is wrong with its files is told elsewhere.
        let Ok(vars) = self.input.store.play(layers) else {
            return ControlFlow::Break(());
        };
        let stage = Stage {
            hosts,
            vars: Arc::new(vars),
        };
        self.included.clear();
        items
            .iter()
            .filter(|item| !item.handler)
            .try_for_each(|item| self.task(item, &stage))
    }

    /// The hosts of a play that are still there.
    fn hosts(&self, play: &Arc<Play>) -> Option<Vec<String>> {
        let view = self.input.store.foreseen(&self.foresight).global_view(play);
        let templar = self.input.templar;
        let pattern = self
            .foresight
            .known(|| templar.render(&play.hosts, &view))?;
        let pattern = if let Some(text) = pattern.as_str() {
            text.to_owned()
        } else {
            let words = pattern.try_iter().ok()?.map(|word| word.to_string());
            words.collect::<Vec<_>>().join(",")
        };
        let pattern = Pattern::parse(&pattern).ok()?;
        let selected = self.input.inventory.select(&pattern, self.input.limit);
        let mut hosts = selected.ok()?;
        hosts.retain(|host| !self.out.contains(host));
        Some(hosts)
    }

    fn task(&mut self, item: &Item, stage: &Stage) -> ControlFlow<()> {
        let turn = Turn {
            item,
            stage,
            layers: Arc::new(item.layers()),
        };
        if let Some(refusal) = Refusal::of(item) {
            self.asks(&refusal, &turn)?;
        }
        match &item.task.action {
            TaskAction::IncludeTasks { .. } | TaskAction::IncludeRole { .. } => {
                self.include(&turn)?;
            }
            _ if acts(item) && self.may_run(&turn) => return ControlFlow::Break(()),
            _ => {}
        }
        if self.left == 0 {
            return ControlFlow::Break(());
        }
        self.sets(item);
        ControlFlow::Continue(())
    }

    /// Notes what a task may set.
    fn sets(&mut self, item: &Item) {
        if let Some((name, _)) = &item.task.register {
            self.foresight.may_set(name);
        }
        let TaskAction::Module { name, more, .. } = &item.task.action else {
            return;
        };
        let Some(module) = registry::find(name) else {
            return;
        };
        // Without a host, what a module can change are variables.
        if module.needs_host() || module.description().check_mode == CheckMode::Reads {
            return;
        }
        let by_key = module.free_form() == FreeForm::AnyKeys && more.is_none();
        let Some(arguments) = modules::arguments(item).filter(|_| by_key) else {
            return self.foresight.may_set_anything();
        };
        for (key, _) in arguments.iter() {
            match key.as_str().filter(|name| !has_template(name)) {
                Some(name) => self.foresight.may_set(name),
                None => self.foresight.may_set_anything(),
            }
        }
    }

    /// The variables of a host.
    fn scope(&mut self, turn: &Turn<'_>, host: &str, extra: Extra) -> Arc<dyn Scope> {
        self.left = self.left.saturating_sub(1);
        let now = self.input.store.foreseen(&self.foresight);
        now.view(host, &turn.stage.vars, &turn.layers, extra)
    }

    /// Whether a host comes to the task and its conditions hold.
    fn reach(&self, turn: &Turn<'_>, index: usize, scope: &Arc<dyn Scope>) -> Reach {
        let item = turn.item;
        let mut reach = Reach::Surely;
        if item.rescue || item.is_tagged() {
            reach = Reach::Perhaps;
        }
        for include in item.includes() {
            let known = self.included.get(&Arc::as_ptr(include));
            match known.and_then(|known| known.get(index)) {
                Some(Reach::Surely) => {}
                Some(Reach::Never) => return Reach::Never,
                Some(Reach::Perhaps) | None => reach = Reach::Perhaps,
            }
        }
        for condition in item.own_conditions() {
            let holds = || self.input.templar.condition(condition, scope);
            match self.foresight.known(holds) {
                Some(holds) if holds.truth => {}
                Some(_) => return Reach::Never,
                None => reach = Reach::Perhaps,
            }
        }
        reach
    }

    /// What `ask` finds out for each of these hosts: once for all of which it would find out the same.
    fn of_each<T: Clone>(
        &mut self,
        turn: &Turn<'_>,
        hosts: &[(usize, &String)],
        ask: impl Fn(&mut Self, usize, &str) -> T,
    ) -> Vec<T> {
        let mut answers: Vec<Answer<'_, T>> = Vec::new();
        let mut each = Vec::with_capacity(hosts.len());
        for &(index, host) in hosts {
            let mut last = answers.iter().rev().take(ANSWERS);
            let same = last.find(|answer| self.is_same(turn, answer, index, host));
            if let Some(answer) = same {
                each.push(answer.given.clone());
                continue;
            }
            self.foresight.take_own();
            let given = ask(self, index, host);
            each.push(given.clone());
            answers.push(Answer {
                index,
                host,
                own: self.foresight.take_own(),
                given,
            });
        }
        each
    }

    /// Whether a host has the same answer as another: the same includes lead there, and it has the same variables.
    fn is_same<T>(
        &self,
        turn: &Turn<'_>,
        answer: &Answer<'_, T>,
        index: usize,
        host: &str,
    ) -> bool {
        let led = |index: usize| {
            let includes = turn.item.includes();
            includes.map(move |include| self.included.get(&Arc::as_ptr(include))?.get(index))
        };
        let store = self.input.store;
        led(answer.index).eq(led(index))
            && store.same_for(&answer.own, &turn.stage.vars, answer.host, host)
    }

    /// Whether some host may do the task.
    fn may_run(&mut self, turn: &Turn<'_>) -> bool {
        let Some(hosts) = &turn.stage.hosts else {
            return true;
        };
        hosts.iter().enumerate().any(|(index, host)| {
            !self.out.contains(host) && {
                let scope = self.scope(turn, host, Extra::new());
                self.reach(turn, index, &scope) != Reach::Never
            }
        })
    }

    /// An include: what it brings in is looked at with the rest, if its name is written out.
    fn include(&mut self, turn: &Turn<'_>) -> ControlFlow<()> {
        let task = &turn.item.task;
        let (written, apply, public) = match &task.action {
            TaskAction::IncludeTasks { file, apply } => {
                let written = file.as_str().is_some_and(|name| !has_template(name));
                (written, apply, false)
            }
            TaskAction::IncludeRole { role, apply } => {
                (role.is_literal(), apply, role.public.is_some())
            }
            _ => return ControlFlow::Continue(()),
        };
        let hosts: Vec<_> = turn.stage.hosts.iter().flatten().enumerate().collect();
        let reached = self.of_each(turn, &hosts, |beginning, index, host| {
            let scope = beginning.scope(turn, host, Extra::new());
            let reach = beginning.reach(turn, index, &scope);
            match beginning.items(turn.item, &scope) {
                Some(items) if items.is_empty() => Reach::Never,
                _ if task.looping.is_some() => reach.min_perhaps(),
                _ => reach,
            }
        });
        let none = turn.stage.hosts.is_some() && reached.iter().all(|one| *one == Reach::Never);
        let skipped = apply.iter().flat_map(|apply| &apply.when).any(is_false);
        if !none && !skipped && (!written || public) {
            return ControlFlow::Break(());
        }
        self.included.insert(Arc::as_ptr(task), reached);
        ControlFlow::Continue(())
    }

    /// The items of a task's loop, if they are known: without a loop, one without a name.
    fn items(&self, item: &Item, scope: &Arc<dyn Scope>) -> Option<Vec<Extra>> {
        let Some(source) = &item.task.looping else {
            return Some(vec![Extra::new()]);
        };
        let control = &item.task.loop_control;
        if source.lookup.is_some() || control.extended || !control.break_when.is_empty() {
            return None;
        }
        let templar = self.input.templar;
        let items = self
            .foresight
            .known(|| templar.render(&source.items, scope))
            .filter(|items| items.kind() == ValueKind::Seq)?;
        let named = |(index, item): (usize, Value)| {
            let name = control.loop_var.clone();
            let mut names = vec![(name.unwrap_or_else(|| "item".to_owned()), item)];
            let index = control.index_var.clone().map(|name| (name, index.into()));
            names.extend(index);
            names
        };
        Some(items.try_iter().ok()?.enumerate().map(named).collect())
    }

    /// A task that may fail on refusal.
    #[expect(
        clippy::mutable_key_type,
        reason = "spans are told apart by their place; what a source keeps beside it plays no part"
    )]
    fn asks(&mut self, refusal: &Refusal<'_>, turn: &Turn<'_>) -> ControlFlow<()> {
        let item = turn.item;
        let once = |common: &Common| common.run_once.clone();
        let (Some(hosts), Some(once)) = (&turn.stage.hosts, flag(item, once)) else {
            return ControlFlow::Continue(());
        };
        let linear = matches!(
            item.play.strategy,
            None | Some(Keyword::Known(Strategy::Linear, _))
        );
        if once && (item.play.order.is_some() || !linear) {
            return ControlFlow::Continue(());
        }
        let there = hosts.iter().enumerate();
        let there: Vec<_> = there
            .filter(|(_, host)| !self.out.contains(*host))
            .collect();
        let asked = if once { there.get(..1) } else { None };
        let mut failing: Vec<(Failing, Vec<&str>)> = Vec::new();
        let mut known: HashMap<Failing, usize> = HashMap::new();
        let mut failed: Vec<&str> = Vec::new();
        let asked = asked.unwrap_or(&there);
        let answers = self.of_each(turn, asked, |beginning, index, host| {
            beginning.fails(refusal, turn, index, host)
        });
        for ((_, host), how) in asked.iter().zip(answers) {
            if !how.is_empty() {
                failed.push(host);
            }
            for how in how {
                let at = *known.entry(how.clone()).or_insert_with(|| {
                    failing.push((how, Vec::new()));
                    failing.len() - 1
                });
                failing[at].1.push(host);
            }
        }
        if failed.is_empty() {
            return ControlFlow::Continue(());
        }
        let fatal = |common: &Common| common.any_errors_fatal.clone();
        let ends = once || failed.len() == there.len() || flag(item, fatal) == Some(true);
        for (how, hosts) in &failing {
            self.found
                .push(told(item, how, (!once).then_some(&hosts[..]), ends));
        }
        self.out.extend(failed.into_iter().map(str::to_owned));
        if ends {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// All ways in which the task is sure to fail on a host: with a loop, each item may have its own.
    fn fails(
        &mut self,
        refusal: &Refusal<'_>,
        turn: &Turn<'_>,
        index: usize,
        host: &str,
    ) -> Vec<Failing> {
        let scope = self.scope(turn, host, Extra::new());
        let mut failing = Vec::new();
        for extra in self.items(turn.item, &scope).unwrap_or_default() {
            let scope = if extra.is_empty() {
                Arc::clone(&scope)
            } else {
                self.scope(turn, host, extra)
            };
            if self.reach(turn, index, &scope) != Reach::Surely {
                continue;
            }
            let how = refusal.fails(self.input.templar, &self.foresight, &scope);
            failing.extend(how.filter(|how| !failing.contains(how)));
        }
        failing
    }
}

impl Reach {
    /// The same, and not for certain.
    fn min_perhaps(self) -> Self {
        match self {
            Self::Never => Self::Never,
            Self::Perhaps | Self::Surely => Self::Perhaps,
        }
    }
}

/// Whether a task may do something, or may make the run go on in another way.
fn acts(item: &Item) -> bool {
    if !item.notify().is_empty() {
        return true;
    }
    match &item.task.action {
        TaskAction::Module { name, .. } => registry::find(name).is_none_or(|module| {
            let known = module.description();
            let with = known.reads_with.is_some_and(|(argument, word)| {
                let arguments = modules::arguments(item).unwrap_or_default();
                arguments.get(argument).and_then(Node::as_str) == Some(word)
            });
            let reads = known.check_mode == CheckMode::Reads || !module.needs_host() || with;
            // One that is for all hosts waits for a person, who may do anything meanwhile.
            !reads || module.once()
        }),
        TaskAction::Meta(word, _) => !HARMLESS.contains(&word.as_str()),
        TaskAction::IncludeTasks { .. } | TaskAction::IncludeRole { .. } => false,
    }
}

/// The innermost value of a flag, no where it is not given; nothing where it is a template.
fn flag(item: &Item, of: impl Fn(&Common) -> Option<Keyword<bool>>) -> Option<bool> {
    match item.inherited().filter_map(of).last() {
        None => Some(false),
        Some(Keyword::Known(flag, _)) => Some(flag),
        Some(Keyword::Template(_)) => None,
    }
}

fn is_false(condition: &Node) -> bool {
    matches!(condition.value, crate::yaml::Value::Bool(false))
}

/// What is told: of which hosts, unless it is asked once for all of them; whether the run ends there.
fn told(item: &Item, how: &Failing, hosts: Option<&[&str]>, ends: bool) -> Diagnostic {
    let severity = if ends {
        Severity::Error
    } else {
        Severity::Warning
    };
    let why = how.why;
    let (message, help) = match &how.message {
        Some(message) => (
            message.clone(),
            "this is the playbook's own message: change what it names, in the inventory or with `-e`",
        ),
        None => (
            format!("a condition of the playbook {why}"),
            "change the variables that it names, in the inventory or with `-e`",
        ),
    };
    let label = match hosts {
        Some(hosts) => format!("{why} for {}", named(hosts)),
        None => why.to_owned(),
    };
    let task = match item.task.name.as_ref().and_then(Node::as_str) {
        Some(name) => format!("the task `{name}`"),
        None => "this task".to_owned(),
    };
    let note = if ends {
        format!("a run would end at {task}, before it did anything")
    } else {
        format!("a run would go on from {task} without these hosts")
    };
    Diagnostic::new(severity, message)
        .label(&how.span, label)
        .note(note)
        .help(help)
}

/// The names of hosts, as many as anybody reads.
fn named(hosts: &[&str]) -> String {
    let more = hosts.len().saturating_sub(NAMED);
    let shown = hosts[..hosts.len() - more].join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}
