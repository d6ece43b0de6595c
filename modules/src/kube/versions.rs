//! What differs between kubeadm's minor versions, as data. Knows no host.
//!
//! Sources: the reference of each `kubeadm` configuration API, and the release notes of 1.13 to 1.37.

use std::fmt;
use std::str::FromStr;

/// The oldest minor version of Kubernetes 1 that is supported: its kubeadm has `init phase`.
pub const OLDEST: u32 = 13;
/// The newest minor version that was looked at. Later ones may want another configuration.
pub const NEWEST: u32 = 37;

/// A version of Kubernetes as kubeadm and kubectl say it: `v1.20.2`, `v1.32.4-gke.100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number; 1.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.trim().trim_start_matches('v');
        let numbers = numbers.split(['-', '+']).next().unwrap_or(numbers);
        let mut parts = numbers.split('.').map(str::parse::<u32>);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Ok(Self {
                major,
                minor,
                patch,
            }),
            _ => Err(format!(
                "`{}` is not a version like v1.20.2",
                text.trim().chars().take(40).collect::<String>()
            )),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The versions of the configuration API that a range of minor versions reads.
struct Apis {
    /// From this minor version on, until the next row.
    from: u32,
    /// What it reads, oldest first.
    reads: &'static [&'static str],
    /// The one to write.
    write: &'static str,
}

/// v1beta1 went in 1.22 and v1beta2 in 1.27; v1beta4 came in 1.31; v1beta3 went in 1.37.
const APIS: &[Apis] = &[
    Apis {
        from: 13,
        reads: &["v1beta1"],
        write: "v1beta1",
    },
    Apis {
        from: 15,
        reads: &["v1beta1", "v1beta2"],
        write: "v1beta2",
    },
    Apis {
        from: 22,
        reads: &["v1beta2", "v1beta3"],
        write: "v1beta3",
    },
    Apis {
        from: 27,
        reads: &["v1beta3"],
        write: "v1beta3",
    },
    Apis {
        from: 31,
        reads: &["v1beta3", "v1beta4"],
        write: "v1beta4",
    },
    Apis {
        from: 37,
        reads: &["v1beta4"],
        write: "v1beta4",
    },
];

impl Version {
    /// Says why this version cannot be worked with, if it cannot.
    pub fn supported(self) -> Result<Self, String> {
        if self.major < 1 || (self.major == 1 && self.minor < OLDEST) {
            return Err(format!(
                "kubeadm {self} is older than v1.{OLDEST}, the first with the phases that are needed"
            ));
        }
        if self.major > 1 || self.minor > NEWEST {
            return Err(format!(
                "kubeadm {self} is newer than v1.{NEWEST}, the newest whose configuration is known here"
            ));
        }
        Ok(self)
    }

    fn apis(self) -> &'static Apis {
        APIS.iter()
            .rev()
            .find(|row| row.from <= self.minor)
            .unwrap_or(&APIS[0])
    }

    /// The version of the configuration API to write for this kubeadm.
    pub fn config_api(self) -> &'static str {
        self.apis().write
    }

    /// The versions of the configuration API that this kubeadm reads, oldest first.
    pub fn config_apis(self) -> &'static [&'static str] {
        self.apis().reads
    }

    /// The flag that shares the certificates through a Secret; none before 1.14.
    pub fn upload_certs_flag(self) -> Option<&'static str> {
        match self.minor {
            ..14 => None,
            14 => Some("--experimental-upload-certs"),
            _ => Some("--upload-certs"),
        }
    }

    /// Whether `join --skip-phases` is there.
    pub fn join_skips_phases(self) -> bool {
        self.minor >= 22
    }

    /// Whether JoinConfiguration has a place for the certificate key (v1beta2 and later).
    pub fn joins_with_certificate_key(self) -> bool {
        self.minor >= 15
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_read_as_distributions_write_them() {
        for text in [
            "v1.20.2",
            "1.20.2\n",
            "v1.20.2-gke.100",
            "v1.20.2+k3s1",
            "v1.20.2-dispatcher",
        ] {
            assert_eq!(version(text).to_string(), "v1.20.2", "{text}");
        }
        assert!("stable".parse::<Version>().is_err());
        assert!("v1.20".parse::<Version>().is_err());
    }

    #[test]
    fn the_configuration_api_follows_the_minor_version() {
        for (minor, api) in [
            (13, "v1beta1"),
            (14, "v1beta1"),
            (15, "v1beta2"),
            (20, "v1beta2"),
            (21, "v1beta2"),
            (22, "v1beta3"),
            (27, "v1beta3"),
            (30, "v1beta3"),
            (31, "v1beta4"),
            (36, "v1beta4"),
            (37, "v1beta4"),
        ] {
            let version = version(&format!("v1.{minor}.0"));
            assert_eq!(version.config_api(), api, "1.{minor}");
            assert!(version.config_apis().contains(&api));
        }
        assert_eq!(version("v1.20.2").config_apis(), ["v1beta1", "v1beta2"]);
    }

    #[test]
    fn versions_that_were_not_looked_at_are_refused() {
        for (text, reason) in [
            ("v1.12.9", "older than v1.13"),
            ("v1.38.0", "newer than v1.37"),
            ("v2.0.0", "newer than v1.37"),
        ] {
            let why = version(text).supported().unwrap_err();
            assert!(why.contains(reason), "{why}");
        }
        for minor in OLDEST..=NEWEST {
            assert!(version(&format!("v1.{minor}.0")).supported().is_ok());
        }
    }
}
