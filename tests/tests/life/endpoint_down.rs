//! The balancer is down when the first control plane is made, or goes down meanwhile.

use std::time::Duration;

use windlass_tests::lab::{eventually, recap, unchanged};

use crate::life::{Hosts, Life};

pub fn endpoint_down(life: &Life) {
    // The scenario before may have left a cluster.
    life.lab.reset();
    let hosts = &life.hosts;
    let balancer = hosts.load_balancer[0];
    let first = hosts.control_plane[0];

    // Someone else's balancer, and its host is switched off.
    life.lab.node("kill", balancer);
    let without = Hosts {
        load_balancer: &[],
        ..*hosts
    };
    let run = life.play_on(&without, "stacked.yml", &[]);
    life.lab.node("start", balancer);
    assert_eq!(run.status, 2, "{}", run.text);
    assert!(
        run.text
            .contains(&format!("cannot be reached from {first}"))
            && run.text.contains("Is control_plane_endpoint right"),
        "{}",
        run.text
    );
    let _ = life
        .lab
        .on(
            first,
            "test ! -e /etc/kubernetes/admin.conf && test ! -e /etc/kubernetes/pki/ca.key",
        )
        .well();

    // Ours, and it is stopped once init is under way. Init waits for minutes by default.
    let words = [
        "-e",
        r#"{"kubeadm_cluster_extra": {"apiServer": {"timeoutForControlPlane": "40s"}}}"#,
    ];
    let run = std::thread::scope(|threads| {
        let run = threads.spawn(|| life.play_on(hosts, "stacked.yml", &words));
        eventually(Duration::from_secs(5 * 60), "init is under way", || {
            life.lab
                .on(first, "test -e /etc/kubernetes/admin.conf")
                .status
                == 0
        });
        let _ = life.lab.on(balancer, "systemctl stop haproxy").well();
        run.join().expect("windlass can be run")
    });
    assert_eq!(run.status, 2, "{}", run.text);
    assert!(
        run.text
            .contains("The API server there answers, but not under the endpoint")
            && run.text.contains("See to the load balancer"),
        "{}",
        run.text
    );

    // It says what is there and what to do, and changes nothing by itself.
    let run = life.play_on(hosts, "stacked.yml", &words);
    assert_eq!(run.status, 2, "{}", run.text);
    assert!(
        run.text.contains("the node is only partly in its cluster")
            && run.text.contains("repair=true"),
        "{}",
        run.text
    );
    assert!(
        recap(&run.text)
            .iter()
            .all(|line| line.contains("changed=0 ")),
        "{}",
        run.text
    );

    let _ = life
        .play_on(
            hosts,
            "stacked.yml",
            &[&words[..], &["-e", "repair=true"]].concat(),
        )
        .well();
    life.whole();

    // The same balancer, as one of the user's own: it is only asked whether it answers.
    let own = life.play_on(&without, "stacked.yml", &words).well();
    unchanged(&own, hosts.control_plane.len() + hosts.workers.len());
}
