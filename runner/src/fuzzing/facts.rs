//! What a node says of itself.

use futures::FutureExt;
use serde_json::{Map, Value as Json, json};
use windlass_modules::fake::{Fake, FakeController};
use windlass_modules::host::Reply;
use windlass_modules::module::Context;
use windlass_modules::registry;

use super::world::{HOST, World};
use crate::template::to_json;
use crate::vars::{
    BecomeDefaults, BecomeKeywords, ConnectionDefaults, ConnectionKeywords, becoming, connection,
};

/// What begins a record in an input: a line with its key.
const RECORD: &str = "== ";

/// Records (`== key` and lines), which are sent with their true lengths; or `raw` and what is sent;
/// or the facts themselves as JSON.
pub fn facts(input: &[u8]) {
    let mut world = World::new();
    let facts = match input.strip_prefix(b"raw\n") {
        Some(raw) => gathered(raw.to_vec()),
        None => match serde_json::from_slice(input) {
            Ok(Json::Object(facts)) => facts,
            _ => gathered(records(&String::from_utf8_lossy(input))),
        },
    };
    let before = reached(&world);
    let names: Vec<String> = facts.keys().cloned().collect();
    world.store.set_facts(HOST, facts, None);
    assert_eq!(before, reached(&world), "a node says how it is reached");
    let scope = world.scope();
    let all = "ansible_facts".to_owned();
    for name in names.iter().chain([&all]) {
        if let Some(Ok(value)) = scope.get(name) {
            to_json(&value);
        }
    }
}

/// How the host is reached and whom its tasks become, as far as variables say.
fn reached(world: &World) -> String {
    let scope = world.scope();
    let connection = connection(
        &scope,
        HOST,
        &ConnectionKeywords::default(),
        &ConnectionDefaults::default(),
    );
    let keywords = BecomeKeywords {
        r#become: Some(true),
        ..BecomeKeywords::default()
    };
    let becoming = becoming(&scope, &keywords, &BecomeDefaults::default());
    format!("{connection:?} {becoming:?}")
}

/// As a node would print them.
fn records(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let text = format!("\n{text}");
    for record in text.split(&format!("\n{RECORD}")).skip(1) {
        let (key, value) = record.split_once('\n').unwrap_or((record, ""));
        let length = if key == "environment" {
            "-".to_owned()
        } else {
            value.len().to_string()
        };
        // The environment's entries end with a zero byte.
        let value = match key {
            "environment" => value.replace('\n', "\0"),
            _ => value.to_owned(),
        };
        bytes.extend_from_slice(format!("{key} {length}\n{value}\n").as_bytes());
    }
    bytes
}

/// The facts that `setup` makes of what a node printed.
fn gathered(stdout: Vec<u8>) -> Map<String, Json> {
    let reply = Reply {
        stdout: stdout.into(),
        ..Reply::default()
    };
    let host = Fake::new([Ok(reply)]);
    let control = FakeController::new("/");
    let context = Context {
        host: &host,
        control: &control,
        check: false,
        diff: false,
    };
    let setup = registry::find("setup").expect("the module is there");
    let task = setup.parse(json!({})).expect("it needs no arguments");
    let outcome = task.run(&context).now_or_never();
    match outcome.expect("nothing is waited for") {
        Ok(outcome) => outcome.facts,
        Err(_) => Map::new(),
    }
}
