//! Unquoted values that YAML reads as something other than what was probably meant.

use super::diagnostic::Diagnostic;
use super::node::{Node, Style, Value};

/// A warning for an unquoted scalar whose value does not print as it was written: `1.10` is the
/// number 1.1, `12:30` the number 750. Octal modes (`0644`) are meant so and give none.
pub fn surprise(node: &Node) -> Option<Diagnostic> {
    if node.style != Style::Plain || node.tag.is_some() {
        return None;
    }
    let written = node.source_text();
    let (read, why) = match node.value {
        Value::Float(number) if looks_like_a_version(written) => {
            let read = format!("{number:?}");
            if read == written {
                return None;
            }
            (read, "an unquoted number loses the zeros at its end")
        }
        Value::Int(number) if written.contains(':') => (
            number.to_string(),
            "YAML 1.1 reads unquoted digits with colons as a number in base 60",
        ),
        _ => return None,
    };
    Some(
        Diagnostic::warning(
            &node.span,
            format!("`{written}` is read as the number {read}"),
        )
        .note(why)
        .help(format!("if text is meant, quote it: \"{written}\"")),
    )
}

fn looks_like_a_version(text: &str) -> bool {
    text.split_once('.').is_some_and(|(major, minor)| {
        [major, minor]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Source, parse};
    use super::surprise;

    fn warned(text: &str) -> Option<String> {
        let documents = parse(&Source::named("test", text)).unwrap();
        surprise(&documents[0]).map(|diagnostic| diagnostic.message)
    }

    #[test]
    fn versions_and_times_without_quotes_give_a_warning() {
        assert_eq!(
            warned("1.10").as_deref(),
            Some("`1.10` is read as the number 1.1")
        );
        assert_eq!(
            warned("12:30").as_deref(),
            Some("`12:30` is read as the number 750")
        );
    }

    #[test]
    fn what_prints_as_it_was_written_gives_none() {
        for text in [
            "1.5", "1.0", "\"1.10\"", "0644", "750", "a", "1.2.3", "0x10",
        ] {
            assert_eq!(warned(text), None, "{text}");
        }
    }
}
