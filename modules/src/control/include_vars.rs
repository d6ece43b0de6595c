//! `include_vars`: variables of a host, from files of the control host.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::args::{ControlVariables, ControlVariablesFolder, Flag, List, Number, SpacedList, Text};
use crate::describe::{CheckMode, FreeForm, Return, Rule};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome, VariablesFiles};
use crate::source::Above;

/// Reads variables from a file of the control host, or from the files of a folder, for the rest of the run. They are
/// above the variables of plays, roles and tasks, and below those that `set_fact` and `register` set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncludeVarsArgs {
    /// The file, as in `include_vars: FILE`: looked for in the `vars` folders of the role and beside the playbook,
    /// then beside these.
    #[serde(rename = "_raw_params")]
    free_form: Option<ControlVariables>,
    /// The same, as an argument of its own.
    file: Option<ControlVariables>,
    /// A folder: all files in it that hold variables, in the order of their names, then those of the folders below it.
    /// It is looked for in the `vars` folder of the role, and outside of roles beside the file of the task.
    dir: Option<ControlVariablesFolder>,
    /// Keep all of them in a variable of this name.
    name: Option<Text>,
    /// With `dir`: how many folders deep; 0 is any number.
    #[serde(default)]
    depth: Number<u32>,
    /// With `dir`: only files whose names this pattern is found in.
    files_matching: Option<Text>,
    /// With `dir`: no files whose names end with one of these patterns.
    #[serde(default)]
    ignore_files: SpacedList,
    /// With `dir`: the extensions of files that hold variables. `json`, `yaml` and `yml` when not given.
    extensions: Option<List>,
    /// With `dir`: leave files with other extensions out, and do not fail.
    #[serde(default)]
    ignore_unknown_extensions: Flag,
}

impl IncludeVarsArgs {
    fn named_file(&self) -> Option<&str> {
        self.free_form.as_deref().or(self.file.as_deref())
    }

    /// The files of the folder.
    fn files_of(&self, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
        let pattern = |text: &str| {
            Regex::new(text).map_err(|error| {
                Failure::new(format!("`{text}` is not a pattern: {error}"))
                    .hint("it is a regular expression that is looked for in the names of files")
            })
        };
        let matching = self.files_matching.as_deref().map(pattern).transpose()?;
        let ignored = self.ignore_files.iter();
        let ignored = ignored.map(|text| pattern(&format!("{text}$")));
        let ignored = ignored.collect::<Result<Vec<_>, _>>()?;
        let mut folders = Vec::new();
        self.below(folder, 1, &Above::default(), &mut folders)?;
        folders.sort();
        let files = folders.into_iter().flat_map(|(_, files)| files);
        let mut files: Vec<PathBuf> = files.collect();
        files.retain(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            matching
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&name))
                && !ignored.iter().any(|pattern| pattern.is_match(&name))
        });
        let known = |file: &PathBuf| {
            let extension = file.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| match &self.extensions {
                Some(known) => known.iter().any(|known| known == extension),
                None => ["json", "yaml", "yml"].contains(&extension),
            })
        };
        if *self.ignore_unknown_extensions {
            files.retain(known);
        } else if let Some(file) = files.iter().find(|file| !known(file)) {
            return Err(Failure::new(format!(
                "{} does not have the extension of a file of variables",
                file.display()
            ))
            .hint("say so with `ignore_unknown_extensions: true`, or give `extensions`"));
        }
        Ok(files)
    }

    /// Adds a folder and those below it, each as the text of its path, in the order of which they count, and the files
    /// in it.
    fn below(
        &self,
        folder: &Path,
        depth: u32,
        above: &Above,
        folders: &mut Vec<(OsString, Vec<PathBuf>)>,
    ) -> Result<(), Failure> {
        let Some(above) = above.with(folder) else {
            return Ok(());
        };
        let failed = |error: std::io::Error| {
            Failure::new(format!(
                "cannot read the folder {}: {error}",
                folder.display()
            ))
        };
        let entries = std::fs::read_dir(folder).map_err(failed)?;
        let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.path();
            if !path.is_dir() {
                files.push(path);
            } else if *self.depth == 0 || depth < *self.depth {
                self.below(&path, depth + 1, &above, folders)?;
            }
        }
        folders.push((folder.as_os_str().to_owned(), files));
        Ok(())
    }
}

