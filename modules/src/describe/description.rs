//! A module as it describes itself.

use std::collections::HashMap;

use super::argument::{Argument, LINE};
use super::free_form::FreeForm;
use super::returns::{CheckMode, Refusing, Return};
use super::rules::Rule;

/// A module as it describes itself.
#[derive(Debug, Clone)]
pub struct Description {
    /// The name in playbooks, without a collection.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it is for, in paragraphs; the first is the summary.
    pub about: String,
    /// Its arguments, in the order in which they are best read.
    pub arguments: Vec<Argument>,
    /// Which arguments go together.
    pub rules: &'static [Rule],
    /// How it takes arguments that are not `key: value`.
    pub free_form: FreeForm,
    /// What a task registers.
    pub returns: &'static [Return],
    /// What it does in check mode.
    pub check_mode: CheckMode,
    /// An argument and the word for it with which it only reads.
    pub reads_with: Option<(&'static str, &'static str)>,
    /// The failure that it is for.
    pub refusing: Option<Refusing>,
    /// What the node must have besides POSIX.
    pub needs: &'static [&'static str],
    /// Whether its result is there to be read: reports show it however brief they are.
    pub shows: bool,
    /// Tasks in YAML.
    pub examples: &'static [&'static str],
    /// What free text is called in messages.
    pub(crate) line: String,
    /// Where each name of an argument leads.
    pub(crate) by_name: HashMap<String, usize>,
}

impl Description {
    /// Without arguments, yet.
    pub(crate) fn new(
        name: &'static str,
        about: String,
        arguments: Vec<Argument>,
        free_form: FreeForm,
    ) -> Self {
        let by_name = arguments
            .iter()
            .enumerate()
            .flat_map(|(index, argument)| {
                argument
                    .all_names()
                    .map(move |name| (name.to_owned(), index))
            })
            .collect();
        Self {
            name,
            aliases: &[],
            about,
            arguments,
            rules: &[],
            free_form,
            returns: &[],
            check_mode: CheckMode::Finds,
            reads_with: None,
            refusing: None,
            needs: &[],
            shows: false,
            examples: &[],
            line: format!("the text after `{name}:`"),
            by_name,
        }
    }

    /// The argument of this name, or of which it is another.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.get(*self.by_name.get(name)?)
    }

    /// Its first paragraph, as one line.
    pub fn summary(&self) -> String {
        let first = self.about.split("\n\n").next().unwrap_or_default();
        first.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What free text is called in messages.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Free text, where the module takes it as an argument; it goes by the name of [`Self::line`].
    pub fn free_text(&self) -> Option<&Argument> {
        let mut arguments = self.arguments.iter();
        arguments.find(|argument| argument.name == LINE)
    }

    /// The arguments that have names for users: free text is none.
    pub fn named(&self) -> impl Iterator<Item = &Argument> {
        self.arguments
            .iter()
            .filter(|argument| argument.name != LINE)
    }
}
