//! How a host is reached, from its variables, the task's keywords and the command line.
//!
//! Variables win over keywords, and keywords over the command line, as in Ansible.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use windlass_modules::Secret;

use super::read;
use crate::template::{Scope, TemplateError};
use crate::transport::{Connection, HostKeys, Kind, SshSettings};

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

/// How `host` is reached; `scope` is the view of its variables.
pub fn connection(
    scope: &Arc<dyn Scope>,
    host: &str,
    keywords: &ConnectionKeywords,
    defaults: &ConnectionDefaults,
) -> Result<Connection, TemplateError> {
    let how = read::text(scope, &["ansible_connection"])?
        .or_else(|| keywords.connection.clone())
        .or_else(|| defaults.connection.clone())
        .unwrap_or_else(|| "ssh".to_owned());
    let kind = match how.trim_start_matches("ansible.builtin.") {
        "local" => Kind::Local,
        "ssh" | "smart" | "paramiko" | "paramiko_ssh" => {
            Kind::Ssh(ssh(scope, host, keywords, defaults)?)
        }
        other => {
            return Err(
                TemplateError::new(format!("{host}: there is no connection `{other}`"))
                    .hint("`ansible_connection` is `ssh` or `local`"),
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
    let address = read::text(scope, &["ansible_host", "ansible_ssh_host"])?;
    let mut settings = SshSettings::new(address.unwrap_or_else(|| host.to_owned()));
    settings.port = read::number(
        scope,
        &["ansible_port", "ansible_ssh_port"],
        "a port number",
    )?
    .or(keywords.port);
    settings.user = read::text(scope, &["ansible_user", "ansible_ssh_user"])?
        .or_else(|| keywords.remote_user.clone())
        .or_else(|| defaults.user.clone());
    let keys = ["ansible_ssh_private_key_file", "ansible_private_key_file"];
    settings.private_key_file = read::text(scope, &keys)?
        .map(|path| expanded(&path))
        .or_else(|| defaults.private_key.clone());
    settings.password = read::text(
        scope,
        &[
            "ansible_password",
            "ansible_ssh_password",
            "ansible_ssh_pass",
        ],
    )?
    .map(Secret::new)
    .or_else(|| defaults.password.clone());
    settings.common_args = arguments(
        scope,
        "ansible_ssh_common_args",
        defaults.common_args.as_deref(),
    )?;
    settings.extra_args = arguments(
        scope,
        "ansible_ssh_extra_args",
        defaults.extra_args.as_deref(),
    )?;
    settings
        .common_args
        .splice(0..0, read::words(scope, "ansible_ssh_args")?);
    settings.host_keys = host_keys(scope)?;
    let timeout = ["ansible_ssh_timeout", "ansible_timeout"];
    if let Some(seconds) =
        read::number(scope, &timeout, "a number of seconds")?.or(defaults.timeout)
    {
        settings.connect_timeout = Duration::from_secs(seconds);
    }
    Ok(settings)
}

fn arguments(
    scope: &Arc<dyn Scope>,
    name: &str,
    default: Option<&str>,
) -> Result<Vec<String>, TemplateError> {
    let words = read::words(scope, name)?;
    match default {
        Some(text) if words.is_empty() => read::split(text, name),
        _ => Ok(words),
    }
}

/// `ansible_host_key_checking`: `no` as in Ansible, and `accept-new` as in ssh's own setting.
fn host_keys(scope: &Arc<dyn Scope>) -> Result<HostKeys, TemplateError> {
    let names = ["ansible_ssh_host_key_checking", "ansible_host_key_checking"];
    if read::text(scope, &names)?.is_some_and(|text| text == "accept-new") {
        return Ok(HostKeys::AcceptNew);
    }
    Ok(match read::flag(scope, &names)? {
        Some(false) => HostKeys::Off,
        _ => HostKeys::Strict,
    })
}

fn expanded(path: &str) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => Path::new(path).to_path_buf(),
    }
}
