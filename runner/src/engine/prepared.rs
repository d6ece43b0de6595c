//! A task as it is for all its hosts: its module found, its arguments taken apart, and compiled whatever is
//! rendered for each of them. It is made once a task, however many hosts and batches have it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_modules::Module;

use super::arguments::{self, TaskArguments};
use super::chain::Chain;
use super::keywords::Ready;
use crate::playbook::{Common, Keyword, LoopSource, Task, TaskAction};
use crate::template::{self, PreparedCondition, Scope, Templar, TemplateError};
use crate::yaml::{Diagnostic, Node, Span};

/// What the task does.
pub(crate) struct ModuleCall {
    pub(crate) module: &'static dyn Module,
    pub(crate) arguments: TaskArguments,
}

/// How the task does it.
pub(crate) struct PreparedTask {
    pub(crate) name: Option<template::PreparedValue>,
    pub(crate) keywords: Keywords,
    /// All conditions around the task, outermost first.
    pub(crate) conditions: Vec<Condition>,
    /// `environment` around the task, outermost first.
    pub(crate) environment: Vec<(template::PreparedValue, Span)>,
    pub(crate) looping: Option<PreparedLoop>,
    pub(crate) until: Vec<Condition>,
    pub(crate) changed_when: Vec<Condition>,
    pub(crate) failed_when: Vec<Condition>,
    pub(crate) retries: Option<Ready<usize>>,
    pub(crate) delay: Option<Ready<f64>>,
    pub(crate) notify: Vec<template::PreparedValue>,
    /// The file of an `include_tasks`.
    pub(crate) file: Option<template::PreparedValue>,
    /// Where relative names are looked for: the folders of the roles around the task, the task file's, the play's.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) playbook_dir: PathBuf,
    /// The folder of the role that the task is of.
    pub(crate) role: Option<PathBuf>,
    /// The folder of the task's file.
    pub(crate) folder: PathBuf,
}

/// The innermost value of each keyword that a task inherits.
pub(crate) struct Keywords {
    pub(crate) r#become: Option<Ready<bool>>,
    pub(crate) become_user: Option<Ready<String>>,
    pub(crate) become_method: Option<Ready<String>>,
    pub(crate) become_flags: Option<Ready<String>>,
    pub(crate) become_exe: Option<Ready<String>>,
    pub(crate) no_log: Option<Ready<bool>>,
    pub(crate) ignore_errors: Option<Ready<bool>>,
    pub(crate) ignore_unreachable: Option<Ready<bool>>,
    pub(crate) check_mode: Option<Ready<bool>>,
    pub(crate) diff: Option<Ready<bool>>,
    pub(crate) any_errors_fatal: Option<Ready<bool>>,
    pub(crate) run_once: Option<Ready<bool>>,
    pub(crate) delegate_to: Option<template::PreparedValue>,
    pub(crate) delegate_facts: Option<Ready<bool>>,
    pub(crate) timeout: Option<Ready<f64>>,
    pub(crate) throttle: Option<Ready<usize>>,
    pub(crate) connection: Option<Ready<String>>,
    pub(crate) remote_user: Option<Ready<String>>,
    pub(crate) port: Option<Ready<u16>>,
}

/// A condition, with its text for messages.
pub(crate) struct Condition {
    pub(crate) test: PreparedCondition,
    pub(crate) text: String,
}

/// `loop`, or `with_*`, and what is said of it.
pub(crate) struct PreparedLoop {
    /// The name of the lookup, of `with_*`.
    pub(crate) lookup: Option<String>,
    pub(crate) items: template::PreparedValue,
    pub(crate) span: Span,
    pub(crate) label: Option<template::PreparedValue>,
    pub(crate) pause: Option<Ready<f64>>,
    pub(crate) break_when: Vec<Condition>,
}

impl ModuleCall {
    /// Errors: there is no such module, or its arguments cannot be taken apart.
    pub(crate) fn new(task: &Task, chain: &Chain) -> Result<Self, Diagnostic> {
        let (module, arguments) = arguments::prepare(task, chain)?;
        Ok(Self { module, arguments })
    }
}

