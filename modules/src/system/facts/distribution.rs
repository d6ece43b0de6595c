//! Which distribution a node runs, in Ansible's words.

use serde_json::{Map, Value};

use super::set;
use super::sources::{Sources, assigned};

/// `ID` of os-release, `ansible_distribution`, `ansible_os_family`. Ansible's names, from its
/// `OS_FAMILY_MAP` and what it makes of each distribution's files.
const DISTRIBUTIONS: &[(&str, &str, &str)] = &[
    ("debian", "Debian", "Debian"),
    ("ubuntu", "Ubuntu", "Debian"),
    ("raspbian", "Debian", "Debian"),
    ("kali", "Kali", "Debian"),
    ("linuxmint", "Linux Mint", "Debian"),
    ("pop", "Pop!_OS", "Debian"),
    ("devuan", "Devuan", "Debian"),
    ("parrot", "Parrot", "Debian"),
    ("deepin", "Deepin", "Debian"),
    ("elementary", "Elementary OS", "Debian"),
    ("neon", "KDE neon", "Debian"),
    ("rhel", "RedHat", "RedHat"),
    ("centos", "CentOS", "RedHat"),
    ("rocky", "Rocky", "RedHat"),
    ("almalinux", "AlmaLinux", "RedHat"),
    ("fedora", "Fedora", "RedHat"),
    ("ol", "OracleLinux", "RedHat"),
    ("amzn", "Amazon", "RedHat"),
    ("scientific", "Scientific", "RedHat"),
    ("eurolinux", "EuroLinux", "RedHat"),
    ("virtuozzo", "Virtuozzo", "RedHat"),
    ("openEuler", "openEuler", "RedHat"),
    ("kylin", "Kylin Linux Advanced Server", "RedHat"),
    ("miraclelinux", "MIRACLE", "RedHat"),
    ("cloudlinux", "CloudLinux", "RedHat"),
    ("tencentos", "TencentOS", "RedHat"),
    ("alinux", "Alibaba", "RedHat"),
    ("sles", "SLES", "Suse"),
    ("sles_sap", "SLES_SAP", "Suse"),
    ("sled", "SLED", "Suse"),
    ("opensuse-leap", "openSUSE Leap", "Suse"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed", "Suse"),
    ("opensuse-microos", "openSUSE MicroOS", "Suse"),
    ("alpine", "Alpine", "Alpine"),
    ("arch", "Archlinux", "Archlinux"),
    ("archarm", "Archlinux", "Archlinux"),
    ("manjaro", "Manjaro", "Archlinux"),
    ("gentoo", "Gentoo", "Gentoo"),
    ("flatcar", "Flatcar", "Flatcar"),
    ("coreos", "CoreOS", "Coreos"),
    ("nixos", "NixOS", "NixOS"),
    ("void", "Void", "Void"),
    ("altlinux", "Altlinux", "Altlinux"),
    ("mageia", "Mageia", "Mandrake"),
    ("photon", "VMware Photon OS", "VMware Photon OS"),
];

/// `ID_LIKE` of os-release, for a distribution that is not in the table, and its family.
const LIKE: &[(&str, &str)] = &[
    ("debian", "Debian"),
    ("ubuntu", "Debian"),
    ("rhel", "RedHat"),
    ("fedora", "RedHat"),
    ("centos", "RedHat"),
    ("suse", "Suse"),
    ("opensuse", "Suse"),
    ("arch", "Archlinux"),
    ("gentoo", "Gentoo"),
    ("alpine", "Alpine"),
];

pub(super) fn facts(sources: &Sources, facts: &mut Map<String, Value>) {
    let release = [
        sources.file("/etc/os-release"),
        sources.file("/usr/lib/os-release"),
    ]
    .into_iter()
    .find(|text| !text.is_empty())
    .unwrap_or_default();
    let id = assigned(release, "ID").unwrap_or_else(|| "linux".to_owned());
    let known = DISTRIBUTIONS.iter().find(|(known, _, _)| *known == id);
    let name = known.map_or_else(
        || assigned(release, "NAME").unwrap_or_else(|| id.clone()),
        |(_, name, _)| (*name).to_owned(),
    );
    let family = known.map_or_else(
        || family_like(release).unwrap_or(&name).to_owned(),
        |(_, _, family)| (*family).to_owned(),
    );
    let version = version(&id, release, sources);
    let mut parts = version.split('.');
    let major = parts.next().unwrap_or_default();
    set(
        facts,
        "distribution_major_version",
        if major.is_empty() { "NA" } else { major },
    );
    if let Some(minor) = parts.next() {
        set(facts, "distribution_minor_version", minor);
    }
    set(facts, "distribution_release", codename(release));
    set(facts, "distribution_version", version);
    set(facts, "distribution", name);
    set(facts, "os_family", family);
    lsb(sources.file("/etc/lsb-release"), facts);
}

fn family_like(release: &str) -> Option<&'static str> {
    let like = assigned(release, "ID_LIKE")?;
    like.split_whitespace().find_map(|like| {
        let (_, family) = LIKE.iter().find(|(known, _)| *known == like)?;
        Some(*family)
    })
}

