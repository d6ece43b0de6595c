//! `kube_apply`: makes objects of a cluster what manifests say.

use std::fmt::Write as _;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::args::{Flag, Manifests, NodePath, Number, Text};
use crate::controller::RenderOptions;
use crate::describe::{CheckMode, Invalid, Return, Rule};
use crate::host::Input;
use crate::kit::{self, Records, quote};
use crate::kube::documents;
use crate::kube::kubeadm_token::admin;
use crate::kube::kubectl::{Kubectl, reason};
use crate::kube::objects::{self, Changes};
use crate::kube::wanted_pods::{kubectl, two_seconds};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};
use crate::secret::Secret;

/// Applies manifests with kubectl on the node, or removes what they name.
///
/// Manifests are files of the control host (`src`), or text (`content`); they reach kubectl over standard
/// input. They are applied server-side, so that fields that others own are left alone, and so that
/// manifests of any size fit.
///
/// What changed is found by comparing every object before and after, without what the server and its
/// controllers write into it (status, resource version, …). Values of Secrets are compared, and not shown.
///
/// A manifest that brings a new kind (CustomResourceDefinition) and objects of that kind is applied
/// again until the server knows the kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeApplyArgs {
    /// Manifest files of the control host, absolute or beside the playbook (in `files/`, `templates/`, or
    /// next to it). Those that end in `.j2` are rendered as templates.
    #[serde(default)]
    pub src: Manifests,
    /// Manifests as text, with any number of YAML documents.
    pub content: Option<Text>,
    /// `present`: the objects are as the manifests say. `absent`: they are removed.
    #[serde(default)]
    pub state: Wanted,
    /// The namespace of objects that name none.
    pub namespace: Option<Text>,
    /// Whether the server does the merging. Done by kubectl itself where it is older than 1.16.
    #[serde(default = "Flag::yes")]
    pub server_side: Flag,
    /// In whose name fields are owned.
    #[serde(default = "manager")]
    pub field_manager: Text,
    /// Takes fields over that another manager owns, where the two do not agree.
    #[serde(default = "Flag::no")]
    pub force_conflicts: Flag,
    /// How many times to try again while the server does not know a kind yet, or does not answer.
    #[serde(default = "five")]
    pub retries: Number<u32>,
    /// Seconds between two tries.
    #[serde(default = "two_seconds")]
    pub delay: Number<u64>,
    /// The kubeconfig to use, a path on the node.
    #[serde(default = "admin")]
    pub kubeconfig: NodePath,
    /// The kubectl to use, from the `PATH` or by its path.
    #[serde(default = "kubectl")]
    pub kubectl: Text,
}

/// Whether objects are to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// They are to be there, as the manifests say.
    #[default]
    Present,
    /// They are not to be there.
    Absent,
}

fn manager() -> Text {
    Text::from("windlass")
}

fn five() -> Number<u32> {
    Number(5)
}

impl Arguments for KubeApplyArgs {
    const NAME: &'static str = "kube_apply";
    const NEEDS: &'static [&'static str] = &[
        "kubectl",
        "mktemp",
        "a kubeconfig that the task's user can read",
    ];
    const RULES: &'static [Rule] = &[Rule::ExactlyOne(&["src", "content"])];
    const RETURNS: &'static [Return] = &[
        Return::list(
            "created",
            "objects that are new, as `kind/name in namespace`",
        ),
        Return::list("configured", "objects that changed"),
        Return::list("unchanged", "objects that were as they should be"),
        Return::list("removed", "objects that were removed"),
        Return::text("msg", "a sentence about it"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Does(
        "The server does the same as a dry run, so that what would change is known.",
    );
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Apply files/flannel.yml, and templates/pool.yml.j2 as it is rendered\n  kube_apply:\n    src:\n      - flannel.yml\n      - pool.yml.j2\n  become: true\n",
        "- name: Have a namespace\n  kube_apply:\n    content: |\n      apiVersion: v1\n      kind: Namespace\n      metadata:\n        name: team-a\n  become: true\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        match &self.content {
            Some(text) => documents::read(text).map(drop).map_err(|error| {
                Invalid::new(&["content"], format!("content is no manifest: {error}"))
            }),
            None => Ok(()),
        }
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let manifest = Secret::new(self.manifest(context)?);
        match self.state {
            Wanted::Present => self.apply(context, &manifest).await,
            Wanted::Absent => self.remove(context, &manifest).await,
        }
    }
}

impl KubeApplyArgs {
    /// All manifests as one text.
    fn manifest(&self, context: &Context<'_>) -> Result<String, Failure> {
        let mut text = String::new();
        for (name, part) in self.parts(context)? {
            let documents = documents::read(&part).map_err(|error| {
                Failure::new(format!("{name} is no manifest: {error}"))
                    .hint("it must hold YAML documents with apiVersion, kind and metadata")
            })?;
            if documents.is_empty() {
                return Err(Failure::new(format!("{name} holds no object")));
            }
            if !part.starts_with("---") {
                text.push_str("---\n");
            }
            text.push_str(part.trim_end());
            text.push('\n');
        }
        Ok(text)
    }

