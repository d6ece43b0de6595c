//! What all scenarios use: a lab, the inventories of its stages, what a whole cluster is, and who is in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use windlass_tests::lab::{Ended, Lab, eventually, part};

/// A scenario: its name, what it shows, and what it does.
pub type Scenario = (&'static str, &'static str, fn(&Life));

/// The hosts of a cluster, by group.
#[derive(Debug, Clone, Copy)]
pub struct Hosts {
    pub load_balancer: &'static [&'static str],
    pub etcd: &'static [&'static str],
    pub control_plane: &'static [&'static str],
    pub workers: &'static [&'static str],
}

impl Hosts {
    /// How many there are.
    pub fn count(&self) -> usize {
        let Self {
            load_balancer,
            etcd,
            control_plane,
            workers,
        } = self;
        load_balancer.len() + etcd.len() + control_plane.len() + workers.len()
    }

    /// Those on which a member of etcd runs.
    pub fn members(&self) -> &'static [&'static str] {
        match self.etcd {
            [] => self.control_plane,
            own => own,
        }
    }

    /// Those that are Nodes of the cluster.
    pub fn nodes(&self) -> Vec<&'static str> {
        [self.control_plane, self.workers].concat()
    }

    /// The playbook that builds such a cluster.
    pub fn playbook(&self) -> &'static str {
        match self.etcd {
            [] => "stacked.yml",
            _ => "external-etcd.yml",
        }
    }
}

/// A lab and the cluster on it.
pub struct Life {
    pub lab: Lab,
    /// The hosts that a whole cluster has between two scenarios.
    pub hosts: Hosts,
}

impl Life {
    /// The inventory of these hosts.
    pub fn inventory(&self, name: &str, hosts: &Hosts) -> PathBuf {
        let groups = [
            ("load_balancer", hosts.load_balancer),
            ("etcd", hosts.etcd),
            ("control_plane", hosts.control_plane),
            ("workers", hosts.workers),
        ];
        let groups: Vec<(&str, &[&str])> = groups
            .into_iter()
            .filter(|(_, hosts)| !hosts.is_empty())
            .collect();
        self.lab.inventory(name, &groups)
    }

    /// Runs a shipped playbook, `upgrade.yml`, on the whole cluster.
    pub fn play(&self, playbook: &str, words: &[&str]) -> Ended {
        self.play_on(&self.hosts, playbook, words)
    }

    /// Runs a shipped playbook on other hosts.
    pub fn play_on(&self, hosts: &Hosts, playbook: &str, words: &[&str]) -> Ended {
        let inventory = self.inventory("hosts", hosts);
        let playbook = format!("playbooks/{playbook}");
        let words: Vec<&str> = std::iter::once(playbook.as_str())
            .chain(words.iter().copied())
            .collect();
        self.lab.windlass_on(&inventory, &words)
    }

    /// How many hosts the whole cluster has.
    pub fn count(&self) -> usize {
        self.hosts.count()
    }

    /// Asks the cluster with `kubectl`, from its first control plane and through the balancer.
    pub fn kubectl(&self, words: &str) -> Ended {
        self.lab.kubectl(self.hosts.control_plane[0], words)
    }

    /// Asks the member of etcd on a node with `etcdctl`: Debian's, which every node of the lab has.
    pub fn etcdctl(&self, member: &str, words: &str) -> Ended {
        let pki = "/etc/kubernetes/pki/etcd";
        let command = format!(
            "ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert {pki}/ca.crt \
             --cert {pki}/healthcheck-client.crt --key {pki}/healthcheck-client.key {words}"
        );
        self.lab.on(member, &command)
    }

