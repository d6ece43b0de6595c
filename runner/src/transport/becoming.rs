//! Becoming another user: the command that does it, the talk about the password, and what went wrong.

use std::fmt::Write;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use windlass_modules::host::{HostError, Unreachable};
use windlass_modules::kit::quote;

use super::channel::Channel;
use super::patience::{Over, Patience};
use super::prelude::START;
use super::settings::{Become, Connection, Method};
use super::unreachable::shortened;

/// More is not read before the new shell is there.
const LONGEST_TALK: usize = 64 << 10;
/// What the new user's shell says when it is there.
const READY: &str = "windlass: ready";

/// Turns the shell of `channel`, which was started with [`START`], into one of another user's, started
/// alike. Without a password there is nothing to wait for, and trouble shows with the first request.
pub(super) async fn change_user(
    channel: &mut Channel,
    wanted: &Become,
    connection: &Connection,
    patience: &mut Patience,
) -> Result<(), HostError> {
    let prompt = format!("windlass-{:016x}:", rand::random::<u64>());
    let line = command(wanted, &prompt);
    let work = async {
        let stdin = channel.stdin.pipe.as_mut().ok_or_else(String::new)?;
        let sent = stdin.write_all(line.as_bytes()).await;
        sent.map_err(|_| "the shell went away".to_owned())?;
        match wanted.password {
            Some(_) => talk(channel, wanted, &prompt).await,
            None => Ok(()),
        }
    };
    match patience.wait(work).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(said)) => Err(trouble(connection, wanted, &said)),
        // Not the program's fault alone: the time is the host's, from connecting on, and there may be more
        // of it another time.
        Err(Over) => Err(HostError::Unreachable {
            kind: Unreachable::NoAnswer,
            message: format!(
                "{}: {} neither asked for the password nor let us in; the host was waited for {} s in all",
                connection.name,
                wanted.method.program(),
                patience.whole.as_secs()
            ),
            hint: "it may ask for something else than a password: try it by hand; -T or ansible_timeout \
                   gives it more time"
                .to_owned(),
        }),
    }
}

/// Answers one question for the password and waits for the new shell; gives what was said otherwise.
async fn talk(channel: &mut Channel, wanted: &Become, prompt: &str) -> Result<(), String> {
    let (mut said, mut shown) = (String::new(), String::new());
    let (mut out, mut err) = ([0; 1024], [0; 1024]);
    let mut answered = false;
    // One of them may end before the other has been read.
    let mut open = [true; 2];
    loop {
        let (count, text, piece, stream) = tokio::select! {
            count = channel.stdout.read(&mut out), if open[0] => (count, &mut shown, &out, 0),
            count = channel.stderr.read(&mut err), if open[1] => (count, &mut said, &err, 1),
            else => return Err(said + &shown),
        };
        match count {
            Ok(count @ 1..) => text.push_str(&String::from_utf8_lossy(&piece[..count])),
            _ => open[stream] = false,
        }
        if said.len() + shown.len() > LONGEST_TALK {
            return Err(shortened(said) + "\nit prints without end");
        }
        if shown.contains(READY) {
            return Ok(());
        }
        if asks(&said, wanted.method, prompt) || asks(&shown, wanted.method, prompt) {
            if answered {
                return Err(format!("{said}\n{WRONG}"));
            }
            answered = true;
            said.clear();
            shown.clear();
            let (Some(stdin), Some(password)) = (&mut channel.stdin.pipe, &wanted.password) else {
                return Err(said);
            };
            let line = zeroize::Zeroizing::new(format!("{}\n", password.expose()));
            stdin
                .write_all(line.as_bytes())
                .await
                .map_err(|error| error.to_string())?;
        }
    }
}

/// Our own word for a password that was asked for again.
const WRONG: &str = "Sorry, try again";

fn asks(text: &str, method: Method, prompt: &str) -> bool {
    match method {
        Method::Sudo => text.contains(prompt),
        Method::Su | Method::Doas => {
            let text = text.trim_end();
            text.ends_with(':') && text.to_lowercase().contains("password")
        }
    }
}

