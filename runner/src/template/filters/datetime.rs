//! Dates and times.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use minijinja::Value;

use super::builtin::to_float;
use crate::template::error::TemplateError;
use crate::template::eval::{BoundArguments, Function};
use crate::template::times::Moment;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static FILTERS: &[Function] = &[
    filter!("strftime", strftime, 1, ["second", "utc"]),
    filter!("to_datetime", to_datetime, 1, ["format"]),
];

fn strftime(input: &mut BoundArguments<'_, '_>) -> Result {
    let format = input.text(0)?;
    let utc = input.bool_or(2, false)?;
    let moment = match input.get(1) {
        Some(second) if !second.is_none() => {
            let second = to_float(second).ok_or_else(|| input.wrong(1, "seconds since 1970"))?;
            timestamp(second).ok_or_else(|| input.error("got a time that is out of range"))?
        }
        _ => {
            input.later()?;
            Timestamp::now()
        }
    };
    let zone = if utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    formatted(&format, &moment.to_zoned(zone)).map(Value::from)
}

#[expect(clippy::cast_possible_truncation, reason = "whole seconds are wanted")]
fn timestamp(second: f64) -> Option<Timestamp> {
    Timestamp::from_second(second.floor() as i64).ok()
}

/// Longer formats are none.
const LONGEST: usize = 100_000;

/// A time in a format of C's `strftime`.
pub(in crate::template) fn formatted(format: &str, moment: &Zoned) -> Result<String> {
    if format.len() > LONGEST {
        return Err(TemplateError::new(format!(
            "a format of time has at most {LONGEST} characters"
        )));
    }
    // A place may ask for any width.
    let wide = format.split('%').skip(1).any(|place| {
        let digits = place.trim_start_matches(['-', '_', '0', '^', '#']);
        digits.chars().take_while(char::is_ascii_digit).count() > 2
    });
    if wide {
        return Err(TemplateError::new(format!(
            "'{format}' asks for a place of more than 99 characters"
        )));
    }
    strtime::format(format, moment)
        .map_err(|error| TemplateError::new(format!("'{format}' is not a format of time: {error}")))
}

fn to_datetime(input: &mut BoundArguments<'_, '_>) -> Result {
    let text = input.text(0)?;
    let format = input
        .optional_text(1)
        .unwrap_or_else(|| "%Y-%m-%d %H:%M:%S".to_owned());
    let parsed = strtime::parse(&format, &text)
        .and_then(|broken| match broken.to_datetime() {
            Ok(moment) => Ok(moment),
            Err(_) => broken.to_date().map(DateTime::from),
        })
        .map_err(|error| {
            input.error(format_args!("cannot read '{text}' as '{format}': {error}"))
        })?;
    Ok(Moment::value(parsed))
}
