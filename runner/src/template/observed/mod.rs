//! The templates of `cases.json` give what ansible-core gave for them (`observed.json`, observed with
//! ansible-core 2.19.14), except where `differences.json` says what is different on purpose.

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::Value;
use serde_json::Value as Json;

use super::error::TemplateError;
use super::options::TemplateOptions;
use super::scope::Scope;
use super::templar::Templar;
use super::trust::Code;
use super::{from_json, to_json};

/// Variables that are templates themselves.
#[derive(Debug)]
struct Variables {
    values: serde_json::Map<String, Json>,
    templar: Templar,
}

impl Variables {
    fn rendered(self: &Arc<Self>, json: &Json) -> Result<Value, TemplateError> {
        let scope: Arc<dyn Scope> = Arc::new(SharedVariables(Arc::clone(self)));
        match json {
            Json::String(text) => self.templar.render_str(&Code::written(text), None, &scope),
            other => Ok(from_json(other)),
        }
    }
}

#[derive(Debug)]
struct SharedVariables(Arc<Variables>);

impl Scope for SharedVariables {
    fn get(&self, name: &str) -> Option<Result<Value, TemplateError>> {
        Some(self.0.rendered(self.0.values.get(name)?))
    }

    fn names(&self) -> Vec<String> {
        self.0.values.keys().cloned().collect()
    }
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).expect("the file is JSON")
}

fn scopes(templar: &Templar) -> HashMap<String, Arc<dyn Scope>> {
    let groups = json(include_str!("cases.json"));
    let groups = groups.as_array().expect("cases are a list");
    groups
        .iter()
        .map(|group| {
            let values = group["vars"]
                .as_object()
                .expect("vars are a mapping")
                .clone();
            let variables = Variables {
                values,
                templar: templar.clone(),
            };
            let scope: Arc<dyn Scope> = Arc::new(SharedVariables(Arc::new(variables)));
            (
                group["name"]
                    .as_str()
                    .expect("groups have names")
                    .to_owned(),
                scope,
            )
        })
        .collect()
}

/// What one template gives, in the form of `observed.json`.
fn outcome(result: &Result<Value, TemplateError>) -> Json {
    match result {
        Ok(value) => serde_json::json!({
            "value": to_json(value),
            "type": super::python::type_name(value).to_lowercase(),
        }),
        Err(error) => serde_json::json!({ "error": error.message }),
    }
}

fn agrees(observed: &Json, ours: &Json) -> bool {
    if observed.get("error").is_some() {
        return ours.get("error").is_some();
    }
    observed["type"] == ours["type"]
        && (observed["value"] == ours["value"]
            || observed["value"]
                .as_f64()
                .is_some_and(|number| Some(number) == ours["value"].as_f64()))
}

#[test]
fn templates_give_what_ansible_gives() {
    let templar = Templar::new(TemplateOptions::default());
    let scopes = scopes(&templar);
    let observed = json(include_str!("observed.json"));
    let differences = json(include_str!("differences.json"));
    let mut wrong = Vec::new();
    let observed = observed.as_array().expect("observations are a list");
    for case in observed {
        let text = case["text"].as_str().expect("every case has a text");
        let scope = &scopes[case["vars"]
            .as_str()
            .expect("every case names its variables")];
        let ours = outcome(&templar.render_str(&Code::written(text), None, scope));
        let expected = match differences.get(text) {
            Some(difference) => &difference["here"],
            None => case,
        };
        if !agrees(expected, &ours) {
            wrong.push(format!(
                "{text}\n   ansible: {expected}\n   here:    {ours}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        observed.len(),
        wrong.join("\n")
    );
}
