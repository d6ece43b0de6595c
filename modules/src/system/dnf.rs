//! `dnf`: packages of Red Hat, Rocky, Fedora and what is made of them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::apt::sixty;
use super::packages::{PackageState, RETURNS, Request};
use crate::args::{Flag, List, Number, Text};
use crate::describe::{Invalid, Return};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Installs, upgrades and removes packages with dnf (or yum, where there is no dnf).
///
/// It asks nothing, waits for another package manager that is at work, and goes on when the
/// connection is lost. What is installed already is found out from rpm alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnfArgs {
    /// The packages, each alone or with a version (`kubelet-1.29.0`), groups (`@name`), files or
    /// addresses of rpm packages. `*` with `state: latest` upgrades everything.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["pkg"]))]
    name: List,
    /// What they should be.
    #[serde(default)]
    state: PackageState,
    /// Fetch the lists of packages first.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["expire-cache"]))]
    update_cache: Flag,
    /// Use these repositories as well.
    #[serde(default)]
    enablerepo: List,
    /// Do not use these repositories.
    #[serde(default)]
    disablerepo: List,
    /// Leave these packages out.
    #[serde(default)]
    exclude: List,
    /// Take in what a repository excludes: its name, or `all` or `main` (`disable_excludes:
    /// kubernetes` for the packages of kubeadm).
    disable_excludes: Option<Text>,
    /// Do not check signatures.
    #[serde(default)]
    disable_gpg_check: Flag,
    /// Remove what stands in the way.
    #[serde(default)]
    allowerasing: Flag,
    /// Take an older version than the newest when that cannot be installed.
    #[serde(default)]
    nobest: Flag,
    /// Leave out what cannot be installed.
    #[serde(default)]
    skip_broken: Flag,
    /// Install what is recommended too.
    #[serde(default = "Flag::yes")]
    install_weak_deps: Flag,
    /// Install an older version than the one that is there, if it is named. dnf does that anyway.
    #[expect(
        dead_code,
        reason = "read so that playbooks that have it are not refused"
    )]
    #[serde(default)]
    allow_downgrade: Flag,
    /// Remove what was only installed for packages that are gone.
    #[serde(default)]
    autoremove: Flag,
    /// How many seconds to wait for another package manager.
    #[serde(default = "sixty")]
    lock_timeout: Number<u64>,
}

impl DnfArgs {
    fn options(&self) -> Vec<String> {
        let lists = [
            ("--enablerepo", &self.enablerepo),
            ("--disablerepo", &self.disablerepo),
            ("--exclude", &self.exclude),
        ];
        let mut options: Vec<String> = lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(option, list)| format!("{option}={}", list.join(",")))
            .collect();
        if let Some(repository) = &self.disable_excludes {
            options.push(format!("--disableexcludes={repository}"));
        }
        let flags = [
            (*self.disable_gpg_check, "--nogpgcheck"),
            (*self.allowerasing, "--allowerasing"),
            (*self.nobest, "--nobest"),
            (*self.skip_broken, "--skip-broken"),
            (!*self.install_weak_deps, "--setopt=install_weak_deps=False"),
        ];
        let wanted = flags.into_iter().filter(|(wanted, _)| *wanted);
        options.extend(wanted.map(|(_, option)| option.to_owned()));
        options
    }

    fn request(&self) -> Request<'_> {
        Request {
            function: "w_dnf",
            names: &self.name,
            state: self.state,
            update_cache: *self.update_cache,
            lock_timeout: *self.lock_timeout,
            options: self.options(),
            autoremove: *self.autoremove,
            ..Request::default()
        }
    }
}

