//! The task's user, its environment, and the time.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value, json};

use super::set;
use super::sources::Sources;

pub(super) fn facts(sources: &Sources, facts: &mut Map<String, Value>) {
    user(sources, facts);
    set(facts, "env", environment(&sources.said("environment")));
    if let Some(time) = date_time(&sources.said("date")) {
        set(facts, "date_time", time);
    }
}

fn user(sources: &Sources, facts: &mut Map<String, Value>) {
    let ids = sources.said("ids");
    let mut ids = ids.split_whitespace().map(str::parse::<u32>);
    if let (Some(Ok(user)), Some(Ok(group))) = (ids.next(), ids.next()) {
        for name in ["user_uid", "real_user_id", "effective_user_id"] {
            set(facts, name, user);
        }
        for name in ["user_gid", "real_group_id", "effective_group_id"] {
            set(facts, name, group);
        }
    }
    let user = sources.said("user");
    let fields: Vec<&str> = user.lines().next().unwrap_or_default().split(':').collect();
    if let [name, _, _, _, gecos, folder, shell] = fields[..] {
        set(facts, "user_id", name);
        set(facts, "user_gecos", gecos);
        set(facts, "user_dir", folder);
        set(facts, "user_shell", shell);
    }
}

/// The environment, each variable ended by NUL, or where `env` has no `-0`, by a newline.
fn environment(text: &str) -> Map<String, Value> {
    let separator = if text.contains('\0') { '\0' } else { '\n' };
    text.split(separator)
        .filter_map(|entry| entry.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect()
}

/// Ansible's many spellings of the time, from `seconds +zone name`.
fn date_time(text: &str) -> Option<Value> {
    let mut words = text.split_whitespace();
    let epoch: i64 = words.next()?.parse().ok()?;
    let offset = words.next()?;
    let zone = words.next().unwrap_or("UTC");
    let utc = Timestamp::from_second(epoch).ok()?;
    let local = utc.to_zoned(TimeZone::fixed(seconds(offset)?));
    let utc = utc.to_zoned(TimeZone::UTC);
    let text = |format: &str| local.strftime(format).to_string();
    Some(json!({
        "year": text("%Y"), "month": text("%m"), "day": text("%d"),
        "weekday": text("%A"), "weekday_number": text("%w"), "weeknumber": text("%W"),
        "hour": text("%H"), "minute": text("%M"), "second": text("%S"),
        "epoch": epoch.to_string(), "epoch_int": epoch.to_string(),
        "date": text("%Y-%m-%d"), "time": text("%H:%M:%S"),
        "iso8601": utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "iso8601_micro": utc.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string(),
        "iso8601_basic": text("%Y%m%dT%H%M%S000000"), "iso8601_basic_short": text("%Y%m%dT%H%M%S"),
        "tz": zone, "tz_dst": zone, "tz_offset": offset,
    }))
}

/// `+0530` as an offset.
fn seconds(offset: &str) -> Option<Offset> {
    let number: i32 = offset.parse().ok()?;
    // No offset is longer than four digits; a node may say anything.
    let number = Some(number).filter(|number| number.unsigned_abs() <= 9999)?;
    Offset::from_seconds((number / 100 * 60 + number % 100) * 60).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::sources::tests::sources;

    #[test]
    fn an_offset_that_is_none_is_no_fact_and_no_crash() {
        assert!(super::seconds("+0530").is_some());
        for offset in ["+99999999", "-2147483648", "+9999", "x", ""] {
            assert!(super::seconds(offset).is_none(), "{offset}");
        }
    }

    #[test]
    fn the_user_the_environment_and_the_time() {
        let sources = sources(
            &[],
            &[
                ("ids", "1000 1001"),
                ("user", "ada:x:1000:1001:Ada,,,:/home/ada:/bin/sh"),
                ("date", "1700000000 +0530 IST"),
                ("environment", "PATH=/bin\0PS1=a=b\nc\0"),
            ],
        );
        let mut facts = Map::new();
        super::facts(&sources, &mut facts);
        let facts = Value::Object(facts);
        assert_eq!(facts["ansible_user_id"], "ada");
        assert_eq!(facts["ansible_user_uid"], 1000);
        assert_eq!(facts["ansible_user_gid"], 1001);
        assert_eq!(facts["ansible_user_dir"], "/home/ada");
        assert_eq!(
            facts["ansible_env"],
            json!({"PATH": "/bin", "PS1": "a=b\nc"})
        );
        let time = &facts["ansible_date_time"];
        assert_eq!(time["iso8601"], "2023-11-14T22:13:20Z");
        assert_eq!(time["time"], "03:43:20");
        assert_eq!(time["weekday"], "Wednesday");
        assert_eq!(time["weeknumber"], "46");
        assert_eq!(time["tz_offset"], "+0530");
    }

    #[test]
    fn an_env_without_nul_is_read_by_lines() {
        assert_eq!(
            Value::Object(super::environment("A=1\nB=2\n")),
            json!({"A": "1", "B": "2"})
        );
    }
}
