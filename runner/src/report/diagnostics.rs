//! Draws [`Diagnostic`]s for people: file, line and column, the line with the place underlined,
//! what is wrong, why, and what to do.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};

use super::escape;
use crate::yaml::{Diagnostic, Severity, Span};

/// How to draw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DrawOptions {
    /// With colours.
    pub colour: bool,
}

/// More than these are not drawn: nobody reads them.
const SHOWN: usize = 200;

/// Takes out of a text what must not be shown.
pub struct Hiding<'a> {
    /// Out of lines of a file: they stay as long as they are, so that places in them do. What is left out of
    /// a long line is so afterwards: no half of a secret is left at the cut.
    pub lines: &'a dyn Fn(&mut String),
    /// Out of what is said about them.
    pub words: &'a dyn Fn(&mut String),
}

/// All of them, with an empty line after each.
pub fn draw(diagnostics: &[Diagnostic], options: DrawOptions) -> String {
    let nothing = |_: &mut String| {};
    let hiding = Hiding {
        lines: &nothing,
        words: &nothing,
    };
    draw_hiding(diagnostics, options, &hiding)
}

/// All that is drawn of them: what is said, and the lines of files.
pub fn texts(diagnostics: &[Diagnostic]) -> Vec<&str> {
    let mut texts = Vec::new();
    for diagnostic in diagnostics.iter().take(SHOWN) {
        texts.push(diagnostic.message.as_str());
        texts.extend(diagnostic.note.as_deref());
        texts.extend(diagnostic.help.as_deref());
        texts.extend(diagnostic.labels.iter().map(|label| label.text.as_str()));
        let places = places(diagnostic).into_iter();
        texts.extend(places.map(|place| &place.source.text()[lines_of(diagnostic, place)]));
    }
    texts
}

/// The same as [`draw`], without what must not be shown.
pub fn draw_hiding(
    diagnostics: &[Diagnostic],
    options: DrawOptions,
    hiding: &Hiding<'_>,
) -> String {
    let renderer = if options.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN) {
        let diagnostic = &clean(diagnostic, hiding);
        text.push_str(&renderer.render(&[group(diagnostic, hiding)]));
        text.push_str("\n\n");
    }
    if let Some(more) = diagnostics
        .len()
        .checked_sub(SHOWN)
        .filter(|more| *more > 0)
    {
        text.push_str(&format!("… and {more} more\n\n"));
    }
    text
}

/// With nothing in its texts that a terminal obeys: names in files and on the command line are quoted in
/// them. What is drawn of the files themselves is cleaned by the renderer, and by the printer.
fn clean(diagnostic: &Diagnostic, hiding: &Hiding<'_>) -> Diagnostic {
    let mut clean = diagnostic.clone();
    let texts = std::iter::once(&mut clean.message)
        .chain(&mut clean.note)
        .chain(&mut clean.help)
        .chain(clean.labels.iter_mut().map(|label| &mut label.text));
    for text in texts {
        (hiding.words)(text);
        *text = escape::block(text).into_owned();
    }
    clean
}

/// How many errors and warnings there are, in words; nothing when there are none.
pub fn count(diagnostics: &[Diagnostic]) -> String {
    let count = |severity, one: &str| {
        let number = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == severity)
            .count();
        match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            number => Some(format!("{number} {one}s")),
        }
    };
    let parts = [
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn group<'a>(diagnostic: &'a Diagnostic, hiding: &Hiding<'_>) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    elements.extend(snippets(diagnostic, hiding).into_iter().map(Element::from));
    if let Some(note) = &diagnostic.note {
        elements.push(Level::NOTE.message(note).into());
    }
    if let Some(help) = &diagnostic.help {
        elements.push(Level::HELP.message(help).into());
    }
    level.primary_title(&diagnostic.message).elements(elements)
}

/// A label in each file that labels are in, the first label's first.
fn places(diagnostic: &Diagnostic) -> Vec<&Span> {
    let mut places: Vec<&Span> = Vec::new();
    for label in &diagnostic.labels {
        if !places.iter().any(|span| span.source == label.span.source) {
            places.push(&label.span);
        }
    }
    places
}

/// The lines of a file that labels are in, and those between. Only the lines around: the text may be long,
/// and all of it would be looked at.
fn lines_of(diagnostic: &Diagnostic, place: &Span) -> Range<usize> {
    let labels = diagnostic.labels.iter();
    let of_source = labels.filter(|label| label.span.source == place.source);
    let ranges = || of_source.clone().map(|label| first_line(&label.span));
    let text = place.source.text();
    let start = ranges().map(|range| range.start).min().unwrap_or(0);
    let start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = ranges().map(|range| range.end).max().unwrap_or(0);
    let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
    start..end
}

