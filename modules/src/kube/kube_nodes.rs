//! `kube_nodes`: the Nodes of a cluster, with what runs on them.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{NodePath, Text};
use crate::describe::{CheckMode, Return};
use crate::kube::defaults::{admin, kubectl};
use crate::kube::kubectl::{Kubectl, words};
use crate::kube::nodes::WantedNode;
use crate::kube::pods::{self, Health};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Lists the Nodes of a cluster with their versions, and the static pods of its control planes. Changes nothing; one
/// round trip, with kubectl on a control plane.
///
/// What a Node says of itself (its versions) its kubelet has written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeNodesArgs {
    /// The kubeconfig to use, a path on the node.
    #[serde(default = "admin")]
    pub kubeconfig: NodePath,
    /// The kubectl to use, from the `PATH` or by its path.
    #[serde(default = "kubectl")]
    pub kubectl: Text,
}

impl Arguments for KubeNodesArgs {
    const NAME: &'static str = "kube_nodes";
    const NEEDS: &'static [&'static str] =
        &["kubectl", "a kubeconfig that the task's user can read"];
    const RETURNS: &'static [Return] = &[
        Return::list(
            "nodes",
            "the Nodes, each with `name`, `ready`, `reason` (why it is not, empty if it is), `schedulable`, `kubelet` and \
             `runtime` (versions), `components` (versions of its static pods, by their names: `kube-apiserver`, …) and \
             `troubles` (of static pods that are not healthy)",
        ),
        Return::text("msg", "a sentence about it"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Ask which versions the nodes have\n  kube_nodes:\n  become: true\n  register: cluster\n\n- name: Say so\n  debug:\n    msg: \"{{ cluster.nodes | map(attribute='kubelet') | unique | join(', ') }}\"\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let questions = [
            words(&["get", "nodes", "-o", "json"]),
            words(&[
                "get",
                "pods",
                "--namespace=kube-system",
                "--selector=tier=control-plane",
                "-o",
                "json",
            ]),
        ];
        let kubectl = Kubectl {
            program: &self.kubectl,
            kubeconfig: &self.kubeconfig,
        };
        let answers = kubectl
            .ask(context, &questions, Duration::from_secs(60))
            .await?;
        let (nodes, pods) = match &answers[..] {
            [Ok(nodes), Ok(pods)] => (nodes, pods),
            [Err(error), _] | [_, Err(error)] => {
                return Err(Failure::new(format!("the API does not answer: {error}")).hint(
                    "see `crictl ps` and `journalctl -u kubelet` on the control planes, and the load balancer",
                ));
            }
            _ => return Err(Failure::new("the node gave no answer")),
        };
        let nodes = listed(nodes, pods);
        Ok(Outcome::ok()
            .message(format!("the cluster has {} Nodes", nodes.len()))
            .with("nodes", nodes))
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}

/// The Nodes by their names, each with its static pods.
fn listed(nodes: &Value, pods: &Value) -> Vec<Value> {
    let mut on: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for pod in items(pods) {
        // On the node itself, whatever others are called.
        if let Some(node) = pod["spec"]["nodeName"].as_str() {
            on.entry(node).or_default().push(pod);
        }
    }
    let ready = WantedNode {
        condition: "Ready".to_owned(),
        ..WantedNode::default()
    };
    let mut nodes: Vec<&Value> = items(nodes).collect();
    nodes.sort_by_key(|node| pods::name(node));
    let node = |node: &&Value| {
        let lacks = ready.lacks(node);
        let mut components: BTreeMap<&str, &str> = BTreeMap::new();
        let mut troubles = Vec::new();
        for pod in on.get(pods::name(node)).into_iter().flatten() {
            let container = &pod["spec"]["containers"][0];
            let name = container["name"].as_str().unwrap_or("?");
            components.insert(
                name,
                version(container["image"].as_str().unwrap_or_default()),
            );
            match pods::health(pod) {
                Health::Healthy | Health::Leaving => {}
                Health::Waiting(reason) | Health::Broken(reason) => {
                    troubles.push(format!("{name}: {reason}"));
                }
            }
        }
        let info = &node["status"]["nodeInfo"];
        let text = |key: &str| info[key].as_str().unwrap_or_default();
        json!({
            "name": pods::name(node),
            "ready": lacks.is_none(),
            "reason": lacks.unwrap_or_default(),
            "schedulable": node["spec"]["unschedulable"] != true,
            "kubelet": text("kubeletVersion"),
            "runtime": text("containerRuntimeVersion"),
            "components": components,
            "troubles": troubles,
        })
    };
    nodes.iter().map(node).collect()
}

/// The version in the name of an image: `registry/name:VERSION@sha256:…`.
fn version(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split_once(':').map_or("", |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, FakeController, REAL};

    fn node(name: &str, ready: &str) -> Value {
        json!({
            "metadata": {"name": name}, "spec": {"unschedulable": name == "w1"},
            "status": {
                "conditions": [{"type": "Ready", "status": ready, "message": "no network"}],
                "nodeInfo": {"kubeletVersion": "v1.34.4", "containerRuntimeVersion": "containerd://2.2.9"},
            },
        })
    }

    #[test]
    fn nodes_have_their_versions_and_static_pods() {
        let pod = |node: &str, name: &str, image: &str, ready: &str| {
            json!({
                "metadata": {"name": format!("{name}-{node}")},
                "spec": {"nodeName": node, "containers": [{"name": name, "image": image}]},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
            })
        };
        let pods = json!({"items": [
            pod("cp1", "kube-apiserver", "registry.k8s.io:443/kube-apiserver:v1.34.4@sha256:ab", "True"),
            pod("cp1", "etcd", "registry.k8s.io/etcd:3.6.5-0", "False"),
        ]});
        let nodes = json!({"items": [node("w1", "False"), node("cp1", "True")]});
        assert_eq!(
            listed(&nodes, &pods),
            [
                json!({
                    "name": "cp1", "ready": true, "reason": "", "schedulable": true, "kubelet": "v1.34.4",
                    "runtime": "containerd://2.2.9", "components": {"kube-apiserver": "v1.34.4", "etcd": "3.6.5-0"},
                    "troubles": ["etcd: not ready"],
                }),
                json!({
                    "name": "w1", "ready": false, "reason": "not Ready: no network", "schedulable": false,
                    "kubelet": "v1.34.4", "runtime": "containerd://2.2.9", "components": {}, "troubles": [],
                }),
            ]
        );
    }

    #[test]
    fn what_is_no_list_has_no_nodes_and_an_image_without_a_version_none() {
        for list in [json!(null), json!([]), json!({"items": {"a": 1}})] {
            assert!(listed(&list, &list).is_empty());
        }
        assert_eq!(
            listed(&json!({"items": [7]}), &json!({"items": [7, {"spec": []}]})).len(),
            1
        );
        for image in ["", "etcd", "host:5000/etcd", "@"] {
            assert_eq!(version(image), "");
        }
    }

    #[tokio::test]
    async fn an_api_that_does_not_answer_is_said() {
        let node = fake::Fake::saying(&["status 1\n1\nanswer 18\nconnection refused\n"]);
        let failure =
            fake::run::<KubeNodesArgs>(&node, &FakeController::new("/"), REAL, json!({})).await;
        assert_eq!(
            failure.unwrap_err().message,
            "the API does not answer: connection refused"
        );
    }
}
