//! Python's operators and comparisons.

use std::cmp::Ordering;

use minijinja::Value;
use minijinja::value::{Tuple, ValueKind};

use super::access::{integer, items};
use super::percent::percent;
use super::state::RenderShared;
use crate::template::budget::{Growing, ITEM, fits};
use crate::template::error::TemplateError;
use crate::template::python::{string, type_name};
use crate::template::special::{List, defined, is_omit};
use crate::template::tree::{Comparison, Operator};

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// Whether a value is true; an undefined one is an error.
pub(in crate::template) fn truth(value: &Value) -> Result<bool> {
    defined(value)?;
    Ok(value.is_true() || (value.kind() == ValueKind::Plain && !is_omit(value)))
}

/// A number, as arithmetic sees it.
#[derive(Clone, Copy)]
enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        match (integer(value), value.kind()) {
            (Some(number), _) => Some(Self::Int(number)),
            (None, ValueKind::Number) => f64::try_from(value.clone()).ok().map(Self::Float),
            _ => None,
        }
    }

    fn is_nan(self) -> bool {
        matches!(self, Self::Float(number) if number.is_nan())
    }

    /// Which of two numbers is the smaller; nothing if one is no number.
    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(one), Self::Int(other)) => Some(one.cmp(&other)),
            (Self::Float(one), Self::Float(other)) => one.partial_cmp(&other),
            (Self::Int(one), Self::Float(other)) => whole_and_float(one, other),
            (Self::Float(one), Self::Int(other)) => {
                whole_and_float(other, one).map(Ordering::reverse)
            }
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "Python's own conversion loses it too"
    )]
    fn float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

/// The order of a whole number and a float, by what they are and not by what is left of them as floats: so
/// that all numbers have one order. Nothing for what is no number.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the limits are powers of two, and what lies between them is cut at the point"
)]
fn whole_and_float(whole: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        None
    } else if float >= i128::MAX as f64 {
        Some(Ordering::Less)
    } else if float < i128::MIN as f64 {
        Some(Ordering::Greater)
    } else {
        let cut = float.trunc();
        let rest = 0.0_f64.partial_cmp(&(float - cut));
        Some(
            whole
                .cmp(&(cut as i128))
                .then(rest.unwrap_or(Ordering::Equal)),
        )
    }
}

/// The place of a value in a list that is sorted. Other than [`order`], this is an order of all values, as
/// the sorting needs it; `unlike` is told of two that Python does not compare.
pub(in crate::template) fn place(
    left: &Value,
    right: &Value,
    unlike: &mut impl FnMut(TemplateError),
) -> Ordering {
    placed(left, right, false, unlike)
}

fn placed(
    left: &Value,
    right: &Value,
    inside: bool,
    unlike: &mut impl FnMut(TemplateError),
) -> Ordering {
    let ranks = (rank(left), rank(right));
    match ranks {
        (Rank::Number(left), Rank::Number(right)) => left.compare(right).unwrap_or_else(|| {
            // What is no number comes last.
            left.is_nan().cmp(&right.is_nan())
        }),
        (Rank::Text(left), Rank::Text(right)) => left.cmp(right),
        (Rank::List, Rank::List) | (Rank::Tuple, Rank::Tuple) => {
            let (left, right) = match (items(left), items(right)) {
                (Ok(left), Ok(right)) => (left, right),
                (Err(error), _) | (_, Err(error)) => {
                    unlike(error);
                    return Ordering::Equal;
                }
            };
            let pairs = left.iter().zip(&right);
            pairs
                .map(|(left, right)| placed(left, right, true, unlike))
                .find(|ordering| ordering.is_ne())
                .unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        (Rank::Plain, Rank::Plain) => left.cmp(right),
        _ => {
            if !inside || left != right {
                unlike(unordered(left, right, "<"));
            }
            ranks.0.number().cmp(&ranks.1.number())
        }
    }
}

/// What kinds of values Python orders among themselves.
#[derive(Clone, Copy)]
enum Rank<'v> {
    Number(Number),
    Text(&'v str),
    List,
    Tuple,
    Plain,
    Other,
}

impl Rank<'_> {
    fn number(self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::List => 2,
            Self::Tuple => 3,
            Self::Plain => 4,
            Self::Other => 5,
        }
    }
}

