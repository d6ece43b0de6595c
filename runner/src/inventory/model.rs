//! Hosts and groups, who belongs to whom, and the variables that inventory files give them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use indexmap::{IndexMap, IndexSet};

use super::beside::Beside;
use crate::yaml::{Diagnostic, Node, Source, Span};

/// Names with values, in the order written.
pub type Variables = IndexMap<String, Node>;

/// Names that mean the control host itself, whether or not an inventory has them.
pub const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A host.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Variables given with it in inventory files; not those of `host_vars`.
    pub vars: Arc<Variables>,
    /// All groups it is in, directly or not, `all` excepted, by rising precedence of their
    /// variables: depth, `ansible_group_priority`, name.
    pub groups: Vec<String>,
    /// The inventory it was first seen in: a file, or a list of hosts.
    pub inventory_file: Option<String>,
    /// The directory of that file.
    pub inventory_dir: Option<PathBuf>,
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

/// All hosts and groups of a run.
#[derive(Debug, Clone)]
pub struct Inventory {
    pub(super) hosts: IndexMap<String, Host>,
    pub(super) groups: IndexMap<String, Group>,
    pub(super) beside: Arc<Beside>,
    pub(super) warnings: Vec<Diagnostic>,
    members: HashMap<String, Vec<String>>,
    /// The first host whose name means the control host.
    local: Option<String>,
}

/// Where hosts are being read from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    pub file: Option<String>,
    pub dir: Option<PathBuf>,
}

impl Default for Inventory {
    fn default() -> Self {
        let mut inventory = Self {
            hosts: IndexMap::new(),
            groups: IndexMap::new(),
            beside: Arc::default(),
            warnings: Vec::new(),
            members: HashMap::new(),
            local: None,
        };
        inventory.add_group("all", None);
        inventory.add_group("ungrouped", None);
        inventory.link("all", "ungrouped");
        inventory
    }
}

