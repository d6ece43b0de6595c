//! Asks a node, in one round trip and changing nothing, what it shows of having been initialised or
//! joined.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use crate::kit::{self, Records, quote};
use crate::kube::forms;
use crate::kube::kubectl::reason;
use crate::kube::pruned;
use crate::kube::signs::{self, Finding, NodeObject, NodeState, Role, Signs};
use crate::kube::versions::Version;
use crate::module::Context;
use crate::outcome::Failure;

/// Where kubeadm keeps what it makes, and the programs to ask.
#[derive(Debug, Clone)]
pub struct Places {
    /// `/etc/kubernetes`.
    pub kubernetes: String,
    /// `/var/lib/etcd`.
    pub etcd: String,
    /// `/var/lib/kubelet`.
    pub kubelet: String,
    /// `kubeadm`, from the `PATH` or by its path.
    pub kubeadm: String,
    /// `kubectl`, likewise.
    pub kubectl: String,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            kubernetes: "/etc/kubernetes".to_owned(),
            etcd: "/var/lib/etcd".to_owned(),
            kubelet: "/var/lib/kubelet".to_owned(),
            kubeadm: "kubeadm".to_owned(),
            kubectl: "kubectl".to_owned(),
        }
    }
}

/// What a node answered.
#[derive(Debug, Clone)]
pub struct Probed {
    /// kubeadm's version.
    pub version: Version,
    /// The name of its Node.
    pub node_name: String,
    /// Where other etcd members reach this one, if it has one.
    pub peer_url: Option<String>,
    /// What the signs amount to.
    pub finding: Finding,
}

/// Who is asked for what.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// What the node is to be.
    pub role: Role,
    /// The name of its Node, if it is not its host name.
    pub node_name: Option<&'a str>,
    /// How long a node that has all of its files may take to work, after a restart for instance.
    pub settle: Duration,
    /// Where things are.
    pub places: &'a Places,
}

/// How long to wait between two looks at a node that may settle.
const PAUSE: Duration = Duration::from_secs(3);

impl Question<'_> {
    /// Asks, and asks again while the node may settle.
    pub async fn ask(&self, context: &Context<'_>) -> Result<Probed, Failure> {
        let started = tokio::time::Instant::now();
        let mut said = String::new();
        loop {
            let probed = self.ask_once(context).await?;
            let finding = &probed.finding;
            let settling = finding.state == NodeState::Half && finding.may_settle;
            if !settling || started.elapsed() >= self.settle {
                return Ok(probed);
            }
            let line = format!(
                "waiting for the node to settle: {}",
                finding.missing.join("; ")
            );
            if line != said {
                context.control.progress(&line);
                said = line;
            }
            context.control.sleep(PAUSE).await?;
        }
    }

    async fn ask_once(&self, context: &Context<'_>) -> Result<Probed, Failure> {
        let reply = context
            .host
            .run(kit::script(&[kit::RECORDS], self.source()))
            .await?;
        let records = Records::read(&reply)?;
        let version: Version = records
            .text("version")
            .unwrap_or_default()
            .parse()
            .and_then(Version::supported)
            .map_err(|why| {
                Failure::new(format!("kubeadm on the node cannot be used: {why}"))
                    .hint("look at what `kubeadm version -o short` prints on the node")
            })?;
        // Whoever owns the node chooses both, and they are used on other nodes.
        let node_name = match self.node_name {
            Some(name) => name.to_owned(),
            None => records.text("node_name").unwrap_or_default(),
        };
        if !forms::is_node_name(&node_name) {
            return Err(forms::refused("the name of the node", &node_name).hint(
                "a Node is named after its host, with a-z, 0-9, `-` and `.` only: change the host name, or set \
                 `node_name` in the inventory",
            ));
        }
        let peer_url = records.text("peer_url").filter(|url| !url.is_empty());
        if let Some(url) = peer_url.as_deref().filter(|url| !forms::is_member_url(url)) {
            return Err(forms::refused("the peer URL of its member of etcd", url)
                .hint("see manifests/etcd.yaml in /etc/kubernetes on the node"));
        }
        Ok(Probed {
            version,
            node_name,
            peer_url,
            finding: signs::judge(self.role, &read(&records)),
        })
    }

    fn source(&self) -> String {
        let places = self.places;
        let mut source = String::new();
        for (name, value) in [
            ("k", places.kubernetes.as_str()),
            ("etcd_dir", &places.etcd),
            ("kubelet_dir", &places.kubelet),
            ("kubeadm", &places.kubeadm),
            ("kubectl", &places.kubectl),
            ("node", self.node_name.unwrap_or_default()),
        ] {
            let _ = writeln!(source, "{name}={}", quote(value));
        }
        source.push_str(include_str!("probe.sh"));
        source
    }
}

