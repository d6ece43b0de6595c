//! What an unquoted scalar means: the resolver of YAML 1.1 as `PyYAML` has it, and so Ansible.

use std::sync::LazyLock;

use regex::Regex;

use super::node::Value;

// The patterns of PyYAML's `yaml/resolver.py` (6.0), in the order in which it tries them. Its
// timestamps are left out: a date stays the text that was written.
static BOOL: LazyLock<Regex> = LazyLock::new(|| {
    pattern("^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$")
});
static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?
        |\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
        |[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*
        |[-+]?\.(?:inf|Inf|INF)
        |\.(?:nan|NaN|NAN))$",
    )
});
static INT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:[-+]?0b[0-1_]+
        |[-+]?0[0-7_]+
        |[-+]?(?:0|[1-9][0-9_]*)
        |[-+]?0x[0-9a-fA-F_]+
        |[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$",
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns of this file are constant and tested")
}

/// The value of an unquoted scalar.
///
/// A whole number that does not fit 64 bits stays text, which a template prints as Python would.
pub fn resolve(text: &str) -> Value {
    let number = text
        .starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        .then(|| number(text))
        .flatten();
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        _ if BOOL.is_match(text) => Value::Bool(matches!(
            text.to_ascii_lowercase().as_str(),
            "yes" | "true" | "on"
        )),
        _ => number.unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

/// The value of a scalar tagged `!!int` or `!!float`, or unquoted, if it is a number.
pub(super) fn number(text: &str) -> Option<Value> {
    if FLOAT.is_match(text) {
        float(text).map(Value::Float)
    } else if INT.is_match(text) {
        whole(text).map(Value::Int)
    } else {
        None
    }
}

fn whole(text: &str) -> Option<i64> {
    let text = text.replace('_', "");
    let (negative, digits) = signed(&text);
    let magnitude = if let Some(binary) = digits.strip_prefix("0b") {
        i128::from_str_radix(binary, 2).ok()?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        i128::from_str_radix(hexadecimal, 16).ok()?
    } else if digits.contains(':') {
        digits.split(':').try_fold(0_i128, |sum, part| {
            sum.checked_mul(60)?.checked_add(part.parse().ok()?)
        })?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i128::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

fn float(text: &str) -> Option<f64> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let (negative, digits) = signed(&text);
    let magnitude = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ => digits.split(':').try_fold(0.0, |sum, part| {
            Some(sum * 60.0 + part.parse::<f64>().ok()?)
        })?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, resolve};

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    #[test]
    fn words_for_yes_and_no_are_booleans_in_three_cases_only() {
        for yes in [
            "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON",
        ] {
            assert_eq!(resolve(yes), Value::Bool(true), "{yes}");
        }
        for no in [
            "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF",
        ] {
            assert_eq!(resolve(no), Value::Bool(false), "{no}");
        }
        for other in ["y", "n", "Y", "N", "yEs", "oN", "t"] {
            assert_eq!(resolve(other), text(other), "{other}");
        }
    }

    #[test]
    fn nothing_is_null_in_its_spellings() {
        for null in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(resolve(null), Value::Null, "{null}");
        }
        assert_eq!(resolve("nULL"), text("nULL"));
        assert_eq!(resolve("None"), text("None"));
    }

    #[test]
    fn whole_numbers_are_read_in_every_base_of_yaml_1_1() {
        for (written, value) in [
            ("0", 0),
            ("42", 42),
            ("-42", -42),
            ("+42", 42),
            ("1_000", 1000),
            ("0644", 420),
            ("-010", -8),
            ("0_7", 7),
            ("0x1F", 31),
            ("0b101", 5),
            ("12:30", 750),
            ("1:00:00", 3600),
            ("-1:30", -90),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(resolve(written), Value::Int(value), "{written}");
        }
    }

    #[test]
    fn numbers_with_a_fraction_need_a_dot_and_a_signed_exponent() {
        for (written, value) in [
            ("1.5", 1.5),
            ("1.10", 1.1),
            ("1.", 1.0),
            (".5", 0.5),
            ("-1.5", -1.5),
            ("1.5e+3", 1500.0),
            ("1_0.5", 10.5),
            ("1:30.5", 90.5),
            (".inf", f64::INFINITY),
            ("-.INF", f64::NEG_INFINITY),
        ] {
            assert_eq!(resolve(written), Value::Float(value), "{written}");
        }
        assert!(matches!(resolve(".nan"), Value::Float(nan) if nan.is_nan()));
        for other in ["1e3", "1.5e3", "1e+3", ".", "-.5", "1.2.3"] {
            assert_eq!(resolve(other), text(other), "{other}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_stays_text() {
        for other in [
            "0o644",
            "08",
            "00:30",
            "12:60",
            "2026-11-23",
            "10.0.0.1",
            "1,000",
            "0x",
            "0b",
            "0b_",
            "0x_",
            "-",
            "+",
            "_1",
            "9223372036854775808",
            "<<",
            "=",
        ] {
            assert_eq!(resolve(other), text(other), "{other}");
        }
    }
}
