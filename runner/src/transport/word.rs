//! Random words: what a shell's requests begin with, what an answer's markers are made of, the name of a folder.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 128 random bits as 22 letters, digits, `-` and `_`. Shells read requests byte by byte, each with a
/// call of its own: in hexadecimal it would be ten more.
pub(super) fn random_word() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}
