//! Which hosts a play runs on: its pattern must be right, and match some.

use std::sync::Arc;

use super::run::Input;
use crate::inventory::Pattern;
use crate::playbook::{Play, has_template};
use crate::yaml::{Diagnostic, Node, Severity};

/// Checks the patterns that are literal.
pub(super) fn check(plays: &[Arc<Play>], input: &Input<'_>, found: &mut Vec<Diagnostic>) {
    for play in plays {
        let hosts = &play.hosts;
        let items = hosts.as_sequence().unwrap_or(std::slice::from_ref(hosts));
        if items
            .iter()
            .any(|item| item.as_str().is_some_and(has_template))
        {
            continue;
        }
        let mut patterns = Vec::new();
        let mut wrong = false;
        for item in items {
            match pattern(item, input) {
                Ok(pattern) => patterns.push(pattern),
                Err(diagnostic) => {
                    wrong = true;
                    found.push(diagnostic);
                }
            }
        }
        if !wrong {
            found.extend(empty(hosts, &Pattern::join(patterns), input));
        }
    }
}

/// Whether a play is sure to run on some host.
pub(super) fn is_sure_to_run(play: &Play, input: &Input<'_>) -> bool {
    let items = play
        .hosts
        .as_sequence()
        .unwrap_or(std::slice::from_ref(&play.hosts));
    let patterns: Option<Vec<Pattern>> = items
        .iter()
        .map(|item| {
            let text = item.as_str().filter(|text| !has_template(text))?;
            Pattern::parse(text).ok()
        })
        .collect();
    patterns.is_some_and(|patterns| {
        let selected = input
            .inventory
            .select(&Pattern::join(patterns), input.limit);
        selected.is_ok_and(|hosts| !hosts.is_empty())
    })
}

/// An item of `hosts`, each name in it known.
fn pattern(item: &Node, input: &Input<'_>) -> Result<Pattern, Diagnostic> {
    let text = item.as_str().unwrap_or_else(|| item.source_text());
    let pattern = Pattern::parse(text)
        .map_err(|error| error.diagnostic(&item.inside(error.range.start, error.range.end)))?;
    input
        .inventory
        .select(&pattern, None)
        .map_err(|error| error.diagnostic(&item.inside(error.range.start, error.range.end)))?;
    Ok(pattern)
}

/// A pattern that is right and matches no host.
fn empty(hosts: &Node, pattern: &Pattern, input: &Input<'_>) -> Option<Diagnostic> {
    let selected = input.inventory.select(pattern, None).ok()?;
    if !selected.is_empty() {
        return None;
    }
    if input.inventory.hosts().len() == 0 {
        return Some(
            Diagnostic::error(&hosts.span, "there are no hosts to run on")
                .note("the inventory is empty, or none was given")
                .help("name an inventory with `-i FILE`, or hosts with `-i host1,host2,`"),
        );
    }
    let text = hosts.source_text().trim_matches(['"', '\'']).to_owned();
    let diagnostic = Diagnostic::error(&hosts.span, format!("`{text}` matches no host"))
        .note("the play would do nothing")
        .help("check the pattern; `windlass inventory --graph` shows hosts and groups");
    // What is taken away or kept (`!a`, `&a`, `a[1:]`) and groups without hosts may well be empty.
    let may_be_empty = text.contains(['!', '&', '[', ':', ','])
        || input.inventory.group(&text).is_some()
        || hosts.as_sequence().is_some();
    Some(if may_be_empty {
        Diagnostic {
            severity: Severity::Warning,
            ..diagnostic
        }
    } else {
        diagnostic
    })
}
