//! Random programs with random results, against an interpreter that is written the obvious way.

use std::collections::BTreeSet;
use std::fmt::Write;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::playbook::Strategy;

/// A program as people write it.
#[derive(Debug)]
enum Entry {
    Task(u32),
    Block(Vec<Entry>, Vec<Entry>, Vec<Entry>),
    /// Parts that are for some hosts alone.
    Include(u32, Vec<(BTreeSet<String>, Vec<Entry>)>),
    /// A role, and whether it runs again.
    Role(RoleId, bool, Vec<Entry>),
    Flush,
}

/// What becomes of a task on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Result {
    Ok,
    Skipped,
    Failed,
    Notifies(usize),
}

const HANDLERS: usize = 3;
const ROLES: RoleId = 3;
/// Tasks of handlers have these numbers.
const FIRST_HANDLER: u32 = 1_000_000;

/// A play, and what will happen in it.
#[derive(Debug)]
struct Case {
    hosts: Vec<String>,
    entries: Vec<Entry>,
    seed: u64,
}

impl Case {
    fn random(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let hosts = rng.random_range(1..=4);
        let hosts: Vec<String> = (0..hosts).map(|number| format!("h{number}")).collect();
        let mut next = 0;
        let entries = entries(&mut rng, &hosts, 0, &mut next);
        Self {
            hosts,
            entries,
            seed,
        }
    }

    /// The same each time that it is asked for.
    fn result(&self, task: u32, host: &str) -> Result {
        let number: u64 = host[1..].parse().unwrap();
        let seed = self.seed ^ (u64::from(task) << 8 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rng = StdRng::seed_from_u64(seed);
        match rng.random_range(0..10) {
            0 | 1 => Result::Failed,
            2 => Result::Notifies(rng.random_range(0..HANDLERS)),
            3 => Result::Skipped,
            _ => Result::Ok,
        }
    }
}

fn fresh(next: &mut u32) -> u32 {
    *next += 1;
    *next
}

fn entries(rng: &mut StdRng, hosts: &[String], depth: u32, next: &mut u32) -> Vec<Entry> {
    let mut made = Vec::new();
    let most = if depth == 0 { 6 } else { 3 };
    for _ in 0..rng.random_range(0..=most) {
        let kind = if depth < 3 { rng.random_range(0..9) } else { 0 };
        made.push(match kind {
            0..4 => Entry::Task(fresh(next)),
            4 => Entry::Flush,
            5 => {
                let include = fresh(next);
                let mut parts = Vec::new();
                for _ in 0..rng.random_range(0..=2) {
                    let some = hosts.iter().filter(|_| rng.random_bool(0.7)).cloned();
                    let some = some.collect();
                    parts.push((some, entries(rng, hosts, depth + 1, next)));
                }
                Entry::Include(include, parts)
            }
            // No role is inside itself.
            6 if depth < 2 => Entry::Role(
                rng.random_range(0..ROLES) + usize::try_from(depth).unwrap() * ROLES,
                rng.random_bool(0.3),
                entries(rng, hosts, depth + 1, next),
            ),
            _ => Entry::Block(
                entries(rng, hosts, depth + 1, next),
                entries(rng, hosts, depth + 1, next),
                entries(rng, hosts, depth + 1, next),
            ),
        });
    }
    made
}

/// What was run, in order: a task and its hosts.
type Log = Vec<(u32, Vec<String>)>;

/// Walks the entries with all hosts at once, as one would tell it.
struct Reference<'a> {
    case: &'a Case,
    log: Log,
    notified: BTreeSet<(usize, String)>,
    /// The roles around the task, innermost last.
    inside: Vec<RoleId>,
    begun: BTreeSet<(RoleId, String)>,
    done: BTreeSet<(RoleId, String)>,
}

