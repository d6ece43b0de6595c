//! `template`: a file rendered with the task's variables.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::mode::Mode;
use crate::args::mode::mode_of;
use crate::args::path::RemotePath;
use crate::args::{ControlTemplate, Flag, Text};
use crate::controller::RenderOptions;
use crate::describe::{Invalid, Return};
use crate::files::content::Content;
use crate::files::write::{Attributes, ContentSource, FileWrite, WRITTEN, check_validate};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Renders a template of the control host with the task's variables, and writes the result on the
/// node as `copy` does: whole or not at all, in one round trip.
///
/// Block tags take the newline after them along (`trim_blocks`), and a newline at the end of the file
/// is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateArgs {
    /// A template on the control host, looked for in `templates/` beside the task file and the
    /// playbook, then beside these themselves.
    src: ControlTemplate,
    /// Where to, on the node. If it is a folder, or ends with `/`, the file keeps its name in it.
    dest: RemotePath,
    /// The mode: octal in quotes (`'0644'`), symbolic (`u=rw,g=r,o=`), or `preserve` for that of the
    /// template. Without it a file that exists keeps its mode, and a new one gets what the umask
    /// leaves.
    mode: Option<Mode>,
    /// The user who owns the file, by name or number. Without it: as it is.
    owner: Option<Text>,
    /// The group of the file, by name or number. Without it: as it is.
    group: Option<Text>,
    /// Keep a copy of the file as it was beside it, named with the time.
    #[serde(default)]
    backup: Flag,
    /// `no`: leave a file alone that exists, whatever it holds.
    #[serde(default = "Flag::yes")]
    force: Flag,
    /// Follow a link at the destination. Otherwise it is replaced by the file.
    #[serde(default)]
    follow: Flag,
    /// A command on the node that must accept the new file before it takes its place; `%s` is its
    /// name: `haproxy -c -f %s`. It is run without a shell. Check mode does not run it.
    validate: Option<Text>,
    /// Drop the newline after a block tag.
    #[serde(default = "Flag::yes")]
    trim_blocks: Flag,
    /// Drop the white space before a block tag at the start of a line.
    #[serde(default)]
    lstrip_blocks: Flag,
    /// How lines end in the result: `\n`, `\r\n` or `\r`.
    #[serde(default)]
    newline_sequence: Newline,
    /// The encoding of the result. Only `utf-8` is known.
    #[serde(default)]
    #[expect(dead_code, reason = "there is only one; reading it refuses others")]
    output_encoding: Encoding,
    /// What begins a block, instead of `{%`.
    #[schemars(extend("x-syntax" = true))]
    block_start_string: Option<Text>,
    /// What ends a block, instead of `%}`.
    #[schemars(extend("x-syntax" = true))]
    block_end_string: Option<Text>,
    /// What begins an expression, instead of `{{`.
    #[schemars(extend("x-syntax" = true))]
    variable_start_string: Option<Text>,
    /// What ends an expression, instead of `}}`.
    #[schemars(extend("x-syntax" = true))]
    variable_end_string: Option<Text>,
    /// What begins a comment, instead of `{#`.
    #[schemars(extend("x-syntax" = true))]
    comment_start_string: Option<Text>,
    /// What ends a comment, instead of `#}`.
    #[schemars(extend("x-syntax" = true))]
    comment_end_string: Option<Text>,
    /// Write into the file in place where it cannot be replaced, as `/etc/hosts` in a container.
    #[serde(default)]
    unsafe_writes: Flag,
}

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
enum Newline {
    /// As Unix has it.
    #[default]
    #[serde(rename = "\n")]
    #[schemars(extend("x-aliases" = ["\\n"]))]
    Feed,
    /// As Windows has it.
    #[serde(rename = "\r\n")]
    #[schemars(extend("x-aliases" = ["\\r\\n"]))]
    ReturnFeed,
    /// As old Macs had it.
    #[serde(rename = "\r")]
    #[schemars(extend("x-aliases" = ["\\r"]))]
    Return,
}

/// How text becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
enum Encoding {
    /// The only one.
    #[default]
    #[serde(rename = "utf-8")]
    #[schemars(extend("x-aliases" = ["utf8", "UTF-8"]))]
    Utf8,
}

impl Arguments for TemplateArgs {
    const NAME: &'static str = "template";
    const RETURNS: &'static [Return] = &WRITTEN;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Configure the application from templates/app.conf.j2\n  template:\n    src: app.conf.j2\n    dest: /etc/app.conf\n    mode: '0640'\n    backup: true\n  vars:\n    port: 8080\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        check_validate(self.validate.as_ref())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let path = context.control.find("templates", &self.src)?;
        let mut text = context.control.render(&path, &self.render_options())?;
        match self.newline_sequence {
            Newline::Feed => {}
            Newline::ReturnFeed => text = text.replace('\n', "\r\n"),
            Newline::Return => text = text.replace('\n', "\r"),
        }
        let content = Content::bytes(text.into_bytes());
        let write = FileWrite {
            base: path.file_name().and_then(|name| name.to_str()),
            attributes: Attributes {
                source_mode: Some(mode_of(&path)?),
                ..Attributes::of(self.mode.as_ref(), self.owner.as_ref(), self.group.as_ref())
            },
            force: *self.force,
            follow: *self.follow,
            backup: *self.backup,
            validate: self.validate.as_ref(),
            unsafe_writes: *self.unsafe_writes,
            ..FileWrite::new(&self.dest, ContentSource::Here(&content))
        };
        let records = write.run(context).await?;
        if records.flag("exists") {
            return Ok(Outcome::ok()
                .with("dest", records.text("dest").unwrap_or_default())
                .message("the file exists and `force` is `no`"));
        }
        let source = path.display().to_string();
        Ok(write
            .outcome(context, &records, &source)
            .with("src", source))
    }
}

impl TemplateArgs {
    fn render_options(&self) -> RenderOptions {
        let given = [
            (&self.block_start_string, "{%"),
            (&self.block_end_string, "%}"),
            (&self.variable_start_string, "{{"),
            (&self.variable_end_string, "}}"),
            (&self.comment_start_string, "{#"),
            (&self.comment_end_string, "#}"),
        ];
        let delimiters = given.iter().any(|(text, _)| text.is_some()).then(|| {
            given.map(|(text, usual)| text.as_ref().map_or(usual, |text| text).to_owned())
        });
        RenderOptions {
            trim_blocks: *self.trim_blocks,
            lstrip_blocks: *self.lstrip_blocks,
            delimiters,
        }
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
