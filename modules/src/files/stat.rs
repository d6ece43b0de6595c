//! `stat`: what is at a path of the node.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value, json};

use crate::args::Flag;
use crate::args::path::RemotePath;
use crate::describe::{CheckMode, Return};
use crate::files::write::warnings;
use crate::kit::{self, Records, quote};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Finds out what is at a path of the node. It changes nothing; one round trip.
///
/// Nodes whose `stat` has no `-c` tell less: no times, inode or device. A checksum needs the tool of
/// its algorithm (`sha1sum`), `mimetype` and `charset` need `file`, `attributes` needs `lsattr`;
/// what is missing is left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatArgs {
    /// The path on the node.
    #[schemars(extend("x-aliases" = ["dest", "name"]))]
    path: RemotePath,
    /// Look at what a link points to.
    #[serde(default)]
    follow: Flag,
    /// Work out the checksum of a file.
    #[serde(default = "Flag::yes")]
    get_checksum: Flag,
    /// How: `md5`, `sha1`, `sha224`, `sha256`, `sha384` or `sha512`.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["checksum", "checksum_algo"]))]
    checksum_algorithm: Algorithm,
    /// Find out the MIME type and the character set.
    #[serde(default = "Flag::yes")]
    #[schemars(extend("x-aliases" = ["mime", "mime_type", "mime-type"]))]
    get_mime: Flag,
    /// Find out the attributes that `lsattr` shows.
    #[serde(default = "Flag::yes")]
    #[schemars(extend("x-aliases" = ["attr", "attributes"]))]
    get_attributes: Flag,
}

/// How a checksum is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    #[default]
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

impl Arguments for StatArgs {
    const NAME: &'static str = "stat";
    const NEEDS: &'static [&'static str] = &[
        "`sha1sum` (or the tool of another algorithm) for checksums",
        "`file` for MIME types, `lsattr` for attributes; without them these are left out",
    ];
    const RETURNS: &'static [Return] = &[
        Return::map("stat", "what is there"),
        Return::bool(
            "stat.exists",
            "whether anything is; the rest is there if it is",
        ),
        Return::text("stat.path", "the path"),
        Return::bool("stat.isreg", "whether it is a file"),
        Return::bool("stat.isdir", "whether it is a folder"),
        Return::bool("stat.islnk", "whether it is a link"),
        Return::bool("stat.isfifo", "whether it is a pipe"),
        Return::bool("stat.issock", "whether it is a socket"),
        Return::bool("stat.isblk", "whether it is a block device"),
        Return::bool("stat.ischr", "whether it is a character device"),
        Return::text("stat.mode", "its mode, octal: `0644`"),
        Return::bool("stat.rusr", "whether its owner may read it"),
        Return::bool("stat.wusr", "whether its owner may write it"),
        Return::bool("stat.xusr", "whether its owner may execute it"),
        Return::bool("stat.rgrp", "whether its group may read it"),
        Return::bool("stat.wgrp", "whether its group may write it"),
        Return::bool("stat.xgrp", "whether its group may execute it"),
        Return::bool("stat.roth", "whether others may read it"),
        Return::bool("stat.woth", "whether others may write it"),
        Return::bool("stat.xoth", "whether others may execute it"),
        Return::bool("stat.isuid", "whether it runs as its owner"),
        Return::bool("stat.isgid", "whether it runs as its group"),
        Return::int("stat.uid", "the number of its owner"),
        Return::int("stat.gid", "the number of its group"),
        Return::text("stat.pw_name", "its owner"),
        Return::text("stat.gr_name", "its group"),
        Return::int("stat.size", "its size in bytes"),
        Return::int("stat.nlink", "how many names it has"),
        Return::int("stat.inode", "its number on its file system"),
        Return::int("stat.dev", "the number of its file system"),
        Return::int("stat.device_type", "the number of the device that it is"),
        Return::int("stat.blocks", "how many blocks it takes"),
        Return::int("stat.block_size", "how large these are"),
        Return::float("stat.atime", "when it was read last, in seconds"),
        Return::float("stat.mtime", "when it was changed last, in seconds"),
        Return::float(
            "stat.ctime",
            "when its attributes were changed last, in seconds",
        ),
        Return::bool("stat.readable", "whether the task's user may read it"),
        Return::bool("stat.writeable", "whether the task's user may write it"),
        Return::bool("stat.executable", "whether the task's user may execute it"),
        Return::text("stat.checksum", "the checksum of a file"),
        Return::text(
            "stat.lnk_target",
            "what a link points to, as the link has it",
        ),
        Return::text("stat.lnk_source", "the path at the end of a link"),
        Return::text("stat.mimetype", "its MIME type"),
        Return::text("stat.charset", "its character set"),
        Return::list(
            "stat.attributes",
            "the attributes that `lsattr` shows, by name",
        ),
        Return::text("stat.attr_flags", "the same as letters"),
        Return::text("stat.version", "the version that `lsattr` shows"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: See whether the node is in a cluster\n  stat:\n    path: /etc/kubernetes/kubelet.conf\n    get_checksum: false\n  register: kubelet\n\n- name: Say so\n  debug:\n    msg: the node is in a cluster\n  when: kubelet.stat.exists\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let follow = if *self.follow { "1" } else { "0" };
        let mut source = format!("w_stat {} {follow}\n", self.path.word());
        if *self.get_checksum {
            let algorithm = quote(self.checksum_algorithm.name());
            source.push_str(&format!(
                "[ \"$w_type\" != file ] || [ ! -r \"$w_path\" ] || w_stat_sum \"$w_path\" {algorithm}\n"
            ));
        }
        if *self.get_mime {
            source.push_str("[ \"$w_type\" = absent ] || w_stat_mime \"$w_path\"\n");
        }
        if *self.get_attributes {
            source.push_str("case $w_type in file | directory) w_stat_flags \"$w_path\" ;; esac\n");
        }
        let script = kit::script(&[kit::READ], source + "exit 0");
        let records = Records::read(&context.host.run(script).await?)?;
        let mut outcome = Outcome::ok().with("stat", Value::Object(self.stat(&records)));
        outcome.warnings = warnings(&records);
        Ok(outcome)
    }
}

