//! How a number or a text is laid out: width, sign, digits, fill.

use minijinja::Value;
use minijinja::formatting::FormatStyle;

use super::access::integer;
use crate::template::error::TemplateError;
use crate::template::python::type_name;

type Result<T> = std::result::Result<T, TemplateError>;

/// Widths and precisions are no larger than this.
pub(super) const WIDEST: usize = 4096;

/// How a number or text is laid out.
#[derive(Debug, Default, Clone)]
pub(super) struct FormatSpec {
    pub(super) fill: Option<char>,
    pub(super) align: Option<char>,
    pub(super) sign: Option<char>,
    pub(super) alternate: bool,
    pub(super) zero: bool,
    pub(super) width: usize,
    pub(super) grouping: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

/// Digits at the start of a text, as a number of a sensible size.
pub(super) fn number(text: &str) -> Result<(Option<usize>, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse::<usize>() {
        Ok(number) if number <= WIDEST => Ok((Some(number), rest)),
        _ => Err(TemplateError::new(
            "a width in the format string is too large",
        )),
    }
}

pub(super) fn character(code: i128) -> Result<String> {
    u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .map(String::from)
        .ok_or_else(|| TemplateError::new("there is no character of this number"))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Python's int() cuts the fraction off"
)]
pub(super) fn truncate(number: f64) -> i128 {
    number as i128
}

pub(super) fn not_a_number(value: &Value) -> TemplateError {
    TemplateError::new(format!(
        "the format string needs a number, not a value of type '{}'",
        type_name(value)
    ))
    .hint("convert it with `| int`")
}

pub(super) fn unknown_kind(kind: char) -> TemplateError {
    TemplateError::new(format!(
        "'{kind}' is not a kind of place in a format string"
    ))
}

pub(super) fn as_float(value: &Value) -> Result<f64> {
    match integer(value) {
        #[expect(clippy::cast_precision_loss, reason = "a float has no more precision")]
        Some(number) => Ok(number as f64),
        None => f64::try_from(value.clone()).map_err(|_| not_a_number(value)),
    }
}

pub(super) fn lay_text(layout: &FormatSpec, text: &str) -> String {
    let text: String = match layout.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    let align = layout.align.unwrap_or('<');
    padded(text, layout.width, layout.fill.unwrap_or(' '), align)
}

pub(super) fn lay_int(layout: &FormatSpec, number: i128) -> Result<String> {
    let Some(digits) = layout.precision else {
        return lay_number(layout, &Value::from(number));
    };
    // Only the older way has it: so many digits at least.
    let sign = usize::from(number < 0 || layout.sign.is_some());
    let based = layout.alternate && matches!(layout.kind, Some('x' | 'X' | 'o' | 'b'));
    let least = digits + sign + if based { 2 } else { 0 };
    let least = if layout.zero {
        least.max(layout.width)
    } else {
        least
    };
    let text = laid(
        &FormatSpec {
            precision: None,
            ..layout.clone()
        },
        least,
        &Value::from(number),
    )?;
    Ok(padded(text, layout.width, ' ', layout.align.unwrap_or('>')))
}

pub(super) fn lay_float(layout: &FormatSpec, number: f64) -> Result<String> {
    let number = if layout.kind == Some('%') {
        number * 100.0
    } else {
        number
    };
    lay_number(layout, &Value::from(number))
}

/// A number with its sign in front of what fills it up, where that is zeros or is to be so.
fn lay_number(layout: &FormatSpec, value: &Value) -> Result<String> {
    let percent = layout.kind == Some('%');
    let fill = layout.fill.unwrap_or(if layout.zero { '0' } else { ' ' });
    let align = layout.align.unwrap_or('>');
    let between = align == '=' || (align == '>' && layout.zero && layout.fill.is_none());
    if between && fill == '0' && !percent {
        // Such zeros stand in groups like all digits.
        return laid(layout, layout.width, value);
    }
    let mut text = laid(layout, 0, value)?;
    if percent {
        text.push('%');
    }
    if !between {
        return Ok(padded(text, layout.width, fill, align));
    }
    let sign = text.find(|c| !matches!(c, '+' | '-' | ' ')).unwrap_or(0);
    let based = layout.alternate && matches!(layout.kind, Some('x' | 'X' | 'o' | 'b'));
    let digits = text.split_off(sign + if based { 2 } else { 0 });
    let width = layout.width.saturating_sub(text.len());
    Ok(text + &padded(digits, width, fill, '>'))
}

/// A number with its sign, base, groups and digits, and with zeros up to a width, by minijinja. It does not know the
/// kinds `%` and `n`, and counts the bytes of what it pads.
fn laid(layout: &FormatSpec, zeros: usize, value: &Value) -> Result<String> {
    let mut format = "{:".to_owned();
    format.extend(layout.sign);
    if layout.alternate {
        format.push('#');
    }
    if zeros > 0 {
        format.push_str(&format!("0{zeros}"));
    }
    format.extend(layout.grouping);
    if let Some(precision) = layout.precision {
        format.push_str(&format!(".{precision}"));
    }
    format.extend(match layout.kind {
        Some('%') => Some('f'),
        Some('n') if value.is_integer() => Some('d'),
        Some('n') => Some('g'),
        other => other,
    });
    format.push('}');
    minijinja::formatting::format(FormatStyle::StrFormat, &format, std::slice::from_ref(value))
        .map_err(|error| TemplateError::new(error.detail().unwrap_or_default()))
}

