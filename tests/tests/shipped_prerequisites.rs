//! What the shipped playbooks change on a node before kubeadm runs, on this machine with stand-ins for the node's
//! programs.

use std::path::Path;

use windlass_tests::lair::{Lair, task};
use windlass_tests::machine::{Machine, shells};

/// One host, this machine.
const ALONE: &str =
    "[control_plane]\ncp1 ansible_connection=local control_plane_endpoint=192.0.2.10:6443\n";

fn play(tasks: &str, vars: &str) -> String {
    format!(
        "- hosts: control_plane\n  gather_facts: false\n  vars_files: [PLAYBOOKS/vars/cluster.yml]\n  vars: {{{vars}}}\n  tasks:\n{tasks}"
    )
}

/// A package manager that has nothing before its lists were fetched.
fn fresh_debian() -> Lair {
    let lair = Lair::new(ALONE);
    let here = lair.place.path().display().to_string();
    lair.program(
        "apt-get",
        &format!(
            "case $* in\n*update*) echo update >>{here}/log; touch {here}/lists ;;\n*install*)\n\
             [ -e {here}/lists ] || {{ echo 'E: Unable to locate package' >&2; exit 100; }}\n\
             case $* in *' -s '*) echo 'Inst x' ;; *) echo install >>{here}/log ;; esac ;;\nesac"
        ),
    )
    .program("dpkg-query", "exit 1");
    lair
}

#[test]
fn the_lists_of_packages_of_a_fresh_machine_are_fetched_before_something_is_installed() {
    for (file, name, vars) in [
        (
            "tasks/prerequisites.yml",
            "Install them",
            "missing_tools: {stdout_lines: [socat, conntrack]}",
        ),
        (
            "tasks/load-balancer.yml",
            "Install HAProxy",
            "haproxy: {rc: 1}",
        ),
        (
            "tasks/keepalived.yml",
            "Install it",
            "keepalived_missing: {stdout_lines: [keepalived]}",
        ),
    ] {
        let lair = fresh_debian();
        let printed = lair.run(&play(&task(file, name), vars));
        assert_eq!(printed.status, 0, "{file}\n{}", printed.text());
        let log = std::fs::read_to_string(lair.at("log")).unwrap_or_default();
        assert_eq!(log, "update\ninstall\n", "{file}");

        // Nothing may be fetched: what is there has to do.
        let lair = fresh_debian();
        let printed = lair.run(&play(&task(file, name), &format!("{vars}, offline: true")));
        assert_eq!(printed.status, 2, "{file}\n{}", printed.text());
        assert!(!lair.at("log").exists(), "{file}");

        let lair = fresh_debian();
        let printed = lair.check(&play(&task(file, name), vars));
        assert_eq!(printed.status, 0, "{file}\n{}", printed.text());
        assert!(printed.text().contains("changed=1 "), "{}", printed.text());
        assert!(!lair.at("log").exists(), "{file}");
    }
}

/// A machine with swap that is on, /etc/fstab, swap units as `UNIT SOURCE`, and services that are enabled.
fn with_swap(on: &[&str], fstab: &str, units: &[(&str, &str)], services: &[&str]) -> Machine {
    let machine = Machine::new();
    let mut lines = vec!["Filename Type Size Used".to_owned()];
    lines.extend(on.iter().map(|name| format!("{name} partition 1 0 -2")));
    machine
        .file("proc/swaps", &(lines.join("\n") + "\n"))
        .file("etc/fstab", fstab);
    for (unit, source) in units {
        machine.file(&format!("units/{unit}"), source);
    }
    for service in services {
        machine.file(&format!("enabled/{service}"), "");
    }
    machine
        .program(
            "systemctl",
            "case $1 in
            is-enabled) if [ -e enabled/$2 ]; then echo enabled; elif [ -e masked/$2 ]; then echo masked; fi ;;
            list-units) ls units 2>/dev/null | sed 's/$/ loaded active/' ;;
            show)
                [ -s units/$3 ] || exit 0
                case $2 in
                    *FragmentPath) echo FragmentPath=/run/x ;;
                    *SourcePath) echo SourcePath=$(cat units/$3) ;;
                esac ;;
            mask) mkdir -p masked; touch masked/$2; echo $* >>log ;;
            disable) rm enabled/$3; echo $* >>log ;;
            esac",
        )
        // As some have it: -a goes by /etc/fstab alone.
        .program(
            "swapoff",
            "echo swapoff $* >>log
            [ \"$1\" != -a ] || exit 0
            grep -vF \"$(echo \"$1\" | sed 's/ /\\\\040/') \" proc/swaps >new; mv new proc/swaps",
        );
    machine
}

