//! Runs an executable inventory on the control host and reads the JSON that it prints.

use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Map, Value as Json};
use windlass_modules::source;

use super::model::{Inventory, Origin};
use super::{shared, text};
use crate::yaml::{Diagnostic, Node, Severity, Source, Span};

/// So much of what a program writes on standard error is kept.
const MOST_COMPLAINT: u64 = 64 << 10;

/// Adds what the executable at `path` prints to `inventory`.
pub(super) fn read(
    path: &Path,
    origin: &Origin,
    inventory: &mut Inventory,
) -> Result<(), Vec<Diagnostic>> {
    let groups = run(path, &["--list"]).map_err(|error| vec![error])?;
    add(&groups, path, origin, inventory)
}

/// Adds what an executable printed that is there no more.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn printed(
    stdout: &[u8],
    origin: &Origin,
    inventory: &mut Inventory,
) -> Result<(), Vec<Diagnostic>> {
    let groups = object("`gone`", stdout, "").map_err(|error| vec![error])?;
    add(&groups, Path::new("/dev/null/gone"), origin, inventory)
}

fn add(
    groups: &Map<String, Json>,
    path: &Path,
    origin: &Origin,
    inventory: &mut Inventory,
) -> Result<(), Vec<Diagnostic>> {
    let name = format!("{} --list", path.display());
    let source = Source::named(name, "");
    let mut reader = Reader {
        path,
        origin,
        inventory,
        span: Span::new(&source, 0, 0),
    };
    reader.read(groups).map_err(|error| vec![error])
}

/// The object that `path` prints when called with `arguments`.
fn run(path: &Path, arguments: &[&str]) -> Result<Map<String, Json>, Diagnostic> {
    let call = format!("`{} {}`", path.display(), arguments.join(" "));
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let output = output(Command::new(absolute).args(arguments)).map_err(|error| {
        wrong(
            format!("the inventory {call} cannot be started: {error}"),
            "",
        )
        .help(
            "check its first line (`#!…`), or take its executable bit away if it is not a program",
        )
    })?;
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !output.status.success() {
        return Err(wrong(
            format!("the inventory {call} failed: {}", output.status),
            &complaint,
        )
        .help("run it by hand and see what it says"));
    }
    object(&call, &output.stdout, &complaint)
}

/// The object in what a call printed.
fn object(call: &str, stdout: &[u8], complaint: &str) -> Result<Map<String, Json>, Diagnostic> {
    let json: Json = serde_json::from_slice(stdout).map_err(|error| {
        wrong(
            format!("the inventory {call} printed no JSON: {error}"),
            complaint,
        )
        .help("it must print one JSON object, and everything else on standard error")
    })?;
    match json {
        Json::Object(object) => Ok(object),
        other => Err(wrong(
            format!(
                "the inventory {call} printed {}, not an object",
                kind(&other)
            ),
            complaint,
        )
        .help("print an object whose keys are groups")),
    }
}

