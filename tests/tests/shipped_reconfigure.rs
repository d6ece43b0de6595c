//! `reconfigure.sh`, which compares what kubeadm would write with what a node has and puts it in place: with a kubeadm and a kubectl
//! of the test's own, and processes that are called as those of static pods.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use windlass_tests::program::{Place, root};

/// The shells that nodes have.
const SHELLS: [&[&str]; 2] = [&["dash"], &["busybox", "sh"]];

/// What kubeadm is told; the stand-in needs nothing of it.
const CONFIG: &str = "---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint:\n  advertiseAddress: '@ADDRESS@'\n  bindPort: '@PORT@'\n\
---\nkind: ClusterConfiguration\nkubernetesVersion: v9.9.9\nnetworking:\n    podSubnet: 10.9.0.0/16\napiServer:\n    certSANs: [a]\n\
---\nkind: KubeletConfiguration\ncgroupDriver: other\nmaxPods: 7\n---\nkind: KubeProxyConfiguration\nmode: ipvs\nudpIdleTimeout: 5m\n";

/// kubeadm: writes into the folder that it is given what the test has put into `wanted`, and keeps what it was told.
const KUBEADM: &str = r#"
root=/nowhere
for word in "$@"; do [ "$last" = --rootfs ] && root=$word; last=$word; done
put() { mkdir -p "$root$(dirname "$2")" && cp "HERE/wanted/$1" "$root$2"; }
case $* in
  'version -o short') echo v1.37.2 ;;
  'init phase control-plane '*) put "kube-$4.yaml" "/etc/kubernetes/manifests/kube-$4.yaml"; cp "$root/config.yml" HERE/told ;;
  'init phase etcd local'*) put etcd.yaml /etc/kubernetes/manifests/etcd.yaml ;;
  'init phase kubelet-start'*)
    mkdir -p "$root/var/lib/kubelet"
    awk '/^---/ { on = 0 } /^kind: KubeletConfiguration/ { on = 1 } on' "$root/config.yml" >"$root/var/lib/kubelet/config.yaml" ;;
  'config migrate'*) cp "$root/migrate.yml" "$root/migrated.yml" ;;
  'config print'*) printf -- '---\nkind: KubeProxyConfiguration\nmode: ""\nclusterCIDR: ""\nudpIdleTimeout: 0s\nbindAddress: 0.0.0.0\n' ;;
  *) echo "kubeadm $*" >&2; exit 1 ;;
esac
"#;

const KUBECTL: &str = r"
case $* in
  *kubeadm-config*) cat HERE/cluster ;;
  *kubelet-config*) cat HERE/kubelet/config.yaml ;;
  *'configmap kube-proxy'*) cat HERE/proxy ;;
  *readyz*) cat HERE/unready 2>/dev/null && exit 1; echo ok ;;
esac
";

/// A control plane of the test's own.
struct Node {
    place: Place,
    shell: &'static [&'static str],
}

impl Node {
    fn new(shell: &'static [&'static str]) -> Self {
        let node = Self {
            place: Place::new(),
            shell,
        };
        for folder in ["etc/manifests", "kubelet", "wanted", "bin"] {
            std::fs::create_dir_all(node.at(folder)).expect("folders can be made");
        }
        for (name, script) in [("kubeadm", KUBEADM), ("kubectl", KUBECTL)] {
            node.program(name, script);
        }
        let first = "kubernetesVersion: v1.37.2\nnetworking:\n  podSubnet: 10.1.0.0/16\napiServer:\n  certSANs: [a]\n";
        for (file, text) in [
            ("etc/admin.conf", ""),
            ("cluster", &format!("kind: ClusterConfiguration\n{first}")),
            (
                "proxy",
                "kind: KubeProxyConfiguration\nmode: \"\"\nclusterCIDR: 10.1.0.0/16\nudpIdleTimeout: 300s\n",
            ),
            (
                "kubelet/config.yaml",
                "kind: KubeletConfiguration\ncgroupDriver: systemd\nfailCgroupV1: false\nmaxPods: 7\nresolvConf: /x\n",
            ),
        ] {
            node.write(file, text);
        }
        node
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.at(name)
    }

    fn write(&self, name: &str, text: &str) {
        self.place.write(name, text);
    }

    fn read(&self, name: &str) -> String {
        self.place.read(name)
    }

    fn program(&self, name: &str, source: &str) {
        self.place.program(&format!("bin/{name}"), source);
    }

    fn command(&self, verb: &str, words: &[&str]) -> Command {
        let config = Command::new("sh")
            .args(["-c", "printf %s \"$0\" | base64 -w0", CONFIG])
            .output()
            .expect("there is base64");
        let config = String::from_utf8(config.stdout).expect("it is text");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.at("bin").display());
        let mut command = Command::new(self.shell[0]);
        command
            .args(&self.shell[1..])
            .arg(root().join("playbooks/files/reconfigure.sh"))
            .arg(verb)
            .args(words)
            .env("PATH", path)
            .env("WINDLASS_CONFIG", config)
            .env("WINDLASS_KUBERNETES", self.at("etc"))
            .env("WINDLASS_KUBELET", self.at("kubelet"));
        command
    }

    /// What it printed, where it succeeded.
    fn looks(&self, words: &[&str]) -> String {
        let output = self
            .command("look", words)
            .output()
            .expect("there is a shell");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("it is text")
    }
}

