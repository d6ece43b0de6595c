//! What a node brings along (`files/preflight/node.sh`), and how the playbooks and `preflight.yml` judge it.

use std::os::unix::net::UnixListener;

use serde_json::{Value as Json, json};

use windlass_tests::machine::{Machine, shells};
use windlass_tests::shipped_variables::Variables;

/// A machine whose containerd has a socket.
struct Node {
    machine: Machine,
    _listener: UnixListener,
    socket: String,
}

impl Node {
    fn new(runtime: &str) -> Self {
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
    fn look(&self, resolver: &str) -> Vec<String> {
        let here = self.machine.at("").display().to_string();
        let of = |shell| {
            let sockets = format!("/none/crio.sock {}", self.socket);
            let lines = self
                .machine
                .run(shell, "preflight/node.sh", &[&sockets, resolver]);
            let lines = lines.iter().map(|line| line.replace(&here, "/"));
            lines.collect::<Vec<_>>()
        };
        let all: Vec<_> = shells().into_iter().map(of).collect();
        assert!(
            all.iter().all(|one| *one == all[0]),
            "shells differ: {all:?}"
        );
        all[0].clone()
    }

    /// Of that, the lines that begin with a word.
    fn seen(&self, what: &str) -> Vec<String> {
        let mut lines = self.look("");
        lines.retain(|line| line.split(' ').next() == Some(what));
        lines
    }
}

/// What the table, and the playbooks, say of a node: `LEVEL FOUND` of one check.
fn judged(check: &str, lines: &[&str], data: &Json) -> Vec<String> {
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
    let text = Variables::new(&["cluster.yml"], all).rendered("preflight/node.json.j2");
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

/// As crictl 1.37 prints it of containerd 1.6 and 2.2, but for what nobody asks for.
fn info(default: &str, runc: bool, other: bool) -> String {
    format!(
        r#"cat <<'E'
{{
  "config": {{
    "containerd": {{
      "defaultRuntime": {{
        "options": {{}}
      }},
      "defaultRuntimeName": "{default}",
      "runtimes": {{
        "other": {{
          "options": {{
            "SystemdCgroup": {other}
          }}
        }},
        "runc": {{
          "options": {{
            "BinaryName": "",
            "SystemdCgroup": {runc}
          }},
          "runtimeType": "io.containerd.runc.v2"
        }}
      }}
    }}
  }}
}}
E"#
    )
}

/// As `containerd config dump` of 1.6 and 2.2 prints it.
fn dump(quote: char, plugin: &str, default: &str, runc: bool, other: bool) -> String {
    format!(
        "cat <<'E'
disabled_plugins = []
[plugins]
  [plugins.{quote}{plugin}{quote}]
    sandbox_image = \"registry.k8s.io/pause:3.6\"
    [plugins.{quote}{plugin}{quote}.containerd]
      default_runtime_name = {quote}{default}{quote}
      [plugins.{quote}{plugin}{quote}.containerd.runtimes]
        [plugins.{quote}{plugin}{quote}.containerd.runtimes.other]
          [plugins.{quote}{plugin}{quote}.containerd.runtimes.other.options]
            SystemdCgroup = {other}
        [plugins.{quote}{plugin}{quote}.containerd.runtimes.runc]
          runtime_type = {quote}io.containerd.runc.v2{quote}
          [plugins.{quote}{plugin}{quote}.containerd.runtimes.runc.options]
            SystemdCgroup = {runc}
E"
    )
}

#[test]
fn the_runtime_is_asked_for_its_driver_as_the_kubelet_asks() {
    let node = Node::new("containerd");
    let config = dump('"', "io.containerd.grpc.v1.cri", "runc", true, true);
    node.machine
        .program("containerd", &format!("case $* in *dump) {config}\n;; esac"))
        .program(
            "crictl",
            &format!(
                "[ -e no-cri ] && exit 1\ncase $* in\n*runtime-config) echo 'cgroup driver:   CGROUPFS' ;;\n*info) {}\n;;\nesac",
                info("runc", true, true)
            ),
        );
    assert_eq!(node.seen("cgroups"), ["cgroups cgroupfs cri"]);
    assert_eq!(node.seen("tells"), ["tells yes"]);

    // containerd 1.x does not know the question, and is asked for its configuration; that of the default runtime counts.
    for (default, runc, other, expected) in [
        ("runc", false, true, "cgroups cgroupfs runtime"),
        ("runc", true, false, "cgroups systemd runtime"),
        ("other", true, false, "cgroups cgroupfs runtime"),
    ] {
        let info = info(default, runc, other);
        let source = format!("case $* in *runtime-config) exit 1 ;; *info) {info}\n;; esac");
        node.machine.program("crictl", &source);
        assert_eq!(node.seen("cgroups"), [expected]);
        assert_eq!(node.seen("tells"), ["tells no"]);
    }

    // Without crictl, which is no longer in the packages from 1.36: what its files say.
    node.machine.program("crictl", "exit 1");
    for (quote, plugin) in [
        ('"', "io.containerd.grpc.v1.cri"),
        ('\'', "io.containerd.cri.v1.runtime"),
    ] {
        for (default, runc, other, expected) in [
            ("runc", false, true, "cgroups cgroupfs configuration"),
            ("runc", true, false, "cgroups systemd configuration"),
            ("other", false, true, "cgroups systemd configuration"),
        ] {
            let config = dump(quote, plugin, default, runc, other);
            let source = format!(
                "case $* in *dump) {config}\n;; --version) echo containerd containerd.io v2.1.5 fcd4 ;; esac"
            );
            node.machine.program("containerd", &source);
            assert_eq!(node.seen("cgroups"), [expected]);
            assert_eq!(node.seen("tells"), ["tells yes"]);
        }
    }
    node.machine.program("containerd", "exit 1");
    assert_eq!(node.seen("cgroups"), ["cgroups unknown unknown"]);
}

#[test]
fn the_runtimes_driver_is_compared_with_the_clusters() {
    let cgroupfs = [
        "runtime /run/containerd/containerd.sock",
        "cri ok",
        "cgroups cgroupfs runtime",
        "init systemd",
    ];
    let map = |driver: &str| json!({"stdout_lines": ["name kubelet-config", format!("cgroupDriver: {driver}")]});
    let cases = [
        // Nobody said that the cluster is to be so.
        (
            json!({}),
            vec![
                "error containerd uses cgroupfs for control groups, and kubelets are to use systemd, as everything else on the machine does",
            ],
        ),
        (
            json!({"kubelet_extra": {"cgroupDriver": "cgroupfs"}}),
            vec!["ok"],
        ),
        (
            json!({"kubelet_extra": {"cgroupDriver": "systemd"}}),
            vec![
                "error containerd uses cgroupfs for control groups, and kubelet_extra says systemd",
            ],
        ),
        // There is a cluster: what its nodes are told counts.
        (
            json!({"kubelet_config": map("systemd")}),
            vec![
                "error containerd uses cgroupfs for control groups, and the cluster's kubelets are told systemd (ConfigMap kubelet-config)",
            ],
        ),
        (
            json!({"kubelet_config": map("systemd"), "kubelet_extra": {"cgroupDriver": "cgroupfs"}}),
            vec![
                "error containerd uses cgroupfs for control groups, and the cluster's kubelets are told systemd (ConfigMap kubelet-config)",
            ],
        ),
        (json!({"kubelet_config": map("cgroupfs")}), vec!["ok"]),
        // The kubelet of an etcd host is in no cluster.
        (
            json!({"kubelet_config": map("systemd"), "group_names": ["etcd"]}),
            vec!["ok"],
        ),
        (
            json!({"etcd_kubelet_extra": {"cgroupDriver": "systemd"}, "group_names": ["etcd"]}),
            vec![
                "error containerd uses cgroupfs for control groups, and kubelet_extra says systemd",
            ],
        ),
    ];
    for (data, expected) in cases {
        assert_eq!(judged("CgroupDriver", &cgroupfs, &data), expected, "{data}");
    }
    // A machine without systemd, and another that has it: the first decides.
    let other = json!({"hostvars": {"cp1": {"node_look": {"stdout_lines": ["cgroups cgroupfs cri", "init other"]}}}});
    assert_eq!(judged("CgroupDriver", &cgroupfs, &other), ["ok"]);
    let systemd = [
        "runtime /run/containerd/containerd.sock",
        "cri ok",
        "cgroups systemd cri",
        "init systemd",
    ];
    assert_eq!(
        judged("CgroupDriver", &systemd, &other),
        ["error containerd uses systemd for control groups, and cp1 uses cgroupfs"]
    );

    // A kubelet that does as the runtime tells it has no other driver than that.
    let tells = [&cgroupfs[..], &["tells yes"]].concat();
    for (version, level) in [("v1.33.4", "error"), ("v1.34.0", "warning")] {
        let data = json!({"kubelet_config": map("systemd"), "node_version": version});
        let told = judged("CgroupDriver", &tells, &data);
        assert!(told[0].starts_with(level), "{version}: {told:?}");
    }
    // A node that is in the cluster, and whose kubelet is told otherwise than the runtime.
    let joined = [&cgroupfs[..], &["joined yes", "kubelet systemd"]].concat();
    assert_eq!(
        judged(
            "CgroupDriver",
            &joined,
            &json!({"kubelet_config": map("systemd")})
        ),
        ["error containerd uses cgroupfs, and the node's kubelet is told systemd: its pods die"]
    );
}

#[test]
fn containerd_with_cri_switched_off_is_no_runtime_for_a_kubelet() {
    let node = Node::new("containerd");
    // As ctr of 1.6 and 2.2 prints them.
    let plugins = |cri: &str| {
        format!(
            "case $* in *' plugins ls') cat <<'E'\nTYPE ID PLATFORMS STATUS\nio.containerd.service.v1 images-service - ok\n{cri}E\n;; esac"
        )
    };
    for (line, expected, level) in [
        ("io.containerd.grpc.v1 cri linux/amd64 ok\n", "cri ok", "ok"),
        (
            "io.containerd.grpc.v1 cri linux/amd64 error\n",
            "cri failed",
            "error",
        ),
        ("", "cri disabled", "error"),
    ] {
        node.machine.program("ctr", &plugins(line));
        let lines = node.seen("cri");
        assert_eq!(lines, [expected]);
        let lines = ["runtime /run/containerd/containerd.sock", &lines[0]];
        let told = judged("CRI", &lines, &json!({}));
        assert!(told[0].starts_with(level), "{told:?}");
        // What it would be asked otherwise says nothing then.
        let told = judged("CgroupDriver", &lines, &json!({}));
        assert_eq!(told.is_empty(), level == "error", "{told:?}");
    }
    // ctr may be missing; its file says it all the same.
    node.machine
        .program("ctr", "exit 1")
        .program("crictl", "exit 1");
    for (line, expected) in [
        ("disabled_plugins = [\"cri\"]", "cri disabled"),
        (
            "disabled_plugins = ['io.containerd.grpc.v1.cri', 'x']",
            "cri disabled",
        ),
        (
            "disabled_plugins = [\"restart\"]\nrequired_plugins = [\"cri\"]",
            "cri unknown",
        ),
    ] {
        let source = format!("cat <<'E'\n{line}\nE");
        node.machine.program("containerd", &source);
        assert_eq!(node.seen("cri"), [expected]);
    }
    node.machine.program("crictl", "echo '{}'");
    assert_eq!(node.seen("cri"), ["cri ok"]);
}

#[test]
fn the_image_of_sandboxes_is_looked_at_also_where_all_can_be_fetched() {
    let node = Node::new("containerd");
    node.machine
        .program("containerd", "echo \"    sandbox = 'registry.k8s.io/pause:3.6'\"; echo 'sandboxer = \"podsandbox\"'")
        .program("ctr", "case $* in *'images ls -q') echo registry.k8s.io/pause:3.6-x; cat images 2>/dev/null || : ;; *) exit 1 ;; esac")
        .program("kubeadm", "case $* in version*) echo v1.37.2 ;; *'images list --kubernetes-version v1.37.2') printf '%s\\n' registry.k8s.io/kube-proxy:v1.37.2 registry.k8s.io/pause:3.10.1 ;; esac");
    assert_eq!(
        node.seen("sandbox"),
        ["sandbox registry.k8s.io/pause:3.6 away"]
    );
    assert_eq!(node.seen("pause"), ["pause registry.k8s.io/pause:3.10.1"]);
    node.machine.file("images", "registry.k8s.io/pause:3.6\n");
    assert_eq!(
        node.seen("sandbox"),
        ["sandbox registry.k8s.io/pause:3.6 here"]
    );

    let told = |sandbox: &str, data: Json| {
        let lines = [
            "runtime /run/containerd/containerd.sock",
            "cri ok",
            sandbox,
            "pause registry.k8s.io/pause:3.10.1",
        ];
        judged("SandboxImage", &lines, &data)
    };
    assert_eq!(
        told("sandbox registry.k8s.io/pause:3.10.1 away", json!({})),
        ["ok"]
    );
    assert_eq!(
        told("sandbox registry.k8s.io/pause:3.6 here", json!({})),
        [
            "warning containerd makes every pod from registry.k8s.io/pause:3.6, and kubeadm brings another pause"
        ]
    );
    let own = json!({"image_repository": "registry.example.com/k8s"});
    assert_eq!(
        told("sandbox registry.k8s.io/pause:3.10.1 away", own.clone()),
        [
            "warning containerd makes every pod from registry.k8s.io/pause:3.10.1, which the node does not have, and which does not come from image_repository"
        ]
    );
    assert_eq!(
        told("sandbox registry.k8s.io/pause:3.10.1 here", own.clone()),
        ["ok"]
    );
    assert_eq!(
        told("sandbox registry.example.com/k8s/pause:3.10.1 away", own),
        ["ok"]
    );
}

#[test]
fn crictl_is_missed_where_kubeadm_wants_it() {
    let told = |version: &str, socket: &str| {
        let runtime = format!("runtime {socket}");
        let lines = [runtime.as_str(), "cri ok", "crictl no"];
        judged(
            "FileExisting-crictl",
            &lines,
            &json!({"node_version": version}),
        )
    };
    let containerd = "/run/containerd/containerd.sock";
    assert_eq!(
        told("v1.30.9", containerd),
        ["error there is no crictl, without which kubeadm up to 1.30 does nothing"]
    );
    assert!(told("v1.31.0", containerd).is_empty());
    assert!(told("v1.37.2", "/run/crio/crio.sock").is_empty());
    assert!(told("v1.20.2", "/run/docker.sock").is_empty());
}

#[test]
fn cgroup_v1_is_refused_from_1_35_unless_the_kubelets_are_told_to_start() {
    let node = Node::new("containerd");
    for (kind, expected) in [("tmpfs", "v1"), ("cgroup2fs", "v2"), ("ext4", "unknown")] {
        node.machine.program("stat", &format!("echo {kind}"));
        assert_eq!(node.seen("hierarchy"), [format!("hierarchy {expected}")]);
    }
    let told = |hierarchy: &str, version: &str, mut data: Json| {
        data["node_version"] = json!(version);
        judged("CgroupVersion", &[&format!("hierarchy {hierarchy}")], &data)
    };
    let refused = ["error it has cgroup v1, with which kubelets do not start from 1.35 on"];
    let allowed = json!({"kubelet_extra": {"failCgroupV1": false}});
    let map = |more: &[&str]| {
        let lines = [&["name kubelet-config"], more].concat();
        json!({"kubelet_config": {"stdout_lines": lines}})
    };
    assert!(told("v1", "v1.34.4", json!({})).is_empty());
    assert_eq!(told("v2", "v1.35.0", json!({})), ["ok"]);
    assert_eq!(told("v1", "v1.35.0", json!({})), refused);
    assert_eq!(told("v1", "v1.37.2", allowed.clone()), ["ok"]);
    assert_eq!(told("v1", "v1.37.2", map(&["failCgroupV1: false"])), ["ok"]);
    // A node that joins is told what the cluster says, and not what the inventory says by now.
    let mut both = map(&[]);
    both["kubelet_extra"] = allowed["kubelet_extra"].clone();
    assert_eq!(told("v1", "v1.37.2", both.clone()), refused);
    both["group_names"] = json!(["etcd"]);
    assert_eq!(told("v1", "v1.37.2", both), ["ok"]);
    let told_unknown = told("unknown", "v1.35.0", json!({}));
    assert!(told_unknown[0].starts_with("unknown "), "{told_unknown:?}");
}

#[test]
fn name_servers_that_are_the_node_itself_are_found_with_those_that_they_ask() {
    let node = Node::new("containerd");
    let machine = &node.machine;
    let seen = |told: &str| -> Vec<String> {
        let lines = node.look(told).into_iter();
        lines
            .filter(|line| line.starts_with("resolver ") || line.starts_with("upstreams "))
            .collect()
    };
    machine.program("systemctl", "[ -e resolved ] && echo active");
    assert_eq!(
        seen(""),
        ["resolver /etc/resolv.conf missing", "upstreams none"]
    );
    machine.file("etc/resolv.conf", "search example.com\n");
    assert_eq!(
        seen(""),
        ["resolver /etc/resolv.conf empty", "upstreams none"]
    );
    machine.file(
        "etc/resolv.conf",
        "nameserver 192.0.2.53\nnameserver 2001:db8::1\n# nameserver 127.0.0.1\n",
    );
    assert_eq!(seen(""), ["resolver /etc/resolv.conf fine"]);
    machine.file(
        "etc/resolv.conf",
        "nameserver 192.0.2.53\nnameserver 127.0.1.1\nnameserver ::1\n",
    );
    assert_eq!(
        seen(""),
        ["resolver /etc/resolv.conf 127.0.1.1 ::1", "upstreams none"]
    );
    // NetworkManager's dnsmasq.
    machine.file(
        "run/NetworkManager/no-stub-resolv.conf",
        "nameserver 192.0.2.53\n",
    );
    let found = seen("");
    assert_eq!(
        found[1],
        "upstreams /run/NetworkManager/no-stub-resolv.conf"
    );
    // systemd-resolved's file is there and useless, as where it is not what runs.
    machine.file("run/systemd/resolve/resolv.conf", "nameserver 127.0.0.1\n");
    assert_eq!(seen(""), found);
    // Where it runs, kubeadm has kubelets go by it.
    machine
        .file("resolved", "")
        .file("run/systemd/resolve/resolv.conf", "nameserver 192.0.2.53\n");
    assert_eq!(seen(""), ["resolver /run/systemd/resolve/resolv.conf fine"]);
    assert_eq!(seen("/etc/mine")[0], "resolver /etc/mine missing");
    // What the kubelet of a node in a cluster goes by.
    machine.file("etc/kubernetes/kubelet.conf", "").file(
        "var/lib/kubelet/config.yaml",
        "cgroupDriver: systemd\nresolvConf: /etc/kubelet-resolv.conf\n",
    );
    assert_eq!(seen("")[0], "resolver /etc/kubelet-resolv.conf missing");
    assert_eq!(node.seen("kubelet"), ["kubelet systemd"]);
    machine.file(
        "var/lib/kubelet/kubeadm-flags.env",
        "KUBELET_KUBEADM_ARGS=\"--x=y --resolv-conf=/etc/flag\"\n",
    );
    assert_eq!(seen("")[0], "resolver /etc/flag missing");

    let told = |lines: &[&str], data: Json| judged("ResolvConf", lines, &data);
    let own = "resolver /etc/resolv.conf 127.0.0.1";
    let words = "/etc/resolv.conf has name servers on the node itself (127.0.0.1)";
    assert_eq!(
        told(&[own, "upstreams /run/x"], json!({})),
        [format!("note {words}, where CoreDNS would ask itself")]
    );
    let crashes = [format!("error {words}: CoreDNS asks itself, and crashes")];
    assert_eq!(told(&[own, "upstreams none"], json!({})), crashes);
    assert_eq!(
        told(&[own, "upstreams /run/x", "joined yes"], json!({})),
        crashes
    );
    assert_eq!(told(&["resolver /etc/resolv.conf fine"], json!({})), ["ok"]);
    assert!(told(&[own, "upstreams none"], json!({"group_names": ["etcd"]})).is_empty());
}

#[test]
fn networks_of_an_earlier_life_are_named() {
    let node = Node::new("containerd");
    node.machine
        .file("etc/cni/net.d/87-podman-bridge.conflist", "{}")
        .file("etc/cni/net.d/10-calico.conflist", "{}")
        .file("etc/cni/net.d/calico-kubeconfig", "")
        .file("etc/cni/net.d/.kubernetes-cni-keep", "");
    let lines = node.seen("network");
    assert_eq!(
        lines,
        [
            "network 10-calico.conflist",
            "network 87-podman-bridge.conflist"
        ]
    );
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let told = judged(
        "LeftoverNetwork",
        &[&lines[..], &["joined no"]].concat(),
        &json!({}),
    );
    assert!(
        told[0].starts_with(
            "warning /etc/cni/net.d has 10-calico.conflist, 87-podman-bridge.conflist,"
        ),
        "{told:?}"
    );
    assert!(
        judged(
            "LeftoverNetwork",
            &[&lines[..], &["joined yes"]].concat(),
            &json!({})
        )
        .is_empty()
    );
}
