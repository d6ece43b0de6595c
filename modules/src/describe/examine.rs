//! Whether arguments are what a module takes, as far as they are known.

use serde_json::{Map, Value, json};

use super::argument::Argument;
use super::description::Description;
use super::fault::Fault;
use super::free_form::FreeForm;
use super::givens::{Given, Givens};
use super::kind::Kind;

impl Description {
    /// What is wrong with each of these arguments by itself.
    pub fn each(&self, given: &[(String, Given)]) -> Vec<Fault> {
        given
            .iter()
            .enumerate()
            .filter_map(|(index, (name, given_value))| {
                let Some(argument) = self.argument(name) else {
                    return Some(self.unknown(name));
                };
                let before = given[..index].iter().map(|(name, _)| name);
                twice(self, argument, name, before).or_else(|| match given_value {
                    Given::Value(value) if !value.is_null() => unfit(argument, name, value),
                    _ => None,
                })
            })
            .collect()
    }

    /// What is missing among these arguments, and what does not go together: what is so whatever the values
    /// are that are not known.
    pub fn together(&self, given: &[(String, Given)]) -> Vec<Fault> {
        let known = given
            .iter()
            .filter(|(_, given)| *given != Given::Value(Value::Null))
            .filter_map(|(name, given)| Some((self.argument(name)?.name.as_str(), given)))
            .collect();
        let givens = Givens::new(known);
        let missing = self
            .arguments
            .iter()
            .filter(|argument| argument.required && givens.get(&argument.name).is_none())
            .map(|argument| Fault::Missing {
                argument: argument.name.clone(),
            });
        let line = self.line();
        let rules = self.rules.iter();
        let broken = rules
            .filter_map(|rule| rule.broken(&self.arguments, line, &givens))
            .map(Fault::Together);
        missing.chain(broken).collect()
    }

    /// Arguments as the struct reads them: under its names, words as it has them, without what is not given.
    /// The first thing that is wrong is the error.
    pub(crate) fn read(&self, arguments: Value) -> Result<Value, Fault> {
        if self.free_form == FreeForm::AnyKeys {
            return Ok(arguments);
        }
        let Value::Object(map) = arguments else {
            return Ok(arguments);
        };
        let mut read = Map::with_capacity(map.len());
        let mut written: Vec<(&str, String)> = Vec::new();
        for (name, value) in map {
            let Some(argument) = self.argument(&name) else {
                return Err(self.unknown(&name));
            };
            // `key:` with nothing after it is an argument that is not given, as in Ansible.
            if value.is_null() && !argument.null {
                continue;
            }
            if let Some((_, first)) = written.iter().find(|(known, _)| *known == argument.name) {
                let first = first.clone();
                return Err(Fault::Twice {
                    argument: name,
                    first,
                });
            }
            let value = match argument.kind.fit(&value) {
                Ok(other) => other.unwrap_or(value),
                Err(why) => {
                    return Err(Fault::Unfit {
                        argument: name,
                        why,
                    });
                }
            };
            read.insert(argument.name.clone(), value);
            written.push((&argument.name, name));
        }
        self.whole(&read)?;
        Ok(Value::Object(read))
    }

    fn unknown(&self, name: &str) -> Fault {
        Fault::Unknown {
            argument: name.to_owned(),
            known: self.named().map(|known| known.name.clone()).collect(),
        }
    }

    /// What is missing, and what does not go together, of arguments that are all known.
    fn whole(&self, read: &Map<String, Value>) -> Result<(), Fault> {
        let missing = self
            .arguments
            .iter()
            .find(|argument| argument.required && !read.contains_key(&argument.name));
        if let Some(argument) = missing {
            return Err(Fault::Missing {
                argument: argument.name.clone(),
            });
        }
        if self.rules.is_empty() {
            return Ok(());
        }
        // Only what rules look at is copied, and of a text or mapping not even that.
        let given: Vec<(String, Given)> = read
            .iter()
            .map(|(name, value)| {
                let given = match value {
                    Value::Array(items) if items.is_empty() => Given::Value(json!([])),
                    Value::Array(_) | Value::Object(_) => Given::Unknown,
                    Value::String(text) if text.len() > LONGEST_WORD => Given::Unknown,
                    short => Given::Value(short.clone()),
                };
                (name.clone(), given)
            })
            .collect();
        let known = given
            .iter()
            .map(|(name, given)| (name.as_str(), given))
            .collect();
        let givens = Givens::new(known);
        let line = self.line();
        let mut rules = self.rules.iter();
        match rules.find_map(|rule| rule.broken(&self.arguments, line, &givens)) {
            Some(broken) => Err(Fault::Together(broken)),
            None => Ok(()),
        }
    }
}

/// No word that a rule asks for is longer.
const LONGEST_WORD: usize = 64;

fn twice<'a>(
    of: &Description,
    argument: &Argument,
    name: &str,
    mut before: impl Iterator<Item = &'a String>,
) -> Option<Fault> {
    let first = before.find(|other| {
        let known = of.argument(other);
        known.is_some_and(|known| known.name == argument.name)
    })?;
    (first != name).then(|| Fault::Twice {
        argument: name.to_owned(),
        first: first.clone(),
    })
}

fn unfit(argument: &Argument, name: &str, value: &Value) -> Option<Fault> {
    let why = argument.kind.fit(value).err()?;
    Some(Fault::Unfit {
        argument: name.to_owned(),
        why,
    })
}

/// A value that an argument takes: what stands for one that only a run knows.
pub fn stand_in(argument: &Argument) -> Value {
    match &argument.kind {
        Kind::Text | Kind::Secret | Kind::Path | Kind::Pattern | Kind::Data => json!("/stand-in"),
        Kind::Flag => json!(true),
        Kind::Number { .. } => json!(1),
        Kind::List { .. } => json!(["stand-in"]),
        Kind::Choice(choices) => json!(choices.first().map(|choice| choice.word.as_str())),
        Kind::Mode => json!("0644"),
        Kind::Texts => json!({}),
    }
}
