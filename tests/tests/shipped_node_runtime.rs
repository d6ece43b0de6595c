//! The container runtime of a node: how it is asked (`files/preflight/node.sh`), and how the playbooks and
//! `preflight.yml` judge it.

use serde_json::{Value as Json, json};
use windlass_tests::nodes::{Node, judged};

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
