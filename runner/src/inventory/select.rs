//! From a pattern to the hosts of an inventory.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexSet;

use super::model::Inventory;
use super::parts::Host;
use super::pattern::{NamePattern, Pattern, PatternError, PatternPart, SetOperation, Subscript};
use crate::yaml::did_you_mean;

/// How many parts of a pattern may look at every host.
const MOST_WALKS: usize = 500;

/// How many unknown names are told of.
const MOST_UNKNOWN: usize = 100;

impl Inventory {
    /// The hosts of `pattern`, in the order in which it names them, those of a group in the
    /// inventory's order; of those, the ones in `limit` (an empty limit is none). None may be left over.
    ///
    /// A plain name that is no group and no host is an error where the pattern then matches no host
    /// at all; beside names that are known it is passed over ([`Inventory::unknown_parts`] reports
    /// it), so that a playbook can name a group that some inventories lack. In a limit, and after `!`
    /// and `&`, it is always an error. A glob or a regular expression may match nothing.
    pub fn select(
        &self,
        pattern: &Pattern,
        limit: Option<&Pattern>,
    ) -> Result<Vec<String>, PatternError> {
        let (hosts, mut unknown) = self.evaluate(pattern)?;
        if hosts.is_empty() && !unknown.is_empty() {
            return Err(unknown.swap_remove(0));
        }
        let Some(limit) = limit.filter(|limit| !limit.is_empty()) else {
            return Ok(hosts.into_iter().map(str::to_owned).collect());
        };
        let allowed = self.limited(limit)?;
        let hosts = hosts.into_iter().filter(|host| allowed.contains(host));
        Ok(hosts.map(str::to_owned).collect())
    }

    /// Checks that a limit leaves any host at all.
    pub fn check_limit(&self, limit: &Pattern) -> Result<(), PatternError> {
        if !self.limited(limit)?.is_empty() {
            return Ok(());
        }
        Err(PatternError {
            message: "this limit leaves no host".to_owned(),
            help: "check its patterns; `windlass inventory --graph` shows hosts and groups"
                .to_owned(),
            range: 0..limit.parts.last().map_or(0, |part| part.range.end),
        })
    }

    /// The parts of a pattern that are plain names which no group and no host has.
    pub fn unknown_parts(&self, pattern: &Pattern) -> Vec<PatternError> {
        self.evaluate(pattern)
            .map_or_else(|error| vec![error], |(_, unknown)| unknown)
    }

    fn limited<'a>(&'a self, limit: &'a Pattern) -> Result<IndexSet<&'a str>, PatternError> {
        let (hosts, mut unknown) = self.evaluate(limit)?;
        if unknown.is_empty() {
            Ok(hosts)
        } else {
            Err(unknown.swap_remove(0))
        }
    }

    /// First what is added, then what is kept, then what is removed, whatever the order of the parts.
    ///
    /// Gives the names that nothing has as well.
    fn evaluate<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> Result<(IndexSet<&'a str>, Vec<PatternError>), PatternError> {
        let mut unknown = Vec::new();
        let mut hosts: IndexSet<&str> = IndexSet::new();
        let adds = pattern
            .parts
            .iter()
            .any(|part| part.operation == SetOperation::Add);
        if !adds && !pattern.is_empty() {
            hosts.extend(self.members("all").iter().map(AsRef::as_ref));
        }
        let mut parts: Vec<&PatternPart> = pattern.parts.iter().collect();
        parts.sort_by_key(|part| part.operation);
        let mut known = HashSet::new();
        let mut removed: HashSet<&str> = HashSet::new();
        let mut walks = 0;
        for part in parts {
            if !known.insert((part.operation, &part.text)) {
                continue;
            }
            walks +=
                usize::from(part.operation == SetOperation::Keep || part.matches.looks_at_all());
            if walks > MOST_WALKS {
                return Err(too_many(part));
            }
            let Some(matched) = self.matched(part)? else {
                // A slip after `!` would let in hosts that were meant to be left out.
                if part.operation != SetOperation::Add {
                    return Err(self.unknown(part));
                }
                if unknown.len() < MOST_UNKNOWN {
                    unknown.push(self.unknown(part));
                }
                continue;
            };
            match part.operation {
                SetOperation::Add => hosts.extend(matched),
                SetOperation::Keep => {
                    let matched: HashSet<&str> = matched.into_iter().collect();
                    hosts.retain(|host| matched.contains(host));
                }
                SetOperation::Remove => removed.extend(matched),
            }
        }
        hosts.retain(|host| !removed.contains(host));
        Ok((hosts, unknown))
    }

