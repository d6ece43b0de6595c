//! `ansible.cfg`: where roles and collections are.
//!
//! The file is found as ansible-core finds it: `ANSIBLE_CONFIG`, `ansible.cfg` in the current folder unless everybody
//! may write there, `~/.ansible.cfg`, `/etc/ansible/ansible.cfg`. The environment wins over what stands in it.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use configparser::ini::Ini;

use crate::playbook::SearchPaths;

/// Where roles are where nothing says so.
const ROLES: &[&str] = &[
    "~/.ansible/roles",
    "/usr/share/ansible/roles",
    "/etc/ansible/roles",
];
/// The same of collections.
const COLLECTIONS: &[&str] = &["~/.ansible/collections", "/usr/share/ansible/collections"];

/// Where roles and collections are looked for, and what is wrong with the file that says so.
pub(super) fn search_paths() -> (SearchPaths, Option<String>) {
    let (config, wrong) = match file().map(|path| (Config::read(&path), path)) {
        Some((Ok(config), _)) => (config, None),
        Some((Err(error), path)) => {
            let wrong = format!("cannot read {}: {error}", path.display());
            (Config::default(), Some(wrong))
        }
        None => (Config::default(), None),
    };
    let folders = |variables: &[&str], settings: &[&str], defaults: &[&str]| {
        let said = variables.iter().find_map(std::env::var_os);
        match said.filter(|paths| !paths.is_empty()) {
            Some(paths) => split(&paths, Path::new("")),
            None => settings
                .iter()
                .find_map(|name| config.folders(name))
                .unwrap_or_else(|| defaults.iter().map(|path| at_home(path.into())).collect()),
        }
    };
    let paths = SearchPaths {
        roles: folders(&["ANSIBLE_ROLES_PATH"], &["roles_path"], ROLES),
        collections: folders(
            &["ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"],
            &["collections_path", "collections_paths"],
            COLLECTIONS,
        ),
    };
    (paths, wrong)
}

/// The file that counts.
fn file() -> Option<PathBuf> {
    const NAME: &str = "ansible.cfg";
    let named = std::env::var_os("ANSIBLE_CONFIG").filter(|name| !name.is_empty());
    let named = named.map(|name| at_home(PathBuf::from(name)));
    let named = named.map(|path| if path.is_dir() { path.join(NAME) } else { path });
    let here = std::fs::metadata(".").is_ok_and(|here| here.permissions().mode() & 0o002 == 0);
    let here = here.then(|| PathBuf::from(NAME));
    let others = [
        at_home("~/.ansible.cfg".into()),
        "/etc/ansible/ansible.cfg".into(),
    ];
    let mut candidates = named.into_iter().chain(here).chain(others);
    candidates.find(|path| path.is_file())
}

/// What the file says.
#[derive(Debug, Default)]
struct Config {
    /// Its folder: relative names in it are relative to that.
    folder: PathBuf,
    settings: Ini,
}

impl Config {
    fn read(path: &Path) -> Result<Self, String> {
        let text = windlass_modules::source::text(path).map_err(|error| error.to_string())?;
        let mut settings = Ini::new();
        settings.set_multiline(true);
        settings.set_inline_comment_symbols(Some(&[';']));
        settings.read(text)?;
        Ok(Self {
            folder: path.parent().unwrap_or(Path::new("")).to_path_buf(),
            settings,
        })
    }

    /// The folders of a setting, with `:` between them.
    fn folders(&self, name: &str) -> Option<Vec<PathBuf>> {
        let text = self.settings.get("defaults", name)?;
        Some(split(OsStr::new(&text), &self.folder)).filter(|folders| !folders.is_empty())
    }
}

fn split(paths: &OsStr, folder: &Path) -> Vec<PathBuf> {
    let paths = std::env::split_paths(paths).filter(|path| !path.as_os_str().is_empty());
    paths.map(|path| folder.join(at_home(path))).collect()
}

/// With `~` at the beginning as the user's home.
fn at_home(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ansible.cfg");
        std::fs::write(&path, text).unwrap();
        let mut config = Config::read(&path)?;
        config.folder = "conf".into();
        Ok(config)
    }

    #[test]
    fn folders_are_relative_to_the_file_that_names_them() {
        let config = config(
            "# ours\n[defaults]\nroles_path = vendor/roles:/srv/roles ; both\ncollections_path=\n[ssh_connection]\nroles_path = no\n",
        )
        .unwrap();
        let folders = config.folders("roles_path").unwrap();
        assert_eq!(
            folders,
            [Path::new("conf/vendor/roles"), Path::new("/srv/roles")]
        );
        assert_eq!(config.folders("collections_path"), None);
        assert_eq!(config.folders("other"), None);
    }

    #[test]
    fn what_is_no_such_file_is_an_error() {
        assert!(config("[defaults\nroles_path = x\n").is_err());
    }
}
