//! `wait_pods`: waits until pods are well, and fails early when they cannot become so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::args::{List, Number, Text};
use crate::kube::kubeadm_token::admin;
use crate::kube::kubectl::{Answer, Kubectl, Question};
use crate::kube::pods::{self, Health, Workload};
use crate::kube::selector;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Waits until pods are running and ready, asking with kubectl on the node every few seconds.
///
/// What to wait for: pods by their names, the pods that a selector selects, or all pods of a DaemonSet,
/// Deployment or StatefulSet, which must be complete and current. Pods that have succeeded are well;
/// pods that are being deleted do not count; no pod at all is not enough.
///
/// While it waits it shows what changes, as `kubectl get pods -w` does. A pod that cannot pull its image,
/// crashes again and again, fits on no node or the like makes the task fail after `grace` seconds, with
/// the reason and the last events, and not only when the whole time is over. That the API does not
/// answer is borne for `api_grace` seconds at a time: it happens while etcd gains a member.
///
/// Returns: `pods` (a list of `name`, `node` and `line`), `waited` (seconds).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitPods {
    /// The namespace.
    #[serde(default = "default_namespace")]
    pub namespace: Text,
    /// Pods that must be there, by name; `kube-apiserver-cp1` is how the static pod of node cp1 is
    /// called.
    #[serde(default)]
    pub names: List,
    /// A label selector.
    pub selector: Option<Text>,
    /// A DaemonSet whose pods to wait for.
    pub daemonset: Option<Text>,
    /// A Deployment whose pods to wait for.
    pub deployment: Option<Text>,
    /// A StatefulSet whose pods to wait for.
    pub statefulset: Option<Text>,
    /// How many pods there must be at least.
    #[serde(default = "one")]
    pub count: Number<u32>,
    /// Seconds to wait at most.
    #[serde(default = "five_minutes")]
    pub timeout: Number<u64>,
    /// Seconds between two looks.
    #[serde(default = "two_seconds")]
    pub sleep: Number<u64>,
    /// Seconds that a pod may be broken (`ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`, …) before
    /// that is taken to be final.
    #[serde(default = "half_a_minute")]
    pub grace: Number<u64>,
    /// Seconds that the API may fail to answer, each time.
    #[serde(default = "one_minute")]
    pub api_grace: Number<u64>,
    /// The kubeconfig to use, a path on the node.
    #[serde(default = "admin")]
    pub kubeconfig: Text,
    /// The kubectl to use, from the `PATH` or by its path.
    #[serde(default = "kubectl")]
    pub kubectl: Text,
}

fn default_namespace() -> Text {
    Text::from("default")
}

fn one() -> Number<u32> {
    Number(1)
}

pub(super) fn five_minutes() -> Number<u64> {
    Number(300)
}

pub(super) fn two_seconds() -> Number<u64> {
    Number(2)
}

fn half_a_minute() -> Number<u64> {
    Number(30)
}

pub(super) fn one_minute() -> Number<u64> {
    Number(60)
}

pub(super) fn kubectl() -> Text {
    Text::from("kubectl")
}

impl WaitPods {
    fn workload(&self) -> Option<(Workload, &str)> {
        [
            (Workload::DaemonSet, &self.daemonset),
            (Workload::Deployment, &self.deployment),
            (Workload::StatefulSet, &self.statefulset),
        ]
        .into_iter()
        .find_map(|(workload, name)| Some((workload, &**name.as_ref()?)))
    }

    fn kubectl(&self) -> Kubectl<'_> {
        Kubectl {
            program: &self.kubectl,
            kubeconfig: &self.kubeconfig,
        }
    }

    /// What is waited for, in words.
    fn what(&self) -> String {
        let of = match (self.workload(), &self.selector) {
            (Some((workload, name)), _) => format!("the {} {name}", workload.resource()),
            (None, Some(selector)) => format!("pods with {selector}"),
            (None, None) => format!("pods {}", self.names.join(", ")),
        };
        format!("{of} in {}", self.namespace)
    }
}

