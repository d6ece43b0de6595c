//! Reads roles, each for one place that uses it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::keywords;
use super::loader::Loader;
use super::model::{Common, Keyword, Role, RoleFiles, RoleRequest, UsedBy};
use super::reader::{Reader, describe, scalar};
use super::search::{self, Home};
use crate::yaml::{Diagnostic, Mapping, Node, Span, Value, suggest};

/// One use of a role, before it is read.
pub(super) struct RoleUse {
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
        &RoleUse {
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
    /// The role that a use names, with all that it brings; nothing where something is wrong with it.
    pub(super) fn role(&mut self, wanted: &RoleUse, home: &Home) -> Option<Arc<Role>> {
        let name = self.name_of(&wanted.name, wanted.by, "the name of a role", home)?;
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
                Some(node) => Some(self.name_of(node, wanted.by, &format!("`{keyword}`"), home)?),
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

    /// What a role or a file of it is called. What an `include_role` names is rendered: a host may have said it, and
    /// nothing in it is filled in.
    fn name_of(&mut self, node: &Node, by: UsedBy, what: &str, home: &Home) -> Option<String> {
        match by {
            UsedBy::Include => scalar(node),
            UsedBy::Play | UsedBy::Role | UsedBy::Import => self.known_text(node, what, home),
        }
    }

    fn role_at(
        &mut self,
        found: &search::FoundRole,
        wanted: &RoleUse,
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
            known: home
                .known
                .in_files((&defaults, &vars), (&wanted.common, &wanted.params)),
        };
        let dependencies = match Self::given(&about, "dependencies") {
            Some(node) => self.uses(node, "dependencies", UsedBy::Role, &own),
            None => Vec::new(),
        };
        let own_duplicates = match self.flag(&about, "allow_duplicates") {
            Some(Keyword::Known(flag, _)) => flag,
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

    /// The collections in which the tasks of a role look for roles.
    fn role_collections(&mut self, about: &Mapping, found: &search::FoundRole) -> Vec<String> {
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
) -> Result<search::FoundRole, Diagnostic> {
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
pub(super) fn known(flag: Option<&Keyword<bool>>, default: bool) -> bool {
    match flag {
        Some(Keyword::Known(flag, _)) => *flag,
        Some(Keyword::Template(_)) | None => default,
    }
}

/// The names of the files that are taken.
struct Names {
    tasks: Option<String>,
    vars: Option<String>,
    defaults: Option<String>,
    handlers: Option<String>,
}

/// What makes two uses of a role the same, as in ansible-core 2.19.
fn identity(found: &search::FoundRole, wanted: &RoleUse, names: &Names) -> String {
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
