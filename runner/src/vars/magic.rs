//! Variables that Windlass itself sets, under Ansible's names. Nothing can override them. Those that are
//! made of variables (`hostvars`, `vars`, `environment`) are the view's own.

use std::net::IpAddr;

use minijinja::Value;

use super::roles;
use super::sources::Sources;
use crate::playbook::{Role, absolute};
use crate::template;

/// The version of ansible-core whose language this is, for playbooks that ask.
const LANGUAGE: (i64, i64, i64) = (2, 19, 0);

/// The value of a magic variable; nothing where it is none, or has no value there.
pub(super) fn magic(view: &Sources, name: &str) -> Option<Value> {
    let fixed = &view.snapshot.fixed;
    let (run, inventory) = (&fixed.run, &fixed.inventory);
    let play = || view.own_play().map(|play| &play.layers);
    let at_host = || (!view.host.is_empty()).then_some(view.host.as_str());
    Some(match name {
        "inventory_hostname" => Value::from(at_host()?),
        "inventory_hostname_short" => match at_host()? {
            address if address.parse::<IpAddr>().is_ok() => Value::from(address),
            name => Value::from(name.split('.').next()?),
        },
        "groups" => fixed.groups.clone(),
        "group_names" => {
            let host = inventory.host(at_host()?)?;
            inventory
                .group_names(host)
                .into_iter()
                .map(Value::from)
                .collect()
        }
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
            Value::from(absolute(folder))
        }
        "play_hosts" | "ansible_play_batch" => {
            let play = view.own_play()?;
            list(view.snapshot.remaining(&play.layers.batch))
        }
        "ansible_play_hosts" => {
            let play = view.own_play()?;
            list(view.snapshot.remaining(&play.layers.hosts))
        }
        "ansible_play_hosts_all" => list(texts(&play()?.hosts)),
        "ansible_play_name" => Value::from(play()?.name.as_str()),
        "ansible_check_mode" => Value::from(run.check),
        "ansible_diff_mode" => Value::from(run.diff),
        "ansible_verbosity" => Value::from(run.verbosity),
        "ansible_forks" => Value::from(run.forks),
        "ansible_limit" => Value::from(run.limit.as_deref()?),
        "ansible_run_tags" if run.tags.is_empty() => list(["all"]),
        "ansible_run_tags" => list(texts(&run.tags)),
        "ansible_skip_tags" => list(texts(&run.skip_tags)),
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
        _ => return of_roles(view, name),
    })
}

/// The same of those that are about roles.
fn of_roles(view: &Sources, name: &str) -> Option<Value> {
    let role = || view.task.roles().last().copied();
    let play_roles = || view.play_roles();
    Some(match name {
        "role_name" => Value::from(role()?.name.as_str()),
        "ansible_role_name" => Value::from(role()?.full_name()),
        "role_path" => Value::from(absolute(&role()?.path)),
        "ansible_search_path" => {
            let roles = view.task.roles();
            let roles = roles.iter().rev().map(|role| role.path.as_path());
            let task = view.task.task_folder()?;
            let play = &view.own_play()?.folder;
            let mut folders: Vec<String> = Vec::new();
            for folder in roles.chain([task, play]) {
                let folder = absolute(folder);
                if !folders.contains(&folder) {
                    folders.push(folder);
                }
            }
            list(texts(&folders))
        }
        "ansible_collection_name" => role()?
            .collection
            .as_deref()
            .map_or(Value::from(()), Value::from),
        "ansible_play_role_names" | "role_names" => play_roles()?
            .map(|role| Value::from(role.full_name()))
            .collect(),
        "ansible_dependent_role_names" => list(texts(&roles::dependency_names(play_roles()?))),
        "ansible_role_names" => {
            let mut names = roles::dependency_names(play_roles()?);
            for role in play_roles()? {
                let name = role.full_name();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            list(texts(&names))
        }
        _ => return None,
    })
}

fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    names.into_iter().map(Value::from).collect()
}

fn texts(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().map(String::as_str)
}

/// The names and folders of the roles from which those around a task were imported or included.
pub(super) fn parents(around: &[&Role], name: &str) -> Option<Value> {
    let of: fn(&Role) -> Value = match name {
        "ansible_parent_role_names" => |role| Value::from(role.full_name()),
        "ansible_parent_role_paths" => |role| Value::from(absolute(&role.path)),
        _ => return None,
    };
    let parents = roles::parents(around);
    (!parents.is_empty()).then(|| parents.into_iter().map(of).collect())
}
