//! `sysctl`: kernel parameters.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::systemd::switch;
use crate::args::{Data, Flag, NodePath, Presence, Text, describe, scalar_text};
use crate::describe::{Invalid, Return, Rule, When};
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Difference, Failure, Outcome};

const PARTS: &[kit::Part] = &[kit::SYSCTL];

/// Sets kernel parameters, for now and for the next boot.
///
/// The entry is written into a file that is read at boot. When that changed the file, the value is
/// put in force at once, through `/proc/sys` (only this one: other lines of the file are not looked
/// at, where Ansible would load them all again).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SysctlArgs {
    /// The parameter: `net.ipv4.ip_forward`. With slashes between, dots are part of the names.
    #[schemars(extend("x-aliases" = ["key"]))]
    name: Text,
    /// Its value. Yes and no are 1 and 0. White space is compared as one space.
    #[schemars(extend("x-aliases" = ["val"]))]
    value: Option<Data>,
    /// Whether the entry should be there.
    #[serde(default)]
    state: Presence,
    /// The file for the entry; it is made when it is missing.
    #[serde(default = "default_file")]
    sysctl_file: NodePath,
    /// Put the value in force when the file changed.
    #[serde(default = "Flag::yes")]
    reload: Flag,
    /// See that the value is in force, whether the file changed or not.
    #[serde(default)]
    sysctl_set: Flag,
    /// Do not fail when the kernel does not know the parameter, or refuses the value.
    #[serde(default)]
    ignoreerrors: Flag,
}

fn default_file() -> NodePath {
    NodePath::from("/etc/sysctl.conf")
}

impl SysctlArgs {
    fn value(&self) -> Result<String, String> {
        let Some(value) = self.value.as_deref() else {
            return Ok(String::new());
        };
        let text = scalar_text(value)
            .ok_or_else(|| format!("`value` is text or a number, found {}", describe(value)))?;
        let truth = match (value, text.to_ascii_lowercase().as_str()) {
            (Value::Bool(_), _)
            | (_, "yes" | "on" | "true" | "y" | "t" | "no" | "off" | "false" | "n" | "f") => {
                Flag::from_word(&text)
            }
            _ => None,
        };
        Ok(match truth {
            Some(flag) => if *flag { "1" } else { "0" }.to_owned(),
            None => text.trim().to_owned(),
        })
    }
}