impl Reference<'_> {
    /// The hosts on which something failed; these have gone no further.
    fn walk(&mut self, entries: &[Entry], hosts: &[String], in_handler: bool) -> BTreeSet<String> {
        let mut failed = BTreeSet::new();
        for entry in entries {
            let left: Vec<String> = hosts
                .iter()
                .filter(|host| !failed.contains(*host))
                .cloned()
                .collect();
            if left.is_empty() {
                break;
            }
            failed.extend(match entry {
                Entry::Task(task) => self.task(*task, &left),
                Entry::Flush if in_handler => BTreeSet::new(),
                Entry::Flush => self.flush(&left),
                Entry::Include(task, parts) => {
                    self.log.push((*task, left.clone()));
                    let mut failed = BTreeSet::new();
                    for (some, entries) in parts {
                        let inside: Vec<String> = left
                            .iter()
                            .filter(|host| some.contains(*host) && !failed.contains(*host))
                            .cloned()
                            .collect();
                        failed.extend(self.walk(entries, &inside, in_handler));
                    }
                    failed
                }
                Entry::Role(role, again, entries) => {
                    let passes =
                        |host: &String| !again && self.done.contains(&(*role, host.clone()));
                    let inside: Vec<String> =
                        left.iter().filter(|host| !passes(host)).cloned().collect();
                    self.inside.push(*role);
                    let failed = self.walk(entries, &inside, in_handler);
                    self.inside.pop();
                    for host in inside.iter().filter(|host| !failed.contains(*host)) {
                        let role = (*role, host.clone());
                        if self.begun.contains(&role) {
                            self.done.insert(role);
                        }
                    }
                    failed
                }
                Entry::Block(body, rescue, always) => {
                    let mut failed = self.walk(body, &left, in_handler);
                    if !rescue.is_empty() {
                        let hosts = ordered(&left, &failed);
                        failed = self.walk(rescue, &hosts, in_handler);
                    }
                    failed.extend(self.walk(always, &left, in_handler));
                    failed
                }
            });
        }
        failed
    }

    fn task(&mut self, task: u32, hosts: &[String]) -> BTreeSet<String> {
        self.log.push((task, hosts.to_vec()));
        let mut failed = BTreeSet::new();
        for host in hosts {
            let result = self.case.result(task, host);
            if let Some(role) = self.inside.last().filter(|_| result != Result::Skipped)
                && task < FIRST_HANDLER
            {
                self.begun.insert((*role, host.clone()));
            }
            match result {
                Result::Ok | Result::Skipped => {}
                Result::Failed => {
                    failed.insert(host.clone());
                }
                Result::Notifies(handler) => {
                    self.notified.insert((handler, host.clone()));
                }
            }
        }
        failed
    }

    fn flush(&mut self, hosts: &[String]) -> BTreeSet<String> {
        let mut failed = BTreeSet::new();
        // Who has notified nothing before takes no part, whatever its turn would bring.
        let takes_part = |notified: &BTreeSet<(usize, String)>, host: &String| {
            notified.iter().any(|(_, by)| by == host)
        };
        let part: Vec<String> = hosts
            .iter()
            .filter(|host| takes_part(&self.notified, host))
            .cloned()
            .collect();
        for handler in 0..HANDLERS {
            let now: Vec<String> = part
                .iter()
                .filter(|host| !failed.contains(*host))
                .filter(|host| self.notified.contains(&(handler, (*host).clone())))
                .cloned()
                .collect();
            if now.is_empty() {
                continue;
            }
            for host in &now {
                self.notified.remove(&(handler, host.clone()));
            }
            let task = FIRST_HANDLER + u32::try_from(handler).unwrap();
            failed.extend(self.task(task, &now));
        }
        failed
    }
}

fn ordered(hosts: &[String], some: &BTreeSet<String>) -> Vec<String> {
    let some = hosts.iter().filter(|host| some.contains(*host));
    some.cloned().collect()
}

/// The handlers' program, and that of the play.
const HANDLERS_OF: ProgramId = 0;
const PLAY: ProgramId = 1;

/// A step of a flat program: a task, with the role that it is of, or one that includes a program.
#[derive(Debug, Clone)]
enum Work {
    Task(u32, Option<RoleId>),
    Include(u32, ProgramId),
    Flush,
}

