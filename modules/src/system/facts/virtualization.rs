//! Whether the node is a guest, and of what.

use serde_json::{Map, Value};

use super::set;
use super::sources::Sources;

/// What `systemd-detect-virt` says, and Ansible's word for it.
const DETECTED: &[(&str, &str)] = &[
    ("docker", "docker"),
    ("podman", "podman"),
    ("lxc", "lxc"),
    ("lxc-libvirt", "lxc"),
    ("systemd-nspawn", "systemd-nspawn"),
    ("openvz", "openvz"),
    ("wsl", "wsl"),
    ("kvm", "kvm"),
    ("qemu", "kvm"),
    ("amazon", "kvm"),
    ("google", "kvm"),
    ("microsoft", "VirtualPC"),
    ("oracle", "virtualbox"),
    ("parallels", "parallels"),
    ("vmware", "VMware"),
    ("xen", "xen"),
    ("bhyve", "bhyve"),
    ("zvm", "PR/SM"),
];

/// What firmware says of its vendor or product, and Ansible's word for it.
const FIRMWARE: &[(&str, &str)] = &[
    ("VMware", "VMware"),
    ("VirtualBox", "virtualbox"),
    ("innotek GmbH", "virtualbox"),
    ("Parallels", "parallels"),
    ("Xen", "xen"),
    ("Microsoft Corporation", "VirtualPC"),
    ("OpenStack", "openstack"),
    ("RHEV", "RHEV"),
    ("QEMU", "kvm"),
    ("KVM", "kvm"),
    ("Bochs", "kvm"),
    ("Amazon EC2", "kvm"),
    ("Google Compute Engine", "kvm"),
    ("DigitalOcean", "kvm"),
    ("Hetzner", "kvm"),
    ("Linode", "kvm"),
    ("BHYVE", "bhyve"),
];

pub(super) fn facts(sources: &Sources, facts: &mut Map<String, Value>) {
    let kind = container(sources).or_else(|| guest(sources));
    let role = if kind.is_some() { "guest" } else { "NA" };
    let kind = kind.unwrap_or_else(|| "NA".to_owned());
    set(facts, "virtualization_role", role);
    set(facts, "virtualization_type", kind);
}

/// The container that the node is, by the marks that its engine leaves.
fn container(sources: &Sources) -> Option<String> {
    let marks = sources.all("container");
    for mark in &marks {
        match mark.as_str() {
            "/.dockerenv" | "/.dockerinit" => return Some("docker".to_owned()),
            "/run/.containerenv" => return Some("podman".to_owned()),
            _ => {}
        }
    }
    let cgroup = sources.file("/proc/1/cgroup");
    for (part, name) in [
        ("/docker/", "docker"),
        ("/lxc/", "lxc"),
        ("kubepods", "container"),
    ] {
        if cgroup.contains(part) {
            return Some(name.to_owned());
        }
    }
    let mark = marks
        .iter()
        .find_map(|mark| mark.strip_prefix("container="))?;
    Some(if mark == "oci" { "container" } else { mark }.to_owned())
}

fn guest(sources: &Sources) -> Option<String> {
    let said = sources.said("virt");
    if let Some((_, name)) = DETECTED.iter().find(|(known, _)| *known == said.trim()) {
        return Some((*name).to_owned());
    }
    ["sys_vendor", "product_name", "bios_vendor"]
        .iter()
        .find_map(|file| {
            let text = sources.line(&format!("/sys/class/dmi/id/{file}"))?;
            // A Microsoft machine is a guest only by its product; there is real hardware of theirs.
            let (known, name) = FIRMWARE.iter().find(|(known, _)| text.contains(known))?;
            let product = sources.file("/sys/class/dmi/id/product_name");
            let real = *known == "Microsoft Corporation" && !product.contains("Virtual");
            (!real).then(|| (*name).to_owned())
        })
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::super::sources::tests::sources;

    fn kind(files: &[(&str, &str)], records: &[(&str, &str)]) -> String {
        let mut facts = Map::new();
        super::facts(&sources(files, records), &mut facts);
        let text = |name: &str| facts[name].as_str().unwrap_or_default().to_owned();
        format!(
            "{} {}",
            text("ansible_virtualization_role"),
            text("ansible_virtualization_type")
        )
    }

    #[test]
    fn containers_and_guests_are_told_apart() {
        assert_eq!(
            kind(&[], &[("container", "/.dockerenv"), ("virt", "kvm")]),
            "guest docker"
        );
        assert_eq!(kind(&[], &[("container", "container=lxc")]), "guest lxc");
        assert_eq!(
            kind(&[("/proc/1/cgroup", "0::/kubepods/x")], &[]),
            "guest container"
        );
        assert_eq!(kind(&[], &[("virt", "oracle")]), "guest virtualbox");
        assert_eq!(
            kind(
                &[("/sys/class/dmi/id/sys_vendor", "QEMU")],
                &[("virt", "none")]
            ),
            "guest kvm"
        );
        let surface = ("/sys/class/dmi/id/sys_vendor", "Microsoft Corporation");
        assert_eq!(kind(&[surface], &[]), "NA NA");
        let hyper_v = ("/sys/class/dmi/id/product_name", "Virtual Machine");
        assert_eq!(kind(&[surface, hyper_v], &[]), "guest VirtualPC");
        assert_eq!(kind(&[], &[]), "NA NA");
    }
}
