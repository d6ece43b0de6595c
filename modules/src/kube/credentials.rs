//! The forms of what lets a node into a cluster. Knows no host.

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
