//! All tasks of a run in one list, each with what stands around it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::item::{Around, Item, roles};
use super::places::{self, folder};
use crate::playbook::{
    Entry, Home, KnownVariables, Loader, Play, Role, RoleRequest, Task, TaskAction, has_role,
    has_template, load_role, load_tasks, tasks_file,
};
use crate::yaml::{self, Diagnostic, Mapping, Node, Severity};

/// An error, or a warning where it may be none.
pub(super) fn warned_of(mut diagnostic: Diagnostic, perhaps: bool) -> Diagnostic {
    if perhaps {
        diagnostic.severity = Severity::Warning;
    }
    diagnostic
}

/// What the plays bring.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// All tasks, those of included files and roles among them as far as their names are literal.
    pub(super) items: Vec<Item>,
    /// The roles, each as often as it is used.
    pub(super) roles: Vec<Arc<Role>>,
    /// What is wrong with files and roles that are included.
    pub(super) found: Vec<Diagnostic>,
}

/// Collects all that the plays bring.
pub(super) fn collect(plays: &[Arc<Play>], loader: &Loader) -> Collected {
    let mut collector = Collector {
        loader,
        items: Vec::new(),
        roles: Vec::new(),
        found: Vec::new(),
        loaded: HashMap::new(),
        full: false,
    };
    for play in plays {
        let place = Surroundings {
            play,
            around: Vec::new(),
            handler: false,
            rescue: false,
            files: Vec::new(),
        };
        collector.entries(&play.pre_tasks, &place);
        for role in &play.roles {
            collector.role(role, &place);
        }
        for entries in [&play.tasks, &play.post_tasks] {
            collector.entries(entries, &place);
        }
        let handlers = Surroundings {
            handler: true,
            ..place
        };
        collector.entries(&play.handlers, &handlers);
    }
    Collected {
        items: collector.items,
        roles: collector.roles,
        found: collector.found,
    }
}

/// A file of tasks: its name, the folder of the role that it is read for, and whether it holds handlers.
type FileKey = (PathBuf, Option<PathBuf>, bool);

/// The tasks of a file, nothing where it cannot be read; and the variables that it was read with where it made a difference.
type LoadedFor = (Option<KnownVariables>, Option<Arc<Vec<Entry>>>);

struct Collector<'a> {
    loader: &'a Loader,
    items: Vec<Item>,
    roles: Vec<Arc<Role>>,
    found: Vec<Diagnostic>,
    /// Files that were read, for which role, as tasks or as handlers; none where that failed.
    loaded: HashMap<FileKey, Vec<LoadedFor>>,
    /// Whether there were too many tasks.
    full: bool,
}

/// How many files may be included in each other where all are known before the run.
const DEEPEST: usize = 100;

/// How many tasks are looked at, those of a file each time that it is included.
const MOST: usize = 50_000;

#[derive(Clone)]
struct Surroundings<'a> {
    play: &'a Arc<Play>,
    around: Vec<Around>,
    handler: bool,
    rescue: bool,
    /// The included files that it is in; of roles, their folders with the names of their files.
    files: Vec<PathBuf>,
}

impl Surroundings<'_> {
    fn inside(&self, around: Around) -> Self {
        let mut inside = self.clone();
        inside.around.push(around);
        inside
    }

    /// Where it is, for what is included there.
    fn home(&self) -> Home {
        let role = roles(&self.around).next();
        Home {
            folder: folder(&self.play.path),
            collections: role.map_or_else(
                || self.play.collections.clone(),
                |role| role.collections.clone(),
            ),
            role: role.map(|role| role.path.clone()),
            known: self.known(),
        }
    }

    /// The variables that are written around it.
    fn known(&self) -> KnownVariables {
        let of_play = KnownVariables::default().in_play(&self.play.common.vars);
        self.around
            .iter()
            .fold(of_play, |known, around| match around {
                Around::Role(role) => known.in_role(role),
                Around::Block(_) | Around::Include(_) => {
                    let commons = std::iter::once(around.common()).chain(around.applied());
                    commons.fold(known, |known, common| known.within(&common.vars))
                }
            })
    }
}

