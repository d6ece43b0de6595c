//! The last lines that a container logged before it ended: mostly the whole answer to why a pod does not become
//! healthy. What it logged may be anything: of it no more is taken than a person reads.

use serde_json::Value;

use crate::kube::kubectl::{Question, words};
use crate::kube::pods;

/// How many lines are shown.
const LINES: usize = 5;

/// The longest line that is shown, in characters.
const LONGEST: usize = 300;

/// The most bytes that are asked for.
const BYTES: usize = 64 << 10;

/// The container of a pod that has something to say of why the pod is not healthy: one that has ended, or
/// else one that runs and is not ready.
pub fn container(pod: &Value) -> Option<&str> {
    let name = |container: &Value| container["ready"] != true;
    let has_ended = |container: &&Value| {
        [&container["lastState"], &container["state"]]
            .iter()
            .any(|state| {
                state["terminated"]["exitCode"]
                    .as_i64()
                    .is_some_and(|code| code != 0)
            })
    };
    let unready = || pods::containers(&pod["status"]).filter(|container| name(container));
    let found = unready()
        .find(has_ended)
        .or_else(|| unready().find(|container| container["state"]["running"].is_object()))?;
    found["name"].as_str()
}

/// What to ask for a container's last lines: of the one that ended, and, where there is none, of this one.
pub fn questions(namespace: &str, pod: &str, container: &str) -> [Question; 2] {
    let of = |more: &[&str]| {
        let mut question = words(&[
            "logs",
            pod,
            "--namespace",
            namespace,
            "--container",
            container,
            &format!("--tail={LINES}"),
            &format!("--limit-bytes={BYTES}"),
        ]);
        question.extend(words(more));
        question
    };
    [of(&["--previous"]), of(&[])]
}

/// The last lines, of the answers to [`questions`]; none where nothing was logged or is to be had.
pub fn lines<'a>(answers: impl IntoIterator<Item = &'a Result<String, String>>) -> Vec<String> {
    let mut answers = answers
        .into_iter()
        .filter_map(|answer| answer.as_deref().ok());
    let text = answers.find(|text| {
        // The kubelet says so as if the container had.
        !text.trim().is_empty() && !text.starts_with("unable to retrieve container logs")
    });
    let Some(text) = text else {
        return Vec::new();
    };
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let skipped = lines.len().saturating_sub(LINES);
    // The shell drops the newline at the end; what is as long as was asked for ends anywhere.
    let cut_off = text.len() + 1 >= BYTES;
    let last = lines.pop();
    let mut shown: Vec<String> = lines
        .iter()
        .skip(skipped)
        .map(|line| cut(line, false))
        .collect();
    shown.extend(last.map(|line| cut(line, cut_off)));
    shown
}

/// A line, or the beginning of one that is long: up to the end of a word, so that what must not be shown is not
/// shown in part either, when it is no longer known for what it is.
fn cut(line: &str, cut_off: bool) -> String {
    let line = line.trim_end();
    let end = line.char_indices().nth(LONGEST).map(|(end, _)| end);
    if end.is_none() && !cut_off {
        return line.to_owned();
    }
    let begin = &line[..end.unwrap_or(line.len())];
    let word = begin.rfind(char::is_whitespace).unwrap_or(0);
    format!("{}…", begin[..word].trim_end())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(text: &str) -> Vec<String> {
        lines(&[Ok(text.to_owned())])
    }

    #[test]
    fn the_container_that_crashed_is_asked_before_one_that_runs() {
        let pod = |containers: Value| json!({"status": {"containerStatuses": containers}});
        let well =
            json!({"name": "well", "ready": true, "lastState": {"terminated": {"exitCode": 1}}});
        let slow = json!({"name": "slow", "ready": false, "state": {"running": {}}});
        let crashed = json!({
            "name": "crashed", "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1}},
        });
        let failed = json!({"name": "failed", "state": {"terminated": {"exitCode": 3}}});
        let pulling = json!({"name": "pulling", "ready": false, "state": {"waiting": {"reason": "ErrImagePull"}}});
        for (containers, expected) in [
            (json!([well, slow, crashed]), Some("crashed")),
            (json!([well, slow, failed]), Some("failed")),
            (json!([well, pulling, slow]), Some("slow")),
            (json!([well, pulling]), None),
        ] {
            assert_eq!(container(&pod(containers)), expected);
        }
        let mut first = pod(json!([pulling]));
        first["status"]["initContainerStatuses"] = json!([crashed]);
        assert_eq!(container(&first), Some("crashed"));
    }

    #[test]
    fn the_last_five_lines_are_shown_of_the_first_answer_that_has_any() {
        assert_eq!(said("1\n2\n\n3\n4\n5\n6\n"), ["2", "3", "4", "5", "6"]);
        let refused = Err("previous terminated container not found".to_owned());
        assert_eq!(lines(&[refused.clone(), Ok("now".to_owned())]), ["now"]);
        let gone = Ok("unable to retrieve container logs for containerd://1".to_owned());
        assert_eq!(lines(&[gone, Ok(" \n".to_owned()), refused]), [""; 0]);
    }

    #[test]
    fn a_long_line_ends_with_a_whole_word() {
        let word = "s3cret".repeat(40);
        assert_eq!(said(&format!("a {word}")), [format!("a {word}")]);
        assert_eq!(
            said(&format!("a b {word} {word}")),
            [format!("a b {word}…")]
        );
        assert_eq!(said(&"x".repeat(10_000)), ["…"]);
        // It ends where the bytes ended.
        let text = format!("first\n{}", "ä".repeat(BYTES / 2));
        assert_eq!(said(&text), ["first", "…"]);
    }
}
