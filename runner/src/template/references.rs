//! What a template refers to, found in its syntax tree without evaluating it: variables, and whether
//! it must have them; filters, tests and lookups that do not exist.

use std::collections::HashSet;
use std::sync::Arc;

use minijinja::Value;

use super::error::TemplateError;
use super::tree::{
    Applied, Arg, AssignTarget, Call, Expr, ExprKind, For, Macro, Name, Stmt, Template,
};
use super::{filters, functions, lookups, tests};
use crate::yaml::Span;

/// What a template refers to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct References {
    /// Variables that it does not set itself, each time that one is named.
    pub variables: Vec<Reference>,
    /// Filters, tests and lookups that do not exist.
    pub unknown: Vec<TemplateError>,
}

/// A variable that a template names.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// Where it stands, if the template stands anywhere.
    pub span: Option<Span>,
    /// Whether it may be undefined there (`default`, `is defined`).
    pub guarded: bool,
    /// Whether it is looked at whenever the template is rendered; otherwise that depends on a
    /// condition or on the length of a list.
    pub certain: bool,
}

/// Functions that are found by more than their name.
const LOOKUPS: &[&str] = &["lookup", "query", "q"];

/// Names that mean something in some places of a template.
const SPECIAL: &[&str] = &[
    "caller", "kwargs", "loop", "now", "omit", "self", "super", "varargs", "vars",
];

/// The references of a template. `locate` gives an error, which knows its place in the template's
/// text, its place in the file.
pub(super) fn references(
    template: &Template,
    locate: &dyn Fn(TemplateError) -> TemplateError,
) -> References {
    let mut locals = Locals::default();
    locals.body(&template.body);
    let mut walk = Walk {
        locals: locals.0,
        locate,
        certain: true,
        found: References::default(),
    };
    walk.body(&template.body);
    walk.found
}

/// Names that a template sets anywhere: they are taken for set everywhere in it.
#[derive(Default)]
struct Locals(HashSet<Name>);

impl Locals {
    fn target(&mut self, target: &AssignTarget) {
        match target {
            AssignTarget::Name(name) => {
                self.0.insert(Arc::clone(name));
            }
            AssignTarget::Attr(..) => {}
            AssignTarget::Many(targets) => targets.iter().for_each(|target| self.target(target)),
        }
    }

    fn body(&mut self, body: &[Stmt]) {
        for stmt in body {
            match stmt {
                Stmt::For(each) => {
                    self.target(&each.target);
                    self.body(&each.body);
                    self.body(&each.otherwise);
                }
                Stmt::If(_, then, otherwise) => {
                    self.body(then);
                    self.body(otherwise);
                }
                Stmt::With(targets, body) => {
                    for (target, _) in targets {
                        self.target(target);
                    }
                    self.body(body);
                }
                Stmt::Set(target, _) | Stmt::Import(_, target) => self.target(target),
                Stmt::SetBlock(target, _, body) => {
                    self.target(target);
                    self.body(body);
                }
                Stmt::Plain(body) | Stmt::FilterBlock(_, body) => self.body(body),
                Stmt::Block(_, _, body) => self.body(body),
                Stmt::FromImport(_, names) => {
                    self.0
                        .extend(names.iter().map(|(_, name)| Arc::clone(name)));
                }
                Stmt::Macro(of) | Stmt::CallBlock(_, of) => self.of_macro(of),
                _ => {}
            }
        }
    }

    fn of_macro(&mut self, of: &Macro) {
        self.0.insert(Arc::clone(&of.name));
        self.0.extend(of.params.iter().map(Arc::clone));
        self.body(&of.body);
    }
}

struct Walk<'a> {
    locals: HashSet<Name>,
    locate: &'a dyn Fn(TemplateError) -> TemplateError,
    certain: bool,
    found: References,
}