impl StatArgs {
    fn stat(&self, records: &Records) -> Map<String, Value> {
        let mut stat = Map::new();
        let kind = records.text("type").unwrap_or_default();
        stat.insert("exists".to_owned(), json!(kind != "absent"));
        if kind == "absent" {
            return stat;
        }
        stat.insert("path".to_owned(), json!(self.path.as_str()));
        for (key, name) in [
            ("isreg", "file"),
            ("isdir", "directory"),
            ("islnk", "link"),
            ("isfifo", "fifo"),
            ("issock", "socket"),
            ("isblk", "block"),
            ("ischr", "char"),
        ] {
            stat.insert(key.to_owned(), json!(kind == name));
        }
        permissions(records, &mut stat);
        if let Some(numbers) = records.text("stat") {
            whole(&numbers, &mut stat);
        } else if let Some(numbers) = records.text("partly") {
            part(&numbers, &mut stat);
        }
        for (record, key) in [
            ("target", "lnk_target"),
            ("source", "lnk_source"),
            ("checksum", "checksum"),
        ] {
            if let Some(text) = records.text(record) {
                stat.insert(key.to_owned(), Value::String(text));
            }
        }
        if *self.get_mime {
            let mime = records.text("mime").unwrap_or_default();
            let (kind, charset) = mime.split_once("; charset=").unwrap_or((&mime, ""));
            for (key, text) in [("mimetype", kind), ("charset", charset)] {
                let text = if text.is_empty() { "unknown" } else { text };
                stat.insert(key.to_owned(), json!(text));
            }
        }
        if let Some(line) = records.text("flags") {
            flags(&line, &mut stat);
        }
        stat
    }
}

