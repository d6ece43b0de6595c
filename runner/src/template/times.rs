//! Dates as values: `now()`, `to_datetime`, and what lies between two of them.

use std::fmt;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use minijinja::Value;
use minijinja::value::{DynObject, Object, ObjectRepr};

use super::error::TemplateError;
use super::eval::CallArguments;
use super::filters::formatted;

type Result<T = Value> = std::result::Result<T, TemplateError>;

/// A date and time without a zone, as Python's `datetime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(DateTime);

/// What lies between two moments, as Python's `timedelta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeDelta {
    /// Microseconds.
    micros: i128,
}

impl Moment {
    pub(super) fn value(moment: DateTime) -> Value {
        Value::from_object(Self(moment))
    }

    /// `strftime`, `isoformat`, `timestamp`; nothing for other methods.
    pub(super) fn method(&self, name: &str, given: &CallArguments) -> Option<Result> {
        let zoned = || {
            self.0
                .to_zoned(TimeZone::system())
                .map_err(|error| TemplateError::new(error.to_string()))
        };
        Some(match name {
            "strftime" => {
                let format = given
                    .positional
                    .first()
                    .and_then(Value::as_str)
                    .unwrap_or("%c");
                zoned()
                    .and_then(|zoned| formatted(format, &zoned))
                    .map(Value::from)
            }
            "isoformat" => Ok(Value::from(self.text('T'))),
            "timestamp" => zoned().map(|zoned| {
                #[expect(clippy::cast_precision_loss, reason = "Python gives a float too")]
                let seconds = zoned.timestamp().as_microsecond() as f64 / 1e6;
                Value::from(seconds)
            }),
            "date" => Ok(Value::from(self.0.date().to_string())),
            "time" => Ok(Value::from(self.0.time().to_string())),
            "weekday" => Ok(Value::from(self.0.weekday().to_monday_zero_offset())),
            "isoweekday" => Ok(Value::from(self.0.weekday().to_monday_one_offset())),
            _ => return None,
        })
    }

    fn text(&self, separator: char) -> String {
        let micros = self.0.subsec_nanosecond() / 1000;
        let whole = format!(
            "{}{separator}{}",
            self.0.date(),
            self.0.strftime("%H:%M:%S")
        );
        if micros == 0 {
            whole
        } else {
            format!("{whole}.{micros:06}")
        }
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Some(match key {
            "year" => Value::from(self.0.year()),
            "month" => Value::from(self.0.month()),
            "day" => Value::from(self.0.day()),
            "hour" => Value::from(self.0.hour()),
            "minute" => Value::from(self.0.minute()),
            "second" => Value::from(self.0.second()),
            "microsecond" => Value::from(self.0.subsec_nanosecond() / 1000),
            _ => return None,
        })
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<std::cmp::Ordering> {
        other
            .downcast_ref::<Self>()
            .map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(' '))
    }
}

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;

impl Object for TimeDelta {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let number = match key {
            "days" => self.micros.div_euclid(DAY),
            "seconds" => self.micros.rem_euclid(DAY) / SECOND,
            "microseconds" => self.micros.rem_euclid(SECOND),
            _ => return None,
        };
        Some(super::eval::whole(number))
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<std::cmp::Ordering> {
        other
            .downcast_ref::<Self>()
            .map(|other| self.micros.cmp(&other.micros))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.micros.div_euclid(DAY);
        let seconds = self.micros.rem_euclid(DAY) / SECOND;
        match days {
            0 => {}
            1 | -1 => write!(f, "{days} day, ")?,
            _ => write!(f, "{days} days, ")?,
        }
        write!(
            f,
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        match self.micros.rem_euclid(SECOND) {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }
}

impl TimeDelta {
    /// `total_seconds`; nothing for other methods.
    pub(super) fn method(&self, name: &str) -> Option<Result> {
        #[expect(clippy::cast_precision_loss, reason = "Python gives a float too")]
        let seconds = self.micros as f64 / 1e6;
        (name == "total_seconds").then(|| Ok(Value::from(seconds)))
    }
}

/// `left - right` of two moments.
pub(super) fn between(left: &Value, right: &Value) -> Option<Value> {
    let left = left.downcast_object_ref::<Moment>()?;
    let right = right.downcast_object_ref::<Moment>()?;
    let micros = left.0.duration_since(right.0).as_micros();
    Some(Value::from_object(TimeDelta { micros }))
}

/// Now, here or in UTC.
pub(super) fn now(utc: bool) -> DateTime {
    let now = jiff::Zoned::now();
    if utc {
        now.with_time_zone(TimeZone::UTC).datetime()
    } else {
        now.datetime()
    }
}
