//! `etcd.sh`, which asks, saves and restores the etcd of a node, with stand-ins for etcd's own programs: which of them
//! it uses, and what it does where there is none.

use windlass_tests::program::Printed;
use windlass_tests::shipped_plays::{Hosts, play, tasks};
use windlass_tests::stand_ins::Node;

/// An etcdctl of version `$1`: from 3.6 on it has no `snapshot status`, and explains itself at length.
const ETCDCTL: &str = r#"
echo "$0 $*" >>HERE/calls
case "$*" in
  version) echo "etcdctl version: VERSION.1"; echo 'API version: VERSION' ;;
  *'endpoint health') echo healthy ;;
  *'endpoint status -w json') echo '[{"Status":{"header":{"revision":REVISION},"version":"VERSION.1","dbSize":1024}}]' ;;
  *'snapshot save '*)
    for file; do :; done
    head -c 1024 /dev/zero >"$file"
    digest=$(sha256sum "$file" | sed 's/ .*//; s/../\\x&/g')
    /usr/bin/printf "$digest" >>"$file" ;;
  'snapshot status '*)
    case VERSION in
      3.[0-5]) echo '{"hash":7,"revision":REVISION,"totalKey":3,"totalSize":1024}' ;;
      *) for line in 1 2 3 4 5 6 7 8 9 10 11 12; do echo 'Usage: etcdctl snapshot <subcommand>'; done; exit 1 ;;
    esac ;;
  *) exit 1 ;;
esac
"#;

const ETCDUTL: &str = r#"
echo "$0 $*" >>HERE/calls
case "$*" in
  version) echo "etcdutl version: VERSION.1"; echo 'API version: VERSION' ;;
  'snapshot status '*) echo '{"hash":8,"revision":9,"totalKey":4,"totalSize":1024,"version":"VERSION.0"}' ;;
  'snapshot restore --help') case VERSION in 3.5) ;; *) echo '      --bump-revision uint   How much' ;; esac ;;
  'snapshot restore '*)
    while [ "$1" != --data-dir ]; do shift; done
    mkdir -p "$2/member/snap"
    echo restored >"$2/member/snap/db" ;;
  *) exit 1 ;;
esac
"#;

/// A node whose etcd is this version. Its container has what `HERE/container` has, and `etcd`.
fn with_etcd(node: &Node, version: &str) {
    node.write("k/pki/etcd/healthcheck-client.key", "");
    node.write("data/member/snap/db", "data");
    node.write(
        "k/manifests/etcd.yaml",
        &format!(
            "metadata:\n  name: etcd\nspec:\n  containers:\n  - command:\n    - etcd\n    - --data-dir=HERE/data\n    \
             - --initial-advertise-peer-urls=https://10.0.0.1:2380\n    - --listen-client-urls=https://127.0.0.1:2379\n    \
             - --name=cp1\n    image: registry.example:5000/etcd:{version}.5-0\n"
        ),
    );
    node.program("container/etcd", "exit 0");
    node.tool(
        "crictl",
        "case $1 in ps) echo c1 ;; exec) shift 2; program=$1; shift; [ -x HERE/container/$program ] || exit 127; \
         exec HERE/container/$program \"$@\" ;; *) exit 1 ;; esac",
    );
}

fn of(version: &str, source: &str) -> String {
    source
        .replace("VERSION", version)
        .replace("REVISION", "1234")
}

fn snapshot(node: &Node) -> Printed {
    node.run("etcd.sh", &["snapshot", &node.path("work")])
}

/// Upstream's image of 3.6 has an etcdctl without `snapshot status`, and no etcdutl.
#[test]
fn a_snapshot_of_3_6_without_etcdutl_is_checked_by_its_checksum_and_says_no_more_than_is_known() {
    for node in Node::each() {
        with_etcd(&node, "3.6");
        node.program("container/etcdctl", &of("3.6", ETCDCTL));
        let ran = snapshot(&node);
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(
            ran.out,
            "{\"hash\":null,\"revision\":1234,\"totalKey\":null,\"totalSize\":1024}\n"
        );
        assert!(!ran.err.contains("Usage"), "{}", ran.err);
        assert_eq!(node.at("work/snapshot.db").metadata().unwrap().len(), 1056);
        assert!(!node.at("data/windlass-snapshot.db").exists());
    }
}

