//! Shipped playbooks where a host cannot be reached. For `preflight.yml` it is a row of the table, and the others are looked at;
//! `replace-node.yml` says what to do.

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

#[test]
fn a_node_is_replaced_by_one_that_answers() {
    let place = Place::new();
    let inventory = place.write(
        "hosts.ini",
        &format!("[control_plane]\ncp1 {GONE}\ncp2 {GONE}\ncp3 {GONE}\n[all:vars]\ncontrol_plane_endpoint=198.51.100.1:6443\n"),
    );
    let playbook = root().join("playbooks/replace-node.yml");
    let [playbook, inventory] = [&playbook, &inventory].map(|path| path.to_str().expect("plain"));
    let printed = place.run(&["run", playbook, "-i", inventory, "-e", "node=cp2"]);
    let seen = printed.text();
    assert_eq!(printed.status, 2, "{seen}");
    for said in [
        "cp2 could not be reached, and is to join in the place of cp2. Nothing was changed.",
        "name it with -e replacement=NAME",
    ] {
        assert!(seen.contains(said), "{said}\n{seen}");
    }
    // Nobody else was connected to.
    assert!(!seen.contains("Look before anything is changed"), "{seen}");
}
