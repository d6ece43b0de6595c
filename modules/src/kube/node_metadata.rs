//! `node_metadata`: labels, annotations and taints of Nodes as they are wished for.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::args::{Data, NodePath, Number, Text};
use crate::describe::{CheckMode, Invalid, Return, Rule};
use crate::kube::defaults::{admin, five, kubectl, two_seconds};
use crate::kube::kubectl::{Kubectl, Question, words};
use crate::kube::node_wishes::{self, Plan, Record, Wishes};
use crate::kube::pods;
use crate::kube::pruned;
use crate::module::{Arguments, Context};
use crate::outcome::{Difference, Failure, Outcome};

/// Keeps labels, annotations and taints of Nodes as they are wished for, with kubectl on a control plane: one round
/// trip for all of them where nothing is to be changed, two where something is.
///
/// Only what is named is touched, and what was named in an earlier run and is not any more: that is removed, as
/// `kubectl apply` does. All else on a Node is others'. What was set is recorded in the `ConfigMap`
/// `windlass-node-metadata` in kube-system: a kubelet can write annotations of its own Node, but not there, so that no
/// node can have a taint taken away that was meant for it.
///
/// With nothing (`null`) as its value a label or an annotation is removed, whoever has set it; a taint with a `-` at its
/// end likewise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeMetadataArgs {
    /// Labels: a mapping of the names of Nodes, each with a mapping of texts.
    #[serde(default)]
    pub labels: Data,
    /// Annotations: the same.
    #[serde(default)]
    pub annotations: Data,
    /// Taints: a mapping of the names of Nodes, each with a list of texts as kubectl takes them
    /// (`dedicated=db:NoSchedule`) or of mappings of `key`, `value` and `effect`.
    #[serde(default)]
    pub taints: Data,
    /// Whether the Nodes are looked at at all.
    #[serde(default)]
    pub state: WishState,
    /// How many times to try again when the API does not answer, or somebody else has just changed a Node.
    #[serde(default = "five")]
    pub retries: Number<u32>,
    /// Seconds between two tries.
    #[serde(default = "two_seconds")]
    pub delay: Number<u64>,
    /// The kubeconfig to use, a path on the node.
    #[serde(default = "admin")]
    pub kubeconfig: NodePath,
    /// The kubectl to use, from the `PATH` or by its path.
    #[serde(default = "kubectl")]
    pub kubectl: Text,
}

/// What is done with the wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WishState {
    /// The Nodes are as they say.
    #[default]
    Present,
    /// They are only checked for what Kubernetes would refuse; no cluster is needed.
    Checked,
}

/// Where it is recorded what was set.
const RECORD: &str = "windlass-node-metadata";

/// How long a look may take, and how long what is done with one Node.
const LIMIT: Duration = Duration::from_secs(60);

/// How many bytes of the record are written with one kubectl: they are one word of its command line.
const PORTION: usize = 64 << 10;

impl Arguments for NodeMetadataArgs {
    const NAME: &'static str = "node_metadata";
    const NEEDS: &'static [&'static str] =
        &["kubectl", "a kubeconfig that the task's user can read"];
    const RULES: &'static [Rule] = &[];
    const RETURNS: &'static [Return] = &[
        Return::list(
            "nodes",
            "the Nodes that change, each with `name` and `changes`, a list of texts",
        ),
        Return::text("msg", "a sentence about it"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Finds;
    const READS_WITH: Option<(&'static str, &'static str)> = Some(("state", "checked"));
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Give one node a label and a taint\n  node_metadata:\n    labels:\n      w1: {disk: ssd}\n    taints:\n      w1: [\"dedicated=db:NoSchedule\"]\n  become: true\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        self.wishes().map(drop)
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let wishes = self.wishes().map_err(|error| Failure::new(error.message))?;
        if self.state == WishState::Checked || wishes.is_empty() {
            return Ok(Outcome::ok().message("nothing is wrong with them"));
        }
        let mut tries = *self.retries;
        let mut done: BTreeMap<String, Vec<String>> = BTreeMap::new();
        loop {
            let failed = match self.once(context, &wishes, &mut done).await? {
                Ok(()) => return Ok(outcome(done, context.check)),
                Err(failure) => failure,
            };
            if tries == 0 {
                return Err(failed);
            }
            tries -= 1;
            let message = format!("trying again: {}", failed.message);
            context.control.progress(&message);
            context.control.sleep(self.delay.seconds()).await?;
        }
    }
}

/// How wishes of one kind are taken in.
type Take = fn(&mut Wishes, &Value) -> Result<(), String>;

