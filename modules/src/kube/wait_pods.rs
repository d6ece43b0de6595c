//! `wait_pods`: waits until pods are healthy, and fails early when they cannot become so.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::describe::{CheckMode, Return, Rule};
use crate::kube::kubectl::{self, Question, words};
use crate::kube::last_words;
use crate::kube::pod_watch::{Broken, Look, Verdict, Watch};
use crate::kube::pods::{self, Health};
use crate::kube::shown::Shown;
use crate::kube::wanted_pods::WaitPodsArgs;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

impl Arguments for WaitPodsArgs {
    const NAME: &'static str = "wait_pods";
    const NEEDS: &'static [&'static str] =
        &["kubectl", "a kubeconfig that the task's user can read"];
    const RULES: &'static [Rule] = &[Rule::ExactlyOne(&[
        "names",
        "selector",
        "daemonset",
        "deployment",
        "statefulset",
    ])];
    const RETURNS: &'static [Return] = &[
        Return::list(
            "pods",
            "the pods, each with `name`, `node` and `line`, as `kubectl get pods` shows it",
        ),
        Return::int("waited", "how long it took, in seconds"),
        Return::text("msg", "a sentence about it"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Does("Nothing is waited for.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Wait until DNS answers\n  wait_pods:\n    namespace: kube-system\n    deployment: coredns\n  become: true\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        if context.check {
            return Ok(Outcome::ok().message(format!("would wait for {}", self.what())));
        }
        let mut watch = Watch::new(self);
        let started = Instant::now();
        let mut shown = Shown::default();
        let mut first = true;
        loop {
            let questions = watch.questions();
            let answers = self
                .kubectl()
                .ask(context, &questions, Duration::from_secs(45))
                .await?;
            let look = watch.look(answers, Instant::now());
            // What is healthy from the beginning needs no words.
            if !(first && look.verdict == Verdict::Healthy) {
                show(context, &mut shown, &look);
            }
            match look.verdict {
                // Now it is known which pods to ask for.
                Verdict::Unasked => continue,
                Verdict::Healthy => return Ok(self.done(&look, started.elapsed())),
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
                    if started.elapsed() >= self.timeout.seconds() {
                        return Err(self.too_late(context, &lacks, &look.pods).await);
                    }
                }
            }
            first = false;
            context.control.sleep(self.sleep.seconds()).await?;
        }
    }
}

impl WaitPodsArgs {
    fn done(&self, look: &Look, waited: Duration) -> Outcome {
        let pods: Vec<Value> = look
            .pods
            .iter()
            .filter(|pod| pods::health(pod) == Health::Healthy)
            .map(|pod| {
                serde_json::json!({
                    "name": pods::name(pod),
                    "node": pod["spec"]["nodeName"].as_str().unwrap_or_default(),
                    "line": pods::line(pod),
                })
            })
            .collect();
        let mut outcome = Outcome::ok()
            .message(format!("{} pods are healthy: {}", pods.len(), self.what()))
            .with("pods", pods)
            .with("waited", waited.as_secs());
        if !look.kept.is_empty() {
            outcome.warnings.push(format!(
                "of {}, {} of an older version, and stay so until someone deletes them: its updateStrategy is OnDelete",
                self.what(),
                some(&look.kept)
            ));
        }
        outcome
    }

    /// A failure with what is known of the first pod that is not healthy, or of the workload that has none.
    async fn too_late(&self, context: &Context<'_>, lacks: &str, pods: &[Value]) -> Failure {
        let unwell = pods
            .iter()
            .find(|pod| matches!(pods::health(pod), Health::Waiting(_) | Health::Broken(_)));
        let container = unwell.and_then(last_words::container);
        let about = unwell.map(pods::name);
        let known = self.ask_of(context, about, container).await;
        let lines: Vec<String> = pods.iter().map(pods::line).collect();
        let message = format!(
            "{} did not become healthy within {} s: {lacks}",
            self.what(),
            *self.timeout
        );
        known
            .failure(message)
            .hint(format!(
                "see `kubectl -n {0} get pods` and `kubectl -n {0} describe pod …`; `timeout` gives them more time",
                self.namespace
            ))
            .with("pods", lines)
    }

    /// A failure with what is known of the pod.
    async fn broken(&self, context: &Context<'_>, broken: Broken) -> Failure {
        let container = broken.container.as_deref();
        let known = self.ask_of(context, broken.pod.as_deref(), container).await;
        let Some(pod) = broken.pod else {
            return known
                .failure(format!("{}: {}", self.what(), broken.reason))
                .with("reason", broken.reason);
        };
        known
            .failure(format!(
                "pod {pod} in {}: {}",
                self.namespace, broken.reason
            ))
            .hint(format!(
                "see `kubectl -n {0} describe pod {pod}` and `kubectl -n {0} logs {pod}`",
                self.namespace
            ))
            .with("pod", pod)
            .with("reason", broken.reason)
    }

    /// The last events of a pod, or of the workload, and the last lines of a container.
    async fn ask_of(
        &self,
        context: &Context<'_>,
        pod: Option<&str>,
        container: Option<&str>,
    ) -> Known {
        let workload = self.workload().map(|(_, name)| name);
        let Some(about) = pod.or(workload) else {
            return Known::default();
        };
        let mut questions: Vec<Question> = vec![words(&[
            "get",
            "events",
            "--namespace",
            &self.namespace,
            "--field-selector",
            &format!("involvedObject.name={about}"),
            "-o",
            "json",
        ])];
        if let (Some(pod), Some(container)) = (pod, container) {
            questions.extend(last_words::questions(&self.namespace, pod, container));
        }
        let limit = Duration::from_secs(45);
        let Ok(answers) = self.kubectl().print(context, &questions, limit).await else {
            return Known::default();
        };
        let Some((events, logs)) = answers.split_first() else {
            return Known::default();
        };
        let events = events.as_deref().ok();
        let events = events.and_then(|events| kubectl::json(true, events).ok());
        Known {
            events: events.map(|list| last_events(&list)).unwrap_or_default(),
            container: container.map(str::to_owned),
            log: last_words::lines(logs),
        }
    }
}

/// What is known of something that does not become healthy.
#[derive(Debug, Default)]
struct Known {
    events: Vec<String>,
    container: Option<String>,
    log: Vec<String>,
}

impl Known {
    /// A failure that shows it.
    fn failure(self, mut message: String) -> Failure {
        for event in &self.events {
            message.push_str("\n  ");
            message.push_str(event);
        }
        if let Some(container) = self.container.filter(|_| !self.log.is_empty()) {
            let _ = write!(message, "\n  the last lines of container {container}:");
        }
        for line in &self.log {
            message.push_str("\n    ");
            message.push_str(line);
        }
        Failure::new(message)
            .with("events", self.events)
            .with("log", self.log)
    }
}

/// Some names, and how many more there are.
fn some(names: &[String]) -> String {
    match names {
        [first, second, third, rest @ ..] if rest.len() > 1 => {
            format!("{first}, {second}, {third} and {} more are", rest.len())
        }
        [one] => format!("{one} is"),
        _ => format!("{} are", names.join(", ")),
    }
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
fn show(context: &Context<'_>, shown: &mut Shown, look: &Look) {
    let lines = look
        .pods
        .iter()
        .map(|pod| (pods::identity(pod), pods::line(pod)))
        .chain(match &look.verdict {
            Verdict::Waiting(lacks) => Some((String::new(), format!("waiting: {lacks}"))),
            _ => None,
        });
    shown.show(context, lines, look.pods.is_empty());
}

#[cfg(test)]
#[path = "wait_pods_tests.rs"]
mod tests;
