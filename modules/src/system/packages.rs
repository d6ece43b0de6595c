//! What `apt`, `dnf` and `package` share: the request, and the outcome.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::systemd::switch;
use crate::describe::{Invalid, Return};
use crate::kit::{self, Part, Records};
use crate::module::Context;
use crate::outcome::{Failure, Outcome};

const PARTS: &[Part] = &[Part {
    name: "packages",
    source: include_str!("../kit/packages.sh"),
    needs: &[&kit::RECORDS],
}];

/// The arguments of which options of a command are made.
const OPTIONS: &[&str] = &[
    "default_release",
    "dpkg_options",
    "enablerepo",
    "disablerepo",
    "exclude",
    "disable_excludes",
];

/// What `apt`, `dnf` and `package` return.
pub(super) const RETURNS: [Return; 5] = [
    Return::list("packages", "what changed"),
    Return::bool(
        "cache_updated",
        "whether the lists of packages were fetched",
    ),
    Return::text("stdout", "what the package manager printed"),
    Return::list("stdout_lines", "the lines of `stdout`"),
    Return::text("manager", "`apt` or `dnf`, for the module `package`"),
];

/// What packages should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PackageState {
    /// Installed, in whatever version; in the one that is named, if one is.
    #[default]
    #[schemars(extend("x-aliases" = ["installed"]))]
    Present,
    /// Installed in the newest version that the repositories have.
    Latest,
    /// Not installed.
    #[schemars(extend("x-aliases" = ["removed"]))]
    Absent,
}

/// A request to a package manager.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    /// `w_apt`, `w_dnf` or `w_package`.
    pub(super) function: &'a str,
    pub(super) names: &'a [String],
    pub(super) state: PackageState,
    pub(super) update_cache: bool,
    pub(super) cache_valid_time: Option<u64>,
    pub(super) lock_timeout: u64,
    pub(super) options: Vec<String>,
    pub(super) purge: bool,
    pub(super) autoremove: bool,
    pub(super) upgrade: &'a str,
}

impl Request<'_> {
    /// Anything wrong with names and options: they become words of a command.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        for name in self.names {
            let wrong =
                name.is_empty() || name.starts_with('-') || name.contains(char::is_whitespace);
            // `@development tools` is a group of dnf with a space in its name; its id has none.
            if wrong {
                return Err(Invalid::new(
                    &["name"],
                    format!("`{name}` is not the name of a package"),
                ));
            }
        }
        match self
            .options
            .iter()
            .find(|option| option.contains(char::is_whitespace))
        {
            Some(option) => Err(Invalid::new(
                OPTIONS,
                format!("`{option}` has white space in it, which no option has"),
            )),
            None => Ok(()),
        }
    }

    /// Has it done. It goes on when the link is lost: a package manager that is stopped halfway
    /// leaves a node broken.
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let valid = self.cache_valid_time.filter(|seconds| *seconds > 0);
        let state = match self.state {
            PackageState::Present => "present",
            PackageState::Latest => "latest",
            PackageState::Absent => "absent",
        };
        let mut words = vec![
            switch(context.check).to_owned(),
            state.to_owned(),
            switch(self.update_cache).to_owned(),
            valid.map(|seconds| seconds.to_string()).unwrap_or_default(),
            self.lock_timeout.to_string(),
            self.options.join(" "),
            if self.purge { "purge" } else { "" }.to_owned(),
            switch(self.autoremove).to_owned(),
            self.upgrade.to_owned(),
        ];
        words.extend(self.names.iter().cloned());
        let script = kit::script(PARTS, kit::call(self.function, &words));
        let reply = context.host.run(script.durable()).await?;
        Ok(self.outcome(&Records::read(&reply)?))
    }

    fn outcome(&self, records: &Records) -> Outcome {
        let lines = |key: &str| -> Vec<String> {
            let values = records.all(key).map(String::from_utf8_lossy);
            values
                .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
                .collect()
        };
        let packages = lines("changed");
        let updated = records.flag("updated");
        // Fetching lists is a change when that was all there was to do, as in Ansible.
        let only_lists = self.names.is_empty() && self.upgrade.is_empty() && !self.autoremove;
        let mut outcome = Outcome::changed(!packages.is_empty() || (updated && only_lists))
            .with("cache_updated", updated);
        if let Some(manager) = records.text("manager") {
            outcome = outcome.with("manager", manager);
        }
        let output = lines("output");
        outcome
            .with("packages", packages)
            .with("stdout", output.join("\n"))
            .with("stdout_lines", output)
    }
}
