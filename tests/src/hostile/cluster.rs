//! What a node says that has a cluster: the test's machine has none.

use serde_json::json;

use super::modes::{Mode, Records, Way};
use super::records::{self, Record};

/// What `kubeadm token create --print-join-command` prints.
pub(super) const JOIN: &str = "kubeadm join 127.0.0.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// The same with a word of everybody's as the token.
pub(super) const COMMON: &str = "kubeadm join 127.0.0.1:6443 --token changed --discovery-token-ca-cert-hash sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// The key of uploaded certificates.
pub(super) const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIBATAKBggqhkjOPQQDAjAA\n-----END CERTIFICATE-----";
const MEMBER: &str =
    "8e9e05c52164694d, started, one, https://127.0.0.1:2380, https://127.0.0.1:2379, false";
const HEALTH: &str =
    "https://127.0.0.1:2379 is healthy: successfully committed proposal: took = 1ms";

/// What a script of `module` would have answered where it has ended because there is no cluster. It has
/// succeeded then.
pub(super) fn instead(module: &str, body: &[u8]) -> Option<Vec<u8>> {
    let records = records::read(body)?;
    let has = |key: &str| records.iter().any(|record| record.key == key);
    let said: &[(&str, &str)] = match module {
        "etcd_member" if has("error") => &[("list", MEMBER), ("health", HEALTH), ("in_use", "1")],
        "kubeadm_token" if has("error") => {
            &[("version", "v1.31.2"), ("command", JOIN), ("key", KEY)]
        }
        "certificate_info" if !has("pem") => &[
            ("now", "1700000000"),
            ("file", "1"),
            ("path", "/etc/kubernetes/pki/ca.crt"),
            ("pem", PEM),
        ],
        _ => return None,
    };
    let said: Vec<Record> = said
        .iter()
        .map(|(key, value)| Record::new(key, *value))
        .collect();
    Some(records::write(&said))
}

/// The value of a record with words in a place of it that is read and passed on.
pub(super) fn worded(key: &str, value: &[u8], words: &[u8]) -> Option<Vec<u8>> {
    let (before, place) = match key {
        "list" => ("started, ", "one"),
        "command" => ("kubeadm join ", "127.0.0.1:6443"),
        _ => return None,
    };
    let at = memchr::memmem::find(value, [before, place].concat().as_bytes())? + before.len();
    Some([&value[..at], words, &value[at + place.len()..]].concat())
}

/// A kubeconfig. It names a program to run, where the mode is about what nobody asked for.
pub(super) fn kubeconfig(mode: &Mode, words: &[u8]) -> Vec<u8> {
    let words = String::from_utf8_lossy(words);
    let user = match mode.way {
        Way::Records(Records::Foreign) => json!({"exec": {"command": words, "apiVersion": "v1"}}),
        _ => json!({"client-certificate-data": "eA==", "client-key-data": "eA=="}),
    };
    let cluster =
        json!({"server": format!("https://{words}"), "certificate-authority-data": "eA=="});
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": words, "preferences": {},
        "clusters": [{"name": words, "cluster": cluster}],
        "contexts": [{"name": words, "context": {"cluster": words, "user": words}}],
        "users": [{"name": words, "user": user}],
    })
    .to_string()
    .into_bytes()
}
