//! The kernel, the names of the node, what manages its services and packages, its security modules.

use serde_json::{Map, Value, json};

use super::set;
use super::sources::{Sources, assigned};

/// Tools that manage packages, and Ansible's name for each; the first that is there counts.
const PACKAGES: &[(&str, &str)] = &[
    ("apt-get", "apt"),
    ("dnf5", "dnf5"),
    ("dnf", "dnf"),
    ("microdnf", "dnf"),
    ("yum", "yum"),
    ("zypper", "zypper"),
    ("apk", "apk"),
    ("pacman", "pacman"),
    ("emerge", "portage"),
    ("xbps-install", "xbps"),
    ("opkg", "opkg"),
];

pub(super) fn facts(sources: &Sources, facts: &mut Map<String, Value>) {
    names(sources, facts);
    let tool = PACKAGES.iter().find(|(tool, _)| sources.has(tool));
    set(facts, "pkg_mgr", tool.map_or("unknown", |(_, name)| name));
    set(facts, "service_mgr", service_manager(sources));
    set(facts, "selinux", selinux(sources));
    let apparmor = sources.has("/sys/module/apparmor");
    set(
        facts,
        "apparmor",
        json!({"status": if apparmor { "enabled" } else { "disabled" }}),
    );
    set(facts, "is_chroot", sources.said("chroot") == "1");
    let machine_id = sources
        .line("/etc/machine-id")
        .or_else(|| sources.line("/var/lib/dbus/machine-id"));
    set(facts, "machine_id", machine_id.unwrap_or_default());
    set(facts, "cmdline", cmdline(sources.file("/proc/cmdline")));
    set(facts, "dns", dns(sources.file("/etc/resolv.conf")));
}

fn names(sources: &Sources, facts: &mut Map<String, Value>) {
    let uname = sources.said("uname");
    let mut words = uname.split_whitespace();
    let mut word = || words.next().unwrap_or("NA").to_owned();
    let (system, nodename, kernel, machine) = (word(), word(), word(), word());
    let architecture = match machine.as_str() {
        "i486" | "i586" | "i686" => "i386",
        other => other,
    };
    set(facts, "architecture", architecture);
    set(facts, "userspace_architecture", architecture);
    set(facts, "machine", machine.as_str());
    set(facts, "system", system);
    set(facts, "kernel", kernel);
    set(
        facts,
        "kernel_version",
        sources.line("/proc/sys/kernel/version").unwrap_or("NA"),
    );
    let short = nodename.split('.').next().unwrap_or_default();
    set(facts, "hostname", short);
    let said = sources.said("fqdn");
    // A name service that knows the node under no name says `localhost`, or nothing.
    let fqdn = Some(said.trim())
        .filter(|name| !name.is_empty() && !name.starts_with("localhost"))
        .unwrap_or(&nodename);
    set(facts, "fqdn", fqdn);
    set(
        facts,
        "domain",
        fqdn.split_once('.').map_or("", |(_, domain)| domain),
    );
    set(facts, "nodename", nodename.as_str());
}

fn service_manager(sources: &Sources) -> &str {
    let first = sources.line("/proc/1/comm").unwrap_or_default();
    match first {
        _ if sources.has("/run/systemd/system") => "systemd",
        "systemd" => "systemd",
        "runit" | "runit-init" => "runit",
        "procd" => "procd",
        "s6-svscan" => "s6",
        _ if sources.has("openrc-init") || sources.has("rc-service") => "openrc",
        _ if sources.has("initctl") => "upstart",
        _ => "sysvinit",
    }
}

fn selinux(sources: &Sources) -> Value {
    let Some(enforce) = sources.line("/sys/fs/selinux/enforce") else {
        return json!({"status": "disabled"});
    };
    let config = sources.file("/etc/selinux/config");
    json!({
        "status": "enabled",
        "mode": if enforce == "1" { "enforcing" } else { "permissive" },
        "config_mode": assigned(config, "SELINUX").unwrap_or_else(|| "unknown".to_owned()),
        "type": assigned(config, "SELINUXTYPE").unwrap_or_else(|| "unknown".to_owned()),
    })
}

/// The kernel's parameters: those without a value are true.
fn cmdline(text: &str) -> Map<String, Value> {
    text.split_whitespace()
        .map(|word| match word.split_once('=') {
            Some((key, value)) => (key.to_owned(), value.into()),
            None => (word.to_owned(), true.into()),
        })
        .collect()
}

