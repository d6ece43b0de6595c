//! Today's Kubernetes: a cluster that goes from the oldest minor version that the lab builds to the newest, while
//! clients ask it all the time.

use std::time::Duration;

use windlass_tests::lab::{Lab, eventually, note, part, unchanged};
use windlass_tests::program;

use crate::life::{Hosts, Life, Scenario, lab_of};
use crate::{backup_restore, certificates, reconfigure, reset};

/// Each version, the oldest first.
const VERSIONS: [&str; 4] = ["1.34.4", "1.35.4", "1.36.3", NEWEST];
pub const NEWEST: &str = "1.37.2";

pub const STACKED: Hosts = Hosts {
    load_balancer: &["lb1"],
    etcd: &[],
    control_plane: &["cp1", "cp2", "cp3"],
    workers: &["w1", "w2"],
};

const EXTERNAL: Hosts = Hosts {
    load_balancer: &["lb1"],
    etcd: &["etcd1", "etcd2", "etcd3"],
    control_plane: &["cp1", "cp2"],
    workers: &["w1"],
};

const SCENARIOS: &[Scenario] = &[
    ("build", "stacked.yml, twice", build),
    (
        "names_and_services",
        "a pod finds a Service by its name, and reaches it on another node",
        names_and_services,
    ),
    (
        "upgrade",
        "1.34 to 1.35, 1.36 and 1.37, while clients ask five times a second",
        upgrade_all,
    ),
    (
        "certificates",
        "all of them in a table; renewed ones are served; the second run changes nothing",
        certificates::certificates,
    ),
    (
        "backup_restore",
        "snapshot with the PKI, rotated; restored on all members: what was made after it is gone",
        backup_restore::backup_restore,
    ),
    (
        "reset",
        "reset.yml only when it is meant; nothing of the cluster is left, all of others'; twice",
        reset::reset,
    ),
];

const EXTERNAL_SCENARIOS: &[Scenario] = &[
    ("build", "external-etcd.yml, twice", build),
    (
        "names_and_services",
        "a pod finds a Service by its name, and reaches it on another node",
        names_and_services,
    ),
    (
        "upgrade",
        "1.36 to 1.37, and etcd on hosts of its own with it, while clients ask five times a second",
        |life| upgrade(life, NEWEST),
    ),
    (
        "backup_restore",
        "snapshot with the PKI; restored on all members of external etcd",
        backup_restore::backup_restore,
    ),
    // The last: it is not put back.
    (
        "reconfigure",
        "arguments of external etcd, of the API server and of kubelets, and a name, are shown, applied, and there",
        reconfigure::reconfigure,
    ),
];

pub fn stacked() {
    let lab = lab_of(
        "today",
        "172.25.0",
        "lb1 cp1 cp2 cp3 w1 w2",
        &VERSIONS.join(" "),
    );
    let hosts = STACKED;
    Life { lab, hosts }.live(SCENARIOS);
}

pub fn external() {
    let lab = lab_of(
        "today-etcd",
        "172.26.0",
        "lb1 etcd1 etcd2 etcd3 cp1 cp2 w1",
        &VERSIONS[2..].join(" "),
    );
    let hosts = EXTERNAL;
    Life { lab, hosts }.live(EXTERNAL_SCENARIOS);
}

pub fn build(life: &Life) {
    let playbook = life.hosts.playbook();
    let _ = life.play(playbook, &[]).well();
    life.whole();
    unchanged(&life.play(playbook, &[]).well(), life.count());
}

/// Two pods that answer on HTTP with their node's name, never both on one node that has nothing better; a Service, on a
/// port of every node too. The image is that of the lab's network: a shell, and busybox's own server.
const ASKED: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: asked, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: asked}}
  template:
    metadata: {labels: {app: asked}}
    spec:
      terminationGracePeriodSeconds: 8
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm: {labelSelector: {matchLabels: {app: asked}}, topologyKey: kubernetes.io/hostname}
      containers:
        - name: server
          image: docker.io/lab/cni:1
          imagePullPolicy: Never
          env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
          command: [sh, -c, 'mkdir -p /www; echo \"$NODE\" >/www/index.html; exec httpd -f -p 8080 -h /www']
          readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
          # A server that ends at once would leave those unanswered who were sent to it in the same moment.
          lifecycle: {preStop: {exec: {command: [sleep, '5']}}}
---
apiVersion: v1
kind: Service
metadata: {name: asked, namespace: default}
spec:
  type: NodePort
  selector: {app: asked}
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: asked, namespace: default}
spec:
  minAvailable: 1
  selector: {matchLabels: {app: asked}}
";

/// Asks by the Service's name, from a pod of its own on the node of `NODE`, and by the name of the API.
const ASKER: &str = "
apiVersion: v1
kind: Pod
metadata: {name: asker-NODE, namespace: default}
spec:
  nodeName: NODE
  restartPolicy: Never
  tolerations: [{operator: Exists}]
  containers:
    - name: asker
      image: docker.io/lab/cni:1
      imagePullPolicy: Never
      command:
        - sh
        - -c
        - |
          set -e
          nslookup kubernetes.default.svc.cluster.local >&2
          # A static busybox: what would ask the C library, as its wget does, crashes.
          address=$(nslookup asked.default.svc.cluster.local | sed -n 's/^Address: *\\([0-9.]*\\)$/\\1/p' | tail -n 1)
          for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 \"$address\" 80 | sed '1,/^.\\{0,1\\}$/d' | grep .
          done
";

/// Has the two pods answer.
pub fn answering(life: &Life) {
    life.apply(ASKED);
    eventually(Duration::from_secs(90), "two pods answer", || {
        let asked = "get deployment asked -o jsonpath={.status.availableReplicas}";
        life.kubectl(asked).text == "2"
    });
}

