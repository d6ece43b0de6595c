//! Live lines without secrets, though a secret begins in one line and goes on in the next.

use std::collections::HashMap;

use crate::secrets::{REDACTED, Secrets};

/// So many bytes of a host's lines are remembered: a secret may go on in the next.
const REMEMBERED: usize = 1024;

/// The last that each host at work said.
#[derive(Default)]
pub(crate) struct Lines(HashMap<String, String>);

impl Lines {
    /// A line of `host`, as it may be shown.
    pub(crate) fn shown(&mut self, host: &str, line: String, secrets: &Secrets) -> String {
        if secrets.is_empty() {
            return line;
        }
        let before = self.0.entry(host.to_owned()).or_default();
        let mut earlier = before.clone();
        before.push_str(&line);
        let open = secrets.beginning(before).min(line.len());
        let mut shown = line;
        let mut end = shown.split_off(shown.len() - open);
        secrets.hide_all(&mut [&mut earlier, &mut shown, &mut end]);
        if open > 0 && !shown.ends_with(REDACTED) {
            shown.push_str(REDACTED);
        }
        let cut = before.len().saturating_sub(REMEMBERED);
        let cut = (cut..=before.len()).find(|at| before.is_char_boundary(*at));
        before.drain(..cut.unwrap_or(0));
        shown
    }

    /// The host's task is over.
    pub(crate) fn forget(&mut self, host: &str) {
        self.0.remove(host);
    }
}

#[cfg(test)]
mod tests {
    use windlass_modules::Secret;

    use super::*;

    #[test]
    fn a_secret_in_pieces_is_hidden_piece_by_piece() {
        let secrets = Secrets::default();
        secrets.add(&Secret::new("hunter2-and-more"));
        let mut lines = Lines::default();
        let mut said = |host: &str, line: &str| lines.shown(host, line.to_owned(), &secrets);
        assert_eq!(said("h", "it is hunter"), "it is ********");
        assert_eq!(said("other", "2-and-more"), "2-and-more");
        assert_eq!(said("h", "2-and"), "********");
        assert_eq!(said("h", "-more."), "********.");
        assert_eq!(said("h", "2-and-more"), "2-and-more");
    }

    #[test]
    fn neither_half_of_an_encoded_secret_is_shown() {
        let secrets = Secrets::default();
        secrets.add(&Secret::new("hunter2-and-more"));
        // base64 of "hunter2-and-more", and in hexadecimal.
        for (one, other) in [
            ("aHVudGVyMi1", "hbmQtbW9yZQ=="),
            ("68756e746572322d", "616e642d6d6f7265"),
            ("%68unter", "2-and-more"),
        ] {
            let mut lines = Lines::default();
            assert_eq!(lines.shown("h", one.to_owned(), &secrets), "********");
            assert_eq!(lines.shown("h", other.to_owned(), &secrets), "********");
        }
    }
}