#[test]
fn an_empty_etcd_and_a_damaged_snapshot_are_told_without_a_tool_too() {
    for (from, to, why) in [
        ("REVISION", "1", "holds no keys"),
        (
            "/usr/bin/printf \"$digest\" >>\"$file\"",
            "head -c 32 /dev/zero >>\"$file\"",
            "is damaged: its checksum is",
        ),
        (
            "head -c 1024 /dev/zero",
            "head -c 1000 /dev/zero",
            "does not end with a checksum",
        ),
    ] {
        for node in Node::each() {
            with_etcd(&node, "3.6");
            node.program("container/etcdctl", &of("3.6", &ETCDCTL.replace(from, to)));
            let ran = snapshot(&node);
            assert_ne!(ran.status, 0, "{ran:?}");
            assert!(ran.err.contains(why), "{why}: {}", ran.err);
        }
    }
}

#[test]
fn a_tool_of_etcds_version_looks_into_the_snapshot() {
    for (version, node_has, container_has, hash) in [
        ("3.6", vec!["etcdutl"], vec!["etcdctl"], 8),
        ("3.6", vec!["etcdctl", "etcdutl"], vec![], 8),
        ("3.5", vec!["etcdctl"], vec![], 7),
        ("3.5", vec![], vec!["etcdctl"], 7),
        ("3.5", vec![], vec!["etcdctl", "etcdutl"], 8),
    ] {
        for node in Node::each() {
            with_etcd(&node, version);
            let source = |tool: &str| match tool {
                "etcdctl" => of(version, ETCDCTL),
                _ => of(version, ETCDUTL),
            };
            for tool in &node_has {
                node.tool(tool, &source(tool));
            }
            for tool in &container_has {
                node.program(&format!("container/{tool}"), &source(tool));
            }
            let ran = snapshot(&node);
            let said: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_default();
            assert_eq!(said["hash"], hash, "{version} {node_has:?} {ran:?}");
        }
    }
}

/// Debian's is 3.4, and is on many control planes.
#[test]
fn an_etcdctl_of_3_4_is_never_used_on_3_6() {
    for verb in ["health", "member", "snapshot", "describe"] {
        for node in Node::each() {
            with_etcd(&node, "3.6");
            node.tool("etcdctl", &of("3.4", ETCDCTL));
            node.program("container/etcdctl", &of("3.6", ETCDCTL));
            let ran = node.run("etcd.sh", &[verb, &node.path("work")]);
            assert_eq!(ran.status, 0, "{ran:?}");
            let calls = node.read("calls");
            let own: Vec<&str> = calls
                .lines()
                .filter(|line| line.contains("bin/etcdctl") && !line.ends_with(" version"))
                .collect();
            assert!(own.is_empty(), "{verb}: {own:?}");
        }
    }
    for node in Node::each() {
        with_etcd(&node, "3.6");
        node.tool("etcdctl", &of("3.4", ETCDCTL));
        node.tool("crictl", "exit 1");
        let ran = node.run("etcd.sh", &["health"]);
        assert_ne!(ran.status, 0);
        assert!(ran.err.contains("is 3.4 and its etcd is 3.6"), "{ran:?}");
        // The version before or after will do, where the container cannot be reached.
        node.tool("etcdctl", &of("3.5", ETCDCTL));
        assert_eq!(node.run("etcd.sh", &["health"]).status, 0);
    }
}

#[test]
fn a_member_says_what_it_is() {
    for node in Node::each() {
        with_etcd(&node, "3.5");
        node.tool("etcdctl", &of("3.5", ETCDCTL));
        node.write("k/etcd-kubeadm.yml", "");
        let ran = node.run("etcd.sh", &["member"]);
        let said: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        assert_eq!(said["version"], "3.5.1", "{ran:?}");
        assert_eq!(said["image"], "registry.example:5000/etcd:3.5.5-0");
        assert_eq!(said["peer_url"], "https://10.0.0.1:2380");
        assert_eq!(said["name"], "cp1");
        assert_eq!(said["ours"], true);
    }
}

#[test]
fn what_is_to_restore_is_of_etcds_version_and_may_be_brought() {
    for (etcd, has, tool, bump) in [
        ("3.6", "", "", true),
        ("3.6", "3.6", "etcdutl (node)", true),
        // Neither an older nor a newer one writes what etcd reads.
        ("3.6", "3.5", "", true),
        ("3.5", "3.6", "", false),
        ("3.5", "3.5", "etcdutl (node)", false),
    ] {
        for node in Node::each() {
            with_etcd(&node, etcd);
            node.program("container/etcdctl", "exit 1");
            if !has.is_empty() {
                node.tool("etcdutl", &of(has, ETCDUTL));
            }
            let ran = node.run("etcd.sh", &["describe"]);
            let said: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
            assert_eq!(said["tool"], tool, "{etcd} {has} {ran:?}");
            assert_eq!(said["bump"], bump, "{etcd} {has}");
            assert_eq!(said["etcd"], etcd);
            assert!(!said["machine"].as_str().unwrap_or_default().is_empty());
        }
    }
}

