//! Secrets appear in no output, in no file of ours, and on no command line while a run goes on.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use windlass_tests::fleet::{PASSWORD, own};

use crate::site::Site;

const PLAYBOOK: &str = r#"
- hosts: nodes
  become: true
  tasks:
    - name: a secret in a file
      copy: {content: "{{ of_file }}", dest: "{{ base }}/{{ inventory_hostname }}.secret", mode: "0600"}
      diff: false
    - name: a secret in a template
      template: {src: secret.j2, dest: "{{ base }}/{{ inventory_hostname }}.template", mode: "0600"}
      no_log: true
    - name: a secret in the environment
      shell: 'test "$TOKEN" && sleep 0.7PID'
      environment: {TOKEN: "{{ of_environment }}"}
    - name: a secret in standard input and output
      shell: 'cat; sleep 0.7PID'
      args: {stdin: "{{ of_hidden }}"}
      no_log: true
      register: hidden
    - name: kept for later
      set_fact: {kept: "{{ hidden.stdout }}"}
      no_log: true
    - name: told by debug
      debug: {msg: "{{ kept }}"}
      no_log: true
    - name: in a loop, and failing
      shell: 'cat >&2; exit 3'
      args: {stdin: "{{ item }}"}
      loop: ["{{ kept }}", "{{ of_hidden }}"]
      no_log: true
      ignore_errors: true
    - name: in tries
      shell: 'cat'
      args: {stdin: "{{ kept }}"}
      register: tried
      until: tried.attempts > 1
      delay: 0
      retries: 2
      no_log: true
    - name: in a script
      shell: "echo '{{ kept }}'; sleep 0.7PID"
      no_log: true
"#;

/// Watches the command lines of all processes of the machine, the fleet's among them.
struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<(BTreeSet<String>, bool)>,
}

impl Watch {
    /// Looks for these; `mark` is what it must see, or it did not look well.
    fn start(secrets: Vec<String>, mark: String) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let thread = spawn(move || {
            let (mut found, mut marked) = (BTreeSet::new(), false);
            while !stop.load(Ordering::Relaxed) {
                for line in command_lines() {
                    marked |= line.contains(&mark);
                    if secrets.iter().any(|secret| line.contains(secret)) {
                        found.insert(line);
                    }
                }
                sleep(Duration::from_millis(5));
            }
            (found, marked)
        });
        Self { over, thread }
    }

    fn end(self) {
        self.over.store(true, Ordering::Relaxed);
        let (found, marked) = self.thread.join().expect("it only looks");
        assert!(marked, "the watch saw none of the run's processes");
        assert!(found.is_empty(), "on command lines: {found:?}");
    }
}

fn command_lines() -> impl Iterator<Item = String> {
    let all = std::fs::read_dir("/proc").expect("a Linux machine");
    all.filter_map(Result::ok)
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
}

/// Files below `folder` in which one of the secrets is.
fn files_with(folder: &Path, secrets: &[String], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().expect("it is there"));
        if kind.is_dir() {
            files_with(&path, secrets, found);
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let holds = |secret: &String| {
                bytes
                    .windows(secret.len())
                    .any(|at| at == secret.as_bytes())
            };
            if secrets.iter().any(holds) {
                found.push(path);
            }
        }
    }
}

#[test]
fn secrets_appear_in_no_output_no_file_and_on_no_command_line() {
    let site = Site::mixed(3, &["asks", "bash", "busybox"]);
    site.playbook(&own(PLAYBOOK));
    site.place
        .write("secret.j2", "[api]\ntoken={{ of_file }}\n");
    let given = tempfile::tempdir().unwrap();
    let names = ["of_file", "of_environment", "of_hidden"];
    let mut secrets: Vec<String> = names
        .iter()
        .map(|name| own(&format!("Zx{name}PIDxZ")))
        .collect();
    let lines: Vec<String> = names
        .iter()
        .zip(&secrets)
        .map(|(name, secret)| format!("{name}: {secret}\n"))
        .collect();
    let variables = given.path().join("variables.yml");
    std::fs::write(&variables, lines.concat()).unwrap();
    secrets.push(PASSWORD.to_owned());

    for format in ["plain", "human", "json", "ansible"] {
        let watch = Watch::start(secrets.clone(), own("sleep 0.7PID"));
        let extra = format!("@{}", variables.display());
        let mut command = site.command(&["-K", "-vvvv", "-D", "-e", &extra, "--output", format]);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        let output = child.wait_with_output().unwrap();
        watch.end();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("in a script"), "{text}");
        for secret in &secrets {
            let at = text.lines().find(|line| line.contains(secret));
            assert!(
                at.is_none(),
                "{format} shows {secret}: {}",
                at.unwrap_or_default()
            );
        }
    }

    // They did arrive.
    for host in ["node01", "node02", "node03"] {
        let read = |name: &str| {
            std::fs::read_to_string(site.base().join(format!("{host}.{name}"))).unwrap()
        };
        assert_eq!(read("secret"), secrets[0]);
        assert_eq!(read("template"), format!("[api]\ntoken={}\n", secrets[0]));
    }
    let mut found = Vec::new();
    let kept = [
        site.place.path().to_owned(),
        site.fleet.runtime_dir(),
        site.fleet.dir().join("home"),
    ];
    for folder in kept {
        files_with(&folder, &secrets, &mut found);
    }
    let ours = |name: &str| name.starts_with(".windlass") || name.starts_with("windlass");
    for entry in std::fs::read_dir(site.fleet.tmp())
        .unwrap()
        .filter_map(Result::ok)
    {
        if ours(&entry.file_name().to_string_lossy()) {
            files_with(&entry.path(), &secrets, &mut found);
        }
    }
    assert!(found.is_empty(), "in files: {found:?}");
    let log = site.fleet.log();
    assert!(
        !secrets.iter().any(|secret| log.contains(secret)),
        "sshd has seen one"
    );
}
