//! Which user a task becomes, from the host's variables, the task's keywords and the command line.
//!
//! Variables win over keywords, and keywords over the command line, as in Ansible.

use std::sync::Arc;

use windlass_modules::Secret;

use super::read;
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
    let wanted = read::flag(scope, &["ansible_become"])?
        .or(keywords.r#become)
        .unwrap_or(defaults.r#become);
    if !wanted {
        return Ok(None);
    }
    let method = read::text(scope, &["ansible_become_method"])?
        .or_else(|| keywords.method.clone())
        .or_else(|| defaults.method.clone())
        .unwrap_or_else(|| "sudo".to_owned());
    let method = match method.trim_start_matches("ansible.builtin.") {
        "sudo" => Method::Sudo,
        "su" => Method::Su,
        "doas" | "community.general.doas" => Method::Doas,
        other => {
            return Err(
                TemplateError::new(format!("there is no become method `{other}`"))
                    .hint("`sudo`, `su` and `doas` are there"),
            );
        }
    };
    let own = |what: &str| {
        [
            format!("ansible_{}_{what}", method.program()),
            format!("ansible_become_{what}"),
        ]
    };
    let read_own = |what: &str| {
        let names = own(what);
        read::text(scope, &[names[0].as_str(), names[1].as_str()])
    };
    let user = read_own("user")?
        .or_else(|| keywords.user.clone())
        .or_else(|| defaults.user.clone())
        .unwrap_or_else(|| "root".to_owned());
    let password = match read_own("password")? {
        Some(password) => Some(password),
        None => read_own("pass")?,
    };
    let flags = match read_own("flags")?.or_else(|| keywords.flags.clone()) {
        Some(flags) => read::split(&flags, "become_flags")?,
        None => Vec::new(),
    };
    Ok(Some(Become {
        method,
        user,
        password: password
            .map(Secret::new)
            .or_else(|| defaults.password.clone()),
        flags,
        executable: read_own("exe")?.or_else(|| keywords.executable.clone()),
    }))
}