impl Walk<'_> {
    /// What may not be reached.
    fn perhaps(&mut self, walk: impl FnOnce(&mut Self)) {
        let certain = std::mem::replace(&mut self.certain, false);
        walk(self);
        self.certain = certain;
    }

    fn body(&mut self, body: &[Stmt]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Text(_) | Stmt::Continue | Stmt::Break => {}
            Stmt::Emit(expr)
            | Stmt::Do(expr)
            | Stmt::Import(expr, _)
            | Stmt::FromImport(expr, _)
            | Stmt::Extends(expr) => self.expr(expr, false),
            Stmt::Include(expr, ignore_missing) => self.expr(expr, *ignore_missing),
            Stmt::For(each) => self.each(each),
            Stmt::If(condition, then, otherwise) => {
                self.expr(condition, false);
                self.perhaps(|walk| {
                    walk.body(then);
                    walk.body(otherwise);
                });
            }
            Stmt::With(targets, body) => {
                for (_, value) in targets {
                    self.expr(value, true);
                }
                self.body(body);
            }
            // What is set may be undefined until it is used.
            Stmt::Set(_, value) => self.expr(value, true),
            Stmt::SetBlock(_, filter, body) => {
                if let Some(filter) = filter {
                    self.expr(filter, false);
                }
                self.body(body);
            }
            Stmt::Plain(body) => self.body(body),
            Stmt::FilterBlock(filter, body) => {
                self.expr(filter, false);
                self.body(body);
            }
            Stmt::Block(_, _, body) => self.perhaps(|walk| walk.body(body)),
            Stmt::Macro(of) => self.of_macro(of),
            Stmt::CallBlock(call, of) => {
                self.expr(call, false);
                self.of_macro(of);
            }
        }
    }

    fn each(&mut self, each: &For) {
        self.expr(&each.items, false);
        self.perhaps(|walk| {
            each.condition
                .iter()
                .for_each(|condition| walk.expr(condition, false));
            walk.body(&each.body);
            walk.body(&each.otherwise);
        });
    }

    fn of_macro(&mut self, of: &Macro) {
        self.perhaps(|walk| {
            of.defaults.iter().for_each(|value| walk.expr(value, true));
            walk.body(&of.body);
        });
    }

    /// `guarded`: whether an undefined value is allowed here. It is handed down to whatever gives an
    /// undefined value back when it is given one.
    fn expr(&mut self, expr: &Expr, guarded: bool) {
        match &expr.kind {
            ExprKind::Const(_) => {}
            ExprKind::Var(name) => self.variable(name, expr, guarded),
            ExprKind::Attr(base, _) => self.expr(base, guarded),
            ExprKind::Item(base, key) => {
                self.expr(base, guarded);
                self.expr(key, guarded);
            }
            ExprKind::Slice(slice) => {
                self.expr(&slice.base, guarded);
                for part in [&slice.start, &slice.stop, &slice.step]
                    .into_iter()
                    .flatten()
                {
                    self.expr(part, guarded);
                }
            }
            ExprKind::Not(inner) | ExprKind::Negate(inner) => self.expr(inner, guarded),
            ExprKind::And(first, second) | ExprKind::Or(first, second) => {
                self.expr(first, guarded);
                self.perhaps(|walk| walk.expr(second, guarded));
            }
            ExprKind::Binary(_, first, second) => {
                self.expr(first, guarded);
                self.expr(second, guarded);
            }
            ExprKind::Compare(first, others) => {
                self.expr(first, guarded);
                for (_, other) in others {
                    self.expr(other, guarded);
                }
            }
            ExprKind::If(inline) => {
                self.expr(&inline.test, guarded);
                self.perhaps(|walk| {
                    walk.expr(&inline.then, guarded);
                    if let Some(otherwise) = &inline.otherwise {
                        walk.expr(otherwise, guarded);
                    }
                });
            }
            ExprKind::Filter(applied) => {
                let filter = filters::find(&applied.name);
                let error = || filters::unknown(&applied.name);
                let allows = filter.map(|filter| filter.undefined);
                self.applied(applied, allows, &error, guarded);
            }
            ExprKind::Test(applied) => {
                let test = tests::find(&applied.name);
                let error = || tests::unknown(&applied.name);
                let allows = test.map(|test| test.undefined);
                self.applied(applied, allows, &error, guarded);
            }
            ExprKind::Call(call) => self.call(call, guarded),
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                for item in items {
                    self.expr(item, guarded);
                }
            }
            ExprKind::Map(entries) => {
                for (key, value) in entries {
                    self.expr(key, guarded);
                    self.expr(value, guarded);
                }
            }
        }
    }

    fn variable(&mut self, name: &Name, expr: &Expr, guarded: bool) {
        let known = self.locals.contains(name)
            || SPECIAL.contains(&&**name)
            || LOOKUPS.contains(&&**name)
            || functions::find(name).is_some();
        if known {
            return;
        }
        let placed = (self.locate)(TemplateError::new("").or_at(expr.at.clone()));
        self.found.variables.push(Reference {
            name: name.to_string(),
            span: placed.span,
            guarded,
            certain: self.certain,
        });
    }

    /// A filter or test, of which `allows` says whether it looks at undefined operands itself;
    /// nothing if it does not exist.
    fn applied(
        &mut self,
        applied: &Applied,
        allows: Option<bool>,
        error: &dyn Fn() -> TemplateError,
        guarded: bool,
    ) {
        if allows.is_none() {
            self.unknown(error().or_at(applied.name_at.clone()));
        }
        let inside = guarded || allows.unwrap_or(true);
        applied.base.iter().for_each(|base| self.expr(base, inside));
        self.args(&applied.args, guarded);
    }

    fn call(&mut self, call: &Call, guarded: bool) {
        if let (ExprKind::Var(function), Some(Arg::Positional(first))) =
            (&call.callee.kind, call.args.first())
            && LOOKUPS.contains(&&**function)
            && let ExprKind::Const(name) = &first.kind
        {
            self.lookup(name, first);
        }
        self.expr(&call.callee, guarded);
        self.args(&call.args, guarded);
    }

    fn lookup(&mut self, name: &Value, at: &Expr) {
        if let Some(name) = name.as_str().filter(|name| lookups::find(name).is_none()) {
            self.unknown(lookups::unknown(name).or_at(at.at.clone()));
        }
    }

    fn args(&mut self, args: &[Arg], guarded: bool) {
        for arg in args {
            self.expr(arg.expr(), guarded);
        }
    }

    fn unknown(&mut self, error: TemplateError) {
        let placed = (self.locate)(error);
        self.found.unknown.push(placed);
    }
}
