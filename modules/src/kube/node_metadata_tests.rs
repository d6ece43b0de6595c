//! `node_metadata` with a kubectl that keeps Nodes and the record in files.

use std::fs;

use serde_json::json;

use super::*;
use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell, shells};

/// A cluster of one Node with `taints`; what patches it is kept in `patches`, and applied to the record by hand.
fn cluster(shell: Shell, taints: &Value) -> Shell {
    let folder = shell.dir().to_owned();
    fs::write(folder.join("admin.conf"), "").unwrap();
    let node = json!({
        "metadata": {
            "name": "w1", "uid": "u1", "resourceVersion": "7", "labels": {"kubernetes.io/os": "linux"},
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"}, "managedFields": [{"manager": "kubelet"}],
        },
        "spec": {"taints": taints},
        "status": {"images": [{"names": ["x"]}]},
    });
    fs::write(folder.join("nodes"), json!({"items": [node]}).to_string()).unwrap();
    fs::write(folder.join("record"), "").unwrap();
    shell.tool(
        "kubectl",
        r#"echo "$*" >>log
        case "$*" in
          *"get nodes"*) cat nodes ;;
          *"get configmap"*) cat record ;;
          *"patch node"*) [ ! -s conflict ] || { cat conflict >&2; : >conflict; exit 1; }; echo patched ;;
          *) echo done ;;
        esac"#,
    )
}

fn recorded(shell: &Shell, text: &str) {
    let record = json!({"kind": "ConfigMap", "data": {"w1": text}});
    fs::write(shell.dir().join("record"), record.to_string()).unwrap();
}

async fn run(shell: &Shell, mode: RunMode, mut arguments: Value) -> Result<Outcome, Failure> {
    arguments["kubeconfig"] = json!(shell.at("admin.conf"));
    arguments["delay"] = json!(0);
    let control = FakeController::new(shell.dir());
    fake::run::<NodeMetadataArgs>(shell, &control, mode, arguments).await
}

/// What kubectl was asked to do, from the first word that is its own.
fn log(shell: &Shell) -> Vec<String> {
    let log = fs::read_to_string(shell.dir().join("log")).unwrap_or_default();
    fs::write(shell.dir().join("log"), "").unwrap();
    let word = |line: &str| {
        line.split_once("--request-timeout=20s ")
            .map(|(_, rest)| rest.to_owned())
    };
    log.lines().filter_map(word).collect()
}

const RECORDED: &str =
    r#"{"uid":"u1","labels":["disk"],"annotations":[],"taints":["dedicated:NoSchedule"]}"#;

#[tokio::test]
async fn labels_and_taints_are_set_after_they_are_recorded() {
    for shell in shells() {
        let shell = cluster(shell, &json!([{"key": "k", "effect": "NoExecute"}]));
        let wishes = json!({"labels": {"w1": {"disk": "ssd"}}, "taints": {"w1": ["dedicated=db:NoSchedule"]}});
        let outcome = run(&shell, CHECK, wishes.clone()).await.unwrap();
        assert!(outcome.changed);
        assert_eq!(
            outcome.data["msg"],
            "1 Nodes would change: w1: label disk=ssd, taint dedicated=db:NoSchedule"
        );
        assert_eq!(log(&shell).len(), 2);
        assert_eq!(shell.trips(), 1);

        let outcome = run(&shell, REAL, wishes).await.unwrap();
        assert_eq!(
            outcome.data["nodes"],
            json!([{"name": "w1", "changes": ["label disk=ssd", "taint dedicated=db:NoSchedule"]}])
        );
        let said = log(&shell);
        let record = json!({"data": {"w1": RECORDED}});
        let patch = json!({
            "metadata": {"labels": {"disk": "ssd"}, "resourceVersion": "7"},
            "spec": {"taints": [{"key": "k", "effect": "NoExecute"}, {"key": "dedicated", "effect": "NoSchedule", "value": "db"}]},
        });
        assert_eq!(
            said[2..],
            [
                "create configmap windlass-node-metadata --namespace kube-system".to_owned(),
                format!(
                    "patch configmap windlass-node-metadata --namespace kube-system --type=merge --patch {record}"
                ),
                format!("patch node w1 --type=merge --patch {patch}"),
            ]
        );
        assert_eq!(shell.trips(), 3);
    }
}

#[tokio::test]
async fn a_second_run_is_one_round_trip_and_changes_nothing() {
    let shell = cluster(
        shells().remove(0),
        &json!([{"key": "dedicated", "value": "db", "effect": "NoSchedule"}]),
    );
    recorded(
        &shell,
        r#"{"uid":"u1","labels":["kubernetes.io/os"],"taints":["dedicated:NoSchedule"]}"#,
    );
    let wishes = json!({"labels": {"w1": {"kubernetes.io/os": "linux"}}, "taints": {"w1": ["dedicated=db:NoSchedule"]}});
    let outcome = run(&shell, REAL, wishes).await.unwrap();
    assert!(!outcome.changed);
    assert_eq!(shell.trips(), 1);
}

