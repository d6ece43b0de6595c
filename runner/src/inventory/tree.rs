//! Groups in groups, as a whole: whether they go in a circle, and in which order they stand.

use std::collections::HashMap;

use indexmap::{IndexMap, IndexSet};

use super::parts::{Group, Link};

/// How many circles are told of at once.
const TOLD: usize = 10;

/// The links that close a circle with those before them.
pub(super) fn circles(links: &[Link]) -> Vec<&Link> {
    let mut wrong = Vec::new();
    let mut links: Vec<&Link> = links.iter().collect();
    while wrong.len() < TOLD && has_circle(&links) {
        // The first one with which there is a circle: halving finds it without trying them all.
        let (mut without, mut with) = (0, links.len());
        while with - without > 1 {
            let middle = usize::midpoint(without, with);
            if has_circle(&links[..middle]) {
                with = middle;
            } else {
                without = middle;
            }
        }
        wrong.push(links.remove(with - 1));
    }
    wrong
}

fn has_circle(links: &[&Link]) -> bool {
    let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut above: HashMap<&str, usize> = HashMap::new();
    for link in links {
        children.entry(&link.parent).or_default().push(&link.child);
        above.entry(&link.parent).or_default();
        *above.entry(&link.child).or_default() += 1;
    }
    let groups = above.len();
    let mut ready: Vec<&str> = (above.iter())
        .filter(|(_, above)| **above == 0)
        .map(|(name, _)| *name)
        .collect();
    let mut done = 0;
    while let Some(name) = ready.pop() {
        done += 1;
        for child in children.get(name).into_iter().flatten() {
            if let Some(left) = above.get_mut(child) {
                *left -= 1;
                if *left == 0 {
                    ready.push(child);
                }
            }
        }
    }
    done < groups
}

/// All groups, each after all that it is a child of. There is no circle.
pub(super) fn from_above(groups: &IndexMap<String, Group>) -> Vec<String> {
    let mut left: HashMap<&str, usize> = groups
        .values()
        .map(|group| (group.name.as_str(), group.parents.len()))
        .collect();
    let first = groups.values().filter(|group| group.parents.is_empty());
    let mut order: IndexSet<&str> = first.map(|group| group.name.as_str()).collect();
    let mut at = 0;
    while let Some(name) = order.get_index(at).copied() {
        at += 1;
        for child in groups
            .get(name)
            .into_iter()
            .flat_map(|group| &group.children)
        {
            if let Some(left) = left.get_mut(child.as_str()) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    order.insert(child);
                }
            }
        }
    }
    order.into_iter().map(str::to_owned).collect()
}
