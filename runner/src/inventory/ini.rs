//! Reads an INI inventory as Ansible does, and says of each line that makes no sense what is wrong
//! with it.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use windlass_modules::python::words::{self, Unsplit, Word};

use super::model::{Inventory, MOST_TOLD, Origin};
use super::{literal, range, shared};
use crate::yaml::{Diagnostic, Source, Span, did_you_mean};

/// So many errors say which name may be meant.
const SUGGESTED: usize = 20;

/// Adds what `source` says to `inventory`. Every line is read, whatever is wrong with others.
pub(super) fn read(
    source: &Arc<Source>,
    origin: &Origin,
    inventory: &mut Inventory,
) -> Result<(), Vec<Diagnostic>> {
    let mut reader = Reader {
        source,
        origin,
        inventory,
        section: Some(("ungrouped".to_owned(), SectionKind::Hosts)),
        declared: IndexSet::new(),
        waiting: IndexMap::new(),
        vars_of: Vec::new(),
        errors: Vec::new(),
    };
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        reader.line(line, start);
        start += line.len();
        if reader.inventory.full || reader.errors.len() >= MOST_TOLD {
            break;
        }
    }
    reader.finish()
}

/// What the lines of a section are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SectionKind {
    Hosts,
    Children,
    Vars,
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    origin: &'a Origin,
    inventory: &'a mut Inventory,
    /// `None` after a section header that makes no sense: its lines are passed over.
    section: Option<(String, SectionKind)>,
    /// Groups that a `[group]` or `[group:children]` of this file declares.
    declared: IndexSet<String>,
    /// Children with the parents whose `[parent:children]` names them, and the child's place there,
    /// until the child is declared. The order in which Ansible links them is the order of a group's
    /// hosts.
    waiting: IndexMap<String, Vec<(String, Span)>>,
    /// Groups that have a `[group:vars]`, with the place of the name.
    vars_of: Vec<(String, Span)>,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn span(&self, start: usize, text: &str) -> Span {
        Span::new(self.source, start, start + text.len())
    }

    fn line(&mut self, line: &str, start: usize) {
        let start = start + line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            return;
        }
        if line.starts_with('[') && !is_bracketed_host(line) {
            self.section = match self.header(line, start) {
                Ok(section) => Some(section),
                Err(error) => {
                    self.errors.push(error);
                    None
                }
            };
            return;
        }
        let Some((group, kind)) = self.section.clone() else {
            return;
        };
        let result = match kind {
            SectionKind::Hosts => self.host(line, start, &group),
            SectionKind::Children => self.child(line, start, &group),
            SectionKind::Vars => self.variable(line, start, &group),
        };
        self.errors.extend(result.err());
    }

    /// `[group]`, `[group:children]` or `[group:vars]`, perhaps with a comment.
    fn header(&mut self, line: &str, start: usize) -> Result<(String, SectionKind), Diagnostic> {
        let whole = self.span(start, line);
        let Some((inside, after)) = line[1..].split_once(']') else {
            return Err(
                Diagnostic::error(&whole, "a section header is never closed")
                    .help("end it with `]`, as in [workers]"),
            );
        };
        let after = after.trim_start();
        if !after.is_empty() && !after.starts_with('#') {
            let span = self.span(start + line.len() - after.len(), after);
            let mut error = Diagnostic::error(&span, "there is something after a section header");
            error = if after.starts_with(';') {
                error.help("after a section header, only `#` begins a comment")
            } else {
                error.help("write hosts on the lines that follow")
            };
            return Err(error);
        }
        let (name, suffix) = match inside.split_once(':') {
            Some((name, suffix)) => (name, Some(suffix)),
            None => (inside, None),
        };
        let name_span = self.span(start + 1, name);
        if name.trim().is_empty() {
            return Err(Diagnostic::error(&whole, "a group without a name")
                .help("write the group's name between the brackets, as in [workers]"));
        }
        if name.contains(char::is_whitespace) {
            return Err(
                Diagnostic::error(&name_span, "spaces in a section header").help(format!(
                    "write [{}]",
                    inside.split_whitespace().collect::<Vec<_>>().join("_")
                )),
            );
        }
        shared::group_name(name, &name_span)?;
        let kind =
            match suffix {
                None | Some("hosts") => SectionKind::Hosts,
                Some("children") => SectionKind::Children,
                Some("vars") => SectionKind::Vars,
                Some(other) => {
                    let span = self.span(start + 2 + name.len(), other);
                    let known = ["hosts", "children", "vars"];
                    return Err(Diagnostic::error(
                        &span,
                        format!("`{other}` is not a kind of section"),
                    )
                    .note("a section is [group], [group:children] or [group:vars]")
                    .help(did_you_mean(other, known).unwrap_or_else(|| {
                        "take it away, or write `children` or `vars`".to_owned()
                    })));
                }
            };
        if kind == SectionKind::Vars {
            self.vars_of.push((name.to_owned(), name_span.clone()));
        } else {
            self.declared.insert(name.to_owned());
        }
        self.inventory.add_group(name, Some(&name_span));
        if kind != SectionKind::Vars {
            self.link_waiting(name);
        }
        Ok((name.to_owned(), kind))
    }

    fn host(&mut self, line: &str, start: usize, group: &str) -> Result<(), Diagnostic> {
        let split = words::read(line, true).map_err(|error| self.unsplit(line, start, &error))?;
        let Some((first, rest)) = split.words.split_first() else {
            return Ok(());
        };
        if let Some(cut) = split.cut {
            let span = Span::new(self.source, start + cut, start + line.len());
            self.inventory.warn(
                Diagnostic::warning(&span, "from the `#` on, this is a comment")
                    .note("in a line with a host, `#` begins a comment even within a word")
                    .help("if it belongs to the value, put the value in quotes"),
            );
        }
        let span = Span::new(
            self.source,
            start + first.range.start,
            start + first.range.end,
        );
        let (hosts, port) = range::expand(&first.text).map_err(|wrong| {
            // Inside quotes or escapes, places in the word are not places in the line.
            let same = first.range.len() == first.text.len();
            let span = if same {
                span.within(wrong.range.start, wrong.range.end)
            } else {
                span.clone()
            };
            Diagnostic::error(&span, wrong.message).help(wrong.help)
        })?;
        let mut variables = Vec::new();
        for word in rest {
            variables.push(self.assignment(word, start)?);
        }
        let size = variables.iter();
        let size = size.map(|(name, value, _)| shared::size_of_text(name, value));
        let size = shared::weight(&hosts, size.sum());
        shared::room(self.inventory, &hosts, size, &span)?;
        for name in hosts {
            shared::add_host(self.inventory, &name, group, port, self.origin, &span);
            for (key, value, at) in &variables {
                let node = literal::value(value, at);
                shared::set_host_variable(self.inventory, &name, key, node);
            }
        }
        Ok(())
    }

    /// `name=value` after a host: the name, the text of the value, and where that stands.
    fn assignment(
        &mut self,
        word: &Word,
        start: usize,
    ) -> Result<(String, String, Span), Diagnostic> {
        let span = Span::new(
            self.source,
            start + word.range.start,
            start + word.range.end,
        );
        let Some((name, value)) = word.text.split_once('=') else {
            return Err(Diagnostic::error(
                &span,
                format!(
                    "`{}` is neither a host of its own nor `name=value`",
                    word.text
                ),
            )
            .note("after a host, a line has only variables, as in `web1 ansible_host=10.0.0.1`")
            .help("write one host a line; put a value with spaces in quotes"));
        };
        let written = span.text();
        let at = written.find('=').map_or(0, |at| at + 1);
        let value_span = span.within(at, written.len());
        self.check_name(name, &span.within(0, at.saturating_sub(1)))?;
        Ok((name.to_owned(), value.to_owned(), value_span))
    }

    fn check_name(&mut self, name: &str, span: &Span) -> Result<(), Diagnostic> {
        if name.is_empty() {
            return Err(Diagnostic::error(span, "a variable without a name")
                .help("write its name before the `=`, without spaces around it"));
        }
        if !shared::is_name(name) {
            self.inventory.warn(
                Diagnostic::warning(span, format!("no template can name the variable `{name}`"))
                    .note("names have letters, digits and `_`, and do not begin with a digit")
                    .help("rename it"),
            );
        }
        Ok(())
    }

    fn unsplit(&self, line: &str, start: usize, error: &Unsplit) -> Diagnostic {
        let end = start + line.len();
        match error {
            Unsplit::Quote(at) => Diagnostic::error(
                &Span::new(self.source, start + at, end),
                "a quote is never closed",
            )
            .help("close it on the same line; write a quote that is meant as such as \\\" or \\'"),
            Unsplit::Escape(at) => Diagnostic::error(
                &Span::new(self.source, start + at, end),
                "a line cannot go on after a `\\` at its end",
            )
            .help("write the host and its variables on one line, or use host_vars/"),
        }
    }

    fn child(&mut self, line: &str, start: usize, group: &str) -> Result<(), Diagnostic> {
        let name = line.split('#').next().unwrap_or_default().trim_end();
        let span = self.span(start, name);
        if name.contains(char::is_whitespace) || name.contains(['=', ':', ']']) {
            return Err(
                Diagnostic::error(&span, format!("`{name}` is not the name of a group"))
                    .note(format!(
                        "[{group}:children] has the name of one group a line"
                    ))
                    .help("put hosts under [GROUP] and variables under [GROUP:vars]"),
            );
        }
        if self.inventory.groups.contains_key(name) {
            return self.inventory.add_child(group, name, &span);
        }
        let parents = self.waiting.entry(name.to_owned()).or_default();
        parents.push((group.to_owned(), span));
        Ok(())
    }

    /// Links a group that is now declared to those that named it as a child before.
    fn link_waiting(&mut self, name: &str) {
        let ready = self.waiting.swap_remove(name);
        for (parent, span) in ready.into_iter().flatten() {
            let result = self.inventory.add_child(&parent, name, &span);
            self.errors.extend(result.err());
        }
    }

    fn variable(&mut self, line: &str, start: usize, group: &str) -> Result<(), Diagnostic> {
        let Some((name, value)) = line.split_once('=') else {
            return Err(Diagnostic::error(
                &self.span(start, line),
                format!("[{group}:vars] has lines `name=value`, but this is none"),
            )
            .help("put hosts under [GROUP]; in a YAML inventory the file's name ends in .yml"));
        };
        let text = value.trim();
        let at = start + line.len() - value.trim_start().len();
        let node = literal::value(text, &self.span(at, text));
        let name = name.trim_end();
        self.check_name(name, &self.span(start, name))?;
        shared::set_group_variable(self.inventory, group, name, node)
    }

    /// What can be told only when all lines are read.
    fn finish(mut self) -> Result<(), Vec<Diagnostic>> {
        // As in Ansible, a group of an earlier inventory will do as well.
        for (name, span) in std::mem::take(&mut self.vars_of) {
            if self.errors.len() >= MOST_TOLD {
                break;
            }
            if !self.is_group(&name, &span) {
                let error = Diagnostic::error(
                    &span,
                    format!("variables for `{name}`, and no group is called so"),
                );
                self.errors.push(error.help(self.nearest(&name)));
            }
        }
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let mut waiting: Vec<(String, String, Span)> = waiting
            .flat_map(|(child, parents)| {
                let parents = parents.into_iter();
                parents.map(move |(parent, span)| (parent, child.clone(), span))
            })
            .collect();
        waiting.sort_by_key(|(_, _, span)| span.start);
        for (parent, child, span) in waiting {
            if self.errors.len() >= MOST_TOLD {
                break;
            }
            let message = format!("no group is called `{child}`");
            let mut error = Diagnostic::error(&span, message).help(self.nearest(&child));
            if self.inventory.hosts.contains_key(&child) {
                error = error.note(format!("`{child}` is a host; hosts go under [{parent}]"));
            }
            self.errors.push(error);
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }

    /// Whether `name` is a group of this file or of one before it, and not only of the `[name:vars]`
    /// at hand.
    fn is_group(&self, name: &str, span: &Span) -> bool {
        self.declared.contains(name)
            || self.inventory.groups.get(name).is_some_and(|group| {
                group
                    .span
                    .as_ref()
                    .is_none_or(|first| first.source != span.source)
            })
    }

    fn nearest(&self, name: &str) -> String {
        // Each time all names are looked at.
        if self.errors.len() >= SUGGESTED {
            return format!("write [{name}], with its hosts below it");
        }
        let known = self.inventory.groups.keys().map(String::as_str);
        let declared = known.filter(|group| *group != name);
        did_you_mean(name, declared)
            .unwrap_or_else(|| format!("write [{name}], with its hosts below it"))
    }
}

/// `[2001:db8::1]:22 …`: a host in brackets, with a port.
fn is_bracketed_host(line: &str) -> bool {
    line.split_once(']')
        .is_some_and(|(inside, after)| inside.matches(':').count() > 1 && after.starts_with(':'))
}
