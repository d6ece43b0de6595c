//! Escapes what could move a terminal's cursor, change its state, or make text look other than it is.
//!
//! All text that is not the program's own is data: what hosts say, names in inventories and playbooks,
//! what `ssh` prints. It is escaped twice: where an event reaches a report ([`event`]), so that lines stay
//! lines and columns columns, and in the printer, which writes no such character whatever it is given.

use std::borrow::Cow;
use std::fmt::Write;

use crate::event::{Event, Text};

/// Noncharacters of Unicode that stand for the program's own colours until the printer writes them. They are
/// escaped in text like the rest.
pub(super) const MARKS: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDD7}';

/// Whether a character must be escaped. A newline and a tab are for the caller to judge.
fn is_tricky(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Direction of text, and marks of it.
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Separators of lines and paragraphs.
            | '\u{2028}' | '\u{2029}'
            // What has no width, apart from what chooses how the character before it looks (U+FE00 to U+FE0F):
            // emoji have that.
            | '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{3164}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
            // Controls of music and of hieroglyphs.
            | '\u{1D173}'..='\u{1D17A}' | '\u{13430}'..='\u{1345F}'
            // What is no character.
            | '\u{FDD0}'..='\u{FDEF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Whether all of it is plain: most is, and then nothing needs to be done.
fn is_plain(text: &str, newlines: bool) -> bool {
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t') || newlines && byte == b'\n';
    text.bytes().all(plain)
}

fn escaped(
    text: &str,
    newlines: bool,
    keep: impl Fn(char) -> bool,
    escape: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    let tricky = |c: char| match c {
        '\n' => !newlines,
        '\t' => false,
        c => is_tricky(c) && !keep(c),
    };
    if is_plain(text, newlines) || !text.contains(tricky) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            // The end of a line on other systems.
            '\r' if newlines && rest.peek().is_none_or(|next| *next == '\n') => {}
            c if tricky(c) => escape(&mut clean, c),
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

/// `\u{1b}`, and `\r`.
fn for_people(clean: &mut String, c: char) {
    clean.extend(c.escape_default());
}

/// Text of several lines.
pub(crate) fn block(text: &str) -> Cow<'_, str> {
    escaped(text, true, |_| false, for_people)
}

/// Text of one line: what comes after a newline could pass for a line of the program's own.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, false, |_| false, for_people)
}

/// Text of several lines in which the program's own marks stand for colours.
pub(super) fn marked(text: &str) -> Cow<'_, str> {
    escaped(text, true, |c| MARKS.contains(&c), for_people)
}

/// JSON, which stays the same value.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let escape = |clean: &mut String, c: char| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(clean, "\\u{unit:04x}");
        }
    };
    escaped(text, true, |_| false, escape)
}

/// Text drawn with colours: of all sequences that a terminal obeys only these stay.
pub(super) fn drawn(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        clean.push_str(&block(&rest[..at]));
        rest = &rest[at..];
        let colour = rest.strip_prefix("\u{1b}[").and_then(|after| {
            let end = after.find(|c: char| !c.is_ascii_digit() && c != ';')?;
            after[end..].starts_with('m').then_some(2 + end + 1)
        });
        match colour {
            Some(length) => clean.push_str(&rest[..length]),
            None => for_people(&mut clean, '\u{1b}'),
        }
        rest = &rest[colour.unwrap_or(1)..];
    }
    clean.push_str(&block(rest));
    clean
}

/// All texts of an event. Values are escaped by whoever prints them: not all are printed.
pub(crate) fn event(event: &mut Event) {
    for text in event.what.texts() {
        // Most are plain, and nothing is copied.
        let (text, clean) = match text {
            Text::Host(text) | Text::Line(text) => match line(text) {
                Cow::Owned(clean) => (text, clean),
                Cow::Borrowed(_) => continue,
            },
            Text::Block(text) => match block(text) {
                Cow::Owned(clean) => (text, clean),
                Cow::Borrowed(_) => continue,
            },
            Text::Value(_) => continue,
        };
        *text = clean;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hosts_print_cannot_move_the_cursor() {
        assert_eq!(block("a\x1b[2Jb\r\n\tc\u{7}"), "a\\u{1b}[2Jb\n\tc\\u{7}");
        assert_eq!(line("a\nok  b\r"), "a\\nok  b\\r");
        assert_eq!(block("a\rb"), "a\\rb");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_or_that_turns_text_round_is_left() {
        let tricky = (0..=0x10_FFFF).filter_map(char::from_u32).filter(|c| {
            c.is_control()
                || "\u{61c}\u{200b}\u{200e}\u{202e}\u{2028}\u{2066}\u{feff}\u{e0041}\u{1d173}\u{13430}".contains(*c)
        });
        for c in tricky.filter(|c| !"\n\t\r".contains(*c)) {
            let text = format!("a{c}b");
            for clean in [
                block(&text),
                line(&text),
                marked(&text),
                drawn(&text).into(),
            ] {
                assert!(
                    !clean.contains(c) && clean.contains("\\u{"),
                    "{c:?}: {clean}"
                );
            }
            let quoted = format!("\"{text}\"");
            let value: serde_json::Value = serde_json::from_str(&json(&quoted)).unwrap();
            assert_eq!(value, text);
            assert!(!json(&quoted).contains(c));
        }
        let plain = "ünïcödé … 日本 🦀 ❤\u{fe0f}";
        assert!(matches!(block(plain), Cow::Borrowed(text) if text == plain));
    }

    #[test]
    fn of_what_is_drawn_only_colours_stay() {
        assert_eq!(
            drawn("\u{1b}[1;31mx\u{1b}[0m\u{1b}[2J\u{1b}]0;t\u{7}\u{1b}["),
            "\u{1b}[1;31mx\u{1b}[0m\\u{1b}[2J\\u{1b}]0;t\\u{7}\\u{1b}["
        );
    }

    #[test]
    fn what_is_plain_in_an_event_is_not_copied() {
        let mut event = Event {
            elapsed: std::time::Duration::ZERO,
            what: crate::event::EventKind::Included {
                file: "plain ünïcödé.yml".to_owned(),
                hosts: vec!["h1".to_owned(), "h\n2".to_owned()],
            },
        };
        let places = |event: &mut Event| -> Vec<(*const u8, String)> {
            let texts = event.what.texts().into_iter();
            texts
                .filter_map(|text| match text {
                    Text::Host(text) | Text::Line(text) | Text::Block(text) => {
                        Some((text.as_ptr(), text.clone()))
                    }
                    Text::Value(_) => None,
                })
                .collect()
        };
        let before = places(&mut event);
        super::event(&mut event);
        let after = places(&mut event);
        assert_eq!(before[..2], after[..2]);
        assert_eq!(after[2].1, "h\\n2");
    }
}
