//! Finds the files that are imported, and reads them.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use regex::Regex;

use super::action::Action;
use super::keywords;
use super::known::KnownVariables;
use super::model::{Block, Common, Entry, Import, Play, RoleImport, UsedBy};
use super::reader::{Reader, has_template, scalar};
use super::role::{RoleUse, known};
use super::search::{self, Home};
use super::tasks::TasksPosition;
use crate::yaml::{self, Diagnostic, Mapping, Node};

/// How many files may import one another in a row.
const DEEPEST: usize = 100;

/// How many plays, tasks, blocks and imports a playbook may have, imported ones included: far more
/// than any playbook has, and few enough for any memory.
const MOST: usize = 50_000;

/// How many variables may be put into a name, those that name one another among them.
const VARIABLES: usize = 100;

/// `{{ name }}`.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}").expect("a constant that tests use")
});

impl Reader<'_> {
    /// The plays of an `import_playbook`. `import`: that key, with or without its collection, and the file.
    pub(super) fn import_playbook(
        &mut self,
        path: &Path,
        mapping: &Mapping,
        (import, file): (&Node, &Node),
    ) -> Vec<Play> {
        let others = mapping.iter().map(|(key, _)| key);
        let others = others.filter(|key| !std::ptr::eq(*key, import));
        self.only_known(others, "an import_playbook", keywords::IMPORT_PLAYBOOK);
        let import = Arc::new(Import {
            when: self.conditions(mapping, "when"),
            vars: self.variables(mapping, "vars"),
            tags: self.tags(mapping),
        });
        let known = self.imported.in_play(&import.vars);
        let Some(target) = self.playbook_target(path, file, &known) else {
            return Vec::new();
        };
        let around = std::mem::replace(&mut self.imported, known);
        let mut plays = match self.document(&target) {
            Ok(document) => self.playbook(&target, Some(&file.span), &document),
            Err(errors) => {
                self.errors(errors);
                Vec::new()
            }
        };
        self.imported = around;
        for play in &mut plays {
            play.imports.insert(0, Arc::clone(&import));
        }
        plays
    }

    /// The block that an `import_tasks` stands for.
    pub(super) fn import_tasks(
        &mut self,
        place: TasksPosition<'_>,
        task: &Node,
        file: &Node,
        common: Common,
    ) -> Option<Entry> {
        let home = Home {
            known: place.home.known.within(&common.vars),
            ..place.home.clone()
        };
        let place = TasksPosition {
            home: &home,
            ..place
        };
        let target = self.target(place.path, Some(place), file, "import_tasks", &home)?;
        let entries = match self.document(&target) {
            Ok(document) => self.within(&target, Some(&file.span), |reader| {
                let place = TasksPosition {
                    path: &target,
                    included: true,
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

    /// The role of an `import_role`, and the keywords beside it.
    pub(super) fn import_role(
        &mut self,
        place: TasksPosition<'_>,
        task: &Node,
        action: &Action,
        mapping: &Mapping,
        common: Common,
    ) -> Option<Entry> {
        if place.handlers {
            self.error(
                Diagnostic::error(&action.span, "a role cannot be a handler").help(
                    "write its tasks as handlers, or list the role under `roles:` of the play",
                ),
            );
            return None;
        }
        let request = self.role_request(action, mapping, false)?;
        let around = place.home.known.within(&common.vars);
        let home = self.home_with(place.home, mapping, around);
        let wanted = RoleUse {
            name: request.name,
            files: request.files,
            common: Common {
                vars: common.vars.clone(),
                ..Common::default()
            },
            params: Mapping::default(),
            by: UsedBy::Import,
            public: known(request.public.as_ref(), true),
            allow_duplicates: Some(known(request.allow_duplicates.as_ref(), true)),
            validate: known(request.validate.as_ref(), true),
        };
        let role = self.role(&wanted, &home)?;
        let around = Block {
            span: task.span.clone(),
            name: self.scalar_node(mapping, "name"),
            common,
            block: Vec::new(),
            rescue: Vec::new(),
            always: Vec::new(),
        };
        Some(Entry::Role(Arc::new(RoleImport {
            around: Arc::new(around),
            role,
        })))
    }

    /// The playbook that an import names: a file, or a name in a collection.
    fn playbook_target(
        &mut self,
        from: &Path,
        file: &Node,
        known: &KnownVariables,
    ) -> Option<PathBuf> {
        let written = file.as_str().unwrap_or_default().trim().to_owned();
        let folder = from.parent().unwrap_or(Path::new(""));
        let named = folder.join(&written).is_file();
        let in_collection = search::playbook(&written, folder, &self.loader.paths);
        match in_collection.filter(|_| !named) {
            Some(Ok(path)) => self.may_import(&path, &written, file).then_some(path),
            Some(Err(tried)) => {
                let tried = tried.iter().map(|path| format!("`{}`", path.display()));
                let tried = tried.collect::<Vec<_>>().join(", ");
                self.error(
                    Diagnostic::error(
                        &file.span,
                        format!("there is no playbook `{written}` to import"),
                    )
                    .note(format!("looked for {tried}"))
                    .help(
                        "check the name; it is `NAMESPACE.COLLECTION.PLAYBOOK`, or that of a file",
                    ),
                );
                None
            }
            None => {
                let home = Home {
                    folder: folder.to_path_buf(),
                    known: known.clone(),
                    ..Home::default()
                };
                self.target(from, None, file, "import_playbook", &home)
            }
        }
    }

    /// The file that an import names, which must be there and not be read already.
    fn target(
        &mut self,
        from: &Path,
        place: Option<TasksPosition<'_>>,
        file: &Node,
        keyword: &str,
        home: &Home,
    ) -> Option<PathBuf> {
        if file.as_str().is_none_or(|name| name.trim().is_empty()) {
            self.wrong(keyword, file, "the name of a file");
            return None;
        }
        let name = self.known(file, keyword, home)?;
        let looked = from.parent().unwrap_or(Path::new("")).join(&name);
        let Some(target) = self.find(from, place, &name) else {
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
        self.may_import(&target, &name, file).then_some(target)
    }

    /// Whether a file may be imported here.
    fn may_import(&mut self, target: &Path, name: &str, file: &Node) -> bool {
        if self.is_open(target) {
            self.error(
                Diagnostic::error(&file.span, format!("`{name}` imports itself"))
                    .note(self.circle(target))
                    .help(
                        "an import is read at once, before any `when` is known; take one \
                         of them out, or use `include_tasks`",
                    ),
            );
            return false;
        }
        self.shallow(file, name)
    }

    /// Whether there are not too many files that import one another on the way here.
    pub(super) fn shallow(&mut self, file: &Node, name: &str) -> bool {
        if self.files.len() <= DEEPEST {
            return true;
        }
        self.error(
            Diagnostic::error(
                &file.span,
                format!("imports lead more than {DEEPEST} files deep"),
            )
            .note(format!("the way here: {}", self.way(name)))
            .help("import files from the playbook itself, rather than each from the one before"),
        );
        false
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

    /// A text with the variables in it that are known before anything is read: where it stands, those given with
    /// `-e`, and those that are written around it.
    fn filled_in(&mut self, written: &str, home: &Home) -> String {
        self.filled |= has_template(written);
        self.filled_with(&Cell::new(VARIABLES), written, home)
    }

    fn filled_with(&self, left: &Cell<usize>, written: &str, home: &Home) -> String {
        let given = &self.loader.variables;
        let filled = VARIABLE.replace_all(written, |captures: &regex::Captures<'_>| {
            let name = &captures[1];
            if let Some(known) = home.variable(name).or_else(|| given.get(name).cloned()) {
                return known;
            }
            match home.known.text(name) {
                Some(text) if !has_template(text) => text.to_owned(),
                Some(text) if left.get() > 0 => {
                    left.set(left.get() - 1);
                    self.filled_with(left, text, home)
                }
                _ => captures[0].to_owned(),
            }
        });
        filled.into_owned()
    }

    /// What a role or a file of it is called; `what` it is that must be known, for messages.
    pub(super) fn known_text(&mut self, node: &Node, what: &str, home: &Home) -> Option<String> {
        let text = self.filled_in(scalar(node)?.trim(), home);
        if !has_template(&text) {
            return Some(text);
        }
        self.error(
            Diagnostic::error(&node.span, format!("{what} must be known before the run"))
                .note(
                    "the role is read before there are hosts and their variables; known are the \
                     variables that are written around it, and what is given with `-e`",
                )
                .help("write it out, give the variable with `-e`, or use `include_role`"),
        );
        None
    }

    /// The name of a file with the variables in it that are known already.
    fn known(&mut self, file: &Node, keyword: &str, home: &Home) -> Option<String> {
        let name = self.filled_in(file.as_str()?.trim(), home);
        if !has_template(&name) {
            return Some(name);
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
                "it is read before there are hosts and their variables; known are those that \
                     are written around it, and those given with `-e`",
            )
            .help(instead),
        );
        None
    }

    /// Beside the file that names it, and in the folder of the role's tasks; that first where the role itself names
    /// the file; or else beside the playbook. As in ansible-core 2.19.
    fn find(&self, from: &Path, place: Option<TasksPosition<'_>>, name: &str) -> Option<PathBuf> {
        let beside = |path: &Path| path.parent().unwrap_or(Path::new("")).join(name);
        let role = place.and_then(|place| {
            let part = if place.handlers { "handlers" } else { "tasks" };
            Some(place.home.role.as_ref()?.join(part).join(name))
        });
        let playbook = match place {
            Some(place) if place.home.role.is_some() => Some(place.home.folder.join(name)),
            _ => self.files.first().map(|playbook| beside(&playbook.path)),
        };
        let own = Some(beside(from));
        let (first, second) = match place {
            Some(place) if place.included => (own, role),
            _ => (role, own),
        };
        [first, second, playbook]
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
pub fn nearest_file(path: &Path) -> Option<String> {
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
