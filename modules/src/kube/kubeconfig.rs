//! `kubeconfig`: the administrator's kubeconfig of a node, on the control host, with nothing in it that could
//! run a program there.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::{Destination, NodePath};
use crate::describe::{CheckMode, Return};
use crate::files::content::Content;
use crate::files::landing::Landing;
use crate::kit::{self, quote};
use crate::kube::kubectl::ADMIN;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// kubeadm's own has about 6 KiB.
const LARGEST: usize = 64 * 1024;
/// Names in a kubeconfig; Kubernetes' own names are no longer.
const LONGEST: usize = 253;

/// Brings the administrator's kubeconfig to the control host, with the mode 0600. One round trip.
///
/// A kubeconfig can name programs that `kubectl` starts on the machine where it runs (`exec`), and files and
/// proxies there. Whoever owns the node could write that. So only what kubeadm itself writes is taken: servers,
/// certificates, keys, and the names that tie them together. Anything else is an error, and the file on the
/// control host stays as it was. What is taken is rewritten, so that no reader of YAML sees more in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubeconfigArgs {
    /// The file on the node. Default: `/etc/kubernetes/admin.conf`.
    src: Option<NodePath>,
    /// The file on the control host. A relative one is relative to the playbook; `~/` is your home.
    dest: Destination,
}

impl Arguments for KubeconfigArgs {
    const NAME: &'static str = "kubeconfig";
    const NEEDS: &'static [&'static str] = &["root (`become: true`), where the file is kubeadm's"];
    const RETURNS: &'static [Return] = &[
        Return::text("dest", "the file on the control host"),
        Return::text("server", "that of the cluster"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Does(
        "It says whether the control host's file would change, and writes nothing.",
    );
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Bring the administrator's kubeconfig here\n  kubeconfig:\n    dest: ~/.kube/lab.conf\n  become: true\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let local = self.local(context)?;
        let config = Config::read(self.src(), &self.ask(context).await?)?;
        let text = config.text()?;
        let [NamedCluster { cluster, .. }] = config.clusters;
        let content = Content::bytes(text.clone().into_bytes());
        let same = local
            .sums()?
            .is_some_and(|sums| sums.sha256 == content.sums.sha256);
        let changed = if same {
            !context.check && local.tighten(0o600)?
        } else {
            if !context.check {
                let new = local.begin()?;
                new.write(text.as_bytes())?;
                new.put(0o600)?;
            }
            true
        };
        Ok(Outcome::changed(changed)
            .with("dest", local.path().display().to_string())
            .with("server", cluster.server))
    }
}

impl KubeconfigArgs {
    fn src(&self) -> &str {
        self.src.as_deref().map_or(ADMIN, |src| src)
    }

    fn local(&self, context: &Context<'_>) -> Result<Landing, Failure> {
        if self.dest.ends_with('/') {
            return Err(Failure::new(format!(
                "`dest: {}` is a folder on the control host: name the file",
                self.dest
            )));
        }
        let dest = Landing::dest(context, &self.dest);
        let landing = match (dest.parent(), dest.file_name()) {
            (Some(folder), Some(name)) => Landing::new(folder.to_owned(), Path::new(name)),
            _ => None,
        };
        landing.ok_or_else(|| Failure::new("`dest` is a file on the control host: name it"))
    }

    async fn ask(&self, context: &Context<'_>) -> Result<Vec<u8>, Failure> {
        let src = self.src();
        let script = kit::script(&[], format!("cat -- {}", quote(src)));
        let reply = context.host.run(script).await?;
        if reply.status != 0 {
            return Err(Failure::new(format!(
                "cannot read {src} on the node: {}",
                reply.error_text().trim()
            ))
            .hint("only root may read it: does the task have `become: true`?"));
        }
        if reply.stdout.bytes().len() > LARGEST {
            return Err(Failure::new(format!(
                "{src} on the node has more than {LARGEST} bytes; it is not a kubeconfig of kubeadm's"
            )));
        }
        Ok(reply.stdout.bytes().to_vec())
    }
}

