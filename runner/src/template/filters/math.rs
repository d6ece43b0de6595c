//! Numbers: logarithms, sizes, chance.

use minijinja::Value;

use super::builtin::to_float;
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function, integer, items, whole};
use crate::template::python::{repr, string};
use crate::template::random::Random;
use crate::template::special::List;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("log", log, 1, ["base"]),
    filter!("pow", pow, 2, ["y"]),
    filter!("root", root, 1, ["base"]),
    filter!("human_readable", human_readable, 1, ["isbits", "unit"]),
    filter!(
        "human_to_bytes",
        human_to_bytes,
        1,
        ["default_unit", "isbits"]
    ),
    filter!("random", random, 1, ["start", "step", "seed"]),
    filter!("shuffle", shuffle, 1, ["seed"]),
];

fn number(input: &BoundArguments<'_, '_>, index: usize) -> Result<f64> {
    let value = input.value(index);
    value
        .is_number()
        .then(|| to_float(&value))
        .flatten()
        .ok_or_else(|| input.wrong(index, "a number"))
}

fn log(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = number(input, 0)?;
    if value <= 0.0 {
        return Err(input.error("needs a number above zero"));
    }
    Ok(Value::from(match input.get(1) {
        None => value.ln(),
        Some(base) if *base == Value::from(10) => value.log10(),
        Some(_) => value.ln() / number(input, 1)?.ln(),
    }))
}

fn pow(input: &mut BoundArguments<'_, '_>) -> Result {
    Ok(Value::from(number(input, 0)?.powf(number(input, 1)?)))
}

fn root(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = number(input, 0)?;
    Ok(Value::from(match input.get(1) {
        None => value.sqrt(),
        Some(base) if *base == Value::from(2) => value.sqrt(),
        Some(_) => value.powf(1.0 / number(input, 1)?),
    }))
}

/// Units of size, largest first, by the power of 1024.
const UNITS: &[(char, i32)] = &[
    ('Y', 8),
    ('Z', 7),
    ('E', 6),
    ('P', 5),
    ('T', 4),
    ('G', 3),
    ('M', 2),
    ('K', 1),
    ('B', 0),
];

fn human_readable(input: &mut BoundArguments<'_, '_>) -> Result {
    let value = input.value(0);
    let size = to_float(&value).ok_or_else(|| input.wrong(0, "a number"))?;
    let bits = input.bool_or(1, false)?;
    let wanted = input
        .optional_text(2)
        .and_then(|unit| unit.to_uppercase().chars().next());
    let (unit, power) = UNITS
        .iter()
        .find(|(unit, power)| match wanted {
            Some(wanted) => wanted == *unit,
            None => size >= 1024_f64.powi(*power),
        })
        .unwrap_or(&('B', 0));
    let base = if bits { "bits" } else { "Bytes" };
    let suffix = if *power == 0 {
        base.to_owned()
    } else {
        format!("{unit}{}", &base[..1])
    };
    Ok(format!("{:.2} {suffix}", size / 1024_f64.powi(*power)).into())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a size is a whole number of bytes"
)]
fn human_to_bytes(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let trimmed = text.trim_end();
    let bad = || {
        input.error(format_args!(
            "cannot read {} as a size",
            repr(&input.value(0))
        ))
    };
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let number: f64 = trimmed[..end].parse().map_err(|_| bad())?;
    let unit = trimmed[end..].trim_start();
    if !unit.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err(bad());
    }
    let unit = if unit.is_empty() {
        input.optional_text(1).unwrap_or_default()
    } else {
        unit.to_owned()
    };
    let Some(first) = unit.chars().next().map(|first| first.to_ascii_uppercase()) else {
        return Ok(whole(number.round_ties_even() as i128));
    };
    let (_, power) = UNITS
        .iter()
        .find(|(unit, _)| *unit == first)
        .ok_or_else(bad)?;
    let letter = if input.bool_or(2, false)? { "b" } else { "B" };
    let short = if *power == 0 {
        letter.to_owned()
    } else {
        format!("{first}{letter}")
    };
    let long_name = [
        "", "kilo", "mega", "giga", "tera", "peta", "exa", "zetta", "yotta",
    ];
    let long = format!(
        "{}{}",
        long_name[usize::try_from(*power).unwrap_or(0)],
        if letter == "b" { "bit" } else { "byte" }
    );
    if unit.len() > 1 && unit != short && unit.to_lowercase() != long {
        return Err(bad());
    }
    Ok(whole(
        (number * 1024_f64.powi(*power)).round_ties_even() as i128
    ))
}

fn source(input: &BoundArguments<'_, '_>, index: usize) -> Result<Random> {
    Ok(match input.get(index) {
        Some(seed) if !seed.is_none() => match integer(seed) {
            Some(number) => Random::from_number(number.unsigned_abs()),
            None => Random::from_text(&string(seed)),
        },
        _ => {
            input.later()?;
            Random::unpredictable()
        }
    })
}

fn random(input: &mut BoundArguments<'_, '_>) -> Result {
    let mut source = source(input, 3)?;
    let given = |index| match input.get(index) {
        Some(value) if !value.is_none() => input.int_or(index, 0),
        _ => Ok(0),
    };
    let (start, step) = (given(1)?, given(2)?);
    if let Some(end) = integer(&input.value(0)) {
        let step = if step == 0 { 1 } else { step };
        let width = end.saturating_sub(start);
        let count = if width != 0 && (width > 0) == (step > 0) {
            (width.unsigned_abs() - 1) / step.unsigned_abs() + 1
        } else {
            0
        };
        let count = u64::try_from(count).ok().filter(|count| *count > 0);
        let count = count.ok_or_else(|| input.error("needs an end beyond the start"))?;
        return Ok(whole(start + step * i128::from(source.below(count))));
    }
    if start != 0 || step != 0 {
        return Err(input.error("takes start and step only with whole numbers"));
    }
    let list = items(&input.value(0)).map_err(|_| input.wrong(0, "a list or a whole number"))?;
    if list.is_empty() {
        return Err(input.error("cannot pick from an empty list"));
    }
    let index = usize::try_from(source.below(list.len() as u64)).unwrap_or(0);
    Ok(list[index].clone())
}

fn shuffle(input: &mut BoundArguments<'_, '_>) -> Result {
    let mut list = input.list(0)?;
    let mut source = source(input, 1)?;
    for last in (1..list.len()).rev() {
        let other = usize::try_from(source.below(last as u64 + 1)).unwrap_or(0);
        list.swap(last, other);
    }
    Ok(List::value(list))
}
