//! A task with `loop` or `with_*` on one host: its items one after another, and their results
//! together.

use std::sync::Arc;
use std::time::Duration;

use minijinja::Value;

use super::message::Message;
use super::prepared::{Condition, PreparedLoop};
use super::result::TaskResult;
use super::work::{Unit, failed_template};
use crate::event::Status;
use crate::playbook::LoopControl;
use crate::template::{self, Scope, Templar, TemplateError};

/// What stands for an item under `no_log`.
const CENSORED_ITEM: &str = "(censored due to no_log)";

/// Runs the task for each item.
pub(crate) async fn run(unit: &Unit<'_>, scope: &Arc<dyn Scope>) -> TaskResult {
    let source = unit.work.prepared.looping.as_ref();
    let items = source.map_or_else(
        || Ok(Vec::new()),
        |source| items(source, &unit.work.shared.templar, scope),
    );
    let items = match items {
        Ok(items) => items,
        Err(error) => {
            // Where the task would be skipped anyway, what its loop says does not matter.
            return match unit.first_false(scope, &mut Vec::new()) {
                Ok(Some(condition)) => TaskResult::skipped(Some(condition)),
                _ => failed_template(&error),
            };
        }
    };
    if items.is_empty() {
        let mut result = TaskResult::skipped(None);
        result.data.insert("skipped_reason", "No items in the list");
        result.data.insert("results", Vec::<Value>::new());
        return result;
    }
    let mut results = Vec::with_capacity(items.len());
    // What an item sets, later items see: `set_fact: l: "{{ l + [item] }}"` gathers a list.
    let mut carried: Vec<(String, Value)> = Vec::new();
    for index in 0..items.len() {
        if index > 0 && !pause(unit, scope).await {
            break;
        }
        let mut extra = carried.clone();
        extra.extend(names(&unit.work.task.loop_control, &items, index));
        let of_item = unit.scope(extra.clone());
        let mut result = unit.single(&of_item, &extra).await;
        let own = result.defined.iter().filter(|own| own.by.is_none());
        for (name, value) in own.flat_map(|own| &own.variables) {
            carried.retain(|(known, _)| known != name);
            carried.push((name.clone(), value.clone()));
        }
        annotate(unit, &mut result, &items, index);
        let label = label(unit, &extra, &items[index]);
        let over = over(unit, &extra, &result);
        tell(unit, label, &result).await;
        // With the task's own host gone, the other items have nowhere to go; those of a delegated task may
        // have other hosts.
        let gone = result.status == Status::Unreachable
            && result.delegated_to.is_none()
            && unit.work.ignores(scope, Status::Unreachable) != Ok(true);
        let stop = gone || result.interrupted || over;
        results.push(result);
        if stop {
            break;
        }
    }
    together(results)
}

/// The items of a loop.
pub(crate) fn items(
    source: &PreparedLoop,
    templar: &Templar,
    scope: &Arc<dyn Scope>,
) -> Result<Vec<Value>, TemplateError> {
    let rendered = templar.render_prepared(&source.items, scope)?;
    if let Some(lookup) = &source.lookup {
        return templar.lookup(lookup, &rendered, scope);
    }
    let wrong = || {
        TemplateError::new(format!(
            "`loop` needs a list, but this gives `{}`",
            template::repr(&rendered)
        ))
        .or_span(Some(&source.span))
        .hint("wrap a single item in `[…]`; for a mapping use `| dict2items`")
    };
    if rendered.kind() != minijinja::value::ValueKind::Seq {
        return Err(wrong());
    }
    Ok(rendered.try_iter().map_err(|_| wrong())?.collect())
}

/// The variables of one item.
pub(crate) fn names(control: &LoopControl, items: &[Value], index: usize) -> Vec<(String, Value)> {
    let loop_var = control
        .loop_var
        .clone()
        .unwrap_or_else(|| "item".to_owned());
    let mut names = vec![
        (loop_var.clone(), items[index].clone()),
        ("ansible_loop_var".to_owned(), Value::from(loop_var)),
    ];
    if let Some(index_var) = &control.index_var {
        names.push((index_var.clone(), Value::from(index)));
        names.push((
            "ansible_index_var".to_owned(),
            Value::from(index_var.clone()),
        ));
    }
    if control.extended {
        let mut extended = vec![
            ("allitems", Value::from(items.to_vec())),
            ("index", Value::from(index + 1)),
            ("index0", Value::from(index)),
            ("first", Value::from(index == 0)),
            ("last", Value::from(index + 1 == items.len())),
            ("length", Value::from(items.len())),
            ("revindex", Value::from(items.len() - index)),
            ("revindex0", Value::from(items.len() - index - 1)),
        ];
        if let Some(next) = items.get(index + 1) {
            extended.push(("nextitem", next.clone()));
        }
        if let Some(previous) = index.checked_sub(1).and_then(|index| items.get(index)) {
            extended.push(("previtem", previous.clone()));
        }
        names.push(("ansible_loop".to_owned(), Value::from_pairs(extended)));
    }
    names
}

