//! `command`: runs a program.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::outcome::{Reading, returned, timed};
use super::request::Before;
use super::words::{self, Expand};
use crate::args::{Flag, Many, NodePath, Text};
use crate::describe::{CheckMode, FreeForm, Invalid, Return, Rule};
use crate::host::{Input, Script};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Runs a program, without a shell: pipes, `>`, `&&` and patterns like `*` mean nothing, but `$NAME`
/// and a leading `~` are expanded on the node. Use `shell` for what a shell does.
///
/// The task is changed whenever the program ran, and failed when its status is not 0.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandArgs {
    /// The command as one line, as in `command: ls -l`. Words are split at white space; quotes keep
    /// them together.
    #[serde(rename = "_raw_params")]
    free_form: Option<Text>,
    /// The same, as an argument of its own.
    cmd: Option<Text>,
    /// The command as a list of words, which need no quotes.
    argv: Option<Many>,
    /// A folder of the node to run it in.
    chdir: Option<NodePath>,
    /// A path or pattern on the node, relative to `chdir`. When something matches it, the command does
    /// not run and the task is ok.
    creates: Option<NodePath>,
    /// A path or pattern on the node, relative to `chdir`. When nothing matches it, the command does
    /// not run and the task is ok.
    removes: Option<NodePath>,
    /// Text for its standard input.
    stdin: Option<Text>,
    /// Put a newline after `stdin`.
    #[serde(default = "Flag::yes")]
    stdin_add_newline: Flag,
    /// Drop newlines at the end of `stdout` and `stderr`.
    #[serde(default = "Flag::yes")]
    strip_empty_ends: Flag,
    /// Expand `$NAME`, `${NAME}` and a leading `~` in the words, on the node.
    #[serde(default = "Flag::yes")]
    expand_argument_vars: Flag,
}

impl CommandArgs {
    fn words(&self) -> Result<Vec<String>, String> {
        let given = [&self.free_form, &self.cmd];
        let mut lines = given
            .into_iter()
            .flatten()
            .filter(|line| !line.trim().is_empty());
        let words = match (lines.next(), &self.argv) {
            (Some(line), _) => crate::python::words::split(line)
                .map_err(|error| format!("{error} in the command `{line}`"))?,
            (None, argv) => argv.as_deref().unwrap_or_default().to_vec(),
        };
        match words.first() {
            None => Err("no command given: write `command: PROGRAM ARGUMENTS`, or `argv` with a list of words".to_owned()),
            Some(program) if program.is_empty() => Err("the command's first word, the program, is empty".to_owned()),
            Some(_) => Ok(words),
        }
    }

    fn before(&self) -> Before<'_> {
        Before {
            chdir: self.chdir.as_deref(),
            creates: self.creates.as_deref(),
            removes: self.removes.as_deref(),
        }
    }
}

impl Arguments for CommandArgs {
    const NAME: &'static str = "command";
    const FREE_FORM: FreeForm = FreeForm::Into("_raw_params");
    const RULES: &'static [Rule] = &[Rule::ExactlyOne(&["_raw_params", "cmd", "argv"])];
    const RETURNS: &'static [Return] = &returned(Return::list("cmd", "the words of the command"));
    const CHECK_MODE: CheckMode = CheckMode::Does(
        "The task is skipped, unless `creates` or `removes` say whether it would run.",
    );
    const EXAMPLES: &'static [&'static str] = &[
        "- name: See how long the node has been up\n  command: uptime\n  register: up\n  changed_when: false\n",
        "- name: Make a key, once\n  command:\n    argv: [touch, key with a blank]\n    chdir: /srv\n    creates: key with a blank\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        self.words()
            .map(drop)
            .map_err(Invalid::about(&["_raw_params", "cmd", "argv"]))
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let words = self.words().map_err(Failure::new)?;
        let cmd = Value::from(words.clone());
        let before = self.before();
        if context.check && !before.is_conditional() {
            return Ok(skipped().with("cmd", cmd));
        }
        let expand = if *self.expand_argument_vars {
            Expand::Variables
        } else {
            Expand::Nothing
        };
        // `exec`: the program takes the place of the request's subshell, without another fork.
        let mut source = before.source(context.check);
        source.push_str("exec");
        for word in &words {
            source.push(' ');
            source.push_str(&words::source(word, expand));
        }
        let script = Script::new(source)
            .stdin(input(self.stdin.as_deref(), *self.stdin_add_newline))
            .kept()
            .durable();
        let ran = timed(context.host, script).await?;
        if let Some(stop) = Before::stopped(&ran.reply) {
            return before
                .outcome(stop, &ran.reply, context.check)
                .map(|outcome| outcome.with("cmd", cmd));
        }
        Reading {
            cmd,
            program: words.first().map(String::as_str),
            strip: *self.strip_empty_ends,
        }
        .outcome(ran)
    }
}

