//! What is to be done, as a flat list of steps.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The number of a program among those of a batch.
pub(crate) type ProgramId = usize;

/// A step of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct StepId {
    pub(crate) program: ProgramId,
    pub(crate) at: usize,
}

/// The number of a role among those of a batch: uses that are the same have the same one.
pub(crate) type RoleId = usize;

/// Steps, one after the other. A host that has done one goes on with the next.
#[derive(Debug, Clone)]
pub(crate) struct Program<T> {
    pub(crate) steps: Vec<Step<T>>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub(crate) enum Step<T> {
    /// A task.
    Task(T),
    /// The handlers that were notified, which are the tasks of another program.
    Flush(ProgramId),
    /// A block begins.
    Begin(Sections),
    /// A section of a block ends.
    End,
    /// What follows, up to the step at `after`, is for these hosts alone.
    Only {
        hosts: BTreeSet<String>,
        after: usize,
    },
    /// The tasks of a role begin, up to the step at `after`. A host that has done all of them passes them by,
    /// unless they are done `again`.
    Role {
        role: RoleId,
        again: bool,
        after: usize,
    },
    /// The tasks of a role end.
    RoleEnd(RoleId),
}

/// Where the sections of a block are. Its body follows the step at which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sections {
    pub(crate) rescue: Option<usize>,
    pub(crate) always: Option<usize>,
    pub(crate) after: usize,
}

/// A block that is being added.
pub(crate) struct OpenBlock {
    begin: usize,
    sections: Sections,
}

/// Puts a program together.
pub(crate) struct ProgramBuilder<T> {
    steps: Vec<Step<T>>,
}

impl<T> ProgramBuilder<T> {
    pub(crate) fn new() -> Self {
        Self { steps: Vec::new() }
    }

    pub(crate) fn task(&mut self, task: T) {
        self.steps.push(Step::Task(task));
    }

    pub(crate) fn flush(&mut self, handlers: ProgramId) {
        self.steps.push(Step::Flush(handlers));
    }

    /// A block begins with its body.
    pub(crate) fn begin(&mut self) -> OpenBlock {
        let open = OpenBlock {
            begin: self.steps.len(),
            sections: Sections {
                rescue: None,
                always: None,
                after: 0,
            },
        };
        self.steps.push(Step::Begin(open.sections));
        open
    }

    /// What follows rescues the block.
    pub(crate) fn rescue(&mut self, open: &mut OpenBlock) {
        self.steps.push(Step::End);
        open.sections.rescue = Some(self.steps.len());
    }

    /// What follows is done in any case.
    pub(crate) fn always(&mut self, open: &mut OpenBlock) {
        self.steps.push(Step::End);
        open.sections.always = Some(self.steps.len());
    }

    /// The block ends.
    pub(crate) fn end(&mut self, open: &OpenBlock) {
        self.steps.push(Step::End);
        let after = self.steps.len();
        self.steps[open.begin] = Step::Begin(Sections {
            after,
            ..open.sections
        });
    }

    /// What is for some hosts alone.
    pub(crate) fn only(&mut self, hosts: BTreeSet<String>, steps: impl FnOnce(&mut Self)) {
        let begin = self.steps.len();
        self.steps.push(Step::Only { hosts, after: 0 });
        steps(self);
        let end = self.steps.len();
        if let Step::Only { after, .. } = &mut self.steps[begin] {
            *after = end;
        }
    }

    /// The tasks of a role.
    pub(crate) fn role(&mut self, role: RoleId, again: bool, steps: impl FnOnce(&mut Self)) {
        let begin = self.steps.len();
        let after = 0;
        self.steps.push(Step::Role { role, again, after });
        steps(self);
        self.steps.push(Step::RoleEnd(role));
        let end = self.steps.len();
        if let Step::Role { after, .. } = &mut self.steps[begin] {
            *after = end;
        }
    }

    pub(crate) fn program(self) -> Program<T> {
        Program { steps: self.steps }
    }
}
