//! `certificate_info`: when the certificates of a node expire, and whose they are.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{Many, NodePath, NodePaths};
use crate::describe::{CheckMode, Return};
use crate::kit::{self, Records, quote};
use crate::kube::certificates::{self, Certificate};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Reads the certificates of a node, those in kubeconfigs too, and says when they expire. Changes nothing;
/// one round trip. Only certificates leave the node: private keys that are in the same files do not.
///
/// Whether one has expired is told by the node's clock. A file that holds no certificate that can be read is
/// a warning.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateInfoArgs {
    /// Files with certificates, kubeconfigs, and folders with such (not those in them). What is not there
    /// is left out. Default: where kubeadm and the kubelet keep theirs.
    pub paths: Option<NodePaths>,
    /// Addresses (`127.0.0.1:6443`) of which to find out what they serve at this moment, seen from the node.
    /// Needs `openssl` there.
    #[serde(default)]
    pub serve: Many,
    /// The folder that kubeadm's names are told from.
    pub kubernetes: Option<NodePath>,
}

const PLACES: &[&str] = &[
    "/etc/kubernetes",
    "/etc/kubernetes/pki",
    "/etc/kubernetes/pki/etcd",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/pki/kubelet-server-current.pem",
    "/var/lib/kubelet/pki/kubelet.crt",
];

impl Arguments for CertificateInfoArgs {
    const NAME: &'static str = "certificate_info";
    const NEEDS: &'static [&'static str] = &[
        "root (`become: true`) for files that only root may read",
        "openssl, for `serve` only",
    ];
    const RETURNS: &'static [Return] = &[
        Return::list(
            "certificates",
            "those found, each with `name` (kubeadm's for its own: `apiserver`, `etcd-server`, `admin.conf`; \
             otherwise the path), `path`, `subject`, `issuer`, `serial`, `ca` (whether it signs others), \
             `renewable` (whether `kubeadm certs renew` can renew it), `not_before` and `not_after` \
             (`2027-11-23T10:00:00Z`), `days` (full ones that are left; below 0 once it has expired), `expired`",
        ),
        Return::list(
            "served",
            "the same for each of `serve` that could be asked, with its address as `path`",
        ),
        Return::list(
            "unserved",
            "which of `serve` could not be asked (`path`), and `why`",
        ),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Read the certificates of the node\n  certificate_info:\n  register: info\n\n- name: Fail while one has less than a month\n  assert:\n    that: info.certificates | selectattr('days', 'lt', 30) | list == []\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let script = kit::script(&[kit::RECORDS], self.source());
        let records = Records::read(&context.host.run(script).await?)?;
        let now = records
            .number("now")
            .ok_or_else(|| Failure::new("the node does not say what time it is (`date +%s`)"))?;
        let home = self.kubernetes.as_deref().unwrap_or("/etc/kubernetes");
        let mut outcome = Outcome::ok();
        let (mut found, mut known) = (Vec::new(), HashSet::new());
        for group in records.groups("file") {
            let path = group.text("path").unwrap_or_default();
            match certificates::read(&group.text("pem").unwrap_or_default()) {
                // The kubelet's kubeconfig names a file that is looked at by itself, too.
                Ok(all) => {
                    for one in all {
                        let shown = describe(&one, home, &path, now);
                        if known.insert((path.clone(), one)) {
                            found.push(shown);
                        }
                    }
                }
                Err(why) => outcome.warnings.push(format!("{path}: {why}")),
            }
        }
        let (mut served, mut unserved) = (Vec::new(), Vec::new());
        for group in records.groups("server") {
            let address = group.text("path").unwrap_or_default();
            match certificates::read(&group.text("pem").unwrap_or_default()) {
                // The first is the server's own, the others are those that vouch for it.
                Ok(all) => served.extend(all.first().map(|one| describe(one, home, &address, now))),
                Err(why) => unserved.push(json!({
                    "path": address,
                    "why": group.text("why").unwrap_or_else(|| why.to_string()),
                })),
            }
        }
        Ok(outcome
            .with("certificates", found)
            .with("served", served)
            .with("unserved", unserved))
    }
}

impl CertificateInfoArgs {
    fn source(&self) -> String {
        let mut source = include_str!("certificate_info.sh").to_owned();
        let places: Vec<&str> = match &self.paths {
            Some(paths) => paths.iter().map(String::as_str).collect(),
            None => PLACES.to_vec(),
        };
        for (function, words) in [
            ("look", places),
            ("ask", self.serve.iter().map(String::as_str).collect()),
        ] {
            for word in words {
                source.push_str(&format!("{function} {}\n", quote(word)));
            }
        }
        source
    }
}