impl Inventory {
    /// All hosts, in the order in which inventories name them.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &Host> {
        self.hosts.values()
    }

    /// All groups, in the order in which inventories name them, after `all` and `ungrouped`.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &Group> {
        self.groups.values()
    }

    /// A host by name. The names of the control host are always known: they give the host that an
    /// inventory has for them, or an implicit `localhost` with a local connection.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.get(name).or_else(|| {
            let index = LOCALHOST.iter().position(|local| *local == name)?;
            match &self.local {
                Some(local) => self.hosts.get(local),
                None => Some(&IMPLICIT[index]),
            }
        })
    }

    /// A group by name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The hosts of a group and of all below it, each once: its own first, then its children's.
    pub fn members(&self, group: &str) -> &[String] {
        self.members.get(group).map_or(&[], Vec::as_slice)
    }

    /// Variables of files beside the inventories.
    pub fn beside(&self) -> &Arc<Beside> {
        &self.beside
    }

    /// What the user should know about the inventories, though they can be used.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// A group, new if it is not known yet.
    pub(super) fn add_group(&mut self, name: &str, span: Option<&Span>) -> &mut Group {
        self.groups.entry(name.to_owned()).or_insert_with(|| Group {
            name: name.to_owned(),
            vars: Arc::default(),
            hosts: IndexSet::new(),
            children: IndexSet::new(),
            parents: IndexSet::new(),
            depth: 0,
            priority: 1,
            span: span.cloned(),
        })
    }

    /// A host of `group`, new if it is not known yet.
    pub(super) fn add_host(
        &mut self,
        name: &str,
        group: &str,
        origin: &Origin,
        span: Option<&Span>,
    ) -> &mut Host {
        self.add_group(group, None).hosts.insert(name.to_owned());
        if self.local.is_none() && LOCALHOST.contains(&name) {
            self.local = Some(name.to_owned());
        }
        self.hosts.entry(name.to_owned()).or_insert_with(|| Host {
            name: name.to_owned(),
            vars: Arc::default(),
            groups: Vec::new(),
            inventory_file: origin.file.clone(),
            inventory_dir: origin.dir.clone(),
            span: span.cloned(),
            implicit: false,
        })
    }

    /// Makes `child` a child of `parent`; both are known groups. Says no to a cycle.
    pub(super) fn add_child(
        &mut self,
        parent: &str,
        child: &str,
        span: &Span,
    ) -> Result<(), Diagnostic> {
        if parent == child {
            return Err(
                Diagnostic::error(span, format!("group `{child}` is its own child"))
                    .help("take it out of its children"),
            );
        }
        if self.is_below(parent, child) {
            let message = format!("groups `{parent}` and `{child}` contain each other");
            let mut diagnostic = Diagnostic::error(span, message)
                .label(span, format!("makes `{child}` a child of `{parent}`"));
            if let Some(other) = self.groups.get(child).and_then(|group| group.span.as_ref()) {
                diagnostic = diagnostic.label(other, format!("`{child}` leads to `{parent}`"));
            }
            return Err(diagnostic.help("take one of them out of the other's children"));
        }
        self.link(parent, child);
        Ok(())
    }

    fn link(&mut self, parent: &str, child: &str) {
        if let Some(group) = self.groups.get_mut(parent) {
            group.children.insert(child.to_owned());
        }
        if let Some(group) = self.groups.get_mut(child) {
            group.parents.insert(parent.to_owned());
        }
    }

    /// Whether `group` is somewhere below `above`.
    fn is_below(&self, group: &str, above: &str) -> bool {
        self.descendants(above).contains(&group)
    }

    /// A group and all below it, each once, nearest first.
    fn descendants<'a>(&'a self, group: &'a str) -> IndexSet<&'a str> {
        self.walk(group, |group| &group.children)
    }

    fn walk<'a>(
        &'a self,
        start: &'a str,
        next: impl Fn(&'a Group) -> &'a IndexSet<String>,
    ) -> IndexSet<&'a str> {
        let mut seen = IndexSet::from([start]);
        let mut queue = VecDeque::from([start]);
        while let Some(group) = queue.pop_front().and_then(|name| self.groups.get(name)) {
            for name in next(group) {
                if seen.insert(name) {
                    queue.push_back(name);
                }
            }
        }
        seen
    }

    /// Brings in order what follows from the files as a whole; to be called when all are read.
    pub(super) fn settle(&mut self) {
        self.adopt();
        self.tidy_ungrouped();
        self.set_depths();
        self.set_groups_of_hosts();
        self.members = self
            .groups
            .keys()
            .map(|name| (name.clone(), self.hosts_below(name)))
            .collect();
        self.warn_of_names_used_twice();
    }

    /// A group without a parent is a child of `all`.
    fn adopt(&mut self) {
        let orphans: Vec<String> = self
            .groups
            .values()
            .filter(|group| group.parents.is_empty() && group.name != "all")
            .map(|group| group.name.clone())
            .collect();
        for name in orphans {
            self.link("all", &name);
        }
    }

    /// `ungrouped` holds the hosts of no other group but `all`, and only those.
    fn tidy_ungrouped(&mut self) {
        let mut grouped: HashSet<String> = HashSet::new();
        for group in self.groups.values() {
            if group.name != "all" && group.name != "ungrouped" {
                grouped.extend(group.hosts.iter().cloned());
            }
        }
        let lonely: Vec<String> = self
            .hosts
            .keys()
            .filter(|name| !grouped.contains(*name))
            .cloned()
            .collect();
        if let Some(ungrouped) = self.groups.get_mut("ungrouped") {
            ungrouped.hosts.retain(|name| !grouped.contains(name));
            ungrouped.hosts.extend(lonely);
        }
    }

    /// The longest way from `all`, by raising children until nothing changes; there are no cycles.
    fn set_depths(&mut self) {
        let mut queue: VecDeque<(String, usize)> = VecDeque::from([("all".to_owned(), 0)]);
        while let Some((name, depth)) = queue.pop_front() {
            let Some(group) = self.groups.get_mut(&name) else {
                continue;
            };
            if depth < group.depth {
                continue;
            }
            group.depth = depth;
            for child in group.children.clone() {
                if self
                    .groups
                    .get(&child)
                    .is_some_and(|group| group.depth <= depth)
                {
                    queue.push_back((child, depth + 1));
                }
            }
        }
    }

    fn set_groups_of_hosts(&mut self) {
        let mut of_hosts: HashMap<String, HashSet<&str>> = HashMap::new();
        for group in self.groups.values() {
            if group.hosts.is_empty() {
                continue;
            }
            let above = self.walk(&group.name, |group| &group.parents);
            for host in &group.hosts {
                of_hosts.entry(host.clone()).or_default().extend(&above);
            }
        }
        let mut sorted: HashMap<String, Vec<String>> = HashMap::new();
        for (host, names) in of_hosts {
            let mut groups: Vec<&Group> = names
                .into_iter()
                .filter(|name| *name != "all")
                .filter_map(|name| self.groups.get(name))
                .collect();
            groups.sort_by_key(|group| (group.depth, group.priority, &group.name));
            let names = groups.into_iter().map(|group| group.name.clone());
            sorted.insert(host, names.collect());
        }
        for host in self.hosts.values_mut() {
            host.groups = sorted.remove(&host.name).unwrap_or_default();
        }
    }

    fn hosts_below(&self, group: &str) -> Vec<String> {
        let mut hosts: IndexSet<&String> = IndexSet::new();
        for name in self.descendants(group) {
            if let Some(group) = self.groups.get(name) {
                hosts.extend(&group.hosts);
            }
        }
        hosts.into_iter().cloned().collect()
    }

    fn warn_of_names_used_twice(&mut self) {
        for host in self.hosts.values() {
            let Some(group) = self.groups.get(&host.name) else {
                continue;
            };
            let message = format!("`{}` is both a host and a group", host.name);
            if let Some(span) = &host.span {
                let mut diagnostic = Diagnostic::warning(span, message)
                    .note("as a pattern, it selects the host only");
                if let Some(span) = &group.span {
                    diagnostic = diagnostic.label(span, "the group");
                }
                self.warnings.push(diagnostic.help("rename one of them"));
            }
        }
    }
}

/// Sets a variable; a later one wins.
pub(super) fn set(variables: &mut Arc<Variables>, name: &str, value: Node) {
    Arc::make_mut(variables).insert(name.to_owned(), value);
}

/// The directory that `inventory_dir` gives for a file.
pub(super) fn directory_of(path: &Path) -> PathBuf {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::path::absolute(directory).map_or_else(|_| directory.to_owned(), |path| tidy(&path))
}

/// Without `.` and, as far as names alone tell, `..`.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                tidied.pop();
            }
            _ => tidied.push(component),
        }
    }
    tidied
}

static IMPLICIT: LazyLock<[Host; 3]> = LazyLock::new(|| {
    let source = Source::named("the implicit localhost", "local");
    let span = Span::new(&source, 0, source.text().len());
    let vars = [("ansible_connection".to_owned(), Node::string(span, "local"))];
    let vars = Arc::new(Variables::from_iter(vars));
    LOCALHOST.map(|name| Host {
        name: name.to_owned(),
        vars: Arc::clone(&vars),
        groups: Vec::new(),
        inventory_file: None,
        inventory_dir: None,
        span: None,
        implicit: true,
    })
});