/// A line of sh that replaces the shell. The password is not in it.
fn command(wanted: &Become, prompt: &str) -> String {
    let program = wanted
        .executable
        .as_deref()
        .unwrap_or(wanted.method.program());
    // Messages in English, so that we know them; not for the new user's shell.
    let mut line = format!("export LC_ALL=C;exec {}", quote(program));
    let inner = format!(
        r#"[ "$LC_ALL" = C ] && unset LC_ALL;echo {};{START}"#,
        quote(READY)
    );
    let flags = |usual: &[&str], ours: &[&str]| {
        let set: Vec<&str> = wanted.flags.iter().map(String::as_str).collect();
        let set = if set.is_empty() { usual.to_vec() } else { set };
        set.into_iter()
            .filter(|flag| !ours.contains(flag))
            .fold(String::new(), |mut text, flag| {
                let _ = write!(text, " {}", quote(flag));
                text
            })
    };
    let user = quote(&wanted.user);
    let result = match wanted.method {
        Method::Sudo => {
            let asking = match wanted.password {
                Some(_) => format!("-p {}", quote(prompt)),
                None => "-n".to_owned(),
            };
            let set = flags(&["-H"], &["-S", "-n"]);
            writeln!(
                line,
                "{set} -S {asking} -u {user} -- sh -c {}",
                quote(&inner)
            )
        }
        Method::Su => {
            let set = flags(&[], &[]);
            // The user's login shell reads this.
            let inner = format!("exec sh -c {}", quote(&inner));
            writeln!(line, "{set} {user} -c {}", quote(&inner))
        }
        Method::Doas => {
            let asking = if wanted.password.is_some() { "" } else { " -n" };
            let set = flags(&[], &["-n"]);
            writeln!(line, "{set}{asking} -u {user} sh -c {}", quote(&inner))
        }
    };
    result.expect("writing to a string cannot fail");
    line
}

/// A kind of trouble: words, any of which mean it; what to say; what to do.
type Sign = (&'static [&'static str], &'static str, &'static str);

/// From the sources of sudo 1.8 to 1.9.16, sudo-rs, util-linux and shadow su, and `OpenDoas`.
const SIGNS: &[Sign] = &[
    (
        &[
            WRONG,
            "incorrect password attempt",
            "Authentication failure",
            "Authentication failed",
            "incorrect password",
            "Incorrect password",
        ],
        "the password was not accepted",
        "check the password that was given with -K or ansible_become_password",
    ),
    (
        &[
            "a password is required",
            "interactive authentication is required",
            "Authentication required",
            "Authentication token manipulation",
            "doas: Authorization required",
        ],
        "it needs a password, and none was given",
        "give the password with -K or ansible_become_password, or allow the user to become without one (NOPASSWD in sudoers)",
    ),
    (
        &[
            "must have a tty",
            "no tty present",
            "a terminal is required",
            "must be run from a terminal",
        ],
        "it requires a terminal, which Windlass does not give it",
        "remove `requiretty` from sudoers for this user, or give the password with -K if it wanted to ask",
    ),
    (
        &[
            "is not in the sudoers file",
            "is not allowed to",
            "may not run sudo",
            "I'm sorry",
            "Operation not permitted",
            "not permitted",
            "Permission denied",
        ],
        "the user may not do that",
        "allow it in sudoers (or doas.conf), or connect as a user who may",
    ),
    (
        &[
            "unknown user",
            "does not exist",
            "no such user",
            "No passwd entry",
            "unknown login",
            "user not found",
        ],
        "there is no such user on the host",
        "create the user first, or correct become_user",
    ),
    (
        &["not found", "No such file or directory"],
        "the program is not there",
        "install it, set ansible_become_exe to its path, choose another become_method, or connect as that user",
    ),
    (
        &["no new privileges", "must be owned by uid 0", "setuid"],
        "it cannot gain root's rights on this host",
        "its file needs owner root and the setuid bit, and a container must not set no-new-privileges",
    ),
];

/// The error for what `said` means.
pub(super) fn trouble(connection: &Connection, wanted: &Become, said: &str) -> HostError {
    let (what, hint) = SIGNS
        .iter()
        .find(|(words, ..)| words.iter().any(|word| said.contains(word)))
        .map_or(
            ("it failed", "try it by hand on the host"),
            |(_, what, hint)| (what, hint),
        );
    let said = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && *line != WRONG && !line.starts_with("windlass"))
        .collect::<Vec<_>>()
        .join("; ");
    let said = shortened(said);
    HostError::Become {
        message: format!(
            "{}: cannot become {} with {}: {what}",
            connection.name,
            wanted.user,
            wanted.method.program()
        ),
        said,
        hint: hint.to_owned(),
    }
}
