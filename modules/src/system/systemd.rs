//! `systemd`: units of systemd.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::args::{Flag, Text};
use crate::describe::{Invalid, Return, Rule, When};
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

const PARTS: &[kit::Part] = &[kit::SYSTEMD];

/// Starts, stops, enables and masks units of systemd.
///
/// Nothing is done to a unit that is in the wanted state; `restarted` and `reloaded` always act. When a
/// unit does not start, the message ends with the last lines of its journal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SystemdArgs {
    /// The unit; `.service` may be left out.
    #[schemars(extend("x-aliases" = ["service", "unit"]))]
    name: Option<Text>,
    /// Whether it should run now. A unit that does not run is started by `reloaded` too.
    state: Option<UnitState>,
    /// Whether it should start at boot.
    enabled: Option<Flag>,
    /// Whether it should be masked, so that nothing can start it.
    masked: Option<Flag>,
    /// Have systemd read all unit files again first. By itself this is no change.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["daemon-reload"]))]
    daemon_reload: Flag,
    /// Have systemd start itself again first. By itself this is no change.
    #[serde(default)]
    #[schemars(extend("x-aliases" = ["daemon-reexec"]))]
    daemon_reexec: Flag,
    /// Whose units: the system's, those of the task's user, or those of all users.
    #[serde(default)]
    scope: Scope,
    /// Do not wait until the unit has started or stopped.
    #[serde(default)]
    no_block: Flag,
    /// Taken for playbooks that have it, and without meaning: links are not replaced by force.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "read so that playbooks that have it are not refused"
    )]
    force: Flag,
}

/// What a unit or service should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnitState {
    /// Running; left alone when it is.
    #[schemars(extend("x-aliases" = ["running"]))]
    Started,
    /// Not running; left alone when it is not.
    Stopped,
    /// Stopped and started, always.
    Restarted,
    /// Told to read its configuration again, always.
    Reloaded,
}

impl UnitState {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Restarted => "restarted",
            Self::Reloaded => "reloaded",
        }
    }

    /// The state in which a unit is afterwards.
    pub(super) fn result(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Started | Self::Restarted | Self::Reloaded => "started",
        }
    }
}

/// Whose units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The system's.
    #[default]
    System,
    /// Those of the task's user.
    User,
    /// Those of all users.
    Global,
}

/// A flag as the kit wants it: empty is not given.
pub(super) fn tristate(flag: Option<Flag>) -> &'static str {
    match flag {
        None => "",
        Some(Flag(true)) => "1",
        Some(Flag(false)) => "0",
    }
}

/// A flag as the kit wants it: empty is no.
pub(super) fn switch(flag: bool) -> &'static str {
    if flag { "1" } else { "" }
}

impl Arguments for SystemdArgs {
    const NAME: &'static str = "systemd";
    const ALIASES: &'static [&'static str] = &["systemd_service"];
    const NEEDS: &'static [&'static str] =
        &["systemd: systemctl; journalctl for the last lines of a unit that fails"];
    const RULES: &'static [Rule] = &[
        Rule::Needs(When::Given(&["state", "enabled", "masked"]), &["name"]),
        Rule::AtLeastOne(&["name", "daemon_reload", "daemon_reexec"]),
    ];
    const RETURNS: &'static [Return] = &[
        Return::text("name", "the unit"),
        Return::bool("enabled", "whether it starts at boot"),
        Return::text("state", "`started` or `stopped`, where that was asked for"),
        Return::map(
            "status",
            "what `systemctl show` says of the unit in the end: `status.ActiveState`, `status.MainPID` …",
        ),
    ];
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Start the kubelet, at boot too\n  systemd:\n    name: kubelet\n    state: started\n    enabled: true\n",
        "- name: Have systemd read unit files that changed\n  systemd:\n    daemon_reload: true\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        if self.name.is_none() && !*self.daemon_reload && !*self.daemon_reexec {
            return Err(Invalid::new(
                &["name", "daemon_reload", "daemon_reexec"],
                "nothing to do: give `name` with `state`, `enabled` or `masked`, or `daemon_reload: true`",
            ));
        }
        if self
            .name
            .as_deref()
            .is_some_and(|name| name.contains(['*', '?', '[']))
        {
            return Err(Invalid::new(
                &["name"],
                "`name` is one unit, and no pattern",
            ));
        }
        Ok(())
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let scope = match self.scope {
            Scope::System => "system",
            Scope::User => "user",
            Scope::Global => "global",
        };
        let call = kit::call(
            "w_systemd",
            &[
                scope,
                switch(context.check),
                self.name.as_deref().unwrap_or_default(),
                self.state.map_or("", UnitState::word),
                tristate(self.enabled),
                tristate(self.masked),
                switch(*self.daemon_reload),
                switch(*self.daemon_reexec),
                switch(*self.no_block),
            ],
        );
        let reply = context.host.run(kit::script(PARTS, call)).await?;
        let records = Records::read(&reply)?;
        let mut outcome = outcome(&records, self.state);
        if let Some(name) = &self.name {
            outcome = outcome.with("name", name.0.clone());
        }
        Ok(outcome)
    }
}

