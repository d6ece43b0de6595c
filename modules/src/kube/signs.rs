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
pub enum NodeState {
    /// Nothing is there.
    Absent,
    /// All is there, and works.
    Joined,
    /// Anything else.
    Half,
}

impl NodeState {
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
    pub state: NodeState,
    /// What is there, in words.
    pub found: Vec<String>,
    /// What a joined node would have besides, in words.
    pub missing: Vec<String>,
    /// Why a half node must not be reset without a person looking at it, if so.
    pub keep: Option<String>,
    /// Whether waiting a little can make the node joined: all that is missing is an answer.
    pub may_settle: bool,
}

/// The state of a node that is to be in `role`.
pub fn judge(role: Role, signs: &Signs) -> Finding {
    let missing = missing(role, signs);
    let found = found(role, signs);
    let state = if found.is_empty() {
        NodeState::Absent
    } else if missing.is_empty() {
        NodeState::Joined
    } else {
        NodeState::Half
    };
    Finding {
        state,
        keep: (state == NodeState::Half)
            .then(|| keep(role, signs))
            .flatten(),
        may_settle: may_settle(role, signs),
        found,
        missing,
    }
}

/// Files, labels and Nodes do not appear by waiting; answers may.
fn may_settle(role: Role, signs: &Signs) -> bool {
    let files = required_files(role);
    let labelled = |node| role == Role::Worker || has_role_label(node);
    files.iter().all(|file| signs.files.contains(*file))
        && match &signs.node {
            NodeObject::Found(node) => labelled(node),
            NodeObject::Unknown(_) => true,
            NodeObject::None | NodeObject::Refused(_) | NodeObject::NotAsked => false,
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CONTROL_PLANE: Role = Role::ControlPlane {
        external_etcd: false,
    };

    fn node(labels: &Value, ready: &str) -> NodeObject {
        NodeObject::Found(json!({
            "metadata": {"name": "cp1", "labels": labels},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }))
    }

    fn master() -> Value {
        json!({"node-role.kubernetes.io/master": ""})
    }

    fn nothing() -> Signs {
        Signs {
            files: BTreeSet::new(),
            finalized: false,
            kubelet: None,
            node: NodeObject::NotAsked,
            api: None,
        }
    }

    fn files(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn control_plane() -> Signs {
        let mut names = MANIFESTS.to_vec();
        names.extend(["kubelet.conf", "admin.conf", CA, ETCD_DATA, KUBELET_FLAGS]);
        Signs {
            files: files(&names),
            finalized: true,
            kubelet: Some("active".to_owned()),
            node: node(&master(), "True"),
            api: Some(Ok(())),
        }
    }

    fn worker() -> Signs {
        Signs {
            files: files(&["kubelet.conf", CA, KUBELET_FLAGS]),
            finalized: true,
            kubelet: Some("active".to_owned()),
            node: node(&json!({}), "True"),
            api: None,
        }
    }

    fn unknown() -> NodeObject {
        NodeObject::Unknown("connection refused".to_owned())
    }

    #[test]
    fn a_node_with_nothing_is_absent_in_either_role() {
        for role in [CONTROL_PLANE, Role::Worker] {
            assert_eq!(judge(role, &nothing()).state, NodeState::Absent);
        }
    }

    #[test]
    fn certificates_put_there_beforehand_leave_a_control_plane_absent() {
        let signs = Signs {
            files: files(&[CA]),
            ..nothing()
        };
        assert_eq!(judge(CONTROL_PLANE, &signs).state, NodeState::Absent);
        // A worker refuses to join over a CA certificate.
        assert_eq!(judge(Role::Worker, &signs).state, NodeState::Half);
    }

    #[test]
    fn with_all_that_belongs_to_it_a_node_is_joined() {
        assert_eq!(
            judge(CONTROL_PLANE, &control_plane()).state,
            NodeState::Joined
        );
        assert_eq!(judge(Role::Worker, &worker()).state, NodeState::Joined);
    }

    #[test]
    fn without_a_network_a_node_is_not_ready_and_joined_all_the_same() {
        let signs = Signs {
            node: node(&master(), "False"),
            ..control_plane()
        };
        assert_eq!(judge(CONTROL_PLANE, &signs).state, NodeState::Joined);
    }

    #[test]
    fn with_external_etcd_three_manifests_are_enough() {
        let mut signs = control_plane();
        signs.files.remove(MANIFESTS[3]);
        signs.files.remove(ETCD_DATA);
        let external = Role::ControlPlane {
            external_etcd: true,
        };
        assert_eq!(judge(external, &signs).state, NodeState::Joined);
        assert_eq!(judge(CONTROL_PLANE, &signs).state, NodeState::Half);
    }

    #[test]
    fn admin_conf_alone_is_half_and_may_be_reset() {
        let signs = Signs {
            files: files(&["admin.conf"]),
            ..nothing()
        };
        let finding = judge(CONTROL_PLANE, &signs);
        assert_eq!(finding.state, NodeState::Half);
        assert_eq!(finding.found, ["/etc/kubernetes/admin.conf"]);
        assert_eq!(finding.keep, None);
        assert!(!finding.may_settle);
    }

    #[test]
    fn an_init_that_never_came_up_may_be_reset() {
        let signs = Signs {
            finalized: false,
            node: unknown(),
            api: Some(Err("connection refused".to_owned())),
            ..control_plane()
        };
        let finding = judge(CONTROL_PLANE, &signs);
        assert_eq!((finding.state, finding.keep), (NodeState::Half, None));
    }

    #[test]
    fn a_join_that_stopped_before_etcd_may_be_reset() {
        let mut signs = Signs {
            node: node(&json!({}), "False"),
            api: Some(Err("connection refused".to_owned())),
            ..control_plane()
        };
        signs.files.remove(MANIFESTS[3]);
        signs.files.remove(ETCD_DATA);
        let finding = judge(CONTROL_PLANE, &signs);
        assert_eq!(
            (finding.state, finding.keep.as_ref()),
            (NodeState::Half, None)
        );
        assert!(
            finding
                .missing
                .contains(&"no /etc/kubernetes/manifests/etcd.yaml".to_owned()),
            "{:?}",
            finding.missing
        );
    }

    #[test]
    fn a_join_that_stopped_before_the_label_may_be_reset_and_needs_no_waiting_for() {
        let signs = Signs {
            node: node(&json!({}), "True"),
            ..control_plane()
        };
        let finding = judge(CONTROL_PLANE, &signs);
        assert_eq!(
            (finding.state, finding.keep.as_ref()),
            (NodeState::Half, None)
        );
        assert_eq!(finding.missing, ["the Node has no control plane label"]);
        assert!(!finding.may_settle);
    }

    #[test]
    fn what_merely_does_not_answer_is_never_to_be_reset() {
        let restarted = Signs {
            node: unknown(),
            api: Some(Err("connection refused".to_owned())),
            ..control_plane()
        };
        let sick = Signs {
            api: Some(Err("etcd failed".to_owned())),
            ..control_plane()
        };
        let expired = Signs {
            node: NodeObject::Refused("x509: certificate has expired".to_owned()),
            ..control_plane()
        };
        for (signs, may_settle) in [(restarted, true), (sick, true), (expired, false)] {
            let finding = judge(CONTROL_PLANE, &signs);
            assert_eq!(finding.state, NodeState::Half);
            assert!(finding.keep.is_some(), "{signs:?}");
            assert_eq!(finding.may_settle, may_settle, "{signs:?}");
        }
        for node in [unknown(), node(&json!({}), "Unknown")] {
            let signs = Signs { node, ..worker() };
            let finding = judge(Role::Worker, &signs);
            assert_eq!(finding.state, NodeState::Half);
            assert!(finding.keep.is_some(), "{signs:?}");
        }
    }

    #[test]
    fn a_worker_whose_node_was_deleted_may_be_reset() {
        let signs = Signs {
            node: NodeObject::None,
            ..worker()
        };
        let finding = judge(Role::Worker, &signs);
        assert_eq!((finding.state, finding.keep), (NodeState::Half, None));
        assert_eq!(finding.missing, ["the cluster has no Node of its name"]);
    }

    #[test]
    fn a_node_in_the_other_role_is_half_and_kept() {
        let finding = judge(Role::Worker, &control_plane());
        assert_eq!(finding.state, NodeState::Half);
        assert!(finding.keep.is_some());
        let finding = judge(CONTROL_PLANE, &worker());
        assert_eq!(finding.state, NodeState::Half);
        assert!(finding.keep.is_some());
    }
}
