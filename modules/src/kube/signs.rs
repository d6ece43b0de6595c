//! What a node shows of having been initialised or joined, and the state that follows from it.
//! Pure: [`crate::kube::probe`] gathers the signs, [`judge`] decides.
//!
//! One sign alone misleads: `admin.conf` is written before etcd has been joined, and a Node object
//! outlives its machine. So a node is *absent* when nothing at all is there, *joined* when everything
//! is there and works, and *half* in every other case.

use std::collections::BTreeSet;

use serde_json::Value;

/// What a node is to be in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs the API server and its companions; with etcd, unless etcd is external.
    ControlPlane {
        /// Whether etcd runs elsewhere.
        external_etcd: bool,
    },
    /// Runs the kubelet alone.
    Worker,
}

/// What the API server says about a node's Node object.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeObject {
    /// Nobody was asked: the node has no credentials.
    NotAsked,
    /// There is none of this name.
    None,
    /// The node's credentials are not accepted.
    Refused(String),
    /// No answer, or no sense in it.
    Unknown(String),
    /// As it is.
    Found(Value),
}

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Signs {
    /// Files of kubeadm's that are there, by their names under `/etc/kubernetes`, and [`ETCD_DATA`],
    /// [`KUBELET_FLAGS`].
    pub files: BTreeSet<String>,
    /// Whether `kubelet.conf` refers to a certificate that the kubelet rotates: it does once an
    /// `init` has finished (1.17 and later), and from the beginning on a node that joins.
    pub finalized: bool,
    /// What the service manager says of the kubelet (`active`); none when it cannot be asked.
    pub kubelet: Option<String>,
    /// The Node object.
    pub node: NodeObject,
    /// What the API server on this node says of itself; none when none is set up.
    pub api: Option<Result<(), String>>,
}

/// The data of an etcd member.
pub const ETCD_DATA: &str = "etcd data";
/// The flags that kubeadm writes for the kubelet.
pub const KUBELET_FLAGS: &str = "kubeadm-flags.env";
/// The static pods of a control plane.
pub const MANIFESTS: [&str; 4] = [
    "manifests/kube-apiserver.yaml",
    "manifests/kube-controller-manager.yaml",
    "manifests/kube-scheduler.yaml",
    "manifests/etcd.yaml",
];
/// The cluster's CA certificate. On a control plane it may be put there before joining.
pub const CA: &str = "pki/ca.crt";

/// One of the three states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is there.
    Absent,
    /// All is there, and works.
    Joined,
    /// Anything else.
    Half,
}

impl State {
    /// As results say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Joined => "joined",
            Self::Half => "half",
        }
    }
}

/// A state with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The state.
    pub state: State,
    /// What is there, in words.
    pub found: Vec<String>,
    /// What a joined node would have besides, in words.
    pub missing: Vec<String>,
    /// Why a half node must not be reset without a person looking at it, if so.
    pub keep: Option<String>,
    /// Whether waiting a little can make the node joined: all of its files are there.
    pub may_settle: bool,
}

/// The state of a node that is to be in `role`.
pub fn judge(role: Role, signs: &Signs) -> Finding {
    let missing = missing(role, signs);
    let found = found(role, signs);
    let state = if found.is_empty() {
        State::Absent
    } else if missing.is_empty() {
        State::Joined
    } else {
        State::Half
    };
    Finding {
        state,
        keep: (state == State::Half).then(|| keep(role, signs)).flatten(),
        may_settle: required_files(role)
            .iter()
            .all(|file| signs.files.contains(*file)),
        found,
        missing,
    }
}

fn required_files(role: Role) -> Vec<&'static str> {
    let mut files = vec!["kubelet.conf"];
    match role {
        Role::Worker => {}
        Role::ControlPlane { external_etcd } => {
            let manifests = if external_etcd {
                &MANIFESTS[..3]
            } else {
                &MANIFESTS[..]
            };
            files.extend(manifests);
        }
    }
    files
}

