//! Files on the control host that match a pattern with `*`, `?` and `[…]`.

use std::path::{Path, PathBuf};

use windlass_modules::wildcard;

/// The files (not folders) that a pattern matches, sorted by name.
pub(super) fn files(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        if !wildcard::is_pattern(&text) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        found = found
            .iter()
            .flat_map(|folder| children(folder, &text))
            .collect();
    }
    found.retain(|path| path.is_file());
    found.sort();
    found
}

fn children(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let listed = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    // One that cannot be compiled is longer than any name.
    let Ok(names) = wildcard::whole(pattern) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(listed).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let hidden = text.starts_with('.') && !pattern.starts_with('.');
        if !hidden && names.is_match(&text) {
            found.push(folder.join(&name));
        }
    }
    found
}
