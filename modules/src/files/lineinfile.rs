//! `lineinfile`: a line in a file of the node.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::mode::Mode;
use crate::args::path::RemotePath;
use crate::args::pattern::Pattern;
use crate::args::{Flag, Presence, Text};
use crate::describe::{Invalid, Return, Rule, When};
use crate::files::edit::{Coding, Edit, Missing};
use crate::files::lines::{Find, LinePosition, Present, absent, present};
use crate::files::write::{ATTRIBUTES, Attributes, check_mode, check_validate};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Sees that a line is in a file, or is not.
///
/// The file is read, changed on the control host, and written back whole, but only if nothing else
/// changed it in between; then it starts again. One round trip when nothing is to change, two
/// otherwise. Links are followed.
///
/// Regular expressions are Python's. Those that need `regexp` twice, or more than a line, are better
/// served by `template` or `blockinfile`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineInFileArgs {
    /// The file on the node.
    #[schemars(extend("x-aliases" = ["dest", "destfile", "name"]))]
    path: RemotePath,
    /// Whether the line should be there.
    #[serde(default)]
    state: Presence,
    /// The line, without its end. Needed for `present`.
    #[schemars(extend("x-aliases" = ["value"]))]
    line: Option<Text>,
    /// A regular expression. `present`: the last line that it matches becomes `line`; where none does,
    /// `line` is added, unless it is there already. `absent`: all lines that it matches go.
    #[schemars(extend("x-aliases" = ["regex"]))]
    regexp: Option<Pattern>,
    /// As `regexp`, but a text that the line must contain.
    search_string: Option<Text>,
    /// Fill groups of the match into `line`: `\1`, `\g<name>`. Where nothing matches the file is left
    /// alone.
    #[serde(default)]
    backrefs: Flag,
    /// Add the line after the last line that this regular expression matches; `EOF`, or no match: at
    /// the end of the file; `BOF`: at its start.
    insertafter: Option<Text>,
    /// Add the line before the last line that this regular expression matches; `BOF`: at the start of
    /// the file. No match: at its end.
    insertbefore: Option<Text>,
    /// The first match counts, for `regexp`, `insertafter` and `insertbefore`; not the last.
    #[serde(default)]
    firstmatch: Flag,
    /// Create the file if it does not exist, and its folders.
    #[serde(default)]
    create: Flag,
    /// Keep a copy of the file as it was beside it, named with the time.
    #[serde(default)]
    backup: Flag,
    /// A command on the node that must accept the new file; `%s` is its name: `visudo -cf %s`. It is
    /// run without a shell. Check mode does not run it.
    validate: Option<Text>,
    /// The mode: octal in quotes (`'0644'`) or symbolic (`u=rw,g=r,o=`).
    mode: Option<Mode>,
    /// The user who owns the file, by name or number.
    owner: Option<Text>,
    /// The group of the file, by name or number.
    group: Option<Text>,
    /// Write into the file in place where it cannot be replaced, as `/etc/hosts` in a container.
    #[serde(default)]
    unsafe_writes: Flag,
}

