//! Where a file of tasks is that an `include_tasks` names.

use std::path::{Path, PathBuf};

use super::search::expanded;

/// The file of tasks that `name` means, looked for as ansible-core 2.19 does: of a role in its folders `tasks` or
/// `handlers` and then beside the file of the task; outside of roles only beside that file, and beside the playbook.
/// `folders`: those around the task, the innermost first. Error: the places where it is not.
pub fn tasks_file(
    name: &str,
    folders: &[PathBuf],
    in_role: bool,
    handlers: bool,
) -> Result<PathBuf, Vec<PathBuf>> {
    let path = expanded(name);
    let below: &[&str] = match (in_role, handlers) {
        (false, _) => &[""],
        (true, false) => &["tasks", ""],
        (true, true) => &["handlers", "", "tasks"],
    };
    let places = if path.is_absolute() {
        vec![path]
    } else {
        let places = folders.iter().flat_map(|folder| {
            let of_folder = below.iter().map(|below| folder.join(below).join(&path));
            of_folder.collect::<Vec<_>>()
        });
        places.collect()
    };
    let found = places.iter().find(|place| Path::is_file(place));
    found.cloned().ok_or(places)
}
