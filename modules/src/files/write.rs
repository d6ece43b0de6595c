//! One file made what it should be: `w_write` of the kit, from Rust.

use crate::args::Text;
use crate::args::mode::Mode;
use crate::args::path::RemotePath;
use crate::describe::{Invalid, Return};
use crate::files::content::{AT_ONCE, Content};
use crate::kit::{self, Records, quote};
use crate::module::Context;
use crate::outcome::{Difference, Failure, Outcome};

/// Who a file belongs to, and who may do what with it; what is not given stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Attributes<'a> {
    /// The mode.
    pub mode: Option<&'a Mode>,
    /// The mode of a source on the control host, for `mode: preserve`.
    pub source_mode: Option<u32>,
    /// A user, by name or number.
    pub owner: Option<&'a Text>,
    /// A group, by name or number.
    pub group: Option<&'a Text>,
}

impl<'a> Attributes<'a> {
    /// Those of a task, which has no source whose mode could be kept.
    pub fn of(mode: Option<&'a Mode>, owner: Option<&'a Text>, group: Option<&'a Text>) -> Self {
        Self {
            mode,
            source_mode: None,
            owner,
            group,
        }
    }

    /// As options of the kit.
    pub fn options(&self, options: &mut Options) {
        let mode = self.mode.map(|mode| mode.steps(self.source_mode));
        options.text("mode", mode.as_deref().unwrap_or_default());
        options.text("owner", self.owner.map_or("", |owner| owner));
        options.text("group", self.group.map_or("", |group| group));
    }
}

/// The `w_opt_…` variables of a script.
#[derive(Debug, Default)]
pub struct Options(String);

impl Options {
    /// Those that the task itself decides.
    pub fn new(context: &Context<'_>) -> Self {
        let mut options = Self::default();
        options.flag("check", context.check);
        options.flag("diff", context.diff);
        options
    }

    /// A text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.word(name, &quote(value));
    }

    /// A word of sh source.
    pub fn word(&mut self, name: &str, word: &str) {
        self.0.push_str(&format!("w_opt_{name}={word}\n"));
    }

    /// 1 or 0.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.text(name, if value { "1" } else { "0" });
    }

    /// The assignments, and `rest` after them.
    pub fn then(self, rest: &str) -> String {
        self.0 + rest
    }
}

/// Where the content comes from.
#[derive(Debug, Clone, Copy)]
pub enum ContentSource<'a> {
    /// The control host.
    Here(&'a Content),
    /// A file on the node; or a folder, with all that is in it.
    There {
        /// Where.
        path: &'a RemotePath,
        /// What the SHA-1 of a file must be.
        sha1: Option<&'a str>,
        /// Links in a folder are followed, and not copied as links.
        follow: bool,
    },
}

/// A file that should be.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "they are the user's options")]
pub struct FileWrite<'a> {
    /// Where.
    pub dest: &'a RemotePath,
    /// Its name, where the destination is a folder.
    pub base: Option<&'a str>,
    /// What it holds.
    pub content: ContentSource<'a>,
    /// Mode and owner.
    pub attributes: Attributes<'a>,
    /// Missing folders are created, with this mode.
    pub parents: bool,
    /// See `parents`.
    pub directory_mode: Option<&'a Mode>,
    /// What the file must be now: digests as `w_digest` says them, or `absent`.
    pub expect: Option<&'a str>,
    /// A file that exists is replaced.
    pub force: bool,
    /// A link at the destination is followed.
    pub follow: bool,
    /// A copy of the file as it was is kept.
    pub backup: bool,
    /// A command that must accept the file; `%s` is its name.
    pub validate: Option<&'a Text>,
    /// Written in place where it cannot be replaced.
    pub unsafe_writes: bool,
}

impl<'a> FileWrite<'a> {
    /// A file at `dest` that holds `content`, with the defaults of `copy`.
    pub fn new(dest: &'a RemotePath, content: ContentSource<'a>) -> Self {
        Self {
            dest,
            base: None,
            content,
            attributes: Attributes::default(),
            parents: dest.as_str().ends_with('/'),
            directory_mode: None,
            expect: None,
            force: true,
            follow: false,
            backup: false,
            validate: None,
            unsafe_writes: false,
        }
    }

