//! A template of the user's, over what nodes said.

use std::sync::Arc;

use super::lookups::{asks_for_one, counted};
use super::parts;
use super::world::{World, show};
use crate::template::{
    Expression, FileOptions, Scope, Syntax, TemplateError, display, repr, to_json,
};
use crate::yaml::{Node, Source, Span};

/// The template, then what nodes said.
pub fn template(input: &[u8]) {
    let [text, said] = parts(input);
    let world = World::in_which_nodes_said(&said);
    let scope = world.scope();
    let ((), calls) = counted(|| render(&text, &world, &scope));
    assert!(
        calls == 0 || asks_for_one(&text),
        "what a node said called a lookup"
    );
}

fn render(text: &str, world: &World, scope: &Arc<dyn Scope>) {
    let templar = &world.templar;
    let source = Source::named("template", text);
    let node = Node::string(Span::new(&source, 0, text.len()), text);
    for syntax in [Syntax::Text, Syntax::Expression] {
        shown(templar.syntax_check(&node, syntax).map(drop));
    }
    let rendered = templar.render(&node, scope);
    if let Ok(value) = &rendered {
        to_json(value);
        display(value);
        repr(value);
    }
    shown(rendered.map(drop));
    shown(Expression::of_node(&node).and_then(|whole| templar.evaluate(&whole, scope).map(drop)));
    let file = Source::file("template.j2", text);
    let options = FileOptions::default();
    shown(templar.render_file(&file, &options, scope).map(drop));
}

fn shown(result: Result<(), TemplateError>) {
    if let Err(error) = result {
        show(&error);
        if let Some(span) = &error.span {
            span.text();
            span.position();
        }
    }
}
