//! `etcd_member`: who is in an etcd; takes members in, and out.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::{Flag, Text};
use crate::describe::{CheckMode, Return, Rule, When};
use crate::kit::{self, Records, quote};
use crate::kube::etcd::{self, ETCDCTL, Member};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Looks after the members of an etcd that kubeadm made. Runs on a node with a member that is healthy: a
/// control plane with stacked etcd, or a host of an external one.
///
/// `state: listed` changes nothing. `state: present` adds the member at `peer_url`, which is to be
/// started after that; and once it has started, makes a voter of a learner, unless `learner: true`.
/// Adding is refused while a member is not healthy: each voter more makes the quorum greater.
///
/// `state: absent` is only for a member whose data is gone: a node that was reset, or that does not exist
/// any more. A member that still answers makes the task fail. A member that merely cannot be reached must
/// not be removed: whether that is so only you can know. It is refused where those that are healthy would
/// not be a quorum of those that are left.
///
/// Uses the node's `etcdctl` if it is of etcd's minor version, and otherwise that of the etcd container.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EtcdMemberArgs {
    /// `absent`: there is no such member; `present`: there is; `listed`: only ask.
    pub state: MemberState,
    /// Where other members reach it, as `kubeadm_state` returns it: `https://10.0.0.12:2380`.
    pub peer_url: Option<Text>,
    /// The name of the member, which is that of its Node. One that has never started has none.
    pub name: Option<Text>,
    /// With `present`: it is added as a learner (etcd 3.4 and later), which has no vote until it has
    /// caught up, and stays one until a task without this makes it a voter.
    #[serde(default = "Flag::no")]
    pub learner: Flag,
}

/// What is to be of the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// It should not be there.
    Absent,
    /// It should be there.
    Present,
    /// Only who is there is asked.
    Listed,
}

impl Arguments for EtcdMemberArgs {
    const NAME: &'static str = "etcd_member";
    const NEEDS: &'static [&'static str] = &[
        "etcdctl, or a way to the one in the etcd container (crictl, ctr, docker, kubectl, or chroot)",
        "root (`become: true`)",
    ];
    const RULES: &'static [Rule] = &[
        Rule::NeedsOne(When::Is("state", &["absent"]), &["peer_url", "name"]),
        Rule::Needs(When::Is("state", &["present"]), &["peer_url", "name"]),
    ];
    const RETURNS: &'static [Return] = &[
        Return::list(
            "members",
            "those before, each with `id`, `name`, `started`, `peer_url`, `client_url`, `learner`, and \
             `healthy`: whether it answered, as part of a quorum",
        ),
        Return::bool("in_use", "whether Kubernetes has written anything"),
        Return::bool("learners", "whether this etcd knows learners"),
        Return::list("removed", "the ids of those that were removed"),
        Return::bool("added", "whether one was added"),
        Return::bool("promoted", "whether a learner was made a voter"),
        Return::text("msg", "what was done, or would be"),
        Return::text("stdout", "what etcdctl printed"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Does("It only lists, and says what it would do.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: See the members\n  etcd_member:\n    state: listed\n  become: true\n  register: etcd\n\n- name: Remove one whose machine is gone\n  etcd_member:\n    state: absent\n    name: cp3\n  become: true\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let listed = etcd::list(context).await?;
        let members = &listed.members;
        let outcome = Outcome::ok()
            .with(
                "members",
                members.iter().map(Member::describe).collect::<Vec<_>>(),
            )
            .with("in_use", listed.in_use)
            .with("learners", listed.learners)
            .with("removed", Vec::<String>::new())
            .with("added", false)
            .with("promoted", false);
        match self.state {
            MemberState::Listed => Ok(outcome),
            MemberState::Absent => self.absent(context, members, outcome).await,
            MemberState::Present => self.present(context, members, outcome).await,
        }
    }
}

impl EtcdMemberArgs {
    fn is(&self, member: &Member) -> bool {
        self.peer_url
            .as_ref()
            .is_none_or(|url| **url == *member.peer_url)
            && self.name.as_ref().is_none_or(|name| **name == *member.name)
    }

    async fn absent(
        &self,
        context: &Context<'_>,
        members: &[Member],
        mut outcome: Outcome,
    ) -> Result<Outcome, Failure> {
        let (chosen, left): (Vec<&Member>, Vec<&Member>) =
            members.iter().partition(|member| self.is(member));
        if chosen.is_empty() {
            return Ok(outcome);
        }
        outcome.changed = true;
        let ids: Vec<String> = chosen.iter().map(|member| member.id.clone()).collect();
        let outcome = outcome.with("removed", ids);
        if context.check {
            return Ok(outcome);
        }
        if left.is_empty() {
            return Err(Failure::new(
                "it is the only member of etcd: its data is the cluster",
            ));
        }
        if let Some(why) = breaks_quorum(&left) {
            return Err(Failure::new(why).hint(
                "bring the members that are down up again first; if their data is gone, restore a snapshot",
            ));
        }
        for member in chosen {
            remove(context, member).await?;
        }
        Ok(outcome)
    }

