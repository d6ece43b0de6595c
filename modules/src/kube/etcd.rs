//! The members of an etcd as one of them lists them. Asks, and changes nothing.

use std::collections::HashSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::kit::{self, Records};
use crate::kube::forms;
use crate::module::Context;
use crate::outcome::Failure;

/// The beginning of scripts that talk to the etcd member on their node with `w_etcdctl`.
pub const ETCDCTL: &str = include_str!("etcdctl.sh");

/// An etcd has a handful of members: what says more than this of them is none.
const LARGEST: usize = 1 << 20;

/// A line of `etcdctl member list`, and whether the member is healthy.
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

/// The URLs that are healthy, by what `etcdctl endpoint health` said: `https://…:2379 is healthy: …`.
fn well(health: &str) -> HashSet<&str> {
    let url = |line| str::split_once(line, " is healthy").map(|(url, _)| url);
    let urls = health.lines().filter_map(url);
    urls.filter(|url| !url.is_empty()).collect()
}

/// Lists the members, and asks each that has started whether it is healthy.
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
    let script = kit::script(&[kit::RECORDS], source).answer(LARGEST);
    let reply = context.host.run(script).await?;
    let records = Records::read(&reply)?;
    let text = records.text("list").unwrap_or_default();
    let health = records.text("health").unwrap_or_default();
    let learners = text.lines().any(|line| line.split(", ").count() > 5);
    let mut members: Vec<Member> = text.lines().filter_map(Member::read).collect();
    if members.is_empty() || !members.iter().all(Member::is_sound) {
        return Err(Failure::new("etcd's list of its members makes no sense").with("stdout", text));
    }
    let well = well(&health);
    for member in &mut members {
        member.healthy = well.contains(&*member.client_url);
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

    /// Who answers where the node has this etcdctl, its etcd is this version, and the container's runs or not.
    async fn who_answers(
        shell: crate::fake::Shell,
        node: &str,
        etcd: &str,
        container: bool,
    ) -> Result<String, String> {
        let folder = shell.at("k");
        std::fs::create_dir_all(format!("{folder}/pki/etcd")).unwrap();
        std::fs::create_dir_all(format!("{folder}/manifests")).unwrap();
        std::fs::write(format!("{folder}/pki/etcd/healthcheck-client.key"), "").unwrap();
        let manifest = format!("    image: registry.example:5000/etcd{etcd}\n");
        std::fs::write(format!("{folder}/manifests/etcd.yaml"), manifest).unwrap();
        let mut shell = shell.tool(
            "crictl",
            &format!("[ {container} = true ] || exit 1\ncase $1 in ps) echo c1 ;; exec) echo 'the container' ;; esac"),
        );
        for other in ["ctr", "docker", "kubectl"] {
            shell = shell.tool(other, "exit 1");
        }
        if !node.is_empty() {
            let words = format!(
                "case $* in version) echo 'etcdctl version: {node}.1' ;; *) echo 'the node' ;; esac"
            );
            shell = shell.tool("etcdctl", &words);
        }
        let source = ETCDCTL.replace("/etc/kubernetes", &folder)
            + "\nw_put said \"$(w_etcdctl member list)\"\n";
        let reply = crate::host::Host::run(&shell, kit::script(&[kit::RECORDS], source))
            .await
            .unwrap();
        let records = Records::read(&reply).map_err(|failure| failure.message)?;
        Ok(records.text("said").unwrap_or_default())
    }

    /// Debian's is 3.4, whatever the etcd is.
    #[tokio::test]
    async fn an_etcdctl_of_another_version_is_not_asked_where_the_container_has_one() {
        for (node, etcd, container, who) in [
            ("3.6", ":3.6.5-0", true, "the node"),
            ("3.4", ":3.6.5-0", true, "the container"),
            (
                "3.4",
                ":3.6.5-0",
                false,
                "the etcdctl of the node is 3.4 and its etcd is 3.6",
            ),
            ("3.5", ":v3.6.5", false, "the node"),
            ("3.4", "@sha256:00", false, "the node"),
            ("", ":3.6.5-0", true, "the container"),
            ("", ":3.6.5-0", false, "there is no etcdctl on the node"),
        ] {
            for shell in crate::fake::shells() {
                let said = who_answers(shell, node, etcd, container).await;
                let said = said.unwrap_or_else(|why| why);
                assert!(said.starts_with(who), "{node} for {etcd}: {said}");
            }
        }
    }

    /// As on a host of etcd under CRI-O that has no crictl.
    #[tokio::test]
    async fn etcd_is_asked_by_way_of_its_process_where_no_program_of_a_runtime_leads_to_it() {
        for mut shell in crate::fake::shells() {
            let root = shell.at("");
            let write = |name: &str, text: &str| {
                let path = shell.dir().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            };
            write("k/pki/etcd/healthcheck-client.key", "");
            write("k/manifests/etcd.yaml", "    - --data-dir=/var/lib/etcd\n");
            for (process, data) in [("41", "/var/lib/other"), ("42", "/var/lib/etcd")] {
                write(&format!("proc/{process}/comm"), "etcd\n");
                let line = format!("etcd\0--data-dir={data}\0--name=a\0");
                write(&format!("proc/{process}/cmdline"), &line);
            }
            for other in ["crictl", "ctr", "docker", "kubectl"] {
                shell = shell.tool(other, "exit 1");
            }
            let shell = shell
                .variable("w_root", root.trim_end_matches('/'))
                .tool("chroot", "echo \"$1 $2 $*\"");
            let source = ETCDCTL.replace("/etc/kubernetes", &shell.at("k"))
                + "\nw_put said \"$(w_etcdctl member list)\"\n";
            let reply = crate::host::Host::run(&shell, kit::script(&[kit::RECORDS], source))
                .await
                .unwrap();
            let said = Records::read(&reply).unwrap().text("said").unwrap();
            assert!(
                said.starts_with(&shell.at("proc/42/root etcdctl ")),
                "{said}"
            );
            assert!(said.ends_with(" member list"), "{said}");
        }
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
                control: &crate::fake::FakeController::new("."),
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
        let well = well(health);
        assert!(well.contains("https://10.0.0.11:2379"));
        assert!(!well.contains("https://10.0.0.1:2379"));
        assert!(!well.contains("https://10.0.0.2:2379"));
        assert!(!super::well(" is healthy").contains(""));
    }

    /// In time that grows with its length: nothing can stop what works on it.
    #[tokio::test]
    async fn a_list_of_many_members_is_read_at_once() {
        let (mut members, mut health) = (String::new(), String::new());
        for number in 0..12_000 {
            let url = format!("https://m{number}:2379");
            members.push_str(&format!("1f, started, m, https://m:2380, {url}, false\n"));
            health.push_str(&format!("{url} is healthy: x\n"));
        }
        let answer = format!(
            "list {}\n{members}\nhealth {}\n{health}\n",
            members.len(),
            health.len()
        );
        let host = crate::fake::Fake::saying(&[&answer]);
        let context = Context {
            host: &host,
            control: &crate::fake::FakeController::new("."),
            check: false,
            diff: false,
        };
        let listed = list(&context).await.unwrap();
        assert_eq!(listed.members.len(), 12_000);
        assert!(listed.members.iter().all(|member| member.healthy));
        assert_eq!(host.scripts()[0].answer, 1 << 20);
    }
}