/// A static pod with these arguments, and with what kubeadm of another day wrote besides.
fn pod(name: &str, arguments: &[&str], besides: &str) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n{besides}spec:\n  containers:\n  - command:\n    - {name}\n"
    );
    for argument in arguments {
        writeln!(text, "    - {argument}").expect("text takes text");
    }
    text + "    image: example.com/x:v1.37.2\n    livenessProbe:\n      periodSeconds: 10\n    volumeMounts:\n\
            \x20   - mountPath: /etc/ssl/certs\n      name: ca-certs\n      readOnly: true\n  volumes:\n  - hostPath:\n      path: /etc/ssl/certs\n    name: ca-certs\n"
}

/// The node gets a manifest, and kubeadm would write another.
fn both(node: &Node, name: &str, is: &str, wanted: &str) {
    node.write(&format!("etc/manifests/{name}.yaml"), is);
    node.write(&format!("wanted/{name}.yaml"), wanted);
}

#[test]
fn arguments_differ_and_what_kubeadm_of_another_day_wrote_does_not() {
    for shell in SHELLS {
        let node = Node::new(shell);
        let address = "--advertise-address=10.0.0.5";
        both(
            &node,
            "kube-apiserver",
            &pod(
                "kube-apiserver",
                &[address, "--secure-port=6444", "--v=2", "--a=1,b=2"],
                "",
            ),
            &pod(
                "kube-apiserver",
                &[
                    address,
                    "--a=1,b=2",
                    "--new=x: y",
                    "--v=3",
                    "--secure-port=6444",
                ],
                "  creationTimestamp: null\n",
            )
            .replace("periodSeconds: 10", "periodSeconds: 1"),
        );
        for name in ["kube-controller-manager", "kube-scheduler"] {
            let same = pod(name, &["--kubeconfig=/x"], "");
            both(&node, name, &same, &same);
        }
        let members = "--initial-cluster=cp1=https://10.0.0.4:2380,cp2=https://10.0.0.5:2380";
        both(
            &node,
            "etcd",
            &pod(
                "etcd",
                &["--data-dir=/d", members, "--initial-cluster-state=existing"],
                "",
            ),
            &pod(
                "etcd",
                &[
                    "--data-dir=/d",
                    "--initial-cluster=cp2=https://10.0.0.5:2380",
                    "--quota=1",
                ],
                "",
            )
            .replace("v1.37.2", "v9"),
        );
        assert_eq!(
            node.looks(&["pods", "etcd"]),
            "kube-apiserver\t-\t--v=2\nkube-apiserver\t+\t--new=x: y\nkube-apiserver\t+\t--v=3\netcd\t+\t--quota=1\n"
        );
        // What only the node knows, what the cluster has, and what was found out for its machines.
        let told = node.read("told");
        for said in [
            "advertiseAddress: '10.0.0.5'",
            "bindPort: 6444",
            "kubernetesVersion: v1.37.2",
            "podSubnet: 10.1.0.0/16",
            "cgroupDriver: systemd",
            "failCgroupV1: false",
        ] {
            assert!(told.contains(said), "no {said} in\n{told}");
        }
        for gone in ["v9.9.9", "10.9.0.0", "cgroupDriver: other"] {
            assert!(!told.contains(gone), "{gone} in\n{told}");
        }
    }
}

#[test]
fn kubelets_and_config_maps_differ_where_the_variables_say_something_else() {
    for shell in SHELLS {
        let node = Node::new(shell);
        // A range that a running cluster cannot be given is named, and five minutes are three hundred seconds.
        assert_eq!(
            node.looks(&["cluster", "kubelet"]),
            "kubeadm-config\t=\tnetworking.podSubnet: 10.9.0.0/16\nkube-proxy\t+\tmode: ipvs\n"
        );
        node.write(
            "kubelet/config.yaml",
            "kind: KubeletConfiguration\ncgroupDriver: systemd\nmaxPods: 8\nmine: 1\n",
        );
        assert_eq!(
            node.looks(&["kubelet"]),
            "kubelet\t-\tmaxPods: 8\nkubelet\t-\tmine: 1\nkubelet\t+\tmaxPods: 7\n"
        );
    }
}

/// A kubeadm of another minor version writes something else, and that is no difference in the variables.
#[test]
fn with_a_kubeadm_of_another_version_nothing_is_compared() {
    for shell in SHELLS {
        let node = Node::new(shell);
        node.program("kubeadm", &KUBEADM.replace("v1.37.2", "v1.38.0"));
        let output = node
            .command("look", &["pods"])
            .output()
            .expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("is v1.38.0 and the cluster v1.37.2"),
            "{said}"
        );
    }
}

