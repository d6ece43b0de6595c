//! `minijinja`'s syntax tree, which borrows the text, into ours, which does not.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use minijinja::Value;
use minijinja::machinery::{Span, ast, parse, parse_expr};

use super::error::TemplateError;
use super::escapes::{self, Offsets};
use super::header;
use super::options::FileOptions;
use super::tree::{
    Applied, Arg, AssignTarget, Body, Call, Comparison, Expr, ExprKind, For, If, Macro, Name,
    Operator, Slice, Stmt, Template,
};
use super::trust::{self, Code};

/// Reads a template.
///
/// Backslashes in the strings of `{{ }}` stand for themselves when `escaped_already` (the template is
/// a scalar of a playbook, whose escapes YAML has read); in a template file they escape.
pub(super) fn template(
    code: &Code<'_>,
    options: &FileOptions,
    escaped_already: bool,
) -> Result<Template, TemplateError> {
    let text = code.text();
    let (options, header) = header::read(text, options)?;
    let text = &text[header..];
    let syntax = options.syntax()?;
    let (text, mut offsets) = if escaped_already {
        escapes::kept(text)
    } else {
        (text.into(), Offsets::default())
    };
    offsets.header = header;
    let text: &str = &text;
    let located = |error: minijinja::Error| syntax_error(&error, text, &offsets);
    roomy(text, || {
        let parsed = parse(text, "template", syntax).map_err(located)?;
        let ast::Stmt::Template(root) = parsed else {
            return Err(TemplateError::new("the template is empty"));
        };
        Lower::new(&offsets).template(|lower| lower.body(&root.children))
    })
}

/// Reads a bare expression, such as a condition.
pub(super) fn expression(code: &Code<'_>) -> Result<Template, TemplateError> {
    let text = code.text();
    let offsets = Offsets::default();
    roomy(text, || {
        let parsed = parse_expr(text).map_err(|error| syntax_error(&error, text, &offsets))?;
        Lower::new(&offsets).template(|lower| vec![Stmt::Emit(lower.expr(&parsed))])
    })
}

/// A constant of the template: text in it is the user's, as the template is.
fn written(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => trust::users(text),
        None => value.clone(),
    }
}

/// Runs what recurses as deep as the text is long, with a stack that bears it.
fn roomy<T>(text: &str, run: impl FnOnce() -> T) -> T {
    let brackets = text.bytes().filter(|byte| b"([{".contains(byte)).count();
    if brackets < 40 && text.len() < 4000 {
        return run();
    }
    let size = (16 << 20) + text.len().min(1 << 18) * 1024;
    stacker::maybe_grow(size, size, run)
}

/// Expressions that nest deeper are refused.
const DEEPEST: usize = 380;

fn syntax_error(error: &minijinja::Error, text: &str, offsets: &Offsets) -> TemplateError {
    let detail = error.detail().unwrap_or("this is not a template");
    let mut result = TemplateError::new(format!("syntax error in the template: {detail}"));
    let at = error.range().unwrap_or_else(|| {
        // Without a place of its own: the line it is in.
        let line = error.line().unwrap_or(1).max(1);
        let start: usize = text
            .split_inclusive('\n')
            .take(line - 1)
            .map(str::len)
            .sum();
        let length = text[start..].lines().next().map_or(0, str::len);
        start..start + length
    });
    result.at = Some(offsets.original(at.start)..offsets.original(at.end));
    result
}

/// Lowers one template.
struct Lower<'o> {
    offsets: &'o Offsets,
    depth: Cell<usize>,
    /// Where it became too deep.
    too_deep: Cell<Option<usize>>,
    /// Where the expression stands that was lowered last.
    last: Cell<usize>,
}

impl<'o> Lower<'o> {
    fn new(offsets: &'o Offsets) -> Self {
        Self {
            offsets,
            depth: Cell::new(0),
            too_deep: Cell::new(None),
            last: Cell::new(0),
        }
    }

    fn template(self, body: impl FnOnce(&Self) -> Body) -> Result<Template, TemplateError> {
        let body = body(&self);
        match self.too_deep.get() {
            Some(at) => Err(TemplateError::new("this expression nests too deeply").or_at(at..at)),
            None => Ok(Template { body }),
        }
    }