impl Arguments for SysctlArgs {
    const NAME: &'static str = "sysctl";
    const ALIASES: &'static [&'static str] = &["ansible.posix.sysctl"];
    const RULES: &'static [Rule] = &[Rule::Needs(When::Is("state", &["present"]), &["value"])];
    const RETURNS: &'static [Return] = &[
        Return::text("name", "the parameter"),
        Return::text("value", "its value, with 1 and 0 for yes and no"),
    ];
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Forward packets\n  sysctl:\n    name: net.ipv4.ip_forward\n    value: 1\n    sysctl_file: /etc/sysctl.d/90-kubernetes.conf\n    sysctl_set: true\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        let value = self.value().map_err(Invalid::about(&["value"]))?;
        let wrong = |arguments, message: &str| Err(Invalid::new(arguments, message));
        if self.state == Presence::Present && value.is_empty() {
            return wrong(&["value", "state"], "`value` is empty");
        }
        if value.contains('\n') {
            return wrong(&["value"], "`value` has more than one line");
        }
        if self.name.trim().is_empty() || self.name.contains(['=', '\n', ' ']) {
            let message = format!("`{}` is not the name of a parameter", self.name);
            return wrong(&["name"], &message);
        }
        if !self.sysctl_file.starts_with('/') {
            return wrong(&["sysctl_file"], "`sysctl_file` is an absolute path");
        }
        Ok(())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let value = self.value().map_err(Failure::new)?;
        let call = kit::call(
            "w_sysctl",
            &[
                switch(context.check),
                &*self.name,
                &value,
                self.state.word(),
                &*self.sysctl_file,
                switch(*self.reload),
                switch(*self.sysctl_set),
                switch(*self.ignoreerrors),
            ],
        );
        let reply = context.host.run(kit::script(PARTS, call)).await?;
        let records = Records::read(&reply)?;
        let in_file = records.flag("changed");
        let mut outcome = Outcome::changed(in_file || records.bytes("live").is_some())
            .with("name", self.name.0.clone())
            .with("value", value.clone());
        let entry = |value: &str| match value {
            "" => String::new(),
            value => format!("{} = {value}\n", self.name),
        };
        if in_file {
            let before = records.text("before").unwrap_or_default();
            outcome = outcome.difference(Difference {
                before_header: self.sysctl_file.to_string(),
                after_header: self.sysctl_file.to_string(),
                before: entry(&before),
                after: if self.state == Presence::Present {
                    entry(&value)
                } else {
                    String::new()
                },
            });
        } else if let Some(live) = records.text("live") {
            outcome = outcome.difference(Difference {
                before_header: "in force".to_owned(),
                after_header: "in force".to_owned(),
                before: entry(&live),
                after: entry(&value),
            });
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::SysctlArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell};
    use crate::outcome::{Failure, Outcome};

    async fn on(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<SysctlArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    /// Shells whose file system begins at a folder of their own, with two parameters.
    fn shells() -> impl Iterator<Item = Shell> {
        let shells = fake::shells().into_iter().chain([fake::posix()]);
        shells.map(|shell| {
            fs::create_dir_all(shell.at("proc/sys/net/ipv4/conf/eth0.5")).unwrap();
            fs::write(shell.at("proc/sys/net/ipv4/ip_forward"), "0\n").unwrap();
            fs::write(shell.at("proc/sys/net/ipv4/tcp_rmem"), "1\t2\t3\n").unwrap();
            fs::write(shell.at("proc/sys/net/ipv4/conf/eth0.5/forwarding"), "0\n").unwrap();
            fs::create_dir(shell.at("etc")).unwrap();
            let root = shell.at("");
            shell.variable("w_root", root.trim_end_matches('/'))
        })
    }

    fn read(shell: &Shell, name: &str) -> String {
        fs::read_to_string(shell.at(name)).unwrap_or_else(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_parameter_is_written_and_put_in_force_once() {
        for shell in shells() {
            let arguments = json!({"name": "net.ipv4.ip_forward", "value": true, "sysctl_file": "/etc/sysctl.d/k.conf"});
            let outcome = on(&shell, CHECK, arguments.clone()).await.unwrap();
            assert!(outcome.changed);
            assert_eq!(outcome.diff[0].after, "net.ipv4.ip_forward = 1\n");
            assert!(!shell.dir().join("etc/sysctl.d").exists());
            assert_eq!(read(&shell, "proc/sys/net/ipv4/ip_forward"), "0\n");

            assert!(on(&shell, REAL, arguments.clone()).await.unwrap().changed);
            assert_eq!(
                read(&shell, "etc/sysctl.d/k.conf"),
                "net.ipv4.ip_forward=1\n"
            );
            assert_eq!(read(&shell, "proc/sys/net/ipv4/ip_forward"), "1\n");
            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);
            assert_eq!(shell.trips(), 3);
        }
    }

    #[tokio::test]
    async fn other_lines_stay_and_doubles_go() {
        for shell in shells() {
            let before = "# net.ipv4.ip_forward=0\nother = 1\n net.ipv4.ip_forward = 0\n\nnet.ipv4.ip_forward=5";
            fs::write(shell.at("etc/sysctl.conf"), before).unwrap();
            let arguments = json!({"key": "net.ipv4.ip_forward", "val": 1, "reload": false});
            let outcome = on(&shell, REAL, arguments).await.unwrap();
            assert_eq!(outcome.diff[0].before, "net.ipv4.ip_forward = 5\n");
            let after = "# net.ipv4.ip_forward=0\nother = 1\nnet.ipv4.ip_forward=1\n\n";
            assert_eq!(read(&shell, "etc/sysctl.conf").trim_end(), after.trim_end());
            assert_eq!(read(&shell, "proc/sys/net/ipv4/ip_forward"), "0\n");

            let absent = json!({"name": "net.ipv4.ip_forward", "state": "absent"});
            assert!(on(&shell, REAL, absent.clone()).await.unwrap().changed);
            assert_eq!(
                read(&shell, "etc/sysctl.conf").trim_end(),
                "# net.ipv4.ip_forward=0\nother = 1"
            );
            assert!(!on(&shell, REAL, absent).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn white_space_does_not_matter_and_sysctl_set_looks_at_the_kernel() {
        for shell in shells() {
            fs::write(
                shell.at("etc/sysctl.conf"),
                "net.ipv4.tcp_rmem =  1   2\t3\n",
            )
            .unwrap();
            let arguments =
                json!({"name": "net.ipv4.tcp_rmem", "value": "1 2 3", "sysctl_set": true});
            assert!(!on(&shell, REAL, arguments.clone()).await.unwrap().changed);
            fs::write(shell.at("proc/sys/net/ipv4/tcp_rmem"), "1\t2\t4\n").unwrap();
            assert!(on(&shell, REAL, arguments.clone()).await.unwrap().changed);
            assert_eq!(read(&shell, "proc/sys/net/ipv4/tcp_rmem"), "1 2 3\n");
            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn dots_in_names_are_written_as_slashes() {
        for shell in shells() {
            for name in [
                "net.ipv4.conf.eth0/5.forwarding",
                "net/ipv4/conf/eth0.5/forwarding",
            ] {
                fs::write(shell.at("proc/sys/net/ipv4/conf/eth0.5/forwarding"), "0\n").unwrap();
                on(&shell, REAL, json!({"name": name, "value": 1}))
                    .await
                    .unwrap();
                assert_eq!(
                    read(&shell, "proc/sys/net/ipv4/conf/eth0.5/forwarding"),
                    "1\n"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_parameter_that_the_kernel_does_not_know_fails_before_anything_is_written() {
        for shell in shells() {
            let arguments = json!({"name": "net.bridge.bridge-nf-call-iptables", "value": 1});
            let failure = on(&shell, REAL, arguments).await.unwrap_err();
            assert_eq!(
                failure.message,
                "the node's kernel knows no parameter net.bridge.bridge-nf-call-iptables"
            );
            assert!(failure.hint.unwrap().contains("br_netfilter"));
            assert!(!shell.dir().join("etc/sysctl.conf").exists());
            let arguments = json!({"name": "net.bridge.x", "value": 1, "ignoreerrors": true});
            assert!(on(&shell, REAL, arguments).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn arguments_that_make_no_sense_are_refused() {
        let host = fake::Fake::new([]);
        for arguments in [
            json!({"name": "a"}),
            json!({"name": "a", "value": ""}),
            json!({"name": "a", "value": [1]}),
            json!({"name": "a=1", "value": 1}),
            json!({"name": "a", "value": 1, "sysctl_file": "k.conf"}),
        ] {
            assert!(
                fake::run::<SysctlArgs>(&host, &FakeController::new("/"), REAL, arguments)
                    .await
                    .is_err()
            );
        }
    }
}
