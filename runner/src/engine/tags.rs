//! Which tasks `--tags` and `--skip-tags` select.
//!
//! Source of the rules: the "Tags" page of Ansible's playbook guide. `always` runs unless skipped by
//! name, `never` only when asked for by one of its task's tags; `tagged`, `untagged` and `all` are
//! words of their own in both lists.

use std::collections::BTreeSet;

use super::options::TagFilter;

/// Whether a task with these tags runs.
pub fn selected(tags: &BTreeSet<String>, filter: &TagFilter) -> bool {
    wanted(tags, &filter.only) && !unwanted(tags, &filter.skip)
}

fn wanted(tags: &BTreeSet<String>, only: &BTreeSet<String>) -> bool {
    let named = !tags.is_disjoint(only);
    let never = tags.contains("never");
    if tags.contains("always") && !never {
        return true;
    }
    if only.is_empty() || only.contains("all") {
        return named || !never;
    }
    named
        || (only.contains("tagged") && !tags.is_empty() && !never)
        || (only.contains("untagged") && tags.is_empty())
}

fn unwanted(tags: &BTreeSet<String>, skip: &BTreeSet<String>) -> bool {
    if skip.is_empty() {
        return false;
    }
    if skip.contains("all") {
        return !tags.contains("always") || skip.contains("always");
    }
    !tags.is_disjoint(skip)
        || (skip.contains("tagged") && !tags.is_empty())
        || (skip.contains("untagged") && tags.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(words: &str) -> BTreeSet<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    fn runs(tags: &str, only: &str, skip: &str) -> bool {
        selected(
            &set(tags),
            &TagFilter {
                only: set(only),
                skip: set(skip),
            },
        )
    }

    #[test]
    fn without_filters_all_but_never_run() {
        assert!(runs("", "", ""));
        assert!(runs("a", "", ""));
        assert!(runs("always", "", ""));
        assert!(!runs("never", "", ""));
        assert!(!runs("never a", "", ""));
    }

    #[test]
    fn only_selects_by_name_and_keeps_always() {
        assert!(runs("a b", "a", ""));
        assert!(!runs("b", "a", ""));
        assert!(!runs("", "a", ""));
        assert!(runs("always", "a", ""));
        assert!(runs("never a", "a", ""));
        assert!(runs("never", "never", ""));
        assert!(runs("a", "tagged", ""));
        assert!(!runs("", "tagged", ""));
        assert!(runs("", "untagged", ""));
    }

    #[test]
    fn skip_wins() {
        assert!(!runs("a", "", "a"));
        assert!(!runs("a", "a", "a"));
        assert!(!runs("always", "", "always"));
        assert!(!runs("a", "", "all"));
        assert!(runs("always", "", "all"));
        assert!(!runs("a", "", "tagged"));
        assert!(!runs("", "", "untagged"));
    }
}
