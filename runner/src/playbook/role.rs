//! Reads roles: those that `roles:` of a play lists, and what `import_role`, `include_role` and the
//! dependencies of other roles name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::keywords;
use super::loader::Loader;
use super::model::{Common, Entry, Role, RoleFiles, RoleRequest, UsedBy};
use super::reader::{Reader, describe, scalar};
use super::search::{self, Home};
use super::tasks::Place;
use crate::yaml::{Diagnostic, Mapping, Node, Span, Value, suggest};

/// One use of a role, before it is read.
pub(super) struct Use {
    pub(super) name: Node,
    pub(super) files: RoleFiles,
    pub(super) common: Common,
    pub(super) params: Mapping,
    pub(super) by: UsedBy,
    pub(super) public: bool,
    /// What the place says of it; otherwise the role says it.
    pub(super) allow_duplicates: Option<bool>,
    pub(super) validate: bool,
}

/// Reads the role that an `include_role` names, in which all templates are rendered. `vars`: its variables; `home`:
/// where it stands.
pub fn load_role(
    request: &RoleRequest,
    vars: &Mapping,
    home: &Home,
    loader: &Loader,
) -> Result<Arc<Role>, Vec<Diagnostic>> {
    let mut reader = Reader::new(loader);
    let role = reader.role(
        &Use {
            name: request.name.clone(),
            files: request.files.clone(),
            common: Common {
                vars: vars.clone(),
                ..Common::default()
            },
            params: Mapping::default(),
            by: UsedBy::Include,
            public: known(request.public.as_ref(), false),
            allow_duplicates: Some(known(request.allow_duplicates.as_ref(), true)),
            validate: known(request.validate.as_ref(), true),
        },
        home,
    );
    match (role, reader.finish(())) {
        (Some(role), Ok(())) => Ok(role),
        (_, Err(diagnostics)) => Err(diagnostics),
        (None, Ok(())) => Err(vec![
            Diagnostic::error(&request.name.span, "the role cannot be read")
                .help("check its name and its files"),
        ]),
    }
}

