//! A lab of real nodes in containers, for the cluster tests: `tests/lab/lab` under another name and
//! on other addresses than the one that people use.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::program;

/// A lab that is taken down when the test is over, however it ends, unless it was up before.
pub struct Lab {
    name: String,
    subnet: String,
    /// The nodes to start, with a space between.
    nodes: String,
    /// The versions of Kubernetes that they have; they start with the first.
    kubernetes: String,
    /// What nodes are made from, as `tests/lab/lab` calls it.
    image: &'static str,
    /// Whether it is somebody else's, who keeps it.
    borrowed: bool,
    /// Where inventories are written.
    folder: tempfile::TempDir,
}

/// What a lab has unless a test says otherwise: see `tests/lab/README.md`.
const NODES: &str = "lb1 cp1 cp2 cp3 w1 w2 w3";
const KUBERNETES: &str = "1.37.2";

/// What a command on a node, or Windlass, printed.
#[derive(Debug, Clone)]
#[must_use = "assert on it"]
pub struct Ended {
    /// The exit status.
    pub status: i32,
    /// Standard output and standard error.
    pub text: String,
}

impl Ended {
    /// What a command that has ended printed.
    pub fn of(output: &Output) -> Self {
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        Self {
            status: output.status.code().unwrap_or(-1),
            text: format!("{out}{err}"),
        }
    }

    /// The text of something that must have succeeded.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.status, 0, "{}", self.text);
        self.text
    }
}

impl Lab {
    /// A lab that is not up yet.
    fn new(name: &str, subnet: &str) -> Self {
        Self {
            name: name.to_owned(),
            subnet: subnet.to_owned(),
            nodes: NODES.to_owned(),
            kubernetes: KUBERNETES.to_owned(),
            image: "kubernetes",
            borrowed: false,
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        }
    }

    /// New nodes, with nothing on them.
    pub fn start(name: &str, subnet: &str) -> Self {
        Self::start_with(name, subnet, NODES, KUBERNETES)
    }

    /// New nodes of these names, with these versions of Kubernetes.
    pub fn start_with(name: &str, subnet: &str, nodes: &str, kubernetes: &str) -> Self {
        Self::up(name, subnet, nodes, kubernetes, "kubernetes")
    }

    /// New nodes with neither a container runtime nor Kubernetes, and one named `repo1`, the first, from which they can
    /// install these versions.
    pub fn start_bare(name: &str, subnet: &str, nodes: &str, kubernetes: &str) -> Self {
        Self::up(name, subnet, nodes, kubernetes, "bare")
    }

    fn up(name: &str, subnet: &str, nodes: &str, kubernetes: &str, image: &'static str) -> Self {
        let mut lab = Self::new(name, subnet);
        nodes.clone_into(&mut lab.nodes);
        kubernetes.clone_into(&mut lab.kubernetes);
        lab.image = image;
        lab.live(&["down"]);
        lab.live(&["up"]);
        lab
    }

    /// A lab that is up already, with these nodes and versions, and stays up.
    #[must_use]
    pub fn borrow(name: &str, subnet: &str, nodes: &str, kubernetes: &str) -> Self {
        let mut lab = Self::new(name, subnet);
        nodes.clone_into(&mut lab.nodes);
        kubernetes.clone_into(&mut lab.kubernetes);
        lab.borrowed = true;
        lab
    }

    /// Replaces all nodes by new ones.
    pub fn reset(&self) {
        self.live(&["reset"]);
    }

