//! Backslashes in the strings of `{{ }}`.
//!
//! In a playbook they stand for themselves: YAML has read its escapes already, and
//! `regex_replace('(.*)', '\1')` means what it says. The parser would read them as escapes, so they
//! are doubled before it sees them, and places are brought back to the text as written.

use std::borrow::Cow;

/// Where bytes were put in.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    inserted: Vec<usize>,
    /// Bytes of a header that the parser does not see.
    pub(super) header: usize,
}

impl Offsets {
    /// The place in the text as written of a place in the text as parsed.
    pub(super) fn original(&self, at: usize) -> usize {
        self.header + at - self.inserted.partition_point(|inserted| *inserted < at)
    }
}

/// The text with the backslashes of its strings inside `{{ }}` doubled.
pub(super) fn kept(text: &str) -> (Cow<'_, str>, Offsets) {
    if !text.contains('\\') {
        return (text.into(), Offsets::default());
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut inserted = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = match after.as_bytes().get(1) {
            Some(b'{') => expression(after, &mut out, &mut inserted),
            Some(b'%') => copied(after, statement_end(after), &mut out),
            Some(b'#') => copied(
                after,
                after.find("#}").map_or(after.len(), |at| at + 2),
                &mut out,
            ),
            _ => copied(after, 1, &mut out),
        };
        rest = &after[end..];
    }
    out.push_str(rest);
    (
        out.into(),
        Offsets {
            inserted,
            header: 0,
        },
    )
}

fn copied(text: &str, end: usize, out: &mut String) -> usize {
    out.push_str(&text[..end]);
    end
}

/// Where a statement ends; a `raw` block ends with its `endraw`.
fn statement_end(text: &str) -> usize {
    let end = text.find("%}").map_or(text.len(), |at| at + 2);
    let name = text[2..end].trim_start_matches(['-', '+', ' ']);
    if name.starts_with("raw") {
        text.find("endraw").unwrap_or(end)
    } else {
        end
    }
}

/// Copies `{{ … }}` with the backslashes in its strings doubled; gives where it ends.
fn expression(text: &str, out: &mut String, inserted: &mut Vec<usize>) -> usize {
    let mut quote = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, '}') if text[at..].starts_with("}}") => {
                out.push_str("}}");
                return at + 2;
            }
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if character == open => quote = None,
            (Some(open), '\\') => {
                inserted.push(out.len());
                out.push_str("\\\\");
                // The next one cannot end the string, and is kept as well.
                if let Some((_, next)) = characters.next() {
                    if next == open || next == '\\' {
                        inserted.push(out.len());
                        out.push('\\');
                    }
                    out.push(next);
                }
                continue;
            }
            _ => {}
        }
        out.push(character);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::kept;

    #[test]
    fn only_strings_inside_expressions_change() {
        for (text, doubled) in [
            (r"a\b {{ 'c\d' }} \e", r"a\b {{ 'c\\d' }} \e"),
            (
                r"{% set x = 'a\n' %}{{ '\1' }}",
                r"{% set x = 'a\n' %}{{ '\\1' }}",
            ),
            (r"{{ 'a\'b' }}", r"{{ 'a\\\'b' }}"),
            (
                r"{# '\n' #}{% raw %}{{ '\n' }}{% endraw %}",
                r"{# '\n' #}{% raw %}{{ '\n' }}{% endraw %}",
            ),
            (r"{{ 'a\", r"{{ 'a\\"),
        ] {
            assert_eq!(kept(text).0, doubled, "{text}");
        }
    }

    #[test]
    fn places_come_back_to_the_text_as_written() {
        let text = r"{{ 'a\b' ~ x }}";
        let (parsed, offsets) = kept(text);
        let at = parsed.find('x').expect("it is there");
        assert_eq!(offsets.original(at), text.find('x').expect("it is there"));
    }
}
