//! `kubeadm_token`: what another node needs to join, freshly made.

use std::collections::HashSet;
use std::fmt::Write as _;

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{Flag, NodePath, Text};
use crate::describe::{CheckMode, Return};
use crate::kit::{self, Records, quote};
use crate::kube::defaults::admin;
use crate::kube::forms;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};
use crate::secret::Secret;

/// Creates a bootstrap token on a control plane, and with `certificate_key: true` uploads the certificates
/// that other control planes need, encrypted with a fresh key.
///
/// Tokens and uploaded certificates expire, so they are made when nodes join, not when the cluster is
/// initialised. Each run makes new ones and is `changed`: run it only when some node is to join.
///
/// Token and key are shown in no output. They stay in the registered result, from where later plays
/// take them: `hostvars[groups['control_plane'][0]].join_data.join.token`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeadmTokenArgs {
    /// How long the token lives: `2h0m0s`, `30m`.
    #[serde(default = "two_hours")]
    pub ttl: Text,
    /// What the token is for; shown by `kubeadm token list`.
    #[serde(default = "description")]
    pub description: Text,
    /// Whether to upload the certificates as well, for control planes to come. They live two hours.
    #[serde(default = "Flag::no")]
    pub certificate_key: Flag,
    /// The kubeconfig to use, a path on the node.
    #[serde(default = "admin")]
    pub kubeconfig: NodePath,
}

fn two_hours() -> Text {
    Text::from("2h0m0s")
}

fn description() -> Text {
    Text::from("joins nodes, made by windlass")
}

const CREATE: &str = r#"
w_need kubeadm 'to create tokens'
w_need kubectl 'to read the configuration of the cluster'
w_need mktemp 'to keep kubeadm'\''s configuration'
[ -r "$kubeconfig" ] || w_fail "$kubeconfig cannot be read" \
  'run the task on a control plane of a cluster that is up, as root (`become: true`)'
version=$(kubeadm version -o short)
w_put version "$version"
w_dir=$(umask 077 && mktemp -d) || exit 70
trap 'rm -rf "$w_dir"' EXIT
trap 'exit 143' HUP INT TERM
command=$(kubeadm token create --kubeconfig "$kubeconfig" --ttl "$ttl" \
  --description "$description" --print-join-command 2>"$w_dir/error") ||
  w_fail "kubeadm could not create a token: $(tail -n 3 "$w_dir/error")" \
    'does the API server answer? see `kubectl get nodes` on the node'
w_put command "$command"
[ "$upload" ] || exit 0
case $version in
  v1.13.*) w_fail "kubeadm $version cannot upload certificates" \
    'copy them: `certificate_distribution: copy` in the shipped playbooks' ;;
  v1.14.*) flag=--experimental-upload-certs ;;
  *) flag=--upload-certs ;;
esac
# The cluster's own configuration: without it the certificates of an external etcd would be left out,
# and kubeadm would ask the internet for a version.
kubectl --kubeconfig "$kubeconfig" -n kube-system get configmap kubeadm-config \
  -o 'jsonpath={.data.ClusterConfiguration}' >"$w_dir/cluster.yaml" 2>"$w_dir/error" ||
  w_fail "the configuration of the cluster could not be read: $(tail -n 3 "$w_dir/error")"
output=$(kubeadm init phase upload-certs "$flag" --config "$w_dir/cluster.yaml" 2>"$w_dir/error") ||
  w_fail "kubeadm could not upload the certificates: $(tail -n 3 "$w_dir/error")"
w_put key "$(printf '%s\n' "$output" | tail -n 1)"
"#;