impl Arguments for DnfArgs {
    const NAME: &'static str = "dnf";
    const ALIASES: &'static [&'static str] = &["yum", "dnf5"];
    const NEEDS: &'static [&'static str] = &["dnf or yum, and rpm (Red Hat, Rocky, Fedora); root"];
    const RETURNS: &'static [Return] = &RETURNS;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Install the kubelet, which its repository excludes\n  dnf:\n    name: kubelet-1.33.1\n    disable_excludes: kubernetes\n",
        "- name: Upgrade everything\n  dnf:\n    name: '*'\n    state: latest\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        self.request().validate()
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        self.request().run(context).await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::DnfArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell};
    use crate::outcome::{Failure, Outcome};

    /// A dnf that keeps what is installed in files of `installed/`; `new` there says that a newer
    /// version of everything is to be had.
    const DNF: &str = r#"
answer=yes options=
while :; do case $1 in -y) ;; --assumeno) answer=no ;; -*) options="$options $1" ;; *) break ;; esac; shift; done
verb=$1; shift
[ "$verb" != makecache ] || { echo makecache >>log; exit 0; }
todo=
for name; do
  case $verb in
  install) [ "$name" != nope ] || { echo "Error: Unable to find a match: nope"; exit 1; }
    [ -e "installed/$name" ] || todo="$todo $name" ;;
  upgrade) [ ! -e new ] || todo="$todo $name" ;;
  remove) todo="$todo $name" ;;
  esac
done
[ "$todo" ] || { echo "Nothing to do."; exit 0; }
[ $answer = yes ] || { echo "Operation aborted."; exit 1; }
echo "$verb$options$todo" >>log
for name in $todo; do
  case $verb in install) >"installed/$name" ;; upgrade) rm -f new ;; remove) rm "installed/$name" ;; esac
done"#;

    async fn on(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<DnfArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    fn shells() -> impl Iterator<Item = Shell> {
        fake::shells()
            .into_iter()
            .chain([fake::posix()])
            .map(|shell| {
                fs::create_dir(shell.at("installed")).unwrap();
                shell.tool("dnf", DNF).tool(
                    "rpm",
                    r#"[ "$3" != --whatprovides ] && [ -e "installed/$3" ]"#,
                )
            })
    }

    fn log(shell: &Shell) -> String {
        let text = fs::read_to_string(shell.at("log")).unwrap_or_default();
        let _ = fs::remove_file(shell.at("log"));
        text
    }

    #[tokio::test]
    async fn packages_are_installed_once() {
        for shell in shells() {
            let arguments = json!({"name": ["kubelet-1.29.0", "conntrack-tools=1.4"], "disable_excludes": "kubernetes"});
            assert!(on(&shell, CHECK, arguments.clone()).await.unwrap().changed);
            assert_eq!(log(&shell), "");
            assert!(on(&shell, REAL, arguments.clone()).await.unwrap().changed);
            assert_eq!(
                log(&shell),
                "install --disableexcludes=kubernetes kubelet-1.29.0 conntrack-tools-1.4\n"
            );
            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn the_latest_installs_or_upgrades_and_absent_removes() {
        for shell in shells() {
            let latest = json!({"name": "a,b", "state": "latest"});
            fs::write(shell.at("installed/a"), "").unwrap();
            fs::write(shell.at("new"), "").unwrap();
            assert!(on(&shell, REAL, latest.clone()).await.unwrap().changed);
            assert_eq!(log(&shell), "install b\nupgrade a\n");
            assert!(!on(&shell, REAL, latest).await.unwrap().changed);
            let absent = json!({"name": "a,c", "state": "absent"});
            assert!(on(&shell, REAL, absent.clone()).await.unwrap().changed);
            assert_eq!(log(&shell), "remove a\n");
            assert!(!on(&shell, REAL, absent).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn an_unknown_package_is_said() {
        for shell in shells() {
            for mode in [REAL, CHECK] {
                let failure = on(&shell, mode, json!({"name": "nope"})).await.unwrap_err();
                assert_eq!(
                    failure.message,
                    "cannot install nope: Error: Unable to find a match: nope"
                );
            }
        }
    }
}
