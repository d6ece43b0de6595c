//! The reference page of all modules, in Markdown.

use super::argument::Argument;
use super::description::Description;

/// The page of these modules, in the order of their names.
pub fn reference<'a>(modules: impl IntoIterator<Item = &'a Description>) -> String {
    let mut modules: Vec<&Description> = modules.into_iter().collect();
    modules.sort_by_key(|module| module.name);
    let mut page = "# The modules\n\n\
         Written from the modules themselves, which `windlass doc` shows too. Every module is also known as \
         `ansible.builtin.NAME`. Every example is read and checked by the tests, and run where it can be.\n\n"
        .to_owned();
    for module in &modules {
        let anchor = module.name;
        page.push_str(&format!(
            "- [`{anchor}`](#{anchor}): {}\n",
            module.summary()
        ));
    }
    for module in modules {
        page.push('\n');
        page.push_str(&one(module));
    }
    page
}

fn one(module: &Description) -> String {
    let mut page = format!("## {}\n\n", module.name);
    if !module.aliases.is_empty() {
        let aliases: Vec<String> = module
            .aliases
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        page.push_str(&format!("Also called {}.\n\n", aliases.join(", ")));
    }
    page.push_str(&format!("{}\n", module.about.trim()));
    let line = module.line();
    let free_text = module.free_text().map(|it| argument(line, it));
    let named = module.named();
    let named = named.map(|it| argument(&format!("`{}`", it.name), it));
    section(&mut page, "Arguments", free_text.into_iter().chain(named));
    section(
        &mut page,
        "What goes together",
        module
            .rules
            .iter()
            .map(|rule| format!("- {}\n", rule.about(line))),
    );
    section(
        &mut page,
        "Returns",
        module.returns.iter().map(|value| {
            format!(
                "- `{}` ({}): {}\n",
                value.name,
                value.kind.name(),
                value.about
            )
        }),
    );
    page.push_str(&format!(
        "\n**Check mode.** {}\n",
        module.check_mode.about()
    ));
    section(
        &mut page,
        "Needs on the node",
        module.needs.iter().map(|need| format!("- {need}\n")),
    );
    let examples = module.examples.iter();
    section(
        &mut page,
        "Examples",
        examples.map(|example| format!("```yaml\n{}\n```\n\n", example.trim_end())),
    );
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn section(page: &mut String, title: &str, parts: impl Iterator<Item = String>) {
    let parts: String = parts.collect();
    if !parts.is_empty() {
        page.push_str(&format!("\n**{title}**\n\n{parts}"));
    }
}

fn argument(title: &str, argument: &Argument) -> String {
    let mut text = format!("- {title} ({})", argument.notes().join("; "));
    let mut paragraphs = argument.about.split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    text.push_str(&format!(": {}\n", first.replace('\n', "\n  ")));
    for paragraph in paragraphs {
        text.push_str(&format!("\n  {}\n", paragraph.replace('\n', "\n  ")));
    }
    for (words, about) in argument.words() {
        text.push_str(&format!("  - `{words}`: {}\n", about.replace('\n', " ")));
    }
    text
}
