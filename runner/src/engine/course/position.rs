//! Where a host is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::program::{Program, ProgramId, RoleId, Sections, Step, StepId};

/// Where a host is: in which programs, the outermost first, and in each at which step of which blocks. A
/// value, which can be printed, compared, stored and read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    frames: Vec<Frame>,
    end: Option<End>,
}

/// How a host came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    /// It has nothing more to do.
    Done,
    /// A task failed, and nothing rescued it.
    Failed,
}

/// A program that a host is in: that of the play, then those that were included, or handlers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Frame {
    program: ProgramId,
    at: usize,
    /// The blocks around the step, the outermost first.
    blocks: Vec<BlockPosition>,
    /// Only steps of handlers that were notified are taken.
    handlers: bool,
    /// The handler that is at work: from now on it may be notified for the next flush.
    taken: Option<usize>,
}

/// Where in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct BlockPosition {
    /// The step at which it begins.
    begin: usize,
    section: Section,
    /// Whether it has failed, and was not rescued, or not yet.
    failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Section {
    Body,
    Rescue,
    Always,
}

/// A host on its way: where it is, and which handlers it has notified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Course {
    host: String,
    position: Position,
    /// Where it was when it had done a step, before it went on to the next one: there it fails where others'
    /// failures are its own, as in ansible-core, so that the block that it has just done rescues it.
    before: Position,
    notified: BTreeSet<StepId>,
    /// The names by which it has notified handlers: which ones they are is found out when they are to run.
    names: BTreeSet<String>,
    /// The roles of which a task has run on it, and was not skipped.
    begun: BTreeSet<RoleId>,
    /// Those that it has done to their ends.
    done: BTreeSet<RoleId>,
    /// It cannot be reached, and waits where it is.
    lost: bool,
}

impl Course {
    /// At the first step of the play's program.
    pub(crate) fn new<T>(host: &str, program: ProgramId, programs: &[Program<T>]) -> Self {
        let position = Position {
            frames: vec![Frame::new(program, false)],
            end: None,
        };
        let mut course = Self {
            host: host.to_owned(),
            before: position.clone(),
            position,
            notified: BTreeSet::new(),
            names: BTreeSet::new(),
            begun: BTreeSet::new(),
            done: BTreeSet::new(),
            lost: false,
        };
        course.settle(programs);
        course
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    #[cfg(test)]
    pub(crate) fn end(&self) -> Option<End> {
        self.position.end
    }

    /// Whether there is more to do for it, and it can be reached.
    pub(crate) fn is_on_its_way(&self) -> bool {
        self.position.end.is_none() && !self.lost
    }

    /// Whether it cannot be reached.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// It cannot be reached any more.
    pub(crate) fn lose(&mut self) {
        self.lost = true;
    }

    /// Its failures are forgotten, and that it could not be reached: it goes on where it was. Who ended where
    /// a task failed has ended all the same; who did more in any case after that goes on, as in ansible-core.
    pub(crate) fn clear_errors<T>(&mut self, programs: &[Program<T>]) {
        self.lost = false;
        if self.position.end == Some(End::Failed) && !self.before.frames.is_empty() {
            self.position.clone_from(&self.before);
        }
        let frames = self.position.frames.iter_mut();
        for block in frames.flat_map(|frame| &mut frame.blocks) {
            block.failed = false;
        }
        self.settle(programs);
    }

    /// The step that comes next; nothing at the end.
    pub(crate) fn step(&self) -> Option<StepId> {
        let frame = self.position.frames.last()?;
        Some(StepId {
            program: frame.program,
            at: frame.at,
        })
    }

    /// Its place in the order of all steps, across programs that are in each other.
    pub(super) fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.position.frames.iter().map(|frame| frame.at)
    }

    /// Whether a failure now would be rescued.
    pub(crate) fn is_rescued<T>(&self, programs: &[Program<T>]) -> bool {
        self.position.frames.iter().any(|frame| {
            frame.blocks.iter().any(|block| {
                let sections = sections(&programs[frame.program], block.begin);
                block.section == Section::Body && sections.rescue.is_some()
            })
        })
    }

