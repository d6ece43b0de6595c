//! What an argument takes, and whether a value is that.

use serde_json::Value;

use crate::args::mode::Mode;
use crate::args::path::RemotePath;
use crate::args::pattern::Pattern;
use crate::args::{
    Flag, List, Many, Number, ReadArgument, SecretText, Unfit, fits_text, scalar_text,
};

/// What an argument takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text, or a number or boolean that is taken as text.
    Text,
    /// Text that is shown nowhere.
    Secret,
    /// Yes or no.
    Flag,
    /// A number.
    Number {
        /// The name of its type: `u16`, `f64`.
        of: String,
        /// The least, where there is one.
        minimum: Option<u64>,
        /// The most, where there is one.
        maximum: Option<u64>,
    },
    /// A list of texts.
    List {
        /// Whether a string is split at its commas.
        commas: bool,
    },
    /// One of some words.
    Choice(Vec<Choice>),
    /// A mode of a file.
    Mode,
    /// A path of the node.
    Path,
    /// A regular expression.
    Pattern,
    /// A mapping of texts.
    Texts,
    /// Anything.
    Data,
}

/// A word that an argument takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The word.
    pub word: String,
    /// Other words for the same.
    pub aliases: Vec<String>,
    /// What it means.
    pub about: String,
}

impl Kind {
    /// Whether `value` is that; with what it is to be replaced by where another word means the same.
    pub fn fit(&self, value: &Value) -> Result<Option<Value>, Unfit> {
        match self {
            Self::Text => fits_text(value),
            Self::Secret => SecretText::read(value).map(drop),
            Self::Flag => Flag::read(value).map(drop),
            Self::Number { of, .. } => number(of, value),
            Self::List { commas: true } => List::read(value).map(drop),
            Self::List { commas: false } => Many::read(value).map(drop),
            Self::Choice(choices) => return choice(choices, value),
            Self::Mode => Mode::read(value).map(drop),
            Self::Path => RemotePath::read(value).map(drop),
            Self::Pattern => Pattern::read(value).map(drop),
            Self::Texts => texts(value),
            Self::Data => Ok(()),
        }
        .map(|()| None)
    }

    /// What it is, for the reference.
    pub fn about(&self) -> String {
        match self {
            Self::Text => "text",
            Self::Secret => "text, shown nowhere",
            Self::Flag => "true or false",
            Self::Number { of, .. } if of == "f64" => "number",
            Self::Number {
                minimum: Some(least),
                maximum: Some(most),
                ..
            } => return format!("whole number from {least} to {most}"),
            Self::Number { .. } => "whole number",
            Self::List { commas: true } => "list, or text with commas",
            Self::List { commas: false } => "list, or one text",
            Self::Choice(_) => "one of some words",
            Self::Mode => "mode of a file",
            Self::Path => "path",
            Self::Pattern => "regular expression",
            Self::Texts => "mapping of texts",
            Self::Data => "any value",
        }
        .to_owned()
    }
}

fn number(of: &str, value: &Value) -> Result<(), Unfit> {
    match of {
        "u8" => Number::<u8>::read(value).map(drop),
        "u16" => Number::<u16>::read(value).map(drop),
        "u32" => Number::<u32>::read(value).map(drop),
        "u64" => Number::<u64>::read(value).map(drop),
        "i32" => Number::<i32>::read(value).map(drop),
        "i64" => Number::<i64>::read(value).map(drop),
        _ => Number::<f64>::read(value).map(drop),
    }
}

fn choice(choices: &[Choice], value: &Value) -> Result<Option<Value>, Unfit> {
    let text = scalar_text(value).ok_or_else(|| Unfit::kind("a word", value))?;
    let named = |choice: &&Choice| choice.word == text || choice.aliases.contains(&text);
    // `yes` is a boolean to YAML where a word was meant.
    let truth = value
        .as_bool()
        .map(|truth| ["no", "yes"][usize::from(truth)]);
    let found = choices.iter().find(named).or_else(|| {
        let word = truth?;
        choices.iter().find(|choice| choice.word == word)
    });
    match found {
        Some(choice) if value.as_str() == Some(&choice.word) => Ok(None),
        Some(choice) => Ok(Some(choice.word.as_str().into())),
        None => Err(Unfit::Choice {
            given: text,
            choices: choices.iter().map(|choice| choice.word.clone()).collect(),
        }),
    }
}

fn texts(value: &Value) -> Result<(), Unfit> {
    let Value::Object(map) = value else {
        return Err(Unfit::kind("a mapping", value));
    };
    map.iter().try_for_each(|(key, value)| {
        fits_text(value).map_err(|why| Unfit::Key {
            key: key.clone(),
            why: Box::new(why),
        })
    })
}
