//! `kubeadm_init`: makes the first control plane of a cluster.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{Flag, List, Number, SecretText, Text};
use crate::describe::{CheckMode, Invalid, Return};
use crate::kube::defaults::{one_minute, ten_minutes};
use crate::kube::documents;
use crate::kube::kubeadm::{self, CONFIG, KubeadmCommand};
use crate::kube::membership::{self, Act, Membership};
use crate::kube::probe::{Probed, Question};
use crate::kube::signs::Role;
use crate::kube::validation;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};
use crate::secret::Secret;

/// Initialises the first control plane of a cluster with `kubeadm init`, unless that is done already.
///
/// What is there decides: nothing at all is *absent*, and is initialised; everything, and it works,
/// is *joined*, and is left alone; anything else is *half*. A half initialised node makes the task
/// fail with what was found and what is missing. It is only reset, and then initialised, with
/// `repair: true`, and never while it looks like a good node of a cluster that merely does not answer.
///
/// The configuration goes to the node over standard input, into a file in memory that only root can
/// read and that is gone when kubeadm ends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeadmInitArgs {
    /// The configuration: YAML documents of the kinds `InitConfiguration`, `ClusterConfiguration`,
    /// `KubeletConfiguration` and `KubeProxyConfiguration`, in a version of the API that the node's
    /// kubeadm reads. Mostly `"{{ lookup('template', 'kubeadm-init.yml.j2') }}"`. `extraArgs` and
    /// `kubeletExtraArgs` may be mappings, or lists of `name` and `value`: they are written as the
    /// version wants them.
    pub content: Text,
    /// Shares the certificates through a Secret that lives two hours, as `--upload-certs` does.
    /// `kubeadm_token` does that later, when a node joins, which is mostly better.
    #[serde(default = "Flag::no")]
    pub upload_certs: Flag,
    /// The key that the shared certificates are encrypted with; kubeadm makes one up otherwise.
    pub certificate_key: Option<SecretText>,
    /// Phases to leave out, as `kubeadm init --help` names them.
    #[serde(default)]
    pub skip_phases: List,
    /// Checks whose failure is a warning only, as kubeadm names them, or `all`.
    #[serde(default)]
    pub ignore_preflight_errors: List,
    /// Whether etcd runs elsewhere, so that there is no etcd on this node.
    #[serde(default = "Flag::no")]
    pub external_etcd: Flag,
    /// The name of the Node, where the configuration sets one other than the host name.
    pub node_name: Option<Text>,
    /// Resets a half initialised node first.
    #[serde(default = "Flag::no")]
    pub repair: Flag,
    /// The socket of the container runtime, for the reset on a node with more than one.
    pub cri_socket: Option<Text>,
    /// Only has kubeadm look through the configuration (`kubeadm config validate`, which older ones have not), whatever the node
    /// is, and in check mode too: what kubeadm refuses is a failure, and what it warns of, an unknown field of the
    /// kubelet for one, is a warning.
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

pub(super) fn unreadable(error: &str) -> Failure {
    Failure::new(format!("content is not a configuration: {error}"))
}

impl Arguments for KubeadmInitArgs {
    const NAME: &'static str = "kubeadm_init";
    const NEEDS: &'static [&'static str] = membership::NEEDS;
    const RETURNS: &'static [Return] = membership::RETURNS;
    const CHECK_MODE: CheckMode =
        CheckMode::Does("It looks at the node, and says what it would run.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Initialise the first control plane from templates/kubeadm-init.yml.j2\n  kubeadm_init:\n    content: \"{{ lookup('template', 'kubeadm-init.yml.j2') }}\"\n    skip_phases: [addon/kube-proxy]\n  become: true\n",
        "- name: See what kubeadm says of templates/kubeadm-init.yml.j2\n  kubeadm_init:\n    content: \"{{ lookup('template', 'kubeadm-init.yml.j2') }}\"\n    validate_only: true\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        documents::read(&self.content).map(drop).map_err(|error| {
            Invalid::new(
                &["content"],
                format!("content is not a configuration: {error}"),
            )
        })
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        if *self.validate_only {
            return validation::validate(context, &membership::places(), self.as_written()?).await;
        }
        let settle = self.settle.seconds();
        let membership = Membership {
            act: Act::Init,
            repair: *self.repair,
            cri_socket: self.cri_socket.as_deref(),
            question: Question {
                role: Role::ControlPlane {
                    external_etcd: *self.external_etcd,
                },
                node_name: self.node_name.as_deref(),
                settle,
                places: &membership::places(),
            },
        };
        membership
            .reach(context, async |probed| self.command(probed))
            .await
    }
}

impl KubeadmInitArgs {
    fn command(&self, probed: &Probed) -> Result<KubeadmCommand, Failure> {
        let upload = if *self.upload_certs {
            let flag = probed.version.upload_certs_flag();
            Some(flag.ok_or_else(|| {
                Failure::new(format!(
                    "kubeadm {} cannot upload certificates",
                    probed.version
                ))
                .hint("copy them: `certificate_distribution: copy` in the shipped playbooks")
            })?)
        } else {
            None
        };
        let command = KubeadmCommand {
            config: Secret::new(self.config(probed)?),
            limit: Some(self.timeout.seconds()),
            ..KubeadmCommand::new(&["init", "--config", CONFIG, "--skip-token-print"])
        };
        Ok(command
            .flag(upload)
            .flag(upload.map(|_| "--skip-certificate-key-print"))
            .list("--skip-phases", &self.skip_phases)
            .list("--ignore-preflight-errors", &self.ignore_preflight_errors))
    }

    /// The documents without what only a run needs: the key is a secret, and of a form that we know.
    fn as_written(&self) -> Result<String, Failure> {
        let mut documents = documents::read(&self.content).map_err(|error| unreadable(&error))?;
        documents.iter_mut().for_each(documents::fit_extra_args);
        documents::write(&documents).map_err(|error| unreadable(&error))
    }

    fn config(&self, probed: &Probed) -> Result<String, Failure> {
        let mut documents = documents::read(&self.content).map_err(|error| unreadable(&error))?;
        kubeadm::check_api(&documents, probed.version)?;
        if let Some(key) = &self.certificate_key {
            let api = probed.version.config_api();
            let document = documents::of_kind(&mut documents, "InitConfiguration", api);
            let key: Value = json!(key.expose());
            documents::set(document, &["certificateKey"], key);
        }
        documents.iter_mut().for_each(documents::fit_extra_args);
        documents::write(&documents).map_err(|error| unreadable(&error))
    }
}