    /// What a part matches; nothing where it is a plain name that no group and no host has.
    fn matched<'a>(&'a self, part: &'a PatternPart) -> Result<Option<Vec<&'a str>>, PatternError> {
        // A host's name is only that host, even if a group has the name too.
        if let Some(host) = self.hosts.get(&part.text) {
            return Ok(Some(vec![&host.name]));
        }
        let groups: Vec<_> = match &part.matches {
            NamePattern::Name(name) => self.groups.get(name).into_iter().collect(),
            shape => (self.groups.values())
                .filter(|group| shape.is_match(&group.name))
                .collect(),
        };
        let mut hosts: IndexSet<&str> = IndexSet::new();
        for group in &groups {
            hosts.extend(self.members(&group.name).iter().map(AsRef::as_ref));
        }
        match &part.matches {
            NamePattern::Name(name) if groups.is_empty() => {
                hosts.extend(self.hosts.get(name).map(|host| host.name.as_str()));
            }
            NamePattern::Name(_) => {}
            shape => {
                let matching = self.hosts.keys().filter(|host| shape.is_match(host));
                hosts.extend(matching.map(String::as_str));
            }
        }
        if hosts.is_empty()
            && let Some(host) = part.local().and_then(|name| self.host(name))
        {
            hosts.insert(&host.name);
        }
        if hosts.is_empty() && groups.is_empty() && matches!(part.matches, NamePattern::Name(_)) {
            return Ok(None);
        }
        let hosts = hosts.into_iter().collect();
        match part.subscript {
            Some(subscript) => taken(part, hosts, subscript).map(Some),
            None => Ok(Some(hosts)),
        }
    }

    fn unknown(&self, part: &PatternPart) -> PatternError {
        let name = part.name();
        let known = self.groups.keys().chain(self.hosts.keys());
        let help = did_you_mean(name, known.map(String::as_str)).unwrap_or_else(|| {
            if self.hosts.is_empty() {
                "there are no hosts: name an inventory with `-i`".to_owned()
            } else {
                "`windlass inventory --graph` shows hosts and groups".to_owned()
            }
        });
        PatternError {
            message: format!("no group and no host is called `{name}`"),
            help,
            range: part.range.clone(),
        }
    }

    /// Names of the groups of `host`, in the order of `group_names`.
    pub fn group_names(&self, host: &Host) -> Vec<Arc<str>> {
        let mut names = host.groups.clone();
        names.sort_unstable();
        names
    }
}

fn too_many(part: &PatternPart) -> PatternError {
    PatternError {
        message: format!("a pattern with more than {MOST_WALKS} parts that look at all hosts"),
        help: "name groups; a part with `&`, `*`, `?`, `[` or `~` is compared with every host"
            .to_owned(),
        range: part.range.clone(),
    }
}

fn taken<'a>(
    part: &PatternPart,
    hosts: Vec<&'a str>,
    subscript: Subscript,
) -> Result<Vec<&'a str>, PatternError> {
    let count = hosts.len();
    match subscript {
        _ if hosts.is_empty() => Ok(hosts),
        Subscript::Slice(start, end) => {
            let end = end.map_or(count, |end| end.saturating_add(1).min(count));
            Ok(hosts.get(start..end).unwrap_or_default().to_vec())
        }
        Subscript::One(index) => {
            let from_end = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
            let index = if index < 0 {
                count.checked_sub(from_end)
            } else {
                Some(from_end)
            };
            let host = index.and_then(|index| hosts.get(index));
            host.map(|host| vec![*host]).ok_or_else(|| PatternError {
                message: format!("`{}` asks for a host that is not there", part.text),
                help: format!(
                    "`{}` has {count} host{}, counted from 0",
                    part.name(),
                    if count == 1 { "" } else { "s" }
                ),
                range: part.range.clone(),
            })
        }
    }
}
