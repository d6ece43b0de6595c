//! `kubeadm_join`: takes a node into a cluster.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::{Flag, List, Number, SecretText, Text};
use crate::describe::{CheckMode, Invalid, Return};
use crate::kube::defaults::{one_minute, ten_minutes};
use crate::kube::documents::{self, Discovery};
use crate::kube::forms;
use crate::kube::kubeadm::{self, CONFIG, KubeadmCommand};
use crate::kube::kubeadm_init::unreadable;
use crate::kube::membership::{self, Act, Membership};
use crate::kube::probe::{Probed, Question};
use crate::kube::signs::Role;
use crate::kube::validation;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};
use crate::secret::Secret;

/// Joins a node to a cluster with `kubeadm join`, unless that is done already.
///
/// What is there decides, as with `kubeadm_init`: an *absent* node joins; a *joined* one is left alone;
/// a *half* joined one makes the task fail with what was found and what is missing, and is only reset
/// and joined again with `repair: true`. What an earlier try left in the cluster (a Node that is still
/// Ready, an etcd member) must be gone by then: `etcd_member`, `kubectl delete node`.
///
/// Control planes with stacked etcd must join one after another (`serial: 1` or `throttle: 1`):
/// together they race for etcd membership. Workers may join together.
///
/// The token and the certificate key go to the node over standard input, into a file in memory that
/// only root can read and that is gone when kubeadm ends; `ps` never shows them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeadmJoinArgs {
    /// `host:port` of the cluster's API, as `kubeadm_token` returns it.
    pub endpoint: Text,
    /// A bootstrap token, as `kubeadm_token` returns it.
    pub token: SecretText,
    /// Hashes of the cluster's CA certificate, `sha256:…`, as `kubeadm_token` returns them.
    pub ca_cert_hashes: List,
    /// Joins as a control plane, and not as a worker.
    #[serde(default = "Flag::no")]
    pub control_plane: Flag,
    /// The key of the uploaded certificates, for a control plane whose certificates were not copied.
    pub certificate_key: Option<SecretText>,
    /// A `JoinConfiguration` (YAML) with everything but the discovery, and with the documents that go
    /// with it; the module puts endpoint, token, hashes and key into it. Without one kubeadm's own
    /// defaults hold.
    #[serde(default)]
    pub content: Text,
    /// The name of the Node, if it is not the host name.
    pub node_name: Option<Text>,
    /// Phases to leave out (kubeadm 1.22 and later).
    #[serde(default)]
    pub skip_phases: List,
    /// Checks whose failure is a warning only, as kubeadm names them, or `all`.
    #[serde(default)]
    pub ignore_preflight_errors: List,
    /// Whether etcd runs elsewhere, so that a control plane has none.
    #[serde(default = "Flag::no")]
    pub external_etcd: Flag,
    /// Resets a half joined node first.
    #[serde(default = "Flag::no")]
    pub repair: Flag,
    /// The socket of the container runtime, for the reset on a node with more than one.
    pub cri_socket: Option<Text>,
    /// Only has kubeadm look through the configuration (`kubeadm config validate`, which older ones have not), whatever the node
    /// is, and in check mode too: what kubeadm refuses is a failure, and what it warns of is a warning. Token and
    /// hashes may then be any of the right form.
    #[serde(default = "Flag::no")]
    pub validate_only: Flag,
    /// Seconds that kubeadm may take.
    #[serde(default = "ten_minutes")]
    pub timeout: Number<u64>,
    /// Seconds that a node which has all of its files may take to answer before it is called half:
    /// it may just have been started.
    #[serde(default = "one_minute")]
    pub settle: Number<u64>,
}

impl Arguments for KubeadmJoinArgs {
    const NAME: &'static str = "kubeadm_join";
    const NEEDS: &'static [&'static str] = membership::NEEDS;
    const RETURNS: &'static [Return] = membership::RETURNS;
    const CHECK_MODE: CheckMode =
        CheckMode::Does("It looks at the node, and says what it would run.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Create a token on the first control plane\n  kubeadm_token:\n  delegate_to: cp1\n  become: true\n  register: created\n\n- name: Join as a worker\n  kubeadm_join:\n    endpoint: \"{{ created.join.endpoint }}\"\n    token: \"{{ created.join.token }}\"\n    ca_cert_hashes: \"{{ created.join.ca_cert_hashes }}\"\n  become: true\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        if !forms::is_endpoint(&self.endpoint) {
            return Err(Invalid::new(
                &["endpoint"],
                "endpoint is not of the form host:port",
            ));
        }
        let is_hash = |hash: &String| forms::is_certificate_hash(hash);
        if !self.ca_cert_hashes.iter().all(is_hash) {
            return Err(Invalid::new(
                &["ca_cert_hashes"],
                "a hash in ca_cert_hashes is none: sha256: and 64 digits",
            ));
        }
        documents::read(&self.content).map(drop).map_err(|error| {
            Invalid::new(
                &["content"],
                format!("content is not a configuration: {error}"),
            )
        })
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        self.hide(context)?;
        if *self.validate_only {
            return self.look_through(context).await;
        }
        let role = if *self.control_plane {
            Role::ControlPlane {
                external_etcd: *self.external_etcd,
            }
        } else {
            Role::Worker
        };
        let membership = Membership {
            act: Act::Join,
            repair: *self.repair,
            cri_socket: self.cri_socket.as_deref(),
            question: Question {
                role,
                node_name: self.node_name.as_deref(),
                settle: self.settle.seconds(),
                places: &membership::places(),
            },
        };
        membership
            .reach(context, async |probed| self.command(probed))
            .await
    }
}

