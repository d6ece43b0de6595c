//! Why the kubelet of a node does not run: what systemd says of it, and its last words in the journal. kubeadm
//! only says that it is not healthy, after minutes.

use crate::kit::{self, Records};
use crate::module::Context;

/// What is asked of the node.
const ASK: &str = r#"
w_has systemctl || exit 0
w_put state "$(systemctl is-active kubelet 2>/dev/null)"
w_put enabled "$(systemctl is-enabled kubelet 2>/dev/null)"
# Its stack traces and its usage text are hundreds of lines long.
w_put journal "$(journalctl --unit kubelet --no-pager --output cat --lines 3000 2>/dev/null |
  grep -E '^(F[0-9]{4} |E[0-9]{4} |Error: |kubelet\.service: )|command failed|panic: ' | tail -n 40)"
"#;

/// Why it does not run, as a clause, if that is so: `the kubelet does not run: unknown flag: --x`.
///
/// A node that does not answer any more has nothing to say; the failure itself says that.
pub async fn trouble(context: &Context<'_>) -> Option<String> {
    let script = kit::script(&[kit::RECORDS], ASK);
    let reply = context.host.run(script).await.ok()?;
    let records = Records::read(&reply).ok()?;
    let text = |name: &str| records.text(name).unwrap_or_default();
    judge(&text("state"), &text("enabled"), &text("journal"))
}

fn judge(state: &str, enabled: &str, journal: &str) -> Option<String> {
    if enabled.starts_with("masked") {
        return Some(
            "the kubelet does not run: its unit is masked (`systemctl unmask kubelet`)".to_owned(),
        );
    }
    if state == "active" {
        return None;
    }
    let last = |wanted: fn(&str) -> bool| journal.lines().rev().find(|line| wanted(line));
    let fatal = last(|line| {
        klog(line, 'F') || line.starts_with("Error: ") || line.contains("command failed")
    });
    let reason = fatal
        .or_else(|| last(|line| klog(line, 'E') || line.starts_with("panic: ")))
        .or_else(|| last(|line| line.starts_with("kubelet.service: ")));
    Some(match reason {
        Some(line) => format!("the kubelet does not run: {}", words(line)),
        None => format!("the kubelet does not run (systemd says `{state}`)"),
    })
}

/// Whether this is a line of klog's of this severity: `F1123 11:34:22.831246    3006 server.go:269] …`.
pub(super) fn klog(line: &str, severity: char) -> bool {
    line.strip_prefix(severity)
        .is_some_and(|rest| rest.bytes().take(4).all(|byte| byte.is_ascii_digit()))
}

/// A line without klog's header, which says nothing to whoever repairs it.
fn words(line: &str) -> &str {
    let line = line.trim();
    if klog(line, 'F') || klog(line, 'E') {
        line.split_once("] ").map_or(line, |(_, words)| words)
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_last_fatal_words_are_the_reason() {
        let journal = "\
E1123 11:34:20.000000    3006 kubelet.go:1] something before
F1123 11:34:22.831246    3006 server.go:158] unknown flag: --no-such-flag
kubelet.service: Main process exited, code=exited, status=255/EXCEPTION
kubelet.service: Failed with result 'exit-code'.";
        assert_eq!(
            judge("activating", "enabled", journal).unwrap(),
            "the kubelet does not run: unknown flag: --no-such-flag"
        );
        let newer = r#"E0101 10:00:00.000000    12 run.go:74] "command failed" err="failed to load Kubelet config file""#;
        assert_eq!(
            judge("failed", "enabled", newer).unwrap(),
            r#"the kubelet does not run: "command failed" err="failed to load Kubelet config file""#
        );
    }

    #[test]
    fn a_unit_that_cannot_start_is_told_of() {
        assert!(judge("inactive", "masked", "").unwrap().contains("unmask"));
        let journal =
            "kubelet.service: Failed to execute /usr/bin/kubelet: No such file or directory";
        assert!(
            judge("activating", "enabled", journal)
                .unwrap()
                .ends_with("No such file or directory")
        );
        assert_eq!(
            judge("failed", "enabled", "").unwrap(),
            "the kubelet does not run (systemd says `failed`)"
        );
    }

    #[test]
    fn a_kubelet_that_runs_is_not_blamed() {
        assert_eq!(judge("active", "enabled", "E1123 1 x.go:1] odd"), None);
    }
}