impl NodeMetadataArgs {
    /// What is wished for, by the names of Nodes.
    fn wishes(&self) -> Result<BTreeMap<String, Wishes>, Invalid> {
        let mut wishes: BTreeMap<String, Wishes> = BTreeMap::new();
        let all: [(&'static [&'static str], &Value, Take); 3] = [
            (&["labels"], &self.labels, Wishes::labels),
            (&["annotations"], &self.annotations, Wishes::annotations),
            (&["taints"], &self.taints, Wishes::taints),
        ];
        for (argument, value, take) in all {
            let nodes = match value {
                Value::Null => continue,
                Value::Object(nodes) => nodes,
                _ => {
                    return Err(Invalid::new(
                        argument,
                        "it is a mapping of the names of Nodes",
                    ));
                }
            };
            for (node, value) in nodes {
                let wish = wishes.entry(node.clone()).or_default();
                take(wish, value).map_err(|why| {
                    Invalid::new(argument, format!("{} of {node}: {why}", argument[0]))
                })?;
            }
        }
        Ok(wishes)
    }

    fn kubectl(&self) -> Kubectl<'_> {
        Kubectl {
            program: &self.kubectl,
            kubeconfig: &self.kubeconfig,
        }
    }

    /// One look, and what follows from it; adds to `done` what has changed. The inner error may be gone when it is
    /// tried again.
    async fn once(
        &self,
        context: &Context<'_>,
        wishes: &BTreeMap<String, Wishes>,
        done: &mut BTreeMap<String, Vec<String>>,
    ) -> Result<Result<(), Failure>, Failure> {
        let look = match self.look(context).await? {
            Ok(look) => look,
            Err(why) => {
                return Ok(Err(Failure::new(format!(
                    "the Nodes cannot be looked at: {why}"
                ))));
            }
        };
        let mut plans: Vec<(&str, Plan)> = Vec::new();
        for (name, wish) in wishes {
            let found = look.nodes.iter().find(|node| pods::name(node) == name);
            let nothing = json!({});
            let node = match found {
                Some(node) => node,
                // It joins in this run.
                None if context.check => &nothing,
                None => {
                    let known: Vec<&str> = look.nodes.iter().map(pods::name).collect();
                    return Err(Failure::new(format!(
                        "there is no Node {name}; there are: {}",
                        known.join(", ")
                    )));
                }
            };
            let record = look.record(name);
            let plan = node_wishes::plan(node, wish, &record);
            let known =
                record == plan.records[1] || (record.is_empty() && plan.records[1].is_empty());
            if plan.patch.is_some() || !known {
                plans.push((name, plan));
            }
        }
        if context.check || plans.is_empty() {
            for (name, plan) in plans {
                note(done, name, &plan);
            }
            return Ok(Ok(()));
        }
        self.change(context, &look, &plans, done).await
    }

    /// The Nodes, and what was recorded.
    async fn look(&self, context: &Context<'_>) -> Result<Result<Look, String>, Failure> {
        let questions = [
            words(&["get", "nodes", "-o", "json"]),
            words(&[
                "get",
                "configmap",
                RECORD,
                "--namespace",
                "kube-system",
                "--ignore-not-found",
                "-o",
                "json",
            ]),
        ];
        let said = self.kubectl().print(context, &questions, LIMIT).await?;
        let [nodes, record] = &said[..] else {
            return Ok(Err("the node gave no answer".to_owned()));
        };
        let (nodes, record) = match (nodes, record) {
            (Ok(nodes), Ok(record)) => (nodes, record),
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error.clone())),
        };
        let json = |text: &str| {
            let start = text.find('{').unwrap_or(text.len());
            pruned::read_written(&text[start..])
        };
        let mut nodes = match json(nodes) {
            Ok(nodes) => nodes,
            Err(why) => {
                return Ok(Err(format!(
                    "kubectl printed no JSON that can be used: {why}"
                )));
            }
        };
        let nodes = match nodes["items"].take() {
            Value::Array(nodes) => nodes,
            _ => Vec::new(),
        };
        Ok(Ok(Look {
            nodes,
            record: json(record).ok(),
        }))
    }

    async fn change(
        &self,
        context: &Context<'_>,
        look: &Look,
        plans: &[(&str, Plan)],
        done: &mut BTreeMap<String, Vec<String>>,
    ) -> Result<Result<(), Failure>, Failure> {
        let mut questions: Vec<Question> = Vec::new();
        if look.record.is_none() {
            questions.push(words(&[
                "create",
                "configmap",
                RECORD,
                "--namespace",
                "kube-system",
            ]));
        }
        // First what is about to be set: a run that ends in between has forgotten nothing.
        let record = |at: usize| {
            plans
                .iter()
                .map(move |(name, plan)| (*name, &plan.records[at]))
        };
        questions.extend(written(record(0)));
        let first = questions.len();
        let patched: Vec<_> = plans
            .iter()
            .filter(|(_, plan)| plan.patch.is_some())
            .collect();
        for (name, plan) in &patched {
            let patch = plan
                .patch
                .as_ref()
                .map(Value::to_string)
                .unwrap_or_default();
            questions.push(words(&[
                "patch",
                "node",
                name,
                "--type=merge",
                "--patch",
                &patch,
            ]));
        }
        let unfinished = plans
            .iter()
            .filter(|(_, plan)| plan.records[0] != plan.records[1]);
        questions.extend(written(
            unfinished.map(|(name, plan)| (*name, &plan.records[1])),
        ));
        let limit = LIMIT * u32::try_from(questions.len()).unwrap_or(u32::MAX);
        let said = self.kubectl().in_order(context, &questions, limit).await?;
        let well = said.iter().take_while(|answer| answer.is_ok()).count();
        for (name, plan) in patched.iter().take(well.saturating_sub(first)) {
            note(done, name, plan);
        }
        let Some(Err(why)) = said.get(well) else {
            for (name, plan) in plans {
                note(done, name, plan);
            }
            return Ok(Ok(()));
        };
        let what = match patched.get(well.wrapping_sub(first)) {
            Some((name, _)) => format!("Node {name} cannot be changed"),
            None => format!("the ConfigMap {RECORD} in kube-system cannot be written"),
        };
        Ok(Err(Failure::new(format!("{what}: {why}"))))
    }
}

