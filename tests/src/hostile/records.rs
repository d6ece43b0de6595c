//! What answers hold: the records of the kit, spoilt.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::frames::{Stream, is_heavy_here};
use super::modes::{Heavy, Mode, Records, Sudo, Tools, Way, Words};
use super::{cluster, tools, words};

/// How much a heavy node says.
pub const HEAVY: usize = 60_000_000;
/// A line of a file of a node, among its facts.
const MOUNT: &[u8] = b"/proc/mounts:/ a b c\n";

/// One record: `key length`, a newline, the value, a newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub(super) key: String,
    value: Vec<u8>,
    /// It has `-` for its length: its value is all the rest.
    pub(super) rest: bool,
}

impl Record {
    pub(super) fn new(key: &str, value: impl Into<Vec<u8>>) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
            rest: false,
        }
    }

    fn is_number(&self) -> bool {
        !self.value.is_empty() && self.value.iter().all(u8::is_ascii_digit)
    }

    /// Whether an answer with another value would be over before it came to anything.
    fn is_frame(&self) -> bool {
        self.value.is_empty()
            || self.is_number()
            || matches!(&*self.value, b"file" | b"absent" | b"directory" | b"link")
            || self.value.starts_with(b"sha256:")
            || matches!(
                &*self.key,
                "sum" | "stat" | "list" | "health" | "version" | "command"
            )
    }
}

/// The records of an answer, if it is one of records.
pub fn read(mut rest: &[u8]) -> Option<Vec<Record>> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let (key, length) = std::str::from_utf8(&rest[..end]).ok()?.split_once(' ')?;
        let body = &rest[end + 1..];
        if length == "-" {
            all.push(Record {
                key: key.to_owned(),
                value: body.to_vec(),
                rest: true,
            });
            break;
        }
        let length: usize = length.parse().ok()?;
        all.push(Record::new(key, body.get(..length)?));
        rest = body.get(length..)?.strip_prefix(b"\n")?;
    }
    (!all.is_empty()).then_some(all)
}

pub(super) fn write(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        if record.rest {
            bytes.extend_from_slice(format!("{} -\n", record.key).as_bytes());
            bytes.extend_from_slice(&record.value);
        } else {
            bytes.extend_from_slice(format!("{} {}\n", record.key, record.value.len()).as_bytes());
            bytes.extend_from_slice(&record.value);
            bytes.push(b'\n');
        }
    }
    bytes
}

/// The answer of `module`'s script as this node gives it.
pub(super) fn spoilt(
    mode: &Mode,
    run: &str,
    module: &str,
    stream: Stream,
    body: Vec<u8>,
) -> Vec<u8> {
    if let Way::Heavy(heavy) = mode.way {
        return if is_heavy_here(heavy, stream) {
            heavier(heavy, &body)
        } else {
            body
        };
    }
    let words = words::of(mode, run);
    if stream == Stream::Err {
        return match mode.way {
            Way::Words(_) => [body, words].concat(),
            Way::Sudo(Sudo::Takes) => [body, password()].concat(),
            _ => body,
        };
    }
    let Some(records) = read(&body) else {
        return unrecorded(mode, module, body, &words);
    };
    match mode.way {
        Way::Words(kind) => write(&worded(records, kind, &words)),
        Way::Records(how) => recorded(how, run, records, &words),
        Way::Sudo(Sudo::Takes) => {
            let mut records = records;
            for record in records.iter_mut().filter(|record| !record.is_frame()) {
                record.value.extend(password());
            }
            write(&records)
        }
        Way::Tools(Tools::DeepJson) => write(&worded(
            records,
            Words::Deep,
            &b"{\"items\":".repeat(100_000),
        )),
        _ => write(&records),
    }
}

/// What sudo was told, in all its forms.
fn password() -> Vec<u8> {
    let home = std::env::var("HOME").unwrap_or_default();
    let told = std::fs::read(format!("{home}/told")).unwrap_or_default();
    let hex = tools::hex(&told);
    [
        b" ".as_slice(),
        &told,
        b" ",
        STANDARD.encode(&told).as_bytes(),
        b" ",
        hex.as_bytes(),
    ]
    .concat()
}

