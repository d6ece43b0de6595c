//! How a host is reached, from its variables, the task's keywords and the command line.
//!
//! Variables win over keywords, and keywords over the command line, as in Ansible.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use windlass_modules::Secret;

use super::read;
use super::settings::Setting;
use crate::template::{Scope, TemplateError};
use crate::transport::{Connection, ConnectionKind, HostKeys, LONGEST_TIMEOUT, SshSettings};

/// What keywords say of the connection.
#[derive(Debug, Clone, Default)]
pub struct ConnectionKeywords {
    /// `remote_user`.
    pub remote_user: Option<String>,
    /// `connection`.
    pub connection: Option<String>,
    /// `port`.
    pub port: Option<u16>,
}

/// What the command line says of connections, for hosts of which nothing else is said.
#[derive(Debug, Clone, Default)]
pub struct ConnectionDefaults {
    /// `-u`.
    pub user: Option<String>,
    /// `--private-key`.
    pub private_key: Option<PathBuf>,
    /// The login password, asked for with `-k`.
    pub password: Option<Secret>,
    /// `-c`.
    pub connection: Option<String>,
    /// `-T`, in seconds.
    pub timeout: Option<u64>,
    /// `--ssh-common-args`.
    pub common_args: Option<String>,
    /// `--ssh-extra-args`.
    pub extra_args: Option<String>,
}

/// How `host` is reached; `scope` is the view of its variables. Where a name has a synonym of `ssh`,
/// that one counts, as in Ansible.
pub fn connection(
    scope: &Arc<dyn Scope>,
    host: &str,
    keywords: &ConnectionKeywords,
    defaults: &ConnectionDefaults,
) -> Result<Connection, TemplateError> {
    let setting = Setting::Connection;
    let named = read::text(scope, setting)?;
    let span = named.as_ref().and_then(|_| scope.span(setting.names()[0]));
    let how = named
        .or_else(|| keywords.connection.clone())
        .or_else(|| defaults.connection.clone())
        .unwrap_or_else(|| "ssh".to_owned());
    let kind = match how.strip_prefix("ansible.builtin.").unwrap_or(&how) {
        "local" => ConnectionKind::Local,
        "ssh" | "smart" | "paramiko" | "paramiko_ssh" => {
            ConnectionKind::Ssh(ssh(scope, host, keywords, defaults)?)
        }
        _ => {
            return Err(
                TemplateError::new(format!("{host}: there is no connection `{how}`"))
                    .hint("`ansible_connection` is `ssh` or `local`")
                    .or_span(span.as_ref()),
            );
        }
    };
    Ok(Connection {
        name: host.to_owned(),
        kind,
    })
}

fn ssh(
    scope: &Arc<dyn Scope>,
    host: &str,
    keywords: &ConnectionKeywords,
    defaults: &ConnectionDefaults,
) -> Result<SshSettings, TemplateError> {
    let text = |setting| read::text(scope, setting);
    let address = text(Setting::Address)?;
    let mut settings = SshSettings::new(address.unwrap_or_else(|| host.to_owned()));
    let port = read::number(scope, Setting::Port, 1..=65535, "a port from 1 to 65535")?;
    settings.port = port.or(keywords.port);
    settings.user = text(Setting::User)?
        .or_else(|| keywords.remote_user.clone())
        .or_else(|| defaults.user.clone());
    settings.private_key_file = text(Setting::PrivateKeyFile)?
        .map(|path| expanded(&path))
        .or_else(|| defaults.private_key.clone());
    settings.password = text(Setting::Password)?
        .map(Secret::new)
        .or_else(|| defaults.password.clone());
    let common = (Setting::CommonArgs, defaults.common_args.as_deref());
    let extra = (Setting::ExtraArgs, defaults.extra_args.as_deref());
    settings.common_args = read::words(scope, Setting::Args)?.unwrap_or_default();
    settings.common_args.extend(arguments(scope, common)?);
    settings.extra_args = arguments(scope, extra)?;
    settings.host_keys = host_keys(scope)?;
    let wanted = "a number of seconds, from 1 to 86400";
    let seconds = read::number(scope, Setting::Timeout, 1..=LONGEST_TIMEOUT, wanted)?;
    if let Some(seconds) = seconds.or(defaults.timeout) {
        settings.connect_timeout = Duration::from_secs(seconds);
        settings.reach_timeout = settings.connect_timeout;
    }
    Ok(settings)
}

fn arguments(
    scope: &Arc<dyn Scope>,
    (setting, default): (Setting, Option<&str>),
) -> Result<Vec<String>, TemplateError> {
    match (read::words(scope, setting)?, default) {
        (Some(words), _) => Ok(words),
        (None, Some(text)) => read::split(text, setting.names()[0]),
        (None, None) => Ok(Vec::new()),
    }
}

/// `ansible_host_key_checking`: `no` as in Ansible, and `accept-new` as in ssh's own setting.
fn host_keys(scope: &Arc<dyn Scope>) -> Result<HostKeys, TemplateError> {
    let flags = read::FLAGS.map(|(word, checked)| {
        (
            word,
            if checked {
                HostKeys::Strict
            } else {
                HostKeys::Off
            },
        )
    });
    let choices: Vec<(&str, HostKeys)> = flags
        .into_iter()
        .chain([("accept-new", HostKeys::AcceptNew)])
        .collect();
    let wanted = "a yes, a no or `accept-new`";
    let chosen = read::choice(scope, Setting::HostKeyChecking, &choices, wanted)?;
    Ok(chosen.unwrap_or_default())
}

fn expanded(path: &str) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => PathBuf::from(path),
    }
}
