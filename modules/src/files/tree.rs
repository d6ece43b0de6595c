//! A folder of the control host, and copying all that is in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::mode::mode_of;
use crate::files::content::Content;
use crate::files::write::{FileWrite, warnings};
use crate::kit::{self, Records};
use crate::module::Context;
use crate::outcome::{Failure, Outcome};
use crate::source::Above;

/// What is in a folder; names are relative to it, with `/` between their parts.
#[derive(Debug, Default)]
pub struct Tree {
    folders: Vec<String>,
    files: Vec<(String, PathBuf)>,
    links: Vec<(String, String)>,
}

impl Tree {
    /// Reads a folder. Links are followed, or kept as links.
    pub fn read(root: &Path, follow: bool) -> Result<Self, Failure> {
        let mut tree = Self::default();
        tree.add(root, "", follow, &Above::default())?;
        Ok(tree)
    }

    fn add(
        &mut self,
        folder: &Path,
        name: &str,
        follow: bool,
        above: &Above,
    ) -> Result<(), Failure> {
        let wrong = |path: &Path, what: &dyn std::fmt::Display| {
            Failure::new(format!(
                "cannot read {} on the control host: {what}",
                path.display()
            ))
        };
        let Some(above) = above.with(folder) else {
            return Err(wrong(folder, &"it is a link to a folder that it is in")
                .hint("remove the link, or keep links as they are with `local_follow: false`"));
        };
        let mut entries = fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| wrong(folder, &error))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let own = entry.file_name();
            let own = own
                .to_str()
                .ok_or_else(|| wrong(&path, &"its name is not UTF-8"))?;
            let name = if name.is_empty() {
                own.to_owned()
            } else {
                format!("{name}/{own}")
            };
            let kind = entry.file_type().map_err(|error| wrong(&path, &error))?;
            if kind.is_symlink() && !follow {
                let target = fs::read_link(&path).map_err(|error| wrong(&path, &error))?;
                let target = target
                    .to_str()
                    .ok_or_else(|| wrong(&path, &"its target is not UTF-8"))?;
                self.links.push((name, target.to_owned()));
            } else if path.is_dir() {
                self.folders.push(name.clone());
                self.add(&path, &name, follow, &above)?;
            } else {
                self.files.push((name, path));
            }
        }
        Ok(())
    }

    /// Copies all to the destination of `pattern`, each file with its options. The first round trip
    /// compares everything; then there is one for each file that the node does not have.
    pub async fn copy(
        &self,
        context: &Context<'_>,
        pattern: &FileWrite<'_>,
    ) -> Result<Outcome, Failure> {
        let dest = pattern.dest;
        let mut files = Vec::new();
        for (name, path) in &self.files {
            files.push((dest.join(name), path, Content::file(path)?, mode_of(path)?));
        }
        let mut source = self.folders_source(context, pattern)?;
        for (path, _, content, mode) in &files {
            let write = pattern.of(path, content, *mode);
            let mut options = write.options(context, false)?;
            options.flag("diff", false);
            source.push_str(&options.then("w_put entry 1; w_write\n"));
        }
        let script = kit::script(&[kit::WRITE, kit::TREE], source);
        let first = Records::read(&context.host.run(script).await?)?;
        let mut outcome = Outcome::changed(first.all("changed").any(|changed| changed == b"1"));
        outcome.warnings = warnings(&first);
        for (records, (path, source, content, mode)) in first.groups("entry").zip(&files) {
            if records.flag("need") {
                let write = pattern.of(path, content, *mode);
                let records = write.send(context).await?;
                let one = write.outcome(context, &records, &source.display().to_string());
                outcome.changed |= one.changed;
                outcome.diff.extend(one.diff);
                outcome.warnings.extend(one.warnings);
            }
        }
        Ok(outcome)
    }

    /// Source that makes the folders and links.
    fn folders_source(
        &self,
        context: &Context<'_>,
        pattern: &FileWrite<'_>,
    ) -> Result<String, Failure> {
        let dest = pattern.dest;
        let mut options = pattern.options(context, false)?;
        // Not of the folders: theirs is the mode of folders.
        options.text("mode", "");
        let mut source = options.then("w_write_options\nw_wish\n");
        source.push_str(&format!("w_tree_folder {}\n", dest.word()));
        for name in &self.folders {
            source.push_str(&format!("w_tree_folder {}\n", dest.join(name).word()));
        }
        for (name, target) in &self.links {
            let link = dest.join(name).word();
            source.push_str(&format!("w_tree_link {link} {}\n", kit::quote(target)));
        }
        Ok(source)
    }
}