impl Reader<'_> {
    /// `roles:` of a play.
    pub(super) fn roles(&mut self, mapping: &Mapping, home: &Home) -> Vec<Arc<Role>> {
        match Self::given(mapping, "roles") {
            Some(node) => self.uses(node, "roles", UsedBy::Play, home),
            None => Vec::new(),
        }
    }

    /// A list of roles, under a keyword.
    fn uses(&mut self, node: &Node, key: &str, by: UsedBy, home: &Home) -> Vec<Arc<Role>> {
        let Some(items) = node.as_sequence() else {
            self.wrong(key, node, "a list of roles");
            return Vec::new();
        };
        let uses = items.iter().filter_map(|item| {
            let wanted = self.listed(item, by)?;
            self.role(&wanted, home)
        });
        uses.collect()
    }

    /// An entry of such a list.
    fn listed(&mut self, item: &Node, by: UsedBy) -> Option<Use> {
        if !self.has_room(item) {
            return None;
        }
        let mut wanted = Use {
            name: item.clone(),
            files: RoleFiles::default(),
            common: Common::default(),
            params: Mapping::default(),
            by,
            public: by == UsedBy::Play,
            allow_duplicates: None,
            validate: true,
        };
        let Some(mapping) = item.as_mapping() else {
            if scalar(item).is_none_or(|name| name.trim().is_empty()) {
                let message = format!("a role was expected here, but this is {}", describe(item));
                self.error(Diagnostic::error(&item.span, message).help(
                    "write the name of a role: `- NAME`, or `- role: NAME` with more below it",
                ));
                return None;
            }
            return Some(wanted);
        };
        let named = ["role", "name"].iter().find_map(|key| mapping.get(key));
        let source = mapping.get("src").filter(|_| by == UsedBy::Role);
        let source = source.filter(|_| named.is_none()).and_then(of_source);
        let named = named.or(source.as_ref());
        let Some(name) = named.filter(|name| scalar(name).is_some()) else {
            let first = mapping.entries.first();
            let span = named.map_or_else(
                || first.map_or(&item.span, |(key, _)| &key.span),
                |name| &name.span,
            );
            self.error(
                Diagnostic::error(span, "this entry names no role")
                    .help("write `- role: NAME`, and what is for the role below it"),
            );
            return None;
        };
        wanted.name = name.clone();
        wanted.common = self.common(mapping);
        for (key, value) in mapping.iter() {
            let Some(text) = key.as_str() else {
                self.unknown(key, "a role", keywords::ROLE);
                continue;
            };
            if keywords::contains(keywords::ROLE, text) {
                continue;
            }
            if keywords::not_yet(text).is_some() {
                self.unknown(key, "a role", keywords::ROLE);
                continue;
            }
            wanted.params.entries.push((key.clone(), value.clone()));
        }
        Some(wanted)
    }

    /// What an `import_role` or `include_role` asks for.
    pub(super) fn role_request(
        &mut self,
        action: &super::action::Action,
        mapping: &Mapping,
        dynamic: bool,
    ) -> Option<RoleRequest> {
        let keyword = keywords::short(&action.name).to_owned();
        let form = super::Form::new(windlass_modules::FreeForm::No, []);
        let more = Self::given(mapping, "args");
        let arguments = match super::arguments(&action.arguments, more, &form) {
            Ok(read) => read.entries,
            Err(errors) => {
                self.errors(errors);
                return None;
            }
        };
        let known: &[&[&str]] = if dynamic {
            &[keywords::IMPORT_ROLE, &["apply"]]
        } else {
            &[keywords::IMPORT_ROLE]
        };
        self.only(&arguments, &format!("`{keyword}`"), known);
        let name = ["name", "role"].iter().find_map(|key| arguments.get(key));
        let Some(name) = name.filter(|name| scalar(name).is_some_and(|name| !name.is_empty()))
        else {
            self.error(
                Diagnostic::error(&action.span, format!("`{keyword}` names no role"))
                    .help("write `name: ROLE` below it"),
            );
            return None;
        };
        let name = name.clone();
        let mut file = |key: &str| self.scalar_node(&arguments, key);
        let files = RoleFiles {
            tasks: file("tasks_from"),
            vars: file("vars_from"),
            defaults: file("defaults_from"),
            handlers: file("handlers_from"),
        };
        let mut flag = |key: &str| match self.flag(&arguments, key) {
            Some(super::Keyword::Template(node)) if !dynamic => {
                self.wrong(key, &node, "a yes or a no that is written out");
                None
            }
            flag => flag,
        };
        Some(RoleRequest {
            name,
            files,
            public: flag("public"),
            allow_duplicates: flag("allow_duplicates"),
            validate: flag("rolespec_validate"),
        })
    }

    /// The role that a use names, with all that it brings; nothing where something is wrong with it.
    pub(super) fn role(&mut self, wanted: &Use, home: &Home) -> Option<Arc<Role>> {
        let name = self.known_text(&wanted.name, "the name of a role", home)?;
        let found = match find(&name, &wanted.name, wanted.by, home, self.loader) {
            Ok(found) => found,
            Err(error) => {
                self.error(error);
                return None;
            }
        };
        let mut files = Vec::new();
        for (keyword, node) in [
            ("tasks_from", &wanted.files.tasks),
            ("vars_from", &wanted.files.vars),
            ("defaults_from", &wanted.files.defaults),
            ("handlers_from", &wanted.files.handlers),
        ] {
            files.push(match node {
                Some(node) => Some(self.known_text(node, &format!("`{keyword}`"), home)?),
                None => None,
            });
        }
        let [tasks, vars, defaults, handlers] = <[Option<String>; 4]>::try_from(files).ok()?;
        if !self.may_open(&found.path, tasks.as_deref(), &wanted.name, &name) {
            return None;
        }
        let span = wanted.name.span.clone();
        self.roles.push((found.path.clone(), tasks.clone(), span));
        let names = Names {
            tasks,
            vars,
            defaults,
            handlers,
        };
        let role = self.within(
            &found.path.join("tasks"),
            Some(&wanted.name.span),
            |reader| Some(reader.role_at(&found, wanted, &names, home)),
        );
        self.roles.pop();
        role
    }

    fn role_at(
        &mut self,
        found: &search::Found,
        wanted: &Use,
        names: &Names,
        home: &Home,
    ) -> Arc<Role> {
        let path = &found.path;
        let vars = self.role_variables(
            path,
            "vars",
            names.vars.as_deref(),
            wanted.files.vars.as_ref(),
        );
        let defaults = self.role_variables(
            path,
            "defaults",
            names.defaults.as_deref(),
            wanted.files.defaults.as_ref(),
        );
        let meta = self.role_document(path, "meta", None, None);
        let meta = meta.as_deref().filter(|meta| !meta.is_null());
        let about = meta.and_then(Node::as_mapping).cloned();
        if let (Some(meta), None) = (meta, &about) {
            let message = format!(
                "what a role says of itself is a mapping, but this is {}",
                describe(meta)
            );
            self.error(
                Diagnostic::error(&meta.span, message)
                    .help("write `dependencies:`, `allow_duplicates:` and the like in it"),
            );
        }
        let about = about.unwrap_or_default();
        self.only(&about, "the `meta` of a role", keywords::ROLE_META);
        let own = Home {
            folder: home.folder.clone(),
            collections: self.role_collections(&about, found),
            role: Some(path.clone()),
        };
        let dependencies = match Self::given(&about, "dependencies") {
            Some(node) => self.uses(node, "dependencies", UsedBy::Role, &own),
            None => Vec::new(),
        };
        let own_duplicates = match self.flag(&about, "allow_duplicates") {
            Some(super::Keyword::Known(flag, _)) => flag,
            _ => false,
        };
        let entry_point = names.tasks.as_deref().unwrap_or("main");
        let argument_spec = if wanted.validate {
            self.argument_spec(path, &about, entry_point)
        } else {
            None
        };
        let mut tasks = Vec::new();
        if let Some((entry_point, spec)) = &argument_spec {
            tasks.extend(super::argument_spec::validation(
                path,
                &found.name,
                entry_point,
                spec,
                &wanted.params,
            ));
        }
        let asked = (names.tasks.as_deref(), wanted.files.tasks.as_ref());
        tasks.extend(self.role_entries(path, "tasks", asked, &own));
        let asked = (names.handlers.as_deref(), wanted.files.handlers.as_ref());
        let handlers = self.role_entries(path, "handlers", asked, &own);
        Arc::new(Role {
            span: wanted.name.span.clone(),
            name: found.name.clone(),
            collection: found.collection.clone(),
            path: path.clone(),
            collections: own.collections,
            common: wanted.common.clone(),
            params: wanted.params.clone(),
            defaults,
            vars,
            dependencies,
            tasks,
            handlers,
            allow_duplicates: wanted.allow_duplicates.unwrap_or(own_duplicates),
            by: wanted.by,
            public: wanted.public,
            argument_spec,
            identity: identity(found, wanted, names).into(),
        })
    }

    /// The tasks, or handlers, of a role.
    fn role_entries(
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
        let place = Place {
            path: &file,
            handlers: part == "handlers",
            notify: &[],
            home,
        };
        self.task_file(place, &document)
    }

    /// The mappings of the files with a role's variables, or defaults.
    fn role_variables(
        &mut self,
        path: &Path,
        part: &str,
        asked: Option<&str>,
        named: Option<&Node>,
    ) -> Vec<Arc<Node>> {
        let files = search::role_files(&path.join(part), asked, true);
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
    fn role_document(
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
    fn role_file(
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

    /// The collections in which the tasks of a role look for roles.
    fn role_collections(&mut self, about: &Mapping, found: &search::Found) -> Vec<String> {
        let mut collections: Vec<String> = found.collection.iter().cloned().collect();
        for node in self.scalars(about, "collections", "the name of a collection, or a list") {
            let name = scalar(&node).unwrap_or_default();
            if !collections.contains(&name) {
                collections.push(name);
            }
        }
        collections
    }

    /// The specification of the arguments of an entry point, which is a file of tasks.
    fn argument_spec(
        &mut self,
        path: &Path,
        about: &Mapping,
        entry_point: &str,
    ) -> Option<(String, Node)> {
        let own = search::role_files(&path.join("meta"), Some("argument_specs"), false);
        let specs = match own.first() {
            Some(file) => match self.document(file) {
                Ok(document) => document.as_mapping()?.get("argument_specs").cloned(),
                Err(errors) => {
                    self.errors(errors);
                    None
                }
            },
            None => about.get("argument_specs").cloned(),
        }?;
        if specs.is_null() {
            return None;
        }
        let Some(entry_points) = specs.as_mapping() else {
            self.wrong("argument_specs", &specs, "a mapping of entry points");
            return None;
        };
        let spec = entry_points.get(entry_point)?;
        if spec.as_mapping().is_none() {
            if !spec.is_null() {
                self.wrong(entry_point, spec, "a mapping with `options`");
            }
            return None;
        }
        Some((entry_point.to_owned(), spec.clone()))
    }

    /// Whether a role may be read now: it must not be on the way to itself.
    fn may_open(&mut self, path: &Path, tasks: Option<&str>, named: &Node, name: &str) -> bool {
        let open = |(known, file, _): &(PathBuf, Option<String>, Span)| {
            known == path && file.as_deref() == tasks
        };
        let Some(first) = self.roles.iter().position(open) else {
            return self.shallow(named, name);
        };
        let mut way: Vec<String> = self.roles[first..]
            .iter()
            .map(|(_, _, span)| format!("{}:{}", span.source.name(), span.position().0))
            .collect();
        way.push(format!(
            "{}:{}",
            named.span.source.name(),
            named.span.position().0
        ));
        self.error(
            Diagnostic::error(&named.span, format!("the role `{name}` needs itself"))
                .note(format!("the way back to it: {}", way.join(" → ")))
                .help("take one of these out; or use `include_role` with a `when` that ends it"),
        );
        false
    }

    /// The collections that a play, block or task names in addition.
    pub(super) fn home_with(&mut self, home: &Home, mapping: &Mapping) -> Home {
        let names = self.scalars(
            mapping,
            "collections",
            "the name of a collection, or a list",
        );
        if names.is_empty() {
            return home.clone();
        }
        Home {
            collections: names.iter().filter_map(scalar).collect(),
            ..home.clone()
        }
    }
}

fn no_role(node: &Node, name: &str, tried: &[PathBuf]) -> Diagnostic {
    let folders = tried.iter().filter_map(|path| path.parent());
    let names: Vec<String> = folders
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let is_role = entry.path().join("tasks").is_dir();
            entry.file_name().into_string().ok().filter(|_| is_role)
        })
        .collect();
    let places: Vec<String> = tried
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    let help = match suggest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if name.matches('.').count() >= 2 => {
            "install its collection into `collections/ansible_collections/` beside the playbook, \
                 or say where it is with ANSIBLE_COLLECTIONS_PATH"
                .to_owned()
        }
        None => {
            "put it into `roles/` beside the playbook, or say where it is with ANSIBLE_ROLES_PATH"
                .to_owned()
        }
    };
    Diagnostic::error(&node.span, format!("there is no role `{name}`"))
        .note(format!("looked for {}", places.join(", ")))
        .help(help)
}

