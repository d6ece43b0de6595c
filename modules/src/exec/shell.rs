//! `shell`: runs a line of sh.

use schemars::JsonSchema;
use serde::Deserialize;

use super::command::{input, skipped};
use super::outcome::{Reading, returned, timed};
use super::request::Before;
use crate::args::{Flag, NodePath, Text};
use crate::describe::{CheckMode, FreeForm, Invalid, Return, Rule};
use crate::host::Script;
use crate::kit;
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Runs shell source on the node: pipes, redirections, variables and patterns work.
///
/// The task is changed whenever it ran, and failed when its status is not 0; a pipe has the status of
/// its last command, unless the source says `set -o pipefail` and `executable` is a shell that has it.
/// The source is not visible in the node's list of processes; the arguments of programs that it starts are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShellArgs {
    /// The source, as in `shell: ls | wc -l`.
    #[serde(rename = "_raw_params")]
    free_form: Option<Text>,
    /// The same, as an argument of its own.
    cmd: Option<Text>,
    /// The full path of the shell to run it with. The node's `sh` when not given.
    executable: Option<NodePath>,
    /// A folder of the node to run it in.
    chdir: Option<NodePath>,
    /// A path or pattern on the node, relative to `chdir`. When something matches it, nothing runs
    /// and the task is ok.
    creates: Option<NodePath>,
    /// A path or pattern on the node, relative to `chdir`. When nothing matches it, nothing runs and
    /// the task is ok.
    removes: Option<NodePath>,
    /// Text for its standard input.
    stdin: Option<Text>,
    /// Put a newline after `stdin`.
    #[serde(default = "Flag::yes")]
    stdin_add_newline: Flag,
    /// Drop newlines at the end of `stdout` and `stderr`.
    #[serde(default = "Flag::yes")]
    strip_empty_ends: Flag,
}

impl ShellArgs {
    fn text(&self) -> Result<&str, String> {
        one_line("shell", self.free_form.as_deref(), self.cmd.as_deref())
    }
}

/// The one of the two ways to give a line that was used.
pub(super) fn one_line<'a>(
    module: &str,
    free_form: Option<&'a str>,
    cmd: Option<&'a str>,
) -> Result<&'a str, String> {
    free_form
        .or(cmd)
        .filter(|line| !line.trim().is_empty())
        .ok_or_else(|| format!("nothing to run: write `{module}: LINE`"))
}

/// Source that runs `text` under `executable`, or as it is.
///
/// A shell gets it through its environment, which other users of the node cannot read, and not as
/// an argument, which they can. Only an interpreter that is no sh gets it after `-c`.
pub(super) fn under(executable: Option<&str>, text: &str) -> String {
    let Some(executable) = executable else {
        return text.to_owned();
    };
    let name = executable.rsplit('/').next().unwrap_or_default();
    let (executable, text) = (kit::quote(executable), kit::quote(text));
    if ["sh", "ash", "bash", "dash", "ksh", "mksh", "zsh"].contains(&name) {
        format!(
            "WINDLASS_TEXT={text}; export WINDLASS_TEXT\n\
             exec {executable} -c 'eval \"unset WINDLASS_TEXT\n$WINDLASS_TEXT\"'"
        )
    } else {
        format!("exec {executable} -c {text}")
    }
}

