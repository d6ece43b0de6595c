//! `sequence`: numbered items, such as `start=1 end=3 format=web%02d` or `1-3:web%02d`.

use minijinja::Value;

use super::call::{Lookup, LookupCall};
use crate::template::budget::ITEM;
use crate::template::error::TemplateError;
use crate::template::eval::{percent, whole};
use crate::template::python::string;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static LOOKUPS: &[Lookup] = &[Lookup {
    name: "sequence",
    run: sequence,
}];

/// What a term asks for.
#[derive(Debug, Default)]
struct Wanted {
    start: Option<i128>,
    end: Option<i128>,
    count: Option<i128>,
    stride: Option<i128>,
    format: Option<String>,
}

/// A number, which may be octal or hexadecimal.
fn number(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    if digits.contains(['+', '-']) {
        return None;
    }
    let number = if let Some(digits) = digits.strip_prefix("0x") {
        i128::from_str_radix(digits, 16).ok()?
    } else if let Some(digits) = digits.strip_prefix('0').filter(|digits| !digits.is_empty()) {
        i128::from_str_radix(digits.trim_start_matches('o'), 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(if negative { -number } else { number })
}

/// `[start-]end[/stride][:format]`.
fn short(term: &str) -> Option<Wanted> {
    let (rest, format) = match term.split_once(':') {
        Some((rest, format)) => (rest, Some(format.to_owned())),
        None => (term, None),
    };
    let (rest, stride) = match rest.split_once('/') {
        Some((rest, stride)) => (rest, Some(number(stride)?)),
        None => (rest, None),
    };
    let (start, end) = match rest.split_once('-') {
        Some((start, end)) => (Some(number(start)?), number(end)?),
        None => (None, number(rest)?),
    };
    Some(Wanted {
        start,
        end: Some(end),
        stride,
        format,
        count: None,
    })
}

impl Wanted {
    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let bad = || {
            TemplateError::new(format!(
                "'sequence' needs a whole number as '{name}', not '{value}'"
            ))
        };
        let parsed = || number(value).ok_or_else(bad).map(Some);
        match name {
            "start" => self.start = parsed()?,
            "end" => self.end = parsed()?,
            "count" => self.count = parsed()?,
            "stride" => self.stride = parsed()?,
            "format" => self.format = Some(value.to_owned()),
            other => {
                return Err(
                    TemplateError::new(format!("'sequence' has no argument '{other}'"))
                        .hint("it takes start, end, count, stride and format"),
                );
            }
        }
        Ok(())
    }
}

fn sequence(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let terms: Vec<String> = if call.terms.is_empty() {
        vec![String::new()]
    } else {
        call.terms.iter().map(string).collect()
    };
    let mut out = Vec::new();
    for term in terms {
        let mut wanted = Wanted::default();
        if let Some(shorthand) = short(&term) {
            wanted = shorthand;
        } else {
            for word in term.split_whitespace() {
                let (name, value) = word.split_once('=').ok_or_else(|| {
                    call.error(format_args!("cannot read '{word}'"))
                        .hint("write it as `start=1 end=5`, or as `1-5`")
                })?;
                wanted.set(name, value)?;
            }
        }
        for (name, value) in &call.options {
            wanted.set(name, &string(value))?;
        }
        numbered(call, &wanted, &mut out)?;
    }
    Ok(out)
}

fn numbered(call: &LookupCall<'_, '_>, wanted: &Wanted, out: &mut Vec<Value>) -> Result<()> {
    let start = wanted.start.unwrap_or(1);
    let stride = wanted.stride.unwrap_or(1);
    let end = match (wanted.count, wanted.end) {
        (Some(_), Some(_)) => return Err(call.error("takes either 'end' or 'count'")),
        (Some(0), None) => return Ok(()),
        (Some(count), None) => stride
            .checked_mul(count - 1)
            .and_then(|length| start.checked_add(length))
            .ok_or_else(|| call.error("counts too far"))?,
        (None, Some(end)) => end,
        (None, None) => return Err(call.error("needs 'end' or 'count'")),
    };
    if stride == 0 {
        return Ok(());
    }
    if (stride > 0 && end < start) || (stride < 0 && end > start) {
        return Err(call
            .error(format_args!(
                "cannot count from {start} to {end} in steps of {stride}"
            ))
            .hint("a stride below zero counts backwards"));
    }
    let format = wanted.format.as_deref().unwrap_or("%d");
    let mut at = start;
    while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
        call.eval.shared.spend(1)?;
        let text = percent(format, &whole(at))?;
        call.eval.shared.make(ITEM + text.len())?;
        out.push(Value::from(text));
        match at.checked_add(stride) {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(())
}
