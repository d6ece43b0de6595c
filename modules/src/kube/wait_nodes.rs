//! `wait_nodes`: waits until nodes are Ready.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::args::{Flag, List, NodePath, Number, Text};
use crate::describe::{CheckMode, Return};
use crate::kube::defaults::{admin, five_minutes, kubectl, one, one_minute, two_seconds};
use crate::kube::kubectl::Kubectl;
use crate::kube::nodes::WantedNode;
use crate::kube::pods;
use crate::kube::shown::Shown;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Waits until nodes are Ready, asking with kubectl on the node every few seconds.
///
/// Before a CNI is there no node becomes Ready: wait after it. While it waits it shows what changes.
/// That the API does not answer is borne for `api_grace` seconds at a time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitNodesArgs {
    /// Nodes to wait for, by name. None: all that the selector selects, or all there are.
    #[serde(default)]
    pub names: List,
    /// A label selector.
    pub selector: Option<Text>,
    /// How many nodes there must be at least.
    #[serde(default = "one")]
    pub count: Number<u32>,
    /// The condition that must be true.
    #[serde(default = "ready")]
    pub condition: Text,
    /// Whether the nodes must take new pods: a cordoned one is waited for.
    #[serde(default = "Flag::no")]
    pub schedulable: Flag,
    /// Labels that the nodes must have, with their values.
    #[serde(default)]
    pub labels: BTreeMap<String, Text>,
    /// Seconds to wait at most.
    #[serde(default = "five_minutes")]
    pub timeout: Number<u64>,
    /// Seconds between two looks.
    #[serde(default = "two_seconds")]
    pub sleep: Number<u64>,
    /// Seconds that the API may fail to answer, each time.
    #[serde(default = "one_minute")]
    pub api_grace: Number<u64>,
    /// The kubeconfig to use, a path on the node.
    #[serde(default = "admin")]
    pub kubeconfig: NodePath,
    /// The kubectl to use, from the `PATH` or by its path.
    #[serde(default = "kubectl")]
    pub kubectl: Text,
}

fn ready() -> Text {
    Text::from("Ready")
}

impl Arguments for WaitNodesArgs {
    const NAME: &'static str = "wait_nodes";
    const NEEDS: &'static [&'static str] =
        &["kubectl", "a kubeconfig that the task's user can read"];
    const RETURNS: &'static [Return] = &[
        Return::list("nodes", "the nodes, each with `name` and `version`"),
        Return::int("waited", "how long it took, in seconds"),
        Return::text("msg", "a sentence about it"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Does("Nothing is waited for.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Wait for all nodes of the inventory\n  wait_nodes:\n    names: \"{{ groups.all }}\"\n    labels:\n      kubernetes.io/os: linux\n    timeout: 600\n  become: true\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        if context.check {
            return Ok(Outcome::ok().message("would wait for nodes"));
        }
        let kubectl = Kubectl {
            program: &self.kubectl,
            kubeconfig: &self.kubeconfig,
        };
        let started = Instant::now();
        let mut silent: Option<Instant> = None;
        let mut shown = Shown::default();
        loop {
            let answers = kubectl
                .ask(context, &[self.question()], Duration::from_secs(45))
                .await?;
            let lacking =
                match answers.into_iter().next() {
                    Some(Ok(list)) => {
                        silent = None;
                        let nodes = self.chosen(&list);
                        let lacking = self.lacking(&nodes);
                        if lacking.is_empty() {
                            return Ok(done(&nodes, started.elapsed()));
                        }
                        lacking
                    }
                    other => {
                        let why = match other {
                            Some(Err(why)) => why,
                            _ => "no answer".to_owned(),
                        };
                        let since = *silent.get_or_insert_with(Instant::now);
                        if since.elapsed() >= self.api_grace.seconds() {
                            return Err(Failure::new(format!(
                            "nodes cannot be waited for: the API has not answered for {} s: {why}",
                            since.elapsed().as_secs()
                        ))
                        .hint("see `crictl ps` and `journalctl -u kubelet` on the control planes"));
                        }
                        vec![(String::new(), format!("the API does not answer: {why}"))]
                    }
                };
            let lines = lacking.iter();
            let lines = lines.map(|(name, line)| (name.clone(), describe(name, line)));
            shown.show(context, lines, silent.is_some());
            if started.elapsed() >= self.timeout.seconds() {
                return Err(self.too_late(&lacking));
            }
            context.control.sleep(self.sleep.seconds()).await?;
        }
    }
}

fn describe(name: &str, line: &str) -> String {
    if name.is_empty() {
        line.to_owned()
    } else {
        format!("{name}: {line}")
    }
}

impl WaitNodesArgs {
    fn question(&self) -> Vec<String> {
        let mut words = vec!["get", "nodes", "-o", "json"];
        if let Some(selector) = &self.selector {
            words.extend(["--selector", selector]);
        }
        words.into_iter().map(str::to_owned).collect()
    }

