//! A file of the node, read, edited here, and written back only if it is still the same.

use crate::args::Text;
use crate::args::path::RemotePath;
use crate::files::content::Content;
use crate::files::write::{Attributes, ContentSource, FileWrite, Options, warnings};
use crate::kit::{self, Records};
use crate::module::Context;
use crate::outcome::{Failure, Outcome};

/// How often it is read again because something else wrote to it in between.
const ATTEMPTS: usize = 3;

/// Which file is edited, and how it is written.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// Where it is. Links are followed.
    pub path: &'a RemotePath,
    /// Mode and owner.
    pub attributes: Attributes<'a>,
    /// It is created if it does not exist, with its folders.
    pub create: bool,
    /// A copy of it as it was is kept.
    pub backup: bool,
    /// A command that must accept it.
    pub validate: Option<&'a Text>,
    /// Written in place where it cannot be replaced.
    pub unsafe_writes: bool,
    /// What it is called in messages: the name of the option that creates it.
    pub missing: Missing,
}

/// What is to be done about a file that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It is an error, unless it may be created.
    Needed,
    /// There is nothing to do.
    Fine,
}

/// The bytes of a file as text. A file that is no UTF-8 is read byte by byte: each is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As text should be.
    Utf8,
    /// Each byte a character.
    Bytes,
}

impl Coding {
    fn of(bytes: &[u8]) -> (Self, String) {
        match std::str::from_utf8(bytes) {
            Ok(text) => (Self::Utf8, text.to_owned()),
            Err(_) => (
                Self::Bytes,
                bytes.iter().map(|byte| char::from(*byte)).collect(),
            ),
        }
    }

    /// A text of the user's, to be compared with or put into the file's.
    pub fn read(self, text: &str) -> String {
        match self {
            Self::Utf8 => text.to_owned(),
            Self::Bytes => text.bytes().map(char::from).collect(),
        }
    }

    fn write(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            // Every character came from a byte.
            Self::Bytes => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
                .collect(),
        }
    }
}

impl Edit<'_> {
    /// Reads the file, has `change` say what it should be (a text and a message, or nothing to do),
    /// and writes that. One round trip if nothing is to change, two otherwise.
    pub async fn run(
        &self,
        context: &Context<'_>,
        change: impl Fn(&str, Coding) -> Result<Option<(String, String)>, String> + Send + Sync,
    ) -> Result<Outcome, Failure> {
        for _ in 0..ATTEMPTS {
            let read = self.read(context).await?;
            let path = read.text("path").unwrap_or_default();
            let exists = match read.text("type").as_deref() {
                Some("absent") => false,
                Some("directory") => {
                    return Err(Failure::new(format!(
                        "{path} is a directory on the node, not a file"
                    )));
                }
                _ => true,
            };
            if !exists && self.missing == Missing::Fine {
                return Ok(Outcome::ok().message("the file does not exist"));
            }
            if !exists && !self.create {
                return Err(Failure::new(format!("{path} does not exist on the node"))
                    .hint("set `create: true` to have it created"));
            }
            let old = read.bytes("content").unwrap_or_default();
            let (coding, text) = Coding::of(old);
            let (new, message) = match change(&text, coding).map_err(Failure::new)? {
                Some((new, message)) => (coding.write(&new), message),
                None if read.flag("differ") => (old.to_vec(), "mode or owner changed".to_owned()),
                None => return Ok(Outcome::ok().message("")),
            };
            let expect = if exists {
                Content::bytes(old.to_vec()).sums.digests()
            } else {
                "absent".to_owned()
            };
            if let Some(outcome) = self.write(context, new, &expect).await? {
                return Ok(outcome.message(message));
            }
        }
        Err(Failure::new(format!(
            "{} was changed by something else each time it was to be written",
            self.path
        ))
        .hint("see what writes to it all the time, then run again"))
    }

    async fn read(&self, context: &Context<'_>) -> Result<Records, Failure> {
        let mut options = Options::new(context);
        options.word("dest", &self.path.word());
        self.attributes.options(&mut options);
        let script = kit::script(&[kit::WRITE], options.then("w_edit_read"));
        Records::read(&context.host.run(script).await?)
    }

    /// Writes the file; nothing if it is not what was expected any more.
    async fn write(
        &self,
        context: &Context<'_>,
        bytes: Vec<u8>,
        expect: &str,
    ) -> Result<Option<Outcome>, Failure> {
        let content = Content::bytes(bytes);
        let write = FileWrite {
            attributes: self.attributes,
            parents: true,
            expect: Some(expect),
            follow: true,
            backup: self.backup,
            validate: self.validate,
            unsafe_writes: self.unsafe_writes,
            ..FileWrite::new(self.path, ContentSource::Here(&content))
        };
        let records = write.send(context).await?;
        if records.flag("conflict") {
            return Ok(None);
        }
        let mut outcome = write.outcome(context, &records, "");
        outcome.warnings = warnings(&records);
        Ok(Some(outcome))
    }
}
