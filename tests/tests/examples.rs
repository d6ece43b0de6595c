//! Every module's examples: each is a task that `windlass check` finds nothing wrong with, and each that can do
//! its work in a folder of this machine does it, in check mode and then for real.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use windlass_modules::describe::CheckMode;
use windlass_modules::registry;
use windlass_tests::program::Place;

/// Examples that are only checked: module, which of its examples (from 0; none: all), and why.
const CHECKED_ONLY: &[(&str, Option<usize>, &str)] = &[
    ("apt", None, "installs packages"),
    ("dnf", None, "installs packages"),
    ("package", None, "installs packages"),
    ("get_url", None, "downloads from the internet"),
    ("hostname", None, "renames the machine"),
    ("modprobe", None, "loads kernel modules"),
    ("sysctl", None, "sets kernel parameters"),
    ("service", None, "starts services"),
    ("systemd", None, "starts services"),
    ("wait_for", Some(1), "waits for an API server"),
    ("etcd_member", None, "needs a cluster"),
    ("kube_apply", None, "needs a cluster"),
    ("kube_nodes", None, "needs a cluster"),
    ("kubeadm_init", None, "needs kubeadm"),
    ("kubeadm_join", None, "needs a cluster"),
    ("kubeadm_reset", None, "needs kubeadm"),
    ("kubeadm_state", None, "needs kubeadm"),
    ("kubeadm_token", None, "needs a cluster"),
    ("kubeconfig", None, "needs a cluster"),
    ("node_metadata", None, "needs a cluster"),
    ("wait_nodes", None, "needs a cluster"),
    ("wait_pods", None, "needs a cluster"),
];

/// Files beside the playbook, and on the node: a folder that stands for its root.
const FILES: &[(&str, &str)] = &[
    (
        "files/setup.sh",
        "#!/bin/sh\n[ \"$1\" = --fast ] && : >setup-done\n",
    ),
    ("files/conf.d/a.conf", "a\n"),
    ("files/conf.d/b/c.conf", "c\n"),
    ("files/flannel.yml", "kind: Namespace\n"),
    ("templates/app.conf.j2", "port = {{ port }}\n"),
    ("templates/pool.yml.j2", "kind: Pool\n"),
    ("vars/ports.yml", "http: 80\n"),
    ("sites/a.yml", "a: 1\n"),
    ("templates/kubeadm-init.yml.j2", "kind: InitConfiguration\n"),
    ("node/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    ("node/etc/hosts", "127.0.0.1 localhost\n"),
    ("node/etc/ssh/sshd_config", "#PermitRootLogin yes\n"),
    (
        "node/etc/fstab",
        "/dev/a / ext4 defaults\n/dev/b none swap sw\n",
    ),
    ("node/srv/releases/1/app", "1\n"),
    ("node/srv/old/file", "old\n"),
];

/// The playbook of an example, in a folder with what it needs. Paths of the node are below that folder.
fn play(example: &str) -> Place {
    let place = Place::new();
    for (name, text) in FILES {
        place.write(name, text);
    }
    let root = place.path().join("node");
    let root = root.display();
    let tasks = example
        .replace("/etc/", &format!("{root}/etc/"))
        .replace("/srv", &format!("{root}/srv"));
    place.write(
        "site.yml",
        &format!(
            "- hosts: all\n  gather_facts: false\n  tasks:\n    {}\n",
            tasks.replace('\n', "\n    ")
        ),
    );
    place
}

fn examples() -> impl Iterator<Item = (&'static str, usize, &'static str)> {
    registry::all().flat_map(|module| {
        let examples = module.description().examples.iter().enumerate();
        examples.map(|(index, text)| (module.name(), index, *text))
    })
}

fn why_not(module: &str, index: usize) -> Option<&'static str> {
    let found = CHECKED_ONLY
        .iter()
        .find(|(known, which, _)| *known == module && which.is_none_or(|which| which == index));
    found.map(|(.., why)| *why)
}

#[test]
fn nothing_is_wrong_with_any_example() {
    let mut wrong = String::new();
    for (module, index, text) in examples() {
        assert!(
            text.contains(&format!("{module}:")),
            "{module} {index} uses it"
        );
        let place = play(text);
        let printed = place.run(&["check", "site.yml", "-i", "cp1,"]);
        if printed.status != 0 || !printed.err.is_empty() {
            wrong += &format!("{module} {index}:\n{}\n", printed.text());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The results of a run: of each task its module, its status, and whether it changed anything.
fn results(lines: &str) -> Vec<(String, String, bool)> {
    let mut modules: BTreeMap<u64, String> = BTreeMap::new();
    let mut results = Vec::new();
    for line in lines.lines() {
        let event: Value = serde_json::from_str(line).expect("each line is JSON");
        let task = event["task"].as_u64().unwrap_or_default();
        match event["event"].as_str() {
            Some("task_started") => {
                let module = event["info"]["module"].as_str().unwrap_or_default();
                modules.insert(task, module.to_owned());
            }
            Some("host_finished") => {
                let result = &event["result"];
                results.push((
                    modules.get(&task).cloned().unwrap_or_default(),
                    result["status"].as_str().unwrap_or_default().to_owned(),
                    result["changed"] == true,
                ));
            }
            _ => {}
        }
    }
    results
}

/// All files below a folder, with what is in them.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the test") {
            let path = entry.expect("an entry of it").path();
            let name = path.display().to_string();
            if path.is_symlink() || path.is_file() {
                found.insert(name, fs::read(&path).unwrap_or_default());
            } else {
                found.insert(name, Vec::new());
                folders.push(path);
            }
        }
    }
    found
}

#[test]
fn every_example_that_can_runs_and_check_mode_is_as_described() {
    let mut ran = 0;
    for (module, index, text) in examples() {
        if why_not(module, index).is_some() {
            continue;
        }
        let place = play(text);
        let root = place.path().join("node");
        let before = tree(&root);
        let words = [
            "run", "site.yml", "-i", "cp1,", "-c", "local", "--output", "json",
        ];
        let checked = place.run(&[&words[..], &["-C"]].concat());
        assert_eq!(checked.status, 0, "{module} {index} -C: {}", checked.text());
        assert!(
            tree(&root) == before,
            "{module} {index}: check mode changed files"
        );
        let first = results(&checked.out)
            .into_iter()
            .find(|(name, ..)| name == module);
        let (_, status, changed) = first.expect("the module's own task ran");
        let description = registry::find(module).expect("it is there").description();
        match description.check_mode {
            CheckMode::Skips => assert_eq!(status, "skipped", "{module} {index}"),
            CheckMode::Reads => assert!(!changed, "{module} {index}"),
            CheckMode::Finds | CheckMode::Does(_) => {}
        }
        let run = place.run(&words);
        assert_eq!(run.status, 0, "{module} {index}: {}", run.text());
        if description.check_mode == CheckMode::Finds {
            let did = results(&run.out)
                .into_iter()
                .find(|(name, ..)| name == module);
            assert_eq!(
                did.map(|(_, _, changed)| changed),
                Some(changed),
                "{module} {index}: check mode says what is done"
            );
        }
        ran += 1;
    }
    assert!(ran > 25, "only {ran} examples ran");
}

#[test]
fn what_is_only_checked_is_there() {
    for (module, which, why) in CHECKED_ONLY {
        let known = registry::find(module).map(|known| known.description().examples.len());
        let known = known.unwrap_or_else(|| panic!("there is no module {module} ({why})"));
        assert!(which.is_none_or(|index| index < known), "{module} ({why})");
    }
}
