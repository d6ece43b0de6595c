//! `modprobe`: kernel modules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::systemd::switch;
use crate::args::{Presence, Text};
use crate::describe::{Invalid, Return};
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

const PARTS: &[kit::Part] = &[kit::MODPROBE];

/// Loads and unloads kernel modules, now and at boot.
///
/// A module that is built into the kernel counts as loaded. In a container, where nothing can be
/// loaded, a module that the machine below has loaded is there too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModprobeArgs {
    /// The module. `-` and `_` are the same.
    name: Text,
    /// Whether it should be loaded.
    #[serde(default)]
    state: Presence,
    /// Parameters to load it with. A module that is loaded is not loaded again for other parameters.
    #[serde(default)]
    params: Text,
    /// At boot: `present` has it loaded (`/etc/modules-load.d`, parameters in `/etc/modprobe.d`),
    /// `absent` sees that it is not, `disabled` leaves these files alone.
    #[serde(default)]
    persistent: Persistent,
}

/// What to do about the next boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Persistent {
    /// Load it.
    Present,
    /// Do not load it.
    Absent,
    /// Leave it as it is.
    #[default]
    Disabled,
}

impl Persistent {
    fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Disabled => "disabled",
        }
    }
}

impl Arguments for ModprobeArgs {
    const NAME: &'static str = "modprobe";
    const ALIASES: &'static [&'static str] = &["community.general.modprobe"];
    const NEEDS: &'static [&'static str] =
        &["modprobe (kmod or BusyBox), for a module that is not there yet"];
    const RETURNS: &'static [Return] = &[
        Return::text("name", "the module"),
        Return::text("params", "its parameters"),
        Return::text("state", "`present` or `absent`"),
    ];
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Have bridged packets seen by iptables, after a reboot too\n  modprobe:\n    name: br_netfilter\n    persistent: present\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        let usual = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if self.name.is_empty() || !self.name.bytes().all(usual) {
            return Err(Invalid::new(
                &["name"],
                format!("`{}` is not the name of a kernel module", self.name),
            ));
        }
        Ok(())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let call = kit::call(
            "w_modprobe",
            &[
                switch(context.check),
                &*self.name,
                self.state.word(),
                &*self.params,
                self.persistent.word(),
            ],
        );
        let reply = context.host.run(kit::script(PARTS, call)).await?;
        let records = Records::read(&reply)?;
        Ok(Outcome::changed(records.bytes("changed").is_some())
            .with("name", self.name.0.clone())
            .with("params", self.params.0.clone())
            .with("state", self.state.word()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::ModprobeArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell};
    use crate::outcome::{Failure, Outcome};

    async fn on(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<ModprobeArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    /// Shells whose file system begins at a folder of their own, with overlay loaded.
    fn shells() -> impl Iterator<Item = Shell> {
        let shells = fake::shells().into_iter().chain([fake::posix()]);
        shells.map(|shell| {
            for folder in ["proc", "sys/module/bridge", "etc/modules-load.d"] {
                fs::create_dir_all(shell.at(folder)).unwrap();
            }
            fs::write(
                shell.at("proc/modules"),
                "overlay 151552 5 - Live 0x0\nip_vs 1 0 - Live 0x0\n",
            )
            .unwrap();
            fs::write(shell.at("proc/filesystems"), "nodev\tsysfs\n\text4\n").unwrap();
            let root = shell.at("");
            shell.variable("w_root", root.trim_end_matches('/'))
        })
    }

    const TOOL: &str = r#"
[ "$1" != nope ] || { echo "modprobe: FATAL: Module nope not found" >&2; exit 1; }
echo "$*" >>log
[ "$1" = -r ] || echo "$1 1 0 - Live 0x0" | tr - _ >>proc/modules"#;

    #[tokio::test]
    async fn what_is_loaded_or_built_in_needs_no_modprobe() {
        for shell in shells() {
            for name in ["overlay", "ip-vs", "bridge", "ext4"] {
                let outcome = on(&shell, REAL, json!({"name": name})).await.unwrap();
                assert!(!outcome.changed, "{name}");
            }
        }
        let shell = fake::posix();
        let root = shell.at("none");
        let shell = shell.variable("w_root", &root);
        let failure = on(&shell, REAL, json!({"name": "nope"})).await.unwrap_err();
        assert_eq!(
            failure.message,
            "`modprobe` is missing on the node; it is needed to load the kernel module nope"
        );
    }

    #[tokio::test]
    async fn a_module_is_loaded_now_and_at_boot_once() {
        for shell in shells() {
            let shell = shell.tool("modprobe", TOOL);
            let arguments =
                json!({"name": "br-netfilter", "params": "a=1 b=2", "persistent": "present"});
            assert!(on(&shell, CHECK, arguments.clone()).await.unwrap().changed);
            assert!(!shell.dir().join("log").exists());
            assert!(on(&shell, REAL, arguments.clone()).await.unwrap().changed);
            let read = |name: &str| fs::read_to_string(shell.at(name)).unwrap();
            assert_eq!(read("log"), "br-netfilter a=1 b=2\n");
            assert_eq!(
                read("etc/modules-load.d/br-netfilter.conf"),
                "br-netfilter\n"
            );
            assert_eq!(
                read("etc/modprobe.d/br-netfilter.conf"),
                "options br-netfilter a=1 b=2\n"
            );
            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);

            let absent = json!({"name": "br_netfilter", "persistent": "absent"});
            assert!(on(&shell, REAL, absent.clone()).await.unwrap().changed);
            assert_eq!(
                read("etc/modules-load.d/br-netfilter.conf"),
                "# br-netfilter\n"
            );
            assert!(!on(&shell, REAL, absent).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn unloading_and_what_modprobe_complains_about() {
        for shell in shells() {
            let shell = shell.tool("modprobe", TOOL);
            let absent = json!({"name": "overlay", "state": "absent"});
            assert!(on(&shell, REAL, absent).await.unwrap().changed);
            assert_eq!(fs::read_to_string(shell.at("log")).unwrap(), "-r overlay\n");
            assert!(
                !on(&shell, REAL, json!({"name": "nope", "state": "absent"}))
                    .await
                    .unwrap()
                    .changed
            );
            let failure = on(&shell, REAL, json!({"name": "nope"})).await.unwrap_err();
            assert!(
                failure.message.ends_with("Module nope not found"),
                "{}",
                failure.message
            );
        }
    }
}
