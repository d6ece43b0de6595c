//! Which room uses which, read from the source: no two use each other, and no two files do. The table of rooms in
//! docs/rooms.md is written here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;

mod names;

/// What uses what.
type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of a crate that are not its tests, by their paths in it (`engine::unit`, `engine` for
/// `engine/mod.rs`), each with its source.
fn files(krate: &str) -> BTreeMap<String, String> {
    let source = root().join(krate).join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry of it").path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if name == "tests" || name.ends_with("_tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&source).expect("it is below");
                let inside = inside.with_extension("");
                let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
                let name = parts.join("::");
                let name = name.strip_suffix("::mod").unwrap_or(&name).to_owned();
                let text = std::fs::read_to_string(&path).expect("source is text");
                found.insert(name, text);
            }
        }
    }
    found
}

/// The paths that a file names, in `use` and in its code, and the texts in it; not those of its tests.
#[derive(Default)]
struct Named {
    paths: Vec<Vec<String>>,
    before: Vec<String>,
    texts: Vec<String>,
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = |attribute: &syn::Attribute| {
            attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|path| path.is_ident("test"))
        };
        if !module.attrs.iter().any(is_test) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_use_tree(&mut self, tree: &'ast syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                self.before.push(path.ident.to_string());
                self.visit_use_tree(&path.tree);
                self.before.pop();
            }
            syn::UseTree::Group(group) => {
                group
                    .items
                    .iter()
                    .for_each(|tree| self.visit_use_tree(tree));
            }
            syn::UseTree::Name(name) => self.name(&name.ident),
            syn::UseTree::Rename(name) => self.name(&name.ident),
            syn::UseTree::Glob(_) => self.paths.push(self.before.clone()),
        }
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.texts.push(text.value());
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let tokens = call.tokens.to_string();
        let texts = tokens.split('"').skip(1).step_by(2);
        self.texts.extend(texts.map(str::to_owned));
        syn::visit::visit_macro(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts = path.segments.iter().map(|part| part.ident.to_string());
        self.paths.push(parts.collect());
        syn::visit::visit_path(self, path);
    }
}

impl Named {
    fn name(&mut self, name: &syn::Ident) {
        let mut path = self.before.clone();
        path.push(name.to_string());
        self.paths.push(path);
    }
}

/// The files of the same crate that a file names.
fn uses(file: &str, code: &str, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let code = syn::parse_file(code).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut named = Named::default();
    named.visit_file(&code);
    let is_folder = files
        .keys()
        .any(|other| other.starts_with(&format!("{file}::")));
    let mut found = BTreeSet::new();
    for path in named.paths {
        let ups = path.iter().take_while(|part| *part == "super").count();
        let mut parts: Vec<&str> = file.split("::").collect();
        match path.first().map(String::as_str) {
            Some("crate") => parts.clear(),
            // `super` of a folder's first file is the folder above.
            Some("super") => parts.truncate(parts.len().saturating_sub(ups)),
            Some("self") if is_folder => {}
            _ => continue,
        }
        let rest = path.iter().map(String::as_str);
        parts.extend(rest.skip_while(|part| matches!(*part, "crate" | "super" | "self")));
        while !parts.is_empty() {
            let name = parts.join("::");
            if files.contains_key(&name) {
                if name != file {
                    found.insert(name);
                }
                break;
            }
            parts.pop();
        }
    }
    found
}

fn arrows(krate: &str) -> Arrows {
    let files = files(krate);
    // The first file of a folder names all others in it.
    let is_first = |file: &str| {
        files
            .keys()
            .any(|other| other.starts_with(&format!("{file}::")))
    };
    let own = files.iter().filter(|(file, _)| !is_first(file));
    own.map(|(file, code)| (file.clone(), uses(file, code, &files)))
        .collect()
}

/// What is left when all goes that uses nothing, or is used by nothing, of the rest.
fn circles(arrows: &Arrows) -> BTreeSet<String> {
    let mut left: BTreeSet<String> = arrows.keys().cloned().collect();
    loop {
        let stays = |file: &&String| {
            let used = |by: &String| by != *file && arrows[by].contains(*file);
            arrows[*file].iter().any(|other| left.contains(other)) && left.iter().any(used)
        };
        let next: BTreeSet<String> = left.iter().filter(stays).cloned().collect();
        if next.len() == left.len() {
            return left;
        }
        left = next;
    }
}