#[test]
fn a_tool_that_was_brought_restores_if_it_is_an_etcdutl_of_etcds_version() {
    for (source, version, why) in [
        (ETCDUTL, "3.6", ""),
        (ETCDUTL, "3.7", "is etcdutl 3.7, and etcd is 3.6"),
        (ETCDCTL, "3.6", "is not etcdutl"),
        ("exit 126", "3.6", "cannot be run"),
    ] {
        for node in Node::each() {
            with_etcd(&node, "3.6");
            node.program("container/etcdctl", &of("3.6", ETCDCTL));
            assert_eq!(snapshot(&node).status, 0);
            node.program("data/windlass-restore/etcdutl", &of(version, source));
            let ran = node.run(
                "etcd.sh",
                &[
                    "prepare",
                    &node.path("work/snapshot.db"),
                    "cp1=https://10.0.0.1:2380",
                    "restored",
                    "1000",
                    &node.path("data/windlass-restore/etcdutl"),
                ],
            );
            assert_eq!(ran.status == 0, why.is_empty(), "{ran:?}");
            assert!(ran.err.contains(why), "{why}: {ran:?}");
            let restored = node.at("data/windlass-restore/new/member/snap/db");
            assert_eq!(restored.exists(), why.is_empty());
            if why.is_empty() {
                let calls = node.read("calls");
                assert!(
                    calls.contains("--bump-revision 1000 --mark-compacted"),
                    "{calls}"
                );
            }
        }
    }
}

#[test]
fn a_file_of_the_control_host_is_an_etcdutl_for_the_nodes_machine() {
    let elf = |kind: [u8; 2]| {
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
        file.extend(kind);
        file
    };
    for (bytes, machine, why) in [
        (elf([0x3e, 0]), "x86_64", ""),
        (elf([0xb7, 0]), "aarch64", ""),
        (
            elf([0x3e, 0]),
            "aarch64",
            "for machines of the kind x86_64, and the node is aarch64",
        ),
        (b"\x1f\x8b\x08\0".to_vec(), "x86_64", "is an archive"),
        (
            b"#!/bin/sh\n".to_vec(),
            "x86_64",
            "is not a program for Linux",
        ),
    ] {
        for node in Node::each() {
            std::fs::write(node.at("tool"), &bytes).expect("a file of our own");
            let ran = node.run(
                "etcd.sh",
                &["brought", &node.path("tool"), "3.6", machine, ""],
            );
            assert_eq!(ran.status == 0, why.is_empty(), "{ran:?}");
            assert!(ran.err.contains(why), "{why}: {ran:?}");
        }
    }
    for node in Node::each() {
        let ran = node.run(
            "etcd.sh",
            &["brought", "/nowhere/etcdutl", "3.6", "x86_64", ""],
        );
        assert!(
            ran.err
                .contains("/nowhere/etcdutl is not a file that can be read")
        );
    }
}

const CLUSTER: &str = "[control_plane]\ncp1\n[all:vars]\ncontrol_plane_endpoint=192.0.2.10:6443\n";

/// A bundle with an etcdutl of two versions, of which its checksums name one.
fn bundle(hosts: &Hosts, elf: &[u8]) {
    std::fs::create_dir(hosts.at("bundle")).expect("a folder of our own");
    for version in ["3.5.20", "3.6.14"] {
        let name = format!("bundle/etcdutl-v{version}-linux-amd64");
        std::fs::write(hosts.at(&name), elf).expect("a file of our own");
    }
    let sums = std::process::Command::new("sha256sum")
        .arg("etcdutl-v3.6.14-linux-amd64")
        .current_dir(hosts.at("bundle"))
        .output();
    let sums = String::from_utf8(sums.expect("it is there").stdout).expect("it is text");
    hosts.write("bundle/SHA256SUMS", &sums);
}

