//! Every shipped playbook: can be checked against the example inventory, has a page that says what people
//! need to know, and knows nothing of the lab.

use std::path::{Path, PathBuf};
use std::process::Command;

use windlass_tests::program::{root, windlass};

/// What playbooks have to be told, of the example inventories.
const TOLD: &[(&str, &str)] = &[
    ("encrypt-secrets", "encrypt_secrets=true"),
    ("etcd-restore", "snapshot=README.md"),
    ("remove-node", "node=w3"),
    ("replace-etcd-member", "etcd_old=etcd4 etcd_new=etcd1"),
    ("replace-node", "node=cp2"),
    ("rollout", "rollout_tasks=tasks/packages.yml"),
    ("upgrade", "kubernetes_version=v1.36.3"),
];

/// The shipped playbooks, without those that are only imported.
fn playbooks() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("playbooks")).expect("the folder is shipped");
    let mut found: Vec<PathBuf> = folder
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    found.sort();
    assert!(found.len() > 1, "{found:?}");
    found
}

fn stem(path: &Path) -> &str {
    path.file_stem()
        .and_then(std::ffi::OsStr::to_str)
        .expect("our names are plain")
}

#[test]
fn every_playbook_passes_the_check_with_the_example_inventories() {
    let mut wrong = String::new();
    for playbook in playbooks() {
        let inventory = match stem(&playbook) {
            "external-etcd" | "replace-etcd-member" => "inventories/example-external-etcd",
            _ => "inventories/example",
        };
        let told = TOLD.iter().filter(|(name, _)| *name == stem(&playbook));
        let output = Command::new(windlass())
            .current_dir(root())
            .arg("check")
            .arg(&playbook)
            .args(["-i", inventory])
            .args(told.flat_map(|(_, given)| ["-e", given]))
            .output()
            .expect("windlass was built and can be started");
        if output.status.code() != Some(0) || !output.stderr.is_empty() {
            wrong += &format!(
                "{}: {}{}\n",
                playbook.display(),
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_playbook_has_a_page_and_a_line_in_the_table() {
    let table = std::fs::read_to_string(root().join("docs/clusters.md")).expect("it is shipped");
    let mut wrong = Vec::new();
    for playbook in playbooks() {
        let name = stem(&playbook);
        let page = root().join(format!("docs/playbooks/{name}.md"));
        let text = std::fs::read_to_string(&page).unwrap_or_default();
        for heading in [
            "## What it does",
            "## What it needs",
            "## What it never does",
        ] {
            if !text.contains(heading) {
                wrong.push(format!("docs/playbooks/{name}.md has no \"{heading}\""));
            }
        }
        if !table.contains(&format!("(playbooks/{name}.md)")) {
            wrong.push(format!("docs/clusters.md does not name {name}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("it is shipped") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn nothing_shipped_knows_the_lab() {
    let words = [
        "tests/lab",
        "lab_name",
        "lab_subnet",
        "lab_root",
        "lab-cni",
        "windlass-lab",
    ];
    let folders = ["playbooks", "modules/src", "runner/src"];
    let shipped: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| files(&root().join(folder)))
        .collect();
    assert!(shipped.len() > 100, "only {} files", shipped.len());
    let mut wrong = Vec::new();
    for path in shipped {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for word in words {
            if text.contains(word) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// So that a first cluster needs nothing but hosts: the example has what `-e @playbooks/cni/flannel.yml` would say.
#[test]
fn the_example_has_the_network_of_its_file() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("it is shipped");
    let example = read("inventories/example/group_vars/all.yml");
    let flannel = read("playbooks/cni/flannel.yml");
    let lines: Vec<&str> = flannel
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert!(lines.len() > 4, "{flannel}");
    for line in lines {
        assert!(example.lines().any(|one| one == line), "{line}");
    }
}
