//! `apt`: packages of Debian, Ubuntu and what is made of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::packages::{PackageState, RETURNS, Request};
use crate::args::{Flag, List, Number, Text};
use crate::describe::{Invalid, Return};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Installs, upgrades and removes packages with apt-get.
///
/// It asks nothing, keeps configuration files that were changed, waits for another package manager
/// that is at work, and goes on when the connection is lost. What is installed already is found out
/// from dpkg alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AptArgs {
    /// The packages, each alone or with a version: `haproxy=2.6.12-1`, `haproxy=2.6*`.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["pkg", "package"]))]
    name: List,
    /// What they should be.
    #[serde(default)]
    state: PackageState,
    /// Fetch the lists of packages first.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["update-cache"]))]
    update_cache: Flag,
    /// Fetch them only when they are older than so many seconds; by itself this asks for
    /// `update_cache` too.
    cache_valid_time: Option<Number<u64>>,
    /// Upgrade all packages.
    #[serde(default)]
    upgrade: Upgrade,
    /// Install what is recommended too. As apt is configured when not given.
    #[schemars(extend("x-aliases" = ["install-recommends"]))]
    install_recommends: Option<Flag>,
    /// Take versions from this release first.
    #[schemars(extend("x-aliases" = ["default-release"]))]
    default_release: Option<Text>,
    /// Install an older version than the one that is there, if it is named.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["allow-downgrade", "allow_downgrades"]))]
    allow_downgrade: Flag,
    /// Change packages that are held.
    #[serde(default)]
    allow_change_held_packages: Flag,
    /// Install packages of which nobody knows where they come from.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["allow-unauthenticated"]))]
    allow_unauthenticated: Flag,
    /// Upgrade what is installed, and install nothing new.
    #[serde(default)]
    only_upgrade: Flag,
    /// Remove configuration files as well.
    #[serde(default)]
    purge: Flag,
    /// Remove what was only installed for packages that are gone.
    #[serde(default)]
    autoremove: Flag,
    /// More options for dpkg, without the dashes.
    #[serde(default)]
    dpkg_options: List,
    /// How many seconds to wait for another package manager.
    #[serde(default = "sixty")]
    lock_timeout: Number<u64>,
}

/// Whether to upgrade all packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Upgrade {
    /// Not.
    #[default]
    #[schemars(extend("x-aliases" = ["false", "False"]))]
    No,
    /// Without removing any.
    #[schemars(extend("x-aliases" = ["yes", "true", "True"]))]
    Safe,
    /// Some may be removed.
    #[schemars(extend("x-aliases" = ["dist"]))]
    Full,
}

pub(super) const fn sixty() -> Number<u64> {
    Number(60)
}

impl AptArgs {
    fn options(&self) -> Vec<String> {
        let mut options: Vec<String> = Vec::new();
        let mut add = |wanted: bool, option: &str| {
            if wanted {
                options.push(option.to_owned());
            }
        };
        add(*self.allow_downgrade, "--allow-downgrades");
        add(
            *self.allow_change_held_packages,
            "--allow-change-held-packages",
        );
        add(*self.allow_unauthenticated, "--allow-unauthenticated");
        add(*self.only_upgrade, "--only-upgrade");
        match self.install_recommends {
            Some(Flag(true)) => add(true, "--install-recommends"),
            Some(Flag(false)) => add(true, "--no-install-recommends"),
            None => {}
        }
        if let Some(release) = &self.default_release {
            options.push(format!("--target-release={release}"));
        }
        for option in &self.dpkg_options {
            options.push(format!("-oDpkg::Options::=--{option}"));
        }
        options
    }

    fn request(&self) -> Request<'_> {
        let upgrade = match self.upgrade {
            Upgrade::No => "",
            Upgrade::Safe => "safe",
            Upgrade::Full => "dist",
        };
        Request {
            function: "w_apt",
            names: &self.name,
            state: self.state,
            update_cache: *self.update_cache,
            cache_valid_time: self.cache_valid_time.map(|seconds| *seconds),
            lock_timeout: *self.lock_timeout,
            options: self.options(),
            purge: *self.purge,
            autoremove: *self.autoremove,
            upgrade,
        }
    }
}

