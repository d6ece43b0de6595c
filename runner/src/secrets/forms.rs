//! A secret in the forms in which programs print it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use windlass_modules::Secret;

use super::decoding::{joined, unescaped};

/// Shorter texts are not redacted: they would turn up in ordinary words. A secret so short
/// belongs under `no_log`.
pub(super) const SHORTEST: usize = 6;

/// The bytes of a form, lines joined.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SecretForm {
    pub(super) bytes: Vec<u8>,
    /// In base64 the characters at both ends hold bits of the neighbours too, and are not in `bytes`.
    pub(super) base64: bool,
    /// So many bytes of a text it takes at least. A secret without its backslashes may be so short that it
    /// would turn up in ordinary words: only where they are there, too, it is meant.
    pub(super) least: usize,
}

impl SecretForm {
    fn of(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            base64: false,
            least: 0,
        }
    }
}

/// All forms of `secret`. Escapes of URLs, JSON and shells need none: [`super::decoding`] undoes them.
pub(super) fn forms(secret: &Secret) -> Vec<SecretForm> {
    let whole = secret.expose().trim();
    let mut forms = Vec::new();
    for text in std::iter::once(whole).chain(whole.lines().map(str::trim)) {
        plain(text, &mut forms);
    }
    if whole.len() >= SHORTEST {
        hexadecimal(whole, &mut forms);
        for alignment in 0..3 {
            base64(whole, alignment, &mut forms);
        }
    }
    forms.sort_by(|one, other| (&one.bytes, one.least).cmp(&(&other.bytes, other.least)));
    forms.dedup_by(|one, other| one.bytes == other.bytes);
    forms
}

/// As it is, and as quotes of shells and YAML have it.
fn plain(text: &str, forms: &mut Vec<SecretForm>) {
    if text.len() < SHORTEST {
        return;
    }
    if text.contains('\\') {
        let bytes = unescaped(text);
        let least = if bytes.len() < SHORTEST {
            text.trim_end_matches('\\').len()
        } else {
            0
        };
        if !bytes.is_empty() {
            forms.push(SecretForm {
                least,
                ..SecretForm::of(bytes)
            });
        }
    }
    let mut add = |text: &str| forms.push(SecretForm::of(joined(text)));
    add(text);
    if text.contains('\'') {
        for quote in [r"'\''", r#"'"'"'"#, "''"] {
            add(&text.replace('\'', quote));
        }
    }
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    let bytes = text.as_bytes();
    let blanks: Vec<usize> = (0..bytes.len()).filter(|at| blank(bytes[*at])).collect();
    if !blanks.is_empty() {
        // As forms of the web have it.
        add(&text.replace(' ', "+"));
    }
    // Where a line is wrapped at a blank, the blank is gone, and those after it.
    for at in blanks.into_iter().take(WRAPPED) {
        add(&format!(
            "{}{}",
            &text[..at],
            text[at..].trim_start_matches([' ', '\t'])
        ));
    }
}

/// At so many blanks of a passphrase a line may be wrapped.
const WRAPPED: usize = 12;

fn hexadecimal(text: &str, forms: &mut Vec<SecretForm>) {
    let digits = |upper: bool| {
        text.bytes().flat_map(move |byte| {
            let digits = if upper {
                b"0123456789ABCDEF"
            } else {
                b"0123456789abcdef"
            };
            [
                digits[usize::from(byte >> 4)],
                digits[usize::from(byte & 15)],
            ]
        })
    };
    for upper in [false, true] {
        forms.push(SecretForm::of(digits(upper).collect()));
    }
}

/// Within a longer text that is encoded as a whole, three bytes are four characters: a secret looks
/// different after 0, 1 and 2 bytes.
fn base64(text: &str, alignment: usize, forms: &mut Vec<SecretForm>) {
    let mut bytes = vec![0; alignment];
    bytes.extend(text.as_bytes());
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    let first = (alignment * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    let certain = &encoded[first..last.max(first)];
    if certain.len() < SHORTEST {
        return;
    }
    for text in [
        certain.to_owned(),
        certain.replace('+', "-").replace('/', "_"),
    ] {
        forms.push(SecretForm {
            base64: true,
            ..SecretForm::of(text.into_bytes())
        });
    }
}
