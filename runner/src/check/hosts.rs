//! Which hosts a play runs on: its pattern must be right, and match some.

use std::sync::Arc;

use super::input::Input;
use crate::inventory::{Pattern, PatternError};
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
        let mut unknown = Vec::new();
        for item in items {
            let text = item.as_str().unwrap_or_else(|| item.source_text());
            let at = |error: PatternError| {
                error.diagnostic(&item.inside(error.range.start, error.range.end))
            };
            match Pattern::parse(text) {
                Ok(pattern) => {
                    unknown.extend(input.inventory.unknown_parts(&pattern).into_iter().map(at));
                    patterns.push(pattern);
                }
                Err(error) => found.push(at(error)),
            }
        }
        if patterns.len() < items.len() {
            continue;
        }
        let pattern = Pattern::join(patterns);
        match input.inventory.select(&pattern, None) {
            Ok(_) => {
                found.extend(unknown.into_iter().filter_map(probably_a_slip));
                found.extend(empty(hosts, &pattern, input));
            }
            Err(error) if unknown.is_empty() => found.push(error.diagnostic(&hosts.span)),
            Err(_) => found.extend(unknown),
        }
    }
}

/// A name that is not known, beside others that are: an inventory may lack a group, but a name that is
/// nearly that of a group or host is rather a slip.
fn probably_a_slip(diagnostic: Diagnostic) -> Option<Diagnostic> {
    let help = diagnostic.help.as_deref()?;
    help.starts_with("did you mean").then_some(Diagnostic {
        severity: Severity::Warning,
        ..diagnostic
    })
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
