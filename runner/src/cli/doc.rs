//! `windlass doc`: the modules and their arguments, from the modules themselves.

use clap::Args;
use serde_json::Value;
use windlass_modules::{Module, registry};

use super::exit::Exit;
use crate::report::{Printer, Theme};
use crate::yaml;

/// Show the modules, or one with its arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// A module's name; without it, all are listed.
    module: Option<String>,
}

pub(crate) fn start(arguments: &Arguments, printer: &Printer) -> Exit {
    let Some(name) = &arguments.module else {
        list(printer);
        return Exit::Well;
    };
    if let Some(module) = registry::find(name) {
        printer.line(&page(module, printer.theme()));
        return Exit::Well;
    }
    printer.note(&format!(
        "{} there is no module `{name}`",
        printer.theme().bad("error:")
    ));
    if let Some(near) = yaml::suggest(name, registry::names()) {
        printer.note(&format!("  did you mean `{near}`?"));
    }
    printer.note("  `windlass doc` lists all modules");
    Exit::Usage
}

fn list(printer: &Printer) {
    let mut modules: Vec<&dyn Module> = registry::all().collect();
    modules.sort_by_key(|module| module.name());
    let width = modules
        .iter()
        .map(|module| module.name().len())
        .max()
        .unwrap_or(0);
    for module in modules {
        let schema = module.schema();
        let summary = schema["description"].as_str().unwrap_or_default();
        let first = summary
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .replace('\n', " ");
        printer.line(&format!("{:<width$}  {first}", module.name()));
    }
}

/// The reference page of a module, as text.
pub(crate) fn page(module: &dyn Module, theme: Theme) -> String {
    let schema = module.schema();
    let mut page = vec![theme.strong(module.name())];
    if !module.aliases().is_empty() {
        page.push(format!("also called {}", module.aliases().join(", ")));
    }
    page.push(String::new());
    page.push(
        schema["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    );
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if let Some(properties) = schema["properties"]
        .as_object()
        .filter(|map| !map.is_empty())
    {
        page.push(String::new());
        page.push(theme.strong("Arguments"));
        for (name, property) in properties {
            page.extend(argument(
                name,
                property,
                required.contains(&name.as_str()),
                schema,
                theme,
            ));
        }
    }
    if !module.needs().is_empty() {
        page.push(String::new());
        page.push(theme.strong("Needs on the node"));
        page.extend(module.needs().iter().map(|need| format!("  {need}")));
    }
    page.join("\n")
}

fn argument(
    name: &str,
    property: &Value,
    required: bool,
    schema: &Value,
    theme: Theme,
) -> Vec<String> {
    let target = referenced(property, schema);
    let mut notes = Vec::new();
    if required {
        notes.push("required".to_owned());
    }
    if let Some(choices) = target["enum"]
        .as_array()
        .or_else(|| property["enum"].as_array())
    {
        let choices: Vec<String> = choices.iter().map(plain).collect();
        notes.push(format!("one of {}", choices.join(", ")));
    }
    if let Some(default) = property.get("default").filter(|default| !default.is_null()) {
        notes.push(format!("default: {}", plain(default)));
    }
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!("  ({})", notes.join("; "))
    };
    let mut lines = vec![format!("  {}{notes}", theme.good(name))];
    let about = property["description"]
        .as_str()
        .or_else(|| target["description"].as_str());
    lines.extend(
        about
            .unwrap_or_default()
            .lines()
            .map(|line| format!("      {line}")),
    );
    lines
}

/// The schema that `property` refers to, or itself.
fn referenced<'a>(property: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = property["$ref"]
        .as_str()
        .or_else(|| {
            property["anyOf"]
                .as_array()?
                .iter()
                .find_map(|one| one["$ref"].as_str())
        })
        .or_else(|| {
            property["allOf"]
                .as_array()?
                .iter()
                .find_map(|one| one["$ref"].as_str())
        });
    reference
        .and_then(|reference| schema.pointer(reference.trim_start_matches('#')))
        .unwrap_or(property)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
