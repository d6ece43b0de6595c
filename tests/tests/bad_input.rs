//! Everything that can be known to be wrong before a run: what `windlass check` and `windlass run`
//! say of it, that they exit with 4, and that nothing is connected to.
//!
//! Each case is a folder of `fixtures/bad-input` with a `site.yml`, and perhaps `hosts`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The exit code for what is wrong in files.
const BAD_INPUT: i32 = 4;

/// Arguments of cases that are not about the usual inventory.
const INVENTORIES: &[(&str, &str)] = &[("missing-inventory", "nowhere/hosts")];

macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                case(&stringify!($name).replace('_', "-"));
            }
        )+

        const CASES: &[&str] = &[$(stringify!($name)),+];
    };
}

cases! {
    bad_condition,
    bad_inventory_line,
    bad_register,
    bad_template,
    bad_template_file,
    bad_vars_file,
    broken_yaml,
    duplicate_key,
    import_circle,
    import_not_known,
    misaligned,
    missing_argument,
    missing_file,
    missing_import,
    missing_include,
    missing_inventory,
    missing_playbook_import,
    missing_template,
    missing_vars_file,
    module_not_here,
    no_module,
    not_utf8,
    pattern_without_hosts,
    roles,
    second_colon,
    several,
    single_mapping,
    tab,
    two_modules,
    undefined_behind_variable,
    undefined_in_template,
    undefined_variable,
    unknown_argument,
    unknown_filter,
    unknown_group,
    unknown_handler,
    unknown_lookup,
    unknown_module,
    unknown_play_keyword,
    unknown_task_keyword,
    unknown_test,
    unquoted_template,
    wrong_argument_type,
    wrong_argument_word,
    wrong_keyword_type,
    wrong_mode,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bad-input")
}

/// A home and a `PATH` of our own, on which `ssh` notes that it was called.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let ssh = folder.path().join("ssh");
        fs::write(&ssh, "#!/bin/sh\n: > \"$HOME/called\"\nexit 255\n").expect("it can be written");
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self { folder }
    }

    fn windlass(&self, folder: &Path, arguments: &[&str]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.folder.path().display());
        Command::new(env!("CARGO_BIN_EXE_windlass-under-test"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("PATH", path)
            .output()
            .expect("the program starts")
    }

    fn has_connected(&self) -> bool {
        self.folder.path().join("called").exists()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

fn case(name: &str) {
    let folder = fixtures().join(name);
    let special = INVENTORIES.iter().find(|(case, _)| *case == name);
    let inventory = match special {
        Some((_, inventory)) => inventory,
        None if folder.join("hosts").exists() => "hosts",
        None => "../hosts",
    };
    let world = World::new();
    let checked = world.windlass(&folder, &["check", "site.yml", "-i", inventory]);
    let run = world.windlass(&folder, &["run", "site.yml", "-i", inventory]);
    let said = text(&checked.stderr);
    assert_eq!(text(&checked.stdout), "", "what is wrong is no result");
    assert_eq!(checked.status.code(), Some(BAD_INPUT), "{said}");
    assert_eq!(run.status.code(), Some(BAD_INPUT), "{}", text(&run.stderr));
    assert_eq!(text(&run.stderr), said, "`run` and `check` say the same");
    assert!(!world.has_connected(), "nothing may be connected to");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/bad-input");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Roles are looked for in the user's home as well.
    let said = said.replace(&world.folder.path().display().to_string(), "HOME");
    settings.bind(|| insta::assert_snapshot!(name, said));
}

#[test]
fn every_fixture_is_a_case() {
    let mut folders: Vec<String> = fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap().replace('-', "_"))
        .collect();
    folders.sort();
    assert_eq!(folders, CASES);
}

/// Without this the other tests would prove nothing of connections.
#[test]
fn a_good_playbook_is_connected_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("site.yml"),
        "- hosts: web1\n  gather_facts: false\n  tasks:\n    - ping:\n",
    )
    .unwrap();
    let world = World::new();
    let checked = world.windlass(folder.path(), &["check", "site.yml", "-i", "web1,"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert!(!world.has_connected());
    world.windlass(folder.path(), &["run", "site.yml", "-i", "web1,"]);
    assert!(world.has_connected());
}

/// What only may go wrong is said, and stops nothing.
#[test]
fn warnings_do_not_fail() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("site.yml"),
        "- hosts: web1\n  vars:\n    kubernetes_version: 1.30\n    begins: 12:30\n  tasks:\n    \
         - ping:\n      when: \"{{ begins > 5 }}\"\n    - debug:\n        msg: \"{{ extra_text }}\"\n      \
         when: kubernetes_version > 1\n",
    )
    .unwrap();
    let world = World::new();
    let checked = world.windlass(folder.path(), &["check", "site.yml", "-i", "web1,"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    insta::assert_snapshot!(text(&checked.stderr));
}