/// Before anything is stopped, and in check mode too.
#[test]
fn a_restore_says_first_where_there_is_nothing_that_could_restore() {
    let elf = [
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0".as_slice(),
        b"more",
    ]
    .concat();
    for (etcd, machine, tool, named, why) in [
        (
            "3.6",
            "x86_64",
            "",
            "",
            "-e etcdutl=PATH. It comes with etcd's releases, for x86_64",
        ),
        (
            "3.5",
            "x86_64",
            "",
            "",
            "has an etcdutl of etcd 3.5, or an etcdctl of it",
        ),
        ("3.6", "x86_64", "etcdutl (node)", "", ""),
        ("3.6", "x86_64", "", "etcdutl", ""),
        (
            "3.6",
            "aarch64",
            "",
            "etcdutl",
            "for machines of the kind x86_64, and the node is aarch64",
        ),
        (
            "3.6",
            "x86_64",
            "",
            "nowhere",
            "nowhere is not a file that can be read",
        ),
        ("3.6", "x86_64", "", "bundle", ""),
        (
            "3.5",
            "x86_64",
            "",
            "bundle",
            "SHA256SUMS of the bundle has no line for",
        ),
        ("3.7", "x86_64", "", "bundle", "-e etcdutl=PATH"),
        ("3.6", "aarch64", "", "bundle", "-e etcdutl=PATH"),
    ] {
        for mode in ["", "--check"] {
            let hosts = Hosts::new(CLUSTER);
            bundle(&hosts, &elf);
            std::fs::write(hosts.at("etcdutl"), &elf).expect("a file of our own");
            let said = serde_json::json!({"etcd": etcd, "machine": machine, "tool": tool, "image": "registry.k8s.io/etcd:x"});
            hosts.write("said", &said.to_string());
            let plays = format!(
                "{}    - {{command: cat HERE/said, register: member, check_mode: false}}\n{}",
                play("control_plane"),
                tasks(
                    "etcd-restore.yml",
                    "There is what can restore, or can be brought",
                    "Check whether the kubelet runs, which has to stop and start etcd"
                )
            );
            let named = if named.is_empty() {
                String::new()
            } else {
                hosts.at(named).display().to_string()
            };
            let variable = if named.ends_with("bundle") {
                "bundle"
            } else {
                "etcdutl"
            };
            let words = format!("{variable}={named}");
            let words: Vec<&str> = ["-e", &words, mode]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect();
            let printed = hosts.run(&plays, &words);
            let seen = printed.text();
            assert_eq!(
                printed.status == 0,
                why.is_empty(),
                "{etcd} {tool} {named}\n{seen}"
            );
            assert!(seen.contains(why), "{why}\n{seen}");
        }
    }
}

#[test]
fn a_backup_records_of_a_snapshot_what_is_known_of_it() {
    for (said, keys) in [
        (
            r#"{"hash":null,"revision":1234,"totalKey":null,"totalSize":1024}"#,
            None,
        ),
        (
            r#"{"hash":7,"revision":1234,"totalKey":3,"totalSize":1024}"#,
            Some(3),
        ),
    ] {
        let hosts = Hosts::new(CLUSTER);
        hosts.replace(
            "files/etcd.sh",
            &format!(
                "case $1 in
                   health) echo healthy ;;
                   snapshot) umask 077; mkdir -p \"$2\"; echo data >\"$2/snapshot.db\"; echo '{said}' ;;
                   clean) rm -r \"$2\" ;;
                 esac"
            ),
        );
        let plays = format!(
            "{}    - include_tasks: tasks/etcd-snapshot.yml\n{}",
            play("control_plane[0]"),
            tasks(
                "etcd-backup.yml",
                "Record what it is",
                "List the complete backups"
            )
        );
        let words = format!(
            "etcd_backup_dest={} etcd_snapshot_workdir={}",
            hosts.at("backups").display(),
            hosts.at("work").display()
        );
        let printed = hosts.run(&plays, &["-e", &words]);
        let seen = printed.text();
        assert_eq!(printed.status, 0, "{seen}");
        assert_eq!(
            seen.contains("revision 1234 or later, 1024 bytes"),
            keys.is_none(),
            "{seen}"
        );
        assert_eq!(
            seen.contains("revision 1234, 3 keys, 1024 bytes"),
            keys.is_some(),
            "{seen}"
        );
        let folder = hosts.at("backups").read_dir().expect("it was made").next();
        let folder = folder.expect("one backup").expect("it can be read").path();
        let told = std::fs::read_to_string(folder.join("backup.json")).expect("it was written");
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told["revision"], 1234, "{told}");
        assert_eq!(
            told.get("keys").and_then(serde_json::Value::as_u64),
            keys,
            "{told}"
        );
        assert_eq!(told.get("hash").is_some(), keys.is_some(), "{told}");
        assert!(!hosts.at("work").exists());
    }
}
