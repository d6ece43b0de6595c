//! What `kubeadm_init` and `kubeadm_join` have in common: find the state, and go on from there.

use serde_json::Value;

use crate::describe::Return;
use crate::kube::kubeadm::{self, KubeadmCommand};
use crate::kube::probe::{Places, Probed, Question};
use crate::kube::signs::{Finding, NodeState};
use crate::module::Context;
use crate::outcome::{Failure, Outcome};

/// What these modules need on the node.
pub const NEEDS: &[&str] = &[
    "kubeadm",
    "kubelet",
    "kubectl",
    "mktemp",
    "root (`become: true`)",
];

/// Which way a node comes into its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// As its first node.
    Init,
    /// Later.
    Join,
    /// In either way.
    Either,
}

impl Act {
    fn half(self) -> &'static str {
        match self {
            Self::Init => "half initialised",
            Self::Join => "half joined",
            Self::Either => "only partly in its cluster",
        }
    }
}

/// A node that is to be in its cluster.
#[derive(Debug)]
pub struct Membership<'a> {
    /// How it gets there.
    pub act: Act,
    /// Whether it may be reset.
    pub repair: bool,
    /// The runtime's socket, for the reset.
    pub cri_socket: Option<&'a str>,
    /// What to ask it.
    pub question: Question<'a>,
}

impl Membership<'_> {
    /// Leaves a joined node alone; runs the command of `command` on an absent one; resets a half one
    /// first, where that is allowed and does no harm.
    pub async fn reach(
        &self,
        context: &Context<'_>,
        command: impl AsyncFnOnce(&Probed) -> Result<KubeadmCommand, Failure>,
    ) -> Result<Outcome, Failure> {
        let probed = self.question.ask(context).await?;
        let before = probed.finding.state;
        if before == NodeState::Joined {
            return Ok(describe(Outcome::ok(), &probed).message("it is there already, and works"));
        }
        if before == NodeState::Half {
            may_reset(self.act, self.repair, &probed.finding)?;
        }
        // Made before anything is reset: what is wrong with it should do no damage.
        let command = command(&probed).await?;
        let mut outcome = describe(Outcome::changed(true), &probed);
        outcome
            .data
            .insert("reset".to_owned(), Value::Bool(before == NodeState::Half));
        if context.check {
            return Ok(outcome.message(format!("would run `kubeadm {}`", command.arguments[0])));
        }
        if before == NodeState::Half {
            kubeadm::reset(context, self.question.places, self.cri_socket).await?;
        }
        let output = command.run(context, self.question.places).await?;
        Ok(outcome.with("stdout", output))
    }
}

/// What a module returns that brings a node into its cluster, or takes it out.
pub const RETURNS: &[Return] = &[
    Return::text("state", "the state before: `absent`, `joined` or `half`"),
    Return::list("found", "what the node showed"),
    Return::list("missing", "what it lacked"),
    Return::text("node_name", "the name of the Node"),
    Return::text("version", "the version of kubeadm: `v1.33.1`"),
    Return::bool("reset", "whether the node was reset"),
    Return::text("stdout", "what kubeadm printed, without tokens and keys"),
    Return::text("msg", "what would be done, in check mode"),
];

/// What a result says of the state before.
pub fn describe(outcome: Outcome, probed: &Probed) -> Outcome {
    let finding = &probed.finding;
    outcome
        .with("state", finding.state.name())
        .with("found", finding.found.clone())
        .with("missing", finding.missing.clone())
        .with("node_name", probed.node_name.clone())
        .with("version", probed.version.to_string())
        .with("reset", false)
}

/// Fails with what was found and what to do, unless the node may be reset.
pub fn may_reset(act: Act, repair: bool, finding: &Finding) -> Result<(), Failure> {
    let hint = match (&finding.keep, repair) {
        (None, true) => return Ok(()),
        (None, false) => {
            "repair what is missing (`journalctl -xeu kubelet` on the node shows why), or \
             set `repair: true` to reset the node with `kubeadm reset` and begin again"
                .to_owned()
        }
        (Some(why), _) => format!(
            "it is not reset, not even with `repair: true`, because {why}: repair what is missing \
             (`journalctl -xeu kubelet` on the node shows why), or, if you are sure, run \
             `kubeadm reset -f` on it yourself"
        ),
    };
    Err(Failure::new(summary(act, finding))
        .hint(hint)
        .with("state", finding.state.name())
        .with("found", finding.found.clone())
        .with("missing", finding.missing.clone()))
}