impl Arguments for WaitPods {
    const NAME: &'static str = "wait_pods";
    const NEEDS: &'static [&'static str] =
        &["kubectl", "a kubeconfig that the task's user can read"];

    fn validate(&self) -> Result<(), String> {
        let ways = [
            !self.names.is_empty(),
            self.selector.is_some(),
            self.daemonset.is_some(),
            self.deployment.is_some(),
            self.statefulset.is_some(),
        ];
        match ways.iter().filter(|way| **way).count() {
            1 => Ok(()),
            0 => Err(
                "say which pods: names, selector, daemonset, deployment or statefulset".to_owned(),
            ),
            _ => Err(
                "names, selector, daemonset, deployment and statefulset exclude each other"
                    .to_owned(),
            ),
        }
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        if context.check {
            return Ok(Outcome::ok().message(format!("would wait for {}", self.what())));
        }
        let mut watch = Watch::new(self);
        let started = Instant::now();
        let mut shown = BTreeMap::new();
        loop {
            let questions = watch.questions();
            let answers = self
                .kubectl()
                .ask(context, &questions, Duration::from_secs(45))
                .await?;
            let look = watch.look(answers, Instant::now());
            show(context, &mut shown, &look);
            match look.verdict {
                Verdict::Well => return Ok(self.done(&look, started.elapsed())),
                Verdict::Broken(broken) => return Err(self.broken(context, broken).await),
                Verdict::Silent(why) => {
                    return Err(Failure::new(format!(
                        "{} cannot be waited for: {why}",
                        self.what()
                    ))
                    .hint(
                        "see `crictl ps` and `journalctl -u kubelet` on the control planes; \
                             `api_grace` bears more",
                    ));
                }
                Verdict::Waiting(lacks) => {
                    if started.elapsed() >= Duration::from_secs(*self.timeout) {
                        return Err(self.too_late(&lacks, &look.pods));
                    }
                }
            }
            tokio::time::sleep(Duration::from_secs(*self.sleep)).await;
        }
    }
}

impl WaitPods {
    fn done(&self, look: &Look, waited: Duration) -> Outcome {
        let pods: Vec<Value> = look
            .pods
            .iter()
            .filter(|pod| pods::health(pod) == Health::Well)
            .map(|pod| {
                serde_json::json!({
                    "name": pods::name(pod),
                    "node": pod["spec"]["nodeName"].as_str().unwrap_or_default(),
                    "line": pods::line(pod),
                })
            })
            .collect();
        Outcome::ok()
            .message(format!("{} pods are well: {}", pods.len(), self.what()))
            .with("pods", pods)
            .with("waited", waited.as_secs())
    }

    fn too_late(&self, lacks: &str, pods: &[Value]) -> Failure {
        let lines: Vec<String> = pods.iter().map(pods::line).collect();
        Failure::new(format!(
            "{} did not become well within {} s: {lacks}",
            self.what(),
            *self.timeout
        ))
        .hint(format!(
            "see `kubectl -n {} get pods` and `kubectl -n {} describe pod …`; `timeout` gives them more time",
            self.namespace, self.namespace
        ))
        .with("pods", lines)
    }

    /// A failure with the last events of the pod.
    async fn broken(&self, context: &Context<'_>, broken: Broken) -> Failure {
        let pod = &broken.pod;
        let question = words(&[
            "get",
            "events",
            "--namespace",
            &self.namespace,
            "--field-selector",
            &format!("involvedObject.name={pod}"),
            "-o",
            "json",
        ]);
        let answers = self
            .kubectl()
            .ask(context, &[question], Duration::from_secs(45))
            .await;
        let events = match answers.as_deref() {
            Ok([Ok(list)]) => last_events(list),
            _ => Vec::new(),
        };
        let mut message = format!("pod {pod} in {}: {}", self.namespace, broken.reason);
        for event in &events {
            message.push_str("\n  ");
            message.push_str(event);
        }
        Failure::new(message)
            .hint(format!(
                "see `kubectl -n {0} describe pod {pod}` and `kubectl -n {0} logs {pod}`",
                self.namespace
            ))
            .with("pod", broken.pod)
            .with("reason", broken.reason)
            .with("events", events)
    }
}

