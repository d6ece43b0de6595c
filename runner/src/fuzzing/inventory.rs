//! Inventories in all their forms, and patterns of hosts.

use std::path::Path;

use super::parts;
use super::world::draw;
use crate::inventory::{self, Inventory, InventorySource, Pattern};
use crate::yaml::{Diagnostic, Source, Span};

/// Hosts that are looked at one by one; a person asks for no more.
const LOOKED_AT: usize = 20;

/// The form (`ini`, `yml`, `json`, `script`, `hosts`, or none), a text of that form, and patterns,
/// one a line.
pub fn inventory(input: &[u8]) {
    let [form, text, patterns] = parts(input);
    let inventory = match read(&form, &text) {
        Ok(inventory) => inventory,
        Err(found) => {
            draw(&found);
            Inventory::default()
        }
    };
    draw(inventory.warnings());
    look(&inventory);
    for pattern in patterns.lines() {
        select(&inventory, pattern);
    }
}

fn read(form: &str, text: &str) -> Result<Inventory, Vec<Diagnostic>> {
    let source = match form {
        "script" => return inventory::fuzzing::printed(text),
        "hosts" => InventorySource::Hosts(text.to_owned()),
        _ => {
            let folder = tempfile::tempdir().expect("a folder can be made");
            let name = match form {
                "ini" | "yml" | "json" => format!("hosts.{form}"),
                _ => "hosts".to_owned(),
            };
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file can be written");
            return load(&path);
        }
    };
    inventory::load(&[source])
}

fn load(path: &Path) -> Result<Inventory, Vec<Diagnostic>> {
    inventory::load(&[InventorySource::Path(path.to_owned())])
}

fn look(inventory: &Inventory) {
    let hosts: Vec<String> = inventory
        .hosts()
        .take(LOOKED_AT)
        .map(|host| host.name.clone())
        .collect();
    inventory.list(&hosts, None);
    inventory.graph("all", true, None);
    for name in &hosts {
        inventory.host_json(name, None);
        if let Some(host) = inventory.host(name) {
            inventory.merged(host, None);
        }
    }
}

fn select(inventory: &Inventory, text: &str) {
    let source = Source::named("pattern", text);
    let span = Span::new(&source, 0, text.len());
    let selected = Pattern::parse(text).and_then(|pattern| {
        inventory.unknown_parts(&pattern);
        inventory.select(&pattern, Some(&pattern))
    });
    if let Err(error) = selected {
        assert!(
            text.get(error.range.clone()).is_some(),
            "no part of the pattern: {:?}",
            error.range
        );
        draw(&[error.diagnostic(&span)]);
    }
}