    /// Another file with the same options: `source_mode` is for `mode: preserve`.
    #[must_use]
    pub fn of<'b>(
        &self,
        dest: &'b RemotePath,
        content: &'b Content,
        source_mode: u32,
    ) -> FileWrite<'b>
    where
        'a: 'b,
    {
        FileWrite {
            dest,
            content: ContentSource::Here(content),
            attributes: Attributes {
                source_mode: Some(source_mode),
                ..self.attributes
            },
            ..*self
        }
    }

    /// Makes it so. One round trip; two where the content is large and needed.
    pub async fn run(&self, context: &Context<'_>) -> Result<Records, Failure> {
        match &self.content {
            ContentSource::Here(content) if !content.at_once() => {
                let records = self.once(context, false).await?;
                if records.flag("need") {
                    self.once(context, true).await
                } else {
                    Ok(records)
                }
            }
            _ => self.once(context, true).await,
        }
    }

    /// Makes it so where the node is known to need the content.
    pub async fn send(&self, context: &Context<'_>) -> Result<Records, Failure> {
        self.once(context, true).await
    }

    async fn once(&self, context: &Context<'_>, send: bool) -> Result<Records, Failure> {
        // In check mode the content is never needed.
        let send = send && !context.check;
        let options = self.options(context, send)?;
        let mut script = match &self.content {
            ContentSource::Here(_) => kit::script(&[kit::WRITE], options.then("w_write")),
            ContentSource::There { .. } => kit::script(&[kit::TREE], options.then("w_copy_there")),
        };
        if let (true, ContentSource::Here(content)) = (send, &self.content) {
            script = script.stdin(content.input());
        }
        Records::read(&context.host.run(script).await?)
    }

    /// As options of `w_write`; `send`: the content is on its standard input.
    pub fn options(&self, context: &Context<'_>, send: bool) -> Result<Options, Failure> {
        let mut options = Options::new(context);
        options.word("dest", &self.dest.word());
        options.text("base", self.base.unwrap_or_default());
        match &self.content {
            ContentSource::Here(content) => {
                options.text("size", &content.sums.size.to_string());
                options.text("sha", &content.sums.sha256);
                options.text("crc", &content.sums.cksum.to_string());
                options.flag("have", send);
            }
            ContentSource::There { path, sha1, follow } => {
                options.word("src", &path.word());
                options.text("sha1", sha1.unwrap_or_default());
                options.flag("src_follow", *follow);
            }
        }
        self.attributes.options(&mut options);
        options.flag("parents", self.parents);
        let directory = self.directory_mode.map(|mode| mode.steps(None));
        options.text("dir_mode", directory.as_deref().unwrap_or_default());
        options.text("expect", self.expect.unwrap_or_default());
        options.flag("force", self.force);
        options.flag("follow", self.follow);
        options.flag("backup", self.backup);
        if let Some(validate) = self.validate {
            options.text("validate", &validation(validate)?);
            options.text("validate_text", validate);
        }
        options.flag("unsafe", self.unsafe_writes);
        Ok(options)
    }

    /// The result of a run, with differences if they are wanted.
    pub fn outcome(&self, context: &Context<'_>, records: &Records, source: &str) -> Outcome {
        let mut outcome = attribute_data(Outcome::changed(records.flag("changed")), records)
            .with("dest", records.text("dest").unwrap_or_default());
        if let ContentSource::Here(content) = &self.content {
            outcome = outcome.with("checksum", content.sums.sha1.clone());
        }
        if let Some(backup) = records.text("backup_file") {
            outcome = outcome.with("backup_file", backup);
        }
        outcome.warnings = warnings(records);
        if context.diff {
            outcome
                .diff
                .extend(self.content_difference(records, source));
            outcome.diff.extend(attribute_difference(records));
        }
        outcome
    }

    fn content_difference(&self, records: &Records, source: &str) -> Option<Difference> {
        if !records.flag("content_changed") {
            return None;
        }
        let dest = records.text("dest").unwrap_or_default();
        let size = |key: &str| records.number(key).unwrap_or_default();
        let before = match records.bytes("before") {
            Some(bytes) => shown(bytes),
            None if records.flag("before_big") => {
                format!("({} bytes, not shown)\n", size("was_size"))
            }
            None => String::new(),
        };
        let after = match &self.content {
            ContentSource::Here(content) => match content.in_memory() {
                Some(bytes) if bytes.len() as u64 <= AT_ONCE => shown(bytes),
                _ => format!("({} bytes, not shown)\n", content.sums.size),
            },
            ContentSource::There { path, .. } => format!("(the content of {path} on the node)\n"),
        };
        Some(Difference {
            before_header: dest.clone(),
            after_header: if source.is_empty() {
                dest
            } else {
                source.to_owned()
            },
            before,
            after,
        })
    }
}