fn words(words: &[&str]) -> Question {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// How many events a failure shows.
const EVENTS: usize = 5;

/// The last events of a list, oldest first, each on a line.
fn last_events(list: &Value) -> Vec<String> {
    let mut events: Vec<(&str, String)> = list["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| {
            let when = ["lastTimestamp", "eventTime"]
                .iter()
                .find_map(|key| event[*key].as_str())
                .unwrap_or_default();
            let reason = event["reason"].as_str().unwrap_or("?");
            let message = event["message"].as_str().unwrap_or_default();
            let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
            (when, format!("{reason}: {message}"))
        })
        .collect();
    events.sort_by(|a, b| a.0.cmp(b.0));
    let skip = events.len().saturating_sub(EVENTS);
    events
        .into_iter()
        .skip(skip)
        .map(|(_, line)| line)
        .collect()
}

/// Shows the lines that are other than before.
fn show(context: &Context<'_>, shown: &mut BTreeMap<String, String>, look: &Look) {
    let lines = look
        .pods
        .iter()
        .map(|pod| (pods::identity(pod), pods::line(pod)))
        .chain(match &look.verdict {
            Verdict::Waiting(lacks) => Some((String::new(), format!("waiting: {lacks}"))),
            _ => None,
        });
    for (key, line) in lines {
        if shown.get(&key) != Some(&line) {
            context.control.progress(&line);
            shown.insert(key, line);
        }
    }
}

/// A pod that cannot become well.
#[derive(Debug, PartialEq, Eq)]
struct Broken {
    pod: String,
    reason: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Well,
    Waiting(String),
    Broken(Broken),
    /// The API has not answered for too long.
    Silent(String),
}

/// One look at the pods.
#[derive(Debug)]
struct Look {
    pods: Vec<Value>,
    verdict: Verdict,
}

