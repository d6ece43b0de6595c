//! The forms of what a node says and what is then given to other nodes: names, addresses, hashes, tokens and keys.
//! Who owns the node chooses the words; without these forms it would choose flags and lines as well. Knows no host.

use crate::outcome::Failure;

/// Whether `text` can be the name of a Node: a DNS subdomain of RFC 1123, as kubeadm asks for.
pub fn is_node_name(text: &str) -> bool {
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        ends.iter()
            .all(|end| end.is_some_and(|byte| alphanumeric(*byte)))
            && bytes
                .iter()
                .all(|byte| alphanumeric(*byte) || *byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// Whether `text` can be the name of a member of etcd: no blank, and nothing that has a meaning in a list of
/// members or on a command line.
pub fn is_member_name(text: &str) -> bool {
    text.len() <= 253
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Whether `text` is `host:port`; the host may be an address of IPv6 in brackets.
pub fn is_endpoint(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let six = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let host = match six {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_node_name(&host.to_ascii_lowercase()),
    };
    host && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Whether `text` is one URL of a member of etcd, or several with commas between: `https://host:port`.
pub fn is_member_url(text: &str) -> bool {
    text.split(',').all(|url| {
        ["https://", "http://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme))
            .is_some_and(is_endpoint)
    })
}

/// Whether `text` is the hash of a certificate as kubeadm writes it: `sha256:` and 64 hexadecimal digits.
pub fn is_certificate_hash(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Whether `text` is a bootstrap token: `abcdef.0123456789abcdef`, as in Kubernetes'
/// "Authenticating with Bootstrap Tokens".
pub fn is_token(text: &str) -> bool {
    let small = |part: &str, length| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.split_once('.')
        .is_some_and(|(id, secret)| small(id, 6) && small(secret, 16))
}

/// Whether `text` is the key of uploaded certificates: 32 bytes in hexadecimal digits.
pub fn is_certificate_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A failure that says what the node gave for `what`, as much of it as a person needs to see.
pub fn refused(what: &str, text: &str) -> Failure {
    let shown: String = text.chars().take(60).collect();
    let dots = if shown.len() < text.len() { "…" } else { "" };
    Failure::new(format!("{what} cannot be `{shown}{dots}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_nodes_are_those_that_kubernetes_takes() {
        for name in ["w1", "ip-10-0-0-1.eu.example.com", "1", "a-b"] {
            assert!(is_node_name(name), "{name}");
        }
        let long = "a".repeat(254);
        for name in [
            "",
            "--all",
            "-l",
            "W1",
            "a b",
            "a\nb",
            "a,b=https://x",
            "a_b",
            "a.",
            ".a",
            "a..b",
            "a/b",
            "$(id)",
            "é",
            &long,
        ] {
            assert!(!is_node_name(name), "{name}");
        }
    }

    #[test]
    fn members_of_etcd_have_names_and_urls_and_nothing_else() {
        assert!(is_member_name("Etcd_1.example"));
        for name in ["", "-a", "a,b", "a=b", "a b", "a\n"] {
            assert!(!is_member_name(name), "{name}");
        }
        for url in [
            "https://10.0.0.1:2380",
            "https://[fd00::1]:2380",
            "http://etcd-1.Example:2380",
            "https://10.0.0.1:2380,https://10.0.0.2:2380",
        ] {
            assert!(is_member_url(url), "{url}");
        }
        for url in [
            "",
            "10.0.0.1:2380",
            "https://10.0.0.1:2380,evil=https://10.6.6.6:2380",
            "https://10.0.0.1:2380/x",
            "https://10.0.0.1",
            "https://10.0.0.1:0",
            "https://10.0.0.1:99999",
            "https://10.0.0.1:+80",
            "https://[$(id)]:2380",
            "https://a b:2380",
            "unix:///etc/x:1",
        ] {
            assert!(!is_member_url(url), "{url}");
        }
    }

    #[test]
    fn hashes_of_certificates_are_told_from_others() {
        let digits = "0123456789abcdef".repeat(4);
        assert!(is_certificate_hash(&format!("sha256:{digits}")));
        for hash in [&digits, "sha256:", "sha256:zz", "sha256:aa --config /etc"] {
            assert!(!is_certificate_hash(hash), "{hash}");
        }
    }
}
