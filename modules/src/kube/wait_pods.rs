//! `wait_pods`: waits until pods are healthy, and fails early when they cannot become so.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::describe::{CheckMode, Return, Rule};
use crate::kube::kubectl::words;
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
            if !(first && look.verdict == Verdict::Well) {
                show(context, &mut shown, &look);
            }
            match look.verdict {
                // Now it is known which pods to ask for.
                Verdict::Unasked => continue,
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
                    if started.elapsed() >= self.timeout.seconds() {
                        return Err(self.too_late(&lacks, &look.pods));
                    }
                }
            }
            first = false;
            tokio::time::sleep(self.sleep.seconds()).await;
        }
    }
}

impl WaitPodsArgs {
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
            .message(format!("{} pods are healthy: {}", pods.len(), self.what()))
            .with("pods", pods)
            .with("waited", waited.as_secs())
    }

    fn too_late(&self, lacks: &str, pods: &[Value]) -> Failure {
        let lines: Vec<String> = pods.iter().map(pods::line).collect();
        Failure::new(format!(
            "{} did not become healthy within {} s: {lacks}",
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
mod tests {
    use crate::module::{Module, Of};
    use serde_json::json;

    use super::*;
    use crate::fake::{self, Controller, REAL, Shell};

    fn pod(name: &str, ready: bool) -> Value {
        let status = if ready { "True" } else { "False" };
        json!({
            "metadata": {"name": name, "uid": name},
            "spec": {"containers": [{}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}]},
        })
    }

    fn broken(name: &str) -> Value {
        json!({
            "metadata": {"name": name, "uid": name},
            "spec": {"containers": [{}]},
            "status": {"phase": "Pending", "containerStatuses": [
                {"name": "c", "ready": false, "state": {"waiting": {"reason": "ImagePullBackOff"}}},
            ]},
        })
    }

    #[test]
    fn exactly_one_way_to_name_pods_is_wanted() {
        let said = |arguments| {
            Of::<WaitPodsArgs>::new()
                .parse(arguments)
                .err()
                .map(|error| error.message)
        };
        assert_eq!(said(json!({"selector": "a=b"})), None);
        assert_eq!(
            said(json!({"names": [], "count": 2})).unwrap(),
            "one of `names`, `selector`, `daemonset`, `deployment` and `statefulset` is needed"
        );
        assert_eq!(
            said(json!({"selector": "a=b", "names": ["x"]})).unwrap(),
            "`names` and `selector` exclude each other: give one"
        );
    }

    /// A cluster whose one pod cannot pull its image.
    fn cluster(pods: &Value) -> (Shell, Value) {
        let events = json!({"items": [
            {"lastTimestamp": "2026-01-01T00:00:02Z", "reason": "Failed", "message": "no such image"},
            {"lastTimestamp": "2026-01-01T00:00:01Z", "reason": "Pulling", "message": "pulling"},
        ]});
        let shell = fake::shells().remove(0);
        let kubeconfig = shell.at("admin.conf");
        std::fs::write(&kubeconfig, "").unwrap();
        let shell = shell.tool(
            "kubectl",
            &format!("case \"$*\" in *events*) echo '{events}' ;; *) echo 'W: old'; echo '{pods}' ;; esac"),
        );
        let arguments = json!({
            "names": ["a"], "kubeconfig": kubeconfig, "sleep": 0, "grace": 0, "timeout": 0,
        });
        (shell, arguments)
    }

    #[tokio::test]
    async fn what_cannot_become_well_fails_with_the_reason_and_the_last_events() {
        let (shell, arguments) = cluster(&json!({"items": [broken("a")]}));
        let control = Controller::new(shell.dir());
        let failure = fake::run::<WaitPodsArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap_err();
        assert_eq!(
            failure.message,
            "pod a in default: ImagePullBackOff of container c\n  Pulling: pulling\n  Failed: no such image"
        );
    }

    #[tokio::test]
    async fn what_is_well_is_one_round_trip_and_shown_as_it_is() {
        let (shell, arguments) = cluster(&json!({"items": [pod("a", true)]}));
        let control = Controller::new(shell.dir());
        let outcome = fake::run::<WaitPodsArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert!(!outcome.changed);
        assert_eq!(outcome.data["pods"][0]["name"], "a");
        assert_eq!(shell.trips(), 1);
        assert_eq!(control.progress_lines(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_node_that_answers_nothing_is_not_asked_for_ever() {
        for arguments in [
            json!({"selector": "a=b", "timeout": 0, "sleep": 0, "api_grace": 0}),
            json!({"daemonset": "a", "timeout": 0, "sleep": 0, "api_grace": 0}),
        ] {
            let node = fake::Fake::saying(&["", "status 1\n0\n"]);
            let control = Controller::new("/");
            let failure = fake::run::<WaitPodsArgs>(&node, &control, REAL, arguments)
                .await
                .unwrap_err();
            assert!(
                failure.message.ends_with("the node gave no answer"),
                "{}",
                failure.message
            );
            assert_eq!(node.scripts().len(), 1);
        }
    }

    #[tokio::test]
    async fn a_workload_without_a_selector_is_not_asked_for_ever() {
        let node = fake::Fake::saying(&["status 1\n0\nanswer 2\n{}\n"; 3]);
        let arguments = json!({"daemonset": "a", "timeout": 0, "sleep": 0});
        let failure = fake::run::<WaitPodsArgs>(&node, &Controller::new("/"), REAL, arguments)
            .await
            .unwrap_err();
        assert_eq!(
            failure.message,
            "the daemonset a in default did not become healthy within 0 s: \
             daemonset a does not say which pods are its own"
        );
        assert_eq!(node.scripts().len(), 1);
    }

    #[tokio::test]
    async fn too_late_says_what_is_lacking() {
        let (shell, arguments) = cluster(&json!({"items": [pod("a", false)]}));
        let control = Controller::new(shell.dir());
        let failure = fake::run::<WaitPodsArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap_err();
        assert_eq!(
            failure.message,
            "pods a in default did not become healthy within 0 s: not ready yet: a"
        );
        assert_eq!(
            control.progress_lines(),
            ["a 0/1 not ready", "waiting: not ready yet: a"]
        );
    }

    /// A control plane may show another pod at each look, with a name of megabytes.
    #[test]
    fn only_what_the_last_look_had_is_known_as_shown_and_lines_are_short() {
        let control = Controller::new("/");
        let host = fake::Fake::saying(&[]);
        let context = Context {
            host: &host,
            control: &control,
            check: false,
            diff: false,
        };
        let mut shown = Shown::default();
        let look = |name: &str| Look {
            pods: vec![pod(name, true)],
            verdict: Verdict::Waiting(format!("not ready yet: {name}")),
        };
        for letter in ["a", "b", "c"] {
            show(&context, &mut shown, &look(&letter.repeat(100_000)));
        }
        assert!(shown.bytes() < 2_000, "{}", shown.bytes());
        let lines = control.progress_lines();
        assert_eq!(lines.len(), 6);
        assert!(
            lines
                .iter()
                .all(|line| line.len() < 400 && line.ends_with('…'))
        );
        // What is as before is not shown again, also where there was no answer in between.
        let silent = Look {
            pods: Vec::new(),
            verdict: Verdict::Waiting("the API does not answer".to_owned()),
        };
        for look in [look("d"), silent, look("d")] {
            show(&context, &mut shown, &look);
        }
        let lines = control.progress_lines().split_off(6);
        assert_eq!(
            lines,
            [
                "d 0/1 Running",
                "waiting: not ready yet: d",
                "waiting: the API does not answer",
                "waiting: not ready yet: d"
            ]
        );
    }
}
