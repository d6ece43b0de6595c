//! Sorts what `ssh` says when it makes no connection: what kind of trouble, and what to do.

use std::time::Duration;

use windlass_modules::host::{HostError, Unreachable};
use windlass_modules::kit::quote;

use super::settings::{Connection, ConnectionKind, SshSettings};

/// One kind of trouble: words of ssh, any of which mean it.
struct Sign {
    words: &'static [&'static str],
    kind: Unreachable,
}

/// In `known_hosts`, and in the file of `RevokedHostKeys`.
const REVOKED: &[&str] = &[
    "REVOKED HOST KEY DETECTED",
    "is marked as revoked",
    " revoked by file ",
    "in revoked keys file",
];
const CHANGED: &str = "REMOTE HOST IDENTIFICATION HAS CHANGED";

/// In this order: the first that fits. From OpenSSH's sources (`ssh.c`, `sshconnect.c`, `packet.c`,
/// 7.4 to 10.0) and the C library's error texts.
const SIGNS: &[Sign] = &[
    Sign {
        words: REVOKED,
        kind: Unreachable::HostKeyRevoked,
    },
    Sign {
        words: &[
            CHANGED,
            "has changed and you have requested strict checking",
        ],
        kind: Unreachable::HostKeyChanged,
    },
    Sign {
        words: &["host key is known for", "Host key verification failed"],
        kind: Unreachable::HostKeyUnknown,
    },
    Sign {
        words: &["Could not resolve hostname", "Name or service not known"],
        kind: Unreachable::UnknownName,
    },
    Sign {
        words: &[
            "Permission denied (",
            "Too many authentication failures",
            "No supported authentication methods",
            "no such identity",
        ],
        kind: Unreachable::Authentication,
    },
    Sign {
        words: &["Connection refused"],
        kind: Unreachable::Refused,
    },
    Sign {
        words: &[
            "Connection timed out",
            "Operation timed out",
            "No route to host",
            "Network is unreachable",
            "Host is down",
            "Host is unreachable",
            "during banner exchange: Connection timed out",
            "Timeout, server",
        ],
        kind: Unreachable::NoAnswer,
    },
];

/// What sshd's `MaxStartups` does to a connection: it closes it before it has said who it is.
const DROPPED: &[&str] = &[
    "kex_exchange_identification: Connection closed by remote host",
    "kex_exchange_identification: read: Connection reset by peer",
    "ssh_exchange_identification: Connection closed by remote host",
    "ssh_exchange_identification: read: Connection reset by peer",
    "Connection reset by peer",
    "Exceeded MaxStartups",
    "Not allowed at this time",
];

/// The kind of trouble that ssh's words mean.
pub(super) fn kind_of(said: &str) -> Unreachable {
    SIGNS
        .iter()
        .find(|sign| sign.words.iter().any(|word| said.contains(word)))
        .map_or(Unreachable::Other, |sign| sign.kind)
}

/// Whether ssh went on although the key is not the one on record, or is revoked.
pub(super) fn key_is_another(said: &str) -> bool {
    said.contains(CHANGED) || REVOKED.iter().any(|word| said.contains(word))
}

/// What is said of a host whose key is another than the one on record, where that does not keep us out.
pub(super) fn other_key(connection: &Connection, settings: &SshSettings) -> String {
    format!(
        "{} ({}): its host key is not the one on record, or is revoked, and it was connected to all the \
         same, as host keys are not checked (ansible_host_key_checking, or StrictHostKeyChecking in the \
         configuration of ssh): it may be another machine. Forget the old key with `ssh-keygen -R {}` if \
         it was reinstalled",
        connection.name,
        place(settings),
        quote(&known_name(settings))
    )
}

/// What became of the password of a host that did not let us in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Password {
    /// It was given, and not accepted.
    Refused,
    /// The host did not ask for it.
    NotAskedFor,
    /// A jump host stood before it, which does not get it.
    NotForTheJump,
}

/// Whether the same connection may well succeed a moment later.
pub(super) fn may_pass(said: &str) -> bool {
    kind_of(said) == Unreachable::Other && DROPPED.iter().any(|word| said.contains(word))
}

/// Whether it was the pipe to a jump host's ssh, or to another proxy command, that ended: ssh knows no
/// address then.
pub(super) fn behind_a_proxy(said: &str) -> bool {
    said.contains("UNKNOWN port 65535")
}