/// The signs among the records of `probe.sh`.
fn read(records: &Records) -> Signs {
    let api = records.text("api").map(|answer| match answer.as_str() {
        "ok" => Ok(()),
        answer => Err(reason(answer)),
    });
    let errors = || {
        records
            .all("node_error")
            .map(|text| node_error(&String::from_utf8_lossy(text)))
    };
    Signs {
        files: records
            .all("file")
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect::<BTreeSet<_>>(),
        finalized: records.flag("finalized"),
        kubelet: records.text("kubelet"),
        node: match records.text("node") {
            Some(text) => node_object(&text),
            None => unanswered(errors().collect(), api.as_ref()),
        },
        api,
    }
}

/// What follows from the errors of all that were asked for the Node. That one does not answer says nothing, and an
/// API server that is not ready forbids what it will allow.
fn unanswered(mut errors: Vec<NodeObject>, api: Option<&Result<(), String>>) -> NodeObject {
    let not_ready = matches!(api, Some(Err(_)));
    for error in &mut errors {
        match error {
            NodeObject::Refused(why) if not_ready && why.contains("orbidden") => {
                *error = NodeObject::Unknown(std::mem::take(why));
            }
            _ => {}
        }
    }
    let said = |error: &NodeObject| !matches!(error, NodeObject::Unknown(_));
    let at = errors.iter().position(said).unwrap_or(0);
    errors.into_iter().nth(at).unwrap_or(NodeObject::NotAsked)
}

/// The object among what kubectl printed, which may begin with warnings.
fn node_object(text: &str) -> NodeObject {
    text.find('{')
        .and_then(|start| pruned::read(&text[start..]).ok())
        .map_or_else(
            || NodeObject::Unknown("the answer made no sense".to_owned()),
            NodeObject::Found,
        )
}

