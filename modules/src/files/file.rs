//! `file`: files, folders, links, and their absence.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::mode::Mode;
use crate::args::path::RemotePath;
use crate::args::{Flag, NodePath, Text};
use crate::describe::{Invalid, Return, Rule, When};
use crate::files::times::Time;
use crate::files::write::{ATTRIBUTES, Attributes, Options, attribute_data, check_mode, warnings};
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Difference, Failure, Outcome};

/// Sets mode, owner and times of a file, creates folders and links, and removes what should not be
/// there. One round trip.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileArgs {
    /// The path on the node.
    #[schemars(extend("x-aliases" = ["dest", "name"]))]
    path: RemotePath,
    /// What should be there.
    ///
    /// - `file`: a file, which must exist; only its mode, owner and times are set
    /// - `directory`: a folder; missing parents are created with the same mode and owner
    /// - `touch`: a file, empty if it is new; its times become now
    /// - `absent`: nothing; folders go with all that is in them
    /// - `link`: a symbolic link to `src`
    /// - `hard`: another name of the file `src`
    ///
    /// Without it: what is there, or `directory` with `recurse`, or else `file`.
    state: Option<State>,
    /// What a link points to: a path on the node. For `link` a relative one begins where the link is,
    /// and only has to exist if there is no `force`.
    src: Option<NodePath>,
    /// The mode: octal in quotes (`'0755'`) or symbolic (`u=rwx,go=rX`).
    mode: Option<Mode>,
    /// The user who owns it, by name or number.
    owner: Option<Text>,
    /// Its group, by name or number.
    group: Option<Text>,
    /// Set mode and owner of all that is in a folder, too. Links in it are not followed.
    #[serde(default)]
    recurse: Flag,
    /// Make a link to something that does not exist, and put links in the place of files and of empty
    /// folders.
    #[serde(default)]
    force: Flag,
    /// Where the path is a link: set mode, owner and times of what it points to.
    #[serde(default = "Flag::yes")]
    follow: Flag,
    /// The time of the last change: `preserve`, `now`, or a time such as `202611231200.00` in the
    /// node's time zone. Without it: `now` for `touch`, `preserve` otherwise.
    modification_time: Option<Text>,
    /// How `modification_time` is written, with `%Y %m %d %H %M %S`.
    #[serde(default = "Time::usual_format")]
    modification_time_format: Text,
    /// The time of the last access; as `modification_time`.
    access_time: Option<Text>,
    /// How `access_time` is written, with `%Y %m %d %H %M %S`.
    #[serde(default = "Time::usual_format")]
    access_time_format: Text,
}

/// What is to be at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    /// A file that exists.
    File,
    /// A folder.
    Directory,
    /// A file, new or with new times.
    Touch,
    /// Nothing.
    Absent,
    /// A symbolic link.
    Link,
    /// A hard link.
    Hard,
}

impl State {
    const ALL: [(&'static str, Self); 6] = [
        ("file", Self::File),
        ("directory", Self::Directory),
        ("touch", Self::Touch),
        ("absent", Self::Absent),
        ("link", Self::Link),
        ("hard", Self::Hard),
    ];

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, state)| *state == self)
            .map_or("", |(name, _)| name)
    }
}

impl Arguments for FileArgs {
    const NAME: &'static str = "file";
    const RULES: &'static [Rule] = &[
        Rule::Only(When::Yes("recurse"), "state", &["directory"]),
        Rule::Only(When::Given(&["src"]), "state", &["link", "hard"]),
        Rule::Needs(When::Is("state", &["hard"]), &["src"]),
    ];
    const RETURNS: &'static [Return] = &Return::joined::<10>(&[
        &[
            Return::text("path", "the path"),
            Return::text("dest", "the path, for links and `touch`"),
            Return::text("src", "what a link points to"),
        ],
        &ATTRIBUTES,
    ]);
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Make a folder\n  file:\n    path: /etc/kubernetes/manifests\n    state: directory\n    mode: '0755'\n",
        "- name: Point to the current release\n  file:\n    src: releases/1\n    path: /srv/current\n    state: link\n    force: true\n",
        "- name: Remove what nobody needs\n  file:\n    path: /srv/old\n    state: absent\n",
    ];

    fn validate(&self) -> Result<(), Invalid> {
        check_mode(self.mode.as_ref())?;
        self.times().map(drop).map_err(Invalid::about(&[
            "access_time",
            "access_time_format",
            "modification_time",
            "modification_time_format",
        ]))
    }

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let (access, modification) = self.times().map_err(Failure::new)?;
        let mut options = Options::new(context);
        options.word("path", &self.path.word());
        options.text("state", self.state.map_or("", State::name));
        let target = match &self.src {
            // The text of a symbolic link is kept as it is written, but for a home folder.
            Some(src) => RemotePath::new(&**src)
                .map_err(|why| Failure::new(why.to_string()))?
                .word(),
            None => "''".to_owned(),
        };
        options.word("target", &target);
        options.flag("follow", *self.follow);
        options.flag("force", *self.force);
        options.flag("recurse", *self.recurse);
        options.text("access", &access.0);
        options.text("modification", &modification.0);
        Attributes::of(self.mode.as_ref(), self.owner.as_ref(), self.group.as_ref())
            .options(&mut options);
        let script = kit::script(&[kit::FILE], options.then("w_file"));
        let records = Records::read(&context.host.run(script).await?)?;
        Ok(self.outcome(context, &records))
    }
}

impl FileArgs {
    fn times(&self) -> Result<(Time, Time), String> {
        let usual = if self.state == Some(State::Touch) {
            "now"
        } else {
            "preserve"
        };
        let time = |text: &Option<Text>, format: &str, name: &str| {
            Time::read(text.as_deref().unwrap_or(usual), format)
                .map_err(|wrong| format!("`{name}`: {wrong}"))
        };
        Ok((
            time(&self.access_time, &self.access_time_format, "access_time")?,
            time(
                &self.modification_time,
                &self.modification_time_format,
                "modification_time",
            )?,
        ))
    }

    fn outcome(&self, context: &Context<'_>, records: &Records) -> Outcome {
        let path = records.text("path").unwrap_or_default();
        let mut outcome = attribute_data(Outcome::changed(records.flag("changed")), records)
            .with("path", path.clone());
        if matches!(self.state, Some(State::Link | State::Hard | State::Touch)) {
            outcome = outcome.with("dest", path.clone());
        }
        let source = records
            .text("target")
            .or_else(|| self.src.as_ref().map(ToString::to_string));
        if let Some(source) = source {
            outcome = outcome.with("src", source);
        }
        outcome.warnings = warnings(records);
        if context.diff && outcome.changed {
            outcome.diff.extend(difference(&path, records));
        }
        outcome
    }
}

/// What a path was and is, where that differs.
fn difference(path: &str, records: &Records) -> Option<Difference> {
    let mut before = String::new();
    let mut after = String::new();
    for (key, shown) in [
        ("type", "state"),
        ("target", "src"),
        ("mode", "mode"),
        ("owner", "owner"),
        ("group", "group"),
    ] {
        let was = records.text(&format!("was_{key}"));
        let is = records.text(key);
        if was != is {
            for (text, value) in [(&mut before, was), (&mut after, is)] {
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    text.push_str(&format!("{shown}: {value}\n"));
                }
            }
        }
    }
    (before != after).then(|| Difference {
        before_header: path.to_owned(),
        after_header: path.to_owned(),
        before,
        after,
    })
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
