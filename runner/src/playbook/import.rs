//! Finds the files that are imported, and reads them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::keywords;
use super::model::{Block, Common, Entry, Import, Play};
use super::reader::{Reader, has_template};
use super::tasks::Place;
use crate::yaml::{self, Diagnostic, Mapping, Node};

/// How many files may import one another in a row.
const DEEPEST: usize = 100;

/// How many plays, tasks, blocks and imports a playbook may have, imported ones included: far more
/// than any playbook has, and few enough for any memory.
const MOST: usize = 50_000;

/// `{{ name }}`.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}").expect("a constant that tests use")
});

impl Reader<'_> {
    /// The plays of an `import_playbook`.
    pub(super) fn import_playbook(
        &mut self,
        path: &Path,
        mapping: &Mapping,
        file: &Node,
    ) -> Vec<Play> {
        self.only(mapping, "an import_playbook", keywords::IMPORT_PLAYBOOK);
        let import = Arc::new(Import {
            when: self.conditions(mapping, "when"),
            vars: self.variables(mapping, "vars"),
            tags: self.tags(mapping),
        });
        let Some(target) = self.target(path, file, "import_playbook") else {
            return Vec::new();
        };
        let mut plays = match self.document(&target) {
            Ok(document) => self.playbook(&target, Some(&file.span), &document),
            Err(errors) => {
                self.errors(errors);
                Vec::new()
            }
        };
        for play in &mut plays {
            play.imports.insert(0, Arc::clone(&import));
        }
        plays
    }

    /// The block that an `import_tasks` stands for.
    pub(super) fn import_tasks(
        &mut self,
        place: Place<'_>,
        task: &Node,
        file: &Node,
        common: Common,
    ) -> Option<Entry> {
        let target = self.target(place.path, file, "import_tasks")?;
        let entries = match self.document(&target) {
            Ok(document) => self.within(&target, Some(&file.span), |reader| {
                let place = Place {
                    path: &target,
                    ..place
                };
                reader.task_file(place, &document)
            }),
            Err(errors) => {
                self.errors(errors);
                return None;
            }
        };
        Some(Entry::Block(Arc::new(Block {
            span: task.span.clone(),
            name: task.as_mapping().and_then(|map| map.get("name")).cloned(),
            common,
            block: entries,
            rescue: Vec::new(),
            always: Vec::new(),
        })))
    }

    /// The file that an import names, which must be there and not be read already.
    fn target(&mut self, from: &Path, file: &Node, keyword: &str) -> Option<PathBuf> {
        let Some(written) = file.as_str().map(str::trim).filter(|name| !name.is_empty()) else {
            self.wrong(keyword, file, "the name of a file");
            return None;
        };
        let name = self.known(written, file, keyword)?;
        let looked = from.parent().unwrap_or(Path::new("")).join(&name);
        let Some(target) = self.find(from, &name) else {
            self.error(
                Diagnostic::error(&file.span, format!("there is no file `{name}` to import"))
                    .note(format!("looked for `{}`", looked.display()))
                    .help(match nearest_file(&looked) {
                        Some(nearest) => format!("did you mean `{nearest}`?"),
                        None => "check the name; it is relative to the file that imports it".into(),
                    }),
            );
            return None;
        };
        if self.is_open(&target) {
            self.error(
                Diagnostic::error(&file.span, format!("`{name}` imports itself"))
                    .note(self.circle(&target))
                    .help(
                        "an import is read at once, before any `when` is known; take one \
                         of them out, or use `include_tasks`",
                    ),
            );
            return None;
        }
        if self.files.len() > DEEPEST {
            self.error(
                Diagnostic::error(
                    &file.span,
                    format!("imports lead more than {DEEPEST} files deep"),
                )
                .note(format!("the way here: {}", self.way(&name)))
                .help(
                    "import files from the playbook itself, rather than each from the one before",
                ),
            );
            return None;
        }
        Some(target)
    }

    /// Whether there is room for one more play, task or import. Where each of some files imports the
    /// next one twice, their number doubles from file to file.
    pub(super) fn has_room(&mut self, item: &Node) -> bool {
        self.entries += 1;
        if self.entries == MOST + 1 {
            let mut error = Diagnostic::error(
                &item.span,
                format!("there are more than {MOST} plays, tasks and imports"),
            );
            if self.files.len() > 1 {
                let name = self.files.last().map(|open| file_name(&open.path));
                error = error
                    .note(format!(
                        "all that is imported counts each time that it is; the way here: {}",
                        self.way(&name.unwrap_or_default())
                    ))
                    .help("import each file once, or use `include_tasks` with a `loop`");
            } else {
                error = error.help("write a task with a `loop` instead of one for each item");
            }
            self.error(error);
        }
        self.entries <= MOST
    }

    /// The files being read, from the first one on, with the lines at which each imports the next;
    /// `last` is what comes after them.
    fn way(&self, last: &str) -> String {
        let mut steps: Vec<String> = self
            .files
            .iter()
            .filter_map(|open| open.named.as_ref())
            .map(|span| format!("{}:{}", span.source.name(), span.position().0))
            .collect();
        steps.push(last.to_owned());
        yaml::way(&steps)
    }

    /// How the files being read come back to `target`.
    fn circle(&self, target: &Path) -> String {
        let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
        let mut names: Vec<_> = self
            .files
            .iter()
            .skip_while(|open| open.path != target)
            .map(|open| file_name(&open.path))
            .collect();
        names.push(file_name(&target));
        names.join(" imports ")
    }

    /// The name with the variables in it that are known already.
    fn known(&mut self, written: &str, file: &Node, keyword: &str) -> Option<String> {
        let variables = &self.loader.variables;
        let name = VARIABLE.replace_all(written, |captures: &regex::Captures<'_>| {
            variables
                .get(&captures[1])
                .map_or_else(|| captures[0].to_owned(), Clone::clone)
        });
        if !has_template(&name) {
            return Some(name.into_owned());
        }
        let instead = if keyword == "import_tasks" {
            "use `include_tasks`, which is read when its turn comes; or give the variable with `-e`"
        } else {
            "write the name out, or give the variable with `-e`"
        };
        self.error(
            Diagnostic::error(
                &file.span,
                format!(
                    "the file of an `{keyword}` must be known \
                 before the run"
                ),
            )
            .note(
                "it is read before there are hosts and their variables; only those \
                     given with `-e` are known",
            )
            .help(instead),
        );
        None
    }

    /// Beside the file that names it, or else beside the playbook.
    fn find(&self, from: &Path, name: &str) -> Option<PathBuf> {
        let beside = |path: &Path| path.parent().unwrap_or(Path::new("")).join(name);
        let first = self.files.first().map(|playbook| beside(&playbook.path));
        [Some(beside(from)), first]
            .into_iter()
            .flatten()
            .find(|path| path.is_file())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// A file with a similar name in the same folder.
fn nearest_file(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let folder = if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    };
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    yaml::suggest(
        path.file_name()?.to_str()?,
        names.iter().map(String::as_str),
    )
}