    /// Whether the step is one of a handler.
    pub(crate) fn in_handlers(&self) -> bool {
        self.position.frames.iter().any(|frame| frame.handlers)
    }

    /// A handler is to run for this host.
    pub(crate) fn notify(&mut self, handler: StepId) {
        self.notified.insert(handler);
    }

    /// The handlers that go by a name are to run for this host; it waits at the flush for somebody to say which
    /// they are.
    pub(crate) fn notify_by_name(&mut self, name: &str) {
        if !self.names.contains(name) {
            self.names.insert(name.to_owned());
        }
    }

    /// The names by which it has notified handlers, once.
    pub(crate) fn take_names(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.names)
    }

    /// Goes on from the flush at which it waits.
    pub(crate) fn resume<T>(&mut self, programs: &[Program<T>]) {
        self.settle(programs);
    }

    /// A task of a role has run, and was not skipped.
    pub(crate) fn begin_role(&mut self, role: RoleId) {
        self.begun.insert(role);
    }

    /// The role is over for it: on to what comes after its tasks. What is done in any case in the blocks around
    /// the step is left out as well, as in ansible-core.
    pub(crate) fn end_role<T>(&mut self, role: RoleId, programs: &[Program<T>]) {
        while let Some(frame) = self.position.frames.last_mut() {
            let program = &programs[frame.program];
            let steps = program.steps.iter().enumerate().skip(frame.at);
            let mut ends =
                steps.filter(|(_, step)| matches!(step, Step::RoleEnd(id) if *id == role));
            if let Some((end, _)) = ends.next() {
                frame
                    .blocks
                    .retain(|block| sections(program, block.begin).after > end);
                frame.at = end;
                break;
            }
            self.position.frames.pop();
        }
        self.go_on(programs);
    }

    /// The step is done: the next one.
    pub(crate) fn advance<T>(&mut self, programs: &[Program<T>]) {
        if let Some(frame) = self.position.frames.last_mut() {
            frame.at += 1;
        }
        self.go_on(programs);
    }

    /// The step includes another program, which comes first.
    pub(crate) fn enter<T>(&mut self, program: ProgramId, programs: &[Program<T>]) {
        self.position.frames.push(Frame::new(program, false));
        self.go_on(programs);
    }

    /// The step runs the handlers that were notified.
    pub(crate) fn flush<T>(&mut self, handlers: ProgramId, programs: &[Program<T>]) {
        if self.has_notified(handlers) && !self.in_handlers() {
            self.position.frames.push(Frame::new(handlers, true));
            self.go_on(programs);
        } else {
            self.advance(programs);
        }
    }

    fn has_notified(&self, handlers: ProgramId) -> bool {
        self.notified.iter().any(|step| step.program == handlers)
    }

    fn go_on<T>(&mut self, programs: &[Program<T>]) {
        self.before.clone_from(&self.position);
        self.settle(programs);
    }

    /// It fails because others did.
    pub(crate) fn fail_with_others<T>(&mut self, programs: &[Program<T>]) {
        if self.position.end.is_none() {
            self.position.clone_from(&self.before);
            self.fail(programs);
        }
    }

    /// The step failed: on to what rescues it, or to what is done in any case, or to the end.
    pub(crate) fn fail<T>(&mut self, programs: &[Program<T>]) {
        self.fall(programs);
        if self.position.end.is_some() {
            self.before.clone_from(&self.position);
        }
    }

    fn fall<T>(&mut self, programs: &[Program<T>]) {
        while let Some(frame) = self.position.frames.last_mut() {
            if frame.fail(&programs[frame.program]) {
                self.go_on(programs);
                return;
            }
            // The step that brought this program in has failed.
            self.position.frames.pop();
        }
        if self.position.end.is_none() {
            self.position.end = Some(End::Failed);
        }
    }

    /// It takes no more part. Who leaves in the middle of the rescue of an outermost block, or of what that does
    /// in any case after a failure, has failed, as in ansible-core.
    pub(crate) fn leave(&mut self) -> End {
        let outermost = self.position.frames.first();
        let outermost = outermost.and_then(|frame| frame.blocks.first());
        let end = match outermost {
            Some(block) if block.failed => End::Failed,
            _ => End::Done,
        };
        self.position.frames.clear();
        self.before.frames.clear();
        *self.position.end.get_or_insert(end)
    }

    /// Goes on to the next step that is work.
    fn settle<T>(&mut self, programs: &[Program<T>]) {
        while let Some(frame) = self.position.frames.last_mut() {
            let program = &programs[frame.program];
            let step = StepId {
                program: frame.program,
                at: frame.at,
            };
            match program.steps.get(frame.at) {
                Some(Step::Task(_)) if !frame.handlers || frame.taken == Some(frame.at) => return,
                Some(Step::Task(_)) if self.notified.remove(&step) => {
                    frame.taken = Some(frame.at);
                    return;
                }
                Some(Step::Task(_)) => frame.at += 1,
                Some(Step::Begin(_)) => {
                    frame.blocks.push(BlockPosition {
                        begin: frame.at,
                        section: Section::Body,
                        failed: false,
                    });
                    frame.at += 1;
                }
                Some(Step::End) => {
                    if !frame.end_section(program) {
                        self.fall(programs);
                        return;
                    }
                }
                Some(Step::Only { hosts, after }) => {
                    frame.at = if hosts.contains(&self.host) {
                        frame.at + 1
                    } else {
                        *after
                    };
                }
                Some(Step::Role { role, again, after }) => {
                    frame.at = if self.done.contains(role) && !again {
                        *after
                    } else {
                        frame.at + 1
                    };
                }
                Some(Step::RoleEnd(role)) => {
                    if self.begun.contains(role) {
                        self.done.insert(*role);
                    }
                    frame.at += 1;
                }
                Some(Step::Flush(_)) if !self.names.is_empty() && !self.in_handlers() => return,
                Some(Step::Flush(handlers)) => {
                    let handlers = *handlers;
                    if self.has_notified(handlers) && !self.in_handlers() {
                        self.position.frames.push(Frame::new(handlers, true));
                    } else if let Some(frame) = self.position.frames.last_mut() {
                        frame.at += 1;
                    }
                }
                // The program is done, and with it the step that brought it in.
                None => {
                    self.position.frames.pop();
                    if let Some(outer) = self.position.frames.last_mut() {
                        outer.at += 1;
                    }
                }
            }
        }
        if self.position.end.is_none() {
            self.position.end = Some(End::Done);
        }
    }
}

