//! Lookups with chance in them: a random choice, a password that is made once and kept.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use minijinja::Value;

use super::call::{Lookup, LookupCall};
use super::search::{at_home, folders};
use crate::template::error::TemplateError;
use crate::template::eval::{CallArguments, items};
use crate::template::python::string;
use crate::template::random::Random;

type Result<T = Value> = std::result::Result<T, TemplateError>;

pub(super) static LOOKUPS: &[Lookup] = &[
    Lookup {
        name: "random_choice",
        run: random_choice,
    },
    Lookup {
        name: "password",
        run: password,
    },
];

fn random_choice(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let terms = &call.terms;
    let count = terms.len() as u64;
    if count == 0 {
        return Ok(Vec::new());
    }
    let index = usize::try_from(Random::unpredictable().below(count)).unwrap_or(0);
    Ok(vec![terms[index].clone()])
}

/// What a password is made of.
struct Recipe {
    path: String,
    length: usize,
    chars: String,
    encrypt: Option<String>,
    seed: Option<String>,
}

/// Characters by the names that Python's `string` has for them.
fn characters(names: &str) -> String {
    let lower = "abcdefghijklmnopqrstuvwxyz";
    let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut out = String::new();
    for name in names.split(',').filter(|name| !name.is_empty()) {
        match name {
            "ascii_letters" => out.extend([lower, upper]),
            "ascii_lowercase" => out.push_str(lower),
            "ascii_uppercase" => out.push_str(upper),
            "digits" => out.push_str("0123456789"),
            "hexdigits" => out.push_str("0123456789abcdefABCDEF"),
            "octdigits" => out.push_str("01234567"),
            "punctuation" => out.push_str("!#$%&()*+,-./:;<=>?@[]^_`{|}~"),
            other => out.push_str(other),
        }
    }
    if names.contains(",,") {
        out.push(',');
    }
    out
}

fn recipe(call: &LookupCall<'_, '_>, term: &str) -> Result<Recipe> {
    let mut words = term.split_whitespace();
    let mut recipe = Recipe {
        path: words.next().unwrap_or_default().to_owned(),
        length: 20,
        chars: characters("ascii_letters,digits") + ".,:-_",
        encrypt: None,
        seed: None,
    };
    let mut given: Vec<(String, String)> = Vec::new();
    for word in words {
        if let Some((name, value)) = word.split_once('=') {
            given.push((name.to_owned(), value.to_owned()));
        } else {
            recipe.path.push(' ');
            recipe.path.push_str(word);
        }
    }
    for (name, value) in &call.options {
        let value = match items(value) {
            Ok(list) if value.as_str().is_none() => {
                list.iter().map(string).collect::<Vec<_>>().join(",")
            }
            _ => string(value),
        };
        given.push((name.to_string(), value));
    }
    for (name, value) in given {
        match name.as_str() {
            "length" => {
                recipe.length = value
                    .parse()
                    .ok()
                    .filter(|length| (1..=4096).contains(length))
                    .ok_or_else(|| {
                        call.error(format_args!(
                            "needs a length between 1 and 4096, not '{value}'"
                        ))
                    })?;
            }
            "chars" => recipe.chars = characters(&value),
            "encrypt" => recipe.encrypt = Some(value),
            "seed" => recipe.seed = Some(value),
            "ident" => {}
            other => {
                return Err(call
                    .error(format_args!("has no option '{other}'"))
                    .hint("it takes length, chars, encrypt and seed"));
            }
        }
    }
    Ok(recipe)
}

fn password(call: &mut LookupCall<'_, '_>) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for term in call.terms.clone() {
        let recipe = recipe(call, &string(&term))?;
        let path = place(call, &recipe.path);
        let kept = kept(call, &path)?;
        let (secret, mut salt) = match &kept {
            Some(content) => match content.rsplit_once(" salt=") {
                Some((secret, salt)) => {
                    let salt = salt.split(" ident=").next().unwrap_or(salt);
                    (secret.to_owned(), Some(salt.to_owned()))
                }
                None => (content.clone(), None),
            },
            None => (made(&recipe), None),
        };
        let unsalted = recipe.encrypt.is_some() && salt.is_none();
        if unsalted {
            salt = Some(made(&Recipe {
                length: 8,
                chars: characters("ascii_letters,digits") + "./",
                ..recipe_like(&recipe)
            }));
        }
        if (kept.is_none() || unsalted) && path != Path::new("/dev/null") {
            let content = match &salt {
                Some(salt) => format!("{secret} salt={salt}"),
                None => secret.clone(),
            };
            keep(call, &path, &content)?;
        }
        out.push(match &recipe.encrypt {
            None => Value::from(secret),
            Some(kind) => {
                let given = CallArguments {
                    positional: vec![Value::from(secret), Value::from(kind.as_str())],
                    keyword: vec![("salt".into(), Value::from(salt.unwrap_or_default()))],
                };
                call.eval.apply_filter("password_hash", given)?
            }
        });
    }
    Ok(out)
}

fn recipe_like(recipe: &Recipe) -> Recipe {
    Recipe {
        path: recipe.path.clone(),
        length: recipe.length,
        chars: recipe.chars.clone(),
        encrypt: None,
        seed: None,
    }
}

fn place(call: &LookupCall<'_, '_>, name: &str) -> PathBuf {
    let path = at_home(name);
    if path.is_absolute() {
        return path;
    }
    folders(call.eval).pop().unwrap_or_default().join(path)
}

fn kept(call: &LookupCall<'_, '_>, path: &Path) -> Result<Option<String>> {
    if path == Path::new("/dev/null") || !path.exists() {
        return Ok(None);
    }
    match windlass_modules::source::text(path) {
        Ok(text) => Ok(Some(text.trim_end_matches('\n').to_owned())),
        Err(error) => Err(call.error(format_args!("cannot read {}: {error}", path.display()))),
    }
}

fn made(recipe: &Recipe) -> String {
    let letters: Vec<char> = recipe.chars.chars().collect();
    let mut source = match &recipe.seed {
        Some(seed) => Random::from_text(seed),
        None => Random::unpredictable(),
    };
    if letters.is_empty() {
        return String::new();
    }
    (0..recipe.length)
        .map(|_| letters[usize::try_from(source.below(letters.len() as u64)).unwrap_or(0)])
        .collect()
}

fn keep(call: &LookupCall<'_, '_>, path: &Path, content: &str) -> Result<()> {
    let failure =
        |error: std::io::Error| call.error(format_args!("cannot keep {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failure)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(failure)?;
    writeln!(file, "{content}").map_err(failure)
}