/// Answers that are a command's output, or a file's content.
fn unrecorded(mode: &Mode, module: &str, body: Vec<u8>, words: &[u8]) -> Vec<u8> {
    let body = if module == "kubeconfig" {
        cluster::kubeconfig(mode, words)
    } else {
        body
    };
    match mode.way {
        Way::Words(_) if module == "kubeconfig" => body,
        // A command that the module itself stopped has a sign of its own.
        _ if body.contains(&0x1e) => body,
        Way::Words(_) => words.to_vec(),
        Way::Records(Records::Longer) if module == "fetch" => {
            [body, vec![b'+'; 4_000_000]].concat()
        }
        Way::Records(Records::Shorter | Records::Truncated) => body[..body.len() / 2].to_vec(),
        Way::Records(Records::Empty) => Vec::new(),
        Way::Records(_) => [words, b"\n", &body].concat(),
        Way::Sudo(Sudo::Takes) => [body, password()].concat(),
        _ => body,
    }
}

fn worded(mut records: Vec<Record>, kind: Words, words: &[u8]) -> Vec<Record> {
    for record in &mut records {
        if let Some(value) = cluster::worded(&record.key, &record.value, words) {
            record.value = value;
            continue;
        }
        let is_json = record.value.starts_with(b"{");
        if !record.is_frame()
            && (!is_json || matches!(kind, Words::Deep | Words::Numbers | Words::Keys))
        {
            record.value = words.to_vec();
        }
    }
    records
}

fn recorded(how: Records, run: &str, mut records: Vec<Record>, words: &[u8]) -> Vec<u8> {
    let first = |text: &str, records: &[Record]| [text.as_bytes(), &write(records)].concat();
    match how {
        Records::NegativeLength => first("x -5\nabc\n", &records),
        Records::HugeLength => first("x 1152921504606846976\nabc\n", &records),
        Records::Overflow => first("x 18446744073709551617\nabc\n", &records),
        Records::RestFirst => first("x -\n", &records),
        Records::Truncated => {
            let whole = write(&records);
            whole[..whole.len() / 2].to_vec()
        }
        Records::Empty => Vec::new(),
        Records::Errors => write(&[Record::new("error", words), Record::new("hint", words)]),
        Records::Repeated => {
            let twice = records.into_iter().flat_map(|record| {
                let other = Record {
                    value: words.to_vec(),
                    rest: false,
                    ..record.clone()
                };
                if record.is_frame() || record.rest {
                    vec![other.clone(), record]
                } else {
                    vec![other, record]
                }
            });
            write(&twice.collect::<Vec<_>>())
        }
        Records::Foreign => {
            let foreign = [
                "ansible_host",
                "hint",
                "warning",
                "changed",
                "content",
                "path",
                "facts",
            ];
            let mut all: Vec<Record> = foreign.iter().map(|key| Record::new(key, words)).collect();
            all.extend(records);
            write(&all)
        }
        Records::Facts => write(&connecting(run, records)),
        _ => {
            for (number, record) in records.iter_mut().enumerate() {
                lie(how, number, record);
            }
            write(&records)
        }
    }
}

fn lie(how: Records, number: usize, record: &mut Record) {
    let value = match (how, &*record.key) {
        (Records::Types, _) if record.is_number() => "many".to_owned(),
        (Records::Types, _) if !record.rest => "17".to_owned(),
        (Records::Extremes, _) if record.is_number() => {
            ["-1", "99999999999999999999999999", "1.5", "1e400", "0x7f"][number % 5].to_owned()
        }
        (Records::Extremes, "stat") => {
            "-1 99999999999999999999 -5 1e9 x 18446744073709551615 nan 0 ff ff inf nan 1e308 :"
                .to_owned()
        }
        (Records::Changed, _) if *record.value == *b"0" => "1".to_owned(),
        (Records::Changed, _) if *record.value == *b"1" => "0".to_owned(),
        (Records::Sums, "sum" | "checksum") => format!("sha256:{}", "0".repeat(64)),
        (Records::Paths, "path" | "dest" | "target" | "source" | "backup_file") => {
            "../../../../../../hosts.ini".to_owned()
        }
        (Records::Longer, "content" | "before") => "+".repeat(4_000_000),
        (Records::Shorter, "content" | "before") => {
            String::from_utf8_lossy(&record.value[..record.value.len() / 2]).into_owned()
        }
        (Records::Token, "command") => cluster::COMMON.to_owned(),
        _ => return,
    };
    record.value = value.into_bytes();
}

