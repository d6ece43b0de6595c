//! What is found out before anything is installed, with stand-ins for apt and dnf: which version there is, whether the key is
//! the right one, and that a node which has everything gets nothing. Real apt and dnf: `fleet_install`.

use std::process::Command;

use base64::Engine as _;
use windlass_tests::program::{Place, root};

const RSA: &str = "CCF702EE42E389534BFD7329177699C64FE3E10B";
const ED25519: &str = "4771297F74F2488CC7F34C73272DC0A75A9660A7";

/// A folder with stand-ins, and nothing else to be found than these and the tools that every machine has.
struct Node {
    place: Place,
}

const TOOLS: &str = "sh base64 cat chmod cmp cp cut date dirname env false grep head id ls mkdir mktemp mv od printf ps rm sed \
                     sha1sum sha256sum sleep sort stat tail touch tr true uname wc";

impl Node {
    fn new() -> Self {
        let node = Self {
            place: Place::new(),
        };
        for tool in TOOLS.split_whitespace() {
            let found = ["/usr/bin", "/bin"].map(|folder| std::path::Path::new(folder).join(tool));
            let found = found.into_iter().find(|path| path.exists());
            node.place.write("bin/.made", "");
            let link = node.place.path().join("bin").join(tool);
            std::os::unix::fs::symlink(found.expect(tool), link).expect("it can be linked");
        }
        node
    }

    fn program(self, name: &str, source: &str) -> Self {
        self.place.program(&format!("bin/{name}"), source);
        self
    }

    fn apt(versions: &[&str]) -> Self {
        let lines: Vec<String> = versions
            .iter()
            .map(|version| format!("echo ' kubeadm | {version} | https://example.com Packages'"))
            .collect();
        let here = Self::new();
        let told = here.place.path().join("told").display().to_string();
        here.program("apt-get", &format!("echo \"apt-get $*\" >>{told}"))
            .program("apt-cache", &lines.join("\n"))
    }

    /// What `packages.sh newest` prints of a repository with this key, and whether it fails.
    fn newest(&self, key: &[u8], fingerprints: &str, package: &str) -> (bool, String) {
        let output = Command::new("sh")
            .arg(root().join("playbooks/files/install/packages.sh"))
            .args([
                "newest",
                "kubernetes",
                "https://example.com/deb",
                fingerprints,
                "",
                "",
                package,
            ])
            .env_clear()
            .env("PATH", self.place.path().join("bin"))
            .env(
                "REPOSITORY_KEY",
                base64::engine::general_purpose::STANDARD.encode(key),
            )
            .output()
            .expect("there is a shell");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        (output.status.success(), text)
    }
}

fn key(name: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures/keys").join(name)).expect("it is there")
}

#[test]
fn the_newest_patch_is_taken_and_not_the_last_by_name_nor_of_another_minor_version() {
    let apt = [
        "1.36.2-1.1",
        "1.36.10-1.1",
        "1.36.9-1.1",
        "1.37.0-1.1",
        "1.3.99-1.1",
    ];
    for (asked, expected) in [
        ("1.36", "newest 1.36.10"),
        ("1.3", "newest 1.3.99"),
        ("1.36.2", "newest 1.36.2"),
        ("", "newest 1.37.0"),
    ] {
        let node = Node::apt(&apt);
        let (well, said) = node.newest(b"", "", &format!("kubeadm={asked}"));
        assert!(well, "{said}");
        assert_eq!(said, expected, "{asked}");
        // Apart from what the node has.
        let told = std::fs::read_to_string(node.place.path().join("told")).expect("it was asked");
        assert!(
            told.contains("Dir::State::lists=") && told.contains("Dir::Etc::sourceparts=-"),
            "{told}"
        );
        assert!(!told.contains("install"), "{told}");
    }
    let (well, said) = Node::apt(&apt).newest(b"", "", "kubeadm=1.38");
    assert!(!well);
    assert!(
        said.starts_with(
            "https://example.com/deb offer no kubeadm 1.38; they have 1.37.0-1.1 1.36.10-1.1"
        ),
        "{said}"
    );
    let dnf = Node::new().program(
        "dnf",
        "case \"$*\" in *--version*) echo 4.14.0 ;; *' list '*) echo 'kubeadm.x86_64  1.36.9-150500.1.1  kubernetes'; \
         echo 'kubeadm.x86_64  1.36.10-150500.1.1  kubernetes' ;; esac",
    );
    let (well, said) = dnf.newest(b"", "", "kubeadm=1.36");
    assert!(well, "{said}");
    assert_eq!(said, "newest 1.36.10");
}

