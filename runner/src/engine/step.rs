//! `--step`: the user is asked before each task.

use std::io::ErrorKind;

use super::dispatch::Dispatcher;
use super::options::Prompt;
use super::plan::Planned;
use crate::playbook::TaskAction;

impl Dispatcher {
    /// Whether a task is wanted. `meta` is not asked for, as in ansible-core.
    pub(crate) async fn is_wanted(&mut self, planned: &Planned) -> bool {
        if !self.asks || matches!(planned.task.action, TaskAction::Meta(..)) {
            return true;
        }
        let Some(Prompt(ask)) = self.shared.options.prompt.clone() else {
            let hint = "run it at a terminal, or without --step".to_owned();
            self.stop("--step has nobody to ask", Some(hint)).await;
            return false;
        };
        let question = format!(
            "Run the task `{}`? (N)o, (y)es, (c)ontinue without asking: ",
            title(planned)
        );
        match tokio::task::block_in_place(|| ask(&question, true)) {
            Ok(answer) => {
                let answer = answer.trim().to_lowercase();
                let goes_on = ["c", "continue"].contains(&answer.as_str());
                self.asks &= !goes_on;
                goes_on || ["y", "yes"].contains(&answer.as_str())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => false,
            Err(error) => {
                self.stop(format!("--step cannot ask: {error}"), None).await;
                false
            }
        }
    }
}

/// What a task is called before anything of it is rendered.
fn title(planned: &Planned) -> String {
    let task = &planned.task;
    let written = task.name.as_ref().and_then(|name| name.as_str());
    let name = match (&task.action, written) {
        (_, Some(name)) => name,
        (TaskAction::Module { name, .. }, None) => name,
        (TaskAction::IncludeTasks { .. }, None) => "include_tasks",
        (TaskAction::IncludeRole { .. }, None) => "include_role",
        (TaskAction::Meta(word, _), None) => word,
    };
    planned.chain.titled(name.to_owned())
}