    /// The variables with which etcd-restore.yml restores a snapshot onto hosts: with an etcdutl of the lab's where their
    /// etcd needs one.
    pub fn restoring(&self, hosts: &Hosts, snapshot: &Path) -> String {
        let mut variables = format!(
            "snapshot={} confirm={}.1",
            snapshot.display(),
            self.lab.subnet()
        );
        let kubelet = self.lab.on(hosts.members()[0], "kubelet --version").well();
        let version = kubelet.trim().trim_start_matches("Kubernetes v");
        if let Some(etcdutl) = self.lab.etcdutl(version) {
            variables += &format!(" etcdutl={}", etcdutl.display());
        }
        variables
    }

    /// Waits until the cluster has noticed that a node is gone.
    #[track_caller]
    pub fn not_ready(&self, node: &str) {
        let what = format!("{node} is not Ready any more");
        eventually(Duration::from_secs(150), &what, || {
            let listed = self.kubectl(&format!("get node {node} --no-headers"));
            listed.status == 0 && listed.text.contains("NotReady")
        });
    }

    /// Applies manifests with the cluster's own kubectl.
    pub fn apply(&self, manifests: &str) {
        let command = format!(
            "cat <<'END' | kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f -\n{manifests}\nEND"
        );
        let _ = self.lab.on(self.hosts.control_plane[0], &command).well();
    }

    /// Every node is there, Ready and may be given work, and every pod of the system runs.
    #[track_caller]
    pub fn whole(&self) {
        self.whole_of(&self.hosts);
    }

    /// The same of a cluster on other hosts.
    #[track_caller]
    pub fn whole_of(&self, hosts: &Hosts) {
        let first = hosts.control_plane[0];
        let mut nodes = hosts.nodes();
        nodes.sort_unstable();
        let end = Instant::now() + Duration::from_secs(120);
        loop {
            let listed = self.lab.kubectl(first, "get nodes --no-headers");
            let pods = self
                .lab
                .kubectl(first, "get pods -n kube-system --no-headers");
            let mut ready: Vec<&str> = listed
                .text
                .lines()
                .filter_map(|line| {
                    let mut words = line.split_whitespace();
                    let name = words.next()?;
                    (words.next()? == "Ready").then_some(name)
                })
                .collect();
            ready.sort_unstable();
            let run = pods.text.lines().all(|line| line.contains(" Running "));
            if listed.status == 0 && pods.status == 0 && ready == nodes && run {
                return;
            }
            assert!(
                Instant::now() < end,
                "no whole cluster of {nodes:?} within two minutes:\n{}{}",
                listed.text,
                pods.text
            );
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    /// Runs the scenarios that were asked for, each with a line and its time.
    pub fn live(&self, scenarios: &[Scenario]) {
        let chosen = std::env::var("WINDLASS_LIFE").ok();
        let chosen: Option<Vec<&str>> = chosen.as_ref().map(|names| names.split(',').collect());
        if let Some(names) = &chosen {
            for name in names {
                let known = scenarios.iter().any(|(one, ..)| one == name);
                assert!(
                    known,
                    "WINDLASS_LIFE names {name}, which is not a scenario here"
                );
            }
        }
        for (name, shows, scenario) in scenarios {
            if chosen.as_ref().is_none_or(|names| names.contains(name)) {
                let title = format!("{} {name}: {shows}", self.lab.name());
                part(&title, || scenario(self));
            }
        }
    }
}

/// The lab that the environment names, or a new one that goes when the test is over.
pub fn lab(name: &str, subnet: &str, nodes: &str) -> Lab {
    lab_of(name, subnet, nodes, "1.20.2 1.20.3")
}

/// The same, with these versions of Kubernetes; nodes start with the first.
pub fn lab_of(name: &str, subnet: &str, nodes: &str, kubernetes: &str) -> Lab {
    match std::env::var("WINDLASS_LIFE_LAB") {
        Ok(given) => {
            let (name, subnet) = given
                .split_once(':')
                .expect("WINDLASS_LIFE_LAB is NAME:SUBNET, like mine:172.29.0");
            Lab::borrow(name, subnet, nodes, kubernetes)
        }
        Err(_) => part("new nodes", || {
            Lab::start_with(name, subnet, nodes, kubernetes)
        }),
    }
}