impl KubeadmJoinArgs {
    /// Hides the token and the key. They may come from a control plane that is not to be trusted: what has
    /// not their form is refused, and redacted nowhere.
    fn hide(&self, context: &Context<'_>) -> Result<(), Failure> {
        let key = self.certificate_key.as_ref();
        let secrets = [("token", Some(&self.token)), ("certificate_key", key)];
        for (name, secret) in secrets {
            let Some(secret) = secret else { continue };
            let has_form = match name {
                "token" => forms::is_token(secret.expose()),
                _ => forms::is_certificate_key(secret.expose()),
            };
            if has_form {
                context.control.hide(secret);
            } else if !context.check {
                // In check mode placeholders stand for what was not created.
                let failure = Failure::new(format!(
                    "`{name}` does not have the form that kubeadm gives it"
                ));
                return Err(failure.hint("give what `kubeadm_token` returned"));
            }
        }
        Ok(())
    }

    async fn look_through(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let documents = documents::read(&self.content).map_err(|error| unreadable(&error))?;
        let Some(api) = validation::api(&documents) else {
            return Ok(Outcome::ok().message("there is no JoinConfiguration to look through"));
        };
        validation::validate(context, &membership::places(), self.config(api)?).await
    }

    fn config(&self, api: &str) -> Result<String, Failure> {
        let discovery = Discovery {
            endpoint: &self.endpoint,
            token: self.token.expose(),
            ca_cert_hashes: &self.ca_cert_hashes,
            certificate_key: self.certificate_key.as_ref().map(|key| key.expose()),
            control_plane: *self.control_plane,
            node_name: self.node_name.as_deref(),
        };
        documents::join(&self.content, api, discovery).map_err(|error| unreadable(&error))
    }

    fn command(&self, probed: &Probed) -> Result<KubeadmCommand, Failure> {
        let version = probed.version;
        if self.certificate_key.is_some() && !version.joins_with_certificate_key() {
            return Err(Failure::new(format!(
                "kubeadm {version} takes no certificate key in its configuration"
            ))
            .hint(
                "copy the certificates: `certificate_distribution: copy` in the shipped playbooks",
            ));
        }
        if !self.skip_phases.is_empty() && !version.join_skips_phases() {
            return Err(Failure::new(format!(
                "kubeadm {version} cannot leave out phases of `join`; 1.22 and later can"
            )));
        }
        kubeadm::check_api(
            &documents::read(&self.content).map_err(|error| unreadable(&error))?,
            version,
        )?;
        let config = self.config(version.config_api())?;
        let command = KubeadmCommand {
            config: Secret::new(config),
            limit: Some(self.timeout.seconds()),
            ..KubeadmCommand::new(&["join", "--config", CONFIG])
        };
        Ok(command
            .list("--skip-phases", &self.skip_phases)
            .list("--ignore-preflight-errors", &self.ignore_preflight_errors))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::{self, CHECK, Fake, FakeController, REAL, RunMode};

    const TOKEN: &str = "abcdef.0123456789abcdef";

    /// How it fails with these on a host that says nothing, what was hidden by then, and how often the host was
    /// asked.
    async fn refused(
        mode: RunMode,
        token: &str,
        key: Option<&str>,
    ) -> (Failure, Vec<Secret>, usize) {
        let host = Fake::saying(&[""]);
        let control = FakeController::new(".");
        let arguments = json!({
            "endpoint": "10.0.0.10:6443", "token": token, "ca_cert_hashes": [], "certificate_key": key
        });
        let result = fake::run::<KubeadmJoinArgs>(&host, &control, mode, arguments).await;
        (result.unwrap_err(), control.hidden(), host.scripts().len())
    }

    /// A control plane that is not to be trusted may have given a word of other hosts' results.
    #[tokio::test]
    async fn what_has_not_the_form_of_token_or_key_is_refused_and_hidden_nowhere() {
        for (token, key, wrong) in [
            ("changed", None, "`token` does not have the form"),
            (
                TOKEN,
                Some("changed"),
                "`certificate_key` does not have the form",
            ),
        ] {
            let (failure, hidden, asked) = refused(REAL, token, key).await;
            assert!(failure.message.contains(wrong), "{}", failure.message);
            assert!(hidden.iter().all(|secret| secret.expose() == TOKEN));
            assert_eq!(asked, 0);
            // Placeholders stand for what was not created in check mode.
            let (failure, hidden, asked) = refused(CHECK, token, key).await;
            assert!(!failure.message.contains("the form"), "{}", failure.message);
            assert!(hidden.iter().all(|secret| secret.expose() == TOKEN));
            assert_eq!(asked, 1);
        }
    }

    #[tokio::test]
    async fn token_and_key_are_hidden_before_the_host_is_asked() {
        let key = "0123456789abcdef".repeat(4);
        let (_, hidden, _) = refused(REAL, TOKEN, Some(&key)).await;
        assert_eq!(hidden, [Secret::new(TOKEN), Secret::new(key)]);
    }
}
