//! What a password, and what says which user to become, must be for the programs that they are handed to, said
//! before anything connects.

use windlass_modules::host::HostError;
use windlass_modules::secret::Secret;

use super::settings::{Become, Connection, ConnectionKind};

/// What ssh reads from the program that it asks (`readpass.c`), and sudo from its input
/// (`SUDO_CONV_REPL_MAX`). What is beyond that would be read as something else.
const LONGEST: usize = 1023;

/// Refuses passwords of a connection that could not arrive, and what is wrong about the user to become.
pub(super) fn check_passwords(
    connection: &Connection,
    user: Option<&Become>,
) -> Result<(), HostError> {
    let name = &connection.name;
    if let ConnectionKind::Ssh(settings) = &connection.kind
        && let Some(why) = settings.password.as_ref().and_then(wrong)
    {
        return Err(HostError::Local {
            message: format!("{name}: the login password cannot be handed to ssh: {why}"),
            hint: "see what ansible_password or -k holds, or log in with a key".to_owned(),
        });
    }
    if let Some(user) = user {
        check_words(name, user)?;
    }
    if let Some(user) = user
        && let Some(why) = user.password.as_ref().and_then(wrong)
    {
        return Err(HostError::Become {
            message: format!(
                "{name}: the password to become {} cannot be handed to {}: {why}",
                user.user,
                user.method.program()
            ),
            said: String::new(),
            hint: "see what ansible_become_password or -K holds".to_owned(),
        });
    }
    Ok(())
}

/// Refuses a user, flags or a program that the shell would read as more than one line, or could not be given.
fn check_words(name: &str, user: &Become) -> Result<(), HostError> {
    let parts = [("user", &user.user)]
        .into_iter()
        .chain(user.flags.iter().map(|flag| ("flags", flag)))
        .chain(user.executable.iter().map(|program| ("exe", program)));
    for (what, text) in parts {
        if text.contains(['\n', '\0']) {
            return Err(HostError::Become {
                message: format!(
                    "{name}: become_{what} holds a line break or a NUL byte: {text:?}"
                ),
                said: String::new(),
                hint: format!("see what become_{what} or ansible_become_{what} holds"),
            });
        }
    }
    Ok(())
}

fn wrong(password: &Secret) -> Option<String> {
    let text = password.expose();
    if text.len() > LONGEST {
        return Some(format!(
            "it has {} bytes, and no more than {LONGEST} are read",
            text.len()
        ));
    }
    text.contains(['\n', '\r', '\0'])
        .then(|| "it holds a line break or a NUL byte".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::settings::{Method, SshSettings};
    use super::*;

    #[test]
    fn what_says_which_user_to_become_is_one_line() {
        let refusal = |user: &str, flag: &str, program: &str| {
            let connection = Connection {
                name: "node1".to_owned(),
                kind: ConnectionKind::Local,
            };
            let user = Become {
                method: Method::Sudo,
                user: user.to_owned(),
                password: None,
                flags: vec![flag.to_owned()],
                executable: Some(program.to_owned()),
            };
            check_passwords(&connection, Some(&user)).map_err(|error| error.to_string())
        };
        assert_eq!(refusal("root", "-H", "/usr/bin/sudo"), Ok(()));
        for (refusal, said) in [
            (
                refusal("root\n", "-H", "sudo"),
                "become_user holds a line break or a NUL byte: \"root\\n\"",
            ),
            (refusal("root", "-H\nid", "sudo"), "become_flags holds"),
            (refusal("root", "-H", "su\0do"), "become_exe holds"),
        ] {
            let refusal = refusal.unwrap_err();
            assert!(refusal.contains(said), "{refusal}");
        }
    }

    #[test]
    fn a_password_that_could_not_arrive_is_refused_before_connecting() {
        let refusal = |login: &str, other: &str| {
            let mut settings = SshSettings::new("a");
            settings.password = Some(Secret::new(login));
            let connection = Connection {
                name: "node1".to_owned(),
                kind: ConnectionKind::Ssh(settings),
            };
            let user = Become {
                method: Method::Sudo,
                user: "root".to_owned(),
                password: Some(Secret::new(other)),
                flags: Vec::new(),
                executable: None,
            };
            check_passwords(&connection, Some(&user)).map_err(|error| error.to_string())
        };
        let long = "x".repeat(20_000);
        assert_eq!(refusal("right", &"x".repeat(1023)), Ok(()));
        for (login, other, said) in [
            (
                long.as_str(),
                "",
                "the login password cannot be handed to ssh: it has 20000 bytes",
            ),
            (
                "",
                long.as_str(),
                "become root cannot be handed to sudo: it has 20000 bytes",
            ),
            ("a\nb", "", "a line break"),
            ("", "a\r", "a line break"),
        ] {
            let refusal = refusal(login, other).unwrap_err();
            assert!(refusal.contains(said), "{refusal}");
        }
    }
}
