//! `service`: services of whatever starts them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::systemd::{self, UnitState, switch, tristate};
use crate::args::{Flag, Number, Text};
use crate::describe::{Return, Rule};
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

const PARTS: &[kit::Part] = &[kit::SERVICE];

/// Starts, stops and enables services, under systemd, OpenRC, or scripts in `/etc/init.d`, whichever
/// the node has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceArgs {
    /// The service.
    name: Text,
    /// Whether it should run now. A service that does not run is started by `reloaded` too.
    state: Option<UnitState>,
    /// Whether it should start at boot.
    enabled: Option<Flag>,
    /// Under OpenRC, the run level in which it should start. `default` when not given.
    runlevel: Option<Text>,
    /// How many seconds to wait between stop and start when it is restarted; systemd needs none.
    sleep: Option<Number<u32>>,
    /// Words for the service's script; systemd knows none.
    #[schemars(extend("x-aliases" = ["args"]))]
    arguments: Option<Text>,
    /// Taken for playbooks that have it, and without meaning: the status command is asked.
    #[expect(
        dead_code,
        reason = "read so that playbooks that have it are not refused"
    )]
    pattern: Option<Text>,
    /// Taken for playbooks that have it, and without meaning: what starts services is found out.
    #[serde(rename = "use")]
    #[expect(
        dead_code,
        reason = "read so that playbooks that have it are not refused"
    )]
    manager: Option<Text>,
}

impl Arguments for ServiceArgs {
    const NAME: &'static str = "service";
    const ALIASES: &'static [&'static str] = &["sysvinit"];
    const NEEDS: &'static [&'static str] = &[
        "systemctl (systemd), rc-service and rc-update (OpenRC), or a script in /etc/init.d with update-rc.d or chkconfig",
    ];
    const RULES: &'static [Rule] = &[Rule::AtLeastOne(&["state", "enabled"])];
    const RETURNS: &'static [Return] = &[
        Return::text("name", "the service"),
        Return::text(
            "manager",
            "what starts services: `systemd`, `openrc` or `sysv`",
        ),
        Return::bool("enabled", "whether it starts at boot"),
        Return::text("state", "`started` or `stopped`, where that was asked for"),
        Return::map(
            "status",
            "what `systemctl show` says of the unit in the end: `status.ActiveState`, `status.MainPID` …",
        ),
    ];
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Start the web server, at boot too\n  service:\n    name: nginx\n    state: started\n    enabled: true\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let sleep = self.sleep.map(|seconds| seconds.to_string());
        let call = kit::call(
            "w_service",
            &[
                switch(context.check),
                &*self.name,
                self.state.map_or("", UnitState::word),
                tristate(self.enabled),
                self.runlevel.as_deref().unwrap_or_default(),
                sleep.as_deref().unwrap_or_default(),
                self.arguments.as_deref().unwrap_or_default(),
            ],
        );
        let reply = context.host.run(kit::script(PARTS, call)).await?;
        let records = Records::read(&reply)?;
        let mut outcome = systemd::outcome(&records, self.state).with("name", self.name.0.clone());
        if let Some(manager) = records.text("manager") {
            outcome = outcome.with("manager", manager);
        }
        match self.enabled {
            Some(enabled) => Ok(outcome.with("enabled", *enabled)),
            None => Ok(outcome),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::super::systemd::tests::SYSTEMCTL;
    use super::ServiceArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell};
    use crate::outcome::{Failure, Outcome};

    async fn on(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<ServiceArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    /// Shells whose file system begins at a folder of their own.
    fn shells() -> impl Iterator<Item = Shell> {
        let shells = fake::shells().into_iter().chain([fake::posix()]);
        shells.map(|shell| {
            let root = shell.at("");
            shell.variable("w_root", root.trim_end_matches('/'))
        })
    }

    fn log(shell: &Shell) -> String {
        fs::read_to_string(shell.at("log")).unwrap_or_default()
    }

    /// Runs a wish in check mode, for real, and again.
    async fn thrice(shell: &Shell, arguments: Value, log_after: &str) {
        assert!(on(shell, CHECK, arguments.clone()).await.unwrap().changed);
        assert_eq!(log(shell), "");
        assert!(on(shell, REAL, arguments.clone()).await.unwrap().changed);
        assert_eq!(log(shell), log_after);
        assert!(!on(shell, REAL, arguments).await.unwrap().changed);
        assert_eq!(log(shell), log_after);
    }

    #[tokio::test]
    async fn under_systemd_it_is_systemd() {
        for shell in shells() {
            let shell = shell.tool("systemctl", SYSTEMCTL);
            fs::create_dir_all(shell.at("run/systemd/system")).unwrap();
            let arguments = json!({"name": "haproxy", "state": "started", "enabled": true});
            thrice(
                &shell,
                arguments.clone(),
                "--system enable haproxy\n--system start haproxy\n",
            )
            .await;
            let outcome = on(&shell, REAL, arguments).await.unwrap();
            assert_eq!(outcome.data["manager"], "systemd");
            assert_eq!(outcome.data["status"]["MainPID"], "7");
        }
    }

    #[tokio::test]
    async fn under_openrc_it_is_rc_service_and_rc_update() {
        for shell in shells() {
            let shell = shell
                .tool("rc-service", r#"
[ "$1" != --exists ] || { [ "$2" = sshd ]; exit; }
case $2 in status) [ -e started ] ;; start) echo "start $1" >>log; >started ;; *) echo "$2 $1" >>log ;; esac"#)
                .tool("rc-update", r#"
case $1 in show) [ ! -e on ] || echo "                 sshd | default" ;; add) echo "$*" >>log; >on ;; esac"#);
            let arguments = json!({"name": "sshd", "state": "started", "enabled": true});
            thrice(&shell, arguments, "add sshd default\nstart sshd\n").await;
            let restart = json!({"name": "sshd", "state": "restarted"});
            assert!(on(&shell, REAL, restart).await.unwrap().changed);
            assert!(log(&shell).ends_with("restart sshd\n"));
            let failure = on(&shell, REAL, json!({"name": "nope", "state": "started"})).await;
            assert_eq!(
                failure.unwrap_err().message,
                "there is no service nope on the node"
            );
        }
    }

    #[tokio::test]
    async fn elsewhere_it_is_a_script() {
        use std::os::unix::fs::PermissionsExt;
        for shell in shells() {
            let shell = shell.tool(
                "update-rc.d",
                r#"
[ "$2" = defaults ] || { echo "$*" >>log; mkdir -p etc/rc3.d; >"etc/rc3.d/S05$1"; }"#,
            );
            fs::create_dir_all(shell.at("etc/init.d")).unwrap();
            let script = shell.at("etc/init.d/cron");
            fs::write(
                &script,
                "#!/bin/sh\ncase $1 in status) [ -e up ] ;; start) echo start >>log; >up ;; esac\n",
            )
            .unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            let arguments = json!({"name": "cron", "state": "started", "enabled": true});
            thrice(&shell, arguments, "cron enable\nstart\n").await;
            let failure = on(&shell, REAL, json!({"name": "nope", "state": "started"})).await;
            assert_eq!(
                failure.unwrap_err().message,
                "there is no service nope on the node"
            );
        }
    }
}
