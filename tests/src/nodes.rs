//! A machine as a node: what `files/preflight/node.sh` sees of it, and how `preflight/node.json.j2` judges that.

use std::os::unix::net::UnixListener;

use serde_json::{Value as Json, json};

use crate::machine::Machine;
use crate::shipped_variables::Variables;

/// A machine whose containerd has a socket.
#[derive(Debug)]
pub struct Node {
    /// Its files and programs.
    pub machine: Machine,
    _listener: UnixListener,
    socket: String,
}

impl Node {
    /// One whose runtime, `containerd` or `crio`, has a socket; nobody answers there.
    ///
    /// # Panics
    ///
    /// When its files cannot be made.
    #[must_use]
    pub fn new(runtime: &str) -> Self {
        let machine = Machine::new();
        let socket = machine.at(&format!("run/{runtime}.sock"));
        machine.file("run/x", "");
        let listener = UnixListener::bind(&socket).expect("a socket of our own");
        // Nobody answers there: those of this machine would wait.
        for name in ["ctr", "crictl", "containerd", "kubeadm"] {
            machine.program(name, "exit 1");
        }
        Self {
            machine,
            _listener: listener,
            socket: socket.display().to_string(),
        }
    }

    /// What node.sh prints, without paths of the test's.
    ///
    /// # Panics
    ///
    /// When it fails, or shells do not agree.
    #[must_use]
    pub fn look(&self, resolver: &str) -> Vec<String> {
        let here = self.machine.at("").display().to_string();
        let sockets = format!("/none/crio.sock {}", self.socket);
        let lines = self
            .machine
            .run_everywhere("preflight/node.sh", &[&sockets, resolver]);
        let lines = lines.iter().map(|line| line.replace(&here, "/"));
        lines.collect()
    }

    /// Of that, the lines that begin with a word.
    #[must_use]
    pub fn seen(&self, what: &str) -> Vec<String> {
        let mut lines = self.look("");
        lines.retain(|line| line.split(' ').next() == Some(what));
        lines
    }
}

/// What the table, and the playbooks, say of a node: `LEVEL FOUND` of one check.
///
/// # Panics
///
/// When the template cannot be rendered, or gives no JSON.
#[must_use]
pub fn judged(check: &str, lines: &[&str], data: &Json) -> Vec<String> {
    let mut all = json!({
        "groups": {"control_plane": ["cp1"], "workers": ["w1"]},
        "group_names": ["control_plane"],
        "inventory_hostname": "cp1",
        "control_plane_endpoint": "192.0.2.10:6443",
        "hostvars": {"cp1": {"node_look": {"stdout_lines": lines}}},
        "node_look": {"stdout_lines": lines},
        "node_version": "v1.33.0",
    });
    for (name, value) in data.as_object().expect("a mapping") {
        all[name] = value.clone();
    }
    let variables = Variables::new(&["cluster.yml"], all);
    findings(&variables, "preflight/node.json.j2", check)
}

/// What a template of preflight's says with these variables: `LEVEL FOUND` of one check.
///
/// # Panics
///
/// When the template cannot be rendered, or gives no JSON.
#[must_use]
pub fn findings(variables: &Variables, template: &str, check: &str) -> Vec<String> {
    let text = variables.rendered(template);
    let findings: Vec<Json> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let word = |one: &Json, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    findings
        .iter()
        .filter(|one| one["check"] == check)
        .map(|one| {
            format!("{} {}", word(one, "level"), word(one, "found"))
                .trim()
                .to_owned()
        })
        .collect()
}
