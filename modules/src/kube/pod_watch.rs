//! Looking at pods again and again: what one look after another amounts to. Pure; the time is given.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::time::Instant;

use crate::kube::kubectl::{Answer, Question, words};
use crate::kube::last_words;
use crate::kube::pods::{self, Health, Workload};
use crate::kube::revisions::{self, Newest};
use crate::kube::selector;
use crate::kube::wanted_pods::WaitPodsArgs;

/// A pod that cannot become healthy.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its name; nothing where the workload cannot have pods at all.
    pub pod: Option<String>,
    /// Its container that may have logged why.
    pub container: Option<String>,
    /// Why not.
    pub reason: String,
}

/// What a look amounts to.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All are healthy.
    Healthy,
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
    /// Pods of an older version that stay until someone deletes them.
    pub kept: Vec<String>,
}

impl Look {
    fn blind(verdict: Verdict) -> Self {
        Self {
            pods: Vec::new(),
            verdict,
            kept: Vec::new(),
        }
    }
}

/// What is known from one look to the next.
pub struct Watch<'a> {
    wait: &'a WaitPodsArgs,
    /// The selector of the workload, once it was seen.
    selector: Option<String>,
    /// Since when a pod has been broken.
    broken: BTreeMap<String, Instant>,
    /// Since when the workload's controller has been refused pods.
    refused: Option<Instant>,
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
            refused: None,
            silent: None,
        }
    }

    /// What to ask next: the workload, if one is waited for, and its versions and the pods, once it is known
    /// which.
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
            Some(selector) => {
                let versions =
                    workload.map(|(kind, _)| revisions::question(kind, namespace, selector));
                questions.extend(versions.flatten());
                pods.extend(words(&["--selector", selector]));
            }
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
        let mut newest = None;
        if let Some((workload, name)) = self.wait.workload() {
            let resource = workload.resource();
            let object = match answers.next() {
                Some(Ok(object)) => object,
                Some(Err(error)) if error.contains("NotFound") => {
                    self.silent = None;
                    return Look::blind(Verdict::Waiting(format!(
                        "there is no {resource} {name} yet"
                    )));
                }
                Some(Err(error)) => return self.no_answer(&error, now),
                None => return self.no_answer("no answer", now),
            };
            let known = self.selector.is_some();
            self.selector = selector::text(&object["spec"]["selector"]);
            if self.selector.is_none() {
                // Nothing to ask for next: asking the same again at once would never end.
                self.silent = None;
                return Look::blind(Verdict::Waiting(format!(
                    "{resource} {name} does not say which pods are its own"
                )));
            }
            if !known {
                return Look::blind(Verdict::Unasked);
            }
            if let Some(reason) = self.refused(&object, now) {
                return Look::blind(Verdict::Broken(Broken {
                    pod: None,
                    container: None,
                    reason,
                }));
            }
            lacks = if self.wait.nodes.is_empty() {
                workload.lacks(&object)
            } else {
                pods::unseen(&object)
            };
            let versions = match workload {
                Workload::StatefulSet => Value::Null,
                _ => match answers.next() {
                    Some(Ok(versions)) => versions,
                    Some(Err(error)) => return self.no_answer(&error, now),
                    None => return self.no_answer("no answer", now),
                },
            };
            newest = Newest::of(workload, &object, &versions);
            if newest.is_none() && lacks.is_none() {
                lacks = Some("its newest version is not known yet".to_owned());
            }
        }
        match answers.next() {
            Some(Ok(list)) => {
                self.silent = None;
                let pods = self.chosen(list);
                self.judge(pods, lacks, newest.as_ref(), now)
            }
            Some(Err(error)) => self.no_answer(&error, now),
            None => self.no_answer("no answer", now),
        }
    }

    /// Why the workload's controller cannot make pods, when it has not been able to for long enough.
    fn refused(&mut self, object: &Value, now: Instant) -> Option<String> {
        let Some(reason) = pods::refused(object) else {
            self.refused = None;
            return None;
        };
        let since = *self.refused.get_or_insert(now);
        (now.duration_since(since) >= self.wait.grace.seconds()).then_some(reason)
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

    fn judge(
        &mut self,
        pods: Vec<Value>,
        lacks: Option<String>,
        newest: Option<&Newest>,
        now: Instant,
    ) -> Look {
        let mut well = 0;
        let mut waiting = Vec::new();
        let mut older = Vec::new();
        let mut kept = Vec::new();
        let mut broken = BTreeMap::new();
        let mut final_one = None;
        for pod in &pods {
            let name = pods::name(pod);
            let outdated = newest.filter(|newest| !newest.has(pod));
            match (pods::health(pod), outdated) {
                (Health::Leaving, _) => {}
                (Health::Healthy, Some(newest)) if newest.replaces => older.push(name),
                (Health::Healthy, outdated) => {
                    well += 1;
                    kept.extend(outdated.map(|_| name.to_owned()));
                }
                // Its controller is about to replace it.
                (Health::Broken(_) | Health::Waiting(_), Some(newest))
                    if newest.replaces && newest.clears =>
                {
                    older.push(name);
                }
                (Health::Waiting(_), _) => {
                    waiting.push(name);
                    // Between two crashes a container runs for a while: that repairs nothing.
                    let identity = pods::identity(pod);
                    if let Some(since) = self.broken.get(&identity) {
                        broken.insert(identity, *since);
                    }
                }
                (Health::Broken(mut reason), outdated) => {
                    waiting.push(name);
                    let identity = pods::identity(pod);
                    let since = self.broken.get(&identity).copied().unwrap_or(now);
                    broken.insert(identity, since);
                    if outdated.is_some() {
                        reason.push_str(STUCK);
                    }
                    if now.duration_since(since) >= self.wait.grace.seconds() {
                        final_one = final_one.or_else(|| {
                            Some(Broken {
                                pod: Some(name.to_owned()),
                                container: last_words::container(pod).map(str::to_owned),
                                reason,
                            })
                        });
                    }
                }
            }
        }
        self.broken = broken;
        let verdict = match final_one {
            Some(broken) => Verdict::Broken(broken),
            None => self
                .lacking(&pods, lacks, &older, &waiting, well)
                .map_or(Verdict::Healthy, Verdict::Waiting),
        };
        Look {
            pods,
            verdict,
            kept,
        }
    }

    /// What is not so yet.
    fn lacking(
        &self,
        pods: &[Value],
        lacks: Option<String>,
        older: &[&str],
        waiting: &[&str],
        well: usize,
    ) -> Option<String> {
        if lacks.is_some() {
            return lacks;
        }
        let bare = self.without_pod(pods);
        if !bare.is_empty() {
            return Some(format!("no pod yet on {}", bare.join(", ")));
        }
        let there: BTreeSet<&str> = pods.iter().map(pods::name).collect();
        let names = self.wait.names.iter().map(String::as_str);
        let absent: Vec<&str> = names.filter(|name| !there.contains(name)).collect();
        if !absent.is_empty() {
            return Some(format!("not there yet: {}", absent.join(", ")));
        }
        if !waiting.is_empty() {
            return Some(format!("not ready yet: {}", waiting.join(", ")));
        }
        if !older.is_empty() {
            return Some(format!("still of an older version: {}", older.join(", ")));
        }
        let count = usize::try_from(*self.wait.count).unwrap_or(usize::MAX);
        (well < count).then(|| format!("{well} of at least {count} pods"))
    }

    /// The nodes that should have a pod of a DaemonSet, and have none.
    fn without_pod(&self, pods: &[Value]) -> Vec<&str> {
        if self.wait.daemonset.is_none() {
            return Vec::new();
        }
        // One that is leaving makes room for another.
        let staying = pods
            .iter()
            .filter(|pod| pods::health(pod) != Health::Leaving);
        let have = staying.map(|pod| pod["spec"]["nodeName"].as_str());
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
        Look::blind(verdict)
    }
}

/// Added to what is wrong with a pod that nobody replaces: a StatefulSet wants it to be healthy first.
const STUCK: &str = " (it is of an older version, and stays until someone deletes it)";

#[cfg(test)]
#[path = "pod_watch_tests.rs"]
mod tests;