    fn expr(&self, node: &ast::Expr<'_>) -> Expr {
        let depth = self.depth.get();
        if depth > DEEPEST {
            let at = self.range(node.span());
            self.too_deep.set(Some(at.start));
            return Expr {
                at,
                kind: ExprKind::List(Vec::new()),
            };
        }
        self.depth.set(depth + 1);
        let lowered = self.any_expr(node);
        self.depth.set(depth);
        lowered
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.offsets.original(span.start_offset as usize);
        let end = self.offsets.original(span.end_offset as usize);
        start..end.max(start)
    }

    fn from(&self, first: &Expr, span: Span) -> Range<usize> {
        let own = self.range(span);
        first.at.start.min(own.start)..own.end.max(first.at.end)
    }

    fn any_expr(&self, node: &ast::Expr<'_>) -> Expr {
        let own = self.range(node.span());
        self.last.set(own.start);
        match node {
            ast::Expr::Var(var) => Expr {
                at: own,
                kind: ExprKind::Var(var.id.into()),
            },
            ast::Expr::Const(constant) => Expr {
                at: own,
                kind: ExprKind::Const(written(&constant.value)),
            },
            ast::Expr::UnaryOp(unary) => {
                let operand = self.expr(&unary.expr);
                let at = own.start.min(operand.at.start)..operand.at.end;
                let kind = match unary.op {
                    ast::UnaryOpKind::Not => ExprKind::Not(Box::new(operand)),
                    ast::UnaryOpKind::Neg => ExprKind::Negate(Box::new(operand)),
                };
                Expr { at, kind }
            }
            ast::Expr::BinOp(binary) => self.binary_expr(binary),
            ast::Expr::Compare(compare) => self.compare_expr(compare),
            ast::Expr::IfExpr(choice) => self.if_expr(choice, own),
            ast::Expr::Slice(slice) => {
                let base = self.expr(&slice.expr);
                Expr {
                    at: self.from(&base, node.span()),
                    kind: ExprKind::Slice(Box::new(Slice {
                        base,
                        start: slice.start.as_ref().map(|node| self.expr(node)),
                        stop: slice.stop.as_ref().map(|node| self.expr(node)),
                        step: slice.step.as_ref().map(|node| self.expr(node)),
                    })),
                }
            }
            ast::Expr::Filter(filter) => {
                let base = filter.expr.as_ref().map(|node| self.expr(node));
                self.applied(
                    filter.name,
                    base,
                    &filter.args,
                    node.span(),
                    ExprKind::Filter,
                )
            }
            ast::Expr::Test(test) => {
                let base = Some(self.expr(&test.expr));
                self.applied(test.name, base, &test.args, node.span(), ExprKind::Test)
            }
            ast::Expr::GetAttr(attr) => {
                let base = self.expr(&attr.expr);
                Expr {
                    at: self.from(&base, node.span()),
                    kind: ExprKind::Attr(Box::new(base), attr.name.into()),
                }
            }
            ast::Expr::GetItem(item) => {
                let base = self.expr(&item.expr);
                Expr {
                    at: self.from(&base, node.span()),
                    kind: ExprKind::Item(Box::new(base), Box::new(self.expr(&item.subscript_expr))),
                }
            }
            ast::Expr::Call(call) => self.call_expr(call, node.span()),
            ast::Expr::List(list) => Expr {
                at: own,
                kind: ExprKind::List(list.items.iter().map(|node| self.expr(node)).collect()),
            },
            ast::Expr::Tuple(tuple) => Expr {
                at: own,
                kind: ExprKind::Tuple(tuple.items.iter().map(|node| self.expr(node)).collect()),
            },
            ast::Expr::Map(map) => Expr {
                at: own,
                kind: ExprKind::Map(
                    map.keys
                        .iter()
                        .map(|node| self.expr(node))
                        .zip(map.values.iter().map(|node| self.expr(node)))
                        .collect(),
                ),
            },
        }
    }

