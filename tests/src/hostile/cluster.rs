//! What a node says that has a cluster: the test's machine has none.

use serde_json::json;

use super::modes::{Mode, Records, Way};
use super::records::Record;

/// The answer of a module that depends on one.
pub(super) fn plausible(module: &str, records: Vec<Record>) -> Vec<Record> {
    let has = |key: &str| records.iter().any(|record| record.key == key);
    let pem = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIBATAKBggqhkjOPQQDAjAA\n-----END CERTIFICATE-----";
    let said: &[(&str, &str)] = match module {
        "etcd_member" if has("error") => &[
            (
                "list",
                "8e9e05c52164694d, started, one, https://127.0.0.1:2380, https://127.0.0.1:2379, false",
            ),
            (
                "health",
                "https://127.0.0.1:2379 is healthy: successfully committed proposal: took = 1ms",
            ),
            ("in_use", "1"),
        ],
        "kubeadm_token" if has("error") => &[
            ("version", "v1.31.2"),
            (
                "command",
                "kubeadm join 127.0.0.1:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ),
        ],
        "certificate_info" if !has("pem") => &[
            ("now", "1700000000"),
            ("file", "1"),
            ("path", "/etc/kubernetes/pki/ca.crt"),
            ("pem", pem),
        ],
        _ => return records,
    };
    said.iter()
        .map(|(key, value)| Record::new(key, *value))
        .collect()
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
