//! Times of files, as `touch -t` takes them.

use crate::args::Text;

/// `preserve`, `now`, or `CCYYMMDDhhmm.SS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time(pub String);

impl Time {
    /// The format that Ansible expects unless told otherwise.
    pub fn usual_format() -> Text {
        Text::from("%Y%m%d%H%M.%S")
    }

    /// Reads a time written in a format of `%Y`, `%m`, `%d`, `%H`, `%M`, `%S` and other characters.
    pub fn read(text: &str, format: &str) -> Result<Self, String> {
        if text == "preserve" || text == "now" {
            return Ok(Self(text.to_owned()));
        }
        let wrong =
            || format!("`{text}` is neither `preserve`, `now` nor a time written as `{format}`");
        let mut fields = [1900, 1, 1, 0, 0, 0];
        let mut rest = text;
        let mut directives = format.chars();
        while let Some(c) = directives.next() {
            if c != '%' {
                rest = rest.strip_prefix(c).ok_or_else(wrong)?;
                continue;
            }
            let (field, width, range) = match directives.next() {
                Some('Y') => (0, 4, 1..=9999),
                Some('m') => (1, 2, 1..=12),
                Some('d') => (2, 2, 1..=31),
                Some('H') => (3, 2, 0..=23),
                Some('M') => (4, 2, 0..=59),
                Some('S') => (5, 2, 0..=60),
                Some('%') => {
                    rest = rest.strip_prefix('%').ok_or_else(wrong)?;
                    continue;
                }
                _ => {
                    return Err(format!(
                        "the format `{format}` has more than %Y, %m, %d, %H, %M and %S"
                    ));
                }
            };
            let digits = rest
                .bytes()
                .take(width)
                .take_while(u8::is_ascii_digit)
                .count();
            let number: u32 = rest[..digits].parse().map_err(|_| wrong())?;
            if !range.contains(&number) {
                return Err(wrong());
            }
            fields[field] = number;
            rest = &rest[digits..];
        }
        if !rest.is_empty() {
            return Err(wrong());
        }
        let [year, month, day, hour, minute, second] = fields;
        Ok(Self(format!(
            "{year:04}{month:02}{day:02}{hour:02}{minute:02}.{second:02}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn times_are_read_by_their_format() {
        let read = |text, format| Time::read(text, format).map(|time| time.0);
        assert_eq!(read("now", "%Y"), Ok("now".to_owned()));
        assert_eq!(
            read("202611231405.09", "%Y%m%d%H%M.%S"),
            Ok("202611231405.09".to_owned())
        );
        assert_eq!(
            read("2026-11-23 14:05", "%Y-%m-%d %H:%M"),
            Ok("202611231405.00".to_owned())
        );
        for (text, format) in [
            ("yesterday", "%Y%m%d%H%M.%S"),
            ("202613231405.09", "%Y%m%d%H%M.%S"),
            ("2026ü", "%Y"),
            ("2026", "%Y%m"),
            ("2026", "%y"),
        ] {
            assert!(Time::read(text, format).is_err(), "{text}");
        }
    }
}
