//! What the functions of the kit print, read back.
//!
//! A record is `key length`, a newline, that many bytes, a newline. The last one may have `-` for its
//! length: its value is all the rest. Values may hold any bytes, newlines included.

use std::ops::Range;

use crate::host::Reply;
use crate::outcome::Failure;
use crate::transcript::Printed;

/// The most records that an answer may have. The largest real ones, of folders with many files, have some
/// ten thousand; each costs a few times its bytes.
const MANY: usize = 1 << 18;

/// The records of a reply, in the order in which they came: views of what was printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    printed: Printed,
    found: Vec<Record>,
}

/// Where a key and its value stand.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    key: Range<u32>,
    value: Range<u32>,
}

/// How far an answer could be read.
#[derive(Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    /// What follows is no record.
    Broken,
    /// There are more than [`MANY`].
    TooMany,
}

impl Records {
    /// Reads the records of a script that succeeded.
    ///
    /// A script that ended with `w_fail` becomes a failure with its message and hint; one that ended
    /// badly in another way becomes a failure with its status and what it said on standard error.
    pub fn read(reply: &Reply) -> Result<Self, Failure> {
        let (records, extent) = Self::parse(&reply.stdout);
        if extent == Extent::TooMany {
            return Err(Failure::new(format!(
                "the host's answer has more than {MANY} records, and a module takes no more"
            ))
            .hint("is the host what you think it is? An answer of Windlass' own has far fewer"));
        }
        if let Some(message) = records.text("error") {
            return Err(Failure {
                hint: records.text("hint"),
                ..Failure::new(message)
            });
        }
        if reply.status != 0 {
            return Err(unexpected(reply));
        }
        if extent == Extent::Broken {
            return Err(
                Failure::new("the host's answer was cut short or mixed with other output")
                    .hint("does a start-up file of the user's shell on the host print something?")
                    .with("stdout", beginning(&reply.stdout))
                    .with("stderr", beginning(&reply.stderr)),
            );
        }
        Ok(records)
    }

    /// Reads as many records as there are; and whether that was all.
    fn parse(printed: &Printed) -> (Self, Extent) {
        let mut found = Vec::new();
        let bytes = printed.bytes();
        let mut at = 0;
        let mut extent = Extent::Whole;
        while at < bytes.len() {
            if found.len() == MANY {
                extent = Extent::TooMany;
                break;
            }
            let Some((record, after)) = record(bytes, at) else {
                extent = Extent::Broken;
                break;
            };
            found.push(record);
            at = after;
        }
        let printed = printed.clone();
        (Self { printed, found }, extent)
    }

    /// The value of a key, the first if there are several.
    pub fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.all(key).next()
    }

    /// The value of a key as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self, key: &str) -> Option<String> {
        self.bytes(key)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The value of a key as a number, if it is one.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.text(key)?.trim().parse().ok()
    }

    /// Whether the value of a key is `1`.
    pub fn flag(&self, key: &str) -> bool {
        self.bytes(key) == Some(b"1")
    }

    /// All values of a key, in order.
    pub fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(known, _)| *known == key)
            .map(|(_, value)| value)
    }

    /// The records after each one of `key`, up to the next one of it.
    pub fn groups(&self, key: &str) -> impl Iterator<Item = Self> {
        let mut groups: Vec<Self> = Vec::new();
        for record in &self.found {
            if self.slice(&record.key) == key.as_bytes() {
                groups.push(Self {
                    printed: self.printed.clone(),
                    found: Vec::new(),
                });
            } else if let Some(group) = groups.last_mut() {
                group.found.push(record.clone());
            }
        }
        groups.into_iter()
    }

    /// All keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.found.iter().map(|record| {
            // A key was text when it was read.
            let key = std::str::from_utf8(self.slice(&record.key)).unwrap_or_default();
            (key, self.slice(&record.value))
        })
    }

    fn slice(&self, range: &Range<u32>) -> &[u8] {
        let bytes = self.printed.bytes();
        bytes
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }
}

/// The record at `at`, and where what follows it begins.
fn record(bytes: &[u8], at: usize) -> Option<(Record, usize)> {
    let range = |from: usize, to: usize| Some(u32::try_from(from).ok()?..u32::try_from(to).ok()?);
    let end = at + bytes[at..].iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&bytes[at..end]).ok()?;
    let (key, length) = head.split_once(' ')?;
    let key = range(at, at + key.len())?;
    let body = end + 1;
    if length == "-" {
        let value = range(body, bytes.len())?;
        return Some((Record { key, value }, bytes.len()));
    }
    let value_end = body.checked_add(length.parse().ok()?)?;
    if bytes.get(value_end) != Some(&b'\n') {
        return None;
    }
    let value = range(body, value_end)?;
    Some((Record { key, value }, value_end + 1))
}

