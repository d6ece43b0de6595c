//! From a file or a text to its documents.

use std::path::Path;
use std::sync::Arc;

use granit_parser::Parser;

use super::bounds::{MAX_NESTING, MAX_VALUES};
use super::build::DocumentBuilder;
use super::diagnostic::{Diagnostic, Severity};
use super::node::{Node, Value};
use super::source::{Source, Span};
use super::syntax;

/// The text of a file, which must be UTF-8; a byte order mark is dropped.
pub fn read(path: &Path) -> Result<Arc<Source>, Diagnostic> {
    let bytes = windlass_modules::source::read(path).map_err(|error| unreadable(path, &error))?;
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            Ok(Source::file(path, text))
        }
        Err(error) => Err(not_utf8(path, &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    use std::io::ErrorKind;
    let name = path.display();
    let (why, help) = match error.kind() {
        ErrorKind::NotFound => (
            "it does not exist".to_owned(),
            "check the name, and the directory that you are in",
        ),
        ErrorKind::PermissionDenied => (
            "you may not read it".to_owned(),
            "change its permissions or its owner",
        ),
        ErrorKind::InvalidInput if path.is_dir() => (error.to_string(), "name a file in it"),
        ErrorKind::InvalidInput => (
            error.to_string(),
            "name a file; what a command prints can be given as `<(command)` on the command line",
        ),
        ErrorKind::FileTooLarge => (
            error.to_string(),
            "this is probably not the file that you meant; otherwise divide it",
        ),
        _ => (error.to_string(), "check the file and the disk it is on"),
    };
    Diagnostic::new(Severity::Error, format!("cannot read `{name}`: {why}")).help(help)
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let source = Source::file(path, String::from_utf8_lossy(bytes));
    let span = Span::new(&source, at, at + '\u{fffd}'.len_utf8());
    Diagnostic::error(&span, "this file is not UTF-8 text")
        .label(&span, format!("the byte 0x{:02x}", bytes[at]))
        .note(if utf16 {
            "it begins with the mark of UTF-16"
        } else {
            "no character in UTF-8 is written like this"
        })
        .help("save the file as UTF-8, or if it is not text at all, name another file")
}

/// All documents of a text.
pub fn parse(source: &Arc<Source>) -> Result<Vec<Arc<Node>>, Vec<Diagnostic>> {
    parse_within(source, MAX_VALUES)
}

/// All documents of a text with at most so many values in it.
pub fn parse_within(
    source: &Arc<Source>,
    most_values: usize,
) -> Result<Vec<Arc<Node>>, Vec<Diagnostic>> {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        // As PyYAML does.
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: MAX_NESTING,
        block_nesting_limit: MAX_NESTING,
    };
    let mut builder = DocumentBuilder::new(source, most_values);
    for event in Parser::new_from_str_with_options(source.text(), options) {
        match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => {
                let diagnostic = syntax::diagnostic(source, &error, &builder.open());
                builder.syntax_error(diagnostic);
                break;
            }
        }
        if builder.gave_up() {
            break;
        }
    }
    builder.finish()
}

/// The one document of a file; a file with nothing in it is null.
pub fn load(path: &Path) -> Result<Arc<Node>, Vec<Diagnostic>> {
    let source = read(path).map_err(|diagnostic| vec![diagnostic])?;
    document(&source)
}

/// The one document of a text; a text with nothing in it is null.
pub fn document(source: &Arc<Source>) -> Result<Arc<Node>, Vec<Diagnostic>> {
    let mut documents = parse(source)?.into_iter();
    match (documents.next(), documents.next()) {
        (None, _) => Ok(Arc::new(Node::new(Span::new(source, 0, 0), Value::Null))),
        (Some(document), None) => Ok(document),
        (Some(_), Some(second)) => Err(vec![
            Diagnostic::error(
                &second.span,
                "a second document begins before this line, and this file may have one only",
            )
            .note("`---` separates documents")
            .help(
                "remove the `---` between them, or move the second document to a file of its own",
            ),
        ]),
    }
}