fn permissions(records: &Records, stat: &mut Map<String, Value>) {
    let text = records.text("mode").unwrap_or_default();
    let mode = u32::from_str_radix(&text, 8).unwrap_or_default();
    stat.insert("mode".to_owned(), Value::String(text));
    for (class, shift) in [("usr", 6), ("grp", 3), ("oth", 0)] {
        for (letter, bit) in [("r", 4), ("w", 2), ("x", 1)] {
            stat.insert(format!("{letter}{class}"), json!(mode >> shift & bit != 0));
        }
    }
    stat.insert("isuid".to_owned(), json!(mode & 0o4000 != 0));
    stat.insert("isgid".to_owned(), json!(mode & 0o2000 != 0));
    let access = records.text("access").unwrap_or_default();
    for (key, letter) in [("readable", 'r'), ("writeable", 'w'), ("executable", 'x')] {
        stat.insert(key.to_owned(), json!(access.contains(letter)));
    }
}

/// What `stat -c` says, in the order in which the kit asks for it.
fn whole(line: &str, stat: &mut Map<String, Value>) {
    let mut words = line.splitn(14, ' ');
    for key in [
        "inode",
        "dev",
        "nlink",
        "uid",
        "gid",
        "size",
        "block_size",
        "blocks",
    ] {
        if let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) {
            stat.insert(key.to_owned(), json!(number));
        }
    }
    let mut hex = || u64::from_str_radix(words.next().unwrap_or_default(), 16).unwrap_or_default();
    let (major, minor) = (hex(), hex());
    stat.insert("device_type".to_owned(), json!(major << 8 | minor));
    for key in ["atime", "mtime", "ctime"] {
        let seconds = words.next().and_then(|word| word.parse::<f64>().ok());
        if let Some(number) = seconds.and_then(Number::from_f64) {
            stat.insert(key.to_owned(), Value::Number(number));
        }
    }
    names(words.next().unwrap_or_default(), stat);
}

/// What `ls` says: links, user, group, size, names.
fn part(line: &str, stat: &mut Map<String, Value>) {
    let mut words = line.splitn(5, ' ');
    for key in ["nlink", "uid", "gid", "size"] {
        if let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) {
            stat.insert(key.to_owned(), json!(number));
        }
    }
    names(words.next().unwrap_or_default(), stat);
}

/// `user:group`; a number without a name has none.
fn names(text: &str, stat: &mut Map<String, Value>) {
    let (user, group) = text.split_once(':').unwrap_or_default();
    for (key, name) in [("pw_name", user), ("gr_name", group)] {
        let known = name != "UNKNOWN" && !name.is_empty();
        if known && !name.bytes().all(|byte| byte.is_ascii_digit()) {
            stat.insert(key.to_owned(), json!(name));
        }
    }
}

/// What `lsattr -v` says: version, flags, path.
fn flags(line: &str, stat: &mut Map<String, Value>) {
    let mut words = line.split_whitespace();
    let (Some(version), Some(flags)) = (words.next(), words.next()) else {
        return;
    };
    let flags = flags.replace('-', "");
    let named: Vec<&str> = FLAGS
        .iter()
        .filter(|(letter, _)| flags.contains(*letter))
        .map(|(_, name)| *name)
        .collect();
    stat.insert("version".to_owned(), json!(version));
    stat.insert("attr_flags".to_owned(), json!(flags));
    stat.insert("attributes".to_owned(), json!(named));
}