impl Frame {
    fn new(program: ProgramId, handlers: bool) -> Self {
        Self {
            program,
            at: 0,
            blocks: Vec::new(),
            handlers,
            taken: None,
        }
    }

    /// A section of the innermost block has come to its end. False: the block as a whole has failed.
    fn end_section<T>(&mut self, program: &Program<T>) -> bool {
        let Some(block) = self.blocks.last_mut() else {
            self.at += 1;
            return true;
        };
        let sections = sections(program, block.begin);
        if block.section == Section::Rescue {
            block.failed = false;
        }
        if let (Section::Body | Section::Rescue, Some(always)) = (block.section, sections.always) {
            block.section = Section::Always;
            self.at = always;
            return true;
        }
        let failed = block.failed;
        self.blocks.pop();
        self.at = sections.after;
        !failed
    }

    /// The step failed. True: there is something to go on with in this program.
    fn fail<T>(&mut self, program: &Program<T>) -> bool {
        while let Some(block) = self.blocks.last_mut() {
            let sections = sections(program, block.begin);
            match (block.section, sections.rescue, sections.always) {
                (Section::Body, Some(rescue), _) => {
                    block.section = Section::Rescue;
                    block.failed = true;
                    self.at = rescue;
                    return true;
                }
                (Section::Body | Section::Rescue, _, Some(always)) => {
                    block.section = Section::Always;
                    block.failed = true;
                    self.at = always;
                    return true;
                }
                _ => {
                    self.blocks.pop();
                }
            }
        }
        false
    }
}

/// Where the sections are of the block that begins at `begin`.
fn sections<T>(program: &Program<T>, begin: usize) -> Sections {
    match program.steps.get(begin) {
        Some(Step::Begin(sections)) => *sections,
        // No position was made of another program than its own.
        _ => Sections {
            rescue: None,
            always: None,
            after: begin + 1,
        },
    }
}