impl Arguments for ShellArgs {
    const NAME: &'static str = "shell";
    const FREE_FORM: FreeForm = FreeForm::Into("_raw_params");
    const RULES: &'static [Rule] = &[Rule::ExactlyOne(&["_raw_params", "cmd"])];
    const RETURNS: &'static [Return] = &returned(Return::text("cmd", "the source"));
    const CHECK_MODE: CheckMode = CheckMode::Does(
        "The task is skipped, unless `creates` or `removes` say whether it would run.",
    );
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Count the users\n  shell: wc -l < /etc/passwd\n  register: users\n  changed_when: false\n",
        "- name: Keep the words of a list, once\n  shell: |\n    set -o pipefail\n    printf '%s\\n' b a | sort > words\n  args:\n    executable: /bin/bash\n    chdir: /srv\n    creates: words\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        self.text()
            .map(drop)
            .map_err(Invalid::about(&["_raw_params", "cmd"]))
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let text = self.text().map_err(Failure::new)?;
        let before = Before {
            chdir: self.chdir.as_deref(),
            creates: self.creates.as_deref(),
            removes: self.removes.as_deref(),
        };
        if context.check && !before.is_conditional() {
            return Ok(skipped().with("cmd", text));
        }
        let source = before.source(context.check) + &under(self.executable.as_deref(), text);
        let script = Script::new(source)
            .stdin(input(self.stdin.as_deref(), *self.stdin_add_newline))
            .kept()
            .durable();
        let ran = timed(context.host, script).await?;
        if let Some(stop) = Before::stopped(&ran.reply) {
            return before
                .outcome(stop, &ran.reply, context.check)
                .map(|outcome| outcome.with("cmd", text));
        }
        Reading {
            cmd: text.into(),
            program: self.executable.as_deref(),
            strip: *self.strip_empty_ends,
        }
        .outcome(ran)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::ShellArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode};
    use crate::outcome::{Failure, Outcome};

    async fn on(shell: &fake::Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<ShellArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    #[tokio::test]
    async fn it_is_a_shell() {
        for shell in fake::shells() {
            let line = "for i in a b; do echo \"$i\"; done | tr a-z A-Z; x='it''s'; echo $x";
            let outcome = on(&shell, REAL, json!({"_raw_params": line}))
                .await
                .unwrap();
            assert_eq!(outcome.said("stdout"), "A\nB\nits");
            assert_eq!(outcome.data["cmd"], line);
            let failure = on(&shell, REAL, json!({"cmd": "echo x; exit 4"}))
                .await
                .unwrap_err();
            assert_eq!(failure.data["rc"], 4);
            assert_eq!(failure.said("stdout"), "x");
        }
    }

    #[tokio::test]
    async fn another_shell_gets_the_source_where_nobody_sees_it() {
        for shell in fake::shells() {
            let path = "/bin/bash";
            let line = "a=(1 'x y'); echo \"${a[1]}\"; echo \"${WINDLASS_TEXT-gone}\"\ntr '\\0' ' ' </proc/$$/cmdline";
            let arguments = json!({"cmd": line, "executable": path});
            let outcome = on(&shell, REAL, arguments).await.unwrap();
            let said = outcome.said("stdout");
            assert!(said.starts_with("x y\ngone\n"), "{said}");
            assert!(!said.contains("a=("));
        }
    }

    #[tokio::test]
    async fn an_interpreter_that_is_no_shell_gets_it_as_an_argument() {
        for shell in fake::shells() {
            let shell = shell.tool("python9", "echo \"$1 $2\"");
            let arguments = json!({"cmd": "print(1)", "executable": "python9"});
            assert_eq!(
                on(&shell, REAL, arguments).await.unwrap().said("stdout"),
                "-c print(1)"
            );
            let missing = json!({"cmd": "print(1)", "executable": "/no/such/bash"});
            let failure = on(&shell, REAL, missing).await.unwrap_err();
            assert!(
                failure.message.contains("`/no/such/bash` does not exist"),
                "{}",
                failure.message
            );
        }
    }

    #[tokio::test]
    async fn conditions_and_check_mode_are_those_of_command() {
        for shell in fake::shells() {
            let arguments = json!({"cmd": "echo x >made", "creates": "made"});
            assert!(on(&shell, CHECK, arguments.clone()).await.unwrap().changed);
            assert!(!shell.dir().join("made").exists());
            assert!(on(&shell, REAL, arguments.clone()).await.unwrap().changed);
            assert!(!on(&shell, REAL, arguments).await.unwrap().changed);
            assert!(
                on(&shell, CHECK, json!({"cmd": "echo"}))
                    .await
                    .unwrap()
                    .skipped
            );
        }
    }
}
