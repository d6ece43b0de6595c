//! Looking at pods again and again: what one look after another amounts to. Pure; the time is given.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::time::Instant;

use crate::kube::kubectl::{Answer, Question, words};
use crate::kube::pods::{self, Health};
use crate::kube::selector;
use crate::kube::wanted_pods::WaitPodsArgs;

/// A pod that cannot become healthy.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name.
    pub pod: String,
    /// Why not.
    pub reason: String,
}

/// What a look amounts to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All are healthy.
    Well,
    /// The workload is there; its pods have not been asked for yet.
    Unasked,
    /// What is not so yet.
    Waiting(String),
    /// One cannot become healthy.
    Broken(Broken),
    /// The API has not answered for too long.
    Silent(String),
}

/// One look at the pods.
#[derive(Debug)]
pub struct Look {
    /// The pods that are waited for.
    pub pods: Vec<Value>,
    /// What they amount to.
    pub verdict: Verdict,
}

/// What is known from one look to the next.
pub struct Watch<'a> {
    wait: &'a WaitPodsArgs,
    /// The selector of the workload, once it was seen.
    selector: Option<String>,
    /// Since when a pod has been broken.
    broken: BTreeMap<String, Instant>,
    /// Since when the API has not answered.
    silent: Option<Instant>,
}

impl<'a> Watch<'a> {
    /// Nothing is known yet.
    pub fn new(wait: &'a WaitPodsArgs) -> Self {
        Self {
            selector: wait.selector.as_ref().map(|selector| selector.0.clone()),
            wait,
            broken: BTreeMap::new(),
            silent: None,
        }
    }