#[test]
fn a_key_is_known_by_its_fingerprint() {
    let both = [key("rsa.asc"), key("ed25519.asc")].concat();
    let lower = RSA.to_lowercase();
    let two = format!("{RSA} {ED25519}");
    for (key_file, fingerprints, refused) in [
        (key("rsa.asc"), RSA, ""),
        (key("rsa.asc"), lower.as_str(), ""),
        (key("ed25519.asc"), ED25519, ""),
        (both.clone(), two.as_str(), ""),
        (key("rsa.asc"), "", ""),
        (key("rsa.asc"), ED25519, RSA),
        // One that is right does not vouch for another beside it.
        (both, RSA, ED25519),
        (
            b"<!DOCTYPE html><p>Not found".to_vec(),
            RSA,
            "is not a key, but a page: <!DOCTYPE html>",
        ),
        (b"nothing".to_vec(), RSA, "cannot be read as a key"),
        (vec![0xff; 40], RSA, "cannot be read as a key"),
        (
            String::from_utf8_lossy(&key("rsa.asc"))
                .replace("mQEN", "mQE*")
                .into_bytes(),
            RSA,
            "the key of the repository kubernetes",
        ),
    ] {
        let (well, said) =
            Node::apt(&["1.36.2-1.1"]).newest(&key_file, fingerprints, "kubeadm=1.36");
        assert_eq!(well, refused.is_empty(), "{said}");
        assert!(
            said.contains(if well { "newest 1.36.2" } else { refused }),
            "{said}"
        );
    }
}

const HAS: &str = "
- name: Look
  hosts: cp1
  gather_facts: false
  vars_files: [vars/cluster.yml]
  tasks:
    - import_tasks: tasks/install-look.yml
    - import_tasks: tasks/install.yml
    - debug: {msg: 'gets {{ install_programs | length }} {{ install_runtime }} {{ cluster_kubernetes_version }}'}
";

/// The default, which every cluster that was there before has: nothing is changed, and no repository is asked.
#[test]
fn a_node_that_has_a_runtime_and_kubernetes_gets_nothing() {
    for install in ["missing", "packages", "binaries", "none"] {
        let node = Node::apt(&[])
            .program("kubeadm", "echo v1.34.4")
            .program("kubelet", "echo Kubernetes v1.34.4")
            .program("kubectl", "echo '\"gitVersion\": \"v1.34.4\",'")
            .program(
                "containerd",
                "echo containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+b1",
            );
        let socket = node.place.path().join("runtime.sock");
        let _listens =
            std::os::unix::net::UnixListener::bind(&socket).expect("a socket of our own");
        let inventory = format!(
            "[control_plane]\ncp1\n[all:vars]\nansible_connection=local\ncontrol_plane_endpoint=192.0.2.10:6443\n\
             kubernetes_version=v1.34.4\nkubernetes_install={install}\ncontainer_runtime_install={install}\ncri_socket=unix://{}\n",
            socket.display()
        );
        for folder in ["files", "tasks", "templates", "vars"] {
            let shipped = root().join("playbooks").join(folder);
            std::os::unix::fs::symlink(shipped, node.place.path().join(folder))
                .expect("it can be linked");
        }
        let play = HAS.to_owned();
        let play = if install == "none" {
            play.replace(
                "{{ install_programs | length }} {{ install_runtime }}",
                "0 False",
            )
        } else {
            play
        };
        let mut command = node
            .place
            .playing(&inventory, &play, &["--output", "ansible"]);
        let printed = node
            .place
            .printed(command.env("PATH", node.place.path().join("bin")));
        let seen = printed.text();
        assert_eq!(printed.status, 0, "{seen}");
        assert!(seen.contains("gets 0 False v1.34.4"), "{seen}");
        assert!(seen.contains("changed=0 "), "{seen}");
        assert!(
            !node.place.path().join("told").exists(),
            "apt was asked\n{seen}"
        );
    }
}