/// One for each file that the labels are in, the first label's first.
fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    hiding: &Hiding<'_>,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    places(diagnostic)
        .into_iter()
        .map(|place| {
            let Range { start, end } = lines_of(diagnostic, place);
            let labels = diagnostic.labels.iter().enumerate();
            let of_source = labels.filter(|(_, label)| label.span.source == place.source);
            let line = Span::new(&place.source, start, start).position().0;
            let annotations = of_source.map(move |(index, label)| {
                let kind = match index {
                    0 => AnnotationKind::Primary,
                    _ => AnnotationKind::Context,
                };
                let text = (!label.text.is_empty()).then_some(label.text.as_str());
                let range = first_line(&label.span);
                kind.span(range.start - start..range.end - start)
                    .label(text)
            });
            let mut lines = place.source.text()[start..end].to_owned();
            (hiding.lines)(&mut lines);
            Snippet::source(lines)
                .line_start(line)
                .path(escape::line(place.source.name()))
                .annotations(annotations)
        })
        .collect()
}

/// The part of a span that is on its first line: more lines underlined are harder to read.
fn first_line(span: &Span) -> Range<usize> {
    let text = span.text();
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let start = span.range().start;
    start..start + end
}

#[cfg(test)]
mod tests {
    use super::{DrawOptions, count, draw, escape};
    use crate::yaml::{Diagnostic, Severity, Source, Span};

    fn example() -> Vec<Diagnostic> {
        let source = Source::file("site.yml", "- hosts: all\n  taks:\n    - ping:\n");
        let span = Span::new(&source, 15, 19);
        let play = Span::new(&source, 2, 7);
        vec![
            Diagnostic::error(&span, "`taks` is not a keyword of a play")
                .label(&play, "the play")
                .note("a play has tasks")
                .help("did you mean `tasks`?"),
            Diagnostic::new(Severity::Warning, "nothing runs").help("name a host"),
            Diagnostic::warning(&Span::new(&source, 13, source.text().len()), "two lines"),
        ]
    }

    #[test]
    fn a_diagnostic_shows_the_line_and_what_to_do() {
        insta::assert_snapshot!(draw(&example(), DrawOptions::default()));
    }

    #[test]
    fn colour_changes_nothing_but_the_colour() {
        let coloured = draw(&example(), DrawOptions { colour: true });
        assert!(coloured.contains("\u{1b}["));
        let plain: String = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(plain, draw(&example(), DrawOptions::default()));
    }

    #[test]
    fn nothing_of_a_file_or_its_name_reaches_the_terminal_as_it_is() {
        let hostile = "\u{1b}[2J\u{9b}1m\u{202e}\u{2066}\u{200b}\u{7f}\u{2028}";
        let source = Source::file(
            format!("{hostile}.yml"),
            format!("a: {hostile}é\nb: {hostile}\n"),
        );
        let span = Span::new(&source, 3, 3 + hostile.len());
        let diagnostic = Diagnostic::error(&span, format!("`{hostile}` is unknown"))
            .label(&span, hostile)
            .note(hostile)
            .help(hostile);
        for colour in [false, true] {
            let drawn = draw(std::slice::from_ref(&diagnostic), DrawOptions { colour });
            let shown = escape::drawn(&drawn);
            let plain = anstream::adapter::strip_str(&shown).to_string();
            let bad = plain.chars().find(|c| {
                c.is_control() && *c != '\n' || "\u{202e}\u{2066}\u{200b}\u{2028}".contains(*c)
            });
            assert_eq!(bad, None, "{shown:?}");
            assert!(!shown.contains("\u{1b}[2J"));
        }
    }

    #[test]
    fn they_are_counted_in_words() {
        assert_eq!(count(&example()), "1 error, 2 warnings");
        assert_eq!(count(&[]), "");
    }

    #[test]
    fn odd_places_can_be_drawn() {
        let source = Source::named("odd", "é\u{1}\té\r\nx");
        let end = source.text().len();
        for (start, stop) in [
            (0, 0),
            (0, 2),
            (2, 3),
            (end, end),
            (0, end),
            (end, end + 5),
            (1, 6),
        ] {
            let drawn = draw(
                &[Diagnostic::error(&Span::new(&source, start, stop), "here")],
                DrawOptions::default(),
            );
            assert!(drawn.contains("--> odd:"), "{drawn}");
        }
    }
}