impl Arguments for KubeadmTokenArgs {
    const NAME: &'static str = "kubeadm_token";
    const NEEDS: &'static [&'static str] =
        &["kubeadm", "kubectl", "mktemp", "root (`become: true`)"];
    const RETURNS: &'static [Return] = &[
        Return::map(
            "join",
            "`endpoint` (`host:port`), `token`, `ca_cert_hashes` (a list of `sha256:…`) and \
             `certificate_key` (empty unless asked for)",
        ),
        Return::text("join_command", "the command that joins a worker"),
        Return::text("msg", "what would be done, in check mode"),
    ];
    const CHECK_MODE: CheckMode =
        CheckMode::Does("Nothing is created, and placeholders are returned.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Create a token, and share the certificates with control planes to come\n  kubeadm_token:\n    ttl: 30m\n    certificate_key: true\n  become: true\n  register: created\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        if context.check {
            return Ok(placeholder(*self.certificate_key));
        }
        let mut source = String::new();
        for (name, value) in [
            ("kubeconfig", &*self.kubeconfig),
            ("ttl", &self.ttl),
            ("description", &self.description),
            ("upload", if *self.certificate_key { "1" } else { "" }),
        ] {
            let _ = writeln!(source, "{name}={}", quote(value));
        }
        source.push_str(CREATE);
        let reply = context
            .host
            .run(kit::script(&[kit::RECORDS], source))
            .await?;
        let records = Records::read(&reply)?;
        let command = records.text("command").unwrap_or_default();
        let join = Join::read(&command).ok_or_else(|| {
            let version = records.text("version").unwrap_or_default();
            // What it printed may hold a token.
            Failure::new(format!(
                "`kubeadm token create --print-join-command` ({version}) printed no join command"
            ))
        })?;
        join.check()
            .map_err(|failure| failure.hint("is `kubeadm` on this host kubeadm's own program?"))?;
        let key = records.text("key").map(|key| key.trim().to_owned());
        if key
            .as_ref()
            .is_some_and(|key| !forms::is_certificate_key(key))
        {
            return Err(Failure::new(
                "`kubeadm init phase upload-certs` printed no certificate key on its last line",
            ));
        }
        let mut outcome = Outcome::changed(true)
            .with(
                "join",
                json!({
                    "endpoint": join.endpoint,
                    "token": join.token,
                    "ca_cert_hashes": join.ca_cert_hashes,
                    "certificate_key": key.clone().unwrap_or_default(),
                }),
            )
            .with("join_command", join.command());
        outcome.secrets.push(Secret::new(join.token));
        outcome.secrets.extend(key.map(Secret::new));
        for secret in &outcome.secrets {
            context.control.hide(secret);
        }
        Ok(outcome)
    }
}

fn placeholder(with_key: bool) -> Outcome {
    let key: Value = if with_key {
        "created-when-run-for-real".into()
    } else {
        "".into()
    };
    Outcome::changed(true)
        .with(
            "join",
            json!({
                "endpoint": "created-when-run-for-real:6443",
                "token": "created-when-run-for-real",
                "ca_cert_hashes": [],
                "certificate_key": key,
            }),
        )
        .with("join_command", "")
        .message("would create a bootstrap token")
}

/// A join command taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Join {
    endpoint: String,
    token: String,
    ca_cert_hashes: Vec<String>,
}

