//! Hosts and groups, who belongs to whom, and the variables that inventory files give them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use indexmap::{IndexMap, IndexSet};

use super::parts::{Beside, Group, Host, Link, Variables};
use super::tree;
use crate::yaml::{self, Diagnostic, Node, Severity, Source, Span};

/// How deep groups may be in each other.
const DEEPEST: usize = 100;

/// How many members the groups may have, all together: a host counts once for each group that it is
/// in, and a group once for each that it is below.
pub(super) const MOST_MEMBERS: usize = 2_000_000;

/// After so many errors the rest is not read: this is no inventory. More warnings are not kept.
pub(super) const MOST_TOLD: usize = 500;

/// Names that mean the control host itself, whether or not an inventory has them.
pub const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// All hosts and groups of a run.
#[derive(Debug, Clone)]
pub struct Inventory {
    pub(super) hosts: IndexMap<String, Host>,
    pub(super) groups: IndexMap<String, Group>,
    pub(super) beside: Arc<Beside>,
    warnings: Vec<Diagnostic>,
    members: HashMap<String, Vec<Arc<str>>>,
    /// How many bytes of variables the hosts of ranges have, beside those of the first of each.
    pub(super) copied: usize,
    /// How many hosts the groups name, each as often as it is named.
    pub(super) named: usize,
    /// Whether there is too much of something to read on.
    pub(super) full: bool,
    /// What makes groups children of others, in the order of the files.
    links: Vec<Link>,
    /// The first host whose name means the control host.
    local: Option<String>,
}

/// Where hosts are being read from.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    pub file: Option<Arc<str>>,
    pub dir: Option<Arc<Path>>,
}