/// What the letters of chattr(1) mean, in Ansible's words.
const FLAGS: &[(char, &str)] = &[
    ('A', "noatime"),
    ('a', "append"),
    ('c', "compressed"),
    ('C', "nocow"),
    ('d', "nodump"),
    ('D', "dirsync"),
    ('e', "extents"),
    ('E', "encrypted"),
    ('h', "blocksize"),
    ('i', "immutable"),
    ('I', "indexed"),
    ('j', "journalled"),
    ('N', "inline"),
    ('s', "zero"),
    ('S', "synchronous"),
    ('t', "notail"),
    ('T', "blockroot"),
    ('u', "undelete"),
    ('X', "compressedraw"),
    ('Z', "compresseddirty"),
];

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;
    use crate::fake::{self, CHECK, FakeController, REAL, Shell, run};
    use crate::host::Host;

    async fn stat(shell: &Shell, arguments: Value) -> Outcome {
        let control = FakeController::new("/");
        let outcome = run::<StatArgs>(shell, &control, CHECK, arguments)
            .await
            .unwrap();
        assert!(!outcome.changed);
        outcome
    }

    #[tokio::test]
    async fn a_file_is_described_as_it_is() {
        for shell in fake::shells().into_iter().chain([fake::posix()]) {
            let path = shell.dir().join("a\nb 'ü'");
            fs::write(&path, "hello\n").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o4751)).unwrap();
            let outcome = stat(&shell, json!({"path": path})).await;
            let stat = &outcome.data["stat"];
            let metadata = fs::metadata(&path).unwrap();
            assert_eq!(shell.trips(), 1);
            assert_eq!(stat["exists"], true);
            assert_eq!(stat["isreg"], true);
            assert_eq!(stat["isdir"], false);
            assert_eq!(stat["mode"], "4751");
            assert_eq!(
                (&stat["isuid"], &stat["xoth"], &stat["woth"]),
                (&json!(true), &json!(true), &json!(false))
            );
            assert_eq!(stat["size"], 6);
            assert_eq!(stat["nlink"], 1);
            let (user, group) = fake::me();
            assert_eq!(
                (&stat["pw_name"], &stat["gr_name"]),
                (&json!(user), &json!(group))
            );
            assert_eq!(stat["readable"], true);
            if shell.name() == "posix" {
                assert!(outcome.warnings[0].contains("no `sha1sum`"));
                continue;
            }
            assert_eq!(stat["checksum"], "f572d396fae9206628714fb2ce00f72e94f2258f");
            assert_eq!(stat["inode"], metadata.ino());
            assert_eq!(stat["dev"], metadata.dev());
            let mtime = stat["mtime"].as_f64().unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "seconds")]
            let seconds = mtime as i64;
            assert_eq!(seconds, metadata.mtime(), "{}", shell.name());
            if shell.name() == "dash" {
                assert_eq!(stat["mimetype"], "text/plain");
                assert!(
                    (mtime.fract() * 1e9
                        - f64::from(u32::try_from(metadata.mtime_nsec()).unwrap()))
                    .abs()
                        < 1e3
                );
            }
        }
    }

    #[tokio::test]
    async fn links_folders_and_nothing() {
        for shell in fake::shells().into_iter().chain([fake::posix()]) {
            symlink("sub", shell.dir().join("link")).unwrap();
            let at = |name: &str| shell.at(name);
            let dangling = stat(&shell, json!({"path": at("link"), "follow": true})).await;
            assert_eq!(dangling.data["stat"], json!({"exists": false}));
            fs::create_dir(at("sub")).unwrap();
            let link = stat(&shell, json!({"path": at("link")})).await;
            assert_eq!(link.data["stat"]["islnk"], true);
            assert_eq!(link.data["stat"]["lnk_target"], "sub");
            assert_eq!(
                link.data["stat"]["lnk_source"],
                at("sub"),
                "{}",
                shell.name()
            );
            let followed = stat(&shell, json!({"path": at("link"), "follow": "yes"})).await;
            assert_eq!(followed.data["stat"]["isdir"], true);
            assert_eq!(followed.data["stat"]["checksum"], Value::Null);
            let none = stat(&shell, json!({"path": at("none")})).await;
            assert_eq!(none.data["stat"], json!({"exists": false}));
            let device = stat(&shell, json!({"path": "/dev/null"})).await;
            assert_eq!(device.data["stat"]["ischr"], true);
            if shell.name() == "dash" {
                assert_eq!(device.data["stat"]["device_type"], 0x103);
            }
        }
    }

    #[tokio::test]
    async fn other_algorithms_and_wrong_ones() {
        let shell = fake::shells().remove(0);
        fs::write(shell.at("x"), "").unwrap();
        let arguments = json!({"path": shell.at("x"), "checksum_algorithm": "sha256"});
        let outcome = stat(&shell, arguments).await;
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(outcome.data["stat"]["checksum"], empty);
        let wrong = json!({"path": "/x", "checksum_algorithm": "crc"});
        let control = FakeController::new("/");
        assert!(
            run::<StatArgs>(&shell, &control, REAL, wrong)
                .await
                .is_err()
        );
    }
}
