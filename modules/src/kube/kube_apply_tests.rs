//! `kube_apply` with a kubectl that answers as it is told.

use serde_json::json;

use super::*;
use crate::fake::{self, CHECK, DIFF, FakeController, REAL, Shell, shells};

const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: new}\n";

fn config_map(value: &str, version: &str) -> String {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "resourceVersion": version}, "data": {"k": value}})
        .to_string()
}

/// A kubectl that has `before`, and answers an apply with `after`.
fn cluster(shell: Shell, before: &str, after: &str) -> Shell {
    let folder = shell.dir().to_owned();
    std::fs::write(folder.join("admin.conf"), "").unwrap();
    std::fs::write(folder.join("before"), before).unwrap();
    std::fs::write(folder.join("after"), after).unwrap();
    shell.tool(
        "kubectl",
        r#"echo "$*" >>log
        case "$*" in
          *version*) echo '{"clientVersion": {"major": "1", "minor": "20+"}}' ;;
          *" get "*) cat before ;;
          *" apply "*) if [ -e unknown ]; then rm unknown; echo 'no matches for kind "X"' >&2; exit 1; fi; cat after ;;
        esac"#,
    )
}

fn arguments(shell: &Shell) -> Value {
    json!({"content": MANIFEST, "kubeconfig": shell.at("admin.conf"), "delay": 0})
}

fn log(shell: &Shell) -> String {
    std::fs::read_to_string(shell.dir().join("log")).unwrap_or_default()
}

#[tokio::test]
async fn what_is_new_is_created_and_shown() {
    for shell in shells() {
        let shell = cluster(shell, "", &config_map("new", "1"));
        let control = FakeController::new(shell.dir());
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, DIFF, arguments(&shell))
            .await
            .unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.data["created"], json!(["configmap/c"]));
        assert!(outcome.diff[0].after.contains("k: new"));
        let log = log(&shell);
        assert!(
            log.contains("--server-side --field-manager=windlass"),
            "{log}"
        );
        assert!(!log.contains("dry-run") && !log.contains("force"), "{log}");
    }
}

#[tokio::test]
async fn what_is_as_it_should_be_is_unchanged_in_one_round_trip() {
    for shell in shells() {
        let shell = cluster(shell, &config_map("new", "1"), &config_map("new", "2"));
        let control = FakeController::new(shell.dir());
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, REAL, arguments(&shell))
            .await
            .unwrap();
        assert!(!outcome.changed);
        assert_eq!(outcome.data["unchanged"], json!(["configmap/c"]));
        assert_eq!(shell.trips(), 1);
    }
}

#[tokio::test]
async fn check_mode_asks_the_server_and_finds_the_same() {
    for shell in shells() {
        let shell = cluster(shell, &config_map("old", "1"), &config_map("new", "1"));
        let control = FakeController::new(shell.dir());
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, CHECK, arguments(&shell))
            .await
            .unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.data["configured"], json!(["configmap/c"]));
        assert!(log(&shell).contains("--dry-run=server"));
    }
}

#[tokio::test]
async fn a_kind_that_is_not_known_yet_is_tried_again() {
    for shell in shells() {
        let shell = cluster(shell, "", &config_map("new", "1"));
        std::fs::write(shell.dir().join("unknown"), "").unwrap();
        let control = FakeController::new(shell.dir());
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, REAL, arguments(&shell))
            .await
            .unwrap();
        assert!(outcome.changed);
        assert_eq!(
            control.progress_lines(),
            ["trying again: no matches for kind \"X\""]
        );
    }
}

#[tokio::test]
async fn what_is_to_go_goes_and_only_if_it_is_there() {
    for shell in shells() {
        let shell = cluster(shell, &config_map("old", "1"), "");
        let control = FakeController::new(shell.dir());
        let mut arguments = arguments(&shell);
        arguments["state"] = json!("absent");
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, CHECK, arguments.clone())
            .await
            .unwrap();
        assert!(outcome.changed && !log(&shell).contains("delete"));
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, REAL, arguments.clone())
            .await
            .unwrap();
        assert_eq!(outcome.data["removed"], json!(["configmap/c"]));
        assert!(log(&shell).contains("delete -f"));
        std::fs::write(shell.dir().join("before"), "").unwrap();
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert!(!outcome.changed);
    }
}

