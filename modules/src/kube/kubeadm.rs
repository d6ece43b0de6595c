//! Running kubeadm on a node: its configuration in, its output out without secrets, its failures as
//! sentences.

use std::time::Duration;

use serde_json::Value;

use crate::host::{HostError, Input, Script};
use crate::kit::quote;
use crate::kube::kubelet;
use crate::kube::probe::Places;
use crate::kube::versions::Version;
use crate::module::Context;
use crate::outcome::Failure;
use crate::secret::Secret;

/// A word of a command line that stands for the file with the configuration.
pub const CONFIG: &str = "CONFIG";

/// One run of kubeadm.
#[derive(Debug)]
pub struct KubeadmCommand {
    /// The subcommand and its flags; [`CONFIG`] stands for the configuration's path. Never a secret.
    pub arguments: Vec<String>,
    /// The configuration; empty when there is none.
    pub config: Secret,
    /// How long it may take.
    pub limit: Option<Duration>,
}

impl KubeadmCommand {
    /// `kubeadm` with these arguments.
    pub fn new(arguments: &[&str]) -> Self {
        Self {
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            config: Secret::new(""),
            limit: None,
        }
    }

    /// With a flag and its value, unless the list is empty.
    #[must_use]
    pub fn list(mut self, flag: &str, values: &[String]) -> Self {
        if !values.is_empty() {
            self.arguments.push(format!("{flag}={}", values.join(",")));
        }
        self
    }

    /// With a flag, if there is one.
    #[must_use]
    pub fn flag(mut self, flag: Option<&str>) -> Self {
        self.arguments.extend(flag.map(str::to_owned));
        self
    }

    fn script(&self, places: &Places) -> Script {
        let mut source = format!("kubeadm={}\n", quote(&places.kubeadm));
        source.push_str(include_str!("kubeadm.sh"));
        source.push_str("w_private_folder\nw_kubeadm");
        for argument in &self.arguments {
            source.push(' ');
            if argument == CONFIG {
                source.push_str("\"$w_dir/config.yaml\"");
            } else {
                source.push_str(&quote(argument));
            }
        }
        source.push('\n');
        let mut script = Script::new(source)
            .stdin(Input::Secret(self.config.clone()))
            .stream()
            .durable();
        script.limit = self.limit;
        script
    }

    /// Runs it, and gives what it printed, without secrets.
    pub async fn run(&self, context: &Context<'_>, places: &Places) -> Result<String, Failure> {
        let what = self.name();
        let reply = match context.host.run(self.script(places)).await {
            Err(HostError::TimedOut { limit, so_far }) => {
                let so_far_text = so_far.text();
                let failure = Failure {
                    host: Some(HostError::TimedOut { limit, so_far }),
                    ..Failure::new(format!(
                        "`{what}` did not finish within {} s{}",
                        limit.as_secs(),
                        phase(&so_far_text)
                    ))
                    .hint(if waits_for_the_endpoint(&what, &so_far_text) {
                        "the node does not reach the endpoint, or its token has expired, and kubeadm tries \
                         for minutes: run the playbook again, it creates a new token"
                    } else {
                        "see below what it last said; `journalctl -xeu kubelet` on the node says \
                         more, and `timeout` of the task gives it more time"
                    })
                    .with("stdout", so_far_text.clone())
                };
                return Err(blame_kubelet(context, failure, &so_far_text).await);
            }
            other => other?,
        };
        let output = reply.text();
        if reply.status == 0 {
            return Ok(output);
        }
        let failure = explain(&what, reply.status, &output)
            .with("rc", reply.status)
            .with("stdout", output.clone())
            .with("stderr", reply.error_text());
        Err(blame_kubelet(context, failure, &output).await)
    }

    /// The command without its flags, for messages.
    fn name(&self) -> String {
        let words = self
            .arguments
            .iter()
            .map(String::as_str)
            .take_while(|word| !word.starts_with('-'));
        std::iter::once("kubeadm")
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Whether a join has not come further than to ask the cluster who it is, with its token. It says nothing then.
fn waits_for_the_endpoint(what: &str, output: &str) -> bool {
    what == "kubeadm join"
        && output.contains("[preflight]")
        && !output.contains("Reading configuration from the cluster")
}

/// With the reason why the kubelet does not run, where kubeadm got as far as starting it.
async fn blame_kubelet(context: &Context<'_>, mut failure: Failure, output: &str) -> Failure {
    if output.contains("[kubelet-start] Starting the kubelet")
        && let Some(why) = kubelet::trouble(context).await
    {
        failure.message = format!("{}; {why}", failure.message);
    }
    failure
}

/// `, in phase ‘x’`, where the output shows one: kubeadm begins its lines with `[phase]`.
fn phase(output: &str) -> String {
    output
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix('[')?.split_once(']'))
        .map(|(phase, _)| format!(", in phase `{phase}`"))
        .unwrap_or_default()
}

/// A failed run as a sentence, with what can be done about it.
pub(super) fn explain(what: &str, status: i32, output: &str) -> Failure {
    let mut reasons: Vec<&str> = output
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("[ERROR "))
        .collect();
    if reasons.is_empty() {
        reasons.extend(
            output
                .lines()
                .rev()
                .map(str::trim)
                .find(|line| !line.is_empty() && !line.starts_with("To see the stack trace")),
        );
    }
    let reason = reasons.join("; ");
    // kubeadm names the phase itself, or its lines show it.
    let (phase, reason) = match reason
        .strip_prefix("error execution phase ")
        .and_then(|rest| rest.split_once(": "))
    {
        Some((phase, reason)) => (format!(", in phase `{phase}`"), reason.to_owned()),
        None => (phase(output), reason),
    };
    let message = if reason.is_empty() {
        format!("`{what}` failed with status {status}{phase}, and said nothing")
    } else {
        format!("`{what}` failed{phase}: {reason}")
    };
    let hint = REASON_HINTS
        .iter()
        .find(|(sign, _)| message.contains(sign))
        .or_else(|| OUTPUT_HINTS.iter().find(|(sign, _)| output.contains(sign)));
    let failure = Failure::new(message);
    match hint {
        Some((_, hint)) => failure.hint(*hint),
        None => failure,
    }
}