/// Names of interfaces that are names of variables which connections read.
fn connecting(run: &str, mut records: Vec<Record>) -> Vec<Record> {
    const NAMES: &[&str] = &[
        "host",
        "port",
        "user",
        "password",
        "connection",
        "timeout",
        "ssh_host",
        "ssh_port",
        "ssh_user",
        "ssh_password",
        "ssh_pass",
        "ssh_args",
        "ssh_common_args",
        "ssh_extra_args",
        "ssh_executable",
        "ssh_private_key_file",
        "private_key_file",
        "ssh_host_key_checking",
        "host_key_checking",
        "ssh_timeout",
        "become",
        "become_user",
        "become_method",
        "become_exe",
        "become_flags",
        "become_password",
        "become_pass",
        "shell_executable",
        "shell_type",
        "check_mode",
        "diff_mode",
        "env",
        "facts",
        "play_hosts",
        "version",
        "local",
    ];
    for record in &mut records {
        for name in NAMES {
            let lines = match &*record.key {
                "files" => format!(
                    "\n/sys/class/net/{name}/address:-oProxyCommand={run}.facts\n/sys/class/net/{name}/mtu:1500\n\
                     /sys/class/net/{name}/operstate:up"
                ),
                "addresses" => format!(
                    "\n9: {name}    inet 10.0.0.1/24 brd -oProxyCommand={run}.facts scope global {name}"
                ),
                _ => continue,
            };
            record.value.extend_from_slice(lines.as_bytes());
        }
    }
    records
}

fn heavier(heavy: Heavy, body: &[u8]) -> Vec<u8> {
    let content = match heavy {
        Heavy::Lines | Heavy::Errors => b"x\n".repeat(HEAVY / 2),
        Heavy::Mounts => MOUNT.repeat(HEAVY / 4 / MOUNT.len()),
        Heavy::NoNewline | Heavy::Facts | Heavy::Slurp | Heavy::TinyRecords => vec![b'x'; HEAVY],
    };
    let Some(mut records) = read(body) else {
        return match heavy {
            Heavy::TinyRecords => b"a 1\nb\n".repeat(HEAVY / 7),
            Heavy::Mounts => body.to_vec(),
            _ => content,
        };
    };
    match heavy {
        Heavy::TinyRecords => [b"a 1\nb\n".repeat(HEAVY / 7), body.to_vec()].concat(),
        Heavy::Errors => content,
        Heavy::Mounts => {
            if let Some(files) = records.iter_mut().find(|record| record.key == "files") {
                files.value = content;
            }
            write(&records)
        }
        Heavy::Facts => {
            if let Some(record) = records.iter_mut().find(|record| !record.is_frame()) {
                record.value = content;
            }
            write(&records)
        }
        Heavy::Lines | Heavy::NoNewline | Heavy::Slurp => {
            match records.last_mut() {
                Some(last) if last.rest => last.value = content,
                _ => records.push(Record {
                    key: "content".to_owned(),
                    value: content,
                    rest: true,
                }),
            }
            write(&records)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_are_written() {
        let text = b"path 3\na\nb\nsize 1\n4\ncontent -\na\n\0b";
        let records = read(text).expect("they are records");
        assert_eq!(records.len(), 3);
        assert!(records[2].rest);
        assert_eq!(write(&records), text);
        assert_eq!(read(b"just words\n"), None);
    }
}
