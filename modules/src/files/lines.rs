//! What `lineinfile` makes of a text. It knows no node and no file.

use crate::args::pattern::Pattern;

/// How lines are recognised.
#[derive(Debug, Clone, Copy)]
pub enum Find<'a> {
    /// By a regular expression.
    Pattern(&'a Pattern),
    /// By a part of them.
    Part(&'a str),
    /// By being the line itself.
    Line,
}

/// Where a new line goes.
#[derive(Debug, Clone, Copy)]
pub enum LinePosition<'a> {
    /// To the start of the file.
    Start,
    /// To the end of the file.
    End,
    /// After a line that matches; to the end if there is none.
    After(&'a Pattern),
    /// Before a line that matches; to the end if there is none.
    Before(&'a Pattern),
}

/// A line that should be there.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    /// The line, without its end.
    pub line: &'a str,
    /// Which line it takes the place of.
    pub find: Find<'a>,
    /// Where it goes if there is none.
    pub place: LinePosition<'a>,
    /// Groups of the match are filled in; without a match nothing is done.
    pub backrefs: bool,
    /// The first match counts, and not the last.
    pub first: bool,
}

/// A text after the change, and what the change was.
pub type Edited = Option<(String, String)>;

/// The text with the line in it.
pub fn present(text: &str, wanted: &Present<'_>) -> Result<Edited, String> {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if let Some((index, line)) = replacement(&lines, wanted)? {
        let line = with_end(&line);
        if lines[index] == line {
            return Ok(None);
        }
        lines[index] = line;
        return Ok(Some((lines.concat(), "line replaced".to_owned())));
    }
    if wanted.backrefs {
        return Ok(None);
    }
    let index = match wanted.place {
        LinePosition::Start => 0,
        LinePosition::End => lines.len(),
        LinePosition::After(pattern) => {
            anchor(&lines, pattern, wanted)?.map_or(lines.len(), |at| at + 1)
        }
        LinePosition::Before(pattern) => anchor(&lines, pattern, wanted)?.unwrap_or(lines.len()),
    };
    if let Some(before) = index.checked_sub(1).and_then(|at| lines.get_mut(at))
        && !before.ends_with(['\n', '\r'])
    {
        before.push('\n');
    }
    lines.insert(index, with_end(wanted.line));
    Ok(Some((lines.concat(), "line added".to_owned())))
}

/// The line that is to be replaced, and by what: one that is found or, failing that, the line itself,
/// whose end may be another.
fn replacement(lines: &[String], wanted: &Present<'_>) -> Result<Option<(usize, String)>, String> {
    let mut found = None;
    for (index, line) in lines.iter().enumerate() {
        let new = match wanted.find {
            Find::Pattern(pattern) => match pattern.search(line)? {
                Some(captures) if wanted.backrefs => Some(
                    pattern
                        .expand(&captures, wanted.line)
                        .map_err(|wrong| format!("`line: {}`: {wrong}", wanted.line))?,
                ),
                Some(_) => Some(wanted.line.to_owned()),
                None => None,
            },
            Find::Part(part) => line.contains(part).then(|| wanted.line.to_owned()),
            Find::Line => None,
        };
        if let Some(new) = new {
            found = Some((index, new));
            if wanted.first {
                break;
            }
        }
    }
    let itself = || {
        lines
            .iter()
            .rposition(|line| bare(line) == wanted.line)
            .map(|index| (index, wanted.line.to_owned()))
    };
    Ok(found.or_else(itself))
}

fn anchor(
    lines: &[String],
    pattern: &Pattern,
    wanted: &Present<'_>,
) -> Result<Option<usize>, String> {
    let mut at = None;
    for (index, line) in lines.iter().enumerate() {
        if pattern.search(line)?.is_some() {
            at = Some(index);
            if wanted.first {
                break;
            }
        }
    }
    Ok(at)
}

/// The text without the lines that are found, and how many they were.
pub fn absent(text: &str, line: &str, find: Find<'_>) -> Result<(Edited, usize), String> {
    let mut kept = String::new();
    let mut gone = 0;
    for current in text.split_inclusive('\n') {
        let matches = match find {
            Find::Pattern(pattern) => pattern.search(current)?.is_some(),
            Find::Part(part) => current.contains(part),
            Find::Line => bare(current) == line,
        };
        if matches {
            gone += 1;
        } else {
            kept.push_str(current);
        }
    }
    let edited = (gone > 0).then(|| (kept, format!("{gone} line(s) removed")));
    Ok((edited, gone))
}

fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