#[test]
fn a_file_of_the_users_differs_by_what_it_says() {
    for shell in SHELLS {
        let node = Node::new(shell);
        let file = node.at("policy.yml").display().to_string();
        let sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let what = format!("sha256:{sum}:{file}");
        assert_eq!(node.looks(&[&what]), format!("files\t+\t{file}\n"));
        node.write("policy.yml", "tests");
        assert_eq!(
            node.looks(&[&what]),
            format!("files\t+\t{file}, with another content\n")
        );
        node.write("policy.yml", "test");
        assert_eq!(node.looks(&[&what]), "");
    }
}

/// A process that is called as the program of a static pod, as soon as its manifest is another one.
struct Kubelet(Child);

impl Kubelet {
    fn watch(node: &Node, name: &str, argument: &str) -> Self {
        node.program(name, "while sleep 1; do :; done\n");
        let manifest = node.at(&format!("etc/manifests/{name}.yaml"));
        let script = format!(
            "cp {0} {1}; while cmp -s {0} {1}; do sleep 0.1; done; sleep 1.2; exec {2} {argument}",
            manifest.display(),
            node.at("before").display(),
            node.at("bin").join(name).display()
        );
        let kubelet = Command::new("sh")
            .args(["-c", &script])
            .spawn()
            .expect("there is a shell");
        while !exists(&node.at("before")) {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(kubelet)
    }
}

fn exists(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const ADDRESS: &str = "--advertise-address=127.0.0.77";

fn api_server(node: &Node) {
    both(
        node,
        "kube-apiserver",
        &pod("kube-apiserver", &[ADDRESS, "--secure-port=1", "--v=2"], ""),
        &pod("kube-apiserver", &[ADDRESS, "--secure-port=1", "--v=3"], ""),
    );
    // Certificates are for another test: the same are wanted.
    node.program(
        "kubeadm",
        &KUBEADM.replace(
            "  'config print'*)",
            "  'init phase certs '*) mkdir -p \"$root/etc/kubernetes/pki\"; cp HERE/etc/pki/apiserver.crt \"$root/etc/kubernetes/pki/\" ;;\n  'config print'*)",
        ),
    );
    std::fs::create_dir_all(node.at("etc/pki")).expect("folders can be made");
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=a",
            "-addext",
            "subjectAltName=DNS:a",
        ])
        .args([
            "-keyout",
            &node.at("etc/pki/apiserver.key").display().to_string(),
        ])
        .args([
            "-out",
            &node.at("etc/pki/apiserver.crt").display().to_string(),
        ])
        .output()
        .expect("openssl can be started");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_static_pod_is_put_in_place_awaited_and_then_left_alone() {
    for shell in SHELLS {
        let node = Node::new(shell);
        api_server(&node);
        let kubelet = Kubelet::watch(&node, "kube-apiserver", ADDRESS);
        let run = || {
            let output = node
                .command("pod", &["60", "kube-apiserver"])
                .output()
                .expect("there is a shell");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).expect("it is text")
        };
        assert_eq!(run(), "changed\n");
        let is = node.read("etc/manifests/kube-apiserver.yaml");
        assert!(
            is.contains("--v=3") && is.contains("windlass/reconfigured"),
            "{is}"
        );
        assert_eq!(run(), "");
        assert_eq!(node.read("etc/manifests/kube-apiserver.yaml"), is);
        assert!(!node.at("etc/windlass-reconfigure").exists());
        drop(kubelet);
    }
}

#[test]
fn a_static_pod_that_does_not_come_up_gets_back_what_it_had() {
    for shell in SHELLS {
        let node = Node::new(shell);
        api_server(&node);
        node.write("unready", "no etcd");
        let output = node
            .command("pod", &["2", "kube-apiserver"])
            .output()
            .expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for what in ["did not come up", "DOES NOT RUN", "\t+\t--v=3"] {
            assert!(said.contains(what), "{what}: {said}");
        }
        let is = node.read("etc/manifests/kube-apiserver.yaml");
        assert!(is.contains("--v=2") && !is.contains("--v=3"), "{is}");
        // The next run sees that it was begun.
        for name in ["kube-controller-manager", "kube-scheduler"] {
            let same = pod(name, &["--kubeconfig=/x"], "");
            both(&node, name, &same, &same);
        }
        let looked = node.looks(&["pods"]);
        assert!(
            looked.contains("kube-apiserver\t!\ta change was begun and not finished"),
            "{looked}"
        );
    }
}

/// Another folder is an empty etcd.
#[test]
fn etcd_is_never_given_another_folder() {
    for shell in SHELLS {
        let node = Node::new(shell);
        let is = pod("etcd", &["--data-dir=/d"], "");
        both(&node, "etcd", &is, &pod("etcd", &["--data-dir=/e"], ""));
        let output = node
            .command("pod", &["2", "etcd"])
            .output()
            .expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("nothing was changed"), "{said}");
        assert_eq!(node.read("etc/manifests/etcd.yaml"), is);
    }
}