impl PreparedTask {
    /// Prepares a task. `chain`: what stands around it, with the task itself.
    pub(crate) fn new(task: &Task, chain: &Chain) -> Self {
        let environment = chain.environment();
        let file = match &task.action {
            TaskAction::IncludeTasks { file, .. } => Some(template::PreparedValue::new(file)),
            _ => None,
        };
        Self {
            name: task.name.as_ref().map(template::PreparedValue::new),
            keywords: Keywords::new(chain),
            conditions: chain.conditions().map(Condition::new).collect(),
            environment: environment
                .map(|node| (template::PreparedValue::new(node), node.span.clone()))
                .collect(),
            looping: task
                .looping
                .as_ref()
                .map(|source| PreparedLoop::new(source, task)),
            until: Condition::all(&task.until),
            changed_when: Condition::all(&task.changed_when),
            failed_when: Condition::all(&task.failed_when),
            retries: task.retries.as_ref().map(Ready::new),
            delay: task.delay.as_ref().map(Ready::new),
            notify: chain
                .notify()
                .iter()
                .map(template::PreparedValue::new)
                .collect(),
            folders: chain.folders(),
            playbook_dir: chain.playbook_dir(),
            role: chain.role().map(|role| role.path.clone()),
            folder: task.path.parent().unwrap_or(Path::new("")).to_path_buf(),
            file,
        }
    }
}

impl Keywords {
    fn new(chain: &Chain) -> Self {
        fn ready<T: Clone>(
            chain: &Chain,
            of: impl Fn(&Common) -> &Option<Keyword<T>>,
        ) -> Option<Ready<T>> {
            chain.keyword(of).map(Ready::new)
        }
        let delegate_to = chain.innermost(|common| common.delegate_to.as_ref());
        Self {
            r#become: ready(chain, |common| &common.r#become),
            become_user: ready(chain, |common| &common.become_user),
            become_method: ready(chain, |common| &common.become_method),
            become_flags: ready(chain, |common| &common.become_flags),
            become_exe: ready(chain, |common| &common.become_exe),
            no_log: ready(chain, |common| &common.no_log),
            ignore_errors: ready(chain, |common| &common.ignore_errors),
            ignore_unreachable: ready(chain, |common| &common.ignore_unreachable),
            check_mode: ready(chain, |common| &common.check_mode),
            diff: ready(chain, |common| &common.diff),
            any_errors_fatal: ready(chain, |common| &common.any_errors_fatal),
            run_once: ready(chain, |common| &common.run_once),
            delegate_to: delegate_to.map(template::PreparedValue::new),
            delegate_facts: ready(chain, |common| &common.delegate_facts),
            timeout: ready(chain, |common| &common.timeout),
            throttle: ready(chain, |common| &common.throttle),
            connection: ready(chain, |common| &common.connection),
            remote_user: ready(chain, |common| &common.remote_user),
            port: ready(chain, |common| &common.port),
        }
    }
}

impl Condition {
    fn new(node: &Node) -> Self {
        Self {
            test: PreparedCondition::new(node),
            text: text_of(node),
        }
    }

    fn all(nodes: &[Node]) -> Vec<Self> {
        nodes.iter().map(Self::new).collect()
    }

    /// The texts of several, for messages.
    pub(crate) fn texts(conditions: &[Self]) -> String {
        let texts: Vec<&str> = conditions.iter().map(|one| one.text.as_str()).collect();
        texts.join(" and ")
    }

    /// Whether all hold.
    pub(crate) fn all_hold(
        conditions: &[Self],
        templar: &Templar,
        scope: &Arc<dyn Scope>,
    ) -> Result<bool, TemplateError> {
        for condition in conditions {
            if !templar.holds_prepared(&condition.test, scope)?.truth {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl PreparedLoop {
    fn new(source: &LoopSource, task: &Task) -> Self {
        let control = &task.loop_control;
        Self {
            lookup: source.lookup.clone(),
            items: template::PreparedValue::new(&source.items),
            span: source.items.span.clone(),
            label: control.label.as_ref().map(template::PreparedValue::new),
            pause: control.pause.as_ref().map(Ready::new),
            break_when: Condition::all(&control.break_when),
        }
    }
}

/// What a condition says, for messages.
fn text_of(condition: &Node) -> String {
    match &condition.value {
        crate::yaml::Value::String(text) => text.clone(),
        crate::yaml::Value::Bool(truth) => truth.to_string(),
        crate::yaml::Value::Int(number) => number.to_string(),
        _ => condition.span.source.text()[condition.span.start..condition.span.end].to_owned(),
    }
}
