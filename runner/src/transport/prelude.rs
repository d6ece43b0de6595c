//! What is sent to a new shell before its first request, and the functions that follow on demand.

use std::fmt::Write;
use std::sync::LazyLock;

/// What the login shell is asked to run. Every login shell parses this line alike (fish and csh
/// too): no newline, backslash, exclamation mark or inner single quote.
pub(super) const START: &str = r#"IFS= read -r w && eval "$w""#;

static PRELUDE: LazyLock<String> = LazyLock::new(|| condensed(include_str!("remote/prelude.sh")));

/// The command for ssh, as the login shell gets it.
pub(super) fn login_command() -> String {
    format!("exec sh -c '{START}'")
}

/// The text that turns a shell started with [`START`] into one that takes requests.
pub(super) fn boot(key: &str) -> Vec<u8> {
    let prelude = &*PRELUDE;
    // A shell resets IFS to space, tab, newline when it starts, which is how a newline gets into a
    // variable without one in this line.
    let mut text = format!(
        "_w_key={key};_w_nl=${{IFS#??}};_w_text=;_w_left={};while [ \"$_w_left\" -gt 0 ];do \
         IFS= read -r _w_line||exit 70;_w_text=$_w_text$_w_line$_w_nl;_w_left=$((_w_left-1));done;\
         eval \"$_w_text\"\n",
        prelude.lines().count()
    );
    text.push_str(prelude);
    text.into_bytes()
}

/// A request that defines functions.
pub(super) fn define(key: &str, source: &str) -> String {
    let mut text = String::with_capacity(source.len() + 64);
    let _ = writeln!(text, "{key} _w_define {}", source.lines().count());
    text.push_str(source);
    if !source.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Our own source without indentation, comments and empty lines: shells read requests byte by byte.
/// Not for the kit's, which may hold text in which such lines count.
pub(super) fn condensed(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    for line in source.lines().map(str::trim_start) {
        if !line.is_empty() && !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_command_means_the_same_to_every_shell() {
        assert!(!START.contains(['\n', '\\', '!', '\'']));
    }
}