/// As much of an answer that makes no sense as helps to see why.
fn beginning(printed: &Printed) -> String {
    let bytes = printed.bytes();
    String::from_utf8_lossy(&bytes[..bytes.len().min(16 << 10)]).into_owned()
}

fn unexpected(reply: &Reply) -> Failure {
    let said = beginning(&reply.stderr);
    let said = said.trim();
    let status = reply.status;
    let message = if said.is_empty() {
        format!("the work on the host ended with status {status} and said nothing")
    } else {
        format!("the work on the host ended with status {status}: {said}")
    };
    Failure::new(message)
        .with("rc", status)
        .with("stdout", beginning(&reply.stdout))
        .with("stderr", beginning(&reply.stderr))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use crate::host::Host;
    use crate::kit;

    async fn under_all(source: &str) -> Vec<Result<Records, Failure>> {
        let mut results = Vec::new();
        for shell in fake::shells() {
            // A locale of many bytes a character: the length must be in bytes all the same.
            let shell = shell.variable("LANG", "C.UTF-8");
            let script = crate::host::Script::new(source).parts(&[kit::RECORDS]);
            results.push(Records::read(&shell.run(script).await.unwrap()));
        }
        results
    }

    #[tokio::test]
    async fn values_come_back_as_they_were() {
        let source = r#"
            w_put name 'a "b"
'
            w_put name "$(printf 'gr\303\274n \377')"
            w_put empty ''
            w_put yes 1
            w_put n -5
            LC_ALL=C.UTF-8; w_put uml 'äöü'
            unset LC_ALL; w_put uml 'äöü'; w_put lc "${LC_ALL-unset}"
            w_rest content; printf 'a\0\nb 3\n'"#;
        for records in under_all(source).await {
            let records = records.unwrap();
            let names: Vec<_> = records.all("name").collect();
            assert_eq!(names, [b"a \"b\"\n".as_slice(), b"gr\xc3\xbcn \xff"]);
            assert_eq!(records.text("empty").unwrap(), "");
            assert!(records.flag("yes"));
            assert!(!records.flag("empty"));
            assert_eq!(records.number("n"), Some(-5));
            assert_eq!(
                records.all("uml").collect::<Vec<_>>(),
                ["äöü".as_bytes(); 2]
            );
            assert_eq!(records.text("lc").unwrap(), "unset");
            assert_eq!(records.bytes("content").unwrap(), b"a\0\nb 3\n");
            assert_eq!(records.bytes("nothing"), None);
        }
    }

    #[tokio::test]
    async fn a_missing_tool_fails_with_a_sentence() {
        for records in under_all("w_need no-such-tool 'to test this'").await {
            let failure = records.unwrap_err();
            assert_eq!(
                failure.message,
                "`no-such-tool` is missing on the node; it is needed to test this"
            );
            assert!(failure.hint.unwrap().contains("PATH"));
        }
    }

    #[tokio::test]
    async fn an_end_that_nobody_planned_is_a_failure_with_what_was_said() {
        for records in under_all("w_put a b; echo broken >&2; exit 7").await {
            let failure = records.unwrap_err();
            assert_eq!(
                failure.message,
                "the work on the host ended with status 7: broken"
            );
            assert_eq!(failure.data["rc"], 7);
        }
    }

    #[test]
    fn other_output_among_the_records_is_a_failure() {
        for noise in ["hello\n", "a 5\nb\n", "a 1\nbc\n", "a x\nb\n"] {
            let reply = Reply {
                stdout: noise.as_bytes().to_vec().into(),
                ..Reply::default()
            };
            assert!(Records::read(&reply).is_err(), "{noise:?}");
        }
    }

    #[test]
    fn many_tiny_records_are_refused_and_cost_little_more_than_their_bytes() {
        let many = |count: usize| Reply {
            stdout: b"a 0\n\n".repeat(count).into(),
            ..Reply::default()
        };
        let records = Records::read(&many(MANY)).unwrap();
        assert_eq!(records.found.len(), MANY);
        assert!(size_of::<Record>() <= 16);
        let failure = Records::read(&many(MANY + 1)).unwrap_err();
        assert!(
            failure.message.contains("262144 records"),
            "{}",
            failure.message
        );
    }
}