/// Text of this width.
fn padded(text: String, width: usize, fill: char, align: char) -> String {
    let missing = width.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    let (before, after) = match align {
        '<' => (0, missing),
        '^' => (missing / 2, missing - missing / 2),
        _ => (missing, 0),
    };
    let fill = fill.to_string();
    format!("{}{text}{}", fill.repeat(before), fill.repeat(after))
}

#[cfg(test)]
mod tests {
    use minijinja::Value;

    use super::super::call::CallArguments;
    use super::super::format::text_format;
    use super::super::percent::percent;

    /// What Python 3.11 makes of `'{:SPEC}'.format(NUMBER)`.
    #[test]
    fn numbers_are_laid_out_as_python_does() {
        let whole = |number: i64| Value::from(number);
        let float = |number: f64| Value::from(number);
        for (spec, value, text) in [
            ("d", whole(7), "7"),
            (",", whole(1_234_567), "1,234,567"),
            ("_", whole(1_234_567), "1_234_567"),
            ("010,", whole(1_234_567), "01,234,567"),
            ("012,d", whole(1234), "0,000,001,234"),
            ("x", whole(255), "ff"),
            ("#x", whole(255), "0xff"),
            ("#010x", whole(255), "0x000000ff"),
            ("_x", whole(1_048_575), "f_ffff"),
            ("#b", whole(5), "0b101"),
            ("+d", whole(5), "+5"),
            (" d", whole(5), " 5"),
            ("+d", whole(-5), "-5"),
            ("05d", whole(-7), "-0007"),
            ("=6d", whole(-7), "-    7"),
            ("*=8d", whole(-7), "-******7"),
            ("*>8d", whole(7), "*******7"),
            ("*<8d", whole(7), "7*******"),
            ("*^8d", whole(7), "***7****"),
            ("<08d", whole(7), "70000000"),
            ("ü>4d", whole(7), "üüü7"),
            ("n", whole(1234), "1234"),
            ("f", float(4.141_59), "4.141590"),
            (".2f", float(4.141_59), "4.14"),
            ("08.2f", float(-4.141_59), "-0004.14"),
            ("+.1f", float(2.55), "+2.5"),
            (",.2f", float(1_234_567.891), "1,234,567.89"),
            ("e", float(12_345.678), "1.234568e+04"),
            (".3E", float(0.000_123_45), "1.234E-04"),
            ("g", float(0.0001), "0.0001"),
            ("g", float(1_234_567.0), "1.23457e+06"),
            (".3g", float(1234.0), "1.23e+03"),
            ("#.4g", float(1.0), "1.000"),
            ("G", float(1e-10), "1E-10"),
            ("%", float(0.256), "25.600000%"),
            (".1%", float(0.256), "25.6%"),
            ("8.1%", float(0.256), "   25.6%"),
            ("<8.1%", float(0.256), "25.6%   "),
            ("08.1%", float(-0.256), "-0025.6%"),
            ("8", float(1.5), "     1.5"),
            ("12", float(4.141_592_65), "  4.14159265"),
            (".3", float(4.141_592_65), "4.14"),
            (".0f", float(2.5), "2"),
            ("10", float(1e+16), "     1e+16"),
            ("f", float(f64::INFINITY), "inf"),
            ("F", float(f64::INFINITY), "INF"),
        ] {
            let given = CallArguments {
                positional: vec![value],
                ..CallArguments::default()
            };
            let laid = text_format(&format!("{{:{spec}}}"), &given);
            assert_eq!(laid.unwrap(), text, "{spec}");
        }
    }

    /// What Python 3.11 makes of `FORMAT % NUMBER`.
    #[test]
    fn numbers_are_laid_out_as_python_does_in_the_older_way() {
        let whole = |number: i64| Value::from(number);
        let float = |number: f64| Value::from(number);
        for (format, value, text) in [
            ("%d", whole(7), "7"),
            ("%03d", whole(7), "007"),
            ("%+d", whole(5), "+5"),
            ("% d", whole(5), " 5"),
            ("%-5d|", whole(7), "7    |"),
            ("%5d", whole(-7), "   -7"),
            ("%05d", whole(-7), "-0007"),
            ("%.3d", whole(7), "007"),
            ("%6.3d", whole(-7), "  -007"),
            ("%+.3d", whole(7), "+007"),
            ("%x", whole(255), "ff"),
            ("%#x", whole(255), "0xff"),
            ("%#.4x", whole(255), "0x00ff"),
            ("%o", whole(8), "10"),
            ("%X", whole(255), "FF"),
            ("%i", whole(7), "7"),
            ("%d", float(7.9), "7"),
            ("%.2f", float(4.141_59), "4.14"),
            ("%8.2f|", float(4.141_59), "    4.14|"),
            ("%-8.2f|", float(4.141_59), "4.14    |"),
            ("%08.2f", float(-4.141_59), "-0004.14"),
            ("%e", float(12_345.678), "1.234568e+04"),
            ("%g", float(0.0001), "0.0001"),
            ("%g", float(1_234_567.0), "1.23457e+06"),
            ("%G", float(1e-10), "1E-10"),
            ("%5s|", whole(7), "    7|"),
            ("%-5s|", whole(7), "7    |"),
            ("%.0f", float(2.5), "2"),
        ] {
            assert_eq!(percent(format, &value).unwrap(), text, "{format}");
        }
    }
}