/// Compiles a case into flat programs.
fn compile(case: &Case) -> Vec<Program<Work>> {
    let mut handlers = ProgramBuilder::new();
    for handler in 0..HANDLERS {
        let task = FIRST_HANDLER + u32::try_from(handler).unwrap();
        handlers.task(Work::Task(task, None));
    }
    let mut programs = vec![handlers.program(), ProgramBuilder::new().program()];
    let mut play = ProgramBuilder::new();
    add(&case.entries, None, &mut play, &mut programs);
    programs[PLAY] = play.program();
    programs
}

fn add(
    entries: &[Entry],
    of: Option<RoleId>,
    to: &mut ProgramBuilder<Work>,
    programs: &mut Vec<Program<Work>>,
) {
    for entry in entries {
        match entry {
            Entry::Task(task) => to.task(Work::Task(*task, of)),
            // Both ways are there: the step of its own at the end of a section, and the task `meta`.
            Entry::Flush if programs.len().is_multiple_of(2) => to.flush(HANDLERS_OF),
            Entry::Flush => to.task(Work::Flush),
            Entry::Include(task, parts) => {
                let mut included = ProgramBuilder::new();
                for (hosts, entries) in parts {
                    included.only(hosts.clone(), |to| add(entries, of, to, programs));
                }
                to.task(Work::Include(*task, programs.len()));
                programs.push(included.program());
            }
            Entry::Role(role, again, entries) => {
                to.role(*role, *again, |to| add(entries, Some(*role), to, programs));
            }
            Entry::Block(body, rescue, always) => {
                let mut block = to.begin();
                add(body, of, to, programs);
                if !rescue.is_empty() {
                    to.rescue(&mut block);
                    add(rescue, of, to, programs);
                }
                if !always.is_empty() {
                    to.always(&mut block);
                    add(always, of, to, programs);
                }
                to.end(&block);
            }
        }
    }
}

/// Drives a case as the dispatcher does. `each`: called before each turn.
fn drive(
    case: &Case,
    programs: &[Program<Work>],
    strategy: Strategy,
    rng: &mut StdRng,
    mut each: impl FnMut(&mut Hosts),
) -> (Log, Hosts) {
    let mut hosts = Hosts::new();
    for host in &case.hosts {
        hosts.insert(host.clone(), Course::new(host, PLAY, programs));
    }
    let mut log = Log::new();
    let mut running: Vec<Turn> = Vec::new();
    let mut last = Vec::new();
    let mut idle = case.hosts.clone();
    loop {
        each(&mut hosts);
        let busy = running.iter().flat_map(|turn| turn.hosts.clone());
        let now = Now {
            busy: &busy.collect(),
            idle: &idle,
            over: 0,
            at_once: 2,
            last: &last,
        };
        running.extend(next(strategy, &hosts, &now));
        if running.is_empty() {
            return (log, hosts);
        }
        let turn = running.remove(rng.random_range(0..running.len()));
        last.clone_from(&turn.order);
        idle.clone_from(&turn.hosts);
        let work = match &programs[turn.step.program].steps[turn.step.at] {
            Step::Task(work) => work,
            Step::Flush(_) => {
                for host in &turn.hosts {
                    notify_named(&mut hosts[host]);
                    hosts[host].resume(programs);
                }
                continue;
            }
            _ => panic!("{turn:?} is no work"),
        };
        if let Work::Task(task, _) | Work::Include(task, _) = work {
            log.push((*task, turn.hosts.clone()));
        }
        for host in &turn.hosts {
            let course = &mut hosts[host];
            match work {
                Work::Flush => {
                    notify_named(course);
                    course.flush(HANDLERS_OF, programs);
                }
                Work::Include(_, program) => course.enter(*program, programs),
                Work::Task(task, role) => {
                    let result = case.result(*task, host);
                    if let Some(role) = role.filter(|_| result != Result::Skipped) {
                        course.begin_role(role);
                    }
                    match result {
                        Result::Ok | Result::Skipped => course.advance(programs),
                        Result::Failed => course.fail(programs),
                        Result::Notifies(handler) => {
                            course.notify_by_name(&handler.to_string());
                            if course.in_handlers() {
                                notify_named(course);
                            }
                            course.advance(programs);
                        }
                    }
                }
            }
        }
    }
}