/// What is known from one look to the next.
struct Watch<'a> {
    wait: &'a WaitPods,
    /// The selector of the workload, once it was seen.
    selector: Option<String>,
    /// Since when a pod has been broken.
    broken: BTreeMap<String, Instant>,
    /// Since when the API has not answered.
    silent: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(wait: &'a WaitPods) -> Self {
        Self {
            selector: wait.selector.as_ref().map(|selector| selector.0.clone()),
            wait,
            broken: BTreeMap::new(),
            silent: None,
        }
    }

    /// What to ask next: the workload, if one is waited for, and the pods, once it is known which.
    fn questions(&self) -> Vec<Question> {
        let namespace = &*self.wait.namespace;
        let mut questions = Vec::new();
        let workload = self.wait.workload();
        if let Some((workload, name)) = workload {
            let resource = workload.resource();
            questions.push(words(&[
                "get",
                resource,
                name,
                "--namespace",
                namespace,
                "-o",
                "json",
            ]));
        }
        let mut pods = words(&["get", "pods", "--namespace", namespace, "-o", "json"]);
        match &self.selector {
            Some(selector) => pods.extend(words(&["--selector", selector])),
            None if workload.is_some() => return questions,
            None => {}
        }
        questions.push(pods);
        questions
    }

    /// Judges the answers to [`Watch::questions`].
    fn look(&mut self, answers: Vec<Answer>, now: Instant) -> Look {
        let mut answers = answers.into_iter();
        let mut lacks = None;
        if let Some((workload, name)) = self.wait.workload() {
            match answers.next() {
                Some(Ok(object)) => {
                    self.selector = selector::text(&object["spec"]["selector"]);
                    lacks = workload.lacks(&object);
                }
                Some(Err(error)) if error.contains("NotFound") => {
                    self.silent = None;
                    return Look {
                        pods: Vec::new(),
                        verdict: Verdict::Waiting(format!(
                            "there is no {} {name} yet",
                            workload.resource()
                        )),
                    };
                }
                Some(Err(error)) => return self.no_answer(&error, now),
                None => return self.no_answer("no answer", now),
            }
        }
        match answers.next() {
            Some(Ok(list)) => {
                self.silent = None;
                let pods = self.chosen(list);
                let verdict = self.verdict(&pods, lacks, now);
                Look { pods, verdict }
            }
            Some(Err(error)) => self.no_answer(&error, now),
            // Not asked yet.
            None => Look {
                pods: Vec::new(),
                verdict: Verdict::Waiting(lacks.unwrap_or_else(|| "its pods".to_owned())),
            },
        }
    }

    /// The pods that are waited for, among those of the answer.
    fn chosen(&self, mut list: Value) -> Vec<Value> {
        let names: BTreeSet<&str> = self.wait.names.iter().map(String::as_str).collect();
        let Value::Array(items) = list["items"].take() else {
            return Vec::new();
        };
        items
            .into_iter()
            .filter(|pod| names.is_empty() || names.contains(pods::name(pod)))
            .collect()
    }

    fn verdict(&mut self, pods: &[Value], lacks: Option<String>, now: Instant) -> Verdict {
        let mut well = 0;
        let mut waiting = Vec::new();
        let mut broken = BTreeMap::new();
        let mut final_one = None;
        for pod in pods {
            match pods::health(pod) {
                Health::Well => well += 1,
                Health::Leaving => {}
                Health::Waiting(_) => {
                    waiting.push(pods::name(pod));
                    // Between two crashes a container runs for a while: that mends nothing.
                    let identity = pods::identity(pod);
                    if let Some(since) = self.broken.get(&identity) {
                        broken.insert(identity, *since);
                    }
                }
                Health::Broken(reason) => {
                    waiting.push(pods::name(pod));
                    let identity = pods::identity(pod);
                    let since = self.broken.get(&identity).copied().unwrap_or(now);
                    broken.insert(identity, since);
                    if now.duration_since(since) >= Duration::from_secs(*self.wait.grace) {
                        final_one = final_one.or_else(|| {
                            Some(Broken {
                                pod: pods::name(pod).to_owned(),
                                reason,
                            })
                        });
                    }
                }
            }
        }
        self.broken = broken;
        if let Some(broken) = final_one {
            return Verdict::Broken(broken);
        }
        let absent: Vec<&str> = self
            .wait
            .names
            .iter()
            .map(String::as_str)
            .filter(|name| !pods.iter().any(|pod| pods::name(pod) == *name))
            .collect();
        if let Some(lacks) = lacks {
            return Verdict::Waiting(lacks);
        }
        if !absent.is_empty() {
            return Verdict::Waiting(format!("not there yet: {}", absent.join(", ")));
        }
        if !waiting.is_empty() {
            return Verdict::Waiting(format!("not ready yet: {}", waiting.join(", ")));
        }
        let count = usize::try_from(*self.wait.count).unwrap_or(usize::MAX);
        if well < count {
            return Verdict::Waiting(format!("{well} of at least {count} pods"));
        }
        Verdict::Well
    }

    fn no_answer(&mut self, error: &str, now: Instant) -> Look {
        let since = *self.silent.get_or_insert(now);
        let verdict = if now.duration_since(since) >= Duration::from_secs(*self.wait.api_grace) {
            Verdict::Silent(format!(
                "the API has not answered for {} s: {error}",
                now.duration_since(since).as_secs()
            ))
        } else {
            Verdict::Waiting(format!("the API does not answer: {error}"))
        };
        Look {
            pods: Vec::new(),
            verdict,
        }
    }
}
