//! Where a run stands, as values: flat programs, the position of each host in them, and what starts next.
//!
//! All of it is pure: it knows no tasks, no variables and no connections, so that random programs and
//! random results can be tried against an interpreter that is written the obvious way.

mod position;
mod program;
mod strategy;
#[cfg(test)]
mod tests;

pub(crate) use position::{Course, End};
pub(crate) use program::{Program, ProgramBuilder, ProgramId, RoleId, Step, StepId};
pub(crate) use strategy::{Hosts, Now, Turn, next};
