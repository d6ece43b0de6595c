//! `copy`: files and folders from the control host, or a text, to a path on the node.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::args::mode::{Mode, mode_of};
use crate::args::path::RemotePath;
use crate::args::{ControlFile, Data, Flag, Text, scalar_text};
use crate::describe::{Invalid, Return, Rule, When};
use crate::files::content::Content;
use crate::files::tree::Tree;
use crate::files::write::{
    Attributes, ContentSource, FileWrite, WRITTEN, check_validate, warnings,
};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Copies a file, a folder with all that is in it, or a text to a path on the node.
///
/// The file is written whole or not at all: beside the destination, checked, and renamed over it. It
/// is only sent when the node has another; what is sent is verified there. One round trip for a file
/// of up to 256 KiB and for any file that is already there; two for a larger one.
///
/// A folder as `src` is copied with its name (`src: conf`, `dest: /etc` makes `/etc/conf`), or only
/// what is in it where `src` ends with `/`. Files at the destination that the source does not have
/// are left alone.
///
/// SELinux contexts: a file keeps the one it had; a new one gets what `restorecon` gives it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyArgs {
    /// A file or folder on the control host, looked for in `files/` beside the task file and the
    /// playbook, then beside these themselves; with `remote_src`, a path on the node.
    src: Option<ControlFile>,
    /// The text that the file is to hold, instead of `src`. A mapping or list becomes JSON.
    content: Option<Data>,
    /// Where to, on the node. If it is a folder, or ends with `/`, the file keeps its name in it;
    /// folders that a `/` at the end names are created.
    dest: RemotePath,
    /// The mode: octal in quotes (`'0644'`), symbolic (`u=rw,g=r,o=`), or `preserve` for that of the
    /// source. Without it a file that exists keeps its mode, and a new one gets what the umask leaves.
    mode: Option<Mode>,
    /// The user who owns the file, by name or number. Without it: as it is.
    owner: Option<Text>,
    /// The group of the file, by name or number. Without it: as it is.
    group: Option<Text>,
    /// The mode of folders that are created. Without it: what the umask leaves.
    directory_mode: Option<Mode>,
    /// Keep a copy of the file as it was beside it, named with the time.
    #[serde(default)]
    backup: Flag,
    /// `no`: leave a file alone that exists, whatever it holds.
    #[serde(default = "Flag::yes")]
    force: Flag,
    /// Follow a link at the destination. Otherwise it is replaced by the file.
    #[serde(default)]
    follow: Flag,
    /// Follow links in a folder that is copied; `no` makes the same links on the node.
    #[serde(default = "Flag::yes")]
    local_follow: Flag,
    /// `src` is a path on the node.
    #[serde(default)]
    remote_src: Flag,
    /// The SHA-1 that the source must have.
    checksum: Option<Text>,
    /// A command on the node that must accept the new file before it takes its place; `%s` is its
    /// name: `visudo -cf %s`. It is run without a shell. Check mode does not run it.
    validate: Option<Text>,
    /// Write into the file in place where it cannot be replaced, as `/etc/hosts` in a container. A
    /// broken link then leaves half a file.
    #[serde(default)]
    unsafe_writes: Flag,
}

impl Arguments for CopyArgs {
    const NAME: &'static str = "copy";
    const RULES: &'static [Rule] = &[
        Rule::ExactlyOne(&["src", "content"]),
        Rule::Needs(When::Yes("remote_src"), &["src"]),
    ];
    const RETURNS: &'static [Return] = &WRITTEN;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Greet those who log in\n  copy:\n    content: \"this node belongs to {{ inventory_hostname }}\\n\"\n    dest: /etc/motd\n    mode: '0644'\n",
        "- name: Send a folder of files/ with all that is in it\n  copy:\n    src: conf.d/\n    dest: /etc/conf.d/\n    mode: u=rw,go=r\n    directory_mode: '0755'\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        if self.content.is_some() {
            if self.dest.as_str().ends_with('/') {
                return Err(Invalid::new(
                    &["dest", "content"],
                    format!(
                        "`content` needs a file as `dest`, and {} is a folder; name the file, too",
                        self.dest
                    ),
                ));
            }
            if self.mode == Some(Mode::Preserve) {
                return Err(Invalid::new(
                    &["mode", "content"],
                    "`mode: preserve` needs `src`",
                ));
            }
        }
        if self.directory_mode == Some(Mode::Preserve) {
            return Err(Invalid::new(
                &["directory_mode"],
                "`directory_mode` cannot be `preserve`",
            ));
        }
        check_validate(self.validate.as_ref())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        match (&self.src, &self.content) {
            (Some(src), _) if *self.remote_src => self.there(context, src).await,
            (Some(src), _) => {
                let path = context.control.find("files", src)?;
                if path.is_dir() {
                    self.folder(context, src, &path).await
                } else {
                    self.file(context, src, &path).await
                }
            }
            (None, content) => {
                let text = content
                    .as_ref()
                    .map(|data| text_of(data))
                    .unwrap_or_default();
                let content = Content::bytes(text.into_bytes());
                self.check_sum(&content, "the content")?;
                let write = self.write(ContentSource::Here(&content), None, None);
                self.finish(context, &write, "").await
            }
        }
    }
}

