//! `setup`: facts about a node.

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::facts::{Sources, Subsets, facts};
use crate::args::{List, Number};
use crate::describe::{CheckMode, Invalid, Return};
use crate::host::Script;
use crate::kit::{self, Part, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};
use crate::wildcard;

const PARTS: &[Part] = &[Part {
    name: "facts",
    source: include_str!("../kit/facts.sh"),
    needs: &[&kit::RECORDS],
}];

/// The facts of a node with hundreds of interfaces have some hundred KiB.
const LARGEST: usize = 1 << 20;

/// Gathers facts about the node, in one round trip. A play does this at its start, unless it says
/// `gather_facts: false`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupArgs {
    /// Which facts: `all`, `min`, `hardware`, `network`, `virtual`; with `!` before it, not these.
    /// The minimal ones always, unless `!min` is there.
    #[serde(default)]
    gather_subset: List,
    /// Only facts whose names match one of these patterns (`*`, `?`, `[…]`), with `ansible_` before
    /// the name or without.
    #[serde(default)]
    filter: List,
    /// Taken for playbooks that have it, and without meaning: the task's own time limit counts.
    #[expect(
        dead_code,
        reason = "read so that playbooks that have it are not refused"
    )]
    gather_timeout: Option<Number<u32>>,
}

impl Arguments for SetupArgs {
    const NAME: &'static str = "setup";
    const ALIASES: &'static [&'static str] = &["gather_facts"];
    const NEEDS: &'static [&'static str] = &["Linux with /proc; ip or ifconfig for addresses"];
    const RETURNS: &'static [Return] = &[Return::map(
        "ansible_facts",
        "facts with the names that Ansible has for them, among others `ansible_hostname`, \
         `ansible_fqdn`, `ansible_os_family`, `ansible_distribution`, `ansible_distribution_version`, \
         `ansible_kernel`, `ansible_architecture`, `ansible_processor_vcpus`, `ansible_memtotal_mb`, \
         `ansible_swaptotal_mb`, `ansible_default_ipv4`, `ansible_all_ipv4_addresses`, \
         `ansible_interfaces`, `ansible_mounts`, `ansible_devices`, `ansible_date_time`, `ansible_env`, \
         `ansible_user_id`, `ansible_service_mgr`, `ansible_pkg_mgr`, `ansible_virtualization_type`, \
         `ansible_product_uuid`, `ansible_machine_id`, `ansible_selinux`, `ansible_cmdline`, \
         `ansible_uptime_seconds`; there is no `ansible_python`, since the node needs none",
    )];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Find out how much memory the node has\n  setup:\n    gather_subset: [hardware]\n    filter: ansible_mem*\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        Subsets::read(&self.gather_subset)
            .map(drop)
            .map_err(Invalid::about(&["gather_subset"]))
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let subsets = Subsets::read(&self.gather_subset).map_err(Failure::new)?;
        // Not in the C locale as a whole: the environment is one of the facts.
        let script = Script::new("w_facts").parts(PARTS).answer(LARGEST);
        let reply = context.host.run(script).await?;
        let mut facts = facts(&Sources::new(Records::read(&reply)?), subsets);
        let patterns: Vec<Regex> = self
            .filter
            .iter()
            .filter_map(|pattern| wildcard::whole(pattern).ok())
            .collect();
        if !patterns.is_empty() {
            facts.retain(|name, _| {
                let short = name.strip_prefix("ansible_").unwrap_or(name);
                patterns
                    .iter()
                    .any(|p| p.is_match(name) || p.is_match(short))
            });
        }
        Ok(Outcome {
            facts,
            ..Outcome::ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::SetupArgs;
    use crate::fake::{self, FakeController, REAL, Shell};

    async fn facts(shell: &Shell, arguments: Value) -> Map<String, Value> {
        let outcome =
            fake::run::<SetupArgs>(shell, &FakeController::new("/"), REAL, arguments).await;
        outcome.unwrap().facts
    }

    #[tokio::test]
    async fn this_machine_has_facts_under_every_shell_in_one_trip() {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        for shell in fake::shells().into_iter().chain([fake::posix()]) {
            let shell = shell.variable("TWO_LINES", "a\nb");
            let facts = facts(&shell, json!({})).await;
            assert_eq!(facts["ansible_system"], "Linux");
            assert_eq!(facts["ansible_kernel"], kernel.trim());
            assert_eq!(
                facts["ansible_env"]["HOME"],
                shell.dir().display().to_string()
            );
            assert!(
                !facts["ansible_env"]
                    .as_object()
                    .unwrap()
                    .contains_key("LC_ALL")
            );
            for name in [
                "ansible_memtotal_mb",
                "ansible_processor_vcpus",
                "ansible_uptime_seconds",
            ] {
                assert!(facts[name].as_u64().unwrap() > 0, "{name}");
            }
            assert!(facts["ansible_date_time"]["epoch"].is_string());
            assert_eq!(facts["ansible_lo"]["type"], "loopback");
            assert_eq!(shell.trips(), 1);
        }
    }

    #[tokio::test]
    async fn only_what_is_asked_for_is_given() {
        let shell = Shell::new("dash", &["dash"]);
        let only = facts(&shell, json!({"filter": "kernel, ansible_mem*"})).await;
        let names: Vec<&str> = only.keys().map(String::as_str).collect();
        assert!(names.contains(&"ansible_kernel") && names.contains(&"ansible_memory_mb"));
        assert!(!names.contains(&"ansible_kernel_version"));
        let minimal = facts(&shell, json!({"gather_subset": ["!all"]})).await;
        assert!(minimal.contains_key("ansible_os_family"));
        assert!(!minimal.contains_key("ansible_interfaces"));
    }

    #[tokio::test]
    async fn no_more_is_taken_of_a_node_than_facts_have() {
        let host = fake::Fake::saying(&["files 0\n\n"]);
        let control = FakeController::new("/");
        fake::run::<SetupArgs>(&host, &control, REAL, json!({}))
            .await
            .unwrap();
        assert_eq!(host.scripts()[0].answer, 1 << 20);
    }
}
