//! `preflight.yml` on nodes that have nothing yet: several faults are told at once, and nothing is changed.

use windlass_tests::lab::recap;

use crate::life::Life;

/// What the run must not have changed: everything in these folders, modules, sysctls, and listeners.
const STATE: &str = "find /etc /var/lib/kubelet /var/lib/etcd /usr/bin /usr/sbin -newer /run/before-preflight -not -type d; \
    cat /proc/sys/net/ipv4/ip_forward; cat /proc/net/tcp /proc/net/tcp6 | grep -c ' 0A '";

pub fn preflight(life: &Life) {
    let hosts = &life.hosts;
    let all: Vec<&str> = [hosts.load_balancer, hosts.control_plane, hosts.workers].concat();
    let (first, worker) = (hosts.control_plane[0], hosts.workers[0]);
    let clean = life.play("preflight.yml", &["-e", "offline=true"]);
    assert_eq!(clean.status, 0, "{}", clean.text);
    assert!(!clean.text.contains("ERROR"), "{}", clean.text);

    let machine = life.lab.on(first, "cat /etc/machine-id").well();
    let kept = life.lab.on(worker, "cat /etc/machine-id").well();
    let plant = format!(
        "echo {} >/etc/machine-id; mv /usr/bin/socat /usr/bin/socat.away; mv /usr/bin/kubelet /usr/bin/kubelet.away; \
         iptables -A INPUT -p tcp --dport 10250 -j DROP; \
         (setsid nc -lk 10250 >/dev/null 2>&1 </dev/null & echo $! >/run/nc.pid)",
        machine.trim()
    );
    let _ = life.lab.on(worker, &plant).well();
    let version = "ln -sf /opt/kubernetes/v1.20.3/kubectl /usr/bin/kubectl && ln -sf /opt/kubernetes/v1.20.3/kubeadm /usr/bin/kubeadm";
    let _ = life.lab.on(first, version).well();
    let mut before = Vec::new();
    for host in &all {
        let _ = life
            .lab
            .on(host, "touch /run/before-preflight && sleep 1")
            .well();
        before.push(life.lab.on(host, STATE).text);
    }

    let run = life.play(
        "preflight.yml",
        &[
            "-e",
            "control_plane_endpoint=api.lab.invalid:6443 offline=true",
        ],
    );
    for (host, before) in all.iter().zip(&before) {
        assert_eq!(&life.lab.on(host, STATE).text, before, "{host} was changed");
    }
    let repair = format!(
        "echo {} >/etc/machine-id; mv /usr/bin/socat.away /usr/bin/socat; mv /usr/bin/kubelet.away /usr/bin/kubelet; iptables -F INPUT; kill $(cat /run/nc.pid)",
        kept.trim()
    );
    let _ = life.lab.on(worker, &repair).well();
    let _ = life
        .lab
        .on(first, &version.replace("1.20.3", "1.20.2"))
        .well();

    assert_eq!(run.status, 2, "{}", run.text);
    for (host, check, found) in [
        (worker, "Port-10250", "nc (process ".to_owned()),
        (worker, "Versions", "kubelet is not installed".to_owned()),
        (worker, "Offline", "the program socat".to_owned()),
        (
            first,
            "KubeletVersion",
            "the kubelet is v1.20.2, kubeadm v1.20.3".to_owned(),
        ),
        (
            first,
            "MachineID",
            format!("have the same machine id ({})", machine.trim()),
        ),
        (
            first,
            "EndpointName",
            "api.lab.invalid, the host of control_plane_endpoint, cannot be resolved".to_owned(),
        ),
        (first, "Reach", format!("{worker} (")),
    ] {
        let told = run
            .text
            .lines()
            .any(|line| line.contains(host) && line.contains(check) && line.contains(&found));
        assert!(told, "{host} {check} {found} is not in:\n{}", run.text);
    }
    assert!(
        recap(&run.text)
            .iter()
            .all(|line| line.contains("changed=0 ")),
        "{}",
        run.text
    );

    let again = life.play("preflight.yml", &[]);
    assert_eq!(again.status, 0, "{}", again.text);
}
