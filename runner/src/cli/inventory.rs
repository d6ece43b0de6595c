//! `windlass inventory`: hosts, groups and their variables as they are written, in the shapes of
//! `ansible-inventory`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::args::Hosts;
use super::exit::Exit;
use super::prepare;
use crate::inventory::{self, Beside, Inventory, InventorySource, Pattern};
use crate::report::{Printer, escape};
use crate::yaml::{Diagnostic, Severity, Source, Span, did_you_mean};

/// Show hosts, groups and variables.
#[derive(Debug, Args)]
pub(crate) struct InventoryArgs {
    #[command(flatten)]
    hosts: Hosts,

    #[command(flatten)]
    what: What,

    /// With --graph: begin at this group.
    #[arg(value_name = "GROUP", default_value = "all")]
    group: String,

    /// With --graph: variables too.
    #[arg(long, requires = "graph")]
    vars: bool,

    /// The folder of the playbook, whose `group_vars` and `host_vars` count too.
    #[arg(long, value_name = "FOLDER")]
    playbook_dir: Option<PathBuf>,
}

/// What to show; without any of these, the graph.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct What {
    /// All groups, hosts and variables, as JSON.
    #[arg(long)]
    list: bool,

    /// The tree of groups and hosts.
    #[arg(long)]
    graph: bool,

    /// The variables of one host, as JSON.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
}

pub(crate) fn start(arguments: &InventoryArgs, printer: &Printer) -> Exit {
    let mut found = Vec::new();
    let shown = show(arguments, &mut found);
    prepare::show(&found, &mut Vec::new(), printer);
    match shown {
        Ok(text) => {
            if arguments.what.list || arguments.what.host.is_some() {
                printer.json(&text);
            } else {
                printer.line(&text);
            }
            Exit::Success
        }
        Err(exit) => exit,
    }
}

/// The text to show; what is wrong or worth a warning is added to `found`.
fn show(arguments: &InventoryArgs, found: &mut Vec<Diagnostic>) -> Result<String, Exit> {
    let mut bad = |errors: Vec<Diagnostic>, exit| {
        found.extend(errors);
        exit
    };
    let arguments_of_i = &arguments.hosts.inventory;
    let sources: Vec<InventorySource> = arguments_of_i
        .iter()
        .map(|text| InventorySource::parse(text))
        .collect();
    let inventory = inventory::load(&sources).map_err(|errors| bad(errors, Exit::BAD_INPUT))?;
    let beside = arguments
        .playbook_dir
        .as_ref()
        .map(|folder| Beside::load(folder, &inventory));
    let beside = beside
        .transpose()
        .map_err(|errors| bad(errors, Exit::BAD_INPUT))?;
    let limit = limited(arguments.hosts.limit.as_deref(), &inventory);
    let hosts = limit.map_err(|error| bad(vec![error], Exit::Usage))?;
    let text = one(arguments, &inventory, &hosts, beside.as_ref());
    let text = text.map_err(|error| bad(vec![error], Exit::Usage))?;
    found.extend(inventory.warnings().iter().cloned());
    found.extend(
        beside
            .iter()
            .flat_map(|beside| beside.warnings().iter().cloned()),
    );
    Ok(text)
}

fn one(
    arguments: &InventoryArgs,
    inventory: &Inventory,
    hosts: &[String],
    beside: Option<&Beside>,
) -> Result<String, Diagnostic> {
    if let Some(host) = &arguments.what.host {
        let names = inventory.hosts().map(|host| host.name.as_str());
        let variables = inventory.host_json(host, beside);
        return variables
            .map(|variables| pretty(&variables))
            .ok_or_else(|| unknown("host", host, names));
    }
    if arguments.what.list {
        return Ok(pretty(&inventory.list(hosts, beside)));
    }
    let names = inventory.groups().map(|group| group.name.as_str());
    let lines = inventory
        .graph(&arguments.group, arguments.vars, beside)
        .ok_or_else(|| unknown("group", &arguments.group, names))?;
    // A newline in a name would make a line that nobody wrote.
    let lines: Vec<_> = lines.iter().map(|line| escape::line(line)).collect();
    Ok(lines.join("\n"))
}

fn limited(limit: Option<&str>, inventory: &Inventory) -> Result<Vec<String>, Diagnostic> {
    let all = inventory.members("all").iter();
    let all: Vec<String> = all.map(ToString::to_string).collect();
    let Some(text) = limit else {
        return Ok(all);
    };
    let source = Source::named("--limit", text);
    let span = Span::new(&source, 0, text.len());
    let pattern = Pattern::limit(text).and_then(|pattern| {
        inventory.check_limit(&pattern)?;
        inventory.select(&pattern, None)
    });
    let allowed = pattern.map_err(|error| error.diagnostic(&span))?;
    Ok(all
        .into_iter()
        .filter(|host| allowed.contains(host))
        .collect())
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let error = Diagnostic::new(Severity::Error, format!("no {what} is called `{name}`"));
    error.help(did_you_mean(name, known).unwrap_or_else(|| {
        "`windlass inventory --graph` shows hosts and groups; name inventories with `-i`".to_owned()
    }))
}

/// JSON with four blanks a level, as `ansible-inventory` prints it.
fn pretty(json: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer =
        Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    match json.serialize(&mut serializer) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => json.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        arguments: InventoryArgs,
    }

    fn run(words: &str) -> Result<String, String> {
        let words = std::iter::once("inventory").chain(words.split_whitespace());
        let arguments = Cli::try_parse_from(words)
            .map_err(|error| error.to_string())?
            .arguments;
        let mut found = Vec::new();
        show(&arguments, &mut found).map_err(|_| {
            found[0].message.clone() + ": " + found[0].help.as_deref().unwrap_or_default()
        })
    }

    #[test]
    fn lists_graphs_and_hosts_are_those_of_ansible_inventory() {
        assert_eq!(
            run("-i b,a,").unwrap(),
            "@all:\n  |--@ungrouped:\n  |  |--b\n  |  |--a"
        );
        assert_eq!(
            run("-i b,a, --graph ungrouped").unwrap(),
            "@ungrouped:\n  |--b\n  |--a"
        );
        assert_eq!(
            run("-i a:22, --host a").unwrap(),
            "{\n    \"ansible_port\": 22\n}"
        );
        let list: Value = serde_json::from_str(&run("-i a,b, --list -l b").unwrap()).unwrap();
        assert_eq!(list["ungrouped"]["hosts"], serde_json::json!(["b"]));
    }

    #[test]
    fn unknown_names_are_told_with_the_nearest() {
        assert_eq!(
            run("-i web1, --host wbe1").unwrap_err(),
            "no host is called `wbe1`: did you mean `web1`?"
        );
        assert_eq!(
            run("-i web1, --graph ungruoped").unwrap_err(),
            "no group is called `ungruoped`: did you mean `ungrouped`?"
        );
        assert!(run("-i web1, --list -l db").unwrap_err().contains("`db`"));
        assert!(
            run("-i /nowhere/x --list")
                .unwrap_err()
                .contains("does not exist")
        );
        assert!(run("-i a, --list --graph").is_err());
    }
}