    async fn present(
        &self,
        context: &Context<'_>,
        members: &[Member],
        mut outcome: Outcome,
    ) -> Result<Outcome, Failure> {
        let url = self.peer_url.as_deref().unwrap_or_default();
        let name = self.name.as_deref().unwrap_or_default();
        let there = members.iter().find(|member| member.peer_url == url);
        match there {
            Some(member) if !member.learner || *self.learner => Ok(outcome),
            Some(member) => {
                outcome.changed = true;
                if !context.check {
                    act(context, &["member", "promote", &member.id]).await?;
                }
                Ok(outcome.with("promoted", true))
            }
            None => {
                let sick: Vec<&str> = members
                    .iter()
                    .filter(|member| !member.healthy)
                    .map(|member| member.peer_url.as_str())
                    .collect();
                if !sick.is_empty() {
                    return Err(Failure::new(format!(
                        "no member is added while another is not healthy: {}",
                        sick.join(", ")
                    ))
                    .hint("bring it up again, or remove it if its data is gone"));
                }
                outcome.changed = true;
                if !context.check {
                    let peer = format!("--peer-urls={url}");
                    let mut words = vec!["member", "add", name, &peer];
                    if *self.learner {
                        words.push("--learner");
                    }
                    act(context, &words).await?;
                }
                Ok(outcome.with("added", true))
            }
        }
    }
}

/// Why those that are left would have no quorum, if so. etcd decides by those that vote.
fn breaks_quorum(left: &[&Member]) -> Option<String> {
    let voters: Vec<&&Member> = left.iter().filter(|member| !member.learner).collect();
    let healthy = voters.iter().filter(|member| member.healthy).count();
    let quorum = voters.len() / 2 + 1;
    (healthy < quorum).then(|| {
        format!(
            "without it etcd would have {} voting members, of which {healthy} are healthy, and needs {quorum}: \
             it would lose its quorum, and the cluster would stop",
            voters.len()
        )
    })
}

/// Runs etcdctl on the member of the node.
async fn act(context: &Context<'_>, words: &[&str]) -> Result<(), Failure> {
    let mut source = ETCDCTL.to_owned();
    let quoted: Vec<_> = words.iter().map(|word| quote(word)).collect();
    let _ = writeln!(
        source,
        "said=$(w_etcdctl --endpoints \"$here\" {}) || w_fail {}\": $said\"",
        quoted.join(" "),
        quote(&format!("etcd refuses `{}`", words[..2].join(" "))),
    );
    let reply = context
        .host
        .run(kit::script(&[kit::RECORDS], source))
        .await?;
    Records::read(&reply).map(drop)
}

