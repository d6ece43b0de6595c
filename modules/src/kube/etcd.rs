//! The members of an etcd as one of them lists them. Asks, and changes nothing.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::kit::{self, Records};
use crate::kube::forms;
use crate::module::Context;
use crate::outcome::Failure;

/// The beginning of scripts that talk to the etcd member on their node with `w_etcdctl`.
pub const ETCDCTL: &str = include_str!("etcdctl.sh");

/// A line of `etcdctl member list`, and whether the member is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its number, in hexadecimal.
    pub id: String,
    /// Whether it has told the others its name.
    pub started: bool,
    /// Its name; none before it has started.
    pub name: String,
    /// Where the others reach it.
    pub peer_url: String,
    /// Where clients reach it; none before it has started.
    pub client_url: String,
    /// Whether it learns only, and does not vote yet.
    pub learner: bool,
    /// Whether it answered, as part of a quorum.
    pub healthy: bool,
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

    /// Whether its name and its addresses are such. They are given to other members, and one that has not started
    /// has no name and no clients.
    fn is_sound(&self) -> bool {
        let optional = |text: &str, form: fn(&str) -> bool| text.is_empty() || form(text);
        optional(&self.name, forms::is_member_name)
            && forms::is_member_url(&self.peer_url)
            && optional(&self.client_url, forms::is_member_url)
    }

    /// With what `etcdctl endpoint health` said of all of them: `https://…:2379 is healthy: …`.
    fn judged_by(mut self, health: &str) -> Self {
        let healthy = format!("{} is healthy", self.client_url);
        self.healthy =
            !self.client_url.is_empty() && health.lines().any(|line| line.starts_with(&healthy));
        self
    }

    /// As results say it.
    pub fn describe(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "started": self.started,
            "peer_url": self.peer_url,
            "client_url": self.client_url,
            "learner": self.learner,
            "healthy": self.healthy,
        })
    }
}

/// What an etcd says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its members.
    pub members: Vec<Member>,
    /// Whether Kubernetes has written anything into it.
    pub in_use: bool,
    /// Whether it knows members that only learn: etcd 3.4 and later.
    pub learners: bool,
}

/// Lists the members, and asks each that has started whether it is well.
const LIST: &str = r#"
list=$(w_etcdctl --endpoints "$here" member list) || w_fail "etcd does not list its members: $list"
w_put list "$list"
# The fifth field is the client URL; a member that has not started has none. One that is down makes the
# status of the whole bad, which says nothing new.
urls=$(printf '%s\n' "$list" | awk -F ', *' '$5 ~ /^http/ { printf "%s%s", between, $5; between = "," }')
if [ "$urls" ]; then
  w_put health "$(w_etcdctl --endpoints "$urls" --command-timeout=5s endpoint health || :)"
fi
case $(w_etcdctl --endpoints "$here" get /registry/ --prefix --keys-only --limit 1 || :) in
  */registry/*) w_put in_use 1 ;;
esac
"#;

/// Asks the member on the node.
pub async fn list(context: &Context<'_>) -> Result<Listed, Failure> {
    let mut source = ETCDCTL.to_owned();
    let _ = writeln!(source, "{LIST}");
    let reply = context
        .host
        .run(kit::script(&[kit::RECORDS], source))
        .await?;
    let records = Records::read(&reply)?;
    let text = records.text("list").unwrap_or_default();
    let health = records.text("health").unwrap_or_default();
    let learners = text.lines().any(|line| line.split(", ").count() > 5);
    let members: Vec<Member> = text
        .lines()
        .filter_map(Member::read)
        .map(|member| member.judged_by(&health))
        .collect();
    if members.is_empty() || !members.iter().all(Member::is_sound) {
        return Err(Failure::new("etcd's list of its members makes no sense").with("stdout", text));
    }
    Ok(Listed {
        members,
        in_use: records.flag("in_use"),
        learners,
    })
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

    /// They are told to other members.
    #[tokio::test]
    async fn a_list_with_what_is_no_name_or_no_address_is_refused() {
        for line in [
            "1f, started, a,b=https://10.6.6.6:2380, https://10.0.0.1:2380, https://10.0.0.1:2379, false",
            "1f, started, a, https://10.0.0.1:2380;reboot, https://10.0.0.1:2379, false",
            "1f, started, a, https://10.0.0.1:2380, --all, false",
            "1f, started, --all, https://10.0.0.1:2380, https://10.0.0.1:2379, false",
            "--all, started, a, https://10.0.0.1:2380, https://10.0.0.1:2379, false",
        ] {
            let host = crate::fake::Fake::saying(&[&format!("list {}\n{line}\n", line.len())]);
            let context = Context {
                host: &host,
                control: &crate::fake::Controller::new("."),
                check: false,
                diff: false,
            };
            let failure = list(&context).await.unwrap_err();
            assert!(failure.message.contains("makes no sense"), "{line}");
        }
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