impl Arguments for AptArgs {
    const NAME: &'static str = "apt";
    const NEEDS: &'static [&'static str] = &["apt-get and dpkg-query (Debian, Ubuntu); root"];
    const RETURNS: &'static [Return] = &RETURNS;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Install HAProxy\n  apt:\n    name: haproxy\n    update_cache: true\n    cache_valid_time: 3600\n",
        "- name: Have these versions, and no others\n  apt:\n    name:\n      - kubelet=1.33.1-1.1\n      - kubeadm=1.33.1-1.1\n    allow_change_held_packages: true\n    install_recommends: false\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        self.request().validate()
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        self.request().run(context).await
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::AptArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell};
    use crate::outcome::{Failure, Outcome};

    /// An apt-get that knows haproxy and keeps what is installed in files of `installed/`. It writes
    /// down what it is told to do.
    pub(in crate::system) const APT: &str = r#"
simulate= verb=
names=
while [ $# -gt 0 ]; do
  case $1 in
  -o | -t) shift ;;
  -s) simulate=1 ;;
  -*) case $1 in -y | -q) ;; *) options="$options $1" ;; esac ;;
  install | remove | purge | update | upgrade | dist-upgrade | autoremove) verb=$1 ;;
  *) names="$names $1" ;;
  esac
  shift
done
if [ -e locked ]; then rm locked; echo "E: Could not get lock /var/lib/dpkg/lock-frontend" >&2; exit 100; fi
[ "$simulate" ] || echo "$verb$options$names" >>log
case $verb in
update) mkdir -p var/lib/apt/lists; touch var/lib/apt/lists ;;
install)
  for name in $names; do
    case ${name%%=*} in haproxy | conntrack) ;; *) echo "E: Unable to locate package $name" >&2; exit 100 ;; esac
    version=2.6; case $name in *=*) version=${name#*=} ;; esac
    [ "$(cat "installed/${name%%=*}" 2>/dev/null)" = "$version" ] || {
      echo "Inst ${name%%=*} ($version)"
      [ "$simulate" ] || echo "$version" >"installed/${name%%=*}"
    }
  done ;;
remove | purge) for name in $names; do echo "Remv $name"; [ "$simulate" ] || rm -f "installed/$name"; done ;;
esac
exit 0"#;

    pub(in crate::system) const DPKG_QUERY: &str = r#"
