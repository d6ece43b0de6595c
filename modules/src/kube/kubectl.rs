//! kubectl on a node: how it is called, and several questions in one round trip.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::host::{HostError, Script};
use crate::kit::{self, Records, quote};
use crate::kube::pruned;
use crate::module::Context;
use crate::outcome::Failure;

/// The kubeconfig that `kubeadm init` leaves on every control plane.
pub const ADMIN: &str = "/etc/kubernetes/admin.conf";

/// The largest answers are lists of all nodes or pods of a cluster, with tens of kilobytes for each.
const LARGEST: usize = 64 << 20;

/// Which kubectl, and which cluster.
#[derive(Debug, Clone, Copy)]
pub struct Kubectl<'a> {
    /// The program, from the `PATH` or by its path.
    pub program: &'a str,
    /// The kubeconfig, a path on the node.
    pub kubeconfig: &'a str,
}

/// One question: the arguments of a kubectl that prints JSON.
pub type Question = Vec<String>;

/// A question of these words.
pub fn words(words: &[&str]) -> Question {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// An answer: the object that was printed, or what went wrong.
pub type Answer = Result<Value, String>;

impl Kubectl<'_> {
    /// The beginning of scripts that use it: checks, and a function `w_kubectl`.
    pub fn prelude(self) -> String {
        format!(
            "w_need {program} 'to talk to the cluster'\n\
             [ -r {config} ] || w_fail {missing} {hint}\n\
             w_kubectl() {{ {program} --kubeconfig {config} --request-timeout=20s \"$@\"; }}\n",
            program = quote(self.program),
            config = quote(self.kubeconfig),
            missing = quote(&format!("{} cannot be read", self.kubeconfig)),
            hint = quote(
                "run the task on a control plane of a cluster that is up, as root (`become: true`), \
                 or name another file with `kubeconfig`"
            ),
        )
    }

    /// Asks all questions in one round trip. That the API does not answer is an [`Answer`]; only that
    /// the host does not, or that there is no kubectl, is a failure.
    pub async fn ask(
        self,
        context: &Context<'_>,
        questions: &[Question],
        limit: Duration,
    ) -> Result<Vec<Answer>, Failure> {
        self.say(context, questions, limit, false, json).await
    }

    /// The same for questions whose answers are plain text, as it was printed.
    pub async fn print(
        self,
        context: &Context<'_>,
        questions: &[Question],
        limit: Duration,
    ) -> Result<Vec<Result<String, String>>, Failure> {
        self.say(context, questions, limit, false, printed).await
    }

    /// The same, up to the first that fails: those after it are not asked, and have no answer.
    pub async fn in_order(
        self,
        context: &Context<'_>,
        questions: &[Question],
        limit: Duration,
    ) -> Result<Vec<Result<String, String>>, Failure> {
        self.say(context, questions, limit, true, printed).await
    }

    async fn say<T: Clone>(
        self,
        context: &Context<'_>,
        questions: &[Question],
        limit: Duration,
        stops: bool,
        read: impl Fn(bool, &str) -> Result<T, String>,
    ) -> Result<Vec<Result<T, String>>, Failure> {
        let mut source = self.prelude();
        for question in questions {
            let words: Vec<_> = question.iter().map(|word| quote(word)).collect();
            let _ = writeln!(
                source,
                "w_answer=$(w_kubectl {} 2>&1)\nw_status=$?\nw_put status \"$w_status\"\nw_put answer \"$w_answer\"",
                words.join(" ")
            );
            if stops {
                source.push_str("[ \"$w_status\" = 0 ] || exit 0\n");
            }
        }
        let mut script: Script = kit::script(&[kit::RECORDS], source).answer(LARGEST);
        script.limit = Some(limit);
        let reply = match context.host.run(script).await {
            // kubectl has its own time limit; one that hangs all the same is an API that does not
            // answer, unless it is the task's own limit that has passed.
            Err(HostError::TimedOut { limit: passed, .. }) if passed == limit => {
                return Ok(vec![
                    Err("kubectl did not answer in time".to_owned());
                    questions.len()
                ]);
            }
            other => other?,
        };
        let records = Records::read(&reply)?;
        let mut said = records.all("status").zip(records.all("answer"));
        // As many answers as questions, whatever the node hands back: who asks counts on it.
        let answers = questions.iter().map(|_| match said.next() {
            Some((status, answer)) => read(status == b"0", &String::from_utf8_lossy(answer)),
            None => Err("the node gave no answer".to_owned()),
        });
        Ok(answers.collect())
    }
}

/// What kubectl printed, as it is.
fn printed(good: bool, text: &str) -> Result<String, String> {
    if good {
        Ok(text.to_owned())
    } else {
        Err(reason(text))
    }
}

/// The object among what kubectl printed, which may begin with warnings.
pub fn json(good: bool, text: &str) -> Answer {
    if !good {
        return Err(reason(text));
    }
    let none = |why: &str| format!("kubectl printed no JSON that can be used: {why}");
    let start = text.find('{').ok_or_else(|| none(&reason(text)))?;
    pruned::read(&text[start..]).map_err(|why| none(&why))
}

/// The longest reason, in bytes: it is put into messages, and these into others.
const REASON: usize = 4 << 10;

/// What kubectl complains about: its last line that says something, or the beginning of a long one.
pub fn reason(text: &str) -> String {
    let mut lines = text.lines().rev().map(str::trim);
    let line = lines.find(|line| !line.is_empty());
    let line = line.unwrap_or("no reason given");
    let mut end = REASON.min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_one_object_whatever_a_node_prints() {
        assert!(json(true, "W: old\n{\"items\": []}").is_ok());
        for text in ["[]", "7", "\"x\"", "null", "", "[1, 2]\n", "{", "W: {x}"] {
            let error = json(true, text).unwrap_err();
            assert!(
                error.starts_with("kubectl printed no JSON that can be used"),
                "{error}"
            );
        }
        assert_eq!(json(false, "a\nb\n"), Err("b".to_owned()));
        let long = "é".repeat(1 << 20);
        assert_eq!(
            json(false, &format!("a\n{long}\n")),
            Err("é".repeat(2 << 10))
        );
    }

    /// A large cluster's list has tens of kilobytes for each node: its images, and who wrote which field.
    #[tokio::test]
    async fn large_lists_are_taken_and_what_nobody_asks_for_is_not_kept() {
        let item = json!({
            "metadata": {"name": "a", "managedFields": [{"time": "x"}], "annotations": {"a": "b"}},
            "status": {"images": [{"names": ["x"]}], "conditions": [{"type": "Ready", "n": [1, -1, 0.5, null, true]}]},
        });
        let text = json!({ "items": [item] }).to_string();
        let answer = format!("status 1\n0\nanswer {}\n{text}\n", text.len());
        let host = crate::fake::Fake::saying(&[&answer]);
        let context = Context {
            host: &host,
            control: &crate::fake::FakeController::new("/"),
            check: false,
            diff: false,
        };
        let kubectl = Kubectl {
            program: "kubectl",
            kubeconfig: ADMIN,
        };
        let limit = Duration::from_secs(45);
        let answers = kubectl.ask(&context, &[words(&["get"])], limit).await;
        let kept = json!({"items": [{
            "metadata": {"name": "a"},
            "status": {"conditions": [{"type": "Ready", "n": [1, -1, 0.5, null, true]}]},
        }]});
        assert_eq!(answers.unwrap(), [Ok(kept)]);
        assert_eq!(host.scripts()[0].answer, 64 << 20);
    }
}
