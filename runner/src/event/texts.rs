//! The texts of an event, for whoever must look at each: secrets are redacted before an event leaves
//! the engine, and control characters escaped before a person sees it.
//!
//! Events are taken apart without `..`: a new field does not compile until somebody has decided here what
//! it holds.

use std::sync::Arc;

use serde_json::Value;

use super::{Diff, EventKind, Finished, Recap, TaskInfo};

/// A text of an event.
#[derive(Debug)]
pub enum Text<'a> {
    /// The name of a host in the inventory.
    Host(&'a mut String),
    /// One line.
    Line(&'a mut String),
    /// Lines.
    Block(&'a mut String),
    /// A value with texts in it.
    Value(&'a mut Value),
}

impl EventKind {
    /// All its texts.
    pub fn texts(&mut self) -> Vec<Text<'_>> {
        let mut texts = Texts(Vec::new());
        texts.event(self);
        texts.0
    }
}

struct Texts<'a>(Vec<Text<'a>>);

impl<'a> Texts<'a> {
    fn hosts(&mut self, hosts: &'a mut [String]) {
        self.0.extend(hosts.iter_mut().map(Text::Host));
    }

    fn lines(&mut self, lines: impl IntoIterator<Item = &'a mut String>) {
        self.0.extend(lines.into_iter().map(Text::Line));
    }

    fn blocks(&mut self, blocks: impl IntoIterator<Item = &'a mut String>) {
        self.0.extend(blocks.into_iter().map(Text::Block));
    }

    fn event(&mut self, what: &'a mut EventKind) {
        match what {
            EventKind::RunStarted {
                playbooks,
                check: _,
                at: _,
            } => self.lines(playbooks),
            EventKind::PlaybookStarted { playbook } => self.lines([playbook]),
            EventKind::PlayStarted { name, hosts } => {
                self.lines([name]);
                self.hosts(hosts);
            }
            EventKind::PlaySkipped { name, reason } => self.lines([name, reason]),
            EventKind::BatchStarted {
                number: _,
                of: _,
                hosts,
            } => self.hosts(hosts),
            EventKind::TaskStarted {
                task: _,
                info,
                hosts: _,
            } => self.info(Arc::make_mut(info)),
            EventKind::HostStarted { task: _, host } => self.0.push(Text::Host(host)),
            EventKind::Progress {
                task: _,
                host,
                line,
            } => {
                self.0.push(Text::Host(host));
                self.lines([line]);
            }
            EventKind::Retrying {
                task: _,
                host,
                left: _,
                result,
            }
            | EventKind::HostFinished {
                task: _,
                host,
                result,
            } => {
                self.0.push(Text::Host(host));
                self.finished(result);
            }
            EventKind::ItemFinished {
                task: _,
                host,
                item,
                result,
            } => {
                self.0.extend([Text::Host(host), Text::Value(item)]);
                self.finished(result);
            }
            EventKind::TaskFinished { task: _ } => {}
            EventKind::Included { file, hosts } => {
                self.lines([file]);
                self.hosts(hosts);
            }
            EventKind::Warning { message } => self.blocks([message]),
            EventKind::Stopped { message, hint } => {
                self.blocks([message]);
                self.blocks(hint);
            }
            EventKind::RunFinished {
                recap,
                interrupted: _,
            } => {
                for (host, counts) in recap {
                    let _: &Recap = counts;
                    self.0.push(Text::Host(host));
                }
            }
        }
    }

    fn info(&mut self, info: &'a mut TaskInfo) {
        let TaskInfo {
            name,
            module,
            handler: _,
            file,
            line: _,
            no_log: _,
            shows: _,
        } = info;
        self.lines([name, module, file]);
    }

    fn finished(&mut self, finished: &'a mut Finished) {
        let Finished {
            status: _,
            changed: _,
            ignored: _,
            data,
            message,
            hint,
            diff,
            warnings,
            delegated_to,
            took: _,
        } = finished;
        self.0.push(Text::Value(data));
        self.blocks(message);
        self.blocks(hint);
        self.blocks(warnings);
        // Not a name of the inventory: a template made it.
        self.lines(delegated_to);
        for diff in diff {
            let Diff {
                before_header,
                after_header,
                before,
                after,
            } = diff;
            self.lines([before_header, after_header]);
            self.blocks([before, after]);
        }
    }
}