    fn chosen<'a>(&self, list: &'a Value) -> Vec<&'a Value> {
        let names: HashSet<&str> = self.names.iter().map(String::as_str).collect();
        let nodes = list["items"].as_array().into_iter().flatten();
        nodes
            .filter(|node| names.is_empty() || names.contains(pods::name(node)))
            .collect()
    }

    /// What is not so yet: a node's name (empty for the whole) and the reason.
    fn lacking(&self, nodes: &[&Value]) -> Vec<(String, String)> {
        let wanted = WantedNode {
            condition: self.condition.0.clone(),
            schedulable: *self.schedulable,
            labels: self
                .labels
                .iter()
                .map(|(key, value)| (key.clone(), value.0.clone()))
                .collect(),
        };
        let there: HashSet<&str> = nodes.iter().map(|node| pods::name(node)).collect();
        let mut lacking: Vec<(String, String)> = self
            .names
            .iter()
            .filter(|name| !there.contains(&***name))
            .map(|name| (name.clone(), "no such node yet".to_owned()))
            .collect();
        lacking.extend(
            nodes
                .iter()
                .filter_map(|node| Some((pods::name(node).to_owned(), wanted.lacks(node)?))),
        );
        let count = usize::try_from(*self.count).unwrap_or(usize::MAX);
        if nodes.len() < count {
            lacking.push((
                String::new(),
                format!("{} of at least {count} nodes", nodes.len()),
            ));
        }
        lacking
    }

    fn too_late(&self, lacking: &[(String, String)]) -> Failure {
        let lines: Vec<String> = lacking
            .iter()
            .map(|(name, line)| describe(name, line))
            .collect();
        Failure::new(format!(
            "not all nodes were {} within {} s: {}",
            self.condition,
            *self.timeout,
            lines.join("; ")
        ))
        .hint(
            "see `kubectl describe node …`; without a working CNI no node becomes Ready; `timeout` \
             gives them more time",
        )
        .with("nodes", lines)
    }
}

fn done(nodes: &[&Value], waited: Duration) -> Outcome {
    let list: Vec<Value> = nodes
        .iter()
        .map(|node| {
            json!({
                "name": pods::name(node),
                "version": node["status"]["nodeInfo"]["kubeletVersion"].as_str().unwrap_or_default(),
            })
        })
        .collect();
    Outcome::ok()
        .message(format!("{} nodes are as wanted", list.len()))
        .with("nodes", list)
        .with("waited", waited.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, FakeController, REAL, Shell, shells};

    fn cluster(nodes: &[(&str, &str)]) -> Shell {
        let items: Vec<Value> = nodes
            .iter()
            .map(|(name, ready)| {
                json!({
                    "metadata": {"name": name},
                    "status": {
                        "conditions": [{"type": "Ready", "status": ready}],
                        "nodeInfo": {"kubeletVersion": "v1.20.2"},
                    },
                })
            })
            .collect();
        let shell = shells().remove(0);
        std::fs::write(shell.dir().join("admin.conf"), "").unwrap();
        shell.tool("kubectl", &format!("echo '{}'", json!({"items": items})))
    }

    async fn wait(shell: &Shell, names: &[&str]) -> Result<Outcome, Failure> {
        let control = FakeController::new(shell.dir());
        let arguments = json!({
            "names": names, "kubeconfig": shell.at("admin.conf"), "timeout": 0, "sleep": 0, "count": 2,
        });
        fake::run::<WaitNodesArgs>(shell, &control, REAL, arguments).await
    }

    #[tokio::test]
    async fn ready_nodes_are_enough_and_others_do_not_matter() {
        let shell = cluster(&[("cp1", "True"), ("w1", "True"), ("old", "False")]);
        let outcome = wait(&shell, &["cp1", "w1"]).await.unwrap();
        assert!(!outcome.changed);
        assert_eq!(
            outcome.data["nodes"],
            json!([{"name": "cp1", "version": "v1.20.2"}, {"name": "w1", "version": "v1.20.2"}])
        );
        assert_eq!(shell.trips(), 1);
    }

    #[tokio::test]
    async fn too_late_names_every_node_that_lacks_something() {
        let shell = cluster(&[("cp1", "True"), ("w1", "False")]);
        let failure = wait(&shell, &["cp1", "w1", "w2"]).await.unwrap_err();
        assert_eq!(
            failure.message,
            "not all nodes were Ready within 0 s: w2: no such node yet; w1: not Ready"
        );
    }

    /// In time that grows with its length: nothing can stop what works on it.
    #[test]
    fn many_nodes_are_looked_at_at_once() {
        let names: Vec<String> = (0..5_000).map(|number| format!("w{number}")).collect();
        let wait: WaitNodesArgs = serde_json::from_value(json!({ "names": names })).unwrap();
        let items = vec![json!({"metadata": {"name": "w4999"}}); 100_000];
        let list = json!({ "items": items });
        let nodes = wait.chosen(&list);
        assert_eq!(nodes.len(), 100_000);
        assert_eq!(wait.lacking(&nodes).len(), 4_999 + 100_000);
    }
}
