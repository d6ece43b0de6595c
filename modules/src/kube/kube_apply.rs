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
use crate::kube::defaults::{admin, five, five_minutes, kubectl, two_seconds};
use crate::kube::documents;
use crate::kube::kubectl::{Kubectl, reason};
use crate::kube::manifest::Manifest;
use crate::kube::objects::{self, Changes};
use crate::kube::webhook;
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
/// A manifest may bring namespaces and new kinds (CustomResourceDefinition) together with objects that need them:
/// they are applied first, and again until the server knows the kind. In check mode such objects cannot be tried
/// before what they need is there: they count as created.
///
/// An admission webhook that does not answer yet, as an operator's does for a while after it was applied, is
/// waited for.
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
    pub state: ObjectState,
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
    /// Seconds that an admission webhook may take to answer. Where its pods cannot start, that ends the wait.
    #[serde(default = "five_minutes")]
    pub webhook_timeout: Number<u64>,
    /// The kubeconfig to use, a path on the node.
    #[serde(default = "admin")]
    pub kubeconfig: NodePath,
    /// The kubectl to use, from the `PATH` or by its path.
    #[serde(default = "kubectl")]
    pub kubectl: Text,
}

/// Whether objects should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectState {
    /// They should be there, as the manifests say.
    #[default]
    Present,
    /// They should not be there.
    Absent,
}

fn manager() -> Text {
    Text::from("windlass")
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
        "The server does the same as a dry run, so that what would change is known; what needs a namespace or a kind that the \
         same manifest brings counts as created.",
    );
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Apply files/flannel.yml, and templates/pool.yml.j2 as it is rendered\n  kube_apply:\n    src:\n      - flannel.yml\n      - pool.yml.j2\n  become: true\n",
        "- name: Have a namespace\n  kube_apply:\n    content: |\n      apiVersion: v1\n      kind: Namespace\n      metadata:\n        name: team-a\n  become: true\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        match &self.content {
            Some(text) => documents::read(text).map(drop).map_err(|error| {
                Invalid::new(&["content"], format!("content is not a manifest: {error}"))
            }),
            None => Ok(()),
        }
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let manifest = self.manifest(context)?;
        match self.state {
            ObjectState::Present => self.apply(context, &manifest).await,
            ObjectState::Absent => self.remove(context, &manifest).await,
        }
    }
}

impl KubeApplyArgs {
    fn manifest(&self, context: &Context<'_>) -> Result<Manifest, Failure> {
        let mut manifest = Manifest::default();
        for (name, part) in self.parts(context)? {
            manifest.add(&part).map_err(|error| {
                Failure::new(format!("{name} is not a manifest: {error}"))
                    .hint("it must hold YAML documents with apiVersion, kind and metadata")
            })?;
        }
        Ok(manifest)
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

    async fn apply(&self, context: &Context<'_>, manifest: &Manifest) -> Result<Outcome, Failure> {
        let text = Secret::new(manifest.text());
        let mut first_before = None;
        let mut tries = *self.retries;
        let mut webhook = webhook::Wait::new();
        loop {
            let records = self.ask(context, &text).await?;
            // What was before the first try counts: a later one finds part of it applied.
            let before = match first_before.take() {
                Some(before) => before,
                None => read(&records, "before")?,
            };
            let Some(error) = records.text("refused") else {
                let after = read(&records, "after")?;
                return Ok(applied(objects::compare(before, after), 0));
            };
            if context.check && !NOT_NOW.iter().any(|sign| error.contains(sign)) {
                return self.try_parts(context, manifest, before, &error).await;
            }
            first_before = Some(before);
            if webhook::is_silent(&error) && !context.check {
                let timeout = self.webhook_timeout.seconds();
                webhook
                    .look(context, self.kubectl(), &error, timeout)
                    .await?;
            } else if tries == 0 || !passes(&error) {
                return Err(refused(&error));
            } else {
                tries -= 1;
                context
                    .control
                    .progress(&format!("trying again: {}", reason(&error)));
            }
            context.control.sleep(self.delay.seconds()).await?;
        }
    }

    /// What a dry run of the parts says that can be tried, where one of the whole was refused with `error`.
    async fn try_parts(
        &self,
        context: &Context<'_>,
        manifest: &Manifest,
        before: Vec<Value>,
        error: &str,
    ) -> Result<Outcome, Failure> {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        let parted = manifest.parted(&before, namespace);
        if parted.later.is_empty() {
            return Err(refused(error));
        }
        let mut after = Vec::new();
        if !parted.rest.is_empty() {
            let records = self.ask(context, &Secret::new(parted.rest)).await?;
            if let Some(error) = records.text("refused") {
                return Err(refused(&error));
            }
            after = read(&records, "after")?;
        }
        let untried = parted.later.len();
        after.extend(parted.later);
        Ok(applied(objects::compare(before, after), untried))
    }

    async fn remove(&self, context: &Context<'_>, manifest: &Manifest) -> Result<Outcome, Failure> {
        let records = self.ask(context, &Secret::new(manifest.text())).await?;
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

    fn kubectl(&self) -> Kubectl<'_> {
        Kubectl {
            program: &self.kubectl,
            kubeconfig: &self.kubeconfig,
        }
    }

    /// One round trip of `kube_apply.sh`.
    async fn ask(&self, context: &Context<'_>, manifest: &Secret) -> Result<Records, Failure> {
        let mut source = self.kubectl().prelude();
        let word = |yes: bool, word: &str| if yes { word.to_owned() } else { String::new() };
        let present = self.state == ObjectState::Present;
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

/// What was done; in check mode so many objects could not be tried.
fn applied(changes: Changes, untried: usize) -> Outcome {
    let anything = !changes.created.is_empty() || !changes.configured.is_empty();
    let mut message = format!(
        "{} created, {} configured, {} unchanged",
        changes.created.len(),
        changes.configured.len(),
        changes.unchanged.len()
    );
    if untried > 0 {
        let _ = write!(
            message,
            "; {untried} of those to be created could not be tried: what they need comes with the same manifest"
        );
    }
    let mut outcome = Outcome::changed(anything)
        .message(message)
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
#[path = "kube_apply_tests.rs"]
mod tests;