/// `address`, with its port where one was set.
pub(super) fn place(settings: &SshSettings) -> String {
    match settings.port {
        Some(port) => format!("{}:{port}", settings.address),
        None => settings.address.clone(),
    }
}

/// The error for a connection that ssh could not make.
pub(super) fn no_connection(
    connection: &Connection,
    settings: &SshSettings,
    said: &str,
    password: Option<Password>,
) -> HostError {
    let kind = kind_of(said);
    let what = match kind {
        Unreachable::UnknownName => "the name does not resolve",
        Unreachable::Refused => "the connection was refused",
        Unreachable::NoAnswer => "no answer",
        Unreachable::HostKeyChanged => "its host key is not the one on record",
        Unreachable::HostKeyRevoked => "its host key is marked as revoked",
        Unreachable::HostKeyUnknown => "its host key is not known",
        Unreachable::Authentication if password == Some(Password::Refused) => {
            "the password was not accepted"
        }
        Unreachable::Authentication if password == Some(Password::NotForTheJump) => {
            "the jump host did not let us in"
        }
        Unreachable::Authentication => "none of the keys or passwords was accepted",
        Unreachable::Lost | Unreachable::NoShell | Unreachable::Other => "ssh could not connect",
    };
    let record = record(said);
    let detail = match record {
        Some(record) if kind == Unreachable::HostKeyChanged => {
            format!("the old one is in {record}")
        }
        _ => essence(said),
    };
    let detail = if detail.is_empty() {
        String::new()
    } else {
        format!(": {detail}")
    };
    HostError::Unreachable {
        kind,
        message: format!("{} ({}): {what}{detail}", connection.name, place(settings)),
        hint: match (kind, password) {
            (Unreachable::Authentication, Some(Password::Refused)) => {
                "check ansible_password, or what was given with -k; it was tried once".to_owned()
            }
            (Unreachable::Authentication, Some(Password::NotForTheJump)) => {
                "ansible_password goes to the host itself and to no jump host: give the jump host a key, with \
                 ssh-add or as IdentityFile in ssh_config"
                    .to_owned()
            }
            _ => hint(kind, settings, record),
        },
    }
}

/// The file, and the line in it, in which ssh found the old key of a host.
fn record(said: &str) -> Option<&str> {
    let line = said
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("Offending "))?;
    Some(line.split_once(" key in ")?.1)
}

/// The error for a host that did not finish the handshake in time.
pub(super) fn no_answer(
    connection: &Connection,
    settings: &SshSettings,
    waited: Duration,
) -> HostError {
    HostError::Unreachable {
        kind: Unreachable::NoAnswer,
        message: format!(
            "{} ({}): no answer in {} s",
            connection.name,
            place(settings),
            waited.as_secs()
        ),
        hint: hint(Unreachable::NoAnswer, settings, None),
    }
}

/// The error for a host whose shell did not answer in time, or did nothing but talk.
pub(super) fn not_ready(connection: &Connection, why: NotReady, said: &str) -> HostError {
    let (kind, what) = match why {
        NotReady::Silent(waited) => (
            Unreachable::NoAnswer,
            format!("no sh answered in {} s", waited.as_secs()),
        ),
        NotReady::Flood => (
            Unreachable::NoShell,
            "its login shell prints without end, and no sh answered".to_owned(),
        ),
    };
    let said = essence(said);
    let said = if said.is_empty() {
        said
    } else {
        format!("; it said: {said}")
    };
    HostError::Unreachable {
        kind,
        message: format!("{}: {what}{said}", connection.name),
        hint: "see what the user's login shell does before it runs a command (`ssh HOST true`); \
               -T or ansible_timeout gives the host more time"
            .to_owned(),
    }
}

/// Why a shell is not ready.
#[derive(Debug, Clone, Copy)]
pub(super) enum NotReady {
    /// It said nothing of ours in this time.
    Silent(Duration),
    /// It said more than anybody has to say.
    Flood,
}