/// Where a role is that is named `name` at `node`.
fn find(
    name: &str,
    node: &Node,
    by: UsedBy,
    home: &Home,
    loader: &Loader,
) -> Result<search::Found, Diagnostic> {
    let beside = home.role.as_deref().and_then(Path::parent);
    let beside = beside.filter(|_| by == UsedBy::Role);
    search::role(name, home, beside, &loader.paths).map_err(|tried| no_role(node, name, &tried))
}

/// Whether there is the role that an `include_role` names, in which all templates are rendered.
pub fn has_role(request: &RoleRequest, home: &Home, loader: &Loader) -> Result<(), Diagnostic> {
    let name = request.name.as_str().unwrap_or_default();
    find(name, &request.name, UsedBy::Include, home, loader).map(drop)
}

/// A flag whose template is rendered.
pub(super) fn known(flag: Option<&super::Keyword<bool>>, default: bool) -> bool {
    match flag {
        Some(super::Keyword::Known(flag, _)) => *flag,
        Some(super::Keyword::Template(_)) | None => default,
    }
}

/// The name of a dependency that says where Galaxy gets it from: the last part of the address, without what says how
/// it is packed.
fn of_source(source: &Node) -> Option<Node> {
    let text = source.as_str()?;
    let last = if text.contains("://") || text.contains('@') {
        text.rsplit('/').next()?
    } else {
        text
    };
    let last = last.split(',').next()?;
    let last = last.strip_suffix(".git").unwrap_or(last);
    let last = last.strip_suffix(".tar.gz").unwrap_or(last);
    Some(Node::string(source.span.clone(), last))
}

/// The names of the files that are taken.
struct Names {
    tasks: Option<String>,
    vars: Option<String>,
    defaults: Option<String>,
    handlers: Option<String>,
}

/// What makes two uses of a role the same, as in ansible-core 2.19.
fn identity(found: &search::Found, wanted: &Use, names: &Names) -> String {
    let included = matches!(wanted.by, UsedBy::Import | UsedBy::Include);
    let texts = |nodes: &[Node]| nodes.iter().map(written).collect::<Vec<_>>();
    format!(
        "{:?}",
        (
            (&found.collection, &found.name, &found.path),
            (&names.tasks, &names.vars, &names.defaults, &names.handlers),
            pairs(&wanted.params),
            pairs(&wanted.common.vars),
            texts(&wanted.common.when),
            texts(&wanted.common.tags),
            included,
        )
    )
}

fn pairs(mapping: &Mapping) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = mapping
        .iter()
        .map(|(key, value)| (written(key), written(value)))
        .collect();
    pairs.sort();
    pairs
}

/// A value as text, whatever its style.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Sequence(items) => format!("{:?}", items.iter().map(written).collect::<Vec<_>>()),
        Value::Mapping(mapping) => format!("{:?}", pairs(mapping)),
        other => format!("{other:?}"),
    }
}