/// What kubeadm gives as its reason, and what helps. The first that is found counts.
const REASON_HINTS: &[(&str, &str)] = &[
    (
        "[ERROR Swap]",
        "turn swap off (`manage_prerequisites: true` does it in the shipped playbooks)",
    ),
    (
        "[ERROR CRI]",
        "start the container runtime, or name its socket with `cri_socket`",
    ),
    (
        "[ERROR FileContent--proc-sys-net",
        "load br_netfilter and set the sysctls (`manage_prerequisites: true` does it in the shipped playbooks)",
    ),
    (
        "[ERROR ImagePull]",
        "see that the node reaches the registry, or name another with `image_repository`",
    ),
    (
        "[ERROR Port-",
        "something listens on that port already: a kubelet or control plane of an earlier try?",
    ),
    (
        "[ERROR DirAvailable-",
        "an earlier try left files: `kubeadm reset -f` on the node removes them",
    ),
    (
        "[ERROR FileAvailable-",
        "an earlier try left files: `kubeadm reset -f` on the node removes them",
    ),
    (
        "could not find a JWS signature",
        "the bootstrap token has expired or was deleted: run the playbook again, it creates a new one",
    ),
    (
        "couldn't validate the identity of the API Server",
        "the endpoint cannot be reached from the node, the token has expired, or the CA hash is another cluster's: run the playbook again, it creates a new one",
    ),
    (
        "error downloading the secret",
        "the uploaded certificates live two hours: run the playbook again, it uploads them again",
    ),
    (
        "already exists in the cluster. You must delete",
        "an earlier join got as far as the Node: `kubectl delete node` on a control plane removes it",
    ),
    (
        "not enough started members",
        "etcd has a member that was announced and never started, mostly of this very node: `repair: true` takes it out",
    ),
    (
        "etcdserver: unhealthy cluster",
        "an etcd member is down or was just added: see `kubectl -n kube-system get pods -l component=etcd`, repair it, and run the playbook again",
    ),
];

/// What kubeadm says on the way, and what helps.
const OUTPUT_HINTS: &[(&str, &str)] = &[
    (
        "The kubelet is not running",
        "see `journalctl -xeu kubelet` on the node",
    ),
    (
        "kubelet isn't running or healthy",
        "see `journalctl -xeu kubelet` on the node",
    ),
    (
        "timed out waiting for the condition",
        "see `journalctl -xeu kubelet` and the containers' logs on the node",
    ),
];

/// Takes back what kubeadm did on a node. Only for a node that may lose everything.
pub async fn reset(
    context: &Context<'_>,
    places: &Places,
    cri_socket: Option<&str>,
) -> Result<String, Failure> {
    context
        .control
        .progress("taking back what an earlier try left: kubeadm reset");
    let socket = cri_socket.map(|socket| format!("--cri-socket={socket}"));
    let command = KubeadmCommand {
        limit: Some(Duration::from_secs(300)),
        ..KubeadmCommand::new(&["reset", "--force"])
    }
    .flag(socket.as_deref());
    command.run(context, places).await
}

/// Refuses a configuration in a version of kubeadm's API that this kubeadm cannot read, before it is
/// too late: kubeadm's own message comes after a reset.
pub fn check_api(documents: &[Value], version: Version) -> Result<(), Failure> {
    let reads = version.config_apis();
    for document in documents {
        let Some(api) = document["apiVersion"]
            .as_str()
            .and_then(|api| api.strip_prefix("kubeadm.k8s.io/"))
        else {
            continue;
        };
        if !reads.contains(&api) {
            return Err(Failure::new(format!(
                "the configuration is written in {api}, but kubeadm {version} on the node reads {}",
                reads.join(" and ")
            ))
            .hint("write it in one of these"));
        }
    }
    Ok(())
}