/// Finds the handlers that a host has notified by name: a name is a number.
fn notify_named(course: &mut Course) {
    for name in course.take_names() {
        course.notify(StepId {
            program: HANDLERS_OF,
            at: name.parse().unwrap(),
        });
    }
}

/// The tasks of one host, in order.
fn of_host(log: &Log, host: &str) -> Vec<u32> {
    let own = log
        .iter()
        .filter(|(_, hosts)| hosts.iter().any(|one| one == host));
    own.map(|(task, _)| *task).collect()
}

/// The seed of all random programs of a run: `WINDLASS_TEST_SEED`, or another each time.
fn first_seed() -> u64 {
    let given = std::env::var("WINDLASS_TEST_SEED").ok();
    let seed = given.map_or_else(rand::random, |seed| seed.parse().expect("a number"));
    println!("WINDLASS_TEST_SEED={seed}");
    seed
}

fn cases(count: u64) -> impl Iterator<Item = Case> {
    let first = first_seed();
    (0..count).map(move |number| Case::random(first.wrapping_add(number)))
}

#[test]
fn linear_runs_what_the_obvious_interpreter_runs() {
    let mut tasks = 0;
    for case in cases(10_000) {
        let mut reference = Reference {
            case: &case,
            log: Log::new(),
            notified: BTreeSet::new(),
            inside: Vec::new(),
            begun: BTreeSet::new(),
            done: BTreeSet::new(),
        };
        let failed = reference.walk(&case.entries, &case.hosts, false);
        let programs = compile(&case);
        let mut rng = StdRng::seed_from_u64(case.seed);
        let (log, hosts) = drive(&case, &programs, Strategy::Linear, &mut rng, |_| ());
        assert_eq!(log, reference.log, "{case:#?}");
        for (host, course) in &hosts {
            let end = if failed.contains(host) {
                End::Failed
            } else {
                End::Done
            };
            assert_eq!(course.end(), Some(end), "{host} of {case:#?}");
        }
        tasks += log.len();
    }
    assert!(tasks > 50_000, "{tasks} tasks only");
}

#[test]
fn each_host_does_the_same_whatever_the_strategy() {
    for case in cases(2_000) {
        let programs = compile(&case);
        let mut rng = StdRng::seed_from_u64(case.seed);
        let (linear, ends) = drive(&case, &programs, Strategy::Linear, &mut rng, |_| ());
        for strategy in [Strategy::Free, Strategy::HostPinned] {
            let (log, hosts) = drive(&case, &programs, strategy, &mut rng, |_| ());
            for host in &case.hosts {
                assert_eq!(
                    of_host(&log, host),
                    of_host(&linear, host),
                    "{strategy:?} {case:#?}"
                );
                assert_eq!(hosts[host].end(), ends[host].end());
            }
        }
    }
}

#[test]
fn two_hosts_at_a_time_are_on_their_way_where_they_are_pinned() {
    for case in cases(1_000) {
        let programs = compile(&case);
        let mut rng = StdRng::seed_from_u64(case.seed);
        let (log, _) = drive(&case, &programs, Strategy::HostPinned, &mut rng, |_| ());
        let mut begun: Vec<&str> = Vec::new();
        for (at, (_, hosts)) in log.iter().enumerate() {
            if !begun.contains(&&*hosts[0]) {
                begun.push(&hosts[0]);
            }
            let later = &log[at..];
            let going = begun
                .iter()
                .filter(|host| !of_host(&later.to_vec(), host).is_empty());
            assert!(going.count() <= 2, "{case:#?}");
        }
    }
}

#[test]
fn a_position_is_written_and_read_back_at_every_step_and_the_run_goes_on() {
    let mut written = String::new();
    for case in cases(1_000) {
        let programs = compile(&case);
        let mut rng = StdRng::seed_from_u64(case.seed);
        let (log, ends) = drive(&case, &programs, Strategy::Linear, &mut rng, |_| ());
        let mut rng = StdRng::seed_from_u64(case.seed);
        let (again, hosts) = drive(&case, &programs, Strategy::Linear, &mut rng, |hosts| {
            for course in hosts.values_mut() {
                written.clear();
                write!(written, "{}", serde_json::to_string(course).unwrap()).unwrap();
                let read: Course = serde_json::from_str(&written).unwrap();
                assert_eq!(read, *course);
                *course = read;
            }
        });
        assert_eq!((again, hosts), (log, ends), "{case:#?}");
    }
}

