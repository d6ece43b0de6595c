//! Every way in which the hostile node misbehaves.

/// One way.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// Its name; the user's is this after `h-`.
    pub name: &'static str,
    /// What the node does, for the table.
    pub does: &'static str,
    /// How.
    pub way: Way,
    /// What holds it.
    pub held: Held,
}

/// What holds a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The time to connect, up to the ready shell.
    Connect,
    /// The time limit of the task.
    Timeout,
    /// The limits on what is kept.
    Size,
    /// Nothing has to: what it says is data.
    Data,
}

/// Where a mode sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// No SSH server.
    Server(Server),
    /// A real sshd that is set up so.
    Sshd(Sshd),
    /// The shell, before it serves.
    Before(Before),
    /// The markers around answers.
    Frames(Frames),
    /// Words in otherwise good answers.
    Words(Words),
    /// What answers hold.
    Records(Records),
    /// More than anybody wants.
    Heavy(Heavy),
    /// The node's programs.
    Tools(Tools),
    /// Its sudo.
    Sudo(Sudo),
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Server {
    Silent,
    Closes,
    Garbage,
    Flood,
    Drips,
    Http,
    BannerOnly,
    BannerWords,
    HugePacket,
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Sshd {
    ChangedKey,
    ChangedKeyUnchecked,
    Banner,
    NoSessions,
    Echo,
    Sftp,
    Rekey,
    NoEntry,
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Before {
    Silent,
    Deaf,
    FloodOut,
    FloodErr,
    NoNewline,
    Nonsense,
    Drips,
    Exits,
    Killed,
    Greets,
    Echoes,
    ClosesOut,
    Daemon,
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Frames {
    WrongMark,
    LaterWrongMark,
    NoEnd,
    NoEndErr,
    Cut,
    Twice,
    BeginTwice,
    EndFirst,
    Replay,
    Desync,
    StatusHuge,
    StatusNegative,
    StatusWord,
    LongMarker,
    Process,
    Talks,
    LastWords,
    StopsReading,
    ClosesOut,
    KillsSshd,
    StopsSshd,
    Drips,
    Sleeps,
    Background,
    FloodInside,
    FloodErrInside,
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Words {
    Lookup,
    Expression,
    Statement,
    Shell,
    Options,
    Paths,
    Tags,
    Escapes,
    C1,
    Bidi,
    Bytes,
    Nul,
    Deep,
    Numbers,
    Keys,
    Regex,
    Format,
    Common,
    Long,
    Returns,
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Records {
    NegativeLength,
    HugeLength,
    Overflow,
    Truncated,
    RestFirst,
    Repeated,
    Foreign,
    Types,
    Extremes,
    Changed,
    Sums,
    Paths,
    Longer,
    Shorter,
    Endless,
    Errors,
    Empty,
    Facts,
    Token,
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Heavy {
    Lines,
    NoNewline,
    TinyRecords,
    Errors,
    Facts,
    Mounts,
    Slurp,
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Tools {
    Words,
    Empty,
    Fail,
    Numbers,
    Endless,
    Slow,
    Full,
    Environment,
    DeepJson,
    WrongJson,
}

/// See [`MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of modes says it")]
pub enum Sudo {
    Silent,
    Asks,
    Tells,
    Refuses,
    Floods,
    Takes,
}

macro_rules! modes {
    ($($name:literal, $way:ident :: $how:ident, $held:ident, $does:literal;)*) => {
        /// All of them, as the table has them.
        pub const MODES: &[Mode] = &[$(Mode {
            name: $name,
            does: $does,
            way: Way::$way($way::$how),
            held: Held::$held,
        }),*];
    };
}

modes! {
    // No SSH server.
    "server-silent", Server::Silent, Connect, "the port opens, and nothing is ever said";
    "server-closes", Server::Closes, Connect, "the port opens, and closes at once";
    "server-garbage", Server::Garbage, Connect, "random bytes where SSH's first line belongs";
    "server-flood", Server::Flood, Connect, "endless lines before SSH's first line";
    "server-drips", Server::Drips, Connect, "SSH's first line, a byte a second";
    "server-http", Server::Http, Connect, "answers as a web server";
    "server-banner-only", Server::BannerOnly, Connect, "SSH's first line, and then nothing";
    "server-banner-words", Server::BannerWords, Connect, "templates and escape sequences in SSH's first line";
    "server-huge-packet", Server::HugePacket, Connect, "a first packet that says it has 4 GiB";
    // A real sshd.
    "sshd-changed-key", Sshd::ChangedKey, Connect, "another host key than the one on record";
    "sshd-changed-key-unchecked", Sshd::ChangedKeyUnchecked, Data, "the same, where the user turned the check off";
    "sshd-banner", Sshd::Banner, Data, "a banner of 60 KB with templates and escape sequences";
    "sshd-no-sessions", Sshd::NoSessions, Connect, "lets the user in, and opens no session";
    "sshd-echo", Sshd::Echo, Connect, "a program instead of the shell, which sends back what it is sent";
    "sshd-sftp", Sshd::Sftp, Connect, "nothing but sftp";
    "sshd-rekey", Sshd::Rekey, Data, "new keys every 16 KB";
    "sshd-no-entry", Sshd::NoEntry, Connect, "refuses the key, and asks for nothing else";
    // The shell, before it serves.
    "shell-silent", Before::Silent, Connect, "the login shell reads, and never answers";
    "shell-deaf", Before::Deaf, Connect, "the login shell neither reads nor answers";
    "shell-flood", Before::FloodOut, Connect, "endless lines on standard output";
    "shell-flood-stderr", Before::FloodErr, Connect, "endless lines on standard error";
    "shell-no-newline", Before::NoNewline, Connect, "endless output without a newline";
    "shell-nonsense", Before::Nonsense, Connect, "random bytes, and then silence";
    "shell-drips", Before::Drips, Connect, "the right answer, a byte a quarter of a second";
    "shell-exits", Before::Exits, Connect, "exits at once, with status 0 and templates as its last words";
    "shell-killed", Before::Killed, Connect, "is ended by a signal";
    "shell-greets", Before::Greets, Data, "a greeting with templates, escape sequences and markers, then serves";
    "shell-echoes", Before::Echoes, Connect, "sends back every byte that it is sent";
    "shell-closes-stdout", Before::ClosesOut, Connect, "closes standard output and goes on";
    "shell-daemon", Before::Daemon, Connect, "exits, and leaves a process that holds the channel open";
    // The markers around answers.
    "mark-wrong", Frames::WrongMark, Connect, "answers under another request's mark";
    "mark-wrong-later", Frames::LaterWrongMark, Timeout, "the same, once it has answered correctly";
    "end-missing", Frames::NoEnd, Timeout, "answers, and never says that it has ended";
    "end-missing-stderr", Frames::NoEndErr, Timeout, "the same on standard error only";
    "end-cut", Frames::Cut, Data, "exits in the middle of an answer";
    "end-twice", Frames::Twice, Data, "says twice that it has ended, with other statuses";
    "end-first", Frames::EndFirst, Data, "says that it has ended before it has begun";
    "begin-twice", Frames::BeginTwice, Data, "says twice that it has begun, and forges an end in between";
    "replay", Frames::Replay, Data, "sends the answer before this one again";
    "desync", Frames::Desync, Data, "says that it is of no more use, each time";
    "status-huge", Frames::StatusHuge, Data, "a status of 30 digits";
    "status-negative", Frames::StatusNegative, Data, "a status below 0";
    "status-word", Frames::StatusWord, Data, "a template where the status belongs";
    "marker-long", Frames::LongMarker, Timeout, "a marker with 100 KB in its line";
    "process-forged", Frames::Process, Data, "names process 1, or none, as its own";
    "talks-between", Frames::Talks, Data, "talks between its answers";
    "last-words", Frames::LastWords, Data, "answers once, then exits";
    "stops-reading", Frames::StopsReading, Timeout, "answers once, then reads nothing more";
    "closes-stdout", Frames::ClosesOut, Timeout, "answers once, then closes standard output";
    "kills-sshd", Frames::KillsSshd, Timeout, "kills its own sshd in the middle of an answer";
    "stops-sshd", Frames::StopsSshd, Timeout, "stops its own sshd in the middle of an answer: the link goes silent";
    "answer-drips", Frames::Drips, Timeout, "answers a byte a quarter of a second";
    "answer-late", Frames::Sleeps, Timeout, "answers when nobody waits any more";
    "background", Frames::Background, Data, "leaves processes that hold its outputs open and write to them";
    "answer-flood", Frames::FloodInside, Size, "an answer that never ends";
    "answer-flood-stderr", Frames::FloodErrInside, Size, "standard error that never ends";
    // Words.
    "words-lookup", Words::Lookup, Data, "`{{ lookup('pipe', …) }}` wherever words are";
    "words-expression", Words::Expression, Data, "`lookup('pipe', …)` without braces, as a condition has it";
    "words-statement", Words::Statement, Data, "`{% … %}`, macros, imports and attributes of objects";
    "words-shell", Words::Shell, Data, "`$(…)`, backquotes, `;`, `|` and newlines";
    "words-options", Words::Options, Data, "`-oProxyCommand=…` and the like";
    "words-paths", Words::Paths, Data, "paths that lead to the inventory, the playbook, `/etc`";
    "words-tags", Words::Tags, Data, "YAML with tags, anchors and a billion laughs";
    "words-escapes", Words::Escapes, Data, "escape sequences of terminals: CSI, OSC 52, titles";
    "words-c1", Words::C1, Data, "the same with U+009B and its like";
    "words-bidi", Words::Bidi, Data, "controls that turn the direction of text";
    "words-bytes", Words::Bytes, Data, "bytes that are not UTF-8";
    "words-nul", Words::Nul, Data, "NUL bytes";
    "words-deep", Words::Deep, Data, "JSON and YAML nested 100,000 deep";
    "words-numbers", Words::Numbers, Data, "numbers of 10,000 digits, NaN and infinity";
    "words-keys", Words::Keys, Data, "JSON with keys twice, `ansible_*`, `__proto__` and results of its own";
    "words-regex", Words::Regex, Data, "text that makes patterns of users go back and forth for ever";
    "words-format", Words::Format, Data, "`%999999999d` and `{0.__class__}`";
    "words-common", Words::Common, Data, "words that everybody uses, where secrets are looked for";
    "words-long", Words::Long, Data, "a megabyte in one line, wherever words are";
    "words-returns", Words::Returns, Data, "carriage returns, backspaces, lines like the report's own";
    // What answers hold.
    "length-negative", Records::NegativeLength, Data, "records with a length below 0";
    "length-huge", Records::HugeLength, Data, "records that say they have an exabyte";
    "length-overflow", Records::Overflow, Data, "lengths just past 64 bits";
    "records-cut", Records::Truncated, Data, "an answer that is cut in the middle of a record";
    "records-rest-first", Records::RestFirst, Data, "a record without a length before all others";
    "records-repeated", Records::Repeated, Data, "every record twice, with another value";
    "records-foreign", Records::Foreign, Data, "records that nobody asked for: `ansible_host`, `error`, `content`";
    "values-types", Records::Types, Data, "words where numbers belong, numbers where words belong";
    "values-extreme", Records::Extremes, Data, "numbers past 64 bits, below 0, and fractions";
    "lies-changed", Records::Changed, Data, "yes for no and no for yes";
    "lies-sums", Records::Sums, Data, "checksums of other files";
    "lies-paths", Records::Paths, Data, "paths of the control host for those that it was asked for";
    "lies-longer", Records::Longer, Size, "more bytes of a file than it said there are";
    "lies-shorter", Records::Shorter, Data, "fewer bytes of a file than it said there are";
    "lies-endless", Records::Endless, Size, "a file that never ends";
    "errors", Records::Errors, Data, "every answer is an error, with templates and escape sequences in it";
    "empty", Records::Empty, Data, "every answer is empty, and succeeds";
    "facts-connection", Records::Facts, Data, "interfaces named `ssh_common_args`, `host`, `connection`, …";
    "token-words", Records::Token, Data, "a join token that is a word of everybody's";
    // More than anybody wants.
    "heavy-lines", Heavy::Lines, Size, "60 MB of short lines, from four hosts";
    "heavy-no-newline", Heavy::NoNewline, Size, "60 MB without a newline, from four hosts";
    "heavy-records", Heavy::TinyRecords, Size, "50 MB of tiny records, from four hosts";
    "heavy-stderr", Heavy::Errors, Size, "60 MB on standard error, from four hosts";
    "heavy-facts", Heavy::Facts, Size, "60 MB in one value of an answer, from four hosts";
    "heavy-content", Heavy::Slurp, Size, "60 MB as the content of every file, from four hosts";
    // Programs.
    "tools-words", Tools::Words, Data, "`stat`, `ls`, `id`, `sha256sum`, … print templates and shell";
    "tools-empty", Tools::Empty, Data, "they print nothing, and succeed";
    "tools-fail", Tools::Fail, Data, "they all fail";
    "tools-numbers", Tools::Numbers, Data, "they print numbers of 40 digits";
    "tools-endless", Tools::Endless, Timeout, "`cat`, `head`, `dd` never end";
    "tools-slow", Tools::Slow, Timeout, "each takes longer than the task may";
    "tmp-full", Tools::Full, Data, "no room for output in `/tmp`";
    "environment", Tools::Environment, Data, "an environment of `IFS`, `ENV`, `PS4`, `CDPATH`, locales and shell in `HOME`";
    "kube-deep", Tools::DeepJson, Data, "`kubectl` prints JSON nested 100,000 deep";
    "kube-wrong", Tools::WrongJson, Data, "`kubectl` prints lists and numbers for objects, numbers for names";
    // sudo.
    "sudo-silent", Sudo::Silent, Connect, "sudo never asks and never ends";
    "sudo-asks", Sudo::Asks, Connect, "sudo asks for the password again and again";
    "sudo-tells", Sudo::Tells, Data, "sudo prints the password: as it is, in Base64, in hex";
    "sudo-refuses", Sudo::Refuses, Data, "sudo refuses, with templates and escape sequences";
    "sudo-floods", Sudo::Floods, Connect, "sudo floods standard error before it asks";
    "sudo-takes", Sudo::Takes, Data, "sudo asks, and all answers hold the password after that";
    // The last, so that the others keep the modules that they run with.
    "heavy-mounts", Heavy::Mounts, Size, "15 MB of short lines of `/proc/mounts` among its facts, from four hosts";
}

impl Mode {
    /// The mode of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        MODES.iter().find(|mode| mode.name == name)
    }

    /// The user of the node who is served so.
    pub fn user(&self) -> String {
        format!("h-{}", self.name)
    }

    /// How many hosts of the run are so.
    pub fn hosts(&self) -> usize {
        if matches!(self.way, Way::Heavy(_)) {
            4
        } else {
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_that_a_user_can_have() {
        let names: BTreeSet<&str> = MODES.iter().map(|mode| mode.name).collect();
        assert_eq!(names.len(), MODES.len());
        assert!(MODES.iter().all(|mode| mode.user().len() <= 32));
        assert!(MODES.len() >= 40);
    }
}
