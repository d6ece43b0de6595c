//! Which user a task becomes, from the host's variables, the task's keywords and the command line.
//!
//! Variables win over keywords, and keywords over the command line, as in Ansible.

use std::sync::Arc;

use windlass_modules::Secret;

use super::read;
use super::settings::{self, Setting};
use crate::template::{Scope, TemplateError};
use crate::transport::{Become, Method};

/// What keywords say of becoming another user.
#[derive(Debug, Clone, Default)]
pub struct BecomeKeywords {
    /// `become`.
    pub r#become: Option<bool>,
    /// `become_user`.
    pub user: Option<String>,
    /// `become_method`.
    pub method: Option<String>,
    /// `become_flags`.
    pub flags: Option<String>,
    /// `become_exe`.
    pub executable: Option<String>,
}

/// What the command line says of it.
#[derive(Debug, Clone, Default)]
pub struct BecomeDefaults {
    /// `-b`.
    pub r#become: bool,
    /// `--become-user`.
    pub user: Option<String>,
    /// `--become-method`.
    pub method: Option<String>,
    /// The password, asked for with `-K`.
    pub password: Option<Secret>,
}

/// Which user a task becomes; nothing when it stays who it is.
pub fn becoming(
    scope: &Arc<dyn Scope>,
    keywords: &BecomeKeywords,
    defaults: &BecomeDefaults,
) -> Result<Option<Become>, TemplateError> {
    let wanted = read::flag(scope, Setting::Become)?
        .or(keywords.r#become)
        .unwrap_or(defaults.r#become);
    if !wanted {
        return Ok(None);
    }
    let methods = [
        ("sudo", Method::Sudo),
        ("su", Method::Su),
        ("doas", Method::Doas),
        ("ansible.builtin.sudo", Method::Sudo),
        ("ansible.builtin.su", Method::Su),
        ("community.general.doas", Method::Doas),
    ];
    let said = keywords
        .method
        .as_deref()
        .or(defaults.method.as_deref())
        .unwrap_or("sudo");
    let method = match read::choice(
        scope,
        Setting::BecomeMethod,
        &methods,
        "`sudo`, `su` or `doas`",
    )? {
        Some(method) => method,
        None => methods
            .iter()
            .find(|(name, _)| *name == said)
            .map(|(_, method)| *method)
            .ok_or_else(|| {
                TemplateError::new(format!("there is no become method `{said}`"))
                    .hint("use `sudo`, `su` or `doas`")
            })?,
    };
    let own = settings::Becoming::of(method);
    let user = read::text(scope, own.user)?
        .or_else(|| keywords.user.clone())
        .or_else(|| defaults.user.clone())
        .unwrap_or_else(|| "root".to_owned());
    let password = read::text(scope, own.password)?;
    let flags = match (read::words(scope, own.flags)?, &keywords.flags) {
        (Some(flags), _) => flags,
        (None, Some(flags)) => read::split(flags, "become_flags")?,
        (None, None) => Vec::new(),
    };
    Ok(Some(Become {
        method,
        user,
        password: password
            .map(Secret::new)
            .or_else(|| defaults.password.clone()),
        flags,
        executable: read::text(scope, own.exe)?.or_else(|| keywords.executable.clone()),
    }))
}
