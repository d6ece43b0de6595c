//! What the owner of one machine can make the shipped playbooks do elsewhere: on the control host, on the other
//! machines. A machine that says what it wants is a host of connection=local with stand-ins for its programs.

use std::path::Path;

use windlass_tests::program::{Place, Printed, root};

/// A place whose programs are first in the PATH, and a copy of nothing: the playbooks are the shipped ones.
struct Lair {
    place: Place,
}

impl Lair {
    fn new(inventory: &str) -> Self {
        let place = Place::new();
        place.write("hosts.ini", inventory);
        let shipped = root().join("playbooks").display().to_string();
        place.write("site.yml.in", &shipped);
        Self { place }
    }

    /// A program that hosts run in place of their own.
    fn program(&self, name: &str, source: &str) -> &Self {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.place.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{source}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .expect("it was just written");
        self
    }

    /// Runs a play; `PLAYBOOKS` in it stands for the folder of the shipped ones, and `HERE` for this place.
    fn run(&self, play: &str) -> Printed {
        let play = play
            .replace("PLAYBOOKS", &root().join("playbooks").display().to_string())
            .replace("HERE", &self.place.path().display().to_string());
        self.place.write("site.yml", &play);
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}/bin:{path}", self.place.path().display());
        let mut command = self.place.command();
        command
            .args(["run", "site.yml", "-i", "hosts.ini", "--output", "ansible"])
            .env("PATH", path);
        self.place.printed(&mut command)
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.place.path().join(name)
    }
}

const CLUSTER: &str = "[control_plane]\ncp1\ncp2\n[workers]\nw1\nw2\n[load_balancer]\nlb1\n\
                       [all:vars]\nansible_connection=local\ncontrol_plane_endpoint=192.0.2.10:6443\n";

const BACKUP: &str = r#"
- hosts: cp1
  gather_facts: false
  vars_files: [PLAYBOOKS/vars/cluster.yml]
  tasks:
    - import_tasks: PLAYBOOKS/tasks/etcd-pki.yml
      vars:
        pki_dest: HERE/backup/new
        pki_sources: [{host: cp2, folder: HERE/node/pki, into: pki}]
"#;

fn modes(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

#[test]
fn a_backup_writes_what_a_backup_has_and_nothing_that_the_node_chose() {
    let whole = ["ca.crt", "sa.key", "sa.pub", "etcd/ca.crt"];
    let lists = [
        ("up", "x/../../../../.ssh/authorized_keys.pub"),
        ("absolute", "/HERE/victim.key"),
        ("another host", "a|/etc/shadow|pki/b.key"),
        ("another host, after a blank", "a.crt w1|HERE/secret.key|pki/stolen.key"),
        ("a folder up", "../../ca.crt"),
        ("not of the PKI", "ca.conf"),
        ("a control character", "a\u{1b}[2J.crt"),
        ("a flag", "-rf.crt"),
    ];
    for (what, name) in lists {
        let lair = Lair::new(CLUSTER);
        for file in whole {
            lair.place.write(&format!("node/pki/{file}"), "pem\n");
        }
        lair.place.write("secret.key", "of another host\n");
        let name = name.replace("HERE", &lair.place.path().display().to_string());
        // Whatever it is asked for, this node has it.
        lair.place.write("listed", &format!("./ca.crt\n./sa.key\n./sa.pub\n./{name}\n"));
        lair.program("find", &format!("cat {}/listed", lair.place.path().display()));
        let printed = lair.run(BACKUP);
        let seen = printed.text();
        assert_ne!(printed.status, 0, "{what}\n{seen}");
        assert!(seen.contains("no name of a certificate or key"), "{what}\n{seen}");
        assert!(!lair.at("backup").exists(), "{what}: something was brought\n{seen}");
        assert!(!lair.at(".ssh").exists() && !lair.at("victim.key").exists(), "{what}\n{seen}");
    }
    let lair = Lair::new(CLUSTER);
    for file in whole {
        lair.place.write(&format!("node/pki/{file}"), "pem\n");
    }
    let printed = lair.run(BACKUP);
    assert_eq!(printed.status, 0, "{}", printed.text());
    for file in whole {
        let path = lair.at(&format!("backup/new/pki/{file}"));
        assert_eq!(std::fs::read_to_string(path).expect("it was brought"), "pem\n");
    }
    for folder in ["backup/new/pki", "backup/new/pki/etcd"] {
        assert_eq!(modes(&lair.at(folder)), 0o700);
    }
}
