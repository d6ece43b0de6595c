//! What wishes change of Nodes, and which wishes are none.

#![expect(
    clippy::needless_pass_by_value,
    reason = "values are written where they are used"
)]

use serde_json::json;

use super::*;

fn wishes(labels: Value, annotations: Value, taints: Value) -> Wishes {
    let mut wishes = Wishes::default();
    wishes.labels(&labels).unwrap();
    wishes.annotations(&annotations).unwrap();
    wishes.taints(&taints).unwrap();
    wishes
}

fn node(labels: Value, taints: Value) -> Value {
    json!({
        "metadata": {"name": "w1", "uid": "u1", "resourceVersion": "7", "labels": labels, "annotations": {"other": "x"}},
        "spec": {"taints": taints},
    })
}

#[test]
fn what_is_wished_for_is_set_and_all_else_is_left_alone() {
    let node = node(
        json!({"kubernetes.io/os": "linux", "disk": "hdd", "zone": "a"}),
        json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": "x"}, {"key": "dedicated", "value": "web", "effect": "NoSchedule"}]),
    );
    let plan = plan(
        &node,
        &wishes(
            json!({"disk": "ssd", "zone": "a", "node-role.kubernetes.io/worker": ""}),
            json!({"example.org/contact": "a@b: c\nd"}),
            json!(["dedicated=db:NoSchedule", {"key": "gpu", "effect": "PreferNoSchedule"}]),
        ),
        &Record::default(),
    );
    assert_eq!(
        plan.changes,
        [
            "label disk=ssd (was hdd)",
            "label node-role.kubernetes.io/worker=",
            "annotation example.org/contact=a@b: c d",
            "taint dedicated=db:NoSchedule (was web)",
            "taint gpu:PreferNoSchedule",
        ]
    );
    assert_eq!(
        plan.patch.unwrap(),
        json!({
            "metadata": {
                "resourceVersion": "7",
                "labels": {"disk": "ssd", "node-role.kubernetes.io/worker": ""},
                "annotations": {"example.org/contact": "a@b: c\nd"},
            },
            "spec": {"taints": [
                {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": "x"},
                {"key": "dedicated", "value": "db", "effect": "NoSchedule"},
                {"key": "gpu", "effect": "PreferNoSchedule"},
            ]},
        })
    );
}

#[test]
fn what_was_set_and_is_wished_for_no_more_goes_and_nothing_else_does() {
    let before = wishes(
        json!({"a": "1", "b": "2"}),
        json!({"x": "1"}),
        json!(["t:NoSchedule"]),
    );
    let bare = node(json!({}), json!([]));
    let record = plan(&bare, &before, &Record::default()).records[1].clone();
    assert_eq!(Record::read(&record.text()), record);

    let node = node(
        json!({"a": "1", "b": "2", "mine": "3"}),
        json!([{"key": "t", "effect": "NoSchedule"}, {"key": "t", "effect": "NoExecute"}]),
    );
    let now = wishes(json!({"b": "2"}), json!(null), json!([]));
    let left = plan(&node, &now, &record);
    assert_eq!(
        left.changes,
        ["label a removed", "taint t:NoSchedule removed"]
    );
    assert_eq!(
        left.patch.unwrap(),
        json!({"metadata": {"resourceVersion": "7", "labels": {"a": null}}, "spec": {"taints": [{"key": "t", "effect": "NoExecute"}]}})
    );
    // Both are known until it is done.
    assert_eq!(
        left.records[0].labels,
        BTreeSet::from(["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(left.records[1].labels, BTreeSet::from(["b".to_owned()]));
    // Another Node of the same name has not been given anything.
    let mut other = node;
    other["metadata"]["uid"] = json!("u2");
    assert!(plan(&other, &now, &record).changes.is_empty());
}

#[test]
fn what_others_gave_goes_only_when_that_is_said() {
    let node = node(
        json!({"node.kubernetes.io/exclude-from-external-load-balancers": ""}),
        json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]),
    );
    for taint in [
        "node-role.kubernetes.io/control-plane:NoSchedule-",
        "node-role.kubernetes.io/control-plane-",
    ] {
        let said = wishes(
            json!({"node.kubernetes.io/exclude-from-external-load-balancers": null}),
            json!({}),
            json!([taint]),
        );
        let plan = plan(&node, &said, &Record::default());
        assert_eq!(
            plan.changes,
            [
                "label node.kubernetes.io/exclude-from-external-load-balancers removed",
                "taint node-role.kubernetes.io/control-plane:NoSchedule removed"
            ]
        );
        assert!(plan.records[1].is_empty());
    }
    assert!(
        plan(&node, &Wishes::default(), &Record::default())
            .patch
            .is_none()
    );
}

#[test]
fn what_is_no_label_annotation_or_taint_is_said_with_what_it_became() {
    let label = |value: Value| Wishes::default().labels(&value).unwrap_err();
    assert_eq!(
        label(json!({"version": 1.3})),
        "version is 1.3, and no text: write it in quotes, version: \"1.3\" (or as you meant it)"
    );
    assert!(label(json!({"gpu": true})).starts_with("gpu is true, and no text"));
    assert!(label(json!("a=b")).contains("is not a mapping"));
    assert!(label(json!({"a b": "c"})).contains("`a b` is not a valid key"));
    assert!(label(json!({"a": "b c"})).contains("a is \"b c\": a label's value"));
    assert!(label(json!({"Upper.Domain/x": "c"})).contains("is not a valid key"));
    let annotation = |value: Value| Wishes::default().annotations(&value).unwrap_err();
    assert!(annotation(json!({"windlass/cordoned": "true"})).contains("keeps for itself"));
    assert!(annotation(json!({"a": "x".repeat(200_000)})).contains("200000 bytes"));
    let taint = |value: Value| Wishes::default().taints(&value).unwrap_err();
    assert!(taint(json!("a:NoSchedule")).contains("is not a list"));
    assert!(
        taint(json!(["a=b"]))
            .contains("`` is not an effect: there are NoSchedule, PreferNoSchedule, NoExecute")
    );
    assert!(
        taint(json!([{"key": "a", "effect": "NoSchedule", "vlaue": "x"}]))
            .contains("`vlaue` is not one of")
    );
    assert!(taint(json!(["a:NoSchedule", "a=b:NoSchedule"])).contains("is there twice"));
    assert!(taint(json!([7])).contains("neither a text"));
}

#[test]
fn a_node_that_says_anything_is_no_crash() {
    let wished = wishes(
        json!({"a": "1"}),
        json!({"b": "2"}),
        json!(["c:NoSchedule"]),
    );
    for node in [
        json!(null),
        json!([]),
        json!({"metadata": 7, "spec": {"taints": [7, null]}}),
    ] {
        assert_eq!(plan(&node, &wished, &Record::read("[1]")).changes.len(), 3);
    }
}
