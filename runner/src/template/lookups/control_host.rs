//! Lookups that read the control host: files, the environment, the output of commands.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use minijinja::Value;

use super::call::{Lookup, LookupCall};
use super::search::{at_home, find_file, folders};
use crate::template::budget::{ITEM, MOST_MADE};
use crate::template::error::TemplateError;
use crate::template::glob;
use crate::template::managed;
use crate::template::options::FileOptions;
use crate::template::python::string;
use crate::template::{tame, trust};

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static LOOKUPS: &[Lookup] = &[
    Lookup {
        name: "file",
        run: file,
    },
    Lookup {
        name: "fileglob",
        run: fileglob,
    },
    Lookup {
        name: "template",
        run: template,
    },
    Lookup {
        name: "lines",
        run: lines,
    },
    Lookup {
        name: "pipe",
        run: pipe,
    },
    Lookup {
        name: "env",
        run: env,
    },
    Lookup {
        name: "url",
        run: url,
    },
];

fn read(call: &LookupCall<'_, '_>, kind: &str, name: &str) -> Result<(PathBuf, String)> {
    let path = find_file(call.eval, kind, name).ok_or_else(|| {
        let places: Vec<String> = folders(call.eval)
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        call.error(format_args!("finds no file '{name}'"))
            .hint(format!(
                "it is looked for in {kind}/ and beside it, in {}",
                places.join(", ")
            ))
    })?;
    let text = windlass_modules::source::text(&path)
        .map_err(|error| call.error(format_args!("cannot read {}: {error}", path.display())))?;
    Ok((path, text))
}

fn file(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let (lstrip, rstrip) = (call.flag("lstrip", false)?, call.flag("rstrip", true)?);
    let mut out = Vec::new();
    for term in &call.terms {
        let (_, text) = read(call, "files", &string(term))?;
        let text = if lstrip { text.trim_start() } else { &text };
        let text = if rstrip { text.trim_end() } else { text };
        out.push(Value::from(text));
    }
    Ok(out)
}

fn fileglob(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in &call.terms {
        let pattern = at_home(&string(term));
        let places: Vec<PathBuf> = if pattern.is_absolute() {
            vec![pattern]
        } else {
            folders(call.eval)
                .iter()
                .flat_map(|folder| [folder.join("files").join(&pattern), folder.join(&pattern)])
                .collect()
        };
        let found = places
            .iter()
            .map(|place| glob::files(place))
            .find(|found| !found.is_empty());
        out.extend(
            found
                .unwrap_or_default()
                .iter()
                .map(|path| Value::from(path.display().to_string())),
        );
    }
    Ok(out)
}

fn template(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let mut options = FileOptions::default();
    if let Some(start) = call.text_option("variable_start_string") {
        options.variable_delimiters.0 = start;
    }
    if let Some(end) = call.text_option("variable_end_string") {
        options.variable_delimiters.1 = end;
    }
    options.trim_blocks = call.flag("trim_blocks", true)?;
    options.lstrip_blocks = call.flag("lstrip_blocks", false)?;
    let extra = with_managed(call, call.option("template_vars"));
    let mut out = Vec::new();
    for term in call.terms.clone() {
        let name = string(&term);
        if !trust::is_users(&term) && name.split('/').any(|part| part == "..") {
            return Err(tame::led(&name));
        }
        let (path, text) = read(call, "templates", &name)?;
        let text = call
            .eval
            .file_text(&text, &path, &options, extra.as_ref())?;
        out.push(Value::from(text));
    }
    Ok(out)
}

/// The variables that the file has besides the task's.
fn with_managed(call: &LookupCall<'_, '_>, given: Option<&Value>) -> Option<Value> {
    if call.eval.shared.scope.get(managed::NAME).is_some() {
        return given.cloned();
    }
    let names = given
        .and_then(|given| given.try_iter().ok())
        .into_iter()
        .flatten();
    let given = names.filter_map(|name| {
        let value = given?.get_item(&name).ok()?;
        Some((string(&name), value))
    });
    let own = (managed::NAME.to_owned(), Value::from(managed::TEXT));
    let pairs: Vec<(String, Value)> = std::iter::once(own).chain(given).collect();
    Some(Value::from_pairs(pairs))
}

/// The folder in which commands run: the playbook's.
fn working_folder(call: &LookupCall<'_, '_>) -> PathBuf {
    folders(call.eval)
        .pop()
        .unwrap_or_else(|| PathBuf::from("."))
}

fn output(call: &LookupCall<'_, '_>, command: &str) -> Result<String> {
    let folder = working_folder(call);
    let folder = if folder.is_dir() {
        folder.as_path()
    } else {
        Path::new(".")
    };
    let wrong = |error| call.error(format_args!("cannot run '{command}': {error}"));
    let mut running = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| call.error(format_args!("cannot start '{command}': {error}")))?;
    let mut output = Vec::new();
    if let Some(stdout) = running.stdout.take() {
        let most = MOST_MADE as u64;
        stdout
            .take(most + 1)
            .read_to_end(&mut output)
            .map_err(wrong)?;
    }
    if output.len() > MOST_MADE {
        // Its pipe is closed: what writes on is ended.
        running.kill().map_err(wrong)?;
        running.wait().map_err(wrong)?;
        return Err(call
            .error(format_args!(
                "ran '{command}', which printed more than {} MiB",
                MOST_MADE >> 20
            ))
            .hint("let the command pick out what is needed"));
    }
    let status = running.wait().map_err(wrong)?;
    if !status.success() {
        return Err(call.error(format_args!("ran '{command}', which failed with {status}")));
    }
    Ok(String::from_utf8_lossy(&output).into_owned())
}

fn pipe(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    call.terms
        .iter()
        .map(|term| Ok(Value::from(output(call, &string(term))?.trim_end())))
        .collect()
}

fn lines(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in &call.terms {
        let text = output(call, &string(term))?;
        call.eval
            .shared
            .make(text.lines().count().saturating_mul(ITEM))?;
        out.extend(text.lines().map(Value::from));
    }
    Ok(out)
}

fn env(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let default = call
        .option("default")
        .cloned()
        .unwrap_or_else(|| Value::from(""));
    Ok(call
        .terms
        .iter()
        .map(|term| match std::env::var(string(term).trim()) {
            Ok(value) => Value::from(value),
            Err(_) => default.clone(),
        })
        .collect())
}

fn url(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    Err(if call.eval.shared.templar.options().allow_url {
        call.error("is not built into this version")
            .hint("fetch it with `lookup('pipe', 'curl -fsS …')`")
    } else {
        call.error("is off: a template does not reach out to the network")
            .hint("fetch it in a task, or with `lookup('pipe', 'curl -fsS …')`")
    })
}
