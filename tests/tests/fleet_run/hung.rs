//! Hosts that hang, lie about a file's size or have another key: the others are done all the same, and
//! the report says what it was.

use std::time::{Duration, Instant};

use windlass_tests::fleet::Fleet;

use crate::site::{Site, recap};

/// What a busy machine may need beyond the time for connecting.
const SLACK: Duration = Duration::from_secs(60);

#[test]
fn a_login_shell_that_hangs_or_floods_holds_the_others_up_no_longer_than_the_time_for_connecting() {
    for source in ["sleep 1000", "exec yes", "exec cat"] {
        let site = Site::new(&[("bad", "noisy", "ansible_timeout=6"), ("good", "dash", "")]);
        let profile = site.fleet.dir().join("home/noisy/.bashrc");
        std::fs::write(profile, format!("{source}\n")).unwrap();
        site.playbook("- hosts: nodes\n  gather_facts: false\n  tasks: [{ping: }, {ping: }]\n");
        let begin = Instant::now();
        let printed = site.run(&[]);
        let took = begin.elapsed();
        assert_eq!(printed.status, 4, "{}", printed.text());
        let recap = recap(&printed);
        assert_eq!(recap["good"], "ok=2", "{}", printed.text());
        assert_eq!(recap["bad"], "unreachable=1", "{}", printed.text());
        assert!(took < Duration::from_secs(6) + SLACK, "{source}: {took:?}");
    }
}

#[test]
fn another_key_than_the_one_on_record_is_a_warning_where_keys_are_not_checked() {
    let site = Site::of(2);
    let arguments = Fleet::ssh_arguments(&site.fleet.wrong_hosts()).join(" ");
    let more = format!("ansible_host_key_checking=false ansible_ssh_common_args='{arguments}'");
    let hosts = [("other", "dash", more.as_str()), ("same", "dash", "")];
    site.place.write("hosts.ini", &site.inventory(&hosts));
    site.playbook("- hosts: nodes\n  gather_facts: false\n  tasks: [{ping: }, {ping: }]\n");
    let printed = site.run(&[]);
    assert_eq!(printed.status, 0, "{}", printed.text());
    let told = printed.text().matches("not the one on record").count();
    assert_eq!(told, 1, "{}", printed.text());
    assert!(printed.text().contains("other (127."), "{}", printed.text());
}

#[test]
fn a_file_larger_than_the_bound_is_not_fetched() {
    let site = Site::of(1);
    std::fs::write(site.base().join("large"), vec![b'x'; 1 << 20]).unwrap();
    site.playbook(
        "
- hosts: nodes
  gather_facts: false
  tasks: [{fetch: {src: '{{ base }}/large', dest: got, flat: true}}]
",
    );
    let printed = site.run(&["--max-file", "500K"]);
    assert_eq!(printed.status, 2, "{}", printed.text());
    let said = "announces 1048576 bytes; no more than 512000 bytes are taken";
    assert!(printed.text().contains(said), "{}", printed.text());
    assert!(printed.text().contains("--max-file"), "{}", printed.text());
    assert!(!site.place.path().join("got").exists());
    let printed = site.run(&[]);
    assert_eq!(printed.status, 0, "{}", printed.text());
    let got = std::fs::metadata(site.place.path().join("got")).unwrap();
    assert_eq!(got.len(), 1 << 20);
}
