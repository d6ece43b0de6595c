//! All modules, by name.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::module::Module;

/// Every module, each once.
pub fn all() -> impl Iterator<Item = &'static dyn Module> {
    [
        crate::exec::MODULES,
        crate::files::MODULES,
        crate::system::MODULES,
        crate::control::MODULES,
        crate::kube::MODULES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The module that a playbook calls `name`: its name, an alias, or either with `ansible.builtin.` or
/// `ansible.legacy.` before it.
pub fn find(name: &str) -> Option<&'static dyn Module> {
    static BY_NAME: OnceLock<BTreeMap<&'static str, &'static dyn Module>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| {
        all()
            .flat_map(|module| {
                std::iter::once(module.name())
                    .chain(module.aliases().iter().copied())
                    .map(move |name| (name, module))
            })
            .collect()
    });
    let short = ["ansible.builtin.", "ansible.legacy.", "windlass."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    by_name.get(short).copied()
}

/// Every name that [`find`] knows, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().flat_map(|module| std::iter::once(module.name()).chain(module.aliases().iter().copied()))
}
