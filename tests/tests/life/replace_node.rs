//! `replace-node.yml`: a dead control plane, and another machine in its place, in one command.

use crate::add_nodes::{balanced, members, unchanged_but_for_failures};
use crate::life::Life;
use crate::remove_node::nodes;

/// With these words every time: what the inventory would have.
pub fn replace_node(life: &Life, given: &[&str]) {
    let replaced = |more: &[&str]| {
        let words = [given, &["-e", "node=cp3"], more].concat();
        life.play("replace-node.yml", &words)
    };
    let all = nodes(life);
    let alive = replaced(&[]).well();
    assert!(
        alive.contains("cp3 is in the cluster and complete"),
        "{alive}"
    );
    let mistyped = replaced(&["-e", "replacement=w1"]);
    assert_ne!(mistyped.status, 0, "{}", mistyped.text);
    assert!(
        mistyped.text.contains("must be a host of the same group"),
        "{}",
        mistyped.text
    );

    life.lab.node("kill", "cp3");
    let away = replaced(&[]);
    assert_ne!(away.status, 0, "{}", away.text);
    unchanged_but_for_failures(&away.text);
    // Another machine, with nothing on it, under its name and address.
    life.lab.node("new", "cp3");
    life.not_ready("cp3");
    let _ = replaced(&[]).well();
    assert_eq!(nodes(life), all);
    assert_eq!(members(life), ["cp1", "cp2", "cp3"]);
    assert_eq!(balanced(life), ["cp1", "cp2", "cp3"]);
    life.whole();
    let again = replaced(&[]).well();
    assert!(
        again.contains("cp3 is in the cluster and complete"),
        "{again}"
    );
}