pub fn names_and_services(life: &Life) {
    answering(life);
    let first = life.hosts.control_plane[0];
    let on = "get pods -l app=asked -o 'jsonpath={range .items[*]}{.spec.nodeName}{\"\\n\"}{end}'";
    let servers = life.kubectl(on).well();
    // From the first control plane, where none of the servers is: every answer came from another node.
    assert!(!servers.lines().any(|node| node == first), "{servers}");
    life.apply(&ASKER.replace("NODE", first));
    let pod = format!("asker-{first}");
    eventually(Duration::from_secs(90), "the pod has asked", || {
        let phase = life
            .kubectl(&format!("get pod {pod} -o jsonpath={{.status.phase}}"))
            .text;
        assert_ne!(
            phase,
            "Failed",
            "{}",
            life.kubectl(&format!("logs {pod}")).text
        );
        phase == "Succeeded"
    });
    let said = life.kubectl(&format!("logs {pod}")).well();
    for server in servers.lines() {
        assert!(
            said.lines().any(|line| line == server),
            "{server} never answered:\n{said}"
        );
    }
    let _ = life
        .kubectl(&format!("delete pod {pod} --wait=false"))
        .well();
}

/// Asks for the API, through the balancer, and for the Service, on a worker's port, five times a second each, and
/// writes down how each request ended.
const CLIENTS: &str = "
: >/run/asking
ask() {
    while [ -e /run/asking ]; do
        if curl --silent --fail --insecure --max-time 2 --output /dev/null \"$2\"; then said=answered; else said=FAILED; fi
        echo \"$1 $said $(date +%T)\" >>/run/asked
        sleep 0.2
    done
}
rm -f /run/asked
ask API https://127.0.0.1:6443/readyz </dev/null >/dev/null 2>&1 &
ask Service http://WORKER:30080/ </dev/null >/dev/null 2>&1 &
";

/// Runs `work` while the clients ask.
fn while_asked(life: &Life, what: &str, work: impl FnOnce()) {
    let balancer = life.hosts.load_balancer[0];
    let worker = life.hosts.workers.last().expect("there is one");
    let _ = life
        .lab
        .on(balancer, &CLIENTS.replace("WORKER", worker))
        .well();
    work();
    let asked = life
        .lab
        .on(balancer, "rm -f /run/asking; sleep 3; cat /run/asked")
        .well();
    for kind in ["API", "Service"] {
        let mine: Vec<&str> = asked
            .lines()
            .filter(|line| line.starts_with(kind))
            .collect();
        assert!(
            mine.len() > 20,
            "the client of {kind} did not ask:\n{asked}"
        );
        let failed = |line: &&str| line.contains(" FAILED ");
        let twice = mine.windows(2).find(|two| two.iter().all(failed));
        let failures = mine.iter().filter(|line| failed(line)).count();
        note(&format!(
            "{what}: {kind} {} requests, {failures} failed",
            mine.len()
        ));
        assert!(
            twice.is_none(),
            "{what}: {kind} failed twice in a row: {twice:?}"
        );
    }
}

fn upgrade_all(life: &Life) {
    for version in &VERSIONS[1..] {
        upgrade(life, version);
    }
}

fn upgrade(life: &Life, version: &str) {
    let lab_tasks = program::root().join("tests/lab/upgrade-packages.yml");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let words = format!(
        "kubernetes_version={version} upgrade_packages={} etcd_backup_dest={}",
        lab_tasks.display(),
        folder.path().display()
    );
    while_asked(life, version, || {
        let _ = life.play("upgrade.yml", &["-e", &words]).well();
    });
    life.whole();
    let nodes = life
        .kubectl("get nodes -o 'jsonpath={range .items[*]}{.status.nodeInfo.kubeletVersion}{\"\\n\"}{end}'")
        .well();
    let new = format!("v{version}");
    assert!(nodes.lines().all(|node| node == new), "{nodes}");
    unchanged(
        &life.play("upgrade.yml", &["-e", &words]).well(),
        life.count() - life.hosts.load_balancer.len() - life.hosts.etcd.len(),
    );
}

/// Nodes with neither runtime nor Kubernetes: `how` they come there, and a first run that is all that is needed.
fn bare(name: &str, subnet: &str, nodes: &str, how: &str, hosts: Hosts) {
    let lab = part("bare nodes", || {
        Lab::start_bare(name, subnet, &format!("repo1 {nodes}"), NEWEST)
    });
    let variables = format!(
        "@{}",
        program::root().join("tests/lab/bare/vars.yml").display()
    );
    let install = format!("container_runtime_install={how} kubernetes_install={how}");
    let words = ["-e", &variables, "-e", &install];
    let life = Life { lab, hosts };
    part(
        &format!("{name}: stacked.yml from bare machines, {how}"),
        || {
            let _ = life.play("stacked.yml", &words).well();
            life.whole();
        },
    );
    part(&format!("{name}: the second run changes nothing"), || {
        unchanged(&life.play("stacked.yml", &words).well(), life.count());
    });
    part(
        &format!("{name}: a pod finds a Service by its name, on another node"),
        || {
            names_and_services(&life);
        },
    );
}

pub fn packages() {
    let hosts = Hosts {
        workers: &["w1", "w2", "w3"],
        ..STACKED
    };
    bare(
        "packages",
        "172.24.0",
        "lb1 cp1 cp2 cp3 w1 w2 w3",
        "packages",
        hosts,
    );
}

pub fn binaries() {
    let hosts = Hosts {
        control_plane: &["cp1"],
        ..STACKED
    };
    bare("binaries", "172.23.0", "lb1 cp1 w1 w2", "binaries", hosts);
}