fn node_error(text: &str) -> NodeObject {
    let why = reason(text);
    if text.contains("NotFound") {
        NodeObject::None
    } else if [
        "Unauthorized",
        "Forbidden",
        "x509:",
        "certificate has expired",
    ]
    .iter()
    .any(|sign| text.contains(sign))
    {
        NodeObject::Refused(why)
    } else {
        NodeObject::Unknown(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{FakeController, Shell, shells};

    const NODE: &str = r#"{"metadata":{"name":"cp1","labels":{"node-role.kubernetes.io/master":""}},"status":{"conditions":[{"type":"Ready","status":"True"}]}}"#;

    async fn ask(shell: &Shell, role: Role, settle: u64) -> Result<Probed, Failure> {
        let places = Places {
            kubernetes: shell.at("k"),
            etcd: shell.at("etcd"),
            kubelet: shell.at("kubelet"),
            ..Places::default()
        };
        let control = FakeController::new(shell.dir());
        let context = Context {
            host: shell,
            control: &control,
            check: false,
            diff: false,
        };
        Question {
            role,
            node_name: None,
            settle: Duration::from_secs(settle),
            places: &places,
        }
        .ask(&context)
        .await
    }

    /// A node with these files, each with its text.
    fn node(shell: Shell, files: &[(&str, &str)]) -> Shell {
        for (file, text) in files {
            let path = shell.dir().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        shell
            .tool("kubeadm", "echo v1.20.2")
            .tool("uname", "echo CP1.Example")
            .tool("systemctl", "echo active")
    }

    const CONTROL_PLANE: Role = Role::ControlPlane {
        external_etcd: false,
    };

    const FILES: &[(&str, &str)] = &[
        ("k/kubelet.conf", "    client-certificate: /var/lib/x.pem\n"),
        (
            "k/manifests/kube-apiserver.yaml",
            "    - kube-apiserver\n    - --advertise-address=fd00::1\n    - --secure-port=7443\n",
        ),
        ("k/manifests/kube-controller-manager.yaml", ""),
        ("k/manifests/kube-scheduler.yaml", ""),
        (
            "k/manifests/etcd.yaml",
            "    - --initial-advertise-peer-urls=https://[fd00::1]:2380\n",
        ),
        ("etcd/member/x", ""),
        ("kubelet/kubeadm-flags.env", ""),
    ];

    #[tokio::test]
    async fn an_empty_node_is_absent_and_named_by_its_host_name() {
        for shell in shells() {
            let shell = node(shell, &[]);
            let probed = ask(&shell, Role::Worker, 0).await.unwrap();
            assert_eq!(probed.finding.state, NodeState::Absent);
            assert_eq!(probed.node_name, "cp1.example");
            assert_eq!(probed.version.to_string(), "v1.20.2");
        }
    }

    /// What it says is given to kubectl on other nodes, and to etcd.
    #[tokio::test]
    async fn a_node_is_called_what_a_node_can_be_called_and_never_other_than_it_was_told() {
        for name in ["--all", "w1 w2", "w1,evil=https://10.6.6.6:2380", "$(id)"] {
            let shell = node(shells().remove(0), &[]).tool("uname", &format!("echo '{name}'"));
            let failure = ask(&shell, Role::Worker, 0).await.unwrap_err();
            assert_eq!(
                failure.message,
                format!("the name of the node cannot be `{name}`")
            );
            assert!(failure.hint.unwrap().contains("node_name"));
        }
        let host = crate::fake::Fake::saying(&["version 7\nv1.20.2\nnode_name 3\ncp1\n"]);
        let control = FakeController::new(".");
        let context = Context {
            host: &host,
            control: &control,
            check: false,
            diff: false,
        };
        let question = Question {
            role: Role::Worker,
            node_name: Some("w1"),
            settle: Duration::ZERO,
            places: &Places::default(),
        };
        assert_eq!(question.ask(&context).await.unwrap().node_name, "w1");
    }

    #[tokio::test]
    async fn a_member_of_etcd_is_at_an_address() {
        let url = "https://10.0.0.1:2380 --force";
        let manifest = format!("    - --initial-advertise-peer-urls={url}\n");
        let files = [("k/manifests/etcd.yaml", manifest.as_str())];
        let shell = node(shells().remove(0), &files);
        let failure = ask(&shell, CONTROL_PLANE, 0).await.unwrap_err();
        assert!(failure.message.contains(url), "{}", failure.message);
    }

    #[tokio::test]
    async fn a_balancer_that_is_down_is_no_sign_of_the_nodes() {
        for shell in shells() {
            // Answers only when asked directly; 1.15 has no /readyz.
            let shell = node(shell, FILES).tool(
                "kubectl",
                &format!(
                    r#"case "$*" in
                      *"--server https://[fd00::1]:7443 get --raw /api/"*) echo 'W: old'; echo '{NODE}' ;;
                      *"--server https://[fd00::1]:7443 get --raw /healthz") echo ok ;;
                      *readyz*) echo 'Error from server (NotFound): the server could not find it' >&2; exit 1 ;;
                      *) echo 'dial tcp: connection refused' >&2; exit 1 ;;
                    esac"#
                ),
            );
            let probed = ask(&shell, CONTROL_PLANE, 0).await.unwrap();
            assert_eq!(probed.finding.missing, Vec::<String>::new());
            assert_eq!(probed.finding.state, NodeState::Joined);
            assert_eq!(probed.peer_url.unwrap(), "https://[fd00::1]:2380");
            assert_eq!(shell.trips(), 1);
        }
    }

    /// From 1.33 the kubelet of a control plane asks the API server beside it.
    #[tokio::test]
    async fn where_the_api_server_of_the_node_is_down_the_endpoint_knows_the_node() {
        let unlabelled = NODE.replace("node-role.kubernetes.io/master", "other");
        let forbidden =
            r#"echo 'Error from server (Forbidden): nodes "cp1" is forbidden' >&2; exit 1"#;
        let refused = "echo 'dial tcp 10.0.0.1:6443: connection refused' >&2; exit 1";
        let missing = r#"echo 'Error from server (NotFound): nodes "cp1" not found' >&2; exit 1"#;
        for (endpoint, local, keep) in [
            (format!("echo '{unlabelled}'"), refused, None),
            (missing.to_owned(), refused, None),
            (
                format!("echo '{NODE}'"),
                refused,
                Some("does not work at the moment"),
            ),
            (
                format!("echo '{NODE}'"),
                forbidden,
                Some("does not work at the moment"),
            ),
            (refused.to_owned(), refused, Some("cannot be reached")),
            // It has only just been started, and knows no rights yet.
            (refused.to_owned(), forbidden, Some("cannot be reached")),
        ] {
            for shell in shells() {
                let shell = node(shell, FILES).tool(
                    "kubectl",
                    &format!(
                        "case \"$*\" in *'--server https://10.0.0.100:6443 get --raw /api/'*) {endpoint} ;; *) {local} ;; esac"
                    ),
                );
                let conf = |server: &str| {
                    format!("    server: {server}\n    client-certificate: /var/lib/x.pem\n")
                };
                let write = |name: &str, text: &str| {
                    std::fs::write(shell.dir().join("k").join(name), text).unwrap();
                };
                write("kubelet.conf", &conf("https://[fd00::1]:7443"));
                write("admin.conf", &conf("https://10.0.0.100:6443"));
                let probed = ask(&shell, CONTROL_PLANE, 0).await.unwrap();
                assert_eq!(probed.finding.state, NodeState::Half);
                let kept = probed.finding.keep.unwrap_or_default();
                assert!(
                    kept.contains(keep.unwrap_or_default()),
                    "{endpoint}, {local}: {kept}"
                );
                assert_eq!(
                    kept.is_empty(),
                    keep.is_none(),
                    "{endpoint}, {local}: {kept}"
                );
                assert_eq!(
                    probed.finding.may_settle,
                    keep.is_some(),
                    "{endpoint}, {local}"
                );
            }
        }
    }

    #[tokio::test]
    async fn an_api_server_that_is_not_ready_is_waited_for_and_then_told_of() {
        let shell = node(shells().remove(0), FILES).tool(
            "kubectl",
            &format!(
                r#"case "$*" in
                  *readyz*) if [ -e later ]; then echo ok; else touch later; echo '[-]etcd failed' >&2; exit 1; fi ;;
                  *) echo '{NODE}' ;;
                esac"#
            ),
        );
        let probed = ask(&shell, CONTROL_PLANE, 0).await.unwrap();
        assert_eq!(probed.finding.state, NodeState::Half);
        assert_eq!(
            probed.finding.missing,
            ["its API server is not ready: [-]etcd failed"]
        );
        std::fs::remove_file(shell.dir().join("later")).unwrap();
        let probed = ask(&shell, CONTROL_PLANE, 30).await.unwrap();
        assert_eq!(probed.finding.state, NodeState::Joined);
    }

    #[tokio::test]
    async fn a_kubeadm_that_is_missing_or_too_old_is_said() {
        for shell in shells() {
            let failure = ask(&shell, Role::Worker, 0).await.unwrap_err();
            assert_eq!(
                failure.message,
                "`kubeadm` is missing on the node; it is needed to build Kubernetes clusters"
            );
            let old = shell.tool("kubeadm", "echo v1.12.9");
            let failure = ask(&old, Role::Worker, 0).await.unwrap_err();
            assert!(
                failure.message.contains("older than v1.13"),
                "{}",
                failure.message
            );
        }
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(
            node_error("Error from server (NotFound): nodes \"x\" not found"),
            NodeObject::None
        );
        assert!(matches!(
            node_error("error: You must be logged in to the server (Unauthorized)"),
            NodeObject::Refused(_)
        ));
        assert!(matches!(
            node_error("The connection to the server 10.0.0.1:6443 was refused"),
            NodeObject::Unknown(_)
        ));
        assert!(matches!(node_object("nonsense"), NodeObject::Unknown(_)));
    }
}