    /// What to ask next: the workload, if one is waited for, and the pods, once it is known which.
    pub fn questions(&self) -> Vec<Question> {
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
    pub fn look(&mut self, answers: Vec<Answer>, now: Instant) -> Look {
        let mut answers = answers.into_iter();
        let mut lacks = None;
        if let Some((workload, name)) = self.wait.workload() {
            match answers.next() {
                Some(Ok(object)) => {
                    self.selector = selector::text(&object["spec"]["selector"]);
                    if self.selector.is_none() {
                        // Nothing to ask for next: asking the same again at once would never end.
                        self.silent = None;
                        return Look {
                            pods: Vec::new(),
                            verdict: Verdict::Waiting(format!(
                                "{} {name} does not say which pods are its own",
                                workload.resource()
                            )),
                        };
                    }
                    lacks = if self.wait.nodes.is_empty() {
                        workload.lacks(&object)
                    } else {
                        pods::unseen(&object)
                    };
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
            None => Look {
                pods: Vec::new(),
                verdict: Verdict::Unasked,
            },
        }
    }

    /// The pods that are waited for, among those of the answer.
    fn chosen(&self, mut list: Value) -> Vec<Value> {
        let names: BTreeSet<&str> = self.wait.names.iter().map(String::as_str).collect();
        let nodes: BTreeSet<&str> = self.wait.nodes.iter().map(String::as_str).collect();
        let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else {
            return Vec::new();
        };
        items
            .into_iter()
            .filter(|pod| names.is_empty() || names.contains(pods::name(pod)))
            .filter(|pod| match pod["spec"]["nodeName"].as_str() {
                Some(node) => nodes.is_empty() || nodes.contains(node),
                None => true,
            })
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
                    // Between two crashes a container runs for a while: that repairs nothing.
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
                    if now.duration_since(since) >= self.wait.grace.seconds() {
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
        let there: BTreeSet<&str> = pods.iter().map(pods::name).collect();
        let absent: Vec<&str> = self
            .wait
            .names
            .iter()
            .map(String::as_str)
            .filter(|name| !there.contains(name))
            .collect();
        if let Some(lacks) = lacks {
            return Verdict::Waiting(lacks);
        }
        let bare = self.without_pod(pods);
        if !bare.is_empty() {
            return Verdict::Waiting(format!("no pod yet on {}", bare.join(", ")));
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

    /// The nodes that should have a pod of a DaemonSet, and have none.
    fn without_pod(&self, pods: &[Value]) -> Vec<&str> {
        if self.wait.daemonset.is_none() {
            return Vec::new();
        }
        let have = pods.iter().map(|pod| pod["spec"]["nodeName"].as_str());
        let have: BTreeSet<&str> = have.flatten().collect();
        let nodes = self.wait.nodes.iter().map(String::as_str);
        nodes.filter(|node| !have.contains(node)).collect()
    }

    fn no_answer(&mut self, error: &str, now: Instant) -> Look {
        let since = *self.silent.get_or_insert(now);
        let verdict = if now.duration_since(since) >= self.wait.api_grace.seconds() {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn wait(arguments: Value) -> WaitPodsArgs {
        serde_json::from_value(arguments).unwrap()
    }

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

    #[expect(clippy::unnecessary_wraps, reason = "an answer like that of kubectl")]
    fn list(pods: &[Value]) -> Answer {
        Ok(json!({"kind": "List", "items": pods}))
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn no_pod_at_all_is_not_enough() {
        let wait = wait(json!({"selector": "a=b"}));
        let mut watch = Watch::new(&wait);
        let now = Instant::now();
        assert!(matches!(
            watch.look(vec![list(&[])], now).verdict,
            Verdict::Waiting(_)
        ));
        let one = list(&[pod("a", true)]);
        assert_eq!(watch.look(vec![one], now).verdict, Verdict::Well);
    }

    #[test]
    fn named_pods_must_all_be_there_and_others_do_not_matter() {
        let wait = wait(json!({"names": ["a", "b"]}));
        let mut watch = Watch::new(&wait);
        let now = Instant::now();
        let first = list(&[pod("a", true), broken("other")]);
        assert_eq!(
            watch.look(vec![first], now).verdict,
            Verdict::Waiting("not there yet: b".to_owned())
        );
        let then = list(&[pod("a", true), pod("b", true), broken("other")]);
        assert_eq!(watch.look(vec![then], now).verdict, Verdict::Well);
    }

    #[test]
    fn a_broken_pod_is_final_only_after_the_grace_and_begins_anew_when_it_was_well() {
        let wait = wait(json!({"names": ["a"], "grace": 30}));
        let mut watch = Watch::new(&wait);
        let start = Instant::now();
        let mut look = |pod: Value, after: u64| {
            watch
                .look(vec![list(&[pod])], start + seconds(after))
                .verdict
        };
        assert!(matches!(look(broken("a"), 0), Verdict::Waiting(_)));
        assert!(matches!(look(broken("a"), 29), Verdict::Waiting(_)));
        assert_eq!(look(pod("a", true), 30), Verdict::Well);
        assert!(matches!(look(broken("a"), 31), Verdict::Waiting(_)));
        // Between two tries it is not broken, and not healthy either.
        assert!(matches!(look(pod("a", false), 50), Verdict::Waiting(_)));
        let Verdict::Broken(end) = look(broken("a"), 61) else {
            panic!("it should be final");
        };
        assert_eq!(end.pod, "a");
        assert_eq!(end.reason, "ImagePullBackOff of container c");
    }

    #[test]
    fn an_api_that_does_not_answer_is_borne_for_a_while_each_time() {
        let wait = wait(json!({"names": ["a"], "api_grace": 60}));
        let mut watch = Watch::new(&wait);
        let start = Instant::now();
        let mut look =
            |answer: Answer, after: u64| watch.look(vec![answer], start + seconds(after)).verdict;
        let refused = || Err("connection refused".to_owned());
        assert!(matches!(look(refused(), 0), Verdict::Waiting(_)));
        assert!(matches!(look(refused(), 59), Verdict::Waiting(_)));
        assert!(matches!(look(list(&[]), 60), Verdict::Waiting(_)));
        assert!(matches!(look(refused(), 61), Verdict::Waiting(_)));
        assert!(matches!(look(refused(), 121), Verdict::Silent(_)));
    }

    #[test]
    fn pods_of_a_node_that_is_known_to_be_down_do_not_matter() {
        let wait = wait(json!({"daemonset": "cni", "nodes": ["cp1", "w1"]}));
        let mut watch = Watch::new(&wait);
        let now = Instant::now();
        let set = || {
            Ok(json!({
                "metadata": {"generation": 1},
                "spec": {"selector": {"matchLabels": {"app": "cni"}}},
                "status": {
                    "observedGeneration": 1, "desiredNumberScheduled": 3,
                    "updatedNumberScheduled": 3, "numberAvailable": 2,
                },
            }))
        };
        assert_eq!(watch.look(vec![set()], now).verdict, Verdict::Unasked);
        let on = |node: &str, ready: bool| {
            let mut pod = pod(&format!("cni-{node}"), ready);
            pod["spec"]["nodeName"] = json!(node);
            pod
        };
        let some = list(&[on("cp1", true), on("down", false)]);
        assert_eq!(
            watch.look(vec![set(), some], now).verdict,
            Verdict::Waiting("no pod yet on w1".to_owned())
        );
        let all = list(&[on("cp1", true), on("down", false), on("w1", true)]);
        assert_eq!(watch.look(vec![set(), all], now).verdict, Verdict::Well);
    }

    #[test]
    fn a_daemonset_names_its_pods_itself() {
        let wait = wait(json!({"daemonset": "cni", "namespace": "kube-system"}));
        let mut watch = Watch::new(&wait);
        let now = Instant::now();
        assert_eq!(watch.questions().len(), 1);
        let none =
            Err("Error from server (NotFound): daemonsets.apps \"cni\" not found".to_owned());
        assert_eq!(
            watch.look(vec![none], now).verdict,
            Verdict::Waiting("there is no daemonset cni yet".to_owned())
        );
        let set = |available: i64| {
            Ok(json!({
                "metadata": {"generation": 1},
                "spec": {"selector": {"matchLabels": {"app": "cni"}}},
                "status": {
                    "observedGeneration": 1, "desiredNumberScheduled": 2,
                    "updatedNumberScheduled": 2, "numberAvailable": available,
                },
            }))
        };
        assert_eq!(watch.look(vec![set(1)], now).verdict, Verdict::Unasked);
        let questions = watch.questions();
        assert!(
            questions[1].contains(&"app=cni".to_owned()),
            "{questions:?}"
        );
        let both = list(&[pod("x", true), pod("y", true)]);
        assert_eq!(watch.look(vec![set(2), both], now).verdict, Verdict::Well);
    }

    #[test]
    fn a_list_that_is_none_has_no_pods() {
        let wait = wait(json!({"names": ["a"]}));
        for list in [
            json!([]),
            json!(7),
            json!({}),
            json!({"items": {"a": 1}}),
            json!({"items": [1, [], null]}),
        ] {
            let look = Watch::new(&wait).look(vec![Ok(list)], Instant::now());
            assert_eq!(
                look.verdict,
                Verdict::Waiting("not there yet: a".to_owned())
            );
        }
    }

    /// In time that grows with its length: nothing can stop what works on it.
    #[test]
    fn many_pods_are_looked_at_at_once() {
        let names: Vec<String> = (0..5_000).map(|number| format!("a{number}")).collect();
        let items =
            vec![json!({"metadata": {"name": "a4999"}, "spec": {"nodeName": "a4999"}}); 100_000];
        for arguments in [
            json!({ "names": names }),
            json!({"daemonset": "d", "nodes": names}),
        ] {
            let wait = wait(arguments);
            let mut watch = Watch::new(&wait);
            let set = json!({"spec": {"selector": {"matchLabels": {"a": "b"}}}});
            let workload = wait.workload().map(|_| Ok(set));
            let answers = workload.into_iter().chain([list(&items)]).collect();
            let Verdict::Waiting(lacks) = watch.look(answers, Instant::now()).verdict else {
                panic!("there is nothing but waiting");
            };
            assert!(
                lacks.contains("a0, a1"),
                "{}",
                &lacks[..80.min(lacks.len())]
            );
        }
    }
}
