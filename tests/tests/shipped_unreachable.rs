//! `preflight.yml` where a host cannot be reached: it is a row of the table, and the others are looked at.

use windlass_tests::program::{Place, root};

/// Nothing listens on this port of the control host, so that SSH is refused at once.
const GONE: &str = "ansible_host=127.0.0.1 ansible_port=1";

#[test]
fn a_host_that_cannot_be_reached_is_a_row_of_the_table_whichever_it_is() {
    for (gone, inventory) in [
        (
            "cp1",
            format!("[control_plane]\ncp1 {GONE}\ncp2\n[workers]\nw1\n"),
        ),
        (
            "cp2",
            format!("[control_plane]\ncp1\ncp2 {GONE}\n[workers]\nw1\n"),
        ),
        (
            "w1",
            format!("[control_plane]\ncp1\ncp2\n[workers]\nw1 {GONE}\n"),
        ),
    ] {
        let place = Place::new();
        let others = ["cp1", "cp2", "w1"]
            .into_iter()
            .filter(|host| *host != gone);
        let local = others.map(|host| {
            format!("{host} ansible_connection=local ansible_become=false node_name={host}")
        });
        let local = local.collect::<Vec<_>>().join("\n");
        let variables =
            "[all:vars]\ncontrol_plane_endpoint=198.51.100.1:6443\npreflight_timeout=1\n";
        let inventory = place.write(
            "hosts.ini",
            &format!("[all]\n{local}\n{inventory}{variables}"),
        );
        let playbook = root().join("playbooks/preflight.yml");
        let [playbook, inventory] =
            [&playbook, &inventory].map(|path| path.to_str().expect("plain"));
        let ignoring = r#"{"preflight_ignore": ["all"]}"#;
        let printed = place.run(&["run", playbook, "-i", inventory, "-e", ignoring]);
        let seen = printed.text();
        assert_eq!(printed.status, 4, "{seen}");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let row = format!("unknown {gone} SSH could not be looked at (see above)");
        assert!(
            printed.out.lines().any(|line| words(line) == row),
            "{row}\n{seen}"
        );
        assert!(
            printed.out.contains("checks passed. Nothing was changed."),
            "{seen}"
        );
        assert!(!printed.out.contains("\nfailed"), "{seen}");
        for host in ["cp1", "cp2", "w1"] {
            let unreachable = i32::from(host == gone);
            let recap = format!("unreachable={unreachable} failed=0");
            let line = printed
                .out
                .lines()
                .map(words)
                .find(|line| line.starts_with(&format!("{host} ok=")));
            assert!(
                line.expect("a line of the recap").contains(&recap),
                "{host}\n{seen}"
            );
        }
    }
}