/// The error for a connection that was there and is gone.
pub(super) fn lost(connection: &Connection, while_what: &str) -> HostError {
    let place = match &connection.kind {
        ConnectionKind::Local => "the control host".to_owned(),
        ConnectionKind::Ssh(settings) => place(settings),
    };
    HostError::Unreachable {
        kind: Unreachable::Lost,
        message: format!(
            "{} ({place}): the connection was lost {while_what}",
            connection.name
        ),
        hint: "what it was doing may be half done; see whether the host restarted, then run again"
            .to_owned(),
    }
}

/// The error for a host on which no shell of ours runs.
pub(super) fn no_shell(connection: &Connection, said: &str) -> HostError {
    let said = essence(said);
    let said = if said.is_empty() {
        "it ended without a word".to_owned()
    } else {
        format!("it said: {said}")
    };
    HostError::Unreachable {
        kind: Unreachable::NoShell,
        message: format!("{}: no sh could be started there; {said}", connection.name),
        hint: "the user needs a login shell that can run `exec sh -c '...'`, and a POSIX sh in its path; \
               a forced command or nologin cannot be worked with"
            .to_owned(),
    }
}

fn hint(kind: Unreachable, settings: &SshSettings, record: Option<&str>) -> String {
    let address = &settings.address;
    let target = settings
        .user
        .as_ref()
        .map_or(address.clone(), |user| format!("{user}@{address}"));
    let port = settings
        .port
        .map_or(String::new(), |port| format!("-p {port} "));
    match kind {
        Unreachable::UnknownName => {
            "set ansible_host to its address, or correct the name in the inventory".to_owned()
        }
        Unreachable::Refused => format!(
            "see that sshd runs there and listens on port {}; ansible_port sets another",
            settings.port.unwrap_or(22)
        ),
        Unreachable::NoAnswer => {
            "see that the host is up, that the address is right and that no firewall is between; -T or \
             ansible_timeout gives it more time"
                .to_owned()
        }
        Unreachable::HostKeyChanged => format!(
            "if the host was reinstalled, forget the old key with `ssh-keygen {}-R {}`; if not, someone may \
             be between you and it",
            // Where it is the user's usual one, ssh-keygen finds it.
            record
                .and_then(|record| record.rsplit_once(':'))
                .filter(|(file, _)| !file.ends_with("/.ssh/known_hosts"))
                .map_or(String::new(), |(file, _)| format!("-f {} ", quote(file))),
            quote(&known_name(settings))
        ),
        Unreachable::HostKeyRevoked => {
            "whoever answers with this key need not be the host: make new keys on it, and put them on record \
             after comparing their fingerprints; a key that is marked by mistake has a line with @revoked in \
             known_hosts, or stands in the file of RevokedHostKeys"
                .to_owned()
        }
        Unreachable::HostKeyUnknown => format!(
            "put its key on record with `ssh-keyscan {port}{} >> ~/.ssh/known_hosts` after comparing its \
             fingerprint, or accept keys of new hosts with `-o StrictHostKeyChecking=accept-new` in \
             ansible_ssh_common_args",
            quote(address)
        ),
        Unreachable::Authentication => format!(
            "try `ssh {port}{}`; set ansible_user and ansible_ssh_private_key_file, or add the key to \
             the agent with ssh-add",
            quote(&target)
        ),
        Unreachable::Lost | Unreachable::NoShell | Unreachable::Other => {
            format!(
                "try `ssh {port}{}`, with -v for what happens in between",
                quote(&target)
            )
        }
    }
}

/// The host as `known_hosts` names it.
fn known_name(settings: &SshSettings) -> String {
    match settings.port {
        Some(port) if port != 22 => format!("[{}]:{port}", settings.address),
        _ => settings.address.clone(),
    }
}

/// The telling lines of what ssh said, on one line: no banner, no frame of at signs, no warnings that
/// something succeeded.
fn essence(said: &str) -> String {
    let mut lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with('@')
                && !line.starts_with("Warning: Permanently added")
                && !line.starts_with("debug")
        })
        .collect();
    if let Some(at) = lines
        .iter()
        .position(|line| line.starts_with("IT IS POSSIBLE"))
    {
        lines.drain(..at);
    }
    let from = lines.len().saturating_sub(6);
    shortened(lines[from..].join("; "))
}

