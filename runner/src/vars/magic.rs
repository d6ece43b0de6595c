//! Variables that Windlass itself sets, under Ansible's names. Nothing can override them.

use std::net::IpAddr;

use minijinja::Value;

use super::hostvars::{AllHosts, Everything};
use super::view::View;
use crate::template;

/// The version of ansible-core whose language this is, for playbooks that ask.
const LANGUAGE: (i64, i64, i64) = (2, 19, 0);

/// All names, except `environment`: what it says may itself be undefined, which is no time to list names.
pub(super) const NAMES: &[&str] = &[
    "ansible_check_mode",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_limit",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "play_hosts",
    "playbook_dir",
    "vars",
];

/// Whether `name` is one of them, whether or not it has a value now.
pub(super) fn is_magic(name: &str) -> bool {
    name == "environment" || NAMES.contains(&name)
}

/// The value of a magic variable in a view; nothing where it is none, or has no value there.
pub(super) fn magic(view: &View, name: &str) -> Option<Value> {
    let run = &view.store.0.run;
    let inventory = &view.store.0.inventory;
    let play = || view.own_play().map(|play| &play.layers);
    let at_host = || (!view.host.is_empty()).then_some(view.host.as_str());
    Some(match name {
        "inventory_hostname" => Value::from(at_host()?),
        "inventory_hostname_short" => match at_host()? {
            address if address.parse::<IpAddr>().is_ok() => Value::from(address),
            name => Value::from(name.split('.').next()?),
        },
        "groups" => view.store.0.groups.clone(),
        "group_names" => {
            let host = inventory.host(at_host()?)?;
            inventory
                .group_names(host)
                .into_iter()
                .map(Value::from)
                .collect()
        }
        "hostvars" => Value::from_object(AllHosts {
            store: view.store.clone(),
            play: view.play.clone(),
            rendering: view.rendering.clone(),
        }),
        "vars" => Value::from_object(Everything(view.scope()?)),
        "ansible_facts" => {
            at_host()?;
            view.state.facts.all()
        }
        "inventory_dir" => {
            let host = inventory.host(at_host()?).filter(|host| !host.implicit)?;
            let folder = host.inventory_dir.as_ref();
            folder.map_or(Value::from(()), |folder| {
                Value::from(folder.display().to_string())
            })
        }
        "inventory_file" => {
            let host = inventory.host(at_host()?).filter(|host| !host.implicit)?;
            host.inventory_file
                .as_deref()
                .map_or(Value::from(()), Value::from)
        }
        "playbook_dir" => {
            let folder = &view.play.as_deref()?.folder;
            let absolute = if folder.as_os_str().is_empty() {
                std::env::current_dir()
            } else {
                std::path::absolute(folder)
            };
            Value::from(
                absolute
                    .unwrap_or_else(|_| folder.clone())
                    .display()
                    .to_string(),
            )
        }
        "play_hosts" | "ansible_play_batch" => {
            let play = view.own_play()?;
            list(&play.remaining(&play.layers.batch))
        }
        "ansible_play_hosts" => {
            let play = view.own_play()?;
            list(&play.remaining(&play.layers.hosts))
        }
        "ansible_play_hosts_all" => list(&play()?.hosts),
        "ansible_play_name" => Value::from(play()?.name.as_str()),
        "ansible_check_mode" => Value::from(run.check),
        "ansible_diff_mode" => Value::from(run.diff),
        "ansible_verbosity" => Value::from(run.verbosity),
        "ansible_forks" => Value::from(run.forks),
        "ansible_limit" => Value::from(run.limit.as_deref()?),
        "ansible_run_tags" if run.tags.is_empty() => list(&["all".to_owned()]),
        "ansible_run_tags" => list(&run.tags),
        "ansible_skip_tags" => list(&run.skip_tags),
        "ansible_version" => {
            let (major, minor, revision) = LANGUAGE;
            let full = format!("{major}.{minor}.{revision}");
            Value::from_pairs([
                ("full", Value::from(full.clone())),
                ("string", Value::from(full)),
                ("major", Value::from(major)),
                ("minor", Value::from(minor)),
                ("revision", Value::from(revision)),
            ])
        }
        "omit" => template::omit(),
        "environment" => environment(view)?,
        _ => return None,
    })
}

/// `environment` of the play, of blocks and of the task, outermost first.
fn environment(view: &View) -> Option<Value> {
    let play = &view.own_play()?.layers.play;
    let around = view.task.environment();
    let items = play.common.environment.iter().chain(around);
    let scope = view.scope()?;
    let rendered = items.map(|item| view.store.0.templar.render(item, &scope));
    Some(match rendered.collect::<Result<Vec<Value>, _>>() {
        Ok(items) => Value::from(items),
        Err(error) => template::failed(error),
    })
}

fn list(names: &[String]) -> Value {
    names
        .iter()
        .map(|name| Value::from(name.as_str()))
        .collect()
}
