//! A lab of real nodes in containers, for the cluster tests: `tests/lab/lab` under another name and
//! on other addresses than the one that people use.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::program;

/// A lab that is taken down when the test is over, however it ends.
pub struct Lab {
    name: String,
    subnet: String,
}

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
    fn of(output: &Output) -> Self {
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        Self {
            status: output.status.code().unwrap_or(-1),
            text: format!("{out}{err}"),
        }
    }

    /// The text of something that must have gone well.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.status, 0, "{}", self.text);
        self.text
    }
}

impl Lab {
    /// New nodes, with nothing on them.
    pub fn start(name: &str, subnet: &str) -> Self {
        let lab = Self {
            name: name.to_owned(),
            subnet: subnet.to_owned(),
        };
        lab.live(&["down"]);
        lab.live(&["up"]);
        lab
    }

    /// Replaces all nodes by new ones.
    pub fn reset(&self) {
        self.live(&["reset"]);
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tests/lab/lab");
        command
            .current_dir(program::root())
            .env("WINDLASS_LAB_NAME", &self.name)
            .env("WINDLASS_LAB_SUBNET", &self.subnet);
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

    /// Stops or starts a node: `stop`, `kill`, `start`.
    pub fn node(&self, verb: &str, node: &str) {
        self.live(&["node", verb, node]);
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

    /// Runs a shipped playbook on the lab's inventory.
    pub fn windlass(&self, words: &[&str]) -> Ended {
        let output = Command::new(program::windlass())
            .current_dir(program::root())
            .arg("run")
            .args(["-i", "inventories/lab"])
            .args([
                "-e",
                &format!("lab_name={} lab_subnet={}", self.name, self.subnet),
            ])
            .args(words)
            .output();
        Ended::of(&output.expect("windlass was built and can be started"))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.command().arg("down").status();
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
