//! Files of YAML: any, and as playbooks and tasks that are read and checked.

use std::path::Path;

use super::lookups::counted;
use super::parts;
use super::world::{World, draw, show};
use crate::check;
use crate::playbook;
use crate::yaml::{self, Node, Source, Value};

/// The files `main.yml`, `tasks.yml` and `vars.yml`, which may name each other.
pub fn yaml(input: &[u8]) {
    let files: [String; 3] = parts(input);
    if let Ok(documents) = shown(yaml::parse(&Source::named("text", files[0].as_str()))) {
        for document in documents {
            walk(&document);
        }
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, text) in ["main.yml", "tasks.yml", "vars.yml"].iter().zip(&files) {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    counted(|| read(folder.path()));
}

fn shown<T>(result: Result<T, Vec<yaml::Diagnostic>>) -> Result<T, ()> {
    result.map_err(|found| draw(&found))
}

fn read(folder: &Path) {
    let loader = check::loader();
    let _ = shown(playbook::load_tasks(
        &folder.join("tasks.yml"),
        false,
        &playbook::Home::default(),
        &loader,
    ));
    let (playbook, found) = playbook::load_partly(&folder.join("main.yml"), &loader);
    draw(&found);
    let world = World::new();
    let playbooks = [playbook];
    draw(&check::check(&check::Input {
        playbooks: &playbooks,
        inventory: &world.inventory,
        store: &world.store,
        templar: &world.templar,
        loader: &loader,
        complete: found.is_empty(),
        all_tasks: true,
        from_start: true,
        limit: None,
    }));
}

fn walk(node: &Node) {
    show(&node.span);
    node.source_text();
    yaml::surprise(node);
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(walk),
        Value::Mapping(mapping) => {
            for (key, value) in mapping.iter() {
                walk(key);
                walk(value);
            }
        }
        _ => {}
    }
}