/// Signs that kubeadm has been at work here.
fn found(role: Role, signs: &Signs) -> Vec<String> {
    signs
        .files
        .iter()
        .filter(|file| file.as_str() != CA || role == Role::Worker)
        .map(|file| match file.as_str() {
            ETCD_DATA => "the data of an etcd member".to_owned(),
            KUBELET_FLAGS => "the kubelet's kubeadm-flags.env".to_owned(),
            file => format!("/etc/kubernetes/{file}"),
        })
        .chain(match &signs.node {
            NodeObject::Found(_) => Some("the Node".to_owned()),
            _ => None,
        })
        .collect()
}

fn missing(role: Role, signs: &Signs) -> Vec<String> {
    let mut missing: Vec<String> = required_files(role)
        .iter()
        .filter(|file| !signs.files.contains(**file))
        .map(|file| format!("no /etc/kubernetes/{file}"))
        .collect();
    if let Some(state) = signs.kubelet.as_deref().filter(|state| *state != "active") {
        missing.push(format!("the kubelet is `{state}`"));
    }
    match &signs.node {
        NodeObject::NotAsked => {}
        NodeObject::None => missing.push("the cluster has no Node of its name".to_owned()),
        NodeObject::Refused(why) => missing.push(format!(
            "the cluster does not accept the node's credentials: {why}"
        )),
        NodeObject::Unknown(why) => {
            missing.push(format!(
                "the cluster could not be asked for the Node: {why}"
            ));
        }
        NodeObject::Found(node) => missing.extend(node_trouble(role, node)),
    }
    if matches!(role, Role::ControlPlane { .. }) {
        if let Some(Err(why)) = &signs.api {
            missing.push(format!("its API server is not ready: {why}"));
        }
    } else if MANIFESTS.iter().any(|file| signs.files.contains(*file)) {
        missing.push("it is a control plane, and should be a worker".to_owned());
    }
    missing
}

fn node_trouble(role: Role, node: &Value) -> Vec<String> {
    let mut trouble = Vec::new();
    if matches!(role, Role::ControlPlane { .. }) && !has_role_label(node) {
        trouble.push("the Node has no control plane label".to_owned());
    }
    let ready = node["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "Ready");
    match ready.and_then(|condition| condition["status"].as_str()) {
        // Without a CNI a node is not Ready, by design; its kubelet reports all the same.
        Some("True" | "False") => {}
        _ => trouble.push("the kubelet does not report to the cluster".to_owned()),
    }
    trouble
}

/// `master` until 1.23, `control-plane` from 1.20 on.
fn has_role_label(node: &Value) -> bool {
    ["control-plane", "master"].iter().any(|role| {
        node["metadata"]["labels"]
            .get(format!("node-role.kubernetes.io/{role}"))
            .is_some()
    })
}

/// Why `kubeadm reset` would do harm, if it would: what merely does not answer is not to be wiped.
fn keep(role: Role, signs: &Signs) -> Option<String> {
    let has_etcd = [ETCD_DATA, MANIFESTS[3]]
        .iter()
        .any(|file| signs.files.contains(*file));
    match (&signs.node, role) {
        (NodeObject::Found(node), Role::ControlPlane { .. }) if has_role_label(node) => {
            Some("it is a control plane of the cluster that does not work at the moment".to_owned())
        }
        (NodeObject::Found(_), Role::ControlPlane { .. })
            if !MANIFESTS.iter().any(|file| signs.files.contains(*file)) =>
        {
            Some("it is a worker of the cluster, and may have work".to_owned())
        }
        (NodeObject::Found(_), Role::Worker) => {
            Some("it is a node of the cluster that does not work at the moment".to_owned())
        }
        (NodeObject::Refused(_), _) => {
            Some("its certificates have expired, or it belongs to another cluster".to_owned())
        }
        (NodeObject::Unknown(_), _) if signs.finalized && (has_etcd || role == Role::Worker) => {
            Some("it may be a good node of a cluster that merely cannot be reached".to_owned())
        }
        _ => None,
    }
}