impl CopyArgs {
    fn write<'a>(
        &'a self,
        content: ContentSource<'a>,
        base: Option<&'a str>,
        source_mode: Option<u32>,
    ) -> FileWrite<'a> {
        FileWrite {
            base,
            attributes: self.attributes(source_mode),
            directory_mode: self.directory_mode.as_ref(),
            force: *self.force,
            follow: *self.follow,
            backup: *self.backup,
            validate: self.validate.as_ref(),
            unsafe_writes: *self.unsafe_writes,
            ..FileWrite::new(&self.dest, content)
        }
    }

    fn attributes(&self, source_mode: Option<u32>) -> Attributes<'_> {
        Attributes {
            source_mode,
            ..Attributes::of(self.mode.as_ref(), self.owner.as_ref(), self.group.as_ref())
        }
    }

    async fn there(&self, context: &Context<'_>, src: &str) -> Result<Outcome, Failure> {
        let path = RemotePath::new(src).map_err(|why| Failure::new(why.to_string()))?;
        let base = src.trim_end_matches('/').rsplit('/').next();
        let from = ContentSource::There {
            path: &path,
            sha1: self.checksum.as_deref(),
            follow: *self.local_follow,
        };
        let write = self.write(from, base, None);
        Ok(self.finish(context, &write, src).await?.with("src", src))
    }

    async fn file(
        &self,
        context: &Context<'_>,
        src: &str,
        path: &Path,
    ) -> Result<Outcome, Failure> {
        let content = Content::file(path)?;
        self.check_sum(&content, src)?;
        let base = path.file_name().and_then(|name| name.to_str());
        let source = path.display().to_string();
        let write = self.write(ContentSource::Here(&content), base, Some(mode_of(path)?));
        Ok(self
            .finish(context, &write, &source)
            .await?
            .with("src", source))
    }

    async fn folder(
        &self,
        context: &Context<'_>,
        src: &str,
        path: &Path,
    ) -> Result<Outcome, Failure> {
        let tree = Tree::read(path, *self.local_follow)?;
        let dest = match path.file_name().and_then(|name| name.to_str()) {
            Some(name) if !src.ends_with('/') => self.dest.join(name),
            _ => self.dest.clone(),
        };
        let nothing = Content::bytes(Vec::new());
        let pattern = FileWrite {
            dest: &dest,
            parents: true,
            ..self.write(ContentSource::Here(&nothing), None, None)
        };
        let outcome = tree.copy(context, &pattern).await?;
        Ok(outcome
            .with("src", path.display().to_string())
            .with("dest", dest.as_str()))
    }

    async fn finish(
        &self,
        context: &Context<'_>,
        write: &FileWrite<'_>,
        source: &str,
    ) -> Result<Outcome, Failure> {
        let records = write.run(context).await?;
        if records.flag("tree") {
            let mut outcome =
                Outcome::changed(records.all("changed").any(|changed| changed == b"1"));
            outcome.warnings = warnings(&records);
            return Ok(outcome.with("dest", self.dest.as_str()));
        }
        if records.flag("exists") {
            return Ok(Outcome::ok()
                .with("dest", records.text("dest").unwrap_or_default())
                .message("the file exists and `force` is `no`"));
        }
        Ok(write.outcome(context, &records, source))
    }

    fn check_sum(&self, content: &Content, what: &str) -> Result<(), Failure> {
        match self.checksum.as_deref() {
            Some(wanted) if !wanted.eq_ignore_ascii_case(&content.sums.sha1) => {
                Err(Failure::new(format!(
                    "{what} has the checksum {}, not {wanted} as `checksum` says",
                    content.sums.sha1
                )))
            }
            _ => Ok(()),
        }
    }
}

/// `content` as a text; mappings and lists as Python's `json.dumps` writes them.
fn text_of(content: &Value) -> String {
    scalar_text(content).unwrap_or_else(|| {
        let mut text = String::new();
        json(content, &mut text);
        text
    })
}

fn json(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                json(item, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            text.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                json(&Value::String(key.clone()), text);
                text.push_str(": ");
                json(item, text);
            }
            text.push('}');
        }
        scalar => {
            // Python escapes what is not ASCII, as UTF-16.
            for c in scalar.to_string().chars() {
                if c.is_ascii() {
                    text.push(c);
                } else {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        text.push_str(&format!("\\u{unit:04x}"));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
