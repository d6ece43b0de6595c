//! The variables that say how a host is reached and as whom tasks run on it: one table of them all.
//!
//! Only a [`Setting`] can be read by [`super::read`], so whatever is read stands here, and what stands
//! here no host can set by its facts ([`super::facts`]), and what of it is a password is hidden from all
//! output before it is used ([`is_password`]).

use crate::transport::Method;

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $setting:ident: $($name:literal)+;)+) => {
        /// A setting; each has a name, and synonyms.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Setting {
            $($(#[doc = $doc])+ $setting,)+
        }

        impl Setting {
            /// All of them.
            const ALL: &'static [Self] = &[$(Self::$setting,)+];

            /// Its names: the first that is defined and not empty counts.
            pub(super) const fn names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$setting => &[$($name),+],)+
                }
            }
        }
    };
}

// Where a name has a synonym of the connection's or the method's own, that one counts, as in Ansible.
settings! {
    /// `ssh` or `local`.
    Connection: "ansible_connection";
    /// Where the host is.
    Address: "ansible_ssh_host" "ansible_host";
    /// The port of its sshd.
    Port: "ansible_ssh_port" "ansible_port";
    /// Who logs in.
    User: "ansible_ssh_user" "ansible_user";
    /// With which key.
    PrivateKeyFile: "ansible_ssh_private_key_file" "ansible_private_key_file";
    /// With which password.
    Password: "ansible_ssh_password" "ansible_ssh_pass" "ansible_password";
    /// Arguments for ssh.
    Args: "ansible_ssh_args";
    /// More of them.
    CommonArgs: "ansible_ssh_common_args";
    /// More, after those.
    ExtraArgs: "ansible_ssh_extra_args";
    /// What a host's key must be.
    HostKeyChecking: "ansible_ssh_host_key_checking" "ansible_host_key_checking";
    /// Seconds to wait for a connection.
    Timeout: "ansible_ssh_timeout" "ansible_timeout";
    /// Whether to become another user.
    Become: "ansible_become";
    /// By which program.
    BecomeMethod: "ansible_become_method";
    /// Whom to become with sudo.
    SudoUser: "ansible_sudo_user" "ansible_become_user";
    /// With which password.
    SudoPassword: "ansible_sudo_pass" "ansible_sudo_password" "ansible_become_pass" "ansible_become_password";
    /// Arguments for sudo.
    SudoFlags: "ansible_sudo_flags" "ansible_become_flags";
    /// The program.
    SudoExe: "ansible_sudo_exe" "ansible_become_exe";
    /// Whom to become with su.
    SuUser: "ansible_su_user" "ansible_become_user";
    /// With which password.
    SuPassword: "ansible_su_pass" "ansible_su_password" "ansible_become_pass" "ansible_become_password";
    /// Arguments for su.
    SuFlags: "ansible_su_flags" "ansible_become_flags";
    /// The program.
    SuExe: "ansible_su_exe" "ansible_become_exe";
    /// Whom to become with doas.
    DoasUser: "ansible_doas_user" "ansible_become_user";
    /// With which password.
    DoasPassword: "ansible_doas_pass" "ansible_doas_password" "ansible_become_pass" "ansible_become_password";
    /// Arguments for doas.
    DoasFlags: "ansible_doas_flags" "ansible_become_flags";
    /// The program.
    DoasExe: "ansible_doas_exe" "ansible_become_exe";
}

/// The settings of a way to become another user.
pub(super) struct Becoming {
    pub(super) user: Setting,
    pub(super) password: Setting,
    pub(super) flags: Setting,
    pub(super) exe: Setting,
}

impl Becoming {
    /// Those of `method`.
    pub(super) const fn of(method: Method) -> Self {
        use Setting as S;
        let (user, password, flags, exe) = match method {
            Method::Sudo => (S::SudoUser, S::SudoPassword, S::SudoFlags, S::SudoExe),
            Method::Su => (S::SuUser, S::SuPassword, S::SuFlags, S::SuExe),
            Method::Doas => (S::DoasUser, S::DoasPassword, S::DoasFlags, S::DoasExe),
        };
        Self {
            user,
            password,
            flags,
            exe,
        }
    }
}

/// Whether the variable `name` says how a host is reached or as whom tasks run.
pub(super) fn is_setting(name: &str) -> bool {
    Setting::ALL
        .iter()
        .any(|setting| setting.names().contains(&name))
}

/// Whether the variable `name` holds a password.
pub(super) fn is_password(name: &str) -> bool {
    Setting::ALL
        .iter()
        .filter(|setting| setting.is_password())
        .any(|setting| setting.names().contains(&name))
}

impl Setting {
    /// Whether its value is a password.
    const fn is_password(self) -> bool {
        matches!(
            self,
            Self::Password | Self::SudoPassword | Self::SuPassword | Self::DoasPassword
        )
    }
}

/// All variables that hold passwords.
pub(super) fn passwords() -> impl Iterator<Item = &'static str> {
    let settings = Setting::ALL.iter().filter(|setting| setting.is_password());
    settings.flat_map(|setting| setting.names().iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_table_is_a_setting_and_passwords_are_told_by_their_names() {
        for setting in Setting::ALL {
            for name in setting.names() {
                assert!(is_setting(name), "{name}");
                assert_eq!(is_password(name), name.contains("pass"), "{name}");
            }
        }
        assert!(!is_setting("ansible_os_family"));
        assert_eq!(passwords().filter(|name| !is_password(name)).count(), 0);
    }
}