impl Arguments for LineInFileArgs {
    const NAME: &'static str = "lineinfile";
    const RULES: &'static [Rule] = &[
        Rule::AtMostOne(&["insertafter", "insertbefore"]),
        Rule::AtMostOne(&["regexp", "search_string"]),
        Rule::Needs(When::Yes("backrefs"), &["regexp"]),
        Rule::Needs(When::Is("state", &["present"]), &["line"]),
        Rule::NeedsOne(
            When::Is("state", &["absent"]),
            &["line", "regexp", "search_string"],
        ),
    ];
    const RETURNS: &'static [Return] = &Return::joined::<13>(&[
        &[
            Return::text(
                "msg",
                "`line added`, `line replaced`, `2 line(s) removed` or nothing",
            ),
            Return::int("found", "how many lines were removed"),
            Return::text("backup", "the copy of the file as it was, or nothing"),
            Return::text("backup_file", "the same, if there is one"),
            Return::text("dest", "the file on the node"),
            Return::text("checksum", "the SHA-1 of what was to be written"),
        ],
        &ATTRIBUTES,
    ]);
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Let nobody log in as root with a password\n  lineinfile:\n    path: /etc/ssh/sshd_config\n    regexp: '^#?PermitRootLogin '\n    line: PermitRootLogin prohibit-password\n",
        "- name: Take swap out of the mounts\n  lineinfile:\n    path: /etc/fstab\n    regexp: '\\sswap\\s'\n    state: absent\n    backup: true\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        check_mode(self.mode.as_ref())?;
        self.anchor()
            .map_err(Invalid::about(&["insertafter", "insertbefore"]))?;
        check_validate(self.validate.as_ref())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let anchor = self.anchor().map_err(Failure::new)?;
        let edit = Edit {
            path: &self.path,
            attributes: Attributes::of(
                self.mode.as_ref(),
                self.owner.as_ref(),
                self.group.as_ref(),
            ),
            create: *self.create,
            backup: *self.backup,
            validate: self.validate.as_ref(),
            unsafe_writes: *self.unsafe_writes,
            missing: match self.state {
                Presence::Present => Missing::Needed,
                Presence::Absent => Missing::Fine,
            },
        };
        let found = std::sync::atomic::AtomicUsize::new(0);
        let outcome = edit
            .run(context, |text, coding| {
                let (edited, gone) = self.change(text, coding, anchor.as_ref())?;
                found.store(gone, std::sync::atomic::Ordering::Relaxed);
                Ok(edited)
            })
            .await?;
        Ok(self.finish(outcome, found.into_inner()))
    }
}

impl LineInFileArgs {
    fn change(
        &self,
        text: &str,
        coding: Coding,
        anchor: Option<&Pattern>,
    ) -> Result<(Option<(String, String)>, usize), String> {
        let line = coding.read(self.line.as_deref().unwrap_or_default());
        let part = self.search_string.as_deref().map(|part| coding.read(part));
        let find = match (&self.regexp, &part) {
            (Some(pattern), _) => Find::Pattern(pattern),
            (None, Some(part)) => Find::Part(part),
            (None, None) => Find::Line,
        };
        if self.state == Presence::Absent {
            return absent(text, &line, find);
        }
        let start = Some("BOF");
        let place = match anchor {
            Some(pattern) if self.insertafter.is_some() => LinePosition::After(pattern),
            Some(pattern) => LinePosition::Before(pattern),
            None if self.insertafter.as_deref() == start
                || self.insertbefore.as_deref() == start =>
            {
                LinePosition::Start
            }
            None => LinePosition::End,
        };
        let wanted = Present {
            line: &line,
            find,
            place,
            backrefs: *self.backrefs,
            first: *self.firstmatch,
        };
        Ok((present(text, &wanted)?, 0))
    }

    /// The expression of `insertafter` or `insertbefore`.
    fn anchor(&self) -> Result<Option<Pattern>, String> {
        match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
            (Some("EOF" | "BOF"), _) | (None, None | Some("BOF")) => Ok(None),
            (Some(text), _) | (None, Some(text)) => Pattern::new(text).map(Some),
        }
    }

    fn finish(&self, mut outcome: Outcome, found: usize) -> Outcome {
        if self.state == Presence::Absent {
            outcome = outcome.with("found", found);
        }
        let empty = self
            .regexp
            .as_ref()
            .is_some_and(|it| it.as_str().is_empty())
            || self.search_string.as_deref() == Some("");
        if empty {
            outcome.warnings.push(
                "an empty `regexp` or `search_string` matches every line of the file; say `^` if \
                 that is meant"
                    .to_owned(),
            );
        }
        let backup = outcome.data.get("backup_file").cloned();
        outcome.with("backup", backup.unwrap_or_else(|| "".into()))
    }
}

#[cfg(test)]
#[path = "lineinfile_tests.rs"]
mod tests;