/// What the task should warn of.
pub fn warnings(records: &Records) -> Vec<String> {
    records
        .all("warning")
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect()
}

/// Bytes as a text to show; what is no text is only described.
pub fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ => format!("(binary, {} bytes)\n", bytes.len()),
    }
}

/// Mode, owner and the like, as results have them.
pub fn attribute_data(mut outcome: Outcome, records: &Records) -> Outcome {
    for key in ["mode", "owner", "group"] {
        if let Some(text) = records.text(key).filter(|text| !text.is_empty()) {
            outcome = outcome.with(key, text);
        }
    }
    for key in ["uid", "gid", "size"] {
        if let Some(number) = records.number(key) {
            outcome = outcome.with(key, number);
        }
    }
    match records.text("type") {
        Some(kind) => outcome.with("state", kind),
        None => outcome,
    }
}

/// What [`attribute_data`] puts into a result.
pub const ATTRIBUTES: [Return; 7] = [
    Return::text("mode", "its mode, octal: `0644`"),
    Return::text("owner", "its owner"),
    Return::text("group", "its group"),
    Return::int("uid", "the number of its owner"),
    Return::int("gid", "the number of its group"),
    Return::int("size", "its size in bytes"),
    Return::text(
        "state",
        "what it is: `file`, `directory`, `link`, `hard` or `absent`",
    ),
];

/// What a module returns that makes one file what it should be.
pub const WRITTEN: [Return; 12] = Return::joined(&[
    &[
        Return::text("dest", "the file on the node"),
        Return::text("src", "the source on the control host, where there is one"),
        Return::text("checksum", "the SHA-1 of what was to be written"),
    ],
    &ATTRIBUTES,
    &[
        Return::text(
            "backup_file",
            "the copy of the file as it was, if there is one",
        ),
        Return::text("msg", "why an existing file was left alone"),
    ],
]);

/// Mode and owner before and after, where they differ and there was something before.
pub fn attribute_difference(records: &Records) -> Option<Difference> {
    let mut before = String::new();
    let mut after = String::new();
    for key in ["mode", "owner", "group"] {
        let was = records.text(&format!("was_{key}"))?;
        let is = records.text(key)?;
        if was != is {
            before.push_str(&format!("{key}: {was}\n"));
            after.push_str(&format!("{key}: {is}\n"));
        }
    }
    if before.is_empty() {
        return None;
    }
    let path = records
        .text("dest")
        .or_else(|| records.text("path"))
        .unwrap_or_default();
    let header = format!("{path} (mode and owner)");
    Some(Difference {
        before_header: header.clone(),
        after_header: header,
        before,
        after,
    })
}

/// The sh source of a validation command: its words as they are, no shell syntax, `%s` the new file.
fn validation(command: &str) -> Result<String, Failure> {
    let words = crate::python::words::split(command)
        .map_err(|error| Failure::new(format!("{error} in `validate: {command}`")))?;
    let mut source = String::new();
    for word in words {
        if !source.is_empty() {
            source.push(' ');
        }
        let pieces: Vec<String> = word
            .split("%s")
            .map(|piece| match piece.replace("%%", "%") {
                empty if empty.is_empty() => empty,
                piece => quote(&piece),
            })
            .collect();
        source.push_str(&pieces.join("\"$w_tmp\""));
    }
    Ok(source)
}

/// Checks that a validation command names the file.
pub fn check_validate(validate: Option<&Text>) -> Result<(), Invalid> {
    match validate {
        Some(command) if !command.contains("%s") => Err(Invalid::new(
            &["validate"],
            format!(
                "`validate` must contain %s, which stands for the new file: `{command}` does not"
            ),
        )),
        _ => Ok(()),
    }
}

/// `mode: preserve` where there is no source whose mode it could be.
pub fn check_mode(mode: Option<&Mode>) -> Result<(), Invalid> {
    match mode {
        Some(Mode::Preserve) => Err(Invalid::new(
            &["mode"],
            "`mode: preserve` is for `copy` and `template`; write the mode",
        )),
        _ => Ok(()),
    }
}