#[tokio::test]
async fn what_left_the_wishes_leaves_the_node_and_then_the_record() {
    let shell = cluster(
        shells().remove(0),
        &json!([{"key": "k", "effect": "NoExecute"}, {"key": "dedicated", "value": "db", "effect": "NoSchedule"}]),
    );
    recorded(&shell, RECORDED);
    let outcome = run(&shell, REAL, json!({"labels": {"w1": {}}}))
        .await
        .unwrap();
    assert_eq!(
        outcome.data["nodes"],
        json!([{"name": "w1", "changes": ["taint dedicated:NoSchedule removed"]}])
    );
    let said = log(&shell);
    let patch = json!({"metadata": {"resourceVersion": "7"}, "spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}});
    assert_eq!(
        said[3],
        format!("patch node w1 --type=merge --patch {patch}")
    );
    assert!(
        said[4].ends_with(r#"--patch {"data":{"w1":null}}"#),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_node_that_somebody_else_has_just_changed_is_looked_at_again() {
    let shell = cluster(shells().remove(0), &json!([]));
    let conflict = "Error from server (Conflict): Operation cannot be fulfilled on nodes \"w1\": the object has been modified";
    fs::write(shell.dir().join("conflict"), conflict).unwrap();
    let wishes = json!({"labels": {"w1": {"disk": "ssd"}}});
    let outcome = run(&shell, REAL, wishes.clone()).await.unwrap();
    assert!(outcome.changed);
    assert_eq!(
        log(&shell)
            .iter()
            .filter(|line| line.starts_with("patch node"))
            .count(),
        2
    );

    fs::write(shell.dir().join("conflict"), conflict).unwrap();
    let mut once = wishes;
    once["retries"] = json!(0);
    let failure = run(&shell, REAL, once).await.unwrap_err();
    assert_eq!(
        failure.message,
        format!("Node w1 cannot be changed: {conflict}")
    );
}

#[tokio::test]
async fn a_node_that_is_not_there_is_an_error_and_in_check_mode_to_come() {
    let shell = cluster(shells().remove(0), &json!([]));
    let wishes = json!({"labels": {"w9": {"disk": "ssd"}}});
    let outcome = run(&shell, CHECK, wishes.clone()).await.unwrap();
    assert!(outcome.changed);
    let failure = run(&shell, REAL, wishes).await.unwrap_err();
    assert_eq!(failure.message, "there is no Node w9; there are: w1");
}

#[tokio::test]
async fn what_kubernetes_would_refuse_is_known_without_a_cluster() {
    let node = fake::Fake::saying(&[]);
    let control = FakeController::new("/");
    let check = |arguments| fake::run::<NodeMetadataArgs>(&node, &control, REAL, arguments);
    let said = check(json!({"labels": {"w1": {"gpu": true}}, "state": "checked"})).await;
    assert_eq!(
        said.unwrap_err().message,
        "labels of w1: gpu is true, and no text: write it in quotes, gpu: \"true\" (or as you meant it)"
    );
    let said = check(json!({"labels": {"w1": {"gpu": "true"}}, "taints": {"w1": ["a:NoSchedule"]}, "state": "checked"})).await;
    assert!(!said.unwrap().changed);
    assert!(node.scripts().is_empty());
}

#[tokio::test]
async fn an_api_that_does_not_answer_is_asked_again_and_then_said() {
    let node = fake::Fake::saying(&["status 1\n1\nanswer 18\nconnection refused\n"; 9]);
    let arguments = json!({"labels": {"w1": {"a": "b"}}, "retries": 1, "delay": 0});
    let failure =
        fake::run::<NodeMetadataArgs>(&node, &FakeController::new("/"), REAL, arguments).await;
    assert_eq!(
        failure.unwrap_err().message,
        "the Nodes cannot be looked at: connection refused"
    );
    assert_eq!(node.scripts().len(), 2);
}

#[test]
fn a_large_record_is_written_in_portions() {
    let record = Record::read(&json!({"uid": "u", "labels": ["x".repeat(1000)]}).to_string());
    let names: Vec<String> = (0..200).map(|number| format!("n{number}")).collect();
    let written = written(names.iter().map(|name| (name.as_str(), &record)));
    assert!(written.len() > 1);
    for question in written {
        assert!(question.iter().all(|word| word.len() < 128 << 10));
    }
}
