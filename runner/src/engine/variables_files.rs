//! Files of variables that a module names: reads them, and turns them into what the host gets.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use windlass_modules::{Failure, Outcome};

use super::result::located;
use crate::inventory;
use crate::vars;
use crate::yaml::{self, Mapping, Node, Source, Span};

/// The result with the variables of the files that it names, and these files as they were read.
pub(super) fn with_files(
    done: Result<Outcome, Failure>,
) -> (Result<Outcome, Failure>, Vec<Arc<Node>>) {
    let (mut outcome, files) = match done {
        Ok(mut outcome) => match outcome.included.take() {
            Some(files) => (outcome, files),
            None => return (Ok(outcome), Vec::new()),
        },
        failure => return (failure, Vec::new()),
    };
    let mut read = Vec::with_capacity(files.paths.len());
    for path in &files.paths {
        match vars::variables_file(path) {
            Ok(file) => read.push(file),
            Err(error) => {
                let failure = Failure::new(located(&error));
                let failure = match &error.hint {
                    Some(hint) => failure.hint(hint.clone()),
                    None => failure,
                };
                return (Err(failure), Vec::new());
            }
        }
    }
    if let Some(name) = &files.under {
        read = vec![together(name, &read)];
    }
    let mut facts = Map::new();
    for file in &read {
        if let Json::Object(own) = inventory::to_json(file) {
            facts.extend(own);
        }
    }
    outcome = outcome.with("ansible_facts", facts);
    (Ok(outcome), read)
}

/// The variables of files as one of that name. Of a variable that several have, the last counts.
fn together(name: &str, files: &[Arc<Node>]) -> Arc<Node> {
    let mut variables = IndexMap::new();
    for (key, value) in files
        .iter()
        .filter_map(|file| file.as_mapping())
        .flat_map(Mapping::iter)
    {
        variables.insert(
            key.as_str().unwrap_or(key.source_text()),
            (key.clone(), value.clone()),
        );
    }
    let entries = variables.into_values().collect();
    let nowhere = || Span::new(&Source::named("variables", ""), 0, 0);
    let span = files.first().map_or_else(nowhere, |file| file.span.clone());
    let own = Node::new(span.clone(), yaml::Value::Mapping(Mapping { entries }));
    let entries = vec![(Node::string(span.clone(), name), own)];
    Arc::new(Node::new(span, yaml::Value::Mapping(Mapping { entries })))
}
