//! What hosts include: a file of tasks, or a role, with the item that named it.

use std::path::PathBuf;

use minijinja::Value;

use super::course::ProgramId;
use crate::playbook::{Keyword, RoleRequest};
use crate::template::TemplateError;

/// The variables of an item of the loop that names files.
pub(crate) type Item = Vec<(String, Value)>;

/// What was found out to be included, for a host.
#[derive(Clone)]
pub(crate) enum IncludedSource {
    File(PathBuf),
    /// There is no such file.
    Missing(TemplateError),
    Role(Box<RoleRequest>),
}

/// What is included, with the variables of the item that named it.
pub(crate) type Named = (IncludedSource, Item);

/// What hosts have included already, and the program that it has become.
pub(crate) struct BroughtIn {
    pub(crate) named: Vec<Named>,
    pub(crate) program: ProgramId,
}

impl IncludedSource {
    /// How it is called in reports.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Role(role) => role.name.as_str().unwrap_or_default().to_owned(),
            Self::Missing(_) => String::new(),
        }
    }
}

impl PartialEq for IncludedSource {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(path), Self::File(other)) => path == other,
            (Self::Role(role), Self::Role(other)) => asked(role) == asked(other),
            _ => false,
        }
    }
}

/// What a request for a role asks for: the name and the files, then `public`, `allow_duplicates` and
/// `rolespec_validate`.
fn asked(role: &RoleRequest) -> ([Option<&str>; 5], [bool; 3]) {
    let files = &role.files;
    let files = [&files.tasks, &files.vars, &files.defaults, &files.handlers];
    let [tasks, vars, defaults, handlers] = files.map(|file| file.as_ref()?.as_str());
    let flag = |flag: &Option<Keyword<bool>>, default| match flag {
        Some(Keyword::Known(flag, _)) => *flag,
        _ => default,
    };
    (
        [role.name.as_str(), tasks, vars, defaults, handlers],
        [
            flag(&role.public, false),
            flag(&role.allow_duplicates, true),
            flag(&role.validate, true),
        ],
    )
}
