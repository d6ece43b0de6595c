//! What was shown while something is waited for: only what is other than at the last look is shown again.

use std::collections::BTreeMap;

use crate::module::Context;

/// Who owns the node chooses names and reasons: of each, no more than a person reads.
const LONGEST: usize = 300;

/// The lines of the last look, by what they are about.
#[derive(Debug, Default)]
pub struct Shown(BTreeMap<String, String>);

impl Shown {
    /// Shows those lines of a look that are new; the others of the look before are forgotten, unless it saw
    /// nothing (`blind`), as when the API does not answer.
    pub fn show(
        &mut self,
        context: &Context<'_>,
        lines: impl IntoIterator<Item = (String, String)>,
        blind: bool,
    ) {
        let mut now = BTreeMap::new();
        for (about, line) in lines {
            let (about, line) = (cut(about), cut(line));
            if self.0.get(&about) != Some(&line) {
                context.control.progress(&line);
            }
            now.insert(about, line);
        }
        if blind {
            self.0.append(&mut now);
        } else {
            self.0 = now;
        }
    }

    /// How many bytes are kept.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(about, line)| about.len() + line.len())
            .sum()
    }
}

/// The beginning of a text that is too long.
fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.shrink_to_fit();
        text.push('…');
    }
    text
}