impl Collector<'_> {
    fn entries(&mut self, entries: &[Entry], place: &Surroundings<'_>) {
        for entry in entries {
            match entry {
                Entry::Block(block) => {
                    let inside = place.inside(Around::Block(Arc::clone(block)));
                    self.entries(&block.block, &inside);
                    self.entries(&block.always, &inside);
                    let rescue = Surroundings {
                        rescue: true,
                        ..inside
                    };
                    self.entries(&block.rescue, &rescue);
                }
                Entry::Task(task) => self.task(task, place),
                Entry::Role(import) => {
                    let inside = place.inside(Around::Block(Arc::clone(&import.around)));
                    self.role(&import.role, &inside);
                }
            }
        }
    }

    /// The tasks and handlers of a role, and of those that it depends on.
    fn role(&mut self, role: &Arc<Role>, place: &Surroundings<'_>) {
        self.roles.push(Arc::clone(role));
        let inside = place.inside(Around::Role(Arc::clone(role)));
        for dependency in &role.dependencies {
            self.role(dependency, &inside);
        }
        self.entries(&role.tasks, &inside);
        let handlers = Surroundings {
            handler: true,
            ..inside
        };
        self.entries(&role.handlers, &handlers);
    }

    fn task(&mut self, task: &Arc<Task>, place: &Surroundings<'_>) {
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
        let certain = item.fails_for_certain();
        self.items.push(item);
        match &task.action {
            TaskAction::IncludeTasks { file, .. } => {
                self.included_file((task, certain), file, &folders, place);
            }
            TaskAction::IncludeRole { role, .. } => {
                self.included_role((task, certain), role, place);
            }
            TaskAction::Module { .. } | TaskAction::Meta(..) => {}
        }
    }

    /// `certain`: where the task fails, the run does.
    fn included_file(
        &mut self,
        (task, certain): (&Arc<Task>, bool),
        file: &Node,
        folders: &[PathBuf],
        place: &Surroundings<'_>,
    ) {
        let Some(name) = file.as_str().filter(|name| !has_template(name)) else {
            return;
        };
        let in_role = place.home().role.is_some();
        let path = match tasks_file(name, folders, in_role, place.handler) {
            Ok(path) => path,
            Err(tried) => {
                let missing = places::not_there(file, name, &tried, "file of tasks");
                self.found.push(warned_of(missing, !certain));
                return;
            }
        };
        // A file that includes itself does so under a condition: once is enough to check it.
        if place.files.contains(&path) {
            return;
        }
        if !self.shallow(place, file, name) {
            return;
        }
        let Some(entries) = self.load(&path, place) else {
            return;
        };
        let mut inside = place.inside(Around::Include(Arc::clone(task)));
        inside.files.push(path);
        stacker::maybe_grow(256 << 10, 2 << 20, || self.entries(&entries, &inside));
    }

    /// A role that is included, where its name and those of its files are written out.
    fn included_role(
        &mut self,
        (task, certain): (&Arc<Task>, bool),
        request: &RoleRequest,
        place: &Surroundings<'_>,
    ) {
        if !request.is_literal() {
            return;
        }
        let files = &request.files;
        let names = [&files.tasks, &files.vars, &files.defaults, &files.handlers];
        let names = names.map(|name| name.as_ref().and_then(Node::as_str));
        let name = request.name.as_str().unwrap_or_default();
        let key = PathBuf::from(format!("{:?} {name} {names:?}", place.home().role));
        if place.files.contains(&key) || !self.shallow(place, &request.name, name) {
            return;
        }
        let home = place.home();
        if let Err(missing) = has_role(request, &home, self.loader) {
            self.found.push(warned_of(missing, !certain));
            return;
        }
        match load_role(request, &task.common.vars, &home, self.loader) {
            Ok(role) => {
                let mut inside = place.inside(Around::Include(Arc::clone(task)));
                inside.files.push(key);
                stacker::maybe_grow(256 << 10, 2 << 20, || self.role(&role, &inside));
            }
            Err(diagnostics) => self.found.extend(diagnostics),
        }
    }

    /// Whether not too much is included in each other.
    fn shallow(&mut self, place: &Surroundings<'_>, named: &Node, name: &str) -> bool {
        if place.files.len() < DEEPEST {
            return true;
        }
        let message = format!("files of tasks are included in each other more than {DEEPEST} deep");
        self.found.push(
            Diagnostic::error(&named.span, message)
                .note(format!("the way here: {}", way(place, name)))
                .help("include files from one place, rather than each from the one before"),
        );
        false
    }

    /// The tasks of a file, read once; what is wrong with it is told once.
    fn load(&mut self, path: &Path, place: &Surroundings<'_>) -> Option<Arc<Vec<Entry>>> {
        let home = place.home();
        let key = (path.to_owned(), home.role.clone(), place.handler);
        let known = self.loaded.get(&key).into_iter().flatten();
        let known = { known }.find(|(of, _)| of.as_ref().is_none_or(|of| *of == home.known));
        if let Some((_, entries)) = known {
            return entries.clone();
        }
        let (of, entries) = match load_tasks(path, place.handler, &home, self.loader) {
            Ok(read) => (read.filled.then_some(home.known), Some(read.entries)),
            Err(diagnostics) => {
                self.found.extend(diagnostics);
                (None, None)
            }
        };
        let known = self.loaded.entry(key).or_default();
        known.push((of, entries.clone()));
        entries
    }

    /// Says once that there are too many tasks to look at all of them.
    fn too_much(&mut self, task: &Task, place: &Surroundings<'_>) {
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
fn way(place: &Surroundings<'_>, last: &str) -> String {
    let mut steps: Vec<String> = place
        .around
        .iter()
        .filter_map(|around| match around {
            Around::Include(task) => Some(&task.span),
            Around::Block(_) | Around::Role(_) => None,
        })
        .map(|span| format!("{}:{}", span.source.name(), span.position().0))
        .collect();
    steps.push(last.to_owned());
    yaml::way(&steps)
}

/// The mappings of variables of the plays, of roles, of what is around the tasks, and in the tasks.
pub(super) fn variables<'a>(
    plays: &'a [Arc<Play>],
    collected: &'a Collected,
) -> impl Iterator<Item = &'a Mapping> {
    let Collected { items, roles, .. } = collected;
    let imports = plays
        .iter()
        .flat_map(|play| play.imports.iter().map(|import| &import.vars));
    let commons = plays.iter().map(|play| &play.common.vars).chain(
        items
            .iter()
            .flat_map(|item| item.commons().map(|common| &common.vars)),
    );
    let roles = roles.iter().flat_map(|role| {
        let files = role.defaults.iter().chain(&role.vars);
        let files = files.filter_map(|file| file.as_mapping());
        files.chain([&role.params, &role.common.vars])
    });
    // What is around many tasks is met once for each of them.
    let mut known = HashSet::new();
    (imports.chain(commons).chain(roles))
        .filter(move |mapping| known.insert(std::ptr::from_ref(*mapping)))
}
