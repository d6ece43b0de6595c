//! A small system in a folder, as a machine that has neither a container runtime nor Kubernetes.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should end there"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use windlass_tests::program::{root, windlass};

/// What `setup.sh` made.
fn made() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let status = Command::new(root().join("tests/install/setup.sh")).status();
        assert!(
            status.expect("there is a shell").success(),
            "it could not be made"
        );
        root().join("target/tools/install-root")
    })
}

/// A machine: a copy of that system.
#[derive(Debug)]
pub struct Machine {
    folder: tempfile::TempDir,
}

/// What the program printed, with line breaks as blanks, and its exit status.
#[derive(Debug)]
pub struct Ran {
    pub status: i32,
    pub text: String,
}

const PLAYS: &str = "
- name: Look
  hosts: all
  gather_facts: true
  vars_files: [vars/cluster.yml]
  tasks:
    - import_tasks: tasks/validate.yml
    - import_tasks: tasks/install-look.yml
    - import_tasks: tasks/state.yml
- name: Install
  hosts: all
  gather_facts: false
  vars_files: [vars/cluster.yml]
  tasks:
    - import_tasks: tasks/install.yml
";

const UPGRADE: &str = "
- name: Upgrade
  hosts: all
  gather_facts: false
  vars_files: [vars/cluster.yml]
  tasks:
    - include_tasks: tasks/upgrade-programs.yml
      vars: {upgrade_components: [kubeadm]}
    - include_tasks: tasks/upgrade-programs.yml
      vars: {upgrade_components: [kubelet, kubectl]}
";

impl Machine {
    /// With these variables, each a line of YAML.
    pub fn new(variables: &[&str]) -> Self {
        let folder = tempfile::tempdir_in(made().parent().expect("it is in a folder"));
        let folder = folder.expect("a folder of our own");
        let to = folder.path();
        // Files that are changed in place must not be those of the other copies.
        let copy = "cp -al \"$1/.\" \"$2/\" && for part in etc var; do rm -rf \"$2/$part\" && cp -a \"$1/$part\" \"$2/\" || exit 1; done \
                    && mkdir -p \"$2/dev\" \"$2/proc\" \"$2/w\" && rm -f \"$2/dev/null\" && mknod -m 666 \"$2/dev/null\" c 1 3 \
                    && cp -a \"$3\" \"$2/w/\" && cp \"$4\" \"$2/usr/local/bin/\"";
        let status = Command::new("sh")
            .args(["-c", copy, "copy"])
            .args([made(), to, &root().join("playbooks"), windlass()])
            .status();
        assert!(
            status.expect("there is a shell").success(),
            "it could not be copied"
        );
        let machine = Self { folder };
        std::fs::write(machine.at("w/playbooks/install-test.yml"), PLAYS).unwrap();
        std::fs::write(machine.at("w/playbooks/upgrade-test.yml"), UPGRADE).unwrap();
        machine.set(variables)
    }

    /// The same machine with other variables.
    pub fn set(self, variables: &[&str]) -> Self {
        let mut inventory = "all:\n  vars:\n    ansible_connection: local\n    control_plane_endpoint: 192.0.2.10:6443\n".to_owned();
        for line in variables {
            let line = line.replace(
                "FINGERPRINT",
                std::fs::read_to_string(self.at("srv/fingerprint"))
                    .unwrap()
                    .trim(),
            );
            writeln!(inventory, "    {line}").unwrap();
        }
        inventory += "  children: {control_plane: {hosts: {cp1: {}}}}\n";
        std::fs::write(self.at("w/hosts.yml"), inventory).unwrap();
        self
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn shell(&self, line: &str) -> Ran {
        let output = Command::new("chroot")
            .arg(self.folder.path())
            .args(["/bin/sh", "-c", line])
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("there is chroot");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        Ran {
            status: output.status.code().unwrap_or(-1),
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    pub fn run(&self, playbook: &str, words: &str) -> Ran {
        self.shell(&format!(
            "cd /w && windlass run playbooks/{playbook}-test.yml -i hosts.yml {words} 2>&1"
        ))
    }

    /// Installs, and says that another run changes nothing.
    #[track_caller]
    pub fn installs(&self) {
        let ran = self.run("install", "");
        assert_eq!(ran.status, 0, "{}", ran.text);
        assert!(!ran.text.contains("nothing changed"), "{}", ran.text);
        self.stays();
    }

    #[track_caller]
    pub fn stays(&self) {
        let ran = self.run("install", "");
        assert_eq!(ran.status, 0, "{}", ran.text);
        assert!(ran.text.contains("nothing changed"), "{}", ran.text);
    }

    #[track_caller]
    pub fn refuses(&self, words: &[&str]) {
        let ran = self.run("install", "");
        assert_ne!(ran.status, 0, "{}", ran.text);
        for word in words {
            assert!(ran.text.contains(word), "{word}\n{}", ran.text);
        }
    }

    #[track_caller]
    pub fn has(&self, version: &str) {
        let said = self.shell("kubeadm version; kubelet; kubectl; containerd");
        let expected = format!(
            "v{version} Kubernetes v{version} {{\"clientVersion\": {{\"gitVersion\": \"v{version}\"}}}} \
             containerd github.com/containerd/containerd/v2 v2.2.9 abcdef"
        );
        assert_eq!(said.text, expected);
    }

    #[track_caller]
    pub fn has_nothing(&self) {
        for program in ["kubeadm", "kubelet", "kubectl", "containerd"] {
            assert!(
                !self.at(&format!("usr/bin/{program}")).exists(),
                "{program}"
            );
        }
        for path in [
            "etc/containerd",
            "etc/apt/sources.list.d/kubernetes.list",
            "etc/yum.repos.d/kubernetes.repo",
        ] {
            assert!(!self.at(path).exists(), "{path}");
        }
    }

    pub fn without_apt(self) -> Self {
        std::fs::rename(self.at("usr/bin/apt-get"), self.at("usr/bin/apt-away")).unwrap();
        self
    }
}
