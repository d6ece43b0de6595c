//! `script`: runs a file of the control host on the node.

use std::io::{BufRead, BufReader};
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::command::skipped;
use super::outcome::{Reading, returned, timed};
use super::request::Before;
use super::shell::one_line;
use super::words::{self, Expand};
use crate::args::{NodePath, Script as Line, Text};
use crate::describe::{CheckMode, FreeForm, Invalid, Return, Rule};
use crate::host::{Input, Script};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Copies the script from standard input to `$w_file`, which goes when the request ends. `mktemp` is
/// not everywhere; where it is missing, `set -C` refuses a file that is there already.
const RECEIVE: &str = r#"w_folder=${TMPDIR:-/tmp}
trap 'rm -f "$w_file"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
w_umask=$(umask); umask 077
w_file=$(mktemp "$w_folder/windlass-XXXXXXXX" 2>/dev/null) || {
w_file=$w_folder/windlass-$$; rm -f "$w_file"; (set -C; : >"$w_file") || exit; }
cat >"$w_file" || exit
umask "$w_umask"
"#;

/// Runs a script of the control host on the node: the file is sent along, run, and removed.
///
/// The task is changed whenever the script ran, and failed when its status is not 0. What runs it is
/// `executable`, or else the interpreter that its first line names (`#!/bin/bash`), or else `sh`; a
/// program in machine code runs by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Script")]
pub struct ScriptFileArgs {
    /// The file on the control host and its arguments, as in `script: setup.sh --fast`. A relative
    /// path is looked for in `files/` beside the playbook, then beside the playbook.
    #[serde(rename = "_raw_params")]
    free_form: Option<Line>,
    /// The same, as an argument of its own.
    cmd: Option<Line>,
    /// A program of the node to run the script with, and its arguments before the script.
    executable: Option<Text>,
    /// A folder of the node to run it in.
    chdir: Option<NodePath>,
    /// A path or pattern on the node, relative to `chdir`. When something matches it, the script does
    /// not run and the task is ok.
    creates: Option<NodePath>,
    /// A path or pattern on the node, relative to `chdir`. When nothing matches it, the script does
    /// not run and the task is ok.
    removes: Option<NodePath>,
}

impl ScriptFileArgs {
    fn line(&self) -> Result<&str, String> {
        one_line("script", self.free_form.as_deref(), self.cmd.as_deref())
    }

    /// The file and its arguments.
    fn words(&self) -> Result<(String, Vec<String>), String> {
        let line = self.line()?;
        let mut words =
            crate::python::words::split(line).map_err(|error| format!("{error} in `{line}`"))?;
        if words.is_empty() {
            return Err("no script is named".to_owned());
        }
        let file = words.remove(0);
        Ok((file, words))
    }

    /// The words before the script's path.
    fn interpreter(&self, file: &Path) -> Result<Vec<String>, Failure> {
        match &self.executable {
            Some(line) => crate::python::words::split(line)
                .map_err(|error| Failure::new(format!("{error} in `executable: {line}`"))),
            None => interpreter(file).map_err(|error| {
                Failure::new(format!(
                    "cannot read the script {}: {error}",
                    file.display()
                ))
                .hint("it is a file of the control host; may you read it?")
            }),
        }
    }
}

/// What the first line of a file says should run it; nothing for machine code.
fn interpreter(file: &Path) -> std::io::Result<Vec<String>> {
    let mut first = Vec::new();
    let (file, _) = crate::source::open(file)?;
    BufReader::new(std::io::Read::take(file, 4096)).read_until(b'\n', &mut first)?;
    if first.contains(&0) {
        return Ok(Vec::new());
    }
    let line = String::from_utf8_lossy(&first);
    let Some(line) = line.strip_prefix("#!") else {
        return Ok(vec!["sh".to_owned()]);
    };
    // As the kernel reads it: the program, and all the rest as one argument.
    let line = line.trim();
    let (program, argument) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let words = [program, argument.trim()].into_iter();
    Ok(words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect())
}