/// The outcome of what `w_systemd` put.
pub(super) fn outcome(records: &Records, state: Option<UnitState>) -> Outcome {
    let mut outcome = Outcome::changed(records.bytes("changed").is_some());
    if let Some(status) = records.text("status") {
        outcome = outcome.with("status", properties(&status));
    }
    if let Some(file) = records.text("unitfile") {
        let enabled = ["enabled", "static", "indirect", "generated", "alias"];
        outcome = outcome.with("enabled", enabled.contains(&file.as_str()));
    }
    if let Some(state) = state {
        outcome = outcome.with("state", state.result());
    }
    outcome
}

/// The properties that `systemctl show` prints. A value in braces may go over several lines.
fn properties(text: &str) -> Map<String, Value> {
    let mut properties = Map::new();
    let mut last: Option<(String, String)> = None;
    for line in text.lines() {
        let unfinished = last
            .as_ref()
            .is_some_and(|(_, value)| value.starts_with('{') && !value.ends_with('}'));
        match (&mut last, line.split_once('=')) {
            (Some((_, value)), _) if unfinished => {
                value.push('\n');
                value.push_str(line);
            }
            (_, Some((key, value))) => {
                let next = (key.to_owned(), value.to_owned());
                if let Some((key, value)) = last.replace(next) {
                    properties.insert(key, value.into());
                }
            }
            _ => {}
        }
    }
    properties.extend(last.map(|(key, value)| (key, value.into())));
    properties
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::SystemdArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell};
    use crate::outcome::{Failure, Outcome};

    /// A systemctl whose one unit, haproxy, has its state in files of the folder it runs in. It
    /// writes down what it is told to do.
    pub(in crate::system) const SYSTEMCTL: &str = r#"
scope=$1; shift 3
[ "$1" != --no-block ] || { echo no-block >>log; shift; }
verb=$1; shift
[ "$1" != -- ] || shift
state() { cat "$1" 2>/dev/null || echo "$2"; }
case $verb in
show)
  case $1 in
  haproxy*) echo "LoadState=$(state load loaded)"; echo "ActiveState=$(state active inactive)"
    echo 'ExecStart={ path=/usr/sbin/haproxy ;'; echo 'a=b }'; echo MainPID=7 ;;
  *) echo LoadState=not-found; echo ActiveState=inactive ;;
  esac ;;
is-enabled) state file disabled; [ "$(state file disabled)" = enabled ] ;;
*)
  echo "$scope $verb${1:+ $*}" >>log
  [ "$(state broken no)" = no ] || { echo "Job for $1 failed." >&2; exit 1; }
  case $verb in
  start | restart | reload) echo active >active ;;
  stop) echo inactive >active ;;
  enable) echo enabled >file ;;
  disable) echo disabled >file ;;
  mask) echo masked >load ;;
  unmask) echo loaded >load ;;
  esac ;;