/// A block whose body has two tasks, with a rescue, and a task after it.
fn rescued_block() -> Vec<Program<u32>> {
    let mut play = ProgramBuilder::new();
    let mut block = play.begin();
    play.task(1);
    play.task(2);
    play.rescue(&mut block);
    play.task(3);
    play.end(&block);
    play.task(4);
    vec![ProgramBuilder::new().program(), play.program()]
}

fn task(course: &Course, programs: &[Program<u32>]) -> Option<u32> {
    let step = course.step()?;
    match &programs[step.program].steps[step.at] {
        Step::Task(task) => Some(*task),
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_fails_with_others_is_rescued_by_the_block_that_it_has_just_done() {
    let programs = rescued_block();
    let mut course = Course::new("h", PLAY, &programs);
    course.advance(&programs);
    course.advance(&programs);
    assert_eq!(task(&course, &programs), Some(4));
    assert!(!course.is_rescued(&programs));
    course.fail_with_others(&programs);
    assert_eq!(task(&course, &programs), Some(3));
    course.fail_with_others(&programs);
    assert_eq!(course.end(), Some(End::Failed));
}

#[test]
fn cleared_errors_bring_back_who_has_not_ended_where_it_failed() {
    let mut play = ProgramBuilder::new();
    let mut block = play.begin();
    play.task(1);
    play.always(&mut block);
    play.task(2);
    play.end(&block);
    play.task(3);
    let programs = vec![ProgramBuilder::new().program(), play.program()];
    let mut course = Course::new("h", PLAY, &programs);
    course.fail(&programs);
    assert_eq!(task(&course, &programs), Some(2));
    course.advance(&programs);
    assert_eq!(course.end(), Some(End::Failed));
    course.clear_errors(&programs);
    assert_eq!(task(&course, &programs), Some(3));
    course.fail(&programs);
    course.clear_errors(&programs);
    assert_eq!(course.end(), Some(End::Failed));
    let mut course = Course::new("h", PLAY, &programs);
    course.advance(&programs);
    course.lose();
    assert!(!course.is_on_its_way());
    course.clear_errors(&programs);
    assert!(course.is_on_its_way());
    assert_eq!(task(&course, &programs), Some(2));
}

#[test]
fn a_host_that_leaves_stays_where_it_has_ended() {
    let programs = rescued_block();
    for (fails, end) in [(false, End::Done), (true, End::Failed)] {
        let mut course = Course::new("h", PLAY, &programs);
        if fails {
            course.fail(&programs);
        }
        for _ in 0..2 {
            assert_eq!(course.leave(), end);
            assert_eq!((course.step(), course.end()), (None, Some(end)));
            course.fail_with_others(&programs);
            course.advance(&programs);
        }
    }
}

#[test]
fn who_ends_a_role_goes_on_after_it_and_leaves_what_its_blocks_do_in_any_case_out() {
    let mut play = ProgramBuilder::new();
    let mut outer = play.begin();
    play.role(0, false, |play| {
        let mut block = play.begin();
        play.task(1);
        play.always(&mut block);
        play.task(2);
        play.end(&block);
        play.task(3);
    });
    play.task(4);
    play.rescue(&mut outer);
    play.task(5);
    play.end(&outer);
    play.role(0, false, |play| play.task(6));
    let mut included = ProgramBuilder::new();
    included.task(7);
    let programs = vec![
        ProgramBuilder::new().program(),
        play.program(),
        included.program(),
    ];
    for in_include in [false, true] {
        let mut course = Course::new("h", PLAY, &programs);
        course.begin_role(0);
        if in_include {
            course.enter(2, &programs);
            assert_eq!(task(&course, &programs), Some(7));
        }
        course.end_role(0, &programs);
        assert_eq!(task(&course, &programs), Some(4));
        course.fail(&programs);
        assert_eq!(task(&course, &programs), Some(5));
        course.advance(&programs);
        assert_eq!(course.end(), Some(End::Done));
    }
}