/// Adds to an item's result which item it is of.
fn annotate(unit: &Unit<'_>, result: &mut TaskResult, items: &[Value], index: usize) {
    let control = &unit.work.task.loop_control;
    let loop_var = control
        .loop_var
        .clone()
        .unwrap_or_else(|| "item".to_owned());
    result.data.insert("ansible_loop_var", loop_var.clone());
    result.data.insert(loop_var, items[index].clone());
    if let Some(index_var) = &control.index_var {
        result.data.insert(index_var.clone(), index);
        result.data.insert("ansible_index_var", index_var.clone());
    }
}

/// What reports call the item.
fn label(unit: &Unit<'_>, extra: &[(String, Value)], item: &Value) -> Value {
    if unit.no_log {
        return CENSORED_ITEM.into();
    }
    let looping = unit.work.prepared.looping.as_ref();
    let Some(label) = looping.and_then(|looping| looping.label.as_ref()) else {
        return item.clone();
    };
    let scope = unit.scope(extra.to_vec());
    let rendered = unit.work.shared.templar.render_prepared(label, &scope);
    rendered.unwrap_or_else(|_| item.clone())
}

/// Whether `break_when` ends the loop after this item.
fn over(unit: &Unit<'_>, extra: &[(String, Value)], result: &TaskResult) -> bool {
    let looping = unit.work.prepared.looping.as_ref();
    let conditions = looping.map_or(&[][..], |looping| &looping.break_when);
    if conditions.is_empty() {
        return false;
    }
    let mut extra = extra.to_vec();
    if let Some((name, _)) = &unit.work.task.register {
        extra.push((name.clone(), result.registered()));
    }
    let scope = unit.scope(extra);
    Condition::all_hold(conditions, &unit.work.shared.templar, &scope).unwrap_or(false)
}

async fn tell(unit: &Unit<'_>, label: Value, result: &TaskResult) {
    let message = Message::Item {
        task: unit.work.id,
        host: unit.host.to_owned(),
        item: label,
        result: unit.told(result),
    };
    let _ = unit.work.messages.send(message).await;
}

/// Waits as long as `loop_control.pause` says; false when the run was interrupted.
async fn pause(unit: &Unit<'_>, scope: &Arc<dyn Scope>) -> bool {
    let looping = unit.work.prepared.looping.as_ref();
    let Some(keyword) = looping.and_then(|looping| looping.pause.as_ref()) else {
        return true;
    };
    let seconds = keyword.value(&unit.work.shared.templar, scope);
    let seconds = seconds.unwrap_or(0.0);
    unit.sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default())
        .await
}

/// One result out of those of the items.
fn together(results: Vec<TaskResult>) -> TaskResult {
    let mut all = TaskResult::ok();
    let failed = results
        .iter()
        .filter(|result| result.status == Status::Failed)
        .count();
    if results
        .iter()
        .all(|result| result.status == Status::Skipped)
    {
        all.status = Status::Skipped;
        all.data.insert("msg", "All items skipped");
    } else if failed > 0 {
        all.fail(None);
    }
    if let Some(lost) = results
        .iter()
        .find(|result| result.status == Status::Unreachable)
    {
        all.status = Status::Unreachable;
        all.message.clone_from(&lost.message);
        all.hint.clone_from(&lost.hint);
        all.about_host = true;
    }
    all.changed = results.iter().any(|result| result.changed);
    all.interrupted = results.iter().any(|result| result.interrupted);
    if all.status == Status::Failed {
        let first = results
            .iter()
            .find(|result| result.status == Status::Failed);
        let why = first
            .and_then(|result| result.message.clone())
            .unwrap_or_default();
        all.hint = first.and_then(|result| result.hint.clone());
        all.about_host = first.is_some_and(|result| result.about_host);
        let count = results.len();
        all.data.insert("msg", "One or more items failed");
        all.message = Some(why.after(&format!("{failed} of {count} items failed; the first: ")));
    } else if all.status == Status::Ok {
        all.data.insert("msg", "All items completed");
    }
    let registered: Vec<Value> = results.iter().map(TaskResult::registered).collect();
    all.data.insert("results", registered);
    for result in results {
        all.facts.extend(result.facts);
        all.defined.extend(result.defined);
        all.notify.extend(result.notify);
        all.delegated_to = result.delegated_to.or(all.delegated_to);
    }
    all
}
