//! What the functions of the kit print, read back.
//!
//! A record is `key length`, a newline, that many bytes, a newline. The last one may have `-` for its
//! length: its value is all the rest. Values may hold any bytes, newlines included.

use crate::host::Reply;
use crate::outcome::Failure;

/// The records of a reply, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records(Vec<(String, Vec<u8>)>);

impl Records {
    /// Reads the records of a script that ended well.
    ///
    /// A script that ended with `w_fail` becomes a failure with its message and hint; one that ended
    /// badly in another way becomes a failure with its status and what it said on standard error.
    pub fn read(reply: &Reply) -> Result<Self, Failure> {
        let (records, whole) = Self::parse(&reply.stdout);
        if let Some(message) = records.text("error") {
            return Err(Failure {
                hint: records.text("hint"),
                ..Failure::new(message)
            });
        }
        if reply.status != 0 {
            return Err(unexpected(reply));
        }
        if !whole {
            return Err(
                Failure::new("the host's answer was cut short or mixed with other output")
                    .hint("does a start-up file of the user's shell on the host print something?")
                    .with("stdout", reply.text())
                    .with("stderr", reply.error_text()),
            );
        }
        Ok(records)
    }

    /// Reads as many records as there are; and whether that was all of `bytes`.
    fn parse(bytes: &[u8]) -> (Self, bool) {
        let mut records = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some((key, value, after)) = record(rest) else {
                return (Self(records), false);
            };
            records.push((key, value.to_vec()));
            rest = after;
        }
        (Self(records), true)
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
        self.0
            .iter()
            .filter(move |(known, _)| known == key)
            .map(|(_, value)| value.as_slice())
    }

    /// The records after each one of `key`, up to the next one of it.
    pub fn groups(&self, key: &str) -> impl Iterator<Item = Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (known, value) in &self.0 {
            if known == key {
                groups.push(Self::default());
            } else if let Some(group) = groups.last_mut() {
                group.0.push((known.clone(), value.clone()));
            }
        }
        groups.into_iter()
    }

    /// All keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()))
    }
}

/// The first record of `bytes`, and what follows it.
fn record(bytes: &[u8]) -> Option<(String, &[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let (key, length) = head.split_once(' ')?;
    let body = &bytes[end + 1..];
    if length == "-" {
        return Some((key.to_owned(), body, &[]));
    }
    let length: usize = length.parse().ok()?;
    let value = body.get(..length)?;
    let after = body.get(length..)?.strip_prefix(b"\n")?;
    Some((key.to_owned(), value, after))
}

fn unexpected(reply: &Reply) -> Failure {
    let said = reply.error_text();
    let said = said.trim();
    let status = reply.status;
    let message = if said.is_empty() {
        format!("the work on the host ended with status {status} and said nothing")
    } else {
        format!("the work on the host ended with status {status}: {said}")
    };
    Failure::new(message)
        .with("rc", status)
        .with("stdout", reply.text())
        .with("stderr", reply.error_text())
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
                stdout: noise.as_bytes().to_vec(),
                ..Reply::default()
            };
            assert!(Records::read(&reply).is_err(), "{noise:?}");
        }
    }
}