fn rank(value: &Value) -> Rank<'_> {
    if let Some(number) = Number::of(value) {
        Rank::Number(number)
    } else if let Some(text) = value.as_str() {
        Rank::Text(text)
    } else if is_list(value) && value.is_tuple() {
        Rank::Tuple
    } else if is_list(value) {
        Rank::List
    } else if value.kind() == ValueKind::Plain && defined(value).is_ok() {
        Rank::Plain
    } else {
        Rank::Other
    }
}

/// A whole number as a value, in its smallest form.
pub(in crate::template) fn whole(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::from(number), Value::from)
}

pub(super) fn negate(value: &Value) -> Result {
    match Number::of(value) {
        Some(Number::Int(number)) => number.checked_neg().map(whole).ok_or_else(too_large),
        Some(Number::Float(number)) => Ok(Value::from(-number)),
        None => Err(TemplateError::new(format!(
            "'-' needs a number, not a value of type '{}'",
            type_name(value)
        ))),
    }
}

fn too_large() -> TemplateError {
    TemplateError::new("the result is too large a number")
}

/// `left operator right`.
pub(super) fn binary(
    shared: &RenderShared<'_>,
    operator: Operator,
    left: &Value,
    right: &Value,
) -> Result {
    if operator == Operator::Concat {
        let mut text = Growing::default();
        text.push(&string(left))?;
        text.push(&string(right))?;
        let text = text.text();
        shared.spend(text.len() / 64)?;
        return Ok(Value::from(text));
    }
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return arithmetic(operator, left, right);
    }
    match operator {
        Operator::Add => add(shared, left, right),
        Operator::Multiply => multiply(shared, left, right),
        Operator::Subtract => crate::template::times::between(left, right).map(Ok),
        Operator::Remainder if left.as_str().is_some() => {
            Some(percent(left.as_str().unwrap_or_default(), right).map(Value::from))
        }
        _ => None,
    }
    .unwrap_or_else(|| Err(unsupported(operator, left, right)))
}

fn unsupported(operator: Operator, left: &Value, right: &Value) -> TemplateError {
    let symbol = match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::FloorDivide => "//",
        Operator::Remainder => "%",
        Operator::Power => "**",
        Operator::Concat => "~",
    };
    let error = TemplateError::new(format!(
        "'{symbol}' does not work with types '{}' and '{}'",
        type_name(left),
        type_name(right)
    ));
    if left.as_str().is_some() || right.as_str().is_some() {
        error.hint("convert with `| int` or `| float`, or join text with `~`")
    } else {
        error
    }
}

fn arithmetic(operator: Operator, left: Number, right: Number) -> Result {
    if let (Number::Int(left), Number::Int(right)) = (left, right)
        && let Some(result) = integers(operator, left, right)
    {
        return result;
    }
    let (left, right) = (left.float(), right.float());
    let zero = || TemplateError::new("division by zero");
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Power => left.powf(right),
        _ if right == 0.0 => return Err(zero()),
        Operator::Divide => left / right,
        Operator::FloorDivide => (left / right).floor(),
        Operator::Remainder => left - right * (left / right).floor(),
        Operator::Concat => return Err(too_large()),
    };
    Ok(Value::from(result))
}

/// Arithmetic that stays whole; nothing where the result is a fraction.
fn integers(operator: Operator, left: i128, right: i128) -> Option<Result> {
    let checked = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Power => left.checked_pow(u32::try_from(right).ok()?),
        Operator::FloorDivide | Operator::Remainder if right == 0 => {
            return Some(Err(TemplateError::new("division by zero")));
        }
        Operator::FloorDivide => left.checked_div_euclid(right).map(|quotient| {
            // Python rounds down where Euclid rounds towards what keeps the remainder positive.
            let exact = left.checked_rem_euclid(right) == Some(0);
            if !exact && right < 0 {
                quotient - 1
            } else {
                quotient
            }
        }),
        Operator::Remainder => left.checked_rem_euclid(right).map(|remainder| {
            if remainder != 0 && right < 0 {
                remainder + right
            } else {
                remainder
            }
        }),
        Operator::Divide | Operator::Concat => return None,
    };
    Some(checked.map(whole).ok_or_else(too_large))
}

/// `left + right`.
pub(in crate::template) fn add_values(
    shared: &RenderShared<'_>,
    left: &Value,
    right: &Value,
) -> Result {
    binary(shared, Operator::Add, left, right)
}

fn is_list(value: &Value) -> bool {
    value.kind() == ValueKind::Seq
}