/// The arrows between the rooms of the runner.
fn rooms() -> Arrows {
    let room = |file: &str| file.split("::").next().unwrap_or_default().to_owned();
    let mut rooms = Arrows::new();
    for (file, used) in arrows("runner") {
        // The crate's own first file, and the one that fuzzes all of it, are no rooms.
        if ["lib", "main", "fuzzing"].contains(&&*room(&file)) {
            continue;
        }
        let others = used.iter().map(|used| room(used));
        // What fuzzing counts is compiled in for it alone.
        let others = others.filter(|other| *other != room(&file) && other != "fuzzing");
        rooms.entry(room(&file)).or_default().extend(others);
    }
    rooms
}

/// Files in which a word is the name of a module, and why that is right.
const NAMES_OF_MODULES: &[(&str, &str, &str)] = &[
    ("check::defined", "file", "an argument of `include_vars`"),
    (
        "check::defined",
        "include_vars",
        "the variables in its file are defined",
    ),
    ("check::files", "file", "what is missing, in words"),
    ("check::files", "template", "what is missing, in words"),
    (
        "cli::schema::keywords",
        "gather_facts",
        "the keyword of a play",
    ),
    (
        "engine::gather",
        "setup",
        "a play's `gather_facts` is that module by definition",
    ),
];

#[test]
fn modules_are_known_by_their_descriptions_and_not_by_name() {
    let names: BTreeSet<&str> = windlass_modules::registry::names().collect();
    let mut found = BTreeSet::new();
    for (file, code) in files("runner") {
        if !["check", "cli", "engine", "report"].contains(&file.split("::").next().unwrap_or("")) {
            continue;
        }
        let code = syn::parse_file(&code).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut named = Named::default();
        named.visit_file(&code);
        let texts = named.texts.into_iter();
        found.extend(
            texts
                .filter(|text| names.contains(text.as_str()))
                .map(|text| (file.clone(), text)),
        );
    }
    let known: BTreeSet<(String, String)> = NAMES_OF_MODULES
        .iter()
        .map(|(file, word, _)| ((*file).to_owned(), (*word).to_owned()))
        .collect();
    assert_eq!(found, known, "ask the module's description");
}

#[test]
fn modules_wait_only_where_an_interrupt_ends_it() {
    for (file, code) in files("modules") {
        // The control host waits for them.
        if file == "controller" || file.starts_with("fake::") {
            continue;
        }
        let code = syn::parse_file(&code).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut named = Named::default();
        named.visit_file(&code);
        let is_sleep =
            |path: &Vec<String>| path.ends_with(&["time".to_owned(), "sleep".to_owned()]);
        assert!(
            !named.paths.iter().any(is_sleep),
            "{file}: wait with `context.control.sleep`"
        );
    }
}

#[test]
fn no_two_rooms_use_each_other() {
    let left = circles(&rooms());
    assert!(left.is_empty(), "these rooms use each other: {left:?}");
}

#[test]
fn no_files_use_each_other() {
    for krate in ["modules", "runner"] {
        let left = circles(&arrows(krate));
        assert!(
            left.is_empty(),
            "in {krate} these files use each other: {left:?}"
        );
    }
}

#[test]
fn a_circle_is_found_and_what_leads_to_it_or_from_it_is_none() {
    let arrows: Arrows = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("d", "")]
        .into_iter()
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .fold(Arrows::new(), |mut arrows, (from, to)| {
            arrows.entry(from).or_default().insert(to);
            arrows
        });
    let found = circles(&arrows);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["b", "c"]);
}

/// The first line of what a room says of itself.
fn about(room: &str) -> String {
    let source = root().join("runner/src").join(room).join("mod.rs");
    let single = root().join("runner/src").join(format!("{room}.rs"));
    let text = std::fs::read_to_string(source).or_else(|_| std::fs::read_to_string(single));
    let text = text.expect("a room has a first file");
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let first: Vec<&str> = lines
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    first.join(" ")
}

#[test]
fn the_table_of_rooms_is_that_of_the_source() {
    let mut text = String::from(
        "# The rooms\n\nThe crate `windlass` in `runner/src`, from the source: a room uses those that are named in its line, and no two \
         use each other. `modules/` knows none of them.\n\n| Room | What it is | Uses |\n|---|---|---|\n",
    );
    for (room, used) in rooms() {
        let used: Vec<&str> = used.iter().map(String::as_str).collect();
        text.push_str(&format!(
            "| `{room}` | {} | {} |\n",
            about(&room).replace('|', "\\|"),
            used.join(", ")
        ));
    }
    let page = root().join("docs/rooms.md");
    if std::env::var_os("WINDLASS_WRITE_DOCS").is_some() {
        std::fs::write(&page, &text).expect("the page can be written");
    }
    let known = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        known == text,
        "docs/rooms.md is old: WINDLASS_WRITE_DOCS=1 rewrites it"
    );
}