#[tokio::test]
async fn files_and_templates_of_the_control_host_become_one_manifest() {
    let shell = cluster(shells().remove(0), "", &config_map("new", "1"));
    std::fs::write(shell.dir().join("a.yml"), MANIFEST).unwrap();
    std::fs::write(
        shell.dir().join("b.yml.j2"),
        MANIFEST.replace("new", "NAME"),
    )
    .unwrap();
    let control =
        FakeController::new(shell.dir()).rendering(|text, _| Ok(text.replace("NAME", "rendered")));
    let apply: KubeApplyArgs =
        serde_json::from_value(json!({"src": ["a.yml", "b.yml.j2"]})).unwrap();
    let context = Context {
        host: &shell,
        control: &control,
        check: false,
        diff: false,
    };
    let manifest = apply.manifest(&context).unwrap();
    assert_eq!(
        manifest.text(),
        format!(
            "---\n{MANIFEST}---\n{}",
            MANIFEST.replace("new", "rendered")
        )
    );
}

#[tokio::test]
async fn what_is_no_manifest_is_said_before_anything_is_sent() {
    let shell = shells().remove(0);
    std::fs::write(shell.dir().join("a.yml"), "just text").unwrap();
    let control = FakeController::new(shell.dir());
    let failure = fake::run::<KubeApplyArgs>(&shell, &control, REAL, json!({"src": "a.yml"})).await;
    assert!(
        failure
            .unwrap_err()
            .message
            .contains("a.yml is not a manifest")
    );
    assert_eq!(shell.trips(), 0);
}

/// A Namespace, what is in it, and something that needs neither.
const OWN_NAMESPACE: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: lb-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: lb-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {k: new}
";

/// A kubectl like a server before which a Namespace was never applied: it refuses what is in it, and prints what it
/// would make of the rest.
fn without_namespace(shell: Shell) -> Shell {
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lb-system"}});
    cluster(shell, "", "").tool(
        "kubectl",
        &format!(
            r#"echo "$*" >>log
            case "$*" in
              *version*) echo '{{"clientVersion": {{"major": "1", "minor": "34"}}}}' ;;
              *" apply "*)
                while [ "$1" != -f ]; do shift; done
                cp "$2" applied
                if grep -q settings "$2"; then
                  echo 'Error from server (NotFound): namespaces "lb-system" not found' >&2
                  exit 1
                fi
                echo '{namespace}' '{}' ;;
            esac"#,
            config_map("new", "1")
        ),
    )
}

#[tokio::test]
async fn check_mode_counts_what_is_in_a_namespace_of_its_own_as_created() {
    for shell in shells() {
        let shell = without_namespace(shell);
        let control = FakeController::new(shell.dir());
        let mut arguments = arguments(&shell);
        arguments["content"] = json!(OWN_NAMESPACE);
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, CHECK, arguments)
            .await
            .unwrap();
        assert_eq!(
            outcome.data["created"],
            json!([
                "namespace/lb-system",
                "configmap/c",
                "configmap/settings in lb-system"
            ])
        );
        assert_eq!(
            outcome.data["msg"],
            "3 created, 0 configured, 0 unchanged; 1 of those to be created could not be tried: what they need comes \
             with the same manifest"
        );
        // The server was asked about all the others.
        let asked = std::fs::read_to_string(shell.dir().join("applied")).unwrap();
        assert!(
            asked.contains("kind: Namespace") && asked.contains("{name: c}"),
            "{asked}"
        );
        assert_eq!(shell.trips(), 2);
    }
}

