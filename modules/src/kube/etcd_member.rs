//! `etcd_member`: takes a member that is gone for good out of a stacked etcd.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::Text;
use crate::kit::{self, Records, quote};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Takes a member out of the etcd of a cluster with stacked etcd. Runs on a control plane that is well.
///
/// Only for a member whose data is gone: a node that was reset, or that does not exist any more. A
/// member that still answers makes the task fail. A member that merely cannot be reached must not be
/// removed: whether that is so only you can know.
///
/// Uses the node's `etcdctl` if it has one, and otherwise that of the etcd pod.
///
/// Returns: `members` (a list of those before, each with `id`, `name`, `started`, `peer_url`,
/// `client_url`, `learner`, and `healthy`: whether it answered, as part of a quorum), `removed` (the ids
/// of those that were removed). In check mode it only lists.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EtcdMember {
    /// `absent`: there is no such member.
    pub state: Wanted,
    /// Where other members reach it, as `kubeadm_state` returns it: `https://10.0.0.12:2380`.
    pub peer_url: Option<Text>,
    /// The name of the member, which is that of its Node. One that has never started has none.
    pub name: Option<Text>,
}

/// What is to be of the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// It is not to be there.
    Absent,
}

/// A line of `etcdctl member list`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    id: String,
    started: bool,
    name: String,
    peer_url: String,
    client_url: String,
    learner: bool,
    healthy: bool,
}

impl Member {
    /// Reads `8e9e05c52164694d, started, cp1, https://…:2380, https://…:2379, false`. The last came in
    /// etcd 3.4.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split(", ").map(str::trim);
        let mut next = || fields.next().map(str::to_owned);
        let (id, status, name, peer_url) = (next()?, next()?, next()?, next()?);
        if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        Some(Self {
            id,
            started: status == "started",
            name,
            peer_url,
            client_url: next().unwrap_or_default(),
            learner: next().as_deref() == Some("true"),
            healthy: false,
        })
    }

    /// With what `etcdctl endpoint health` said of all of them: `https://…:2379 is healthy: …`.
    fn judged_by(mut self, health: &str) -> Self {
        let healthy = format!("{} is healthy", self.client_url);
        self.healthy =
            !self.client_url.is_empty() && health.lines().any(|line| line.starts_with(&healthy));
        self
    }
}

const ETCDCTL: &str = r#"
pki=/etc/kubernetes/pki/etcd
[ -r $pki/healthcheck-client.key ] || w_fail "$pki/healthcheck-client.key cannot be read" \
  'run the task on a control plane with etcd, as root (become: true)'
w_etcdctl() {
  set -- --cacert $pki/ca.crt --cert $pki/healthcheck-client.crt --key $pki/healthcheck-client.key "$@"
  if w_has etcdctl; then
    ETCDCTL_API=3 etcdctl "$@" 2>&1
  else
    w_need kubectl 'to reach etcdctl in the etcd pod'
    kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system exec \
      "etcd-$(uname -n | tr '[:upper:]' '[:lower:]')" -- etcdctl "$@" 2>&1
  fi
}
"#;

impl Arguments for EtcdMember {
    const NAME: &'static str = "etcd_member";
    const NEEDS: &'static [&'static str] = &["etcdctl, or kubectl", "root (`become: true`)"];

    fn validate(&self) -> Result<(), String> {
        match (&self.peer_url, &self.name) {
            (None, None) => Err("one of peer_url and name is needed".to_owned()),
            _ => Ok(()),
        }
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let Wanted::Absent = self.state;
        let members = list(context).await?;
        let chosen: Vec<&Member> = members.iter().filter(|member| self.is(member)).collect();
        let outcome = Outcome::changed(!chosen.is_empty())
            .with("members", members.iter().map(describe).collect::<Vec<_>>())
            .with(
                "removed",
                chosen.iter().map(|m| m.id.clone()).collect::<Vec<_>>(),
            );
        if chosen.is_empty() || context.check {
            return Ok(outcome);
        }
        if members.len() == chosen.len() {
            return Err(Failure::new(
                "it is the only member of etcd: its data is the cluster",
            ));
        }
        for member in chosen {
            remove(context, member).await?;
        }
        Ok(outcome)
    }
}

