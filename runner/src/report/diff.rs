//! Differences between two texts, as `diff -u` shows them.

use similar::TextDiff;

use super::printer::Theme;
use super::text::clean;
use crate::event::Diff;

/// The lines of a unified diff; none where the texts are equal.
pub(crate) fn lines(diff: &Diff, theme: Theme) -> Vec<String> {
    let (before, after) = (clean(&diff.before), clean(&diff.after));
    if before == after {
        return Vec::new();
    }
    let texts = TextDiff::from_lines(&before, &after);
    let unified = texts
        .unified_diff()
        .context_radius(3)
        .header(&clean(&diff.before_header), &clean(&diff.after_header))
        .to_string();
    unified
        .lines()
        .map(|line| match line.as_bytes().first() {
            Some(b'+') => theme.good(line),
            Some(b'-') => theme.bad(line),
            Some(b'@') => theme.aside(line),
            _ => line.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_changed_with_its_surroundings() {
        let diff = Diff {
            before_header: "before: /etc/motd".into(),
            after_header: "after: /etc/motd".into(),
            before: "one\ntwo\n".into(),
            after: "one\nthree\n".into(),
        };
        assert_eq!(
            lines(&diff, Theme::new(false)),
            [
                "--- before: /etc/motd",
                "+++ after: /etc/motd",
                "@@ -1,2 +1,2 @@",
                " one",
                "-two",
                "+three"
            ]
        );
    }
}
