//! What hosts say of themselves: `ansible_facts`, and the same as variables of their own.
//!
//! A host is not trusted to say how it is reached or as whom tasks run on it.

use std::collections::HashMap;

use indexmap::IndexMap;
use minijinja::Value;
use serde_json::{Map, Value as Json};
use windlass_modules::transcript::Held;

use super::{names, settings};
use crate::template;

/// Names of Ansible's that no fact may take though nothing here reads them: a playbook, or a later
/// version, may; as in its `clean_facts`.
const RESERVED: [&str; 16] = [
    "ansible_async_dir",
    "ansible_connection_user",
    "ansible_executable",
    "ansible_failed_result",
    "ansible_failed_task",
    "ansible_index_var",
    "ansible_loop",
    "ansible_loop_var",
    "ansible_module_compression",
    "ansible_network_os",
    "ansible_pipelining",
    "ansible_playbook_python",
    "ansible_rsync_path",
    "ansible_scp_executable",
    "ansible_shell_executable",
    "ansible_shell_type",
];

/// What the names of ways to reach a host and to become a user begin with.
const OF_CONNECTION: [&str; 10] = [
    "ansible_ssh_",
    "ansible_paramiko_",
    "ansible_local_",
    "ansible_become_",
    "ansible_sudo_",
    "ansible_su_",
    "ansible_doas_",
    "ansible_sftp_",
    "ansible_scp_",
    "ansible_remote_",
];

/// The facts of a host's keys, which begin as names of the connection do.
const HOST_KEYS: [&str; 8] = [
    "ansible_ssh_host_key_dsa_public",
    "ansible_ssh_host_key_dsa_public_keytype",
    "ansible_ssh_host_key_ecdsa_public",
    "ansible_ssh_host_key_ecdsa_public_keytype",
    "ansible_ssh_host_key_ed25519_public",
    "ansible_ssh_host_key_ed25519_public_keytype",
    "ansible_ssh_host_key_rsa_public",
    "ansible_ssh_host_key_rsa_public_keytype",
];

/// The facts of a host.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// By their names as variables.
    injected: IndexMap<String, Value>,
    /// By their names in `ansible_facts`, without `ansible_` before them.
    named: IndexMap<String, Value>,
    /// `ansible_facts` as a value, made when facts change and not when they are used.
    all: Value,
    /// What is drawn for those that came with many or long ones.
    held: HashMap<String, Held>,
}

impl Facts {
    /// Adds facts, whose names may begin with `ansible_` or not.
    pub(super) fn extend(&mut self, facts: Map<String, Json>, held: Option<&Held>) {
        for (name, value) in facts {
            let value = template::from_json(&value);
            let bare = match name.strip_prefix("ansible_") {
                Some(bare) if bare != "local" => bare.to_owned(),
                _ => name.clone(),
            };
            match held {
                Some(held) => self.held.insert(bare.clone(), held.clone()),
                None => self.held.remove(&bare),
            };
            self.named.insert(bare, value.clone());
            if is_harmless(&name) {
                self.injected.insert(name, value);
            }
        }
        let entries = self.named.iter();
        self.all = Value::from_pairs(entries.map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// A fact as a variable.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.injected.get(name)
    }

    /// `ansible_facts`.
    pub(super) fn all(&self) -> Value {
        if self.named.is_empty() {
            Value::from_pairs(std::iter::empty::<(String, Value)>())
        } else {
            self.all.clone()
        }
    }

    /// Names of facts as variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.injected.keys().map(String::as_str)
    }
}

/// Whether a fact may be a variable of its own. One that may not is in `ansible_facts` all the same.
pub(super) fn is_harmless(name: &str) -> bool {
    if HOST_KEYS.contains(&name) {
        return true;
    }
    let reserved = settings::is_setting(name)
        || names::is_magic(name)
        || RESERVED.contains(&name)
        || OF_CONNECTION.iter().any(|prefix| name.starts_with(prefix))
        || (name.starts_with("ansible_") && name.ends_with("_interpreter"));
    !reserved
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use windlass_modules::transcript::Ledger;

    use super::Facts;
    use crate::template::to_json;

    fn facts(json: &serde_json::Value) -> Facts {
        let mut facts = Facts::default();
        facts.extend(json.as_object().unwrap().clone(), None);
        facts
    }

    #[test]
    fn facts_have_short_names_in_ansible_facts_and_their_own_as_variables() {
        let facts = facts(
            &json!({"ansible_os_family": "Debian", "ansible_local": {"a": 1}, "packages": {}}),
        );
        assert_eq!(
            to_json(&facts.all()),
            json!({"os_family": "Debian", "ansible_local": {"a": 1}, "packages": {}})
        );
        let names: Vec<&str> = facts.names().collect();
        assert_eq!(names, ["ansible_os_family", "ansible_local", "packages"]);
        assert_eq!(to_json(&Facts::default().all()), json!({}));
    }

    #[test]
    fn what_is_drawn_for_facts_is_given_back_when_all_of_them_are_set_again() {
        let ledger = Ledger::default();
        let drawn = || ledger.drawn().0;
        let large = ledger.account("h").hold(3 << 20).unwrap();
        let map = |json: serde_json::Value| json.as_object().unwrap().clone();
        let mut facts = Facts::default();
        facts.extend(map(json!({"ansible_a": 1, "b": 2})), Some(&large));
        drop(large);
        assert_eq!(drawn(), 3 << 20);
        facts.extend(map(json!({"a": 1, "c": 1})), None);
        assert_eq!(drawn(), 3 << 20);
        facts.extend(map(json!({"b": 1})), None);
        assert_eq!(drawn(), 0);
    }

    #[test]
    fn no_fact_is_a_name_that_the_connection_reads_or_that_is_magic() {
        let all = json!({
            "ansible_ssh_host_key_checking": "no", "ansible_host_key_checking": "no",
            "ansible_ssh_host_key_evil_public": "x", "ansible_doas_pass": "x",
            "ansible_limit": "x", "ansible_play_batch": "x", "environment": "x", "ansible_loop": "x",
        });
        let facts = facts(&all);
        assert_eq!(facts.names().collect::<Vec<_>>(), Vec::<&str>::new());
        // What it said can still be seen, where nothing else is.
        assert_eq!(to_json(&facts.all())["ssh_host_key_checking"], "no");
    }

    #[test]
    fn a_host_cannot_say_how_it_is_reached() {
        let facts = facts(&json!({
            "ansible_host": "evil", "ansible_user": "evil", "ansible_ssh_extra_args": "-o ProxyCommand=evil",
            "ansible_become_exe": "evil", "ansible_sudo_flags": "evil", "ansible_connection": "local",
            "ansible_python_interpreter": "evil", "ansible_ssh_host_key_rsa_public": "AAAA",
            "ansible_user_id": "root",
        }));
        let names: Vec<&str> = facts.names().collect();
        assert_eq!(
            names,
            ["ansible_ssh_host_key_rsa_public", "ansible_user_id"]
        );
    }
}