/// The version; with the point release, where the distribution keeps that elsewhere.
fn version(id: &str, release: &str, sources: &Sources) -> String {
    let numbered = |text: &&str| text.starts_with(|c: char| c.is_ascii_digit());
    let short = assigned(release, "VERSION_ID").unwrap_or_default();
    let full = match id {
        "debian" | "raspbian" => sources.line("/etc/debian_version").filter(numbered),
        // "CentOS Linux release 7.9.2009 (Core)": Ansible keeps two numbers of it.
        "centos" => sources
            .line("/etc/redhat-release")
            .and_then(|line| line.split_whitespace().find(numbered)),
        _ => None,
    };
    match (id, full) {
        ("centos", Some(full)) => full.splitn(3, '.').take(2).collect::<Vec<_>>().join("."),
        (_, Some(full)) => full.to_owned(),
        (_, None) if short.is_empty() => "n/a".to_owned(),
        (_, None) => short,
    }
}

/// The code name: as such, or in brackets in the version ("9.3 (Blue Onyx)").
fn codename(release: &str) -> String {
    assigned(release, "VERSION_CODENAME")
        .or_else(|| assigned(release, "UBUNTU_CODENAME"))
        .or_else(|| {
            let version = assigned(release, "VERSION")?;
            let (_, name) = version.split_once('(')?;
            Some(name.trim_end_matches(')').to_owned())
        })
        .unwrap_or_else(|| "NA".to_owned())
}

fn lsb(text: &str, facts: &mut Map<String, Value>) {
    let mut lsb = Map::new();
    for (key, name) in [
        ("DISTRIB_ID", "id"),
        ("DISTRIB_RELEASE", "release"),
        ("DISTRIB_CODENAME", "codename"),
        ("DISTRIB_DESCRIPTION", "description"),
    ] {
        if let Some(value) = assigned(text, key) {
            if let ("release", Some(major)) = (name, value.split('.').next()) {
                lsb.insert("major_release".to_owned(), major.into());
            }
            lsb.insert(name.to_owned(), value.into());
        }
    }
    set(facts, "lsb", lsb);
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::sources::tests::sources;

    fn facts(files: &[(&str, &str)]) -> Value {
        let mut facts = Map::new();
        super::facts(&sources(files, &[]), &mut facts);
        Value::Object(facts)
    }

    fn summary(facts: &Value) -> [&str; 5] {
        [
            "distribution",
            "distribution_version",
            "distribution_major_version",
            "distribution_release",
            "os_family",
        ]
        .map(|name| {
            facts[format!("ansible_{name}")]
                .as_str()
                .unwrap_or_default()
        })
    }

    #[test]
    fn debian_has_its_point_release() {
        let release = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        let stable = facts(&[
            ("/etc/os-release", release),
            ("/etc/debian_version", "12.11\n"),
        ]);
        assert_eq!(
            summary(&stable),
            ["Debian", "12.11", "12", "bookworm", "Debian"]
        );
        assert_eq!(stable["ansible_distribution_minor_version"], "11");
        let testing = facts(&[
            ("/usr/lib/os-release", release),
            ("/etc/debian_version", "trixie/sid\n"),
        ]);
        assert_eq!(summary(&testing)[1..3], ["12", "12"]);
    }

    #[test]
    fn ubuntu_has_lsb_facts() {
        let facts = facts(&[
            (
                "/etc/os-release",
                "NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.4 LTS (Jammy Jellyfish)\"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n",
            ),
            ("/etc/debian_version", "bookworm/sid\n"),
            (
                "/etc/lsb-release",
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nDISTRIB_DESCRIPTION=\"Ubuntu 22.04.4 LTS\"\n",
            ),
        ]);
        assert_eq!(
            summary(&facts),
            ["Ubuntu", "22.04", "22", "jammy", "Debian"]
        );
        assert_eq!(
            facts["ansible_lsb"],
            json!({
                "id": "Ubuntu", "major_release": "22", "release": "22.04", "codename": "jammy",
                "description": "Ubuntu 22.04.4 LTS",
            })
        );
    }

    #[test]
    fn rocky_and_centos_are_of_red_hat() {
        let rocky = facts(&[(
            "/etc/os-release",
            "NAME=\"Rocky Linux\"\nVERSION=\"9.3 (Blue Onyx)\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.3\"\n",
        )]);
        assert_eq!(
            summary(&rocky),
            ["Rocky", "9.3", "9", "Blue Onyx", "RedHat"]
        );
        let centos = facts(&[
            (
                "/etc/os-release",
                "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nVERSION_ID=\"7\"\n",
            ),
            (
                "/etc/redhat-release",
                "CentOS Linux release 7.9.2009 (Core)\n",
            ),
        ]);
        assert_eq!(summary(&centos), ["CentOS", "7.9", "7", "Core", "RedHat"]);
    }

    #[test]
    fn alpine_has_no_code_name_and_the_unknown_goes_by_what_it_is_like() {
        let alpine = facts(&[(
            "/etc/os-release",
            "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.1\n",
        )]);
        assert_eq!(summary(&alpine), ["Alpine", "3.19.1", "3", "NA", "Alpine"]);
        let other = facts(&[(
            "/etc/os-release",
            "NAME=\"My OS\"\nID=myos\nID_LIKE=\"x rhel\"\nVERSION_ID=5\n",
        )]);
        assert_eq!(summary(&other), ["My OS", "5", "5", "NA", "RedHat"]);
        assert_eq!(summary(&facts(&[])), ["linux", "n/a", "n/a", "NA", "linux"]);
    }
}
