//! What the user of a template says of it: what it may use, and how a file is read.

use std::path::PathBuf;

use minijinja::syntax::SyntaxConfig;

use super::error::TemplateError;

/// What lookups and includes may use.
#[derive(Debug, Clone, Default)]
pub struct TemplateOptions {
    /// Where lookups and includes look for files on the control host, most specific first: the
    /// folder of the task file, then that of the playbook. `files/` and `templates/` in them too.
    pub base_dirs: Vec<PathBuf>,
    /// Whether the lookup `url` may be used.
    pub allow_url: bool,
}

/// How a template file is read: the arguments of the module `template`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// Whether the line break after a statement is dropped.
    pub trim_blocks: bool,
    /// Whether blanks before a statement are dropped.
    pub lstrip_blocks: bool,
    /// `{{` and `}}`, or what stands for them.
    pub variable_delimiters: (String, String),
    /// `{%` and `%}`, or what stands for them.
    pub block_delimiters: (String, String),
    /// `{#` and `#}`, or what stands for them.
    pub comment_delimiters: (String, String),
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            variable_delimiters: ("{{".into(), "}}".into()),
            block_delimiters: ("{%".into(), "%}".into()),
            comment_delimiters: ("{#".into(), "#}".into()),
        }
    }
}

impl FileOptions {
    pub(super) fn syntax(&self) -> Result<SyntaxConfig, TemplateError> {
        SyntaxConfig::builder()
            .trim_blocks(self.trim_blocks)
            .lstrip_blocks(self.lstrip_blocks)
            .variable_delimiters(
                self.variable_delimiters.0.clone(),
                self.variable_delimiters.1.clone(),
            )
            .block_delimiters(
                self.block_delimiters.0.clone(),
                self.block_delimiters.1.clone(),
            )
            .comment_delimiters(
                self.comment_delimiters.0.clone(),
                self.comment_delimiters.1.clone(),
            )
            .build()
            .map_err(|error| {
                TemplateError::new(format!("these delimiters cannot be used: {error}"))
            })
    }
}