fn dns(text: &str) -> Value {
    let mut dns = Map::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(key @ ("nameserver" | "domain" | "search" | "sortlist" | "options")) =
            words.next()
        else {
            continue;
        };
        match key {
            "nameserver" => {
                let servers = dns.entry("nameservers").or_insert_with(|| json!([]));
                if let Value::Array(servers) = servers {
                    servers.extend(words.take(1).map(Value::from));
                }
            }
            "domain" => {
                dns.insert(key.to_owned(), words.next().unwrap_or_default().into());
            }
            "options" => {
                let options = words.map(|word| match word.split_once(':') {
                    Some((key, value)) => (key.to_owned(), value.into()),
                    None => (word.to_owned(), true.into()),
                });
                dns.insert(key.to_owned(), Value::Object(options.collect()));
            }
            _ => {
                dns.insert(key.to_owned(), words.collect());
            }
        }
    }
    Value::Object(dns)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::sources::tests::sources;

    fn facts(files: &[(&str, &str)], records: &[(&str, &str)]) -> Value {
        let mut facts = Map::new();
        super::facts(&sources(files, records), &mut facts);
        Value::Object(facts)
    }

    #[test]
    fn a_debian_node_with_systemd() {
        let facts = facts(
            &[
                (
                    "/proc/sys/kernel/version",
                    "#1 SMP PREEMPT_DYNAMIC Debian 6.1.90-1\n",
                ),
                ("/proc/1/comm", "systemd\n"),
                ("/etc/machine-id", "3d1219c7c4c5404aaa1f6d2a48adfda4\n"),
                ("/proc/cmdline", "root=UUID=ab-c ro quiet\n"),
                (
                    "/etc/resolv.conf",
                    "# made by\nsearch lab.example b\nnameserver 10.0.0.53\nnameserver ::1\noptions ndots:5 rotate\n",
                ),
            ],
            &[
                ("uname", "Linux cp1 6.1.0-21-amd64 x86_64"),
                ("fqdn", "cp1.lab.example"),
                (
                    "tools",
                    "apt-get\nsystemctl\n/run/systemd/system\n/sys/module/apparmor",
                ),
            ],
        );
        for (name, value) in [
            ("hostname", json!("cp1")),
            ("fqdn", json!("cp1.lab.example")),
            ("domain", json!("lab.example")),
            ("kernel", json!("6.1.0-21-amd64")),
            ("architecture", json!("x86_64")),
            ("system", json!("Linux")),
            ("pkg_mgr", json!("apt")),
            ("service_mgr", json!("systemd")),
            ("apparmor", json!({"status": "enabled"})),
            ("selinux", json!({"status": "disabled"})),
            (
                "cmdline",
                json!({"root": "UUID=ab-c", "ro": true, "quiet": true}),
            ),
            (
                "dns",
                json!({
                    "search": ["lab.example", "b"], "nameservers": ["10.0.0.53", "::1"],
                    "options": {"ndots": "5", "rotate": true},
                }),
            ),
        ] {
            assert_eq!(facts[format!("ansible_{name}")], value, "{name}");
        }
    }

    #[test]
    fn a_rocky_node_has_selinux_and_an_alpine_node_openrc() {
        let rocky = facts(
            &[
                ("/sys/fs/selinux/enforce", "1"),
                (
                    "/etc/selinux/config",
                    "# This\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
                ),
            ],
            &[
                ("uname", "Linux a.b.c 5.14.0 aarch64"),
                ("tools", "dnf\nyum"),
                ("fqdn", "localhost"),
            ],
        );
        assert_eq!(rocky["ansible_selinux"]["mode"], "enforcing");
        assert_eq!(rocky["ansible_selinux"]["type"], "targeted");
        assert_eq!(rocky["ansible_pkg_mgr"], "dnf");
        assert_eq!(rocky["ansible_fqdn"], "a.b.c");
        assert_eq!(rocky["ansible_hostname"], "a");
        let alpine = facts(
            &[("/proc/1/comm", "init\n")],
            &[("tools", "apk\nrc-service")],
        );
        assert_eq!(alpine["ansible_service_mgr"], "openrc");
        assert_eq!(alpine["ansible_pkg_mgr"], "apk");
    }
}
