//! Reads files: a playbook, a file of tasks, and what they import.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::known::KnownVariables;
use super::loader::Loader;
use super::model::{Entry, Play, Playbook};
use super::reader::{OpenFile, Reader, describe};
use super::search::Home;
use super::tasks::TasksPosition;
use crate::yaml::{self, Diagnostic, Node, Source, Span, Value};

/// Reads a playbook and all that it imports. Errors are all that there are, in the order of the
/// files.
pub fn load(path: &Path, loader: &Loader) -> Result<Playbook, Vec<Diagnostic>> {
    let (playbook, errors) = load_partly(path, loader);
    if errors.is_empty() {
        Ok(playbook)
    } else {
        Err(errors)
    }
}

/// Reads as much of a playbook as can be read, and tells what cannot.
pub fn load_partly(path: &Path, loader: &Loader) -> (Playbook, Vec<Diagnostic>) {
    let mut reader = Reader::new(loader);
    let plays = match yaml::load(path) {
        Ok(document) => reader.playbook(path, None, &document),
        Err(errors) => {
            reader.errors(errors);
            Vec::new()
        }
    };
    let playbook = Playbook {
        path: path.to_owned(),
        plays: plays.into_iter().map(Arc::new).collect(),
    };
    (playbook, reader.sorted())
}

/// The tasks of a file that is included.
#[derive(Debug, Clone)]
pub struct LoadedTasks {
    /// The tasks.
    pub entries: Arc<Vec<Entry>>,
    /// Whether what it imports depends on variables of the place.
    pub filled: bool,
}

/// Reads a file of tasks, or of handlers, and all that it imports. `home`: where the task stands that includes it.
pub fn load_tasks(
    path: &Path,
    handlers: bool,
    home: &Home,
    loader: &Loader,
) -> Result<LoadedTasks, Vec<Diagnostic>> {
    let mut reader = Reader::new(loader);
    let document = yaml::load(path)?;
    let entries = reader.within(path, None, |reader| {
        let place = TasksPosition {
            path,
            included: true,
            handlers,
            home,
        };
        reader.task_file(place, &document)
    });
    let filled = reader.filled;
    reader.finish(LoadedTasks {
        entries: Arc::new(entries),
        filled,
    })
}

impl<'a> Reader<'a> {
    pub(super) fn new(loader: &'a Loader) -> Self {
        Self {
            loader,
            errors: Vec::new(),
            known: HashSet::new(),
            files: Vec::new(),
            documents: HashMap::new(),
            entries: 0,
            imported: KnownVariables::default(),
            filled: false,
            roles: Vec::new(),
        }
    }

    /// The value, or what is wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<Diagnostic>> {
        let errors = self.sorted();
        if errors.is_empty() {
            Ok(value)
        } else {
            Err(errors)
        }
    }

    /// What is wrong: file by file as they were read, each from top to bottom.
    fn sorted(mut self) -> Vec<Diagnostic> {
        let mut files: Vec<Arc<Source>> = Vec::new();
        for span in self.errors.iter().filter_map(place) {
            if !files.contains(&span.source) {
                files.push(Arc::clone(&span.source));
            }
        }
        self.errors.sort_by_key(|error| {
            let span = place(error)?;
            let file = files.iter().position(|file| *file == span.source);
            Some((file, span.start))
        });
        self.errors
    }

    /// Does something while `path`, which is imported at `named`, counts as being read.
    pub(super) fn within<T>(
        &mut self,
        path: &Path,
        named: Option<&Span>,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.files.push(OpenFile {
            path: canonical(path),
            named: named.cloned(),
        });
        // Files that import one another may need more than is left of a small stack.
        let value = stacker::maybe_grow(256 << 10, 2 << 20, || work(self));
        self.files.pop();
        value
    }

    /// Whether `path` is being read already.
    pub(super) fn is_open(&self, path: &Path) -> bool {
        let path = canonical(path);
        self.files.iter().any(|open| open.path == path)
    }

    /// The document of a file that is imported, read once.
    pub(super) fn document(&mut self, path: &Path) -> Result<Arc<Node>, Vec<Diagnostic>> {
        self.documents
            .entry(canonical(path))
            .or_insert_with(|| yaml::load(path))
            .clone()
    }

    /// The plays of a playbook's document, which is imported at `named`.
    pub(super) fn playbook(
        &mut self,
        path: &Path,
        named: Option<&Span>,
        document: &Node,
    ) -> Vec<Play> {
        let items = match &document.value {
            Value::Sequence(items) if !items.is_empty() => items,
            Value::Mapping(mapping) => {
                let (message, help) = if mapping.get("hosts").is_some() {
                    (
                        "a playbook is a list of plays, but this is a single mapping",
                        "put `- ` before the first key and indent the other lines by two spaces",
                    )
                } else {
                    (
                        "a playbook is a list of plays, but this is a mapping",
                        "if this is a file of variables, name it in `vars_files:` of a play",
                    )
                };
                self.error(Diagnostic::error(&document.span, message).help(help));
                return Vec::new();
            }
            Value::Null | Value::Sequence(_) => {
                self.error(
                    Diagnostic::error(&document.span, "this playbook has no plays").help(
                        "write a play: `- hosts: all`, and below it `tasks:` with a list of tasks",
                    ),
                );
                return Vec::new();
            }
            _ => {
                let message = format!(
                    "a playbook is a list of plays, but this is {}",
                    describe(document)
                );
                self.error(Diagnostic::error(&document.span, message).help(
                    "write a play: `- hosts: all`, and below it `tasks:` with a list of tasks",
                ));
                return Vec::new();
            }
        };
        self.within(path, named, |reader| {
            items
                .iter()
                .flat_map(|item| {
                    if reader.has_room(item) {
                        reader.play_or_import(path, item)
                    } else {
                        Vec::new()
                    }
                })
                .collect()
        })
    }

    /// The tasks of a file's document.
    pub(super) fn task_file(&mut self, place: TasksPosition<'_>, document: &Node) -> Vec<Entry> {
        let is_play = |node: &Node| {
            node.as_mapping()
                .is_some_and(|map| map.get("hosts").is_some())
        };
        let first = document.as_sequence().and_then(<[Node]>::first);
        if let Some(play) = first.or(Some(document)).filter(|node| is_play(node)) {
            self.error(
                Diagnostic::error(&play.span, "this is a play, and tasks were expected")
                    .note(format!(
                        "`{}` was imported or included as a file of tasks",
                        place.path.display()
                    ))
                    .help("import a playbook beside the plays, with `- import_playbook: FILE`"),
            );
            return Vec::new();
        }
        self.entries(place, document, "a file of tasks")
    }
}

fn place(diagnostic: &Diagnostic) -> Option<&Span> {
    diagnostic.labels.first().map(|label| &label.span)
}

/// The same file has one name.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