fn describe(certificate: &Certificate, home: &str, path: &str, now: i64) -> Value {
    let name = certificates::name(home, path);
    json!({
        "name": name,
        "path": path,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "ca": certificate.ca,
        "renewable": certificates::renewable(&name),
        "not_before": certificates::date(certificate.not_before),
        "not_after": certificates::date(certificate.not_after),
        "days": certificate.not_after.saturating_sub(now).div_euclid(24 * 60 * 60),
        "expired": certificate.not_after < now,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::{FakeController, REAL, run, shells};
    use crate::host::Host;
    use crate::kube::certificates::tests::{LEAF, LEAF_BASE64};

    #[tokio::test]
    async fn certificates_are_found_in_files_and_kubeconfigs_and_keys_stay() {
        for shell in shells() {
            let control = FakeController::new(shell.dir());
            let home = shell.at("k");
            std::fs::create_dir_all(shell.dir().join("k/pki/etcd")).unwrap();
            let key = "-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----\n";
            let write = |file: &str, text: String| std::fs::write(shell.at(file), text).unwrap();
            write("k/pki/apiserver.crt", LEAF.to_owned());
            write("k/pki/apiserver.key", key.to_owned());
            write("k/pki/etcd/server.crt", format!("{key}{LEAF}"));
            write("k/pki/broken.crt", "nonsense\n".to_owned());
            write(
                "k/admin.conf",
                format!(
                    "users:\n- user:\n    client-certificate-data: {LEAF_BASE64}\n    client-key-data: U0VDUkVU\n"
                ),
            );
            write(
                "k/kubelet.conf",
                format!(
                    "    client-certificate: {}\n",
                    shell.at("k/kubelet-client-current.pem")
                ),
            );
            write("k/kubelet-client-current.pem", format!("{LEAF}{key}"));
            let arguments = json!({
                "kubernetes": home,
                "paths": [home, shell.at("k/pki"), shell.at("k/pki/etcd"), shell.at("none")],
            });
            let outcome = run::<CertificateInfoArgs>(&shell, &control, REAL, arguments)
                .await
                .unwrap();
            assert!(!outcome.changed);
            let all = outcome.data["certificates"].as_array().unwrap();
            let names: Vec<&str> = all
                .iter()
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            assert_eq!(
                names,
                ["admin.conf", "kubelet-client", "apiserver", "etcd-server"],
                "{}",
                shell.name()
            );
            assert_eq!(all[0]["serial"], "0A:BC");
            assert_eq!(all[0]["renewable"], true);
            assert_eq!(all[1]["renewable"], false);
            assert_eq!(all[1]["path"], shell.at("k/kubelet-client-current.pem"));
            assert_eq!(outcome.warnings.len(), 1);
            assert!(outcome.warnings[0].contains("broken.crt"));
            let shown = serde_json::to_string(&outcome.data).unwrap();
            assert!(!shown.contains("SECRET") && !shown.contains("U0VDUkVU"));
            assert_eq!(shell.trips(), 1);
        }
    }

    #[tokio::test]
    async fn what_a_server_serves_is_asked_on_the_node() {
        for shell in shells() {
            let control = FakeController::new(shell.dir());
            std::fs::write(shell.at("served.pem"), LEAF).unwrap();
            let file = shell.at("served.pem");
            let shell = shell.tool(
                "openssl",
                &format!("case \"$*\" in *:1*) cat {file} ;; *) echo 'connect: refused' >&2; exit 1 ;; esac"),
            );
            let arguments = json!({"paths": [], "serve": ["127.0.0.1:1", "127.0.0.1:2"]});
            let outcome = run::<CertificateInfoArgs>(&shell, &control, REAL, arguments)
                .await
                .unwrap();
            let served = outcome.data["served"].as_array().unwrap();
            assert_eq!(served.len(), 1);
            assert_eq!(served[0]["path"], "127.0.0.1:1");
            assert_eq!(served[0]["serial"], "0A:BC");
            let unserved = &outcome.data["unserved"][0];
            assert_eq!(unserved["path"], "127.0.0.1:2");
            assert_eq!(unserved["why"], "connect: refused");
        }
    }

    #[tokio::test]
    async fn a_clock_that_says_anything_is_no_crash() {
        for now in [i64::MIN, i64::MAX] {
            let now = now.to_string();
            let answer = format!(
                "now {}\n{now}\nfile 1\n1\npath 2\n/a\npem {}\n{LEAF}\n",
                now.len(),
                LEAF.len()
            );
            let host = crate::fake::Fake::saying(&[&answer]);
            let outcome =
                run::<CertificateInfoArgs>(&host, &FakeController::new("."), REAL, json!({})).await;
            let outcome = outcome.unwrap();
            assert_eq!(
                outcome.data["certificates"][0]["expired"],
                now.starts_with('9')
            );
        }
    }

    /// In time that grows with its length: nothing can stop what works on it.
    #[tokio::test]
    async fn many_certificates_are_read_at_once_and_each_is_told_once() {
        let mut answer = "now 1\n1\n".to_owned();
        for number in (0..6_000).chain(0..6_000) {
            let path = format!("/{number}");
            answer.push_str(&format!(
                "file 1\n1\npath {}\n{path}\npem {}\n{LEAF}\n",
                path.len(),
                LEAF.len()
            ));
        }
        let host = crate::fake::Fake::saying(&[&answer]);
        let outcome =
            run::<CertificateInfoArgs>(&host, &FakeController::new("."), REAL, json!({})).await;
        let outcome = outcome.unwrap();
        let certificates = outcome.data["certificates"].as_array().unwrap();
        assert_eq!(certificates.len(), 6_000);
    }
}
