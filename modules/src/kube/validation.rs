//! A configuration that kubeadm looks through before anything is done with it: `kubeadm config validate`, with
//! which the node is asked once. What kubeadm refuses is a failure; what it only warns of is told.

use std::time::Duration;

use serde_json::Value;

use crate::host::{Input, Script};
use crate::kit::quote;
use crate::kube::kubeadm;
use crate::kube::kubelet;
use crate::kube::probe::Places;
use crate::module::Context;
use crate::outcome::{Failure, Outcome};
use crate::secret::Secret;

/// With this the script says that kubeadm has no `config validate`.
const CANNOT: i32 = 78;

/// It reads a file, and asks nobody.
const LIMIT: Duration = Duration::from_secs(60);

/// Has kubeadm look through documents; nothing is changed.
pub async fn validate(
    context: &Context<'_>,
    places: &Places,
    config: String,
) -> Result<Outcome, Failure> {
    let mut source = format!("kubeadm={}\n", quote(&places.kubeadm));
    source.push_str(include_str!("kubeadm.sh"));
    source.push_str(include_str!("kubeadm_validate.sh"));
    let mut script = Script::new(source).stdin(Input::Secret(Secret::new(config)));
    script.limit = Some(LIMIT);
    let reply = context.host.run(script).await?;
    let output = reply.text();
    match reply.status {
        0 => {
            let warnings = warnings(&output);
            let message = match warnings.len() {
                0 => "kubeadm takes the configuration",
                _ => "kubeadm takes the configuration, and warns",
            };
            let mut outcome = Outcome::ok().message(message).with("stdout", output);
            outcome.warnings = warnings;
            Ok(outcome)
        }
        CANNOT => Ok(Outcome::ok().message("this kubeadm is too old to look through a configuration")),
        status => Err(kubeadm::explain("kubeadm config validate", status, &output)
            .hint(
                "change what kubeadm names, mostly in one of the variables whose names end in `_extra`; nothing was \
                 changed on the node",
            )
            .with("rc", status)
            .with("stdout", output)
            .with("stderr", reply.error_text())),
    }
}

/// The version of kubeadm's API that documents are written in, without its group; nothing where none is kubeadm's.
pub fn api(documents: &[Value]) -> Option<&str> {
    let versions = documents
        .iter()
        .filter_map(|one| one["apiVersion"].as_str());
    let mut ours = versions.filter_map(|version| version.strip_prefix("kubeadm.k8s.io/"));
    ours.next()
}

/// So many warnings are told, and of each so many letters: the node may not be what it should.
const MOST: usize = 20;
const LONGEST: usize = 600;

/// What kubeadm warns of, each once and without the header of its log.
fn warnings(output: &str) -> Vec<String> {
    let mut warnings: Vec<String> = Vec::new();
    for line in output.lines().map(str::trim) {
        let words = if kubelet::klog(line, 'W') {
            line.split_once("] ").map_or(line, |(_, words)| words)
        } else if line.to_ascii_lowercase().starts_with("warning: ") {
            &line["warning: ".len()..]
        } else {
            continue;
        };
        let words: String = readable(words).chars().take(LONGEST).collect();
        let words = format!("kubeadm: {words}");
        if warnings.len() == MOST {
            break;
        }
        if !warnings.contains(&words) {
            warnings.push(words);
        }
    }
    warnings
}

