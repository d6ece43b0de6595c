//! What looks at pods amount to.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::kube::sample_pods::{broken, pod};

fn wait(arguments: Value) -> WaitPodsArgs {
    serde_json::from_value(arguments).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "an answer like that of kubectl")]
fn list(pods: &[Value]) -> Answer {
    Ok(json!({"kind": "List", "items": pods}))
}

/// A DaemonSet `cni` whose controller has seen its second version.
#[expect(clippy::unnecessary_wraps, reason = "an answer like that of kubectl")]
fn cni() -> Answer {
    Ok(json!({
        "metadata": {"name": "cni", "generation": 2},
        "spec": {"selector": {"matchLabels": {"app": "cni"}}},
        "status": {
            "observedGeneration": 2, "desiredNumberScheduled": 3,
            "updatedNumberScheduled": 1, "numberAvailable": 2,
        },
    }))
}

/// Its versions: `new` is the newest.
fn versions() -> Answer {
    let version = |hash: &str, number: i64| json!({"metadata": {"name": format!("cni-{hash}"), "labels": {"controller-revision-hash": hash}}, "revision": number});
    list(&[version("old", 1), version("new", 2)])
}

/// A pod as it is on a node, in a version of the DaemonSet.
fn on(node: &str, version: &str, mut pod: Value) -> Value {
    pod["metadata"]["labels"] = json!({"controller-revision-hash": version});
    pod["spec"]["nodeName"] = json!(node);
    pod
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
    assert_eq!(watch.look(vec![one], now).verdict, Verdict::Healthy);
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
    assert_eq!(watch.look(vec![then], now).verdict, Verdict::Healthy);
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
    assert_eq!(look(pod("a", true), 30), Verdict::Healthy);
    assert!(matches!(look(broken("a"), 31), Verdict::Waiting(_)));
    // Between two tries it is not broken, and not healthy either.
    assert!(matches!(look(pod("a", false), 50), Verdict::Waiting(_)));
    let Verdict::Broken(end) = look(broken("a"), 61) else {
        panic!("it should be final");
    };
    assert_eq!(end.pod.as_deref(), Some("a"));
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
    assert_eq!(watch.look(vec![cni()], now).verdict, Verdict::Unasked);
    let mut look = |pods: &[Value]| watch.look(vec![cni(), versions(), list(pods)], now).verdict;
    let cp1 = on("cp1", "new", pod("cni-cp1", true));
    let down = on("down", "old", pod("cni-down", false));
    assert_eq!(
        look(&[cp1.clone(), down.clone()]),
        Verdict::Waiting("no pod yet on w1".to_owned())
    );
    let mut leaving = on("w1", "old", pod("cni-w1", true));
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(
        look(&[cp1.clone(), down.clone(), leaving]),
        Verdict::Waiting("no pod yet on w1".to_owned())
    );
    let w1 = on("w1", "new", pod("cni-w1", true));
    assert_eq!(look(&[cp1, down, w1]), Verdict::Healthy);
}

/// A controller that replaces one pod at a time stops at the first that cannot run; all others are healthy.
#[test]
fn a_new_version_that_cannot_run_is_no_success_though_the_old_pods_are_healthy() {
    let wait = wait(json!({"daemonset": "cni", "nodes": ["cp1", "w1"], "grace": 30}));
    let mut watch = Watch::new(&wait);
    let start = Instant::now();
    assert_eq!(watch.look(vec![cni()], start).verdict, Verdict::Unasked);
    let mut look = |pods: &[Value], after: u64| {
        let answers = vec![cni(), versions(), list(pods)];
        watch.look(answers, start + seconds(after)).verdict
    };
    let old = |node: &str| on(node, "old", pod(&format!("cni-{node}"), true));
    assert_eq!(
        look(&[old("cp1"), old("w1")], 0),
        Verdict::Waiting("still of an older version: cni-cp1, cni-w1".to_owned())
    );
    let new = on("w1", "new", broken("cni-w1"));
    assert_eq!(
        look(&[old("cp1"), new.clone()], 10),
        Verdict::Waiting("not ready yet: cni-w1".to_owned())
    );
    let Verdict::Broken(end) = look(&[old("cp1"), new], 40) else {
        panic!("it should be final");
    };
    assert_eq!(end.pod.as_deref(), Some("cni-w1"));
    assert_eq!(end.reason, "ImagePullBackOff of container c");
    // An old one that was broken is replaced, and what was wrong with it is over.
    let repaired = on("w1", "new", pod("cni-w1", true));
    let old = on("cp1", "old", broken("cni-cp1"));
    for after in [50, 100] {
        assert_eq!(
            look(&[old.clone(), repaired.clone()], after),
            Verdict::Waiting("still of an older version: cni-cp1".to_owned())
        );
    }
}

