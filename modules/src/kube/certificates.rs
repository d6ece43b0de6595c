//! X.509 certificates as far as an administrator asks: whose, by whom, from when, until when. Pure. Knows
//! the names that kubeadm has for its own.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use thiserror::Error;
use x509_cert::ext::pkix::BasicConstraints;

/// What is asked of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Certificate {
    /// Whose it is, as RFC 4514 writes it: `CN=kube-apiserver`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The number that its issuer gave it: `0A:BC`.
    pub serial: String,
    /// Whether it signs others.
    pub ca: bool,
    /// From when it counts, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

/// Why a text gives no certificates.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// There is none in it.
    #[error("there is no certificate in it")]
    None,
    /// What stands between the marks is none.
    #[error("it holds something other than a certificate: {0}")]
    Broken(String),
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates in a text: PEM, or PEM that was written in Base64 once more, as in kubeconfigs. What stands before,
/// between and after them does not count.
pub fn read(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    if !text.contains(BEGIN) && !text.trim().is_empty() {
        let inner = STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|inner| inner.contains(BEGIN))
            .ok_or(CertificateError::None)?;
        return read(&inner);
    }
    // The loader takes anything behind the last one for one more that is cut off.
    let last = text.rfind(END).map_or(text.len(), |at| at + END.len());
    let all = x509_cert::Certificate::load_pem_chain(&text.as_bytes()[..last]).map_err(broken)?;
    if all.is_empty() {
        return Err(CertificateError::None);
    }
    all.iter().map(described).collect()
}

fn broken(error: x509_cert::der::Error) -> CertificateError {
    CertificateError::Broken(error.to_string())
}

fn described(certificate: &x509_cert::Certificate) -> Result<Certificate, CertificateError> {
    let signed = certificate.tbs_certificate();
    let ca = signed
        .get_extension::<BasicConstraints>()
        .map_err(broken)?
        .is_some_and(|(_, constraints)| constraints.ca);
    let seconds = |time: &x509_cert::time::Time| {
        i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
    };
    Ok(Certificate {
        subject: signed.subject().to_string(),
        issuer: signed.issuer().to_string(),
        serial: signed.serial_number().to_string(),
        ca,
        not_before: seconds(&signed.validity().not_before),
        not_after: seconds(&signed.validity().not_after),
    })
}

/// A moment as kubeadm's table and everyone's logs can be compared with: `2027-11-23T10:00:00Z`.
pub fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

/// What `kubeadm certs renew` can renew, by its names. `super-admin.conf` came in 1.29.
const RENEWABLE: &[&str] = &[
    "admin.conf",
    "apiserver",
    "apiserver-etcd-client",
    "apiserver-kubelet-client",
    "controller-manager.conf",
    "etcd-healthcheck-client",
    "etcd-peer",
    "etcd-server",
    "front-proxy-client",
    "scheduler.conf",
    "super-admin.conf",
];

/// Whether `kubeadm certs renew` can renew what has this [`name`].
pub fn renewable(name: &str) -> bool {
    RENEWABLE.contains(&name)
}

/// kubeadm's name for what is at `path`, with its files in `home`; the kubelet's, which kubeadm has no name
/// for; otherwise the path.
pub fn name(home: &str, path: &str) -> String {
    let file = Path::new(path).file_name().and_then(|name| name.to_str());
    if let Some(kubelet @ ("kubelet-client-current.pem" | "kubelet-server-current.pem")) = file {
        return kubelet.trim_end_matches("-current.pem").to_owned();
    }
    if file == Some("kubelet.crt") {
        // What it serves with, signed by itself, where nobody has given it another.
        return "kubelet".to_owned();
    }
    let Some(inside) = path
        .strip_prefix(home)
        .and_then(|rest| rest.strip_prefix('/'))
    else {
        return path.to_owned();
    };
    let bare = inside.strip_prefix("pki/").unwrap_or(inside);
    bare.strip_suffix(".crt").unwrap_or(bare).replace('/', "-")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Made with `openssl ca -selfsign -startdate 20200101000000Z -enddate 20300101000000Z`, the serial
    /// number 0ABC and an Ed25519 key that was thrown away.
    pub const LEAF: &str = include_str!("certificate_test.pem");
    pub const LEAF_BASE64: &str = include_str!("certificate_test.b64");

    #[test]
    fn a_certificate_says_whose_it_is_and_until_when() {
        for text in [LEAF, LEAF_BASE64] {
            let all = read(text).unwrap();
            assert_eq!(all.len(), 1);
            let one = &all[0];
            assert_eq!(one.subject, "CN=test,O=system:masters");
            assert_eq!(one.issuer, one.subject);
            assert_eq!(one.serial, "0A:BC");
            assert!(!one.ca);
            assert_eq!(date(one.not_before), "2020-01-01T00:00:00Z");
            assert_eq!(date(one.not_after), "2030-01-01T00:00:00Z");
        }
        let two = format!("before\n{LEAF}text\n{LEAF}after\n");
        assert_eq!(read(&two).unwrap().len(), 2);
        assert_eq!(read(&LEAF.replace('\n', "\r\n")).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        assert_eq!(read(""), Err(CertificateError::None));
        assert_eq!(read("nonsense"), Err(CertificateError::None));
        let wrong = LEAF.replacen("MI", "MA", 1);
        let (cut, _) = LEAF.split_once(END).unwrap();
        let key = "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n";
        for text in [&*wrong, cut, key, &format!("{LEAF}{wrong}")] {
            assert!(
                matches!(read(text), Err(CertificateError::Broken(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn kubeadms_names_follow_from_the_paths() {
        for (path, expected, can) in [
            ("/k/pki/apiserver.crt", "apiserver", true),
            ("/k/pki/etcd/server.crt", "etcd-server", true),
            (
                "/k/pki/etcd/healthcheck-client.crt",
                "etcd-healthcheck-client",
                true,
            ),
            ("/k/pki/ca.crt", "ca", false),
            ("/k/pki/etcd/ca.crt", "etcd-ca", false),
            ("/k/super-admin.conf", "super-admin.conf", true),
            ("/k/kubelet.conf", "kubelet.conf", false),
            ("/v/kubelet-client-current.pem", "kubelet-client", false),
            ("/v/kubelet.crt", "kubelet", false),
            ("/etc/ssl/own.crt", "/etc/ssl/own.crt", false),
        ] {
            let name = name("/k", path);
            assert_eq!(name, expected);
            assert_eq!(renewable(&name), can, "{name}");
        }
    }
}