[ "$1" = -W ] && [ -e "installed/$4" ] || exit 1
echo "install ok installed $(cat "installed/$4")""#;

    async fn on(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<AptArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    pub(in crate::system) fn debian(shell: Shell) -> Shell {
        fs::create_dir(shell.at("installed")).unwrap();
        let root = shell.at("");
        shell
            .variable("w_root", root.trim_end_matches('/'))
            .tool("apt-get", APT)
            .tool("dpkg-query", DPKG_QUERY)
            .tool("sleep", "exit 0")
    }

    fn shells() -> impl Iterator<Item = Shell> {
        fake::shells()
            .into_iter()
            .chain([fake::posix()])
            .map(debian)
    }

    fn log(shell: &Shell) -> String {
        let text = fs::read_to_string(shell.at("log")).unwrap_or_default();
        let _ = fs::remove_file(shell.at("log"));
        text
    }

    #[tokio::test]
    async fn packages_are_installed_once() {
        for shell in shells() {
            let arguments = json!({"name": "haproxy, conntrack", "install_recommends": false});
            let outcome = on(&shell, CHECK, arguments.clone()).await.unwrap();
            assert!(outcome.changed);
            assert_eq!(outcome.data["packages"], json!(["haproxy", "conntrack"]));
            assert_eq!(log(&shell), "");
            assert!(on(&shell, REAL, arguments.clone()).await.unwrap().changed);
            assert_eq!(
                log(&shell),
                "install --no-install-recommends haproxy conntrack\n"
            );
            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);
            assert_eq!(log(&shell), "");
            assert_eq!(shell.trips(), 3);
        }
    }

    #[tokio::test]
    async fn versions_are_compared_and_may_be_patterns() {
        for shell in shells() {
            fs::write(shell.at("installed/haproxy"), "2.6.12-1").unwrap();
            assert!(
                !on(&shell, REAL, json!({"name": "haproxy=2.6*"}))
                    .await
                    .unwrap()
                    .changed
            );
            let older = json!({"name": ["haproxy=2.4"], "allow_downgrade": true});
            assert!(on(&shell, REAL, older.clone()).await.unwrap().changed);
            assert_eq!(log(&shell), "install --allow-downgrades haproxy=2.4\n");
            assert!(!on(&shell, REAL, older).await.unwrap().changed);
            let latest = json!({"name": "haproxy", "state": "latest"});
            assert!(on(&shell, REAL, latest.clone()).await.unwrap().changed);
            assert!(!on(&shell, REAL, latest).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn removing_looks_only_at_what_is_there() {
        for shell in shells() {
            fs::write(shell.at("installed/haproxy"), "2.6").unwrap();
            let absent =
                json!({"name": ["haproxy", "never-heard-of"], "state": "absent", "purge": true});
            assert!(on(&shell, REAL, absent.clone()).await.unwrap().changed);
            assert_eq!(log(&shell), "purge haproxy\n");
            assert!(!on(&shell, REAL, absent).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn lists_are_fetched_when_they_are_old() {
        for shell in fake::shells().into_iter().map(debian) {
            let arguments = json!({"update_cache": true, "cache_valid_time": 3600});
            assert!(on(&shell, REAL, arguments.clone()).await.unwrap().changed);
            assert_eq!(log(&shell), "update\n");
            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);
            assert_eq!(log(&shell), "");
            assert!(
                on(&shell, REAL, json!({"update_cache": true}))
                    .await
                    .unwrap()
                    .changed
            );
            // Lists that check mode does not fetch may have what the old ones do not.
            let new = json!({"name": "new", "update_cache": true});
            let outcome = on(&shell, CHECK, new.clone()).await.unwrap();
            assert_eq!(outcome.data["packages"], json!(["new"]));
            assert!(on(&shell, REAL, new).await.is_err());
            assert!(on(&shell, CHECK, json!({"name": "new"})).await.is_err());
        }
    }

    #[tokio::test]
    async fn a_lock_is_waited_for_and_an_unknown_package_is_said() {
        for shell in shells() {
            fs::write(shell.at("locked"), "").unwrap();
            assert!(
                on(&shell, REAL, json!({"name": "haproxy"}))
                    .await
                    .unwrap()
                    .changed
            );
            fs::write(shell.at("locked"), "").unwrap();
            let impatient = json!({"name": "conntrack", "lock_timeout": 0});
            let failure = on(&shell, REAL, impatient).await.unwrap_err();
            assert!(
                failure.message.starts_with("another package manager"),
                "{}",
                failure.message
            );
            let failure = on(&shell, REAL, json!({"name": "nope"})).await.unwrap_err();
            assert_eq!(
                failure.message,
                "cannot install nope: E: Unable to locate package nope"
            );
            assert!(failure.hint.unwrap().contains("update_cache"));
        }
    }

    #[tokio::test]
    async fn what_is_no_name_or_option_is_refused() {
        let host = fake::Fake::new([]);
        for arguments in [
            json!({"name": ["a b"]}),
            json!({"name": "-y"}),
            json!({"upgrade": "all"}),
            json!({"name": "a", "default_release": "a b"}),
        ] {
            assert!(
                fake::run::<AptArgs>(&host, &FakeController::new("/"), REAL, arguments)
                    .await
                    .is_err()
            );
        }
    }
}
