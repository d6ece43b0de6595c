//! All tasks of a run in one list, each with what stands around it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files;
use crate::playbook::{
    Block, Common, Entry, Loader, Play, Task, TaskAction, has_template, load_tasks,
};
use crate::yaml::{self, Diagnostic, Mapping, Node};

/// A task, where it stands.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) task: Arc<Task>,
    pub(super) play: Arc<Play>,
    /// The blocks and includes around it, outermost first.
    pub(super) around: Vec<Around>,
    pub(super) handler: bool,
    /// Whether it is in a `rescue`: it runs only after a failure.
    pub(super) rescue: bool,
}

/// Something around a task.
#[derive(Debug, Clone)]
pub(super) enum Around {
    Block(Arc<Block>),
    /// The `include_tasks` whose file it is in.
    Include(Arc<Task>),
}

impl Around {
    pub(super) fn common(&self) -> &Common {
        match self {
            Self::Block(block) => &block.common,
            Self::Include(task) => &task.common,
        }
    }
}

impl Item {
    /// Keywords of the play, of what is around the task, and of the task, in that order.
    pub(super) fn commons(&self) -> impl Iterator<Item = &Common> {
        let applied = self.around.iter().flat_map(|around| {
            let applied = match around {
                Around::Include(task) => match &task.action {
                    TaskAction::IncludeTasks { apply, .. } => apply.as_deref(),
                    _ => None,
                },
                Around::Block(_) => None,
            };
            std::iter::once(around.common()).chain(applied)
        });
        std::iter::once(&self.play.common)
            .chain(applied)
            .chain(std::iter::once(&self.task.common))
    }

    /// All conditions that decide whether it runs.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &Node> {
        let imported = self.play.imports.iter().flat_map(|import| &import.when);
        imported.chain(self.commons().flat_map(|common| &common.when))
    }

    /// Where files that it names are looked for: beside its file, then beside the play's.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![folder(&self.task.path)];
        let play = folder(&self.play.path);
        if !folders.contains(&play) {
            folders.push(play);
        }
        folders
    }
}

pub(super) fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_path_buf()
}

/// All tasks of the plays, those of included files among them as far as the files' names are
/// literal, and what is wrong with those files.
pub(super) fn collect(plays: &[Arc<Play>], loader: &Loader) -> (Vec<Item>, Vec<Diagnostic>) {
    let mut collector = Collector {
        loader,
        items: Vec::new(),
        found: Vec::new(),
        loaded: HashMap::new(),
        full: false,
    };
    for play in plays {
        let place = Place {
            play,
            around: Vec::new(),
            handler: false,
            rescue: false,
            files: Vec::new(),
        };
        for entries in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
            collector.entries(entries, &place);
        }
        let handlers = Place {
            handler: true,
            ..place
        };
        collector.entries(&play.handlers, &handlers);
    }
    (collector.items, collector.found)
}

struct Collector<'a> {
    loader: &'a Loader,
    items: Vec<Item>,
    found: Vec<Diagnostic>,
    /// Files that were read, as tasks or as handlers; none where that failed.
    loaded: HashMap<(PathBuf, bool), Option<Arc<Vec<Entry>>>>,
    /// Whether there were too many tasks.
    full: bool,
}

/// How many files may be included in each other where all are known before the run.
const DEEPEST: usize = 100;

/// How many tasks are looked at, those of a file each time that it is included.
const MOST: usize = 50_000;

#[derive(Clone)]
struct Place<'a> {
    play: &'a Arc<Play>,
    around: Vec<Around>,
    handler: bool,
    rescue: bool,
    /// The included files that it is in.
    files: Vec<PathBuf>,
}

impl Place<'_> {
    fn inside(&self, around: Around) -> Self {
        let mut inside = self.clone();
        inside.around.push(around);
        inside
    }
}