async fn remove(context: &Context<'_>, member: &Member) -> Result<(), Failure> {
    if member.healthy {
        return Err(Failure::new(format!(
            "the member {} at {} is alive and healthy",
            member.name, member.client_url
        ))
        .hint("reset its node first"));
    }
    act(context, &["member", "remove", &member.id]).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::{self, CHECK, Fake, FakeController, REAL, RunMode};

    /// Two members that are healthy, and `third` as `member list` says it.
    fn listed(third: &str) -> String {
        let list = format!(
            "1a, started, e1, https://10.0.0.1:2380, https://10.0.0.1:2379, false\n\
             2b, started, e2, https://10.0.0.2:2380, https://10.0.0.2:2379, false\n{third}"
        );
        let health =
            "https://10.0.0.1:2379 is healthy: x\nhttps://10.0.0.2:2379 is healthy: x\nError: one";
        format!(
            "list {}\n{list}\nhealth {}\n{health}\nin_use 1\n1\n",
            list.len(),
            health.len()
        )
    }

    /// What came of it, and the words that etcdctl was given.
    async fn run(
        third: &str,
        mode: RunMode,
        arguments: serde_json::Value,
    ) -> (Result<Outcome, Failure>, String) {
        let host = Fake::saying(&[&listed(third), ""]);
        let control = FakeController::new(".");
        let result = fake::run::<EtcdMemberArgs>(&host, &control, mode, arguments).await;
        let said = host.scripts().get(1).map(|script| {
            let last = script.source.trim_end().lines().last().unwrap_or_default();
            let words = last.split_once("\"$here\" ").map(|(_, words)| words);
            words
                .and_then(|words| words.split_once(')'))
                .map(|(words, _)| words.to_owned())
                .unwrap_or_default()
        });
        (result, said.unwrap_or_default())
    }

    const DOWN: &str = "3c, started, e3, https://10.0.0.3:2380, https://10.0.0.3:2379, false";
    const NEW: &str = "3c, unstarted, , https://10.0.0.3:2380, , false";
    const LEARNER: &str = "3c, started, e3, https://10.0.0.3:2380, https://10.0.0.3:2379, true";

    fn third(state: &str, learner: bool) -> serde_json::Value {
        json!({"state": state, "name": "e3", "peer_url": "https://10.0.0.3:2380", "learner": learner})
    }

    #[tokio::test]
    async fn a_member_that_is_down_is_removed_and_one_that_is_healthy_is_not() {
        let (outcome, said) = run(DOWN, REAL, third("absent", false)).await;
        let outcome = outcome.unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.data["removed"], json!(["3c"]));
        assert_eq!(said, "member remove 3c");
        let (outcome, said) = run(DOWN, CHECK, third("absent", false)).await;
        assert!(outcome.unwrap().changed);
        assert_eq!(said, "");
        let (failure, said) = run(DOWN, REAL, json!({"state": "absent", "name": "e2"})).await;
        let message = failure.unwrap_err().message;
        assert!(message.contains("of which 1 are healthy"), "{message}");
        assert_eq!(said, "");
        let (failure, said) = run("", REAL, json!({"state": "absent", "name": "e2"})).await;
        let message = failure.unwrap_err().message;
        assert!(message.contains("alive and healthy"), "{message}");
        assert_eq!(said, "");
    }

    #[tokio::test]
    async fn a_learner_is_added_then_promoted_and_left_alone_after_that() {
        let (outcome, said) = run("", REAL, third("present", true)).await;
        assert_eq!(outcome.unwrap().data["added"], json!(true));
        assert_eq!(
            said,
            "member add e3 --peer-urls=https://10.0.0.3:2380 --learner"
        );
        let (outcome, said) = run(LEARNER, REAL, third("present", true)).await;
        assert!(!outcome.unwrap().changed);
        assert_eq!(said, "");
        let (outcome, said) = run(LEARNER, REAL, third("present", false)).await;
        assert_eq!(outcome.unwrap().data["promoted"], json!(true));
        assert_eq!(said, "member promote 3c");
        let (outcome, said) = run(NEW, REAL, third("present", false)).await;
        assert!(!outcome.unwrap().changed);
        assert_eq!(said, "");
    }

    #[tokio::test]
    async fn none_is_added_while_another_is_down() {
        let fourth = json!({"state": "present", "name": "e4", "peer_url": "https://10.0.0.4:2380"});
        let (failure, said) = run(DOWN, REAL, fourth).await;
        assert_eq!(
            failure.unwrap_err().message,
            "no member is added while another is not healthy: https://10.0.0.3:2380"
        );
        assert_eq!(said, "");
    }

    #[tokio::test]
    async fn listing_says_who_is_there_and_changes_nothing() {
        let (outcome, said) = run(DOWN, REAL, json!({"state": "listed"})).await;
        let outcome = outcome.unwrap();
        assert!(!outcome.changed);
        assert_eq!(outcome.data["in_use"], json!(true));
        assert_eq!(outcome.data["learners"], json!(true));
        let members = outcome.data["members"].as_array().unwrap();
        let healthy: Vec<_> = members.iter().map(|member| &member["healthy"]).collect();
        assert_eq!(healthy, [true, true, false]);
        assert_eq!(said, "");
    }

    fn member(healthy: bool, learner: bool) -> Member {
        Member {
            id: "1a".to_owned(),
            started: true,
            name: "e".to_owned(),
            peer_url: "https://x:2380".to_owned(),
            client_url: "https://x:2379".to_owned(),
            learner,
            healthy,
        }
    }

    #[test]
    fn quorum_is_of_those_that_vote_and_would_be_left() {
        let (well, down, learner) = (
            member(true, false),
            member(false, false),
            member(true, true),
        );
        assert_eq!(breaks_quorum(&[&well, &well]), None);
        assert_eq!(breaks_quorum(&[&well]), None);
        assert_eq!(breaks_quorum(&[&well, &well, &down]), None);
        let why = breaks_quorum(&[&well, &down]).unwrap();
        assert!(
            why.contains("2 voting members, of which 1 are healthy, and needs 2"),
            "{why}"
        );
        assert!(breaks_quorum(&[&well, &down, &learner]).is_some());
    }
}