esac
"#;

    async fn on(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<SystemdArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    fn shells() -> impl Iterator<Item = Shell> {
        let shells = fake::shells().into_iter().chain([fake::posix()]);
        shells.map(|shell| {
            shell
                .tool("systemctl", SYSTEMCTL)
                .tool("journalctl", "echo 'cannot bind socket'")
        })
    }

    fn log(shell: &Shell) -> String {
        std::fs::read_to_string(shell.at("log")).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_unit_is_started_and_enabled_once() {
        for shell in shells() {
            let arguments = json!({"name": "haproxy", "state": "started", "enabled": "yes"});
            let outcome = on(&shell, CHECK, arguments.clone()).await.unwrap();
            assert!(outcome.changed);
            assert_eq!(log(&shell), "");

            let outcome = on(&shell, REAL, arguments.clone()).await.unwrap();
            assert!(outcome.changed);
            assert_eq!(outcome.data["status"]["ActiveState"], "active");
            assert_eq!(
                outcome.data["status"]["ExecStart"],
                "{ path=/usr/sbin/haproxy ;\na=b }"
            );
            assert_eq!(outcome.data["enabled"], true);
            assert_eq!(outcome.data["state"], "started");
            assert_eq!(
                log(&shell),
                "--system enable haproxy\n--system start haproxy\n"
            );

            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);
            assert_eq!(shell.trips(), 3);
        }
    }

    #[tokio::test]
    async fn restart_always_acts_and_reload_starts_what_does_not_run() {
        for shell in shells() {
            for (state, verb) in [
                ("reloaded", "start"),
                ("reloaded", "reload"),
                ("restarted", "restart"),
                ("stopped", "stop"),
            ] {
                let arguments = json!({"name": "haproxy", "state": state, "no_block": true});
                assert!(on(&shell, REAL, arguments).await.unwrap().changed);
                assert_eq!(log(&shell), format!("no-block\n--system {verb} haproxy\n"));
                std::fs::remove_file(shell.at("log")).unwrap();
            }
        }
    }

    #[tokio::test]
    async fn masking_and_reading_unit_files_again() {
        for shell in shells() {
            let reload = json!({"daemon_reload": true});
            assert!(!on(&shell, REAL, reload).await.unwrap().changed);
            assert_eq!(log(&shell), "--system daemon-reload\n");
            let mask = json!({"name": "haproxy", "masked": true, "scope": "global"});
            assert!(on(&shell, REAL, mask.clone()).await.unwrap().changed);
            assert!(!on(&shell, REAL, mask).await.unwrap().changed);
            let unmask = json!({"name": "haproxy", "masked": false});
            assert!(on(&shell, REAL, unmask.clone()).await.unwrap().changed);
            assert!(!on(&shell, REAL, unmask).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said_with_the_journal() {
        for shell in shells() {
            let failure = on(&shell, REAL, json!({"name": "nope", "state": "started"})).await;
            assert_eq!(
                failure.unwrap_err().message,
                "there is no unit nope on the node"
            );
            std::fs::write(shell.at("broken"), "yes").unwrap();
            let failure = on(&shell, REAL, json!({"name": "haproxy", "state": "started"})).await;
            let message = failure.unwrap_err().message;
            assert_eq!(
                message,
                "cannot start haproxy: Job for haproxy failed.\nThe last lines of its journal:\n\
                 cannot bind socket"
            );
        }
        let bare = fake::posix();
        let failure = on(&bare, REAL, json!({"name": "haproxy", "state": "started"})).await;
        assert!(
            failure
                .unwrap_err()
                .message
                .starts_with("`systemctl` is missing")
        );
    }

    #[tokio::test]
    async fn arguments_that_make_no_sense_are_refused() {
        let host = fake::Fake::new([]);
        for arguments in [
            json!({}),
            json!({"state": "started"}),
            json!({"name": "kube*", "state": "stopped"}),
        ] {
            let result =
                fake::run::<SystemdArgs>(&host, &FakeController::new("/"), REAL, arguments).await;
            assert!(result.is_err());
        }
    }
}
