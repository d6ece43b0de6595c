//! What in a `no_log` result has a secret's form.
//!
//! A `no_log` result is hidden as a whole. What it holds can come up again elsewhere: where the variable that
//! registered it is used in a task without `no_log`, in an error, on another host. So its texts are
//! secrets too, but not all of them: a result has paths, names and words in it that are everywhere, and a
//! hostile node could have any word of other hosts' results redacted by printing it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use windlass_modules::Secret;

/// A shorter text is no secret here: it would be in too many others.
const SHORTEST: usize = 8;
/// A longer line is no secret here but a document.
const LONGEST: usize = 1024;
/// No more of a text is looked through.
const LOOKED_AT: usize = 16 * 1024;

/// What results say of a task itself and not of its subject.
const OF_THE_TASK: [&str; 27] = [
    "ansible_index_var",
    "ansible_loop_var",
    "atime",
    "backup_file",
    "checksum",
    "chdir",
    "creates",
    "ctime",
    "delta",
    "dest",
    "diff",
    "encoding",
    "end",
    "gid",
    "group",
    "md5sum",
    "mimetype",
    "mode",
    "mtime",
    "owner",
    "path",
    "removes",
    "size",
    "src",
    "start",
    "state",
    "uid",
];

/// The secrets in a result.
pub(super) fn secrets(data: &Map<String, Value>, is_name: impl Fn(&str) -> bool) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut left = LOOKED_AT;
    object(
        data,
        &mut |text: &str, found: &mut Vec<Secret>| {
            // A cut would make secrets of halves.
            if text.len() > left {
                return;
            }
            left -= text.len();
            in_text(text, &is_name, found);
        },
        &mut found,
    );
    found
}

fn object(
    map: &Map<String, Value>,
    each: &mut impl FnMut(&str, &mut Vec<Secret>),
    found: &mut Vec<Secret>,
) {
    if map.get("encoding").and_then(Value::as_str) == Some("base64")
        && let Some(content) = map.get("content").and_then(Value::as_str)
        && content.len() <= LOOKED_AT * 2
        && let Ok(bytes) = STANDARD.decode(content)
        && let Ok(text) = String::from_utf8(bytes)
    {
        each(&text, found);
        return;
    }
    for (key, value) in map {
        // Lines are in the whole already.
        let lines = key
            .strip_suffix("_lines")
            .is_some_and(|whole| map.contains_key(whole));
        if !lines && !OF_THE_TASK.contains(&key.as_str()) {
            value_in(value, each, found);
        }
    }
}

fn value_in(value: &Value, each: &mut impl FnMut(&str, &mut Vec<Secret>), found: &mut Vec<Secret>) {
    match value {
        Value::String(text) => each(text, found),
        Value::Array(items) => items.iter().for_each(|item| value_in(item, each, found)),
        Value::Object(map) => object(map, each, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_text(text: &str, is_name: &impl Fn(&str) -> bool, found: &mut Vec<Secret>) {
    let mut add = |text: &str| {
        let fits = (SHORTEST..=LONGEST).contains(&text.len());
        if fits && !is_plain(text, is_name) {
            found.push(Secret::new(text));
        }
    };
    for word in text.split_whitespace() {
        // `"status":` and `failed=true` are as plain as the words in them.
        if !word.split(is_around).all(|part| are_plain(part, is_name)) {
            add(word);
        }
        for piece in word.split(|c| c != '=' && is_around(c)) {
            add(value(piece));
        }
    }
}

/// What stands around values, and between them and their names.
fn is_around(c: char) -> bool {
    "\"'`,;()<>[]{}=".contains(c)
}

/// Whether a text has no secret's form.
fn is_plain(text: &str, is_name: &impl Fn(&str) -> bool) -> bool {
    is_generic(text) || is_name_like(text) || is_name(text)
}

/// The same for a text or all of it between colons.
fn are_plain(text: &str, is_name: &impl Fn(&str) -> bool) -> bool {
    is_plain(text, is_name)
        || !text.contains("://") && text.split(':').all(|part| is_plain(part, is_name))
}

/// The value of `password=…` or `token:…`; base64 ends with `=`.
fn value(piece: &str) -> &str {
    let bare = piece.trim_end_matches('=');
    match bare.rfind(['=', ':']) {
        Some(at) if !piece.contains("://") => &piece[at + 1..],
        _ => piece,
    }
}

/// A word, a number, a version, a date, an address, a path or a URL without credentials.
fn is_generic(text: &str) -> bool {
    let letters_only = text
        .chars()
        .all(|c| c.is_alphabetic() || "-_.,:;/!?'()".contains(c));
    let numeric = text
        .chars()
        .all(|c| c.is_ascii_digit() || "-_.,:;/+TZx%".contains(c));
    let version = text.strip_prefix('v').unwrap_or(text);
    let version = version.starts_with(|c: char| c.is_ascii_digit())
        && version.contains('.')
        && version
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-+~:".contains(c))
        && version
            .split(['.', '-', '+', '~', ':'])
            .all(|part| part.len() <= 6);
    let address = text.contains(':')
        && text
            .chars()
            .all(|c| c.is_ascii_hexdigit() || ":./%".contains(c));
    let path = (text.starts_with('/') || text.starts_with("./") || text.starts_with("~/"))
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "/._-@:+~".contains(c));
    let url = text.contains("://") && !text.contains('@') && !text.contains('?');
    letters_only || numeric || version || address || path || url
}

/// `node-01`, `kube-apiserver_2`, `sda1`: words with numbers after them.
fn is_name_like(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).all(|part| {
        let digits = part.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let letters = &part[..part.len() - digits.len()];
        let one_case = letters.chars().skip(1).all(char::is_lowercase)
            || letters.chars().all(char::is_uppercase);
        one_case
            && digits.chars().all(|c| c.is_ascii_digit())
            && (digits.len() <= 4 || letters.is_empty())
    }) && text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_./:@+".contains(c))
}