/// What a program prints, as far as an inventory may be long: one that prints on without end is ended.
fn output(command: &mut Command) -> io::Result<Output> {
    let mut running = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (running.stdout.take(), running.stderr.take());
    let errors = std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            // The rest is read and left out, so that the program does not wait for a reader.
            let _ = (&mut stderr).take(MOST_COMPLAINT).read_to_end(&mut text);
            let _ = io::copy(&mut stderr, &mut io::sink());
        }
        text
    });
    let mut text = Vec::new();
    if let Some(stdout) = stdout {
        stdout.take(source::LONGEST + 1).read_to_end(&mut text)?;
    }
    if text.len() as u64 > source::LONGEST {
        running.kill()?;
        running.wait()?;
        let message = format!("it prints more than {} MiB", source::LONGEST >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    let status = running.wait()?;
    Ok(Output {
        status,
        stdout: text,
        stderr: errors.join().unwrap_or_default(),
    })
}

fn wrong(message: String, complaint: &str) -> Diagnostic {
    let error = Diagnostic::new(Severity::Error, message);
    if complaint.is_empty() {
        error
    } else {
        error.note(format!("it wrote on standard error:\n{complaint}"))
    }
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

struct Reader<'a> {
    path: &'a Path,
    origin: &'a Origin,
    inventory: &'a mut Inventory,
    /// All that it prints stands here: its output is no file that one could look into.
    span: Span,
}

impl Reader<'_> {
    fn shape(&self, place: &str, wanted: &str, found: &Json) -> Diagnostic {
        wrong(
            format!(
                "`{place}` in what the inventory `{}` prints must be {wanted}, and is {}",
                self.path.display(),
                kind(found)
            ),
            "",
        )
        .help("correct the program that prints it")
    }

    fn object<'j>(&self, place: &str, json: &'j Json) -> Result<&'j Map<String, Json>, Diagnostic> {
        json.as_object()
            .ok_or_else(|| self.shape(place, "an object", json))
    }

    /// The strings of a list.
    fn names<'j>(&self, place: &str, json: &'j Json) -> Result<Vec<&'j str>, Diagnostic> {
        let items = json
            .as_array()
            .ok_or_else(|| self.shape(place, "a list of names", json))?;
        items
            .iter()
            .map(|item| match item.as_str() {
                Some(name) if !name.is_empty() => Ok(name),
                _ => Err(self.shape(place, "a list of names", item)),
            })
            .collect()
    }

    fn node(&self, json: &Json) -> Node {
        text::from_json(json, &self.span)
    }

    fn read(&mut self, groups: &Map<String, Json>) -> Result<(), Diagnostic> {
        let mut hosts: Vec<String> = Vec::new();
        for (name, group) in groups {
            if name != "_meta" {
                hosts.extend(self.group(name, group)?);
            }
        }
        let meta = match groups.get("_meta") {
            Some(meta) => self.object("_meta", meta)?.get("hostvars"),
            None => None,
        };
        let Some(meta) = meta else {
            // The old way: one call for each host.
            for host in hosts {
                let variables = run(self.path, &["--host", &host])?;
                self.host(&host, &variables);
            }
            return Ok(());
        };
        let meta = self.object("_meta.hostvars", meta)?;
        for host in hosts {
            if let Some(variables) = meta.get(&host) {
                let place = format!("_meta.hostvars.{host}");
                self.host(&host, self.object(&place, variables)?);
            }
        }
        Ok(())
    }

    fn host(&mut self, host: &str, variables: &Map<String, Json>) {
        for (name, value) in variables {
            let value = self.node(value);
            shared::set_host_variable(self.inventory, host, name, value);
        }
    }

    /// Reads a group; gives the names of its hosts. A list is its hosts.
    fn group(&mut self, name: &str, json: &Json) -> Result<Vec<String>, Diagnostic> {
        shared::group_name(name, &self.span)?;
        self.inventory.add_group(name, None);
        let hosts = match json {
            Json::Array(_) => Some(json),
            _ => self.object(name, json)?.get("hosts"),
        };
        let mut names = Vec::new();
        if let Some(hosts) = hosts {
            let hosts = self.names(&format!("{name}.hosts"), hosts)?;
            shared::room(self.inventory, &hosts, 0, &self.span)?;
            for host in hosts {
                shared::add_host(self.inventory, host, name, None, self.origin, &self.span);
                names.push(host.to_owned());
            }
        }
        let Json::Object(object) = json else {
            return Ok(names);
        };
        if let Some(variables) = object.get("vars") {
            for (key, value) in self.object(&format!("{name}.vars"), variables)? {
                shared::set_group_variable(self.inventory, name, key, self.node(value))?;
            }
        }
        if let Some(children) = object.get("children") {
            for child in self.names(&format!("{name}.children"), children)? {
                shared::group_name(child, &self.span)?;
                self.inventory.add_group(child, None);
                self.inventory.add_child(name, child, &self.span)?;
            }
        }
        Ok(names)
    }
}