impl Collector<'_> {
    fn entries(&mut self, entries: &[Entry], place: &Place<'_>) {
        for entry in entries {
            match entry {
                Entry::Block(block) => {
                    let inside = place.inside(Around::Block(Arc::clone(block)));
                    self.entries(&block.block, &inside);
                    self.entries(&block.always, &inside);
                    let rescue = Place {
                        rescue: true,
                        ..inside
                    };
                    self.entries(&block.rescue, &rescue);
                }
                Entry::Task(task) => self.task(task, place),
            }
        }
    }

    fn task(&mut self, task: &Arc<Task>, place: &Place<'_>) {
        let item = Item {
            task: Arc::clone(task),
            play: Arc::clone(place.play),
            around: place.around.clone(),
            handler: place.handler,
            rescue: place.rescue,
        };
        let folders = item.folders();
        if self.items.len() == MOST {
            self.too_much(task, place);
            return;
        }
        self.items.push(item);
        let TaskAction::IncludeTasks { file, .. } = &task.action else {
            return;
        };
        let Some(name) = file.as_str().filter(|name| !has_template(name)) else {
            return;
        };
        let Some(path) = files::find(&folders, "tasks", name) else {
            self.found.push(files::missing(
                file,
                name,
                &folders,
                "tasks",
                "file of tasks",
            ));
            return;
        };
        // A file that includes itself does so under a condition: once is enough to check it.
        if place.files.contains(&path) {
            return;
        }
        if place.files.len() == DEEPEST {
            let message =
                format!("files of tasks are included in each other more than {DEEPEST} deep");
            self.found.push(
                Diagnostic::error(&file.span, message)
                    .note(format!("the way here: {}", way(place, name)))
                    .help("include files from one place, rather than each from the one before"),
            );
            return;
        }
        let Some(entries) = self.load(&path, place.handler) else {
            return;
        };
        let mut inside = place.inside(Around::Include(Arc::clone(task)));
        inside.files.push(path);
        stacker::maybe_grow(256 << 10, 2 << 20, || self.entries(&entries, &inside));
    }

    /// The tasks of a file, read once; what is wrong with it is told once.
    fn load(&mut self, path: &Path, handlers: bool) -> Option<Arc<Vec<Entry>>> {
        let key = (path.to_owned(), handlers);
        if let Some(known) = self.loaded.get(&key) {
            return known.clone();
        }
        let entries = match load_tasks(path, handlers, self.loader) {
            Ok(entries) => Some(Arc::new(entries)),
            Err(diagnostics) => {
                self.found.extend(diagnostics);
                None
            }
        };
        self.loaded.insert(key, entries.clone());
        entries
    }

    /// Says once that there are too many tasks to look at all of them.
    fn too_much(&mut self, task: &Task, place: &Place<'_>) {
        if std::mem::replace(&mut self.full, true) {
            return;
        }
        let mut error = Diagnostic::error(
            &task.span,
            format!("there are more than {MOST} tasks, with those of included files"),
        );
        if !place.files.is_empty() {
            error = error.note(format!(
                "the tasks of a file count each time that it is included; the way here: {}",
                way(place, &task.path.display().to_string())
            ));
        }
        self.found
            .push(error.help("include each file once, with a `loop` where it is needed"));
    }
}

/// The includes on the way to a place, with their lines; `last` is what comes after them.
fn way(place: &Place<'_>, last: &str) -> String {
    let mut steps: Vec<String> = place
        .around
        .iter()
        .filter_map(|around| match around {
            Around::Include(task) => Some(&task.span),
            Around::Block(_) => None,
        })
        .map(|span| format!("{}:{}", span.source.name(), span.position().0))
        .collect();
    steps.push(last.to_owned());
    yaml::way(&steps)
}

/// The mappings of variables of the plays and of what is around the tasks, and in the tasks.
pub(super) fn variables<'a>(
    plays: &'a [Arc<Play>],
    items: &'a [Item],
) -> impl Iterator<Item = &'a Mapping> {
    let imports = plays
        .iter()
        .flat_map(|play| play.imports.iter().map(|import| &import.vars));
    let commons = plays.iter().map(|play| &play.common.vars).chain(
        items
            .iter()
            .flat_map(|item| item.commons().map(|common| &common.vars)),
    );
    // What is around many tasks comes by once for each of them.
    let mut known = HashSet::new();
    (imports.chain(commons)).filter(move |mapping| known.insert(std::ptr::from_ref(*mapping)))
}
