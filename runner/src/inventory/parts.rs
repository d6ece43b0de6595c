//! What an inventory is made of: hosts, groups, and the variables that they have.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::yaml::{Diagnostic, Node, Span};

/// Names with values, in the order written.
pub type Variables = IndexMap<String, Node>;

/// A host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Variables given with it in inventory files; not those of `host_vars`.
    pub vars: Arc<Variables>,
    /// All groups it is in, directly or not, `all` excepted, by rising precedence of their
    /// variables: depth, `ansible_group_priority`, name.
    pub groups: Vec<Arc<str>>,
    /// The inventory it was first seen in: a file, or a list of hosts.
    pub inventory_file: Option<Arc<str>>,
    /// The directory of that file.
    pub inventory_dir: Option<Arc<Path>>,
    /// Where it was first named.
    pub span: Option<Span>,
    /// Whether no inventory names it: `localhost`, made up when it is asked for.
    pub implicit: bool,
}

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Variables given with it in inventory files; not those of `group_vars`.
    pub vars: Arc<Variables>,
    /// The hosts named in it itself.
    pub hosts: IndexSet<String>,
    /// The groups named in it itself.
    pub children: IndexSet<String>,
    /// The groups it is named in.
    pub parents: IndexSet<String>,
    /// The longest way to it from `all`.
    pub depth: usize,
    /// `ansible_group_priority`.
    pub priority: i64,
    /// Where it was first named.
    pub span: Option<Span>,
}

/// A group is made a child of another.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) parent: String,
    pub(super) child: String,
    pub(super) span: Span,
}

/// Variables of files that stand beside something.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    pub(super) groups: HashMap<String, Arc<Variables>>,
    pub(super) hosts: HashMap<String, Arc<Variables>>,
    pub(super) warnings: Vec<Diagnostic>,
}
