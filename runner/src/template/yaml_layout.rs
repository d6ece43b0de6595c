//! How YAML is laid out, and the lines that are written so.

/// How YAML is laid out.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the options of the filter are what they are"
)]
#[derive(Debug, Clone)]
pub(super) struct YamlLayout {
    /// Blanks by which what is inside is moved.
    pub(super) indent: usize,
    /// Lines are folded after this.
    pub(super) width: usize,
    /// Whether collections are written in brackets; by default those that hold no others are.
    pub(super) flow: Option<bool>,
    /// Whether mappings are written in the order of their keys.
    pub(super) sort_keys: bool,
    /// Whether a line `---` comes first.
    pub(super) explicit_start: bool,
    /// Whether a line `...` comes last.
    pub(super) explicit_end: bool,
    /// Whether text is written in `|` blocks.
    pub(super) literal: bool,
    /// Whether letters beyond ASCII are written as they are.
    pub(super) unicode: bool,
}

/// A text that is being written.
pub(super) struct Writer<'l> {
    pub(super) out: String,
    pub(super) layout: &'l YamlLayout,
}

impl Writer<'_> {
    /// How far the last line goes.
    pub(super) fn column(&self) -> usize {
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out[line..].chars().count()
    }

    /// A new line that is indented, unless this one is already and has nothing on it but dashes.
    pub(super) fn fresh_line(&mut self, indent: usize) {
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        let only_marks = self.out[line..]
            .chars()
            .all(|c| matches!(c, ' ' | '-' | '?'))
            && !self.out[line..].starts_with("---");
        if !(only_marks && self.column() <= indent) {
            self.out.push('\n');
        }
        let missing = indent.saturating_sub(self.column());
        self.out.push_str(&" ".repeat(missing));
    }
}