/// One sentence on a half node.
pub fn summary(act: Act, finding: &Finding) -> String {
    format!(
        "the node is {}. It has {}. What is wrong: {}",
        act.half(),
        finding.found.join(", "),
        finding.missing.join("; ")
    )
}

/// Where everything is on a node that kubeadm was installed on.
pub fn places() -> Places {
    Places::default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::fake::{FakeController, Shell, shells};
    use crate::kube::kubeadm::CONFIG;
    use crate::kube::signs::Role;
    use crate::secret::Secret;

    const TOKEN: &str = "abcdef.0123456789abcdef";
    const NODE: &str = r#"{"metadata":{"name":"cp1","labels":{"node-role.kubernetes.io/master":""}},"status":{"conditions":[{"type":"Ready","status":"True"}]}}"#;
    const JOINED: [&str; 5] = [
        "kubelet.conf",
        "manifests/kube-apiserver.yaml",
        "manifests/kube-controller-manager.yaml",
        "manifests/kube-scheduler.yaml",
        "manifests/etcd.yaml",
    ];

    /// A machine with a kubeadm that writes down what it is asked, and a cluster that answers or not.
    struct Machine {
        shell: Shell,
        control: FakeController,
        places: Places,
    }

    impl Machine {
        fn all(answers: bool) -> Vec<Self> {
            shells()
                .into_iter()
                .map(|shell| Self::new(shell, answers))
                .collect()
        }

        fn new(shell: Shell, answers: bool) -> Self {
            let root = shell.dir().to_owned();
            let key = "0123456789abcdef".repeat(4);
            let shell = shell
                .tool(
                    "kubeadm",
                    &format!(
                        r#"if [ "$1" = version ]; then echo v1.20.2; exit; fi
                        echo "kubeadm $*" >>log
                        case $1 in
                        init) cat "$3" >config; ls -ld "$(dirname "$3")" >mode
                          echo '[init] working'; echo '  kubeadm join 1.2.3.4:6443 --token {TOKEN} \'; echo {key}
                          [ ! -e fails ] || {{ echo '[wait-control-plane] Waiting'; echo '	[ERROR Port-10250]: Port 10250 is in use'; exit 1; }} ;;
                        reset) rm -rf k ;;
                        esac"#
                    ),
                )
                .tool(
                    "kubectl",
                    &if answers {
                        format!("case \"$*\" in *readyz*) echo ok ;; *) echo '{NODE}' ;; esac")
                    } else {
                        "echo 'The connection to the server 1.2.3.4:6443 was refused' >&2; exit 1".to_owned()
                    },
                )
                .tool("systemctl", "echo active");
            let places = Places {
                kubernetes: root.join("k").display().to_string(),
                etcd: root.join("etcd").display().to_string(),
                kubelet: root.join("kubelet").display().to_string(),
                ..Places::default()
            };
            let control = FakeController::new(&root);
            Self {
                shell,
                control,
                places,
            }
        }

        fn with(self, files: &[&str]) -> Self {
            for file in files {
                let path = self.shell.dir().join("k").join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let text = match *file {
                    "kubelet.conf" => "    client-certificate: /var/lib/kubelet/pki/x.pem\n",
                    "manifests/kube-apiserver.yaml" => "    - --advertise-address=10.0.0.1\n",
                    _ => "",
                };
                fs::write(path, text).unwrap();
            }
            self
        }

        async fn reach(&self, check: bool, repair: bool) -> Result<Outcome, Failure> {
            let context = Context {
                host: &self.shell,
                control: &self.control,
                check,
                diff: false,
            };
            let membership = Membership {
                act: Act::Init,
                repair,
                cri_socket: None,
                question: Question {
                    role: Role::ControlPlane {
                        external_etcd: false,
                    },
                    node_name: Some("cp1"),
                    settle: Duration::ZERO,
                    places: &self.places,
                },
            };
            let command = async |_: &Probed| {
                Ok(KubeadmCommand {
                    config: Secret::new(format!("certificateKey: {TOKEN}\n")),
                    ..KubeadmCommand::new(&["init", "--config", CONFIG])
                })
            };
            membership.reach(&context, command).await
        }

        fn read(&self, file: &str) -> String {
            fs::read_to_string(self.shell.dir().join(file)).unwrap_or_default()
        }

        /// What kubeadm was told to do, without flags.
        fn done(&self) -> Vec<String> {
            let words = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
            self.read("log").lines().map(words).collect()
        }
    }

    #[tokio::test]
    async fn an_absent_node_is_initialised_and_no_secret_is_left_or_shown() {
        for machine in Machine::all(true) {
            let outcome = machine.reach(false, false).await.unwrap();
            assert!(outcome.changed);
            assert_eq!(outcome.data["state"], "absent");
            assert_eq!(machine.done(), ["kubeadm init"]);
            assert_eq!(machine.read("config"), format!("certificateKey: {TOKEN}\n"));
            assert!(machine.read("mode").starts_with("drwx------"));
            let path = machine
                .read("log")
                .trim()
                .rsplit(' ')
                .next()
                .unwrap()
                .to_owned();
            assert!(!std::path::Path::new(&path).exists(), "{path} is left");
            let shown = outcome.data["stdout"].as_str().unwrap();
            assert!(shown.contains("[init] working"), "{shown}");
            assert!(
                !shown.contains(TOKEN) && !shown.contains("0123456789abcdef"),
                "{shown}"
            );
        }
    }

    #[tokio::test]
    async fn a_joined_node_is_left_alone_after_one_look() {
        for machine in Machine::all(true) {
            let machine = machine.with(&JOINED);
            let outcome = machine.reach(false, true).await.unwrap();
            assert!(!outcome.changed);
            assert_eq!(outcome.data["state"], "joined");
            assert_eq!(machine.shell.trips(), 1);
            assert!(machine.done().is_empty());
        }
    }

    #[tokio::test]
    async fn a_half_node_is_told_of_and_reset_only_when_asked_for() {
        for machine in Machine::all(true) {
            let machine = machine.with(&["admin.conf", "manifests/etcd.yaml"]);
            let failure = machine.reach(false, false).await.unwrap_err();
            assert!(
                failure.message.contains("half initialised"),
                "{}",
                failure.message
            );
            assert!(failure.message.contains("/etc/kubernetes/admin.conf"));
            assert!(failure.message.contains("no /etc/kubernetes/kubelet.conf"));
            assert!(failure.hint.unwrap().contains("repair: true"));
            assert!(machine.done().is_empty());

            let outcome = machine.reach(true, true).await.unwrap();
            assert!(outcome.changed);
            assert!(machine.done().is_empty(), "check mode must do nothing");

            let outcome = machine.reach(false, true).await.unwrap();
            assert_eq!(outcome.data["reset"], true);
            assert_eq!(machine.done(), ["kubeadm reset", "kubeadm init"]);
        }
    }

    #[tokio::test]
    async fn a_node_whose_cluster_does_not_answer_is_not_reset_even_when_asked_for() {
        for machine in Machine::all(false) {
            let machine = machine.with(&JOINED);
            let failure = machine.reach(false, true).await.unwrap_err();
            let hint = failure.hint.unwrap();
            assert!(hint.contains("merely cannot be reached"), "{hint}");
            assert!(machine.done().is_empty());
        }
    }

    #[tokio::test]
    async fn a_failure_says_which_check_failed_and_what_helps() {
        for machine in Machine::all(true) {
            fs::write(machine.shell.dir().join("fails"), "").unwrap();
            let failure = machine.reach(false, false).await.unwrap_err();
            assert_eq!(
                failure.message,
                "`kubeadm init` failed, in phase `wait-control-plane`: [ERROR Port-10250]: Port 10250 is in use"
            );
            assert!(failure.hint.unwrap().contains("earlier try"));
            assert_eq!(failure.data["rc"], 1);
            assert!(!failure.data["stdout"].as_str().unwrap().contains(TOKEN));
        }
    }
}
