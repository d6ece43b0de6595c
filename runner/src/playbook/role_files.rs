//! Reads the files of a role.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::model::Entry;
use super::reader::{Reader, describe};
use super::search::{self, Home};
use super::tasks::TasksPosition;
use crate::yaml::{Diagnostic, Node, suggest};

impl Reader<'_> {
    /// The tasks, or handlers, of a role.
    pub(super) fn role_entries(
        &mut self,
        path: &Path,
        part: &str,
        (asked, named): (Option<&str>, Option<&Node>),
        home: &Home,
    ) -> Vec<Entry> {
        let Some(file) = self.role_file(path, part, asked, named) else {
            return Vec::new();
        };
        let document = match self.document(&file) {
            Ok(document) => document,
            Err(errors) => {
                self.errors(errors);
                return Vec::new();
            }
        };
        let place = TasksPosition {
            path: &file,
            included: false,
            handlers: part == "handlers",
            home,
        };
        self.task_file(place, &document)
    }

    /// The mappings of the files with a role's variables, or defaults.
    pub(super) fn role_variables(
        &mut self,
        path: &Path,
        part: &str,
        asked: Option<&str>,
        named: Option<&Node>,
    ) -> Vec<Arc<Node>> {
        let folder = path.join(part);
        let mut files = search::role_files(&folder, asked, true);
        files.retain(|file| file.starts_with(search::normal(&folder)));
        if files.is_empty() {
            self.no_role_file(path, part, asked, named);
        }
        let mut read = Vec::new();
        for file in files {
            match self.document(&file) {
                Ok(node) if node.is_null() => {}
                Ok(node) if node.as_mapping().is_some() => read.push(node),
                Ok(node) => {
                    let message = format!(
                        "a role's variables are a mapping of names and values, but this is {}",
                        describe(&node)
                    );
                    self.error(
                        Diagnostic::error(&node.span, message).help("write each as `name: value`"),
                    );
                }
                Err(errors) => self.errors(errors),
            }
        }
        read
    }

    /// A file of a role, read; nothing where there is none.
    pub(super) fn role_document(
        &mut self,
        path: &Path,
        part: &str,
        asked: Option<&str>,
        named: Option<&Node>,
    ) -> Option<Arc<Node>> {
        let file = self.role_file(path, part, asked, named)?;
        match self.document(&file) {
            Ok(document) => Some(document),
            Err(errors) => {
                self.errors(errors);
                None
            }
        }
    }

    /// The file of a role with that name, which must be there if it was asked for.
    pub(super) fn role_file(
        &mut self,
        path: &Path,
        part: &str,
        asked: Option<&str>,
        named: Option<&Node>,
    ) -> Option<PathBuf> {
        let folder = path.join(part);
        let found = search::role_files(&folder, asked, false);
        let found = found.into_iter().next();
        if let Some(file) = found.filter(|file| file.starts_with(search::normal(&folder))) {
            return Some(file);
        }
        self.no_role_file(path, part, asked, named);
        None
    }

    fn no_role_file(&mut self, path: &Path, part: &str, asked: Option<&str>, named: Option<&Node>) {
        let (Some(asked), Some(named)) = (asked, named) else {
            return;
        };
        let folder = path.join(part);
        // As in ansible-core, a role without the folder has none of its files.
        if !folder.is_dir() {
            return;
        }
        let names: Vec<String> = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                Some(name.split('.').next().unwrap_or(&name).to_owned())
            })
            .collect();
        let help = match suggest(asked, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "check the name; it is that of a file in this folder of the role".to_owned(),
        };
        self.error(
            Diagnostic::error(
                &named.span,
                format!("the role has no file `{asked}` in its `{part}` folder"),
            )
            .note(format!("looked in `{}`", folder.display()))
            .help(help),
        );
    }
}