impl Default for Inventory {
    fn default() -> Self {
        let mut inventory = Self {
            hosts: IndexMap::new(),
            groups: IndexMap::new(),
            beside: Arc::default(),
            warnings: Vec::new(),
            members: HashMap::new(),
            copied: 0,
            named: 0,
            full: false,
            links: Vec::new(),
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
    pub fn members(&self, group: &str) -> &[Arc<str>] {
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

    /// Adds a warning, unless there are more than anybody reads.
    pub(super) fn warn(&mut self, warning: Diagnostic) {
        if self.warnings.len() < MOST_TOLD {
            self.warnings.push(warning);
        }
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

    /// Makes `child` a child of `parent`; both are known groups. That no group is below itself is
    /// found out in [`Inventory::settle`].
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
        if child == "all" {
            return Err(Diagnostic::error(
                span,
                format!("`all` cannot be a child of `{parent}`: it is above every group"),
            )
            .help("name the groups that are meant"));
        }
        self.links.push(Link {
            parent: parent.to_owned(),
            child: child.to_owned(),
            span: span.clone(),
        });
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

    /// Brings in order what follows from the files as a whole; to be called when all are read. Errors:
    /// groups that contain each other, and more of them in each other than anyone means.
    pub(super) fn settle(&mut self) -> Result<(), Vec<Diagnostic>> {
        let circles = tree::circles(&self.links);
        if !circles.is_empty() {
            return Err(circles
                .into_iter()
                .map(|link| self.contain_each_other(link))
                .collect());
        }
        self.links.clear();
        self.adopt();
        self.tidy_ungrouped();
        let order = tree::from_above(&self.groups);
        self.set_depths(&order)?;
        self.set_members(&order)?;
        self.set_groups_of_hosts();
        self.warn_of_names_used_twice();
        Ok(())
    }

    fn contain_each_other(&self, link: &Link) -> Diagnostic {
        let Link {
            parent,
            child,
            span,
        } = link;
        let message = format!("groups `{parent}` and `{child}` contain each other");
        let mut diagnostic = Diagnostic::error(span, message)
            .label(span, format!("makes `{child}` a child of `{parent}`"));
        if let Some(other) = self.groups.get(child).and_then(|group| group.span.as_ref()) {
            diagnostic = diagnostic.label(other, format!("`{child}` leads to `{parent}`"));
        }
        diagnostic.help("take one of them out of the other's children")
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

    /// The longest way from `all`. `order`: all groups, each after its parents.
    fn set_depths(&mut self, order: &[String]) -> Result<(), Vec<Diagnostic>> {
        for name in order {
            let above = self.groups[name].parents.iter();
            let above = above.filter_map(|parent| self.groups.get(parent));
            let depth = above.map(|parent| parent.depth + 1).max().unwrap_or(0);
            self.groups[name].depth = depth;
            if depth > DEEPEST {
                return Err(vec![self.too_deep(name)]);
            }
        }
        Ok(())
    }

    fn too_deep(&self, name: &str) -> Diagnostic {
        let mut way = vec![name.to_owned()];
        let mut at = self.groups.get(name);
        while let Some(group) = at {
            let above = group.parents.iter();
            at = above
                .filter_map(|parent| self.groups.get(parent))
                .max_by_key(|parent| parent.depth);
            way.extend(at.map(|parent| parent.name.clone()));
        }
        way.reverse();
        let message = format!("groups are in each other more than {DEEPEST} deep");
        let error = match self.groups.get(name).and_then(|group| group.span.as_ref()) {
            Some(span) => Diagnostic::error(span, message),
            None => Diagnostic::new(Severity::Error, message),
        };
        error
            .note(format!("the way here: {}", yaml::way(&way)))
            .help("make them children of fewer groups")
    }

    /// The hosts of each group and of those below it. `order`: all groups, each after its parents.
    fn set_members(&mut self, order: &[String]) -> Result<(), Vec<Diagnostic>> {
        let mut budget = MOST_MEMBERS;
        let mut members = HashMap::new();
        // A host is in many groups, and its name there once.
        let names = self.hosts.keys().map(|name| Arc::from(name.as_str()));
        let names: HashMap<&str, Arc<str>> =
            (self.hosts.keys().map(String::as_str)).zip(names).collect();
        for name in order {
            let below = self.descendants(name, &mut budget);
            let hosts = below.and_then(|below| self.hosts_of(&below, &names, &mut budget));
            let Some(hosts) = hosts else {
                return Err(vec![self.too_many(name)]);
            };
            members.insert(name.clone(), hosts);
        }
        self.members = members;
        Ok(())
    }

    /// A group and all below it, each once, nearest first; nothing when the budget is used up.
    fn descendants<'a>(&'a self, group: &'a str, budget: &mut usize) -> Option<IndexSet<&'a str>> {
        let mut seen = IndexSet::from([group]);
        let mut at = 0;
        while let Some(name) = seen.get_index(at) {
            at += 1;
            for child in self
                .groups
                .get(*name)
                .into_iter()
                .flat_map(|group| &group.children)
            {
                *budget = budget.checked_sub(1)?;
                seen.insert(child);
            }
        }
        Some(seen)
    }

    /// The hosts of these groups, each once.
    fn hosts_of(
        &self,
        groups: &IndexSet<&str>,
        names: &HashMap<&str, Arc<str>>,
        budget: &mut usize,
    ) -> Option<Vec<Arc<str>>> {
        let mut hosts: IndexSet<&String> = IndexSet::new();
        for group in groups.iter().filter_map(|name| self.groups.get(*name)) {
            *budget = budget.checked_sub(group.hosts.len())?;
            hosts.extend(&group.hosts);
        }
        let shared = hosts.into_iter().map(|host| names.get(host.as_str()));
        Some(shared.flatten().cloned().collect())
    }

    fn too_many(&self, name: &str) -> Diagnostic {
        let largest = (self.groups.values()).max_by_key(|group| group.hosts.len());
        let largest = largest.map_or("all", |group| group.name.as_str());
        let message = format!(
            "hosts and groups are in each other in more than {MOST_MEMBERS} ways, with group `{name}`"
        );
        let error = match self.groups.get(name).and_then(|group| group.span.as_ref()) {
            Some(span) => Diagnostic::error(span, message),
            None => Diagnostic::new(Severity::Error, message),
        };
        error
            .note(format!(
                "there are {} hosts and {} groups; `{largest}` names the most hosts itself",
                self.hosts.len(),
                self.groups.len()
            ))
            .help("check the ends of ranges; name a host in few groups, and those as children of others")
    }

    /// The groups of each host, from those that have it.
    fn set_groups_of_hosts(&mut self) {
        let mut sorted: Vec<&Group> = self.groups.values().collect();
        sorted.sort_by_key(|group| (group.depth, group.priority, &group.name));
        let mut of_hosts: HashMap<&str, Vec<Arc<str>>> = HashMap::new();
        for group in sorted.iter().filter(|group| group.name != "all") {
            let name: Arc<str> = Arc::from(group.name.as_str());
            for host in self.members.get(&group.name).into_iter().flatten() {
                of_hosts.entry(host).or_default().push(Arc::clone(&name));
            }
        }
        for host in self.hosts.values_mut() {
            host.groups = of_hosts.remove(host.name.as_str()).unwrap_or_default();
        }
    }

    fn warn_of_names_used_twice(&mut self) {
        let mut warnings = Vec::new();
        for host in self.hosts.values() {
            if warnings.len() >= MOST_TOLD {
                break;
            }
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
                warnings.push(diagnostic.help("rename one of them"));
            }
        }
        for warning in warnings {
            self.warn(warning);
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