/// With `KubeletConfiguration` for Go's way to print what kind that is.
fn readable(words: &str) -> String {
    let kind = |rest: &str| {
        let (inside, after) = rest.split_once('}')?;
        let (_, kind) = inside.split_once("Kind:\"")?;
        let (kind, _) = kind.split_once('"')?;
        Some(format!("{kind}{after}"))
    };
    match words.split_once("schema.GroupVersionKind{") {
        Some((before, rest)) => {
            kind(rest).map_or_else(|| words.to_owned(), |rest| before.to_owned() + &rest)
        }
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell, shells};
    use crate::kube::kubeadm_init::KubeadmInitArgs;
    use crate::kube::kubeadm_join::KubeadmJoinArgs;
    use crate::outcome::{Failure, Outcome};

    const TOKEN: &str = "abcdef.0123456789abcdef";

    /// A kubeadm that keeps what it is given, and says this of it.
    fn kubeadm(shell: Shell, says: &str) -> Shell {
        shell.tool(
            "kubeadm",
            &format!(
                r#"echo "$*" >>log
                case "$*" in
                  *--help) echo 'Usage:'; echo '  kubeadm config validate [flags]'; exit ;;
                  'config validate --config '*) cat "$4" >given; ls -l "$4" | cut -c1-10 >mode; {says} ;;
                  *) exit 9 ;;
                esac"#
            ),
        )
    }

    async fn init(shell: &Shell, mode: RunMode) -> Result<Outcome, Failure> {
        let content = "kind: ClusterConfiguration\napiVersion: kubeadm.k8s.io/v1beta4\napiServer: {extraArgs: {v: 2}}\n";
        let arguments = json!({
            "content": content, "validate_only": true, "certificate_key": "0123456789abcdef".repeat(4),
        });
        let control = FakeController::new(shell.dir());
        fake::run::<KubeadmInitArgs>(shell, &control, mode, arguments).await
    }

    fn read(shell: &Shell, file: &str) -> String {
        std::fs::read_to_string(shell.dir().join(file)).unwrap_or_default()
    }

    #[tokio::test]
    async fn what_kubeadm_only_warns_of_is_told_and_nothing_is_left() {
        for shell in shells() {
            let shell = kubeadm(
                shell,
                r#"echo 'W1129 02:18:43.000000  300 strict.go:55] error unmarshaling configuration schema.GroupVersionKind{Group:"kubelet.config.k8s.io", Version:"v1beta1", Kind:"KubeletConfiguration"}: strict decoding error: unknown field "maxPodz"' >&2
                echo 'I1129 02:18:43.000000  300 other.go:1] of no interest'; echo ok"#,
            );
            for mode in [REAL, CHECK] {
                let outcome = init(&shell, mode).await.unwrap();
                assert!(!outcome.changed);
                assert_eq!(
                    outcome.warnings,
                    [
                        r#"kubeadm: error unmarshaling configuration KubeletConfiguration: strict decoding error: unknown field "maxPodz""#
                    ]
                );
            }
            assert_eq!(shell.trips(), 2);
            let given: Value = serde_yaml::from_str(&read(&shell, "given")).unwrap();
            assert_eq!(
                given["apiServer"]["extraArgs"],
                json!([{"name": "v", "value": "2"}])
            );
            assert_eq!(given["certificateKey"], Value::Null);
            assert_eq!(read(&shell, "mode").trim(), "-rw-------");
            let log = read(&shell, "log");
            let file = log.lines().last().unwrap().rsplit(' ').next().unwrap();
            assert!(!std::path::Path::new(file).exists(), "{file} is left");
        }
    }

    #[tokio::test]
    async fn what_kubeadm_refuses_is_a_failure_in_its_words() {
        for shell in shells() {
            let shell = kubeadm(
                shell,
                r#"echo 'invalid configuration: strict decoding error: unknown field "apiServer.certSanz"' >&2
                echo 'To see the stack trace of this error execute with --v=5 or higher' >&2; exit 1"#,
            );
            let failure = init(&shell, REAL).await.unwrap_err();
            assert_eq!(
                failure.message,
                r#"`kubeadm config validate` failed: invalid configuration: strict decoding error: unknown field "apiServer.certSanz""#
            );
            assert!(failure.hint.unwrap().contains("nothing was changed"));
        }
    }

    #[tokio::test]
    async fn a_kubeadm_that_cannot_is_not_asked_to() {
        for shell in shells() {
            let shell = shell.tool(
                "kubeadm",
                "echo \"$*\" >>log; case $* in *--help) echo '  kubeadm config [command]' ;; *) echo 'unknown flag: --config'; exit 1 ;; esac",
            );
            let outcome = init(&shell, REAL).await.unwrap();
            assert!(outcome.warnings.is_empty());
            assert!(outcome.data["msg"].as_str().unwrap().contains("too old"));
            assert_eq!(read(&shell, "log"), "config validate --help\n");
        }
    }

    #[tokio::test]
    async fn what_a_node_joins_with_is_looked_through_with_its_discovery() {
        for shell in shells() {
            let shell = kubeadm(shell, "echo ok");
            let control = FakeController::new(shell.dir());
            let join = async |content: &str| {
                let arguments = json!({
                    "content": content, "validate_only": true, "endpoint": "192.0.2.10:6443", "token": TOKEN,
                    "ca_cert_hashes": [format!("sha256:{}", "0".repeat(64))],
                });
                fake::run::<KubeadmJoinArgs>(&shell, &control, REAL, arguments).await
            };
            join("kind: JoinConfiguration\napiVersion: kubeadm.k8s.io/v1beta3\n")
                .await
                .unwrap();
            let given: Value = serde_yaml::from_str(&read(&shell, "given")).unwrap();
            assert_eq!(given["apiVersion"], "kubeadm.k8s.io/v1beta3");
            assert_eq!(given["discovery"]["bootstrapToken"]["token"], TOKEN);
            assert!(!read(&shell, "log").contains(TOKEN));
            // kubeadm's own defaults need no looking through.
            join("").await.unwrap();
            assert_eq!(read(&shell, "log").lines().count(), 2);
        }
    }
}
