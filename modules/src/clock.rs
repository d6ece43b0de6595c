//! Times as results show them.

use std::time::Duration;

use jiff::Zoned;

/// A point in time as Ansible writes it: `2026-11-23 07:05:09.123456`, in the control host's zone.
pub(crate) fn stamp(time: &Zoned) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// A time that passed, as Python writes it: `0:00:01.234567`, `1 day, 0:00:00.000001`.
pub(crate) fn delta(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, seconds, micros) = (seconds / 60 % 60, seconds % 60, time.subsec_micros());
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        more => format!("{more} days, "),
    };
    format!("{days}{hours}:{minutes:02}:{seconds:02}.{micros:06}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::civil::date;
    use jiff::tz::TimeZone;

    #[test]
    fn times_look_as_in_ansible() {
        let time = date(2026, 11, 23).at(7, 5, 9, 123_456_789);
        let time = time.to_zoned(TimeZone::UTC).unwrap();
        assert_eq!(super::stamp(&time), "2026-11-23 07:05:09.123456");
        assert_eq!(
            super::delta(Duration::from_micros(1_234_567)),
            "0:00:01.234567"
        );
        assert_eq!(super::delta(Duration::from_secs(3_661)), "1:01:01.000000");
        assert_eq!(
            super::delta(Duration::from_secs(90_000)),
            "1 day, 1:00:00.000000"
        );
        assert_eq!(
            super::delta(Duration::from_secs(2 * 86_400)),
            "2 days, 0:00:00.000000"
        );
    }
}