impl EtcdMember {
    fn is(&self, member: &Member) -> bool {
        self.peer_url
            .as_ref()
            .is_none_or(|url| **url == *member.peer_url)
            && self.name.as_ref().is_none_or(|name| **name == *member.name)
    }
}

fn describe(member: &Member) -> serde_json::Value {
    serde_json::json!({
        "id": member.id,
        "name": member.name,
        "started": member.started,
        "peer_url": member.peer_url,
        "client_url": member.client_url,
        "learner": member.learner,
        "healthy": member.healthy,
    })
}

/// Lists the members, and asks each that has started whether it is well.
const LIST: &str = r#"
list=$(w_etcdctl --endpoints https://127.0.0.1:2379 member list) || w_fail "etcd does not list its members: $list"
w_put list "$list"
# The fifth field is the client URL; a member that has not started has none. One that is down makes the
# status of the whole bad, which says nothing new.
urls=$(printf '%s\n' "$list" | awk -F ', *' '$5 ~ /^http/ { printf "%s%s", between, $5; between = "," }')
if [ "$urls" ]; then
  w_put health "$(w_etcdctl --endpoints "$urls" --command-timeout=5s endpoint health || :)"
fi
"#;

async fn list(context: &Context<'_>) -> Result<Vec<Member>, Failure> {
    let source = format!("{ETCDCTL}{LIST}");
    let reply = context
        .host
        .run(kit::script(&[kit::RECORDS], source))
        .await?;
    let records = Records::read(&reply)?;
    let text = records.text("list").unwrap_or_default();
    let health = records.text("health").unwrap_or_default();
    let members: Vec<Member> = text
        .lines()
        .filter_map(Member::read)
        .map(|member| member.judged_by(&health))
        .collect();
    if members.is_empty() {
        return Err(Failure::new("etcd's list of its members makes no sense").with("stdout", text));
    }
    Ok(members)
}

async fn remove(context: &Context<'_>, member: &Member) -> Result<(), Failure> {
    let mut source = ETCDCTL.to_owned();
    if member.started {
        let url = quote(&member.client_url);
        let alive = quote(&format!(
            "the member {} at {} is alive and well",
            member.name, member.client_url
        ));
        let _ = writeln!(
            source,
            "if w_etcdctl --endpoints {url} --command-timeout=5s endpoint health >/dev/null; then \
             w_fail {alive} 'reset its node first'; fi"
        );
    }
    let _ = writeln!(
        source,
        "said=$(w_etcdctl --endpoints https://127.0.0.1:2379 member remove {}) || \
         w_fail \"etcd does not remove the member: $said\"",
        quote(&member.id)
    );
    let reply = context
        .host
        .run(kit::script(&[kit::RECORDS], source))
        .await?;
    Records::read(&reply).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_etcdctl_lists_them() {
        let line =
            "8e9e05c52164694d, started, cp1, https://10.0.0.1:2380, https://10.0.0.1:2379, true";
        let member = Member::read(line).unwrap();
        assert!(member.started && member.learner);
        assert_eq!(member.name, "cp1");
        assert_eq!(member.peer_url, "https://10.0.0.1:2380");
        let new = Member::read("1f2e, unstarted, , https://10.0.0.2:2380, , false").unwrap();
        assert!(!new.started && !new.learner);
        assert_eq!((new.name.as_str(), new.client_url.as_str()), ("", ""));
        assert_eq!(Member::read("{\"level\": \"warn\", a, b, c}"), None);
    }

    #[test]
    fn a_member_is_healthy_when_etcd_says_so_of_its_own_url() {
        let health = "\
{\"level\":\"warn\",\"error\":\"context deadline exceeded\"}
https://10.0.0.11:2379 is healthy: successfully committed proposal: took = 9ms
https://10.0.0.2:2379 is unhealthy: failed to commit proposal: context deadline exceeded
Error: unhealthy cluster";
        let at = |url: &str| {
            Member::read(&format!("1f, started, cp, https://x:2380, {url}, false"))
                .unwrap()
                .judged_by(health)
                .healthy
        };
        assert!(at("https://10.0.0.11:2379"));
        assert!(!at("https://10.0.0.1:2379"));
        assert!(!at("https://10.0.0.2:2379"));
        assert!(!at(""));
    }
}
