//! The syntax tree of a template, owned, with the place of every expression.

use std::ops::Range;
use std::sync::Arc;

use minijinja::Value;

/// A name in a template: a variable, attribute, filter.
pub(super) type Name = Arc<str>;

/// An expression and the bytes of the template it stands in.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) at: Range<usize>,
    pub(super) kind: ExprKind,
}

/// What an expression is.
#[derive(Debug)]
pub(super) enum ExprKind {
    Const(Value),
    Var(Name),
    Attr(Box<Expr>, Name),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Slice>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    If(Box<If>),
    Filter(Box<Applied>),
    Test(Box<Applied>),
    Call(Box<Call>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
}

/// `base[start:stop:step]`.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) base: Expr,
    pub(super) start: Option<Expr>,
    pub(super) stop: Option<Expr>,
    pub(super) step: Option<Expr>,
}

/// `then if test else otherwise`.
#[derive(Debug)]
pub(super) struct If {
    pub(super) test: Expr,
    pub(super) then: Expr,
    pub(super) otherwise: Option<Expr>,
}

/// A filter or test with its operand; a filter of a block has none.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) name: Name,
    /// Where the name and its arguments stand.
    pub(super) name_at: Range<usize>,
    pub(super) base: Option<Expr>,
    pub(super) args: Vec<Arg>,
}

/// `callee(args)`.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) callee: Expr,
    pub(super) args: Vec<Arg>,
}

/// An argument of a call.
#[derive(Debug)]
pub(super) enum Arg {
    Positional(Expr),
    Keyword(Name, Expr),
    Splat(Expr),
    KeywordSplat(Expr),
}

impl Arg {
    /// The expression it passes.
    pub(super) fn expr(&self) -> &Expr {
        match self {
            Self::Positional(expr)
            | Self::Keyword(_, expr)
            | Self::Splat(expr)
            | Self::KeywordSplat(expr) => expr,
        }
    }
}

/// An arithmetic operator, or `~`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
    Concat,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// What an assignment assigns to.
#[derive(Debug)]
pub(super) enum AssignTarget {
    Name(Name),
    /// `namespace.attribute`.
    Attr(Expr, Name),
    Many(Vec<AssignTarget>),
}

/// A statement.
#[derive(Debug)]
pub(super) enum Stmt {
    Text(Arc<str>),
    Emit(Expr),
    For(Arc<For>),
    If(Expr, Body, Body),
    With(Vec<(AssignTarget, Expr)>, Body),
    Set(AssignTarget, Expr),
    SetBlock(AssignTarget, Option<Expr>, Body),
    /// `{% autoescape %}`, which changes nothing: nothing is ever escaped.
    Plain(Body),
    FilterBlock(Expr, Body),
    Block(Name, bool, Arc<[Stmt]>),
    Import(Expr, AssignTarget),
    FromImport(Expr, Vec<(Name, Name)>),
    Extends(Expr),
    Include(Expr, bool),
    Macro(Arc<Macro>),
    CallBlock(Expr, Arc<Macro>),
    Continue,
    Break,
    Do(Expr),
}

/// Statements that run one after another.
pub(super) type Body = Vec<Stmt>;

/// A `for` loop.
#[derive(Debug)]
pub(super) struct For {
    pub(super) target: AssignTarget,
    pub(super) items: Expr,
    pub(super) condition: Option<Expr>,
    pub(super) recursive: bool,
    pub(super) body: Body,
    pub(super) otherwise: Body,
}

/// A macro: parameters, those at the end with defaults.
#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: Name,
    pub(super) params: Vec<Name>,
    pub(super) defaults: Vec<Expr>,
    pub(super) body: Body,
}

/// A whole template.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) body: Body,
}