/// A text of a host for a message: the end of it, where it is long.
pub(super) fn shortened(text: String) -> String {
    const LONGEST: usize = 300;
    match text.char_indices().rev().nth(LONGEST) {
        Some((from, _)) => format!("… {}", &text[from..]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ssh_are_sorted() {
        let cases = [
            (
                "ssh: Could not resolve hostname nope: Name or service not known",
                Unreachable::UnknownName,
            ),
            (
                "ssh: connect to host 10.0.0.1 port 22: Connection refused",
                Unreachable::Refused,
            ),
            (
                "ssh: connect to host 10.0.0.1 port 22: Connection timed out",
                Unreachable::NoAnswer,
            ),
            (
                "ssh: connect to host 10.0.0.1 port 22: No route to host",
                Unreachable::NoAnswer,
            ),
            (
                "root@10.0.0.1: Permission denied (publickey).",
                Unreachable::Authentication,
            ),
            (
                "No ED25519 host key is known for 10.0.0.1 and you have requested strict checking.\n\
                 Host key verification failed.",
                Unreachable::HostKeyUnknown,
            ),
            (
                "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
                Unreachable::HostKeyChanged,
            ),
            (
                "@       WARNING: REVOKED HOST KEY DETECTED!               @\n\
                 The ED25519 host key for 10.0.0.1 is marked as revoked.\n\
                 ED25519 host key for 10.0.0.1 was revoked and you have requested strict checking.\n\
                 Host key verification failed.",
                Unreachable::HostKeyRevoked,
            ),
            (
                "Host key ED25519 SHA256:abc revoked by file /etc/ssh/revoked\n\
                 Host key verification failed.",
                Unreachable::HostKeyRevoked,
            ),
            ("something new", Unreachable::Other),
        ];
        for (said, kind) in cases {
            assert_eq!(kind_of(said), kind, "{said}");
            assert!(!may_pass(said), "{said}");
        }
    }

    #[test]
    fn a_revoked_key_is_not_to_be_put_on_record() {
        let connection = Connection {
            name: "a".to_owned(),
            kind: ConnectionKind::Local,
        };
        let said =
            "The ED25519 host key for a is marked as revoked.\nHost key verification failed.";
        let error = no_connection(&connection, &SshSettings::new("a"), said, None);
        let HostError::Unreachable { message, hint, .. } = error else {
            panic!("{error:?}")
        };
        assert!(message.contains("marked as revoked"), "{message}");
        assert!(!hint.contains("ssh-keyscan"), "{hint}");
    }

    #[test]
    fn a_banner_is_no_changed_key() {
        let banner = "Host key for this machine: SHA256:abc, see the wiki.\n";
        assert!(!key_is_another(banner));
        let denied = format!("{banner}root@10.0.0.1: Permission denied (publickey).");
        assert_eq!(kind_of(&denied), Unreachable::Authentication);
        for said in [
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
            "@       WARNING: REVOKED HOST KEY DETECTED!               @",
        ] {
            assert!(key_is_another(said));
        }
        for said in [
            "Host key for 10.0.0.1 has changed and you have requested strict checking.",
            "ED25519 host key for 10.0.0.1 has changed and you have requested strict checking.",
        ] {
            assert_eq!(kind_of(said), Unreachable::HostKeyChanged);
        }
    }

    #[test]
    fn a_dropped_connection_may_pass() {
        assert!(may_pass(
            "kex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.0.1 port 22"
        ));
        assert!(may_pass(
            "kex_exchange_identification: read: Connection reset by peer"
        ));
    }

    #[test]
    fn hints_name_the_command_to_run() {
        let mut settings = SshSettings::new("10.0.0.1");
        settings.port = Some(2222);
        let changed = |record| hint(Unreachable::HostKeyChanged, &settings, record);
        let usual = "/home/me/.ssh/known_hosts:12";
        for record in [None, Some(usual)] {
            assert!(changed(record).contains("`ssh-keygen -R '[10.0.0.1]:2222'`"));
        }
        let said =
            "@ WARNING @\nOffending ED25519 key in /etc/ssh/ssh_known_hosts:3\r\n  remove with:";
        assert!(
            changed(record(said))
                .contains("`ssh-keygen -f /etc/ssh/ssh_known_hosts -R '[10.0.0.1]:2222'`")
        );
        assert!(
            hint(Unreachable::HostKeyUnknown, &settings, None)
                .contains("ssh-keyscan -p 2222 10.0.0.1 >>")
        );
    }
}
