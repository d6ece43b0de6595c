//! What an evaluation carries along: the scope, its limits, and the names bound so far.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use minijinja::Value;

use super::locals::Locals;
use crate::template::budget::Budget;
use crate::template::error::TemplateError;
use crate::template::limits;
use crate::template::scope::Scope;
use crate::template::templar::Templar;
use crate::template::tree::{Name, Stmt};
use crate::template::turn::RenderingGuard;

/// Steps one rendering may take; enough for any template that ends. Fewer in unit tests, which are
/// built without optimisation.
const FUEL: u64 = if cfg!(test) { 300_000 } else { 4_000_000 };
/// How deep expressions, macros, includes and recursive loops may nest, all together.
const DEEPEST: u32 = 400;

/// What one rendering shares with the templates it includes and the macros it calls.
pub(in crate::template) struct RenderShared<'e> {
    pub(in crate::template) templar: &'e Templar,
    pub(in crate::template) scope: &'e Arc<dyn Scope>,
    fuel: Cell<u64>,
    depth: Cell<u32>,
    /// What it makes is charged to this, unless the scope has a budget.
    own: Budget,
    _rendering: RenderingGuard,
}

impl Drop for RenderShared<'_> {
    fn drop(&mut self) {
        self.budget().leave();
    }
}

impl<'e> RenderShared<'e> {
    pub(in crate::template) fn new(templar: &'e Templar, scope: &'e Arc<dyn Scope>) -> Self {
        let shared = Self {
            templar,
            scope,
            fuel: Cell::new(FUEL),
            depth: Cell::new(0),
            own: Budget::default(),
            _rendering: RenderingGuard::begin(),
        };
        shared.budget().enter();
        shared
    }

    fn budget(&self) -> &Budget {
        self.scope.budget().unwrap_or(&self.own)
    }

    /// Charges bytes that are about to be made.
    pub(in crate::template) fn make(&self, bytes: usize) -> Result<(), TemplateError> {
        self.budget().make(bytes)
    }

    /// Charges a value that was just made.
    pub(in crate::template) fn made(&self, value: Value) -> Result<Value, TemplateError> {
        let (size, steps) = limits::size(&value)?;
        self.make(size)?;
        self.spend(size / 1024 + steps / 32)?;
        Ok(value)
    }

    /// Uses up fuel for looking at all that is in a value.
    pub(in crate::template) fn look_through(&self, value: &Value) -> Result<(), TemplateError> {
        self.spend(limits::values_in(value) / 32)
    }

    /// Uses up fuel, so that no template runs for ever.
    pub(in crate::template) fn spend(&self, steps: usize) -> Result<(), TemplateError> {
        let left = self.fuel.get().checked_sub(steps as u64);
        self.fuel.set(left.unwrap_or(0));
        match left {
            Some(_) => Ok(()),
            None => Err(TemplateError::new("the template does too much work")
                .hint("look for a loop over far too many items")),
        }
    }

    fn descend(&self) -> Result<(), TemplateError> {
        let depth = self.depth.get() + 1;
        if depth > DEEPEST {
            return Err(TemplateError::new("the template nests too deeply")
                .hint("look for a macro or an include that calls itself without end"));
        }
        self.depth.set(depth);
        Ok(())
    }

    fn ascend(&self) {
        self.depth.set(self.depth.get() - 1);
    }
}

/// Definitions of a block, the most derived template's first.
pub(super) type Blocks = HashMap<Name, Vec<Arc<[Stmt]>>>;

/// An evaluation of one template, macro or expression.
pub(in crate::template) struct Eval<'e> {
    pub(in crate::template) shared: &'e RenderShared<'e>,
    pub(super) locals: Locals,
    pub(super) blocks: Blocks,
    /// The block being written and which of its definitions.
    pub(super) block: Option<(Name, usize)>,
    /// The folder of the template's file, where includes are looked for first.
    pub(in crate::template) folder: Option<PathBuf>,
}

impl<'e> Eval<'e> {
    pub(in crate::template) fn new(shared: &'e RenderShared<'e>, folder: Option<PathBuf>) -> Self {
        Self {
            shared,
            locals: Locals::default(),
            blocks: Blocks::new(),
            block: None,
            folder,
        }
    }

    /// Runs something one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        run: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        self.shared.descend()?;
        // Debug builds and threads with small stacks would not bear the depth that is allowed.
        let result = stacker::maybe_grow(256 << 10, 2 << 20, || run(self));
        self.shared.ascend();
        result
    }

    /// Runs something in a scope of its own.
    pub(super) fn scoped<T>(
        &mut self,
        run: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        self.locals.enter();
        let result = run(self);
        self.locals.leave();
        result
    }

    /// The value of a name, undefined ones included.
    pub(in crate::template) fn variable(&self, name: &str) -> Value {
        if let Some(value) = self.locals.get(name) {
            return value.clone();
        }
        match self.shared.scope.get(name) {
            Some(Ok(value)) => value,
            Some(Err(error)) => crate::template::special::failed(error),
            None => {
                crate::template::functions::global(name, self.shared.scope).unwrap_or_else(|| {
                    crate::template::special::failed(TemplateError::undefined(name))
                })
            }
        }
    }
}
