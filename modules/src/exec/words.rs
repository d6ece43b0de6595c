//! Words of a command, written as sh source.

use std::fmt::Write;

/// What the node's shell does with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expand {
    /// Nothing: the word is what it is.
    Nothing,
    /// `$NAME`, `${NAME}` and a leading `~`, from the task's environment on the node. What is not
    /// set stays as it is written.
    Variables,
    /// These, and `*`, `?` and `[…]` match files.
    Files,
}

/// `word` as sh source.
pub(crate) fn source(word: &str, expand: Expand) -> String {
    if expand == Expand::Nothing {
        return crate::kit::quote(word);
    }
    let tilde = tilde(word);
    let mut source = word[..tilde].to_owned();
    let mut plain = String::new();
    let mut rest = &word[tilde..];
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        if let Some((name, behind)) = first_variable(rest) {
            flush(&mut plain, &mut source);
            // Unset is `$NAME` again, as Python's expandvars leaves it.
            let written = rest[..rest.len() - behind.len()].replace('}', "\\}");
            let _ = write!(source, "\"${{{name}-\\{written}}}\"");
            rest = behind;
            continue;
        }
        if expand == Expand::Files && matches!(first, '*' | '?' | '[' | ']') {
            flush(&mut plain, &mut source);
            source.push(first);
        } else if expand == Expand::Files && matches!(first, '!' | '-') && source.ends_with('[') {
            // Negation and ranges mean nothing when they are quoted.
            flush(&mut plain, &mut source);
            source.push(first);
        } else {
            plain.push(first);
        }
        rest = after;
    }
    flush(&mut plain, &mut source);
    if source.is_empty() {
        source.push_str("''");
    }
    source
}

/// Moves what is plain to the source, quoted where it must be.
fn flush(plain: &mut String, source: &mut String) {
    if !plain.is_empty() {
        source.push_str(&crate::kit::quote(plain));
        plain.clear();
    }
}

/// How long the `~/` or `~user/` at the start is; 0 when there is none. A slash that is quoted would
/// keep the `~` from being expanded.
fn tilde(word: &str) -> usize {
    let Some(rest) = word.strip_prefix('~') else {
        return 0;
    };
    let user = rest.find('/').map_or(rest.len(), |slash| slash + 1);
    let usual = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    if rest[..user].chars().all(usual) {
        1 + user
    } else {
        0
    }
}

/// The name of the variable that `text` begins with, and what follows it.
fn first_variable(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix('$')?;
    let (name, behind) = if let Some(inner) = rest.strip_prefix('{') {
        inner.split_once('}')?
    } else {
        let other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        rest.split_at(rest.find(other).unwrap_or(rest.len()))
    };
    let identifier = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    identifier.then_some((name, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use crate::host::{Host, Script};

    async fn printed(word: &str, expand: Expand) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for shell in fake::shells() {
            std::fs::write(shell.at("one.txt"), "").unwrap();
            std::fs::write(shell.at("two words.txt"), "").unwrap();
            let shell = shell.variable("SPACED", "a  b *").variable("EMPTY", "");
            let source = format!("printf '<%s>' {}", source(word, expand));
            let text = shell.run(Script::new(source)).await.unwrap().text();
            let text = text.replace(&shell.dir().display().to_string(), "HOME");
            all.push((shell.name().to_owned(), text));
        }
        all
    }

    #[tokio::test]
    async fn variables_and_the_home_folder_expand_and_nothing_else_does() {
        for (word, expected) in [
            ("plain", "<plain>"),
            ("", "<>"),
            ("it's $SPACED", "<it's a  b *>"),
            ("${SPACED}!$EMPTY.", "<a  b *!.>"),
            (
                "$NOT_SET ${NOT_SET} $5 $ ${a-b}",
                "<$NOT_SET ${NOT_SET} $5 $ ${a-b}>",
            ),
            ("~", "<HOME>"),
            ("~/a b", "<HOME/a b>"),
            ("a~", "<a~>"),
            ("~no such'", "<~no such'>"),
            ("*.txt `id` $(id) ; \"", "<*.txt `id` $(id) ; \">"),
        ] {
            for (shell, text) in printed(word, Expand::Variables).await {
                assert_eq!(text, expected, "{word} under {shell}");
            }
        }
    }

    #[tokio::test]
    async fn a_word_can_be_left_as_it_is() {
        for (shell, text) in printed("~/$HOME *", Expand::Nothing).await {
            assert_eq!(text, "<~/$HOME *>", "{shell}");
        }
    }

    #[tokio::test]
    async fn patterns_match_files_with_any_name() {
        for (pattern, expected) in [
            ("*.txt", "<one.txt><two words.txt>"),
            ("~/two *", "<HOME/two words.txt>"),
            ("[!t]ne.???", "<one.txt>"),
            ("[a-p]ne.txt", "<one.txt>"),
            ("none*", "<none*>"),
        ] {
            for (shell, text) in printed(pattern, Expand::Files).await {
                assert_eq!(text, expected, "{pattern} under {shell}");
            }
        }
    }
}
