//! Hosts with another key than the one on record, and with larger files than are taken: what a person is told.

use windlass_tests::fleet::Fleet;

use crate::site::Site;

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