#[test]
fn pods_that_nobody_replaces_may_be_old_and_are_named() {
    let wait = wait(json!({"daemonset": "cni", "nodes": ["w1"]}));
    let mut watch = Watch::new(&wait);
    let now = Instant::now();
    let by_hand = || {
        cni().map(|mut set| {
            set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
            set
        })
    };
    watch.look(vec![by_hand()], now);
    let pods = list(&[on("w1", "old", pod("cni-w1", true))]);
    let look = watch.look(vec![by_hand(), versions(), pods], now);
    assert_eq!(look.verdict, Verdict::Healthy);
    assert_eq!(look.kept, ["cni-w1"]);
}

#[test]
fn a_statefulset_is_stuck_behind_a_broken_pod_of_the_older_version() {
    let wait = wait(json!({"statefulset": "db", "grace": 0}));
    let mut watch = Watch::new(&wait);
    let set = || {
        Ok(json!({
            "metadata": {"name": "db"}, "spec": {"selector": {"matchLabels": {"app": "db"}}},
            "status": {"updateRevision": "db-new"},
        }))
    };
    let now = Instant::now();
    watch.look(vec![set()], now);
    let pods = list(&[on("w1", "db-old", broken("db-0"))]);
    let Verdict::Broken(end) = watch.look(vec![set(), pods], now).verdict else {
        panic!("it should be final");
    };
    assert!(
        end.reason.contains("stays until someone deletes it"),
        "{}",
        end.reason
    );
}

#[test]
fn a_deployment_that_is_refused_pods_says_why() {
    let wait = wait(json!({"deployment": "d", "grace": 30, "nodes": ["w1"]}));
    let mut watch = Watch::new(&wait);
    let start = Instant::now();
    let deployment = || {
        Ok(json!({
            "metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"app": "d"}}},
            "status": {"conditions": [{
                "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                "message": "pods \"d-1\" is forbidden: exceeded quota",
            }]},
        }))
    };
    watch.look(vec![deployment()], start);
    let mut look = |after| {
        let answers = vec![deployment(), list(&[]), list(&[])];
        watch.look(answers, start + seconds(after)).verdict
    };
    assert!(matches!(look(0), Verdict::Waiting(_)));
    let Verdict::Broken(end) = look(30) else {
        panic!("it should be final");
    };
    assert_eq!(
        (end.pod, &*end.reason),
        (
            None,
            "FailedCreate: pods \"d-1\" is forbidden: exceeded quota"
        )
    );
}

#[test]
fn a_daemonset_names_its_pods_itself() {
    let wait = wait(json!({"daemonset": "cni", "namespace": "kube-system"}));
    let mut watch = Watch::new(&wait);
    let now = Instant::now();
    assert_eq!(watch.questions().len(), 1);
    let none = Err("Error from server (NotFound): daemonsets.apps \"cni\" not found".to_owned());
    assert_eq!(
        watch.look(vec![none], now).verdict,
        Verdict::Waiting("there is no daemonset cni yet".to_owned())
    );
    let set = |available: i64| {
        Ok(json!({
            "metadata": {"name": "cni", "generation": 1},
            "spec": {"selector": {"matchLabels": {"app": "cni"}}},
            "status": {
                "observedGeneration": 1, "desiredNumberScheduled": 2,
                "updatedNumberScheduled": 2, "numberAvailable": available,
            },
        }))
    };
    assert_eq!(watch.look(vec![set(1)], now).verdict, Verdict::Unasked);
    let questions = watch.questions();
    assert_eq!(questions.len(), 3);
    for question in &questions[1..] {
        assert!(question.contains(&"app=cni".to_owned()), "{questions:?}");
    }
    let both = list(&[
        on("a", "new", pod("x", true)),
        on("b", "new", pod("y", true)),
    ]);
    let look = watch.look(vec![set(2), versions(), both], now);
    assert_eq!(look.verdict, Verdict::Healthy);
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
        let set =
            json!({"metadata": {"name": "cni"}, "spec": {"selector": {"matchLabels": {"a": "b"}}}});
        let workload = wait.workload().map(|_| [Ok(set.clone()), versions()]);
        let answers = workload
            .into_iter()
            .flatten()
            .chain([list(&items)])
            .collect();
        watch.look(vec![Ok(set)], Instant::now());
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
