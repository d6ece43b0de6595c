//! `windlass doc`: the modules and their arguments, from the modules themselves.

use clap::Args;
use windlass_modules::describe::{Argument, Return};
use windlass_modules::{Description, Module, registry};

use super::exit::Exit;
use crate::report::{Printer, Theme};
use crate::yaml;

/// Show the modules, or one with its arguments.
#[derive(Debug, Args)]
pub(crate) struct DocArgs {
    /// A module's name; without it, all are listed.
    module: Option<String>,
}

pub(crate) fn start(arguments: &DocArgs, printer: &Printer) -> Exit {
    let Some(name) = arguments.module.as_deref().map(str::trim) else {
        list(printer);
        return Exit::Success;
    };
    if let Some(module) = registry::find(name) {
        printer.line(page(module.description(), printer.theme()).trim_end());
        return Exit::Success;
    }
    let what = if name.is_empty() {
        "the name of a module is missing: it is empty".to_owned()
    } else {
        format!("there is no module `{name}`")
    };
    printer.note(&format!("{} {what}", printer.theme().bad("error:")));
    if let Some(near) = yaml::suggest(name, registry::names()) {
        printer.note(&format!("  did you mean `{near}`?"));
    }
    printer.note("  `windlass doc` lists all modules");
    Exit::Usage
}

fn list(printer: &Printer) {
    let mut modules: Vec<&Description> = registry::all().map(Module::description).collect();
    modules.sort_by_key(|module| module.name);
    let longest = modules.iter().map(|module| module.name.len()).max();
    let width = longest.unwrap_or(0);
    for module in modules {
        printer.line(&format!("{:<width$}  {}", module.name, module.summary()));
    }
}

/// The reference page of a module, as text.
pub(crate) fn page(module: &Description, theme: Theme) -> String {
    let mut page = vec![theme.strong(module.name)];
    if !module.aliases.is_empty() {
        page.push(format!("also called {}", module.aliases.join(", ")));
    }
    page.push(String::new());
    page.push(module.about.clone());
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            page.extend([String::new(), theme.strong(title)]);
            page.extend(lines);
        }
    };
    let line = module.line();
    let free_text = module.free_text().map(|it| (line, it));
    let named = module.named().map(|it| (it.name.as_str(), it));
    let arguments = free_text.into_iter().chain(named);
    section(
        "Arguments",
        arguments
            .flat_map(|(title, it)| argument(title, it, theme))
            .collect(),
    );
    let rules = module.rules.iter();
    section(
        "What goes together",
        rules
            .map(|rule| format!("  {}", rule.about(line)))
            .collect(),
    );
    let returns = module.returns.iter();
    section(
        "Returns",
        returns.flat_map(|it| returned(it, theme)).collect(),
    );
    section(
        "Check mode",
        vec![format!("  {}", module.check_mode.about())],
    );
    let needs = module.needs.iter();
    section(
        "Needs on the node",
        needs.map(|need| format!("  {need}")).collect(),
    );
    let examples = module.examples.iter();
    section(
        "Examples",
        examples.flat_map(|text| example(text)).collect(),
    );
    page.join("\n")
}

fn argument(title: &str, argument: &Argument, theme: Theme) -> Vec<String> {
    let notes = argument.notes().join("; ");
    let first = format!("  {}  ({notes})", theme.good(title));
    let about = argument.about.lines();
    let about = about.map(|line| format!("      {line}").trim_end().to_owned());
    let words = argument.words().into_iter();
    let words = words.map(|(word, about)| format!("      {word}: {}", about.replace('\n', " ")));
    std::iter::once(first).chain(about).chain(words).collect()
}

fn returned(value: &Return, theme: Theme) -> [String; 2] {
    let (name, kind) = (theme.good(value.name), value.kind.name());
    [
        format!("  {name}  ({kind})"),
        format!("      {}", value.about),
    ]
}

/// An example, a little to the right, with an empty line after it.
fn example(text: &str) -> Vec<String> {
    let lines = text.trim_end().lines();
    let lines = lines.map(|line| format!("  {line}").trim_end().to_owned());
    lines.chain(std::iter::once(String::new())).collect()
}