    fn applied(
        &self,
        name: &str,
        base: Option<Expr>,
        given: &[ast::CallArg<'_>],
        span: Span,
        kind: fn(Box<Applied>) -> ExprKind,
    ) -> Expr {
        let name_at = self.range(span);
        let at = match &base {
            Some(base) => self.from(base, span),
            None => name_at.clone(),
        };
        Expr {
            at,
            kind: kind(Box::new(Applied {
                // `ansible . builtin . x` may be written with spaces.
                name: name.split_whitespace().collect::<String>().as_str().into(),
                name_at,
                base,
                args: self.args(given),
            })),
        }
    }

    fn if_expr(&self, choice: &ast::IfExpr<'_>, own: Range<usize>) -> Expr {
        let then = self.expr(&choice.true_expr);
        Expr {
            at: then.at.start..own.end.max(then.at.end),
            kind: ExprKind::If(Box::new(If {
                test: self.expr(&choice.test_expr),
                then,
                otherwise: choice.false_expr.as_ref().map(|node| self.expr(node)),
            })),
        }
    }

    fn call_expr(&self, call: &ast::Call<'_>, span: Span) -> Expr {
        let callee = self.expr(&call.expr);
        Expr {
            at: self.from(&callee, span),
            kind: ExprKind::Call(Box::new(Call {
                callee,
                args: self.args(&call.args),
            })),
        }
    }

    fn args(&self, given: &[ast::CallArg<'_>]) -> Vec<Arg> {
        given
            .iter()
            .map(|arg| match arg {
                ast::CallArg::Pos(value) => Arg::Positional(self.expr(value)),
                ast::CallArg::Kwarg(name, value) => Arg::Keyword((*name).into(), self.expr(value)),
                ast::CallArg::PosSplat(value) => Arg::Splat(self.expr(value)),
                ast::CallArg::KwargSplat(value) => Arg::KeywordSplat(self.expr(value)),
            })
            .collect()
    }

    fn binary_expr(&self, binary: &ast::BinOp<'_>) -> Expr {
        use ast::BinOpKind as Op;
        let (left, right) = (self.expr(&binary.left), self.expr(&binary.right));
        let at = across(&left, &right);
        let (left, right) = (Box::new(left), Box::new(right));
        let compare = |comparison, left, right: Box<Expr>| {
            ExprKind::Compare(left, vec![(comparison, *right)])
        };
        let kind = match binary.op {
            Op::ScAnd => ExprKind::And(left, right),
            Op::ScOr => ExprKind::Or(left, right),
            Op::Eq => compare(Comparison::Equal, left, right),
            Op::Ne => compare(Comparison::NotEqual, left, right),
            Op::Lt => compare(Comparison::Less, left, right),
            Op::Lte => compare(Comparison::LessOrEqual, left, right),
            Op::Gt => compare(Comparison::Greater, left, right),
            Op::Gte => compare(Comparison::GreaterOrEqual, left, right),
            Op::In => compare(Comparison::In, left, right),
            Op::Add => ExprKind::Binary(Operator::Add, left, right),
            Op::Sub => ExprKind::Binary(Operator::Subtract, left, right),
            Op::Mul => ExprKind::Binary(Operator::Multiply, left, right),
            Op::Div => ExprKind::Binary(Operator::Divide, left, right),
            Op::FloorDiv => ExprKind::Binary(Operator::FloorDivide, left, right),
            Op::Rem => ExprKind::Binary(Operator::Remainder, left, right),
            Op::Pow => ExprKind::Binary(Operator::Power, left, right),
            Op::Concat => ExprKind::Binary(Operator::Concat, left, right),
        };
        Expr { at, kind }
    }

    fn compare_expr(&self, compare: &ast::Compare<'_>) -> Expr {
        use ast::CompareOpKind as Op;
        let first = self.expr(&compare.expr);
        let rest: Vec<(Comparison, Expr)> = compare
            .ops
            .iter()
            .map(|op| {
                let comparison = match op.op {
                    Op::Eq => Comparison::Equal,
                    Op::Ne => Comparison::NotEqual,
                    Op::Lt => Comparison::Less,
                    Op::Lte => Comparison::LessOrEqual,
                    Op::Gt => Comparison::Greater,
                    Op::Gte => Comparison::GreaterOrEqual,
                    Op::In => Comparison::In,
                    Op::NotIn => Comparison::NotIn,
                };
                (comparison, self.expr(&op.expr))
            })
            .collect();
        let at = rest
            .last()
            .map_or_else(|| first.at.clone(), |(_, last)| across(&first, last));
        Expr {
            at,
            kind: ExprKind::Compare(Box::new(first), rest),
        }
    }

    fn body(&self, statements: &[ast::Stmt<'_>]) -> Body {
        let depth = self.depth.get();
        if depth > DEEPEST {
            // Each `elif` is inside the one before.
            self.too_deep.set(Some(self.last.get()));
            return Body::new();
        }
        self.depth.set(depth + 1);
        let lowered = statements.iter().map(|node| self.statement(node)).collect();
        self.depth.set(depth);
        lowered
    }

    fn statement(&self, node: &ast::Stmt<'_>) -> Stmt {
        match node {
            ast::Stmt::Template(root) => Stmt::Plain(self.body(&root.children)),
            ast::Stmt::EmitExpr(emit) => Stmt::Emit(self.expr(&emit.expr)),
            ast::Stmt::EmitRaw(raw) => Stmt::Text(raw.raw.into()),
            ast::Stmt::ForLoop(looped) => Stmt::For(Arc::new(For {
                target: self.target(&looped.target),
                items: self.expr(&looped.iter),
                condition: looped.filter_expr.as_ref().map(|node| self.expr(node)),
                recursive: looped.recursive,
                body: self.body(&looped.body),
                otherwise: self.body(&looped.else_body),
            })),
            ast::Stmt::IfCond(choice) => Stmt::If(
                self.expr(&choice.expr),
                self.body(&choice.true_body),
                self.body(&choice.false_body),
            ),
            ast::Stmt::WithBlock(with) => Stmt::With(
                with.assignments
                    .iter()
                    .map(|(to, value)| (self.target(to), self.expr(value)))
                    .collect(),
                self.body(&with.body),
            ),
            ast::Stmt::Set(set) => Stmt::Set(self.target(&set.target), self.expr(&set.expr)),
            ast::Stmt::SetBlock(set) => Stmt::SetBlock(
                self.target(&set.target),
                set.filter.as_ref().map(|node| self.expr(node)),
                self.body(&set.body),
            ),
            ast::Stmt::AutoEscape(block) => Stmt::Plain(self.body(&block.body)),
            ast::Stmt::FilterBlock(block) => {
                Stmt::FilterBlock(self.expr(&block.filter), self.body(&block.body))
            }
            ast::Stmt::Block(block) => Stmt::Block(
                block.name.into(),
                block.required,
                self.body(&block.body).into(),
            ),
            ast::Stmt::Import(import) => {
                Stmt::Import(self.expr(&import.expr), self.target(&import.name))
            }
            ast::Stmt::FromImport(import) => Stmt::FromImport(
                self.expr(&import.expr),
                import
                    .names
                    .iter()
                    .map(|(name, alias)| {
                        let name = variable(name);
                        let alias = alias.as_ref().map_or_else(|| name.clone(), variable);
                        (name, alias)
                    })
                    .collect(),
            ),
            ast::Stmt::Extends(extends) => Stmt::Extends(self.expr(&extends.name)),
            ast::Stmt::Include(include) => {
                Stmt::Include(self.expr(&include.name), include.ignore_missing)
            }
            ast::Stmt::Macro(definition) => Stmt::Macro(self.macro_(definition).into()),
            ast::Stmt::CallBlock(block) => Stmt::CallBlock(
                self.call_expr(&block.call, block.call_expr_span),
                self.macro_(&block.macro_decl).into(),
            ),
            ast::Stmt::Continue(_) => Stmt::Continue,
            ast::Stmt::Break(_) => Stmt::Break,
            ast::Stmt::Do(call) => Stmt::Do(self.call_expr(&call.call, call.call.span())),
        }
    }

    fn target(&self, node: &ast::Expr<'_>) -> AssignTarget {
        match node {
            ast::Expr::GetAttr(attr) => AssignTarget::Attr(self.expr(&attr.expr), attr.name.into()),
            ast::Expr::List(list) => {
                AssignTarget::Many(list.items.iter().map(|node| self.target(node)).collect())
            }
            ast::Expr::Tuple(tuple) => {
                AssignTarget::Many(tuple.items.iter().map(|node| self.target(node)).collect())
            }
            other => AssignTarget::Name(variable(other)),
        }
    }

    fn macro_(&self, definition: &ast::Macro<'_>) -> Macro {
        Macro {
            name: definition.name.into(),
            params: definition.args.iter().map(variable).collect(),
            defaults: definition
                .defaults
                .iter()
                .map(|node| self.expr(node))
                .collect(),
            body: self.body(&definition.body),
        }
    }
}

/// From the start of one expression to the end of another.
fn across(first: &Expr, last: &Expr) -> Range<usize> {
    first.at.start.min(last.at.start)..last.at.end.max(first.at.end)
}

fn variable(node: &ast::Expr<'_>) -> Name {
    match node {
        ast::Expr::Var(var) => var.id.into(),
        ast::Expr::Const(constant) => constant.value.to_string().into(),
        _ => "".into(),
    }
}