    /// Where the lab keeps its key, its host keys and the kubeconfig that playbooks fetch.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        program::root().join(".cache/lab").join(&self.name)
    }

    /// Its name, with which its nodes' names begin for Docker.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first three numbers of its addresses.
    #[must_use]
    pub fn subnet(&self) -> &str {
        &self.subnet
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tests/lab/lab");
        command
            .current_dir(program::root())
            .env("WINDLASS_LAB_NAME", &self.name)
            .env("WINDLASS_LAB_SUBNET", &self.subnet)
            .env("WINDLASS_LAB_NODES", &self.nodes)
            .env("WINDLASS_LAB_KUBERNETES", &self.kubernetes)
            .env("WINDLASS_LAB_IMAGE", self.image);
        command
    }

    /// Runs `tests/lab/lab` with its progress shown.
    fn live(&self, words: &[&str]) {
        let status = self
            .command()
            .args(words)
            .status()
            .expect("the lab's script can be started");
        assert!(status.success(), "tests/lab/lab {} failed", words.join(" "));
    }

    /// An etcdutl for the etcd of a version of Kubernetes, on this machine; none where etcd is so old that etcdctl restores.
    ///
    /// # Panics
    /// When it cannot be compiled.
    #[must_use]
    pub fn etcdutl(&self, kubernetes: &str) -> Option<PathBuf> {
        let output = self
            .command()
            .args(["etcdutl", kubernetes])
            .output()
            .expect("the lab's script can be started");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "no etcdutl for {kubernetes}: {said}"
        );
        let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (!path.is_empty()).then(|| PathBuf::from(path))
    }

    /// Stops a node, starts it, or has another machine in its place: `stop`, `kill`, `start`, `new`.
    pub fn node(&self, verb: &str, node: &str) {
        self.nodes(verb, &[node]);
    }

    /// The same of several, at once.
    pub fn nodes(&self, verb: &str, nodes: &[&str]) {
        self.live(&[&["node", verb][..], nodes].concat());
    }

    /// Runs a command on a node, as root and not over SSH.
    pub fn on(&self, node: &str, command: &str) -> Ended {
        let output = self
            .command()
            .args(["node", "exec", node, "sh", "-c", command])
            .output();
        Ended::of(&output.expect("the lab's script can be started"))
    }

    /// Runs `kubectl` on a node, with the administrator's kubeconfig: it goes through the balancer.
    pub fn kubectl(&self, node: &str, words: &str) -> Ended {
        self.on(
            node,
            &format!(
                "kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=10s {words}"
            ),
        )
    }

    /// Runs a shipped playbook on the lab's inventory, `inventories/lab`.
    pub fn windlass(&self, words: &[&str]) -> Ended {
        self.windlass_on(Path::new("inventories/lab"), words)
    }

    /// Runs a shipped playbook on another inventory.
    pub fn windlass_on(&self, inventory: &Path, words: &[&str]) -> Ended {
        let output = self.windlass_command(inventory, words).output();
        Ended::of(&output.expect("windlass was built and can be started"))
    }

    /// The command of `windlass_on`, for a test that starts it itself.
    #[must_use]
    pub fn windlass_command(&self, inventory: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program::windlass());
        command
            .current_dir(program::root())
            .arg("run")
            .arg("-i")
            .arg(inventory)
            .args([
                "-e",
                &format!(
                    "lab_name={} lab_subnet={} lab_root={}",
                    self.name,
                    self.subnet,
                    program::root().display()
                ),
            ])
            .args(words);
        command
    }

    /// Writes an inventory of the lab's nodes, in the groups given, with the lab's own variables.
    /// A node's address follows from its name.
    ///
    /// # Panics
    /// When a name is not one whose address is known: `lbN`, `cpN`, `etcdN`, `wN`.
    pub fn inventory(&self, name: &str, groups: &[(&str, &[&str])]) -> PathBuf {
        let mut text = "all:\n  children:\n".to_owned();
        for (group, hosts) in groups {
            writeln!(text, "    {group}:\n      hosts:").expect("text takes text");
            for host in *hosts {
                let address = address(host).unwrap_or_else(|| panic!("no address for {host}"));
                writeln!(
                    text,
                    "        {host}:\n          ansible_host: \"{{{{ lab_subnet }}}}.{address}\""
                )
                .expect("text takes text");
            }
        }
        let variables = self.folder.path().join("group_vars");
        if !variables.exists() {
            let shipped = program::root().join("inventories/lab/group_vars");
            std::os::unix::fs::symlink(shipped, variables).expect("links can be made there");
        }
        let file = self.folder.path().join(format!("{name}.yml"));
        std::fs::write(&file, text).expect("files can be written there");
        file
    }
}

/// The last number of a node's address: as `tests/lab/lab` has it.
fn address(host: &str) -> Option<u16> {
    let digits = host.find(|character: char| character.is_ascii_digit())?;
    let number: u16 = host[digits..].parse().ok()?;
    let first = match &host[..digits] {
        "lb" => 0,
        "cp" => 10,
        "etcd" => 20,
        "w" => 100,
        _ => return None,
    };
    Some(first + number)
}

/// The recap lines of a run.
#[must_use]
pub fn recap(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| line.contains(" ok=") && line.contains(" changed="))
        .collect()
}

/// Nothing was changed on any of `hosts` hosts, and none failed.
///
/// # Panics
/// When the recap says otherwise.
#[track_caller]
pub fn unchanged(text: &str, hosts: usize) {
    let recap = recap(text);
    assert_eq!(recap.len(), hosts, "{text}");
    for line in recap {
        assert!(
            line.contains("changed=0 ") && line.contains("failed=0 "),
            "{line}\n{text}"
        );
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.borrowed {
            let _ = self.command().arg("down").status();
        }
    }
}

/// Asks until the answer is right, for `limit` at most.
#[track_caller]
pub fn eventually(limit: Duration, what: &str, mut right: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !right() {
        assert!(
            Instant::now() < end,
            "{what}: not within {} s",
            limit.as_secs()
        );
        std::thread::sleep(Duration::from_secs(2));
    }
}

/// Does a part of a long test, and prints one line with its time.
#[expect(clippy::print_stdout, reason = "the report of the cluster tests")]
pub fn part<T>(title: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let result = work();
    println!("ok {:>5} s  {title}", began.elapsed().as_secs());
    result
}

/// Prints something that was measured within a part.
#[expect(clippy::print_stdout, reason = "figures of the cluster tests")]
pub fn note(text: &str) {
    println!("           {text}");
}
