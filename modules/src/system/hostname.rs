//! `hostname`: the name of a node.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::systemd::switch;
use crate::args::Text;
use crate::describe::{Invalid, Return};
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Difference, Failure, Outcome};

const PARTS: &[kit::Part] = &[kit::HOSTNAME];

/// Sets the name of the node, now and for the next boot. `/etc/hosts` is left alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostnameArgs {
    /// The name.
    name: Text,
    /// Taken for playbooks that have it, and without meaning: the node's way is found out.
    #[expect(
        dead_code,
        reason = "read so that playbooks that have it are not refused"
    )]
    #[serde(rename = "use")]
    way: Option<Text>,
}

impl Arguments for HostnameArgs {
    const NAME: &'static str = "hostname";
    const NEEDS: &'static [&'static str] = &["hostnamectl where systemd runs, otherwise hostname"];
    const RETURNS: &'static [Return] = &[
        Return::text("name", "the name"),
        Return::map(
            "ansible_facts",
            "`ansible_hostname`, `ansible_nodename`, `ansible_fqdn` and `ansible_domain`, set again",
        ),
    ];
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Call the node as the inventory calls it\n  hostname:\n    name: \"{{ inventory_hostname }}\"\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        let usual = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || b == b'_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(usual) {
            return Err(Invalid::new(
                &["name"],
                format!(
                    "`{}` cannot be a host's name: letters, digits, dots, hyphens and underscores, 64 at most",
                    self.name
                ),
            ));
        }
        Ok(())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let call = kit::call("w_hostname", &[switch(context.check), &*self.name]);
        let reply = context.host.run(kit::script(PARTS, call)).await?;
        let records = Records::read(&reply)?;
        let changed = records.flag("changed");
        let name = &self.name.0;
        let (short, domain) = name.split_once('.').unwrap_or((name, ""));
        let mut outcome = Outcome::changed(changed).with("name", name.clone());
        if let Value::Object(facts) = json!({
            "ansible_hostname": short,
            "ansible_nodename": name,
            "ansible_fqdn": name,
            "ansible_domain": domain,
        }) {
            outcome.facts = facts;
        }
        if changed {
            outcome = outcome.difference(Difference {
                before_header: "hostname".to_owned(),
                after_header: "hostname".to_owned(),
                before: format!("{}\n", records.text("before").unwrap_or_default()),
                after: format!("{name}\n"),
            });
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::HostnameArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell};
    use crate::outcome::{Failure, Outcome};

    async fn on(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<HostnameArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    /// Shells whose file system begins at a folder of their own. Their `uname -n` is what `hostname`
    /// or `hostnamectl` set, and `old` before.
    fn shells() -> impl Iterator<Item = Shell> {
        let shells = fake::shells().into_iter().chain([fake::posix()]);
        shells.map(|shell| {
            fs::create_dir(shell.at("etc")).unwrap();
            fs::write(shell.at("name"), "old\n").unwrap();
            let root = shell.at("");
            shell
                .variable("w_root", root.trim_end_matches('/'))
                .tool("uname", "cat name")
                .tool("hostname", "echo \"$1\" >name; echo hostname >>log")
                .tool(
                    "hostnamectl",
                    r#"
[ ! -e broken ] || exit 1
[ "$2" = set-hostname ] && echo "$3" >name && echo "$3" >etc/hostname && echo hostnamectl >>log"#,
                )
        })
    }

    #[tokio::test]
    async fn it_is_set_once_by_the_way_of_the_node() {
        for shell in shells() {
            let read = |name: &str| fs::read_to_string(shell.at(name)).unwrap_or_default();
            let arguments = json!({"name": "cp1.lab.example"});
            let outcome = on(&shell, CHECK, arguments.clone()).await.unwrap();
            assert!(outcome.changed);
            assert_eq!(outcome.diff[0].before, "old\n");
            assert_eq!(read("log"), "");

            let outcome = on(&shell, REAL, arguments.clone()).await.unwrap();
            assert_eq!(outcome.facts["ansible_hostname"], "cp1");
            assert_eq!(outcome.facts["ansible_domain"], "lab.example");
            assert_eq!(read("etc/hostname"), "cp1.lab.example\n");
            assert_eq!(read("log"), "hostname\n");
            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);

            fs::create_dir_all(shell.at("run/systemd/system")).unwrap();
            assert!(
                on(&shell, REAL, json!({"name": "cp2"}))
                    .await
                    .unwrap()
                    .changed
            );
            assert_eq!(read("log"), "hostname\nhostnamectl\n");

            // A container: hostnamectl has nobody to talk to.
            fs::write(shell.at("broken"), "").unwrap();
            assert!(
                on(&shell, REAL, json!({"name": "cp3"}))
                    .await
                    .unwrap()
                    .changed
            );
            assert_eq!(read("etc/hostname"), "cp3\n");
            assert_eq!(read("name"), "cp3\n");
        }
    }

    #[tokio::test]
    async fn a_name_that_is_none_is_refused() {
        let host = fake::Fake::new([]);
        for name in ["", "a b", "a;b", &"x".repeat(65)] {
            let result = fake::run::<HostnameArgs>(
                &host,
                &FakeController::new("/"),
                REAL,
                json!({"name": name}),
            )
            .await;
            assert!(result.is_err());
        }
    }
}
