//! Templates as a reader sees them: what stands between the braces, and which variables it uses. Knows enough of the
//! language to read the shipped playbooks, and evaluates nothing.

use std::collections::BTreeSet;

/// What stands between the braces of a template's text.
#[must_use]
pub fn expressions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let statement = rest[start..].starts_with("{%");
        let inside = &rest[start + 2..];
        let end = end_of(inside, statement);
        let expression = inside[..end].trim_matches(['-', ' ', '\n']);
        rest = inside.get(end + 2..).unwrap_or_default();
        if statement && expression == "raw" {
            rest = rest
                .split_once("{% endraw %}")
                .map_or("", |(_, after)| after);
        } else {
            let words: Vec<&str> = expression.split_whitespace().collect();
            found.push(words.join(" "));
        }
    }
    found
}

/// Where the closing braces are: not in a string, nor those of a mapping.
fn end_of(text: &str, statement: bool) -> usize {
    let (mut quote, mut depth) = (None, 0);
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => drop(characters.next()),
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '%') if statement && text[at..].starts_with("%}") => return at,
            (None, '}') if depth == 0 && !statement && text[at..].starts_with("}}") => return at,
            (None, '{') => depth += 1,
            (None, '}') => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The variables that an expression uses, each with its attributes: `a.b` of `a.b`, `x[y].a.b` and `attribute='a.b'`.
/// Those that it makes itself are left out; what they are made of is there as well.
#[must_use]
pub fn paths(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut made = BTreeSet::new();
    let mut before = "";
    for (token, quoted) in tokens(expression) {
        if quoted {
            let attribute = before.ends_with("attribute=");
            let is_path = !token.is_empty() && token.split('.').all(is_name);
            if is_path && (attribute || token.contains('.')) {
                found.push(token.to_owned());
            }
        } else {
            let mut making = false;
            for word in token.split(|c: char| !(c.is_alphanumeric() || "_.".contains(c))) {
                match word {
                    "for" | "set" => making = true,
                    "in" | "=" => making = false,
                    "" => {}
                    word if making && is_name(word) => drop(made.insert(word.to_owned())),
                    word => {
                        let path = word.trim_matches('.');
                        if path.split('.').all(is_name) {
                            found.push(path.to_owned());
                        }
                    }
                }
                // `set a = b`: what comes after the first name is used.
                making = making
                    && (word.is_empty()
                        || word == "for"
                        || word == "set"
                        || token.contains(" in "));
            }
            before = token;
        }
    }
    found.retain(|path| !made.contains(path.split('.').next().unwrap_or_default()));
    found
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// An expression as strings, without their quotes, and what stands between them.
fn tokens(expression: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = &rest[start..=start];
        found.push((&rest[..start], false));
        let inside = &rest[start + 1..];
        let mut end = 0;
        while let Some(at) = inside[end..].find(quote) {
            end += at;
            if !inside[..end].ends_with('\\') {
                break;
            }
            end += 1;
        }
        found.push((&inside[..end], true));
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    found.push((rest, false));
    found
}
