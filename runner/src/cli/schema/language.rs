//! The schema of a file, from the tables of keywords and the descriptions of the modules.
//!
//! Draft 7 of JSON Schema: what editors' YAML servers read. It says what names there are and what each takes.
//! What goes together it leaves to `windlass check`: `module_defaults` and `args` may give what a task seems to
//! lack.

use serde_json::{Map, Value, json};
use windlass_modules::registry;

use super::File;
use super::keywords::object;
use super::values::{module, one_of, text};
use crate::playbook::{BLOCK_KEYWORDS, IMPORT_PLAYBOOK, META, PLAY_KEYWORDS, TASK_KEYWORDS};

/// How an `import_playbook` may be called.
const IMPORTS: [&str; 4] = [
    "import_playbook",
    "ansible.builtin.import_playbook",
    "ansible.legacy.import_playbook",
    "windlass.import_playbook",
];

/// The schema of a kind of file.
pub fn schema(file: File) -> Value {
    let (title, root) = match file {
        File::Playbook => (
            "A playbook of Windlass",
            json!({
                "type": "array",
                "items": {
                    "if": { "anyOf": IMPORTS.map(|name| json!({ "required": [name] })) },
                    "then": { "$ref": "#/definitions/import" },
                    "else": { "$ref": "#/definitions/play" },
                },
            }),
        ),
        File::Tasks => (
            "A file of tasks of Windlass",
            json!({ "$ref": "#/definitions/tasks" }),
        ),
    };
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
    });
    // Beside a reference nothing else counts, so it is a part of its own.
    schema["allOf"] = json!([root]);
    schema["definitions"] = definitions().into();
    schema
}

fn definitions() -> Map<String, Value> {
    let mut definitions = Map::new();
    let mut add = |name: &str, value: Value| definitions.insert(name.to_owned(), value);
    add("play", object(PLAY_KEYWORDS));
    add("import", import());
    add("block", object(BLOCK_KEYWORDS));
    add("task", task());
    add(
        "tasks",
        json!({
            "type": ["array", "null"],
            "items": {
                "if": { "required": ["block"] },
                "then": { "$ref": "#/definitions/block" },
                "else": { "$ref": "#/definitions/task" },
            },
        }),
    );
    for known in registry::all() {
        add(known.name(), module(known.description()));
    }
    definitions
}

fn import() -> Value {
    let mut import = object(IMPORT_PLAYBOOK);
    let file = import["properties"]["import_playbook"].clone();
    for name in IMPORTS {
        import["properties"][name] = file.clone();
    }
    import
}

fn task() -> Value {
    let mut task = object(TASK_KEYWORDS);
    let file = json!({ "anyOf": [text(), { "type": "object" }] });
    let mut add = |name: &str, value: &Value| {
        for prefix in ["", "ansible.builtin."] {
            task["properties"][format!("{prefix}{name}")] = value.clone();
        }
    };
    for name in [
        "import_tasks",
        "include_tasks",
        "import_role",
        "include_role",
    ] {
        add(name, &file);
    }
    add("meta", &one_of(META));
    for known in registry::all() {
        let definition = json!({ "$ref": format!("#/definitions/{}", known.name()) });
        for name in std::iter::once(known.name()).chain(known.aliases().iter().copied()) {
            add(name, &definition);
        }
    }
    task["patternProperties"] = json!({
        "^with_": {},
        // Longer ways to say the same, which an editor need not offer.
        "^(ansible\\.legacy|windlass)\\.": {},
    });
    task
}
