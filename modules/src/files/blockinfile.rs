//! `blockinfile`: lines between two markers in a file of the node.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::mode::Mode;
use crate::args::path::RemotePath;
use crate::args::pattern::Pattern;
use crate::args::{Flag, Presence, Text};
use crate::describe::{Invalid, Return, Rule};
use crate::files::block::{Block, BlockPosition, edit};
use crate::files::edit::{Coding, Edit, Missing};
use crate::files::write::{ATTRIBUTES, Attributes, check_mode, check_validate};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Sees that a block of lines, between two marker lines, is in a file, or is not.
///
/// The file is read, changed on the control host, and written back whole, but only if nothing else
/// changed it in between; then it starts again. One round trip when nothing is to change, two
/// otherwise. Links are followed.
///
/// Several blocks in one file need markers of their own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockInFileArgs {
    /// The file on the node.
    #[schemars(extend("x-aliases" = ["dest", "destfile", "name"]))]
    path: RemotePath,
    /// Whether the block should be there.
    #[serde(default)]
    state: Presence,
    /// The lines. Without any, the block goes.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["content"]))]
    block: Text,
    /// The marker lines; `{mark}` is `marker_begin` in the first and `marker_end` in the second.
    #[serde(default = "BlockInFileArgs::usual_marker")]
    marker: Text,
    /// What `{mark}` is in the line before the block.
    #[serde(default = "BlockInFileArgs::usual_begin")]
    marker_begin: Text,
    /// What `{mark}` is in the line after the block.
    #[serde(default = "BlockInFileArgs::usual_end")]
    marker_end: Text,
    /// A new block goes after the last line that this regular expression matches; `EOF`, or no match:
    /// at the end of the file.
    insertafter: Option<Text>,
    /// A new block goes before the last line that this regular expression matches; `BOF`: at the start
    /// of the file. No match: at its end.
    insertbefore: Option<Text>,
    /// An empty line after the block.
    #[serde(default)]
    append_newline: Flag,
    /// An empty line before the block.
    #[serde(default)]
    prepend_newline: Flag,
    /// Create the file if it does not exist, and its folders.
    #[serde(default)]
    create: Flag,
    /// Keep a copy of the file as it was beside it, named with the time.
    #[serde(default)]
    backup: Flag,
    /// A command on the node that must accept the new file; `%s` is its name: `sshd -t -f %s`. It is
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

impl Arguments for BlockInFileArgs {
    const NAME: &'static str = "blockinfile";
    const RULES: &'static [Rule] = &[Rule::AtMostOne(&["insertafter", "insertbefore"])];
    const RETURNS: &'static [Return] = &Return::joined::<11>(&[
        &[
            Return::text(
                "msg",
                "`Block inserted`, `Block removed`, `File created` or nothing",
            ),
            Return::text("dest", "the file on the node"),
            Return::text("checksum", "the SHA-1 of what was to be written"),
        ],
        &ATTRIBUTES,
        &[Return::text(
            "backup_file",
            "the copy of the file as it was, if there is one",
        )],
    ]);
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Name the control planes\n  blockinfile:\n    path: /etc/hosts\n    marker: '# {mark} control planes'\n    block: |\n      10.0.0.11 cp1\n      10.0.0.12 cp2\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        if self.line(&self.marker_begin) == self.line(&self.marker_end) {
            return Err(Invalid::new(
                &["marker", "marker_begin", "marker_end"],
                format!(
                    "the lines before and after the block must differ, and both are `{}`; put \
                     {{mark}} into `marker`",
                    self.line(&self.marker_begin)
                ),
            ));
        }
        check_mode(self.mode.as_ref())?;
        self.anchor()
            .map_err(Invalid::about(&["insertafter", "insertbefore"]))?;
        check_validate(self.validate.as_ref())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let anchor = self.anchor().map_err(Failure::new)?;
        let file = Edit {
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
                Presence::Absent => Missing::Fine,
                Presence::Present => Missing::Needed,
            },
        };
        file.run(context, |text, coding| {
            self.change(text, coding, anchor.as_ref())
        })
        .await
    }
}

impl BlockInFileArgs {
    fn usual_marker() -> Text {
        Text::from("# {mark} ANSIBLE MANAGED BLOCK")
    }

    fn usual_begin() -> Text {
        Text::from("BEGIN")
    }

    fn usual_end() -> Text {
        Text::from("END")
    }

    fn line(&self, mark: &str) -> String {
        self.marker.replace("{mark}", mark)
    }

    fn change(
        &self,
        text: &str,
        coding: Coding,
        anchor: Option<&Pattern>,
    ) -> Result<Option<(String, String)>, String> {
        let lines = match self.state {
            Presence::Present => coding.read(&self.block),
            Presence::Absent => String::new(),
        };
        let place = match anchor {
            Some(pattern) if self.insertafter.is_some() => BlockPosition::After(pattern),
            Some(pattern) => BlockPosition::Before(pattern),
            None if self.insertbefore.is_some() => BlockPosition::Start,
            None => BlockPosition::End,
        };
        let new = edit(
            text,
            &Block {
                begin: &coding.read(&self.line(&self.marker_begin)),
                end: &coding.read(&self.line(&self.marker_end)),
                text: &lines,
                place,
                prepend_newline: *self.prepend_newline,
                append_newline: *self.append_newline,
            },
        )?;
        let message = if lines.is_empty() {
            "Block removed"
        } else {
            "Block inserted"
        };
        Ok((new != text).then(|| (new, message.to_owned())))
    }

    /// The expression of `insertafter` or `insertbefore`.
    fn anchor(&self) -> Result<Option<Pattern>, String> {
        match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
            (Some("EOF"), _) | (None, None | Some("BOF")) => Ok(None),
            (Some(text), _) | (None, Some(text)) => Pattern::new(text).map(Some),
        }
    }
}

#[cfg(test)]
#[path = "blockinfile_tests.rs"]
mod tests;