    fn parts(&self, context: &Context<'_>) -> Result<Vec<(String, String)>, Failure> {
        if let Some(content) = &self.content {
            return Ok(vec![("content".to_owned(), content.0.clone())]);
        }
        let mut parts = Vec::new();
        for name in self.src.iter() {
            let template = Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "j2");
            let folder = if template { "templates" } else { "files" };
            let path = context.control.find(folder, name)?;
            let text = if template {
                context.control.render(&path, &RenderOptions::default())?
            } else {
                crate::source::text(&path).map_err(|error| {
                    Failure::new(format!("{} cannot be read: {error}", path.display()))
                })?
            };
            parts.push((path.display().to_string(), text));
        }
        Ok(parts)
    }

    async fn apply(&self, context: &Context<'_>, manifest: &Secret) -> Result<Outcome, Failure> {
        let mut first_before = None;
        let mut tries = *self.retries;
        loop {
            let records = self.ask(context, manifest).await?;
            // What was before the first try counts: a later one finds part of it applied.
            if first_before.is_none() {
                first_before = Some(read(&records, "before")?);
            }
            let Some(error) = records.text("refused") else {
                let after = read(&records, "after")?;
                return Ok(applied(objects::compare(
                    first_before.unwrap_or_default(),
                    after,
                )));
            };
            if tries == 0 || !passes(&error) || context.check {
                return Err(refused(&error));
            }
            tries -= 1;
            context
                .control
                .progress(&format!("trying again: {}", reason(&error)));
            tokio::time::sleep(self.delay.seconds()).await;
        }
    }

    async fn remove(&self, context: &Context<'_>, manifest: &Secret) -> Result<Outcome, Failure> {
        let records = self.ask(context, manifest).await?;
        if let Some(error) = records.text("refused") {
            return Err(refused(&error));
        }
        let (names, differences): (Vec<_>, Vec<_>) = read(&records, "before")?
            .into_iter()
            .map(objects::removal)
            .unzip();
        if names.is_empty() {
            let complaint = records.text("complaint").unwrap_or_default();
            // A kind that is not known any more has no objects; other complaints hide some.
            if !complaint.trim().is_empty() && !UNKNOWN_KIND.iter().any(|s| complaint.contains(s)) {
                return Err(refused(&complaint));
            }
        }
        let mut outcome = Outcome::changed(!names.is_empty())
            .message(format!("{} objects removed", names.len()))
            .with("removed", names);
        outcome.diff = differences;
        Ok(outcome)
    }

    /// One round trip of `kube_apply.sh`.
    async fn ask(&self, context: &Context<'_>, manifest: &Secret) -> Result<Records, Failure> {
        let kubectl = Kubectl {
            program: &self.kubectl,
            kubeconfig: &self.kubeconfig,
        };
        let mut source = kubectl.prelude();
        let word = |yes: bool, word: &str| if yes { word.to_owned() } else { String::new() };
        let present = self.state == Wanted::Present;
        for (name, value) in [
            ("state", word(present, "present")),
            ("namespace", self.namespace.clone().unwrap_or_default().0),
            ("manager", word(*self.server_side, &self.field_manager)),
            ("force", word(*self.force_conflicts, "1")),
            ("dry", word(context.check, "1")),
        ] {
            let _ = writeln!(source, "{name}={}", quote(&value));
        }
        source.push_str(include_str!("kube_apply.sh"));
        let script = kit::script(&[kit::RECORDS], source).stdin(Input::Secret(manifest.clone()));
        Records::read(&context.host.run(script).await?)
    }
}

fn read(records: &Records, key: &str) -> Result<Vec<Value>, Failure> {
    objects::read(&records.text(key).unwrap_or_default()).map_err(Failure::new)
}

fn applied(changes: Changes) -> Outcome {
    let anything = !changes.created.is_empty() || !changes.configured.is_empty();
    let mut outcome = Outcome::changed(anything)
        .message(format!(
            "{} created, {} configured, {} unchanged",
            changes.created.len(),
            changes.configured.len(),
            changes.unchanged.len()
        ))
        .with("created", changes.created)
        .with("configured", changes.configured)
        .with("unchanged", changes.unchanged)
        .with("removed", Vec::<String>::new());
    outcome.diff = changes.differences;
    outcome
}

/// What kubectl says of kinds that the server does not know, or not yet.
const UNKNOWN_KIND: &[&str] = &[
    "no matches for kind",
    "unable to recognize",
    "ensure CRDs are installed first",
    "the server could not find the requested resource",
];

/// What an API server says, or the way to it, while it starts.
const NOT_NOW: &[&str] = &[
    "connection refused",
    "was refused",
    "etcdserver:",
    "TLS handshake timeout",
    "i/o timeout",
    "EOF",
    "the server is currently unable to handle the request",
    "context deadline exceeded",
    "unexpected error when reading response body",
];

/// Whether an error may be gone when asked again.
fn passes(error: &str) -> bool {
    [UNKNOWN_KIND, NOT_NOW]
        .iter()
        .any(|signs| signs.iter().any(|sign| error.contains(sign)))
}

fn refused(error: &str) -> Failure {
    let failure = Failure::new(format!("kubectl apply failed: {}", error.trim()));
    if error.contains("conflict") {
        failure.hint("another manager owns these fields: `force_conflicts: true` takes them over")
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::{self, CHECK, Controller, DIFF, REAL, Shell, shells};

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
            let control = Controller::new(shell.dir());
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
            let control = Controller::new(shell.dir());
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
            let control = Controller::new(shell.dir());
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
            let control = Controller::new(shell.dir());
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
            let control = Controller::new(shell.dir());
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
            Controller::new(shell.dir()).rendering(|text, _| Ok(text.replace("NAME", "rendered")));
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
            manifest,
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
        let control = Controller::new(shell.dir());
        let failure =
            fake::run::<KubeApplyArgs>(&shell, &control, REAL, json!({"src": "a.yml"})).await;
        assert!(
            failure
                .unwrap_err()
                .message
                .contains("a.yml is no manifest")
        );
        assert_eq!(shell.trips(), 0);
    }
}
