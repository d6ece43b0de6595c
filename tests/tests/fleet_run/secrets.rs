//! Secrets appear in no output, in no file of ours, and on no command line while a run goes on.

use std::io::Write;
use std::process::Stdio;

use windlass_tests::fleet::{PASSWORD, own};
use windlass_tests::watch::{Watch, files_with, holds_one};

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
        let known = secrets.clone();
        let watch = Watch::start(own("sleep 0.7PID"), move |line| {
            holds_one(line.as_bytes(), &known)
        });
        let extra = format!("@{}", variables.display());
        let mut command = site.command(&["-K", "-vvvv", "-D", "-e", &extra, "--output", format]);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
        let output = child.wait_with_output().unwrap();
        let on_command_lines = watch.end();
        assert!(on_command_lines.is_empty(), "{on_command_lines:?}");
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
    let holds = |bytes: &[u8]| holds_one(bytes, &secrets);
    let mut found = Vec::new();
    let kept = [
        site.place.path().to_owned(),
        site.fleet.runtime_dir(),
        site.fleet.dir().join("home"),
    ];
    for folder in kept {
        found.extend(files_with(&folder, &holds));
    }
    let ours = |name: &str| name.starts_with(".windlass") || name.starts_with("windlass");
    for entry in std::fs::read_dir(site.fleet.tmp())
        .unwrap()
        .filter_map(Result::ok)
    {
        if ours(&entry.file_name().to_string_lossy()) {
            found.extend(files_with(&entry.path(), &holds));
        }
    }
    assert!(found.is_empty(), "in files: {found:?}");
    let log = site.fleet.log();
    assert!(
        !secrets.iter().any(|secret| log.contains(secret)),
        "sshd has seen one"
    );
}