#[tokio::test]
async fn a_refusal_that_is_none_of_its_own_stays_one_in_check_mode() {
    let shell = without_namespace(shells().remove(0));
    let control = FakeController::new(shell.dir());
    let mut arguments = arguments(&shell);
    arguments["content"] = json!(OWN_NAMESPACE.replace(
        "lb-system}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}",
        "other}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}"
    ));
    let failure = fake::run::<KubeApplyArgs>(&shell, &control, CHECK, arguments).await;
    let message = failure.unwrap_err().message;
    assert!(
        message.contains("namespaces \"lb-system\" not found"),
        "{message}"
    );
}

#[tokio::test]
async fn a_namespace_is_applied_before_what_is_in_it() {
    let shell = without_namespace(shells().remove(0));
    let control = FakeController::new(shell.dir());
    let mut arguments = arguments(&shell);
    arguments["content"] = json!(OWN_NAMESPACE);
    arguments["retries"] = json!(0);
    fake::run::<KubeApplyArgs>(&shell, &control, REAL, arguments)
        .await
        .unwrap_err();
    let applied = std::fs::read_to_string(shell.dir().join("applied")).unwrap();
    assert!(
        applied.find("kind: Namespace") < applied.find("settings"),
        "{applied}"
    );
}

const SILENT: &str = r#"Error from server (InternalError): error when creating "pool.yml": Internal error occurred: failed calling webhook "v.metallb.io": failed to call webhook: Post "https://webhook-service.metallb-system.svc:443/validate?timeout=10s": no endpoints available for service "webhook-service""#;

/// A cluster whose webhook has not answered as long as the file `silent` has lines; its pod is like `status`.
fn with_webhook(shell: Shell, tries: usize, status: &Value) -> Shell {
    let shell = cluster(shell, "", &config_map("new", "1"));
    std::fs::write(shell.dir().join("silent"), "x\n".repeat(tries)).unwrap();
    std::fs::write(shell.dir().join("error"), SILENT).unwrap();
    let service = json!({"spec": {"selector": {"app": "metallb"}}});
    let pod = json!({"metadata": {"name": "controller-1"}, "spec": {"containers": [{}]}, "status": status});
    shell.tool(
        "kubectl",
        &format!(
            r#"echo "$*" >>log
            case "$*" in
              *version*) echo '{{"clientVersion": {{"major": "1", "minor": "34"}}}}' ;;
              *"get --namespace metallb-system -o json service webhook-service"*) echo '{service}' ;;
              *"get --namespace metallb-system -o json pods --selector app=metallb"*) echo '{}' ;;
              *" apply "*) if [ -s silent ]; then sed -i 1d silent; cat error >&2; exit 1; fi; cat after ;;
            esac"#,
            json!({"items": [pod]})
        ),
    )
}

#[tokio::test]
async fn a_webhook_that_is_not_up_yet_is_waited_for_whatever_the_number_of_tries() {
    for shell in shells() {
        let starts = json!({"phase": "Pending", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}]});
        let shell = with_webhook(shell, 3, &starts);
        let control = FakeController::new(shell.dir());
        let mut arguments = arguments(&shell);
        arguments["retries"] = json!(0);
        let outcome = fake::run::<KubeApplyArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert!(outcome.changed);
        assert_eq!(
            control.progress_lines(),
            [
                "waiting for a webhook: Service webhook-service in metallb-system has no ready pods: controller-1 0/1 ContainerCreating"
            ]
        );
    }
}

#[tokio::test]
async fn a_webhook_that_does_not_come_is_told_of_with_its_service() {
    let crashes = json!({"phase": "Pending", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}]});
    let shell = with_webhook(shells().remove(0), 100, &crashes);
    let control = FakeController::new(shell.dir());
    let mut arguments = arguments(&shell);
    arguments["webhook_timeout"] = json!(0);
    let failure = fake::run::<KubeApplyArgs>(&shell, &control, REAL, arguments)
        .await
        .unwrap_err();
    let begin = format!("kubectl apply failed: {SILENT}\n  the webhook did not answer for ");
    let end = " s: Service webhook-service in metallb-system has no ready pods: controller-1 0/1 ErrImagePull of container c";
    let message = failure.message;
    assert!(
        message.starts_with(&begin) && message.ends_with(end),
        "{message}"
    );
}
