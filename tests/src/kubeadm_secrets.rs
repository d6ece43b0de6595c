//! Tells kubeadm's secrets from what looks like them.

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::lab::Lab;

/// Bytes of the nonce that kubeadm writes before what it encrypts.
const NONCE: usize = 12;
const KEY_DIGITS: usize = 64;

/// Words of a text that may be a bootstrap token of kubeadm's (`abcdef.0123456789abcdef`), or the key
/// that uploaded certificates are encrypted with (64 hexadecimal digits, as the name of a container
/// has them too). The hash of a CA, which is public, is written `sha256:…` and is not among them.
#[must_use]
pub fn suspects(text: &str) -> Vec<&str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || ".:".contains(character)))
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| may_be_token(word) || may_be_key(word))
        .collect()
}

fn may_be_token(word: &str) -> bool {
    let part = |word: &str, length: usize| {
        word.len() == length
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
    };
    word.split_once('.')
        .is_some_and(|(id, secret)| part(id, 6) && part(secret, 16))
}

fn may_be_key(word: &str) -> bool {
    word.len() == KEY_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a cluster was joined with.
pub struct KubeadmSecrets {
    /// Something that the certificate key encrypted: a word is that key when it opens this.
    sealed: Vec<u8>,
}

impl KubeadmSecrets {
    /// Asks a control plane of a cluster for the certificates that were uploaded last.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn of(lab: &Lab, control_plane: &str) -> Self {
        let words = "get secret kubeadm-certs -n kube-system -o jsonpath='{.data.ca\\.key}'";
        let text = lab.kubectl(control_plane, words).well();
        let sealed = STANDARD.decode(text.trim()).expect("data are in base64");
        assert!(sealed.len() > NONCE, "no certificates were uploaded");
        Self { sealed }
    }

    /// The secrets among the words of a text. What has the form of a token is taken for one: tokens
    /// that were removed are not known any more.
    #[must_use]
    pub fn within<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let mut words = suspects(text);
        words.retain(|word| may_be_token(word) || self.opens(word));
        words
    }

    /// Whether a word is the key: kubeadm encrypts with AES-256-GCM, and writes the nonce first.
    fn opens(&self, word: &str) -> bool {
        let key: Option<Vec<u8>> = (0..KEY_DIGITS)
            .step_by(2)
            .map(|at| u8::from_str_radix(word.get(at..at + 2)?, 16).ok())
            .collect();
        let (nonce, data) = self.sealed.split_at(NONCE);
        key.and_then(|key| Aes256Gcm::new_from_slice(&key).ok())
            .is_some_and(|cipher| cipher.decrypt(Nonce::from_slice(nonce), data).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "abcdef.0123456789abcdef";

    fn key() -> String {
        "0123456789abcdef".repeat(4)
    }

    #[test]
    fn tokens_and_keys_are_told_from_hashes_and_names() {
        let key = key();
        let text = format!(
            "join 10.0.0.1:6443 --token {TOKEN} --discovery-token-ca-cert-hash sha256:{key} \
             --certificate-key {key} abcdef.com kube-apiserver.16a5"
        );
        assert_eq!(suspects(&text), [TOKEN, key.as_str()]);
        assert_eq!(suspects(&format!("token: \"{TOKEN}\".")), [TOKEN]);
    }

    #[test]
    fn a_key_is_told_from_the_name_of_a_container() {
        let bytes: Vec<u8> = (0..32)
            .map(|at| [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef][at % 8])
            .collect();
        let cipher = Aes256Gcm::new_from_slice(&bytes).unwrap();
        let nonce = [7; NONCE];
        let data = cipher
            .encrypt(Nonce::from_slice(&nonce), b"a key of a CA".as_slice())
            .unwrap();
        let secrets = KubeadmSecrets {
            sealed: [nonce.as_slice(), &data].concat(),
        };
        let key = key();
        let container = "f".repeat(KEY_DIGITS);
        let text = format!("id: \"{container}\" --certificate-key {key} --token {TOKEN}");
        assert_eq!(secrets.within(&text), [key.as_str(), TOKEN]);
    }
}