/// What kubeadm writes into a kubeconfig, and nothing else: one of each, since another would stand for a
/// cluster of somebody else's where several kubeconfigs are read as one. A list of one follows no alias
/// beyond it, which could make a gigabyte of 64 KiB.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    clusters: [NamedCluster; 1],
    contexts: [NamedContext; 1],
    current_context: String,
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "it is taken, must be empty, and is not written")]
    preferences: Option<Nothing>,
    users: [NamedUser; 1],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Cluster {
    certificate_authority_data: String,
    server: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NamedContext {
    name: String,
    context: ContextOf,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ContextOf {
    cluster: String,
    user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NamedUser {
    name: String,
    user: User,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct User {
    client_certificate_data: String,
    client_key_data: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("User")
    }
}

impl Config {
    fn read(src: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let strange = |what: String| {
            Failure::new(format!(
                "{src} on the node is not as kubeadm writes it: {what}; nothing was taken of it"
            ))
            .hint(
                "a kubeconfig can have `kubectl` start programs and read files on this machine, so only servers, certificates and keys \
                 are taken. If somebody put more there on purpose, `fetch` brings the file as it is: then whoever owns the node can run \
                 programs here",
            )
        };
        let text = std::str::from_utf8(bytes).map_err(|_| strange("it is not UTF-8".into()))?;
        let config: Self =
            serde_path_to_error::deserialize(serde_yaml::Deserializer::from_str(text))
                .map_err(|error| strange(format!("`{}`: {}", error.path(), error.inner())))?;
        config.checked().map_err(strange)?;
        Ok(config)
    }

    /// Whether each value has the form of what it is.
    fn checked(&self) -> Result<(), String> {
        if self.api_version != "v1" || self.kind != "Config" {
            return Err("it is not a `Config` of `v1`".to_owned());
        }
        let named = [&self.current_context].into_iter();
        let named = named.chain(self.clusters.iter().map(|one| &one.name));
        let named = named.chain(self.users.iter().map(|one| &one.name));
        let named = named.chain(self.contexts.iter().flat_map(|one| {
            let context = &one.context;
            [&one.name, &context.cluster, &context.user]
                .into_iter()
                .chain(&context.namespace)
        }));
        for name in named {
            if name.len() > LONGEST || !name.chars().all(|c| c.is_ascii_graphic()) {
                return Err(format!("{name:?} is not a name"));
            }
        }
        let ([cluster], [user], [context]) = (&self.clusters, &self.users, &self.contexts);
        if self.current_context != context.name
            || context.context.cluster != cluster.name
            || context.context.user != user.name
        {
            return Err("its cluster, user and context do not belong together".to_owned());
        }
        for cluster in self.clusters.iter().map(|named| &named.cluster) {
            let rest = cluster.server.strip_prefix("https://");
            let is_address = |rest: &str| {
                let mut bytes = rest.bytes();
                bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte))
            };
            if !rest.is_some_and(is_address) {
                return Err(format!("{:?} is not a server", cluster.server));
            }
        }
        let data = self
            .clusters
            .iter()
            .map(|one| &one.cluster.certificate_authority_data);
        let data = data.chain(
            self.users
                .iter()
                .flat_map(|one| [&one.user.client_certificate_data, &one.user.client_key_data]),
        );
        for data in data {
            let mut bytes = data.bytes();
            if !bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)) {
                return Err("a certificate or key is not in base64".to_owned());
            }
        }
        Ok(())
    }

    fn text(&self) -> Result<String, Failure> {
        serde_yaml::to_string(self)
            .map_err(|error| Failure::new(format!("the kubeconfig cannot be written: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;

    use super::*;
    use crate::fake::{self, CHECK, FakeController, REAL, run, shells};

    /// As kubeadm 1.20 and 1.37 write it.
    const GOOD: &str = "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://10.0.0.10:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: kubernetes-admin
  name: kubernetes-admin@kubernetes
current-context: kubernetes-admin@kubernetes
kind: Config
preferences: {}
users:
- name: kubernetes-admin
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
";

    async fn brought(text: &str) -> (tempfile::TempDir, Result<Outcome, Failure>) {
        let shell = shells().remove(0);
        fs::write(shell.at("admin.conf"), text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let control = FakeController::new(folder.path());
        let arguments = json!({"src": shell.at("admin.conf"), "dest": "kube/config"});
        let outcome = run::<KubeconfigArgs>(&shell, &control, REAL, arguments).await;
        (folder, outcome)
    }

    #[tokio::test]
    async fn what_kubeadm_writes_comes_over_and_a_second_time_changes_nothing() {
        for shell in fake::shells() {
            fs::write(shell.at("admin.conf"), GOOD).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let control = FakeController::new(folder.path());
            let arguments = json!({"src": shell.at("admin.conf"), "dest": "kube/config"});
            let local = folder.path().join("kube/config");
            for (mode, changed) in [(CHECK, true), (REAL, true), (REAL, false)] {
                let before = shell.trips();
                let outcome =
                    run::<KubeconfigArgs>(&shell, &control, mode, arguments.clone()).await;
                let outcome = outcome.unwrap();
                assert_eq!(outcome.changed, changed);
                assert_eq!(outcome.data["server"], "https://10.0.0.10:6443");
                assert_eq!(shell.trips(), before + 1);
                assert_eq!(local.exists(), mode == REAL);
            }
            let mode = local.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let read = |text: &str| -> serde_json::Value { serde_yaml::from_str(text).unwrap() };
            let mut expected = read(GOOD);
            expected.as_object_mut().unwrap().remove("preferences");
            assert_eq!(read(&fs::read_to_string(&local).unwrap()), expected);
        }
    }

    #[tokio::test]
    async fn what_could_run_a_program_or_read_a_file_here_is_refused() {
        let users = [
            "    exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, args: [canary]}\n",
            "    auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}\n",
            "    tokenFile: /etc/passwd\n",
            "    client-key: /home/me/.ssh/id_ed25519\n",
            "    username: x\n",
            "    <<: {exec: {command: sh}}\n",
            "    client-key-data: S0VZ\n    !!str exec: {command: sh}\n",
        ];
        let bad = users.map(|line| format!("{GOOD}{line}"));
        let clusters = [
            (
                "    server: https",
                "    proxy-url: http://evil\n    server: https",
            ),
            (
                "    server: https",
                "    insecure-skip-tls-verify: true\n    server: https",
            ),
            (
                "server: https://10.0.0.10:6443",
                "server: file:///etc/passwd",
            ),
            (
                "server: https://10.0.0.10:6443",
                "server: \"https://a\\nb\"",
            ),
            ("name: kubernetes\n", "name: \"a\\e[31m\"\n"),
            ("Q0E=", "'$(touch canary)'"),
            ("kind: Config", "kind: List"),
            ("preferences: {}", "preferences: {extensions: [{name: a}]}"),
            ("preferences: {}", "extensions: []"),
        ];
        let bad = bad
            .into_iter()
            .chain(clusters.map(|(from, to)| GOOD.replacen(from, to, 1)));
        for text in bad.chain([
            GOOD.repeat(200),
            "a: &a [*a]".to_owned(),
            "{".repeat(60_000),
        ]) {
            let (folder, outcome) = brought(&text).await;
            let failure = outcome.expect_err(&text[..text.len().min(600)]);
            assert!(failure.message.contains("kubeadm"), "{}", failure.message);
            assert!(!folder.path().join("kube").exists(), "{text}");
        }
    }

    /// More than one would say what is of another cluster, where several kubeconfigs are read as one; and with
    /// aliases 64 KiB would be a gigabyte.
    #[tokio::test]
    async fn there_is_one_cluster_one_user_and_one_context_and_they_belong_together() {
        let more = [
            (
                "contexts:\n",
                "- cluster: {certificate-authority-data: Q0E=, server: https://b:1}\n  name: prod\n",
            ),
            (
                "current-context",
                "- context: {cluster: kubernetes, user: kubernetes-admin}\n  name: prod\n",
            ),
        ];
        let mut bad: Vec<String> = more
            .iter()
            .map(|(before, one)| GOOD.replacen(before, &format!("{one}{before}"), 1))
            .collect();
        bad.push(format!(
            "{GOOD}- name: b\n  user: {{client-certificate-data: Q0E=, client-key-data: Q0E=}}\n"
        ));
        let aliases = "*c, ".repeat(8_000);
        let letters = "a".repeat(30_000);
        bad.push(format!(
            "clusters: [&c {{name: {letters}, cluster: {{certificate-authority-data: Q0E=, server: https://a:1}}}}, {aliases}]\n"
        ));
        for (from, to) in [
            (
                "current-context: kubernetes-admin@kubernetes",
                "current-context: prod",
            ),
            ("  name: kubernetes-admin@kubernetes", "  name: prod"),
            ("    cluster: kubernetes\n", "    cluster: prod\n"),
            ("    user: kubernetes-admin\n", "    user: prod\n"),
        ] {
            bad.push(GOOD.replacen(from, to, 1));
        }
        for text in bad {
            assert_ne!(text, GOOD);
            let (folder, outcome) = brought(&text).await;
            let failure = outcome.expect_err(&text[..text.len().min(600)]);
            assert!(failure.message.contains("kubeadm"), "{}", failure.message);
            assert!(failure.message.len() < 1_000, "{}", failure.message.len());
            assert!(!folder.path().join("kube").exists());
        }
    }

    #[tokio::test]
    async fn a_dest_that_names_a_folder_is_refused_before_the_node_is_asked() {
        let host = fake::Fake::saying(&[]);
        let control = FakeController::new("/nowhere");
        for dest in ["kube/", "~/.kube/", "/"] {
            let outcome =
                run::<KubeconfigArgs>(&host, &control, REAL, json!({ "dest": dest })).await;
            let failure = outcome.unwrap_err();
            assert!(
                failure.message.contains("name the file"),
                "{}",
                failure.message
            );
            assert!(failure.message.contains(dest), "{}", failure.message);
        }
        assert!(host.scripts().is_empty());
    }
}
