//! A condition of the user's, over what nodes said.

use super::lookups::{asks_for_one, counted};
use super::world::{World, show};
use super::{parts, world};
use crate::yaml::{self, Node, Source, Span};

/// The condition as YAML, or as one text if it is none; then what nodes said.
pub fn condition(input: &[u8]) {
    let [text, said] = parts(input);
    let world = World::in_which_nodes_said(&said);
    let scope = world.scope();
    let source = Source::named("condition", text.as_str());
    let span = Span::new(&source, 0, text.len());
    let written = Node::string(span, text.as_str());
    let mut conditions = vec![std::sync::Arc::new(written)];
    match yaml::parse(&source) {
        Ok(documents) => conditions.extend(documents),
        Err(errors) => world::draw(&errors),
    }
    let ((), calls) = counted(|| {
        for condition in &conditions {
            show(&world.templar.condition(condition, &scope));
        }
    });
    assert!(
        calls == 0 || asks_for_one(&text),
        "what a node said called a lookup"
    );
}
