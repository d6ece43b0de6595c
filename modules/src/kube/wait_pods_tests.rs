//! `wait_pods` with a kubectl that answers as it is told.

use crate::module::{Module, Of};
use serde_json::json;

use super::*;
use crate::fake::{self, FakeController, REAL, Shell};
use crate::kube::sample_pods::{broken, pod};

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
        "`names` and `selector` cannot be used together: give one"
    );
}

/// What the module says when it fails on this node.
async fn failure(shell: &Shell, arguments: Value) -> Failure {
    let control = FakeController::new(shell.dir());
    fake::run::<WaitPodsArgs>(shell, &control, REAL, arguments)
        .await
        .unwrap_err()
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
        &format!(
            "case \"$*\" in *events*) echo '{events}' ;; *) echo 'W: old'; echo '{pods}' ;; esac"
        ),
    );
    let arguments = json!({
        "names": ["a"], "kubeconfig": kubeconfig, "sleep": 0, "grace": 0, "timeout": 0,
    });
    (shell, arguments)
}

#[tokio::test]
async fn what_cannot_become_well_fails_with_the_reason_and_the_last_events() {
    let (shell, arguments) = cluster(&json!({"items": [broken("a")]}));
    let failure = failure(&shell, arguments).await;
    assert_eq!(
        failure.message,
        "pod a in default: ImagePullBackOff of container c\n  Pulling: pulling\n  Failed: no such image"
    );
}

/// A cluster whose one pod crashes: `logs` says what to ask it for its last lines is answered with.
fn crashing(logs: &str) -> (Shell, Value) {
    let mut pod = broken("a");
    pod["status"]["containerStatuses"] = json!([{
        "name": "c", "ready": false, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}},
    }]);
    let (shell, arguments) = cluster(&json!({"items": [pod]}));
    let source = format!(
        "echo \"$*\" >>log\ncase \"$*\" in *' logs '*) {logs} ;; *events*) echo '{{}}' ;; *) echo '{}' ;; esac",
        json!({"items": [pod]})
    );
    (shell.tool("kubectl", &source), arguments)
}

#[tokio::test]
async fn a_pod_that_crashes_says_its_own_last_lines() {
    let loop_found = r#"plugin/loop: Loop (127.0.0.1:41223 -> :53) detected for zone "."#;
    let (shell, arguments) = crashing(&format!(
        "case \"$*\" in *--previous*) printf '.:53\\n[INFO] \\033[31mstarting\\n[FATAL] %s\\n' '{loop_found}' ;; *) echo running ;; esac"
    ));
    let failure = failure(&shell, arguments).await;
    assert_eq!(
        failure.message,
        format!(
            "pod a in default: CrashLoopBackOff of container c (it last ended with 1)\n  \
             the last lines of container c:\n    .:53\n    [INFO] \u{1b}[31mstarting\n    [FATAL] {loop_found}"
        )
    );
    assert_eq!(failure.data["log"][2], format!("[FATAL] {loop_found}"));
    let log = std::fs::read_to_string(shell.dir().join("log")).unwrap();
    assert!(
        log.contains(
            "logs a --namespace default --container c --tail=5 --limit-bytes=65536 --previous"
        ),
        "{log}"
    );
    assert_eq!(shell.trips(), 2);
}

#[tokio::test]
async fn where_there_are_no_last_lines_nothing_is_said_of_them() {
    let (shell, arguments) = crashing("echo 'previous terminated container not found' >&2; exit 1");
    let failure = failure(&shell, arguments).await;
    assert_eq!(
        failure.message,
        "pod a in default: CrashLoopBackOff of container c (it last ended with 1)"
    );
}

#[tokio::test]
async fn what_is_well_is_one_round_trip_and_shown_as_it_is() {
    let (shell, arguments) = cluster(&json!({"items": [pod("a", true)]}));
    let control = FakeController::new(shell.dir());
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
        let control = FakeController::new("/");
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
    let failure = fake::run::<WaitPodsArgs>(&node, &FakeController::new("/"), REAL, arguments)
        .await
        .unwrap_err();
    assert_eq!(
        failure.message,
        "the daemonset a in default did not become healthy within 0 s: \
         daemonset a does not say which pods are its own"
    );
    // The look, and what its events are.
    assert_eq!(node.scripts().len(), 2);
}

#[tokio::test]
async fn too_late_says_what_is_lacking() {
    let (shell, arguments) = cluster(&json!({"items": [pod("a", false)]}));
    let control = FakeController::new(shell.dir());
    let failure = fake::run::<WaitPodsArgs>(&shell, &control, REAL, arguments)
        .await
        .unwrap_err();
    assert_eq!(
        failure.message,
        "pods a in default did not become healthy within 0 s: not ready yet: a\n  Pulling: pulling\n  Failed: no such image"
    );
    assert_eq!(
        control.progress_lines(),
        ["a 0/1 not ready", "waiting: not ready yet: a"]
    );
}

/// A control plane may show another pod at each look, with a name of megabytes.
#[test]
fn only_what_the_last_look_had_is_known_as_shown_and_lines_are_short() {
    let control = FakeController::new("/");
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
        kept: Vec::new(),
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
        kept: Vec::new(),
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
