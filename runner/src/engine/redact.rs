//! Blots out secrets in everything that leaves the engine.

use serde_json::Value;
use windlass_modules::Secret;

/// What stands where a secret stood.
const BLOT: &str = "********";

/// Shorter texts are not blotted out: they would turn up in ordinary words. A secret so short
/// belongs under `no_log`.
const SHORTEST: usize = 6;

/// The secrets of a run.
#[derive(Debug, Default, Clone)]
pub(crate) struct Redactor {
    secrets: Vec<Secret>,
}

impl Redactor {
    /// Blots out `secret` from now on, as it is and line by line.
    pub(crate) fn add(&mut self, secret: &Secret) {
        let whole = secret.expose().trim();
        for text in std::iter::once(whole).chain(whole.lines().map(str::trim)) {
            if text.len() >= SHORTEST && !self.secrets.iter().any(|known| known.expose() == text) {
                self.secrets.push(Secret::new(text));
            }
        }
        // Longest first: a secret that holds another is blotted out whole.
        self.secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    /// `text` without secrets.
    pub(crate) fn text(&self, text: &mut String) {
        for secret in &self.secrets {
            if text.contains(secret.expose()) {
                *text = text.replace(secret.expose(), BLOT);
            }
        }
    }

    /// All strings in `value`, keys among them, without secrets.
    pub(crate) fn value(&self, value: &mut Value) {
        if self.secrets.is_empty() {
            return;
        }
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(map) => {
                let holds = |key: &String| {
                    self.secrets
                        .iter()
                        .any(|secret| key.contains(secret.expose()))
                };
                if map.keys().any(holds) {
                    *map = std::mem::take(map)
                        .into_iter()
                        .map(|(mut key, value)| {
                            self.text(&mut key);
                            (key, value)
                        })
                        .collect();
                }
                map.values_mut().for_each(|item| self.value(item));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_from_keys_values_and_inside_words() {
        let mut redactor = Redactor::default();
        redactor.add(&Secret::new("abcdef.0123456789abcdef"));
        let mut value = json!({
            "cmd": ["kubeadm", "--token=abcdef.0123456789abcdef"],
            "abcdef.0123456789abcdef": {"n": 1, "s": "plain"},
        });
        redactor.value(&mut value);
        assert_eq!(
            value,
            json!({"cmd": ["kubeadm", "--token=********"], "********": {"n": 1, "s": "plain"}})
        );
    }

    #[test]
    fn a_secret_inside_another_does_not_leave_the_rest_of_it() {
        let mut redactor = Redactor::default();
        redactor.add(&Secret::new("secret"));
        redactor.add(&Secret::new("secret-and-more"));
        let mut text = "x secret-and-more y".to_owned();
        redactor.text(&mut text);
        assert_eq!(text, "x ******** y");
    }

    #[test]
    fn each_line_of_a_key_is_a_secret() {
        let mut redactor = Redactor::default();
        redactor.add(&Secret::new("line-one\nline-two\n"));
        let mut text = "… line-two …".to_owned();
        redactor.text(&mut text);
        assert_eq!(text, "… ******** …");
    }
}