impl Arguments for ScriptFileArgs {
    const NAME: &'static str = "script";
    const FREE_FORM: FreeForm = FreeForm::Into("_raw_params");
    const RULES: &'static [Rule] = &[Rule::ExactlyOne(&["_raw_params", "cmd"])];
    const RETURNS: &'static [Return] = &returned(Return::text("cmd", "the line"));
    const CHECK_MODE: CheckMode = CheckMode::Does(
        "The task is skipped, unless `creates` or `removes` say whether it would run.",
    );
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Run files/setup.sh of the control host on the node, once\n  script: setup.sh --fast\n  args:\n    chdir: /srv\n    creates: setup-done\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        self.words()
            .map(drop)
            .map_err(Invalid::about(&["_raw_params", "cmd"]))
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let (name, arguments) = self.words().map_err(Failure::new)?;
        let before = Before {
            chdir: self.chdir.as_deref(),
            creates: self.creates.as_deref(),
            removes: self.removes.as_deref(),
        };
        let line = self.line().map_err(Failure::new)?;
        let file = context.control.find("files", &name)?;
        let interpreter = self.interpreter(&file)?;
        if context.check && !before.is_conditional() {
            return Ok(skipped().with("cmd", line));
        }
        let mut source = RECEIVE.to_owned();
        source.push_str(&before.source(context.check));
        if interpreter.is_empty() {
            source.push_str("chmod u+x \"$w_file\"\n");
        }
        for word in &interpreter {
            source.push_str(&words::source(word, Expand::Variables));
            source.push(' ');
        }
        source.push_str("\"$w_file\"");
        for word in &arguments {
            source.push(' ');
            source.push_str(&words::source(word, Expand::Variables));
        }
        source.push_str(" </dev/null\n");
        let ran = timed(
            context.host,
            Script::new(source)
                .stdin(Input::File(file))
                .kept()
                .durable(),
        )
        .await?;
        if let Some(stop) = Before::stopped(&ran.reply) {
            return before
                .outcome(stop, &ran.reply, context.check)
                .map(|outcome| outcome.with("cmd", line));
        }
        Reading {
            cmd: line.into(),
            program: interpreter.first().map(String::as_str),
            strip: false,
        }
        .outcome(ran)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::ScriptFileArgs;
    use crate::fake::{self, CHECK, FakeController, REAL, RunMode, Shell};
    use crate::outcome::{Failure, Outcome};

    /// A control host with one script.
    fn control(text: &str) -> (TempDir, FakeController) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("files")).unwrap();
        std::fs::write(folder.path().join("files/a script.sh"), text).unwrap();
        let control = FakeController::new(folder.path());
        (folder, control)
    }

    async fn on(
        shell: &Shell,
        control: &FakeController,
        mode: RunMode,
        arguments: Value,
    ) -> Result<Outcome, Failure> {
        fake::run::<ScriptFileArgs>(shell, control, mode, arguments).await
    }

    #[tokio::test]
    async fn it_runs_with_its_arguments_and_leaves_nothing() {
        let (_folder, control) = control("printf '<%s>' \"$@\"; umask; cat; exit $#\n");
        for shell in fake::shells().into_iter().chain([fake::posix()]) {
            let shell = {
                let folder = shell.at("tmp");
                std::fs::create_dir(&folder).unwrap();
                shell.variable("TMPDIR", &folder)
            };
            let arguments = json!({"_raw_params": "'a script.sh' 1 'b c' $HOME"});
            let failure = on(&shell, &control, REAL, arguments).await.unwrap_err();
            assert_eq!(failure.data["rc"], 3, "{failure:?}");
            let home = shell.dir().display();
            assert_eq!(failure.said("stdout"), format!("<1><b c><{home}>0022\n"));
            assert_eq!(std::fs::read_dir(shell.at("tmp")).unwrap().count(), 0);
            assert_eq!(shell.trips(), 1);
        }
    }

    #[tokio::test]
    async fn the_first_line_or_the_executable_says_what_runs_it() {
        let (_folder, control) = control("#!/bin/cat -n\nhello\n");
        for shell in fake::shells() {
            let arguments = json!({"cmd": "'a script.sh'", "executable": "tail -n 1"});
            let outcome = on(&shell, &control, REAL, arguments).await.unwrap();
            assert_eq!(outcome.said("stdout"), "hello\n");
            let outcome = on(&shell, &control, REAL, json!({"cmd": "'a script.sh'"}))
                .await
                .unwrap();
            assert!(outcome.said("stdout").contains("2\thello"));
        }
    }

    #[tokio::test]
    async fn conditions_and_check_mode_are_those_of_command() {
        let (_folder, control) = control("echo >made\n");
        for shell in fake::shells() {
            let arguments = json!({"cmd": "'a script.sh'", "creates": "made"});
            assert!(
                on(&shell, &control, CHECK, arguments.clone())
                    .await
                    .unwrap()
                    .changed
            );
            assert!(!shell.dir().join("made").exists());
            assert!(
                on(&shell, &control, REAL, arguments.clone())
                    .await
                    .unwrap()
                    .changed
            );
            assert!(!on(&shell, &control, REAL, arguments).await.unwrap().changed);
        }
    }

    #[tokio::test]
    async fn a_script_that_is_not_there_is_said_before_any_host_is_asked() {
        let (_folder, control) = control("");
        let host = fake::Fake::new([]);
        let arguments = json!({"_raw_params": "other.sh"});
        let failure = fake::run::<ScriptFileArgs>(&host, &control, REAL, arguments)
            .await
            .unwrap_err();
        assert!(failure.message.contains("other.sh"));
        assert!(host.scripts().is_empty());
    }
}
