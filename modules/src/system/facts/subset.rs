//! Which families of facts are wanted.

/// The names that `gather_subset` knows, and the family each belongs to.
const NAMES: &[(&str, Family)] = &[
    ("all", Family::All),
    ("min", Family::Minimal),
    ("hardware", Family::Hardware),
    ("network", Family::Network),
    ("virtual", Family::Virtual),
    ("all_ipv4_addresses", Family::Network),
    ("all_ipv6_addresses", Family::Network),
    ("default_ipv4", Family::Network),
    ("default_ipv6", Family::Network),
    ("interfaces", Family::Network),
    ("devices", Family::Hardware),
    ("dmi", Family::Hardware),
    ("mounts", Family::Hardware),
    ("processor", Family::Hardware),
    ("processor_cores", Family::Hardware),
    ("processor_count", Family::Hardware),
    ("apparmor", Family::Minimal),
    ("architecture", Family::Minimal),
    ("cmdline", Family::Minimal),
    ("date_time", Family::Minimal),
    ("distribution", Family::Minimal),
    ("distribution_major_version", Family::Minimal),
    ("distribution_release", Family::Minimal),
    ("distribution_version", Family::Minimal),
    ("dns", Family::Minimal),
    ("env", Family::Minimal),
    ("is_chroot", Family::Minimal),
    ("kernel", Family::Minimal),
    ("kernel_version", Family::Minimal),
    ("lsb", Family::Minimal),
    ("machine", Family::Minimal),
    ("machine_id", Family::Minimal),
    ("os_family", Family::Minimal),
    ("pkg_mgr", Family::Minimal),
    ("platform", Family::Minimal),
    ("selinux", Family::Minimal),
    ("service_mgr", Family::Minimal),
    ("system", Family::Minimal),
    ("user", Family::Minimal),
    ("virtualization_role", Family::Virtual),
    ("virtualization_type", Family::Virtual),
    // Facts that nothing here gathers: asked for or not, there are none.
    ("caps", Family::None),
    ("facter", Family::None),
    ("fibre_channel_wwn", Family::None),
    ("fips", Family::None),
    ("iscsi", Family::None),
    ("local", Family::None),
    ("nvme", Family::None),
    ("ohai", Family::None),
    ("python", Family::None),
    ("ssh_pub_keys", Family::None),
    ("systemd", Family::None),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    All,
    Minimal,
    Hardware,
    Network,
    Virtual,
    None,
}

/// The families that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four families, each wanted or not"
)]
pub(crate) struct Subsets {
    pub(super) minimal: bool,
    pub(super) hardware: bool,
    pub(super) network: bool,
    pub(super) virtual_: bool,
}

impl Subsets {
    /// Reads `gather_subset`: all when nothing but exclusions (`!hardware`) is named; the minimal
    /// facts always, unless they are excluded too.
    pub(crate) fn read(names: &[String]) -> Result<Self, String> {
        let only_exclusions = names.iter().all(|name| name.starts_with('!'));
        let mut wanted = Self::none();
        wanted.put(Family::Minimal, true);
        if only_exclusions {
            wanted.put(Family::All, true);
        }
        for name in names.iter().filter(|name| !name.starts_with('!')) {
            wanted.put(family(name)?, true);
        }
        for name in names.iter().filter_map(|name| name.strip_prefix('!')) {
            match family(name)? {
                // `!all` leaves the minimal facts.
                Family::All => {
                    let minimal = wanted.minimal;
                    wanted = Self::none();
                    wanted.minimal = minimal;
                    for name in names.iter().filter(|name| !name.starts_with('!')) {
                        wanted.put(family(name)?, true);
                    }
                }
                // `!mounts` leaves the rest of its family, which costs nothing more.
                _ if !["min", "hardware", "network", "virtual"].contains(&name) => {}
                family => wanted.put(family, false),
            }
        }
        Ok(wanted)
    }

    /// The families by name.
    pub(super) fn names(self) -> Vec<&'static str> {
        [
            (self.minimal, "min"),
            (self.hardware, "hardware"),
            (self.network, "network"),
            (self.virtual_, "virtual"),
        ]
        .into_iter()
        .filter_map(|(wanted, name)| wanted.then_some(name))
        .collect()
    }

    const fn none() -> Self {
        Self {
            minimal: false,
            hardware: false,
            network: false,
            virtual_: false,
        }
    }

    fn put(&mut self, family: Family, wanted: bool) {
        match family {
            Family::All => {
                *self = Self {
                    minimal: wanted,
                    hardware: wanted,
                    network: wanted,
                    virtual_: wanted,
                }
            }
            Family::Minimal => self.minimal = wanted,
            Family::Hardware => self.hardware = wanted,
            Family::Network => self.network = wanted,
            Family::Virtual => self.virtual_ = wanted,
            Family::None => {}
        }
    }
}

fn family(name: &str) -> Result<Family, String> {
    NAMES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, family)| *family)
        .ok_or_else(|| {
            format!(
                "`{name}` is not a subset of facts; the usual ones are all, min, hardware, network, \
                 virtual, each also with `!` before it"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::Subsets;

    fn families(names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Subsets::read(&names).unwrap().names().join(" ")
    }

    #[test]
    fn subsets_are_chosen_as_in_ansible() {
        assert_eq!(families(&["all"]), "min hardware network virtual");
        assert_eq!(families(&[]), "min hardware network virtual");
        assert_eq!(families(&["!hardware"]), "min network virtual");
        assert_eq!(families(&["network"]), "min network");
        assert_eq!(families(&["network", "!min"]), "network");
        assert_eq!(families(&["!all"]), "min");
        assert_eq!(families(&["!all", "!min"]), "");
        assert_eq!(families(&["!all", "network"]), "min network");
        assert_eq!(families(&["!all", "!min", "mounts"]), "hardware");
        assert_eq!(
            families(&["!facter", "!ohai"]),
            "min hardware network virtual"
        );
        assert!(Subsets::read(&["nope".to_owned()]).is_err());
    }
}