impl Join {
    /// Reads `kubeadm join E --token T --discovery-token-ca-cert-hash H …`, on one line or, as before
    /// 1.15, on several that end with a backslash. Warnings before it are passed over.
    fn read(text: &str) -> Option<Self> {
        let joined = Regex::new(r"\\\r?\n[ \t]*")
            .expect("a constant pattern that compiles")
            .replace_all(text, " ");
        let command = joined
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("kubeadm join "))?;
        let mut words = command.split_whitespace().skip(2);
        let endpoint = words.next()?.to_owned();
        let (mut token, mut ca_cert_hashes) = (None, Vec::<String>::new());
        let mut known = HashSet::new();
        while let Some(word) = words.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, value),
                None => (word, words.next()?),
            };
            match flag {
                "--token" => token = Some(value.to_owned()),
                "--discovery-token-ca-cert-hash" if known.insert(value) => {
                    ca_cert_hashes.push(value.to_owned());
                }
                _ => {}
            }
        }
        Some(Self {
            endpoint,
            token: token.filter(|token| !token.starts_with('<'))?,
            ca_cert_hashes,
        })
    }

    /// Whether its parts are such: all nodes that join are told them. And a node could call any word a token,
    /// and have it redacted in what other hosts say.
    fn check(&self) -> Result<(), Failure> {
        if !forms::is_token(&self.token) {
            return Err(Failure::new(
                "what `kubeadm token create --print-join-command` printed as the token is none: a token is 6 \
                 and 16 small letters and digits with a point between",
            ));
        }
        if !forms::is_endpoint(&self.endpoint) {
            return Err(forms::refused(
                "the endpoint of `kubeadm token create`",
                &self.endpoint,
            ));
        }
        let mut hashes = self.ca_cert_hashes.iter();
        match hashes.find(|hash| !forms::is_certificate_hash(hash)) {
            Some(hash) => Err(forms::refused("a hash of `kubeadm token create`", hash)),
            None => Ok(()),
        }
    }

    fn command(&self) -> String {
        let mut command = format!("kubeadm join {} --token {}", self.endpoint, self.token);
        for hash in &self.ca_cert_hashes {
            let _ = write!(command, " --discovery-token-ca-cert-hash {hash}");
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, FakeController, REAL, shells};

    const TOKEN: &str = "abcdef.0123456789abcdef";
    const HASH: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn join() -> Join {
        Join {
            endpoint: "10.0.0.10:6443".to_owned(),
            token: TOKEN.to_owned(),
            ca_cert_hashes: vec![HASH.to_owned()],
        }
    }

    #[test]
    fn a_join_command_is_read_in_every_shape_that_kubeadm_gave_it() {
        for text in [
            format!(
                "kubeadm join 10.0.0.10:6443 --token {TOKEN}     --discovery-token-ca-cert-hash {HASH} \n"
            ),
            format!(
                "W1 warning\nkubeadm join 10.0.0.10:6443 --token {TOKEN} \\\n    --discovery-token-ca-cert-hash {HASH}\n"
            ),
            format!(
                "  kubeadm join 10.0.0.10:6443 --token {TOKEN} \\\n\t--discovery-token-ca-cert-hash {HASH} --discovery-token-ca-cert-hash {HASH} \\\n\t--control-plane\n"
            )
            .replace("--control-plane", "--v=1"),
        ] {
            assert_eq!(Join::read(&text), Some(join()), "{text}");
        }
        assert_eq!(
            Join::read("kubeadm join 10.0.0.10:6443 --token <value withheld> "),
            None
        );
        assert_eq!(Join::read("nothing of the sort"), None);
    }

    #[tokio::test]
    async fn token_and_key_come_back_as_secrets_and_appear_on_no_command_line() {
        let key = "0123456789abcdef".repeat(4);
        for shell in shells() {
            let log = shell.at("log");
            let kubeconfig = shell.at("admin.conf");
            std::fs::write(&kubeconfig, "").unwrap();
            let shell = shell
                .tool(
                    "kubeadm",
                    &format!(
                        r#"echo "$*" >>{log}
                        case $1 in
                          version) echo v1.20.2 ;;
                          token) echo "W a warning" >&2; echo "kubeadm join 10.0.0.10:6443 --token {TOKEN}     --discovery-token-ca-cert-hash {HASH} " ;;
                          init) while [ "$1" != --config ]; do shift; done; cat "$2" >>{log}; echo '[upload-certs] Storing'; echo '[upload-certs] Using certificate key:'; echo {key} ;;
                        esac"#
                    ),
                )
                .tool(
                    "kubectl",
                    &format!(r#"echo "$*" >>{log}; echo "kubernetesVersion: v1.20.2""#),
                );
            let control = FakeController::new(shell.dir());
            let outcome = fake::run::<KubeadmTokenArgs>(
                &shell,
                &control,
                REAL,
                json!({"certificate_key": true, "kubeconfig": kubeconfig, "ttl": "1h"}),
            )
            .await
            .unwrap();
            assert!(outcome.changed);
            assert_eq!(
                outcome.data["join"],
                json!({"endpoint": "10.0.0.10:6443", "token": TOKEN, "ca_cert_hashes": [HASH], "certificate_key": key})
            );
            assert_eq!(outcome.secrets, control.hidden());
            assert_eq!(outcome.secrets.len(), 2);
            let log = std::fs::read_to_string(log).unwrap();
            assert!(log.contains("--ttl 1h"), "{log}");
            assert!(log.contains("init phase upload-certs --upload-certs --config"));
            assert!(log.contains("kubernetesVersion: v1.20.2"));
            assert!(!log.contains(TOKEN) && !log.contains(&key), "{log}");
            assert_eq!(shell.trips(), 1);
        }
    }

    /// How it fails where kubeadm is this program, and what was hidden by then.
    async fn refused(kubeadm: &str) -> (Failure, Vec<Secret>) {
        let shell = shells().remove(0);
        let kubeconfig = shell.at("admin.conf");
        std::fs::write(&kubeconfig, "").unwrap();
        let shell = shell
            .tool("kubeadm", kubeadm)
            .tool("kubectl", "echo 'kubernetesVersion: v1.20.2'");
        let control = FakeController::new(shell.dir());
        let arguments = json!({"kubeconfig": kubeconfig, "certificate_key": true});
        let result = fake::run::<KubeadmTokenArgs>(&shell, &control, REAL, arguments).await;
        (result.unwrap_err(), control.hidden())
    }

    /// The node of an attacker calls a word of other hosts' results a token.
    #[tokio::test]
    async fn what_has_not_a_tokens_form_is_an_error_and_no_secret() {
        for token in [
            "changed",
            "ok",
            "abcdef.0123456789ABCDEF",
            "abcdef0123456789abcdef",
            "$(id).0123456789abcdef",
        ] {
            let line = format!("echo 'kubeadm join 10.0.0.10:6443 --token {token} '");
            let (failure, hidden) = refused(&line).await;
            let message = &failure.message;
            assert!(
                message.contains("is none: a token is 6 and 16"),
                "{message}"
            );
            assert!(failure.secrets.is_empty() && hidden.is_empty());
        }
    }

    /// So may a key be.
    #[tokio::test]
    async fn what_has_not_a_keys_form_is_an_error_and_no_secret() {
        let digits = "0123456789abcdef".repeat(4);
        let (short, words) = (&digits[1..], format!("{digits} changed"));
        for key in ["changed", "", short, &words] {
            let source = format!(
                "case $1 in version) echo v1.20.2 ;; init) echo '{key}' ;; \
                 token) echo 'kubeadm join 10.0.0.10:6443 --token {TOKEN} --discovery-token-ca-cert-hash {HASH}' ;; esac"
            );
            let (failure, hidden) = refused(&source).await;
            let message = &failure.message;
            assert!(message.contains("no certificate key"), "{message}");
            assert!(failure.secrets.is_empty() && hidden.is_empty());
        }
    }

    /// They are told to all nodes that join, and a hook may put `join_command` into a shell.
    #[tokio::test]
    async fn an_endpoint_or_a_hash_that_is_none_is_an_error() {
        for (endpoint, hash, wrong) in [
            ("$(reboot):6443", HASH, "endpoint"),
            ("10.0.0.10", HASH, "endpoint"),
            ("10.0.0.10:6443;id", HASH, "endpoint"),
            ("10.0.0.10:6443", "sha256:$(reboot)", "hash"),
            ("10.0.0.10:6443", "md5:aa", "hash"),
        ] {
            let line = format!(
                "echo 'kubeadm join {endpoint} --token {TOKEN} --discovery-token-ca-cert-hash {hash}'"
            );
            let (failure, hidden) = refused(&line).await;
            assert!(failure.message.contains(wrong), "{}", failure.message);
            assert!(failure.hint.unwrap_or_default().contains("kubeadm's own"));
            assert!(hidden.is_empty());
        }
    }

    #[tokio::test]
    async fn an_api_that_does_not_answer_is_said_and_no_token_with_it() {
        let source = "[ $1 = version ] && echo v1.20.2 && exit; echo 'timed out' >&2; exit 1";
        let (failure, _) = refused(source).await;
        assert_eq!(
            failure.message,
            "kubeadm could not create a token: timed out"
        );
    }

    /// In time that grows with its length: nothing can stop what works on it.
    #[test]
    fn many_hashes_are_read_at_once_and_each_counts_once() {
        let mut text = "kubeadm join e:1 --token t".to_owned();
        for number in (0..60_000).chain(0..60_000) {
            text.push_str(&format!(" --discovery-token-ca-cert-hash {number}"));
        }
        let join = Join::read(&text).unwrap();
        assert_eq!(join.ca_cert_hashes.len(), 60_000);
        assert_eq!(join.ca_cert_hashes[59_999], "59999");
    }
}