#[test]
fn swap_that_does_not_come_from_fstab_stays_off_after_the_next_start_too() {
    let fstab = "/dev/sda1 / ext4 defaults 0 1\n# /dev/old none swap sw\nUUID=1234 none swap sw 0 0\n/dev/sda5 /srv/swap ext4 defaults 0 2\n";
    for shell in shells() {
        // zram, by its generator; a partition that systemd finds by its type; a service of Debian's.
        let machine = with_swap(
            &["/dev/zram0", "/dev/sda3", "/swap\\040file"],
            fstab,
            &[
                ("dev-zram0.swap", "/usr/lib/systemd/zram-generator.conf"),
                ("dev-sda3.swap", "/run/systemd/generator"),
                ("dev-disk-by\\x2duuid-1234.swap", "/etc/fstab"),
                ("swap-file.swap", ""),
            ],
            &["zramswap.service"],
        );
        let expected = [
            "start zramswap.service",
            "start dev-sda3.swap",
            "start dev-zram0.swap",
            "on /dev/zram0",
            "on /dev/sda3",
            "on /swap\\040file",
            "start /etc/fstab (UUID=1234)",
        ];
        assert_eq!(machine.run(shell, "swap-off.sh", &["--check"]), expected);
        assert_eq!(machine.read("log"), "");
        assert_eq!(machine.read("etc/fstab"), fstab);

        assert_eq!(machine.run(shell, "swap-off.sh", &[]), expected);
        assert!(machine.at("masked/swap.target").exists());
        let log = machine.read("log");
        assert!(log.contains("disable --now zramswap.service\n"), "{log}");
        assert!(log.contains("swapoff /swap file\n"), "{log}");
        let after = fstab.replace("UUID", "# UUID");
        assert_eq!(machine.read("etc/fstab"), after);
        assert_eq!(machine.read("etc/fstab.before-kubernetes"), fstab);
    }
}

#[test]
fn a_machine_without_swap_is_left_alone() {
    let machine = with_swap(&[], "/dev/sda1 / ext4 defaults 0 1\n", &[], &[]);
    assert_eq!(machine.run(&["sh"], "swap-off.sh", &[]), [""; 0]);
    assert_eq!(machine.read("log"), "");
    // What /etc/fstab had is all that there was.
    let machine = with_swap(
        &["/dev/sda2"],
        "/dev/sda2 none swap sw\n",
        &[("dev-sda2.swap", "/etc/fstab")],
        &[],
    );
    let expected = ["on /dev/sda2", "start /etc/fstab (/dev/sda2)"];
    assert_eq!(machine.run(&["sh"], "swap-off.sh", &[]), expected);
    assert!(!machine.at("masked").exists());
    assert_eq!(machine.run(&["sh"], "swap-off.sh", &[]), [""; 0]);
}

/// systemd, and whoever goes through these folders, reads files by their names; the last one wins.
#[test]
fn the_sysctls_of_the_playbook_are_read_after_those_of_the_system() {
    let text = task(
        "tasks/prerequisites.yml",
        "Let packets between pods pass, and iptables see them",
    );
    let file = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("sysctl_file: "))
        .expect("it names a file");
    let name = Path::new(file)
        .file_name()
        .expect("a file")
        .to_string_lossy();
    for other in ["99-sysctl.conf", "99-zzz.conf", "99-cloudimg-ipv6.conf"] {
        assert!(*name > *other, "{name} comes before {other}");
    }
    // A file that is right already says nothing of what is in force.
    assert!(text.contains("sysctl_set: true"), "{text}");
}

#[test]
fn selinux_lets_haproxy_have_its_ports() {
    let name = "Let HAProxy have its ports (SELinux)";
    for (off, on, vars, expected) in [
        (
            "haproxy_connect_any",
            true,
            "",
            "-P haproxy_connect_any on\n",
        ),
        (
            "haproxy_connect_any keepalived_connect_any",
            true,
            "virtual_ip: 192.0.2.10",
            "-P haproxy_connect_any on\n-P keepalived_connect_any on\n",
        ),
        ("none", true, "virtual_ip: 192.0.2.10", ""),
        ("haproxy_connect_any", false, "", ""),
    ] {
        let lair = Lair::new(ALONE);
        for boolean in off.split(' ') {
            lair.place.write(&format!("off/{boolean}"), "");
        }
        let here = lair.place.path().display().to_string();
        lair.program(
            "getsebool",
            &format!(
                "if [ -e {here}/off/$1 ]; then echo \"$1 --> off\"; else echo \"$1 --> on\"; fi"
            ),
        )
        .program(
            "setsebool",
            &format!("echo \"$*\" >>{here}/log; rm {here}/off/$2"),
        );
        if on {
            lair.place.write("enforce", "1");
        }
        let tasks = task("tasks/load-balancer.yml", name)
            .replace("/sys/fs/selinux/enforce", &format!("{here}/enforce"));
        let play = play(&tasks, vars);
        let checked = lair.check(&play);
        assert_eq!(checked.status, 0, "{}", checked.text());
        assert!(!lair.at("log").exists(), "{}", checked.text());
        for changed in [!expected.is_empty(), false] {
            let printed = lair.run(&play);
            let words = format!("changed={} ", u8::from(changed));
            assert!(printed.text().contains(&words), "{}", printed.text());
        }
        let log = std::fs::read_to_string(lair.at("log")).unwrap_or_default();
        assert_eq!(log, expected);
    }
}