impl Arguments for IncludeVarsArgs {
    const NAME: &'static str = "include_vars";
    const FREE_FORM: FreeForm = FreeForm::Into("_raw_params");
    const NEEDS_HOST: bool = false;
    const RULES: &'static [Rule] = &[Rule::ExactlyOne(&["_raw_params", "file", "dir"])];
    const RETURNS: &'static [Return] = &[
        Return::map("ansible_facts", "the variables as they are written"),
        Return::list("ansible_included_var_files", "the files"),
    ];
    const CHECK_MODE: CheckMode =
        CheckMode::Does("It reads the variables as always: they are of the run, not of the node.");
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Read vars/ports.yml\n  include_vars: ports.yml\n",
        "- name: Read all of a folder, as one variable\n  include_vars:\n    dir: sites\n    name: sites\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let files = match (self.named_file(), &self.dir) {
            (Some(name), _) => vec![context.control.find("vars", name)?],
            (None, Some(folder)) => self.files_of(&context.control.variables_folder(folder)?)?,
            (None, None) => Vec::new(),
        };
        let names = files
            .iter()
            .map(|file| Value::from(file.display().to_string()));
        let mut outcome =
            Outcome::ok().with("ansible_included_var_files", names.collect::<Value>());
        outcome.included = Some(VariablesFiles {
            paths: files,
            under: self.name.as_ref().map(ToString::to_string),
        });
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::IncludeVarsArgs;
    use crate::fake::{self, Fake, FakeController, REAL};
    use crate::outcome::{Failure, Outcome, VariablesFiles};

    async fn run(folder: &Path, arguments: Value) -> Result<Outcome, Failure> {
        let control = FakeController::new(folder);
        fake::run::<IncludeVarsArgs>(&Fake::new([]), &control, REAL, arguments).await
    }

    fn names(outcome: &Outcome) -> Vec<String> {
        let files = outcome.included.as_ref().unwrap();
        let names = files.paths.iter().map(|path| path.file_name());
        names
            .map(|name| name.unwrap().to_string_lossy().into_owned())
            .collect()
    }

    #[tokio::test]
    async fn the_files_of_a_folder_come_before_those_below_it_and_patterns_are_of_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let vars = folder.path().join("vars");
        for name in [
            "d/a/x.yml",
            "d/a/b/w.yml",
            "d/a.b/v.yml",
            "d/b.yml",
            "d/prod.yml",
        ] {
            let path = vars.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "{}").unwrap();
        }
        let all = run(folder.path(), json!({"dir": "d"})).await.unwrap();
        assert_eq!(
            names(&all),
            ["b.yml", "prod.yml", "x.yml", "v.yml", "w.yml"]
        );
        for (ignored, left) in [
            (json!(["prod"]), 5),
            (json!("prod.yml b.yml"), 3),
            (json!(["prod.yml b.yml"]), 5),
            (json!(["yml"]), 0),
        ] {
            let some = json!({"dir": "d", "ignore_files": ignored});
            let some = run(folder.path(), some).await.unwrap();
            assert_eq!(names(&some).len(), left, "{ignored}");
        }
    }

    #[tokio::test]
    async fn a_file_is_looked_for_in_vars_and_a_folder_gives_all_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let vars = folder.path().join("vars");
        std::fs::create_dir_all(vars.join("d/deep")).unwrap();
        for name in [
            "a.yml",
            "d/2.yml",
            "d/1.json",
            "d/deep/3.yaml",
            "d/README.md",
        ] {
            std::fs::write(vars.join(name), "{}").unwrap();
        }
        let outcome = run(folder.path(), json!({"_raw_params": "a.yml", "name": "x"}))
            .await
            .unwrap();
        let one = VariablesFiles {
            paths: vec![vars.join("a.yml")],
            under: Some("x".to_owned()),
        };
        assert_eq!(outcome.included, Some(one));
        let all = json!({"dir": "d", "ignore_unknown_extensions": true});
        let outcome = run(folder.path(), all.clone()).await.unwrap();
        assert_eq!(names(&outcome), ["1.json", "2.yml", "3.yaml"]);
        let some = json!({"dir": "d", "depth": 1, "files_matching": "yml$|md$", "ignore_files": "^READ.*"});
        assert_eq!(names(&run(folder.path(), some).await.unwrap()), ["2.yml"]);
        for link in ["d/l1", "d/l2", "d/deep/l3"] {
            std::os::unix::fs::symlink(vars.join("d"), vars.join(link)).unwrap();
        }
        let outcome = run(folder.path(), all).await.unwrap();
        assert_eq!(names(&outcome), ["1.json", "2.yml", "3.yaml"]);
        let failure = run(folder.path(), json!({"dir": "d"})).await.unwrap_err();
        assert!(failure.message.contains("README.md"), "{}", failure.message);
        let failure = run(folder.path(), json!({"file": "b.yml"}))
            .await
            .unwrap_err();
        assert!(failure.message.contains("b.yml"), "{}", failure.message);
    }
}
