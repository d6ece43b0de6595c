//! What `blockinfile` makes of a text. It knows no node and no file.

use crate::args::pattern::Pattern;

/// Where a new block goes.
#[derive(Debug, Clone, Copy)]
pub enum BlockPosition<'a> {
    /// To the start of the file.
    Start,
    /// To the end of the file.
    End,
    /// After the last line that matches; to the end if there is none.
    After(&'a Pattern),
    /// Before the last line that matches; to the end if there is none.
    Before(&'a Pattern),
}

/// A block that should be there, or not.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The line before it.
    pub begin: &'a str,
    /// The line after it.
    pub end: &'a str,
    /// Its lines; empty for a block that should not be there.
    pub text: &'a str,
    /// Where it goes if it is not there.
    pub place: BlockPosition<'a>,
    /// An empty line before it.
    pub prepend_newline: bool,
    /// An empty line after it.
    pub append_newline: bool,
}

/// The text with the block as the task wants it.
pub fn edit(text: &str, wanted: &Block<'_>) -> Result<String, String> {
    let mut lines: Vec<String> = split_lines(text);
    let mut at = match old_block(&lines, wanted) {
        Some((first, last)) => {
            lines.drain(first..=last);
            first
        }
        None => place(text, &lines, wanted.place)?,
    };
    if let Some(before) = at.checked_sub(1).and_then(|index| lines.get_mut(index))
        && !before.ends_with('\n')
    {
        before.push('\n');
    }
    if wanted.text.is_empty() {
        return Ok(lines.concat());
    }
    if wanted.prepend_newline && at > 0 && lines[at - 1] != "\n" {
        lines.insert(at, "\n".to_owned());
        at += 1;
    }
    let mut block = vec![format!("{}\n", wanted.begin)];
    block.extend(split_lines(wanted.text));
    if let Some(last) = block.last_mut()
        && !last.ends_with('\n')
    {
        last.push('\n');
    }
    block.push(format!("{}\n", wanted.end));
    let after = at + block.len();
    lines.splice(at..at, block);
    if wanted.append_newline && lines.get(after).is_some_and(|line| line != "\n") {
        lines.insert(after, "\n".to_owned());
    }
    Ok(lines.concat())
}

/// The lines from one marker to the other, whichever comes first. The last of each counts.
fn old_block(lines: &[String], wanted: &Block<'_>) -> Option<(usize, usize)> {
    let marker = |text: &str| {
        lines
            .iter()
            .rposition(|line| line.strip_suffix('\n').is_some_and(|line| line == text))
    };
    let (begin, end) = (marker(wanted.begin)?, marker(wanted.end)?);
    Some((begin.min(end), begin.max(end)))
}

fn place(text: &str, lines: &[String], place: BlockPosition<'_>) -> Result<usize, String> {
    let (pattern, after) = match place {
        BlockPosition::Start => return Ok(0),
        BlockPosition::End => return Ok(lines.len()),
        BlockPosition::After(pattern) => (pattern, true),
        BlockPosition::Before(pattern) => (pattern, false),
    };
    let mut found = None;
    if pattern.many_lines() {
        if let Some(whole) = pattern.search(text)?.and_then(|captures| captures.get(0)) {
            let end = if after { whole.end() } else { whole.start() };
            found = Some(text[..end].matches('\n').count());
        }
    } else {
        for (index, line) in lines.iter().enumerate() {
            if pattern.search(line)?.is_some() {
                found = Some(index);
            }
        }
    }
    Ok(match found {
        Some(index) if after => (index + 1).min(lines.len()),
        Some(index) => index,
        None => lines.len(),
    })
}

/// Lines with their ends: a newline, a carriage return, or both.
fn split_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        let length = if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        let (line, after) = rest.split_at(at + length);
        lines.push(line.to_owned());
        rest = after;
    }
    if !rest.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block<'_> {
        Block {
            begin: "# BEGIN",
            end: "# END",
            text,
            place: BlockPosition::End,
            prepend_newline: false,
            append_newline: false,
        }
    }

    fn put(text: &str, wanted: &Block<'_>) -> String {
        let after = edit(text, wanted).unwrap();
        assert_eq!(edit(&after, wanted).unwrap(), after, "not the same again");
        after
    }

    #[test]
    fn a_block_is_added_changed_and_removed() {
        assert_eq!(put("", &block("x")), "# BEGIN\nx\n# END\n");
        let first = put("a", &block("x\ny\n"));
        assert_eq!(first, "a\n# BEGIN\nx\ny\n# END\n");
        let second = put(&(first + "b\n"), &block("z"));
        assert_eq!(second, "a\n# BEGIN\nz\n# END\nb\n");
        assert_eq!(put(&second, &block("")), "a\nb\n");
        assert_eq!(put("a\nb", &block("")), "a\nb\n");
    }

    #[test]
    fn markers_in_the_wrong_order_are_replaced_together() {
        assert_eq!(
            put("a\n# END\nx\n# BEGIN\nb\n", &block("y")),
            "a\n# BEGIN\ny\n# END\nb\n"
        );
        // A single marker is no block.
        assert_eq!(put("# END\n", &block("y")), "# END\n# BEGIN\ny\n# END\n");
    }

    #[test]
    fn a_new_block_goes_to_its_place() {
        let line = Pattern::new("^l").unwrap();
        let none = Pattern::new("^z").unwrap();
        let many = Pattern::new(r"(?m)^l\nm").unwrap();
        for (place, after) in [
            (BlockPosition::Start, "B\nl\nm\nl\nm"),
            (BlockPosition::After(&line), "l\nm\nl\nB\nm"),
            (BlockPosition::Before(&line), "l\nm\nB\nl\nm"),
            (BlockPosition::After(&none), "l\nm\nl\nm\nB\n"),
            (BlockPosition::After(&many), "l\nm\nB\nl\nm"),
            (BlockPosition::Before(&many), "B\nl\nm\nl\nm"),
        ] {
            let wanted = Block {
                place,
                ..block("x")
            };
            let text = put("l\nm\nl\nm", &wanted);
            assert_eq!(
                text.replace("# BEGIN\nx\n# END\n", "B\n"),
                after,
                "{place:?}"
            );
        }
    }

    #[test]
    fn empty_lines_around_it() {
        let wanted = Block {
            prepend_newline: true,
            append_newline: true,
            place: BlockPosition::Start,
            ..block("x")
        };
        assert_eq!(put("a\n", &wanted), "# BEGIN\nx\n# END\n\na\n");
        let wanted = Block {
            place: BlockPosition::End,
            ..wanted
        };
        assert_eq!(put("a\n", &wanted), "a\n\n# BEGIN\nx\n# END\n");
    }
}