fn add(shared: &RenderShared<'_>, left: &Value, right: &Value) -> Option<Result> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Some(
            shared
                .spend((left.len() + right.len()) / 64)
                .and_then(|()| fits(left.len().checked_add(right.len())))
                .map(|()| Value::from(format!("{left}{right}"))),
        );
    }
    if !is_list(left) || !is_list(right) || left.is_tuple() != right.is_tuple() {
        return None;
    }
    let joined = items(left).and_then(|mut first| {
        let second = items(right)?;
        fits((first.len() + second.len()).checked_mul(ITEM))?;
        first.extend(second);
        shared.spend(first.len())?;
        Ok(first)
    });
    Some(joined.map(|items| {
        if left.is_tuple() {
            Value::from(Tuple::from(items))
        } else {
            List::value(items)
        }
    }))
}

fn multiply(shared: &RenderShared<'_>, left: &Value, right: &Value) -> Option<Result> {
    let (value, times) = match (integer(left), integer(right)) {
        (None, Some(times)) => (left, times),
        (Some(times), None) => (right, times),
        _ => return None,
    };
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    let length = match value.as_str() {
        Some(text) => text.len(),
        None if is_list(value) => value.len()?,
        None => return None,
    };
    let each = if value.as_str().is_some() { 1 } else { ITEM };
    let total = length.checked_mul(times);
    if let Err(error) = fits(total.and_then(|total| total.checked_mul(each))) {
        return Some(Err(error));
    }
    if let Err(error) = shared.spend(length * times / 16) {
        return Some(Err(error));
    }
    Some(match value.as_str() {
        Some(text) => Ok(Value::from(text.repeat(times))),
        None => items(value).map(|items| {
            let length = items.len() * times;
            List::value(items.into_iter().cycle().take(length).collect())
        }),
    })
}

/// `left comparison right`.
pub(in crate::template) fn compare(
    comparison: Comparison,
    left: &Value,
    right: &Value,
) -> Result<bool> {
    Ok(match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::In => contains(right, left)?,
        Comparison::NotIn => !contains(right, left)?,
        Comparison::Less => order(left, right, "<")?.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => order(left, right, "<=")?.is_some_and(Ordering::is_le),
        Comparison::Greater => order(left, right, ">")?.is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(left, right, ">=")?.is_some_and(Ordering::is_ge),
    })
}

/// Which of two values comes first; values of kinds that Python does not order are an error.
pub(in crate::template) fn order(
    left: &Value,
    right: &Value,
    symbol: &str,
) -> Result<Option<Ordering>> {
    defined(left)?;
    defined(right)?;
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Ok(left.compare(right));
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Ok(Some(left.cmp(right)));
    }
    if is_list(left) && is_list(right) && left.is_tuple() == right.is_tuple() {
        let (left, right) = (items(left)?, items(right)?);
        for (left, right) in left.iter().zip(&right) {
            if left != right {
                return order(left, right, symbol);
            }
        }
        return Ok(Some(left.len().cmp(&right.len())));
    }
    if left.kind() == ValueKind::Plain && right.kind() == ValueKind::Plain {
        return Ok(Some(left.cmp(right)));
    }
    Err(unordered(left, right, symbol))
}

/// The error for values of kinds that Python does not order.
fn unordered(left: &Value, right: &Value, symbol: &str) -> TemplateError {
    if let Some(error) = defined(left).err().or_else(|| defined(right).err()) {
        return error;
    }
    let error = TemplateError::new(format!(
        "'{symbol}' does not work between types '{}' and '{}'",
        type_name(left),
        type_name(right)
    ));
    if left.as_str().is_some() || right.as_str().is_some() {
        error.hint("convert with `| int` or `| float`, or compare versions with `is version(...)`")
    } else {
        error
    }
}

/// `value in container`.
pub(in crate::template) fn contains(container: &Value, value: &Value) -> Result<bool> {
    defined(container)?;
    match container.kind() {
        ValueKind::String => match value.as_str() {
            Some(part) => Ok(container.as_str().unwrap_or_default().contains(part)),
            None => Err(TemplateError::new(format!(
                "'in' a string looks for a string, not for a value of type '{}'",
                type_name(value)
            ))),
        },
        ValueKind::Map => Ok(container
            .as_object()
            .and_then(|object| object.get_value(value))
            .is_some_and(|found| found.kind() != ValueKind::Undefined)),
        _ => Ok(items(container)
            .map_err(|_| {
                TemplateError::new(format!(
                    "'in' needs a list, mapping or string, not a value of type '{}'",
                    type_name(container)
                ))
            })?
            .contains(value)),
    }
}
