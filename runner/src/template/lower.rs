//! `minijinja`'s syntax tree, which borrows the text, into ours, which does not.

use std::ops::Range;
use std::sync::Arc;

use minijinja::machinery::{Span, ast, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::error::TemplateError;
use super::tree::{
    Applied, Arg, Body, Call, Comparison, Expr, For, If, Kind, Macro, Name, Operator, Slice, Stmt,
    Target, Template,
};

/// Reads a template.
pub(super) fn template(text: &str, syntax: SyntaxConfig) -> Result<Template, TemplateError> {
    let parsed = parse(text, "template", syntax).map_err(|error| syntax_error(&error, text))?;
    let ast::Stmt::Template(root) = parsed else {
        return Err(TemplateError::new("the template is empty"));
    };
    Ok(Template {
        body: body(&root.children),
        expression: false,
    })
}

/// Reads a bare expression, such as a condition.
pub(super) fn expression(text: &str) -> Result<Template, TemplateError> {
    let parsed = parse_expr(text).map_err(|error| syntax_error(&error, text))?;
    Ok(Template {
        body: vec![Stmt::Emit(expr(&parsed))],
        expression: true,
    })
}

fn syntax_error(error: &minijinja::Error, text: &str) -> TemplateError {
    let detail = error.detail().unwrap_or("this is not a template");
    let mut result = TemplateError::new(format!("syntax error in the template: {detail}"));
    result.at = Some(error.range().unwrap_or_else(|| {
        // Without a place of its own: the line it is in.
        let line = error.line().unwrap_or(1).max(1);
        let start: usize = text
            .split_inclusive('\n')
            .take(line - 1)
            .map(str::len)
            .sum();
        let length = text[start..].lines().next().map_or(0, str::len);
        start..start + length
    }));
    result
}

fn range(span: Span) -> Range<usize> {
    span.start_offset as usize..(span.end_offset as usize).max(span.start_offset as usize)
}

/// From the start of one expression to the end of another.
fn across(first: &Expr, last: &Expr) -> Range<usize> {
    first.at.start.min(last.at.start)..last.at.end.max(first.at.end)
}

fn from(first: &Expr, span: Span) -> Range<usize> {
    let own = range(span);
    first.at.start.min(own.start)..own.end.max(first.at.end)
}

fn expr(node: &ast::Expr<'_>) -> Expr {
    let own = range(node.span());
    match node {
        ast::Expr::Var(var) => Expr {
            at: own,
            kind: Kind::Var(var.id.into()),
        },
        ast::Expr::Const(constant) => Expr {
            at: own,
            kind: Kind::Const(constant.value.clone()),
        },
        ast::Expr::UnaryOp(unary) => {
            let operand = expr(&unary.expr);
            let at = own.start.min(operand.at.start)..operand.at.end;
            let kind = match unary.op {
                ast::UnaryOpKind::Not => Kind::Not(Box::new(operand)),
                ast::UnaryOpKind::Neg => Kind::Negate(Box::new(operand)),
            };
            Expr { at, kind }
        }
        ast::Expr::BinOp(binary) => binary_expr(binary),
        ast::Expr::Compare(compare) => compare_expr(compare),
        ast::Expr::IfExpr(choice) => if_expr(choice, own),
        ast::Expr::Slice(slice) => {
            let base = expr(&slice.expr);
            Expr {
                at: from(&base, node.span()),
                kind: Kind::Slice(Box::new(Slice {
                    base,
                    start: slice.start.as_ref().map(expr),
                    stop: slice.stop.as_ref().map(expr),
                    step: slice.step.as_ref().map(expr),
                })),
            }
        }
        ast::Expr::Filter(filter) => {
            let base = filter.expr.as_ref().map(expr);
            applied(filter.name, base, &filter.args, node.span(), Kind::Filter)
        }
        ast::Expr::Test(test) => {
            let base = Some(expr(&test.expr));
            applied(test.name, base, &test.args, node.span(), Kind::Test)
        }
        ast::Expr::GetAttr(attr) => {
            let base = expr(&attr.expr);
            Expr {
                at: from(&base, node.span()),
                kind: Kind::Attr(Box::new(base), attr.name.into()),
            }
        }
        ast::Expr::GetItem(item) => {
            let base = expr(&item.expr);
            Expr {
                at: from(&base, node.span()),
                kind: Kind::Item(Box::new(base), Box::new(expr(&item.subscript_expr))),
            }
        }
        ast::Expr::Call(call) => call_expr(call, node.span()),
        ast::Expr::List(list) => Expr {
            at: own,
            kind: Kind::List(list.items.iter().map(expr).collect()),
        },
        ast::Expr::Tuple(tuple) => Expr {
            at: own,
            kind: Kind::Tuple(tuple.items.iter().map(expr).collect()),
        },
        ast::Expr::Map(map) => Expr {
            at: own,
            kind: Kind::Map(
                map.keys
                    .iter()
                    .map(expr)
                    .zip(map.values.iter().map(expr))
                    .collect(),
            ),
        },
    }
}

fn applied(
    name: &str,
    base: Option<Expr>,
    given: &[ast::CallArg<'_>],
    span: Span,
    kind: fn(Box<Applied>) -> Kind,
) -> Expr {
    let name_at = range(span);
    let at = match &base {
        Some(base) => from(base, span),
        None => name_at.clone(),
    };
    Expr {
        at,
        kind: kind(Box::new(Applied {
            // `ansible . builtin . x` may be written with spaces.
            name: name.split_whitespace().collect::<String>().as_str().into(),
            name_at,
            base,
            args: args(given),
        })),
    }
}

fn if_expr(choice: &ast::IfExpr<'_>, own: Range<usize>) -> Expr {
    let then = expr(&choice.true_expr);
    Expr {
        at: then.at.start..own.end.max(then.at.end),
        kind: Kind::If(Box::new(If {
            test: expr(&choice.test_expr),
            then,
            otherwise: choice.false_expr.as_ref().map(expr),
        })),
    }
}

fn call_expr(call: &ast::Call<'_>, span: Span) -> Expr {
    let callee = expr(&call.expr);
    Expr {
        at: from(&callee, span),
        kind: Kind::Call(Box::new(Call {
            callee,
            args: args(&call.args),
        })),
    }
}

fn args(given: &[ast::CallArg<'_>]) -> Vec<Arg> {
    given
        .iter()
        .map(|arg| match arg {
            ast::CallArg::Pos(value) => Arg::Positional(expr(value)),
            ast::CallArg::Kwarg(name, value) => Arg::Keyword((*name).into(), expr(value)),
            ast::CallArg::PosSplat(value) => Arg::Splat(expr(value)),
            ast::CallArg::KwargSplat(value) => Arg::KeywordSplat(expr(value)),
        })
        .collect()
}

fn binary_expr(binary: &ast::BinOp<'_>) -> Expr {
    use ast::BinOpKind as Op;
    let (left, right) = (expr(&binary.left), expr(&binary.right));
    let at = across(&left, &right);
    let (left, right) = (Box::new(left), Box::new(right));
    let compare =
        |comparison, left, right: Box<Expr>| Kind::Compare(left, vec![(comparison, *right)]);
    let kind = match binary.op {
        Op::ScAnd => Kind::And(left, right),
        Op::ScOr => Kind::Or(left, right),
        Op::Eq => compare(Comparison::Equal, left, right),
        Op::Ne => compare(Comparison::NotEqual, left, right),
        Op::Lt => compare(Comparison::Less, left, right),
        Op::Lte => compare(Comparison::LessOrEqual, left, right),
        Op::Gt => compare(Comparison::Greater, left, right),
        Op::Gte => compare(Comparison::GreaterOrEqual, left, right),
        Op::In => compare(Comparison::In, left, right),
        Op::Add => Kind::Binary(Operator::Add, left, right),
        Op::Sub => Kind::Binary(Operator::Subtract, left, right),
        Op::Mul => Kind::Binary(Operator::Multiply, left, right),
        Op::Div => Kind::Binary(Operator::Divide, left, right),
        Op::FloorDiv => Kind::Binary(Operator::FloorDivide, left, right),
        Op::Rem => Kind::Binary(Operator::Remainder, left, right),
        Op::Pow => Kind::Binary(Operator::Power, left, right),
        Op::Concat => Kind::Binary(Operator::Concat, left, right),
    };
    Expr { at, kind }
}

fn compare_expr(compare: &ast::Compare<'_>) -> Expr {
    use ast::CompareOpKind as Op;
    let first = expr(&compare.expr);
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
            (comparison, expr(&op.expr))
        })
        .collect();
    let at = rest
        .last()
        .map_or_else(|| first.at.clone(), |(_, last)| across(&first, last));
    Expr {
        at,
        kind: Kind::Compare(Box::new(first), rest),
    }
}

fn body(statements: &[ast::Stmt<'_>]) -> Body {
    statements.iter().map(statement).collect()
}

fn statement(node: &ast::Stmt<'_>) -> Stmt {
    match node {
        ast::Stmt::Template(root) => Stmt::Plain(body(&root.children)),
        ast::Stmt::EmitExpr(emit) => Stmt::Emit(expr(&emit.expr)),
        ast::Stmt::EmitRaw(raw) => Stmt::Text(raw.raw.into()),
        ast::Stmt::ForLoop(looped) => Stmt::For(Arc::new(For {
            target: target(&looped.target),
            items: expr(&looped.iter),
            condition: looped.filter_expr.as_ref().map(expr),
            recursive: looped.recursive,
            body: body(&looped.body),
            otherwise: body(&looped.else_body),
        })),
        ast::Stmt::IfCond(choice) => Stmt::If(
            expr(&choice.expr),
            body(&choice.true_body),
            body(&choice.false_body),
        ),
        ast::Stmt::WithBlock(with) => Stmt::With(
            with.assignments
                .iter()
                .map(|(to, value)| (target(to), expr(value)))
                .collect(),
            body(&with.body),
        ),
        ast::Stmt::Set(set) => Stmt::Set(target(&set.target), expr(&set.expr)),
        ast::Stmt::SetBlock(set) => Stmt::SetBlock(
            target(&set.target),
            set.filter.as_ref().map(expr),
            body(&set.body),
        ),
        ast::Stmt::AutoEscape(block) => Stmt::Plain(body(&block.body)),
        ast::Stmt::FilterBlock(block) => Stmt::FilterBlock(expr(&block.filter), body(&block.body)),
        ast::Stmt::Block(block) => {
            Stmt::Block(block.name.into(), block.required, body(&block.body).into())
        }
        ast::Stmt::Import(import) => Stmt::Import(expr(&import.expr), target(&import.name)),
        ast::Stmt::FromImport(import) => Stmt::FromImport(
            expr(&import.expr),
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
        ast::Stmt::Extends(extends) => Stmt::Extends(expr(&extends.name)),
        ast::Stmt::Include(include) => Stmt::Include(expr(&include.name), include.ignore_missing),
        ast::Stmt::Macro(definition) => Stmt::Macro(macro_(definition).into()),
        ast::Stmt::CallBlock(block) => Stmt::CallBlock(
            call_expr(&block.call, block.call_expr_span),
            macro_(&block.macro_decl).into(),
        ),
        ast::Stmt::Continue(_) => Stmt::Continue,
        ast::Stmt::Break(_) => Stmt::Break,
        ast::Stmt::Do(call) => Stmt::Do(call_expr(&call.call, call.call.span())),
    }
}

fn variable(node: &ast::Expr<'_>) -> Name {
    match node {
        ast::Expr::Var(var) => var.id.into(),
        ast::Expr::Const(constant) => constant.value.to_string().into(),
        _ => "".into(),
    }
}

fn target(node: &ast::Expr<'_>) -> Target {
    match node {
        ast::Expr::GetAttr(attr) => Target::Attr(expr(&attr.expr), attr.name.into()),
        ast::Expr::List(list) => Target::Many(list.items.iter().map(target).collect()),
        ast::Expr::Tuple(tuple) => Target::Many(tuple.items.iter().map(target).collect()),
        other => Target::Name(variable(other)),
    }
}

fn macro_(definition: &ast::Macro<'_>) -> Macro {
    Macro {
        name: definition.name.into(),
        params: definition.args.iter().map(variable).collect(),
        defaults: definition.defaults.iter().map(expr).collect(),
        body: body(&definition.body),
    }
}
