//! What a node said, by the file or command it said it with.

use std::collections::BTreeMap;

use crate::kit::Records;

/// Files by path, and the records of commands.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    files: BTreeMap<String, String>,
    records: Records,
}

impl Sources {
    /// Takes the files out of their record.
    pub(crate) fn new(records: Records) -> Self {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for line in records.text("files").unwrap_or_default().lines() {
            if let Some((path, line)) = line.split_once(':') {
                let text = files.entry(path.to_owned()).or_default();
                text.push_str(line);
                text.push('\n');
            }
        }
        Self { files, records }
    }

    /// A file's text; empty when the node does not have it.
    pub(super) fn file(&self, path: &str) -> &str {
        self.files.get(path).map_or("", String::as_str)
    }

    /// A file's text without white space at its ends, if the node has it.
    pub(super) fn line(&self, path: &str) -> Option<&str> {
        self.files
            .get(path)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// The files whose paths begin with `folder`: what follows it, and the text.
    pub(super) fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .range(folder.to_owned()..)
            .map_while(move |(path, text)| Some((path.strip_prefix(folder)?, text.trim())))
    }

    /// What a command printed; empty when the node does not have it.
    pub(super) fn said(&self, key: &str) -> String {
        self.records.text(key).unwrap_or_default()
    }

    /// All values of a record.
    pub(super) fn all(&self, key: &str) -> Vec<String> {
        self.records
            .all(key)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// Whether the node has a tool (of those that `w_facts` asks for).
    pub(super) fn has(&self, tool: &str) -> bool {
        self.said("tools").lines().any(|line| {
            line == tool
                || line
                    .strip_suffix(tool)
                    .is_some_and(|folder| folder.ends_with('/'))
        })
    }
}

/// The value of `key` in lines of `key SEPARATOR value`.
pub(super) fn value<'a>(text: &'a str, key: &str, separator: char) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(separator)?;
        (name.trim() == key).then_some(value.trim())
    })
}

/// The value of `key` in a file of sh assignments, without its quotes.
pub(super) fn assigned(text: &str, key: &str) -> Option<String> {
    let value = value(text, key, '=')?;
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    let plain = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
    Some(plain.replace("\\\"", "\"").replace("\\$", "$")).filter(|plain| !plain.is_empty())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::host::Reply;

    /// Sources of files and records, as a node would give them.
    pub(in crate::system::facts) fn sources(
        files: &[(&str, &str)],
        records: &[(&str, &str)],
    ) -> Sources {
        let mut all = String::new();
        for (path, text) in files {
            for line in text.lines() {
                all.push_str(&format!("{path}:{line}\n"));
            }
        }
        let mut stdout = String::new();
        for (key, value) in [("files", all.as_str())].iter().chain(records) {
            stdout.push_str(&format!("{key} {}\n{value}\n", value.len()));
        }
        let reply = Reply {
            stdout: stdout.into_bytes().into(),
            ..Reply::default()
        };
        Sources::new(Records::read(&reply).unwrap())
    }

    #[test]
    fn files_and_records_are_found_again() {
        let sources = sources(
            &[("/a/b", "x: 1\n\ny: 2"), ("/a/c", " z "), ("/d", "")],
            &[("tools", "apt-get\n/run/systemd/system")],
        );
        assert_eq!(sources.file("/a/b"), "x: 1\n\ny: 2\n");
        assert_eq!(sources.line("/a/c"), Some("z"));
        assert_eq!(sources.line("/d"), None);
        assert_eq!(
            sources.under("/a/").collect::<Vec<_>>(),
            [("b", "x: 1\n\ny: 2"), ("c", "z")]
        );
        assert!(sources.has("apt-get") && !sources.has("apt") && sources.has("system"));
        assert_eq!(value(sources.file("/a/b"), "y", ':'), Some("2"));
        assert_eq!(
            assigned("A=\"a \\\"b\\\"\"\nB=c\nC=", "A").unwrap(),
            "a \"b\""
        );
        assert_eq!(assigned("A='x'", "A").unwrap(), "x");
        assert_eq!(assigned("C=", "C"), None);
    }
}