fn with_end(line: &str) -> String {
    if line.ends_with('\n') {
        line.to_owned()
    } else {
        format!("{line}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    fn plain<'a>(line: &'a str, find: Find<'a>) -> Present<'a> {
        Present {
            line,
            find,
            place: LinePosition::End,
            backrefs: false,
            first: false,
        }
    }

    /// The text after, and `None` if it stays as it is. A second time nothing must change.
    fn put(text: &str, wanted: &Present<'_>) -> Option<String> {
        let after = present(text, wanted).unwrap().map(|(after, _)| after);
        if let Some(after) = &after {
            assert_eq!(present(after, wanted).unwrap(), None, "not the same again");
        }
        after
    }

    #[test]
    fn a_line_is_added_once() {
        assert_eq!(put("", &plain("x", Find::Line)).unwrap(), "x\n");
        assert_eq!(put("a\n", &plain("x", Find::Line)).unwrap(), "a\nx\n");
        assert_eq!(put("a", &plain("x", Find::Line)).unwrap(), "a\nx\n");
        assert_eq!(put("x\na\n", &plain("x", Find::Line)), None);
        // As Ansible: the end of the line becomes a newline.
        assert_eq!(put("a\nx", &plain("x", Find::Line)).unwrap(), "a\nx\n");
        assert_eq!(put("x\r\na\n", &plain("x", Find::Line)).unwrap(), "x\na\n");
    }

    #[test]
    fn the_last_match_is_replaced_or_the_first() {
        let key = pattern("^k=");
        let mut wanted = plain("k=9", Find::Pattern(&key));
        assert_eq!(put("k=1\nb\nk=2\n", &wanted).unwrap(), "k=1\nb\nk=9\n");
        wanted.first = true;
        assert_eq!(put("k=1\nb\nk=2\n", &wanted).unwrap(), "k=9\nb\nk=2\n");
        assert_eq!(put("b\n", &wanted).unwrap(), "b\nk=9\n");
        let part = plain("k=9", Find::Part("k=2"));
        assert_eq!(present("k=1\nk=2", &part).unwrap().unwrap().0, "k=1\nk=9\n");
    }

    #[test]
    fn a_line_that_is_there_is_not_added_where_the_pattern_finds_none() {
        let other = pattern("^z");
        let wanted = plain("k=9", Find::Pattern(&other));
        assert_eq!(put("k=9\nb\n", &wanted), None);
    }

    #[test]
    fn a_new_line_goes_to_its_place() {
        let text = "[a]\nx\n[a]\ny";
        let section = pattern(r"^\[a\]$");
        let nowhere = pattern("nowhere");
        let end = pattern("^y");
        for (place, first, after) in [
            (LinePosition::Start, false, "n\n[a]\nx\n[a]\ny"),
            (LinePosition::After(&section), false, "[a]\nx\n[a]\nn\ny"),
            (LinePosition::After(&section), true, "[a]\nn\nx\n[a]\ny"),
            (LinePosition::Before(&section), false, "[a]\nx\nn\n[a]\ny"),
            (LinePosition::Before(&section), true, "n\n[a]\nx\n[a]\ny"),
            (LinePosition::After(&end), false, "[a]\nx\n[a]\ny\nn\n"),
            (LinePosition::After(&nowhere), false, "[a]\nx\n[a]\ny\nn\n"),
            (LinePosition::Before(&nowhere), false, "[a]\nx\n[a]\ny\nn\n"),
        ] {
            let wanted = Present {
                place,
                first,
                ..plain("n", Find::Line)
            };
            assert_eq!(put(text, &wanted).unwrap(), after, "{place:?} {first}");
        }
    }

    #[test]
    fn groups_are_filled_in_and_without_a_match_nothing_is_done() {
        let swap = pattern(r"^([^#].*\sswap\s.*)$");
        let wanted = Present {
            backrefs: true,
            ..plain(r"# \1", Find::Pattern(&swap))
        };
        assert_eq!(
            put("/dev/sda1 / ext4\n/dev/sda2 none swap sw\n", &wanted).unwrap(),
            "/dev/sda1 / ext4\n# /dev/sda2 none swap sw\n"
        );
        assert_eq!(put("a\n", &wanted), None);
        let wrong = Present {
            backrefs: true,
            ..plain(r"\7", Find::Pattern(&swap))
        };
        assert!(
            present("a swap b", &wrong)
                .unwrap_err()
                .contains("no group 7")
        );
    }

    #[test]
    fn lines_are_removed_by_any_of_the_ways() {
        let text = "a\nb\r\na\nab";
        let begins = pattern("^a");
        let without = |find| {
            let (edited, gone) = absent(text, "a", find).unwrap();
            (edited.map(|(text, _)| text), gone)
        };
        assert_eq!(without(Find::Line), (Some("b\r\nab".to_owned()), 2));
        assert_eq!(
            without(Find::Pattern(&begins)),
            (Some("b\r\n".to_owned()), 3)
        );
        assert_eq!(
            without(Find::Part("ab")),
            (Some("a\nb\r\na\n".to_owned()), 1)
        );
        assert_eq!(without(Find::Part("z")), (None, 0));
    }
}