/// The outcome in check mode of a command of which nobody knows what it would do: with the values of one that
/// printed nothing, as observed on ansible-core 2.19.
pub(super) fn skipped() -> Outcome {
    let mut outcome = Outcome {
        skipped: true,
        ..Outcome::ok()
    }
    .message("Command would have run if not in check mode")
    .with("rc", 0);
    for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        outcome = outcome.with(text, "").with(lines, json!([]));
    }
    for moment in ["start", "end", "delta"] {
        outcome = outcome.with(moment, Value::Null);
    }
    outcome
}

/// A text for standard input.
pub(super) fn input(text: Option<&str>, newline: bool) -> Input {
    match text {
        None => Input::Empty,
        Some(text) => {
            let mut bytes = text.as_bytes().to_vec();
            if newline {
                bytes.push(b'\n');
            }
            Input::Bytes(bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CommandArgs;
    use crate::fake::{self, CHECK, Fake, FakeController, REAL, RunMode, Shell};
    use crate::host::Reply;
    use crate::outcome::{Failure, Outcome};

    async fn on(shell: &Shell, mode: RunMode, arguments: Value) -> Result<Outcome, Failure> {
        fake::run::<CommandArgs>(shell, &FakeController::new("/"), mode, arguments).await
    }

    #[tokio::test]
    async fn a_plain_command_is_one_exec_and_nothing_else() {
        let host = Fake::new([Ok(Reply::default())]);
        let control = FakeController::new("/");
        let arguments = json!({"_raw_params": "/bin/true"});
        fake::run::<CommandArgs>(&host, &control, REAL, arguments)
            .await
            .unwrap();
        let scripts = host.scripts();
        assert_eq!(scripts[0].source, "exec /bin/true");
        assert!(scripts[0].parts.is_empty());
    }

    #[tokio::test]
    async fn output_and_status_come_back_with_ansibles_keys() {
        for shell in fake::shells() {
            let outcome = on(&shell, REAL, json!({"cmd": "printf 'a\\nb\\n\\n'"}))
                .await
                .unwrap();
            assert!(outcome.changed);
            assert_eq!(outcome.said("stdout"), "a\nb");
            assert_eq!(outcome.printed[0].1.lines().count(), Ok(2));
            assert_eq!(outcome.printed[1].1.lines().count(), Ok(0));
            assert_eq!(outcome.data["rc"], 0);
            assert_eq!(outcome.data["cmd"], json!(["printf", "a\\nb\\n\\n"]));
            assert!(
                outcome.data["delta"]
                    .as_str()
                    .unwrap()
                    .starts_with("0:00:0")
            );

            let failing = json!({"argv": ["sh", "-c", "echo no >&2; exit 3"]});
            let failure = on(&shell, REAL, failing).await.unwrap_err();
            assert_eq!(failure.message, "non-zero return code");
            assert_eq!(failure.data["rc"], 3);
            assert_eq!(failure.said("stderr"), "no");
            assert_eq!(failure.data["changed"], true);
        }
    }

    #[tokio::test]
    async fn variables_expand_and_shell_syntax_does_not() {
        for shell in fake::shells() {
            std::fs::write(shell.at("file"), "").unwrap();
            let line = "printf %s-%s $HOME * ; | >x";
            let outcome = on(&shell, REAL, json!({"_raw_params": line}))
                .await
                .unwrap();
            let home = shell.dir().display();
            assert_eq!(outcome.said("stdout"), format!("{home}-*;-|>x-"));
            let literal = json!({"argv": ["echo", "$HOME"], "expand_argument_vars": false});
            let outcome = on(&shell, REAL, literal).await.unwrap();
            assert_eq!(outcome.said("stdout"), "$HOME");
        }
    }

    #[tokio::test]
    async fn standard_input_is_fed_with_a_newline_or_without() {
        for shell in fake::shells() {
            let with = json!({"cmd": "od -c", "stdin": "x"});
            let outcome = on(&shell, REAL, with).await.unwrap();
            assert!(outcome.said("stdout").contains("x  \\n"));
            let without = json!({"cmd": "cat", "stdin": 5, "stdin_add_newline": "no", "strip_empty_ends": false});
            let outcome = on(&shell, REAL, without).await.unwrap();
            assert_eq!(outcome.said("stdout"), "5");
        }
    }

    #[tokio::test]
    async fn creates_and_removes_are_patterns_in_the_folder_of_the_command() {
        for shell in fake::shells() {
            std::fs::create_dir(shell.at("sub dir")).unwrap();
            std::fs::write(shell.at("sub dir/done.1"), "").unwrap();
            let folder = shell.at("sub dir");
            let made = |key: &str, pattern: &str| json!({"cmd": "touch ran", "chdir": folder, key: pattern});

            let outcome = on(&shell, REAL, made("creates", "done.*")).await.unwrap();
            assert!(!outcome.changed && !outcome.skipped);
            assert_eq!(
                outcome.data["msg"],
                "Did not run command since 'done.*' exists"
            );
            assert_eq!(outcome.data["stdout"], "skipped, since done.* exists");
            assert_eq!(outcome.data["rc"], 0);
            let outcome = on(&shell, REAL, made("removes", "other*")).await.unwrap();
            assert_eq!(
                outcome.data["msg"],
                "Did not run command since 'other*' does not exist"
            );
            assert!(!shell.dir().join("sub dir/ran").exists());

            let outcome = on(&shell, CHECK, made("creates", "ran")).await.unwrap();
            assert!(outcome.changed && !outcome.skipped);
            assert!(!shell.dir().join("sub dir/ran").exists());
            let outcome = on(&shell, REAL, made("creates", "ran")).await.unwrap();
            assert!(outcome.changed);
            assert!(shell.dir().join("sub dir/ran").exists());
            assert!(
                !on(&shell, CHECK, made("creates", "ran"))
                    .await
                    .unwrap()
                    .changed
            );
            assert!(
                on(&shell, REAL, made("removes", "ran"))
                    .await
                    .unwrap()
                    .changed
            );
        }
    }

    #[tokio::test]
    async fn check_mode_runs_nothing_and_asks_nothing() {
        let host = Fake::new([]);
        let outcome =
            fake::run::<CommandArgs>(&host, &FakeController::new("/"), CHECK, json!({"cmd": "x"}))
                .await;
        let outcome = outcome.unwrap();
        assert!(outcome.skipped);
        assert_eq!(outcome.data["stdout"], "");
        assert_eq!(outcome.data["stdout_lines"], json!([]));
        assert_eq!(outcome.data["start"], Value::Null);
    }

    #[tokio::test]
    async fn what_is_missing_is_said_plainly() {
        for shell in fake::shells() {
            let failure = on(&shell, REAL, json!({"cmd": "no-such-program -x"}))
                .await
                .unwrap_err();
            assert_eq!(
                failure.message,
                "the command `no-such-program` is missing on the node"
            );
            assert_eq!(failure.data["rc"], 127);
            assert!(failure.hint.unwrap().contains("full path"));

            let failure = on(&shell, REAL, json!({"cmd": "/no/such/program"}))
                .await
                .unwrap_err();
            assert!(
                failure.message.contains("does not exist on"),
                "{}",
                failure.message
            );

            std::fs::write(shell.at("plain"), "text").unwrap();
            let failure = on(&shell, REAL, json!({"cmd": "./plain"}))
                .await
                .unwrap_err();
            assert!(
                failure.message.contains("cannot be executed"),
                "{}",
                failure.message
            );

            let failure = on(&shell, REAL, json!({"cmd": "ls", "chdir": "/no/such"}))
                .await
                .unwrap_err();
            assert!(
                failure.message.starts_with("Unable to change directory"),
                "{}",
                failure.message
            );

            let own = json!({"argv": ["sh", "-c", "exit 127"]});
            assert_eq!(
                on(&shell, REAL, own).await.unwrap_err().message,
                "non-zero return code"
            );
        }
    }

    #[tokio::test]
    async fn commands_that_make_no_sense_are_refused_before_any_host() {
        for arguments in [
            json!({}),
            json!({"_raw_params": " "}),
            json!({"cmd": "a 'b"}),
            json!({"cmd": "a", "argv": ["b"]}),
            json!({"cmd": "a", "_raw_params": "b"}),
            json!({"argv": [""]}),
        ] {
            let host = Fake::new([]);
            let result =
                fake::run::<CommandArgs>(&host, &FakeController::new("/"), REAL, arguments.clone())
                    .await;
            assert!(result.is_err(), "{arguments}");
            assert!(host.scripts().is_empty());
        }
    }
}