/// The Nodes and the record as they are.
struct Look {
    nodes: Vec<Value>,
    record: Option<Value>,
}

impl Look {
    fn record(&self, node: &str) -> Record {
        let text = self
            .record
            .as_ref()
            .and_then(|map| map["data"][node].as_str());
        Record::read(text.unwrap_or_default())
    }
}

/// What writes records, in portions; one that is empty goes.
fn written<'a>(records: impl Iterator<Item = (&'a str, &'a Record)>) -> Vec<Question> {
    let mut portions: Vec<(usize, Map<String, Value>)> = Vec::new();
    for (node, record) in records {
        let value = if record.is_empty() {
            Value::Null
        } else {
            record.text().into()
        };
        let bytes = node.len() + record.text().len();
        match portions.last_mut() {
            Some((filled, map)) if *filled + bytes <= PORTION => {
                *filled += bytes;
                map.insert(node.to_owned(), value);
            }
            _ => portions.push((bytes, Map::from_iter([(node.to_owned(), value)]))),
        }
    }
    let question = |(_, map)| {
        let patch = json!({ "data": Value::Object(map) }).to_string();
        words(&[
            "patch",
            "configmap",
            RECORD,
            "--namespace",
            "kube-system",
            "--type=merge",
            "--patch",
            &patch,
        ])
    };
    portions.into_iter().map(question).collect()
}

/// Keeps what was changed of a Node, once.
fn note(done: &mut BTreeMap<String, Vec<String>>, name: &str, plan: &Plan) {
    let known = done.entry(name.to_owned()).or_default();
    for change in &plan.changes {
        if !known.contains(change) {
            known.push(change.clone());
        }
    }
}

/// How many Nodes a message names.
const NAMED: usize = 5;

fn outcome(done: BTreeMap<String, Vec<String>>, check: bool) -> Outcome {
    if done.is_empty() {
        return Outcome::ok()
            .message("all Nodes are as they should be")
            .with("nodes", Vec::<Value>::new());
    }
    let would = if check { "would change" } else { "changed" };
    let line = |(name, changes): (&String, &Vec<String>)| match &changes[..] {
        [] => format!("{name}: what is kept is recorded"),
        changes => format!("{name}: {}", changes.join(", ")),
    };
    let mut lines: Vec<String> = done.iter().take(NAMED).map(line).collect();
    if done.len() > NAMED {
        lines.push(format!("and {} more", done.len() - NAMED));
    }
    let message = format!("{} Nodes {would}: {}", done.len(), lines.join("; "));
    let mut outcome = Outcome::changed(true).message(message);
    outcome.diff = done
        .iter()
        .map(|(name, changes)| difference(name, changes))
        .collect();
    let nodes = done
        .into_iter()
        .map(|(name, changes)| json!({"name": name, "changes": changes}));
    outcome.with("nodes", nodes.collect::<Vec<_>>())
}

fn difference(name: &str, changes: &[String]) -> Difference {
    Difference {
        before_header: format!("node/{name}"),
        after_header: format!("node/{name}"),
        before: String::new(),
        after: changes.join("\n") + "\n",
    }
}

#[cfg(test)]
#[path = "node_metadata_tests.rs"]
mod tests;
