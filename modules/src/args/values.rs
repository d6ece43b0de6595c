//! Yes and no, texts, numbers, lists and data.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::unfit::{ReadArgument, Unfit};
use super::words::scalar_text;
use crate::secret::Secret;

/// Implements `JsonSchema` by an inline schema: the type is named by what a user writes.
macro_rules! inline_schema {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// Implements `Deserialize` by [`ReadArgument`].
macro_rules! by_read {
    ($type:ty) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = Value::deserialize(deserializer)?;
                <$type>::read(&value).map_err(D::Error::custom)
            }
        }
    };
}

pub(super) use {by_read, inline_schema};

/// Yes or no: a boolean, `yes`/`no`, `on`/`off`, `true`/`false`, `y`/`n`, `t`/`f`, `1`/`0`, in any
/// case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Flag(pub bool);

impl Flag {
    /// Yes: for `#[serde(default = "Flag::yes")]`.
    pub const fn yes() -> Self {
        Self(true)
    }

    /// No: for `#[serde(default = "Flag::no")]`, where the default should show in the reference.
    pub const fn no() -> Self {
        Self(false)
    }

    /// The value of a word that means yes or no.
    pub fn from_word(word: &str) -> Option<Self> {
        match word.trim().to_ascii_lowercase().as_str() {
            "yes" | "y" | "on" | "true" | "t" | "1" | "1.0" => Some(Self(true)),
            "no" | "n" | "off" | "false" | "f" | "0" | "0.0" => Some(Self(false)),
            _ => None,
        }
    }
}

impl Deref for Flag {
    type Target = bool;

    fn deref(&self) -> &bool {
        &self.0
    }
}

impl From<Flag> for bool {
    fn from(flag: Flag) -> Self {
        flag.0
    }
}

impl From<bool> for Flag {
    fn from(flag: bool) -> Self {
        Self(flag)
    }
}

impl ReadArgument for Flag {
    fn read(value: &Value) -> Result<Self, Unfit> {
        scalar_text(value)
            .and_then(|text| Self::from_word(&text))
            .ok_or_else(|| Unfit::kind("a yes or a no", value))
    }
}

by_read!(Flag);
inline_schema!(Flag, "Flag", { "type": "boolean", "x-kind": "flag" });

/// Text: a string, or a number or boolean as Ansible writes it (`True`, `1.0`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Text(pub String);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl ReadArgument for Text {
    fn read(value: &Value) -> Result<Self, Unfit> {
        text(value).map(Self)
    }
}

/// The text of a scalar, or what is wrong with it.
fn text(value: &Value) -> Result<String, Unfit> {
    scalar_text(value).ok_or_else(|| Unfit::kind("text", value))
}

/// Whether a value is text, without a copy of it.
pub fn fits_text(value: &Value) -> Result<(), Unfit> {
    match value {
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Unfit::kind("text", value)),
    }
}

by_read!(Text);
inline_schema!(Text, "Text", { "type": "string", "x-kind": "text" });

/// Text that must be shown nowhere: a password, a token, a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretText(pub Secret);

impl Deref for SecretText {
    type Target = Secret;

    fn deref(&self) -> &Secret {
        &self.0
    }
}

impl ReadArgument for SecretText {
    fn read(value: &Value) -> Result<Self, Unfit> {
        scalar_text(value)
            .map(|text| Self(Secret::new(text)))
            // Not through `describe`: a message must not quote it.
            .ok_or_else(|| Unfit::Kind {
                expected: "text".to_owned(),
                found: "something else (not shown)".to_owned(),
            })
    }
}

by_read!(SecretText);
inline_schema!(SecretText, "SecretText", { "type": "string", "writeOnly": true, "x-kind": "secret" });

/// A kind of number that [`Number`] can hold.
pub trait Numeric: Copy {
    /// What is expected, in words.
    const EXPECTED: &'static str;
    /// The JSON Schema type.
    const TYPE: &'static str;
    /// The name in descriptions: `u16`.
    const NAME: &'static str;
    /// The least and the most, where that is worth saying.
    const RANGE: (Option<u64>, Option<u64>);
    /// From the text of a scalar that is no boolean.
    fn from_text(text: &str) -> Option<Self>;
}

macro_rules! whole_numbers {
    ($($type:ident: $range:expr, $expected:literal),+ $(,)?) => {$(
        impl Numeric for $type {
            const EXPECTED: &'static str = $expected;
            const TYPE: &'static str = "integer";
            const NAME: &'static str = stringify!($type);
            const RANGE: (Option<u64>, Option<u64>) = $range;

            fn from_text(text: &str) -> Option<Self> {
                let text = text.trim();
                // "5.0", as a template's arithmetic leaves it, is the whole number 5.
                let whole = text
                    .split_once('.')
                    .filter(|(_, rest)| !rest.is_empty() && rest.bytes().all(|b| b == b'0'))
                    .map_or(text, |(whole, _)| whole);
                whole.parse().ok()
            }
        }
    )+};
}

whole_numbers! {
    u8: (Some(0), Some(255)), "a whole number from 0 to 255",
    u16: (Some(0), Some(65535)), "a whole number from 0 to 65535",
    u32: (Some(0), None), "a whole number that is not negative",
    u64: (Some(0), None), "a whole number that is not negative",
    i32: (None, None), "a whole number",
    i64: (None, None), "a whole number",
}

impl Numeric for f64 {
    const EXPECTED: &'static str = "a number";
    const TYPE: &'static str = "number";
    const NAME: &'static str = "f64";
    const RANGE: (Option<u64>, Option<u64>) = (None, None);

    fn from_text(text: &str) -> Option<Self> {
        text.trim()
            .parse()
            .ok()
            .filter(|float: &f64| float.is_finite())
    }
}

/// A number, or a string that is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Number<T>(pub T);

impl<T> Deref for Number<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A hundred years: as good as for ever, and nothing that adds to it runs over.
pub const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

impl Number<u64> {
    /// So many seconds, and no more than a hundred years.
    pub fn seconds(&self) -> Duration {
        Duration::from_secs(self.0).min(LONGEST)
    }
}

impl<T: Serialize> Serialize for Number<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T: Numeric> ReadArgument for Number<T> {
    fn read(value: &Value) -> Result<Self, Unfit> {
        Some(value)
            .filter(|value| !value.is_boolean())
            .and_then(scalar_text)
            .and_then(|text| T::from_text(&text))
            .map(Self)
            .ok_or_else(|| Unfit::kind(T::EXPECTED, value))
    }
}

impl<'de, T: Numeric> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value).map_err(D::Error::custom)
    }
}

impl<T: Numeric> JsonSchema for Number<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({ "type": T::TYPE, "x-kind": T::NAME });
        for (key, bound) in [("minimum", T::RANGE.0), ("maximum", T::RANGE.1)] {
            if let Some(bound) = bound {
                schema.insert(key.to_owned(), bound.into());
            }
        }
        schema
    }
}

/// A list of texts: a YAML list, a string with commas between the items, or a single value. White
/// space around the items of a string, and empty items in it, are dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct List(pub Vec<String>);

/// A list of texts in which a comma means nothing: a YAML list, or a single value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Many(pub Vec<String>);

/// A list of texts: a YAML list, a string with white space between the items, or a single value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SpacedList(pub Vec<String>);

macro_rules! list {
    ($type:ident, $name:literal, $kind:literal, $split:expr) => {
        impl Deref for $type {
            type Target = [String];

            fn deref(&self) -> &[String] {
                &self.0
            }
        }

        impl<'a> IntoIterator for &'a $type {
            type Item = &'a String;
            type IntoIter = std::slice::Iter<'a, String>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.iter()
            }
        }

        impl ReadArgument for $type {
            fn read(value: &Value) -> Result<Self, Unfit> {
                items(value, $split).map(Self)
            }
        }

        by_read!($type);
        inline_schema!($type, $name, {
            "type": "array", "items": { "type": "string" }, "x-kind": $kind,
        });
    };
}

list!(List, "List", "list", |text| {
    let items = text.split(',').map(str::trim);
    items.filter(|item| !item.is_empty()).collect()
});
list!(Many, "Many", "many", |text| vec![text]);
list!(SpacedList, "SpacedList", "many", |text| {
    text.split_whitespace().collect()
});

/// `split`: the items of a string.
fn items(value: &Value, split: fn(&str) -> Vec<&str>) -> Result<Vec<String>, Unfit> {
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                text(item).map_err(|why| Unfit::Item {
                    index,
                    why: Box::new(why),
                })
            })
            .collect(),
        Value::String(text) => Ok(split(text).into_iter().map(str::to_owned).collect()),
        other => scalar_text(other)
            .map(|item| vec![item])
            .ok_or_else(|| Unfit::kind("a list, or a single value", other)),
    }
}

/// Data of any shape, as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Data(pub Value);

impl Deref for Data {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

inline_schema!(Data, "Data", { "x-kind": "data" });

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::{Data, Flag, List, Many, Number, SecretText, SpacedList, Text};

    fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_flag_reads_every_spelling_of_ansible() {
        for yes in [
            json!(true),
            json!("yes"),
            json!("True"),
            json!("on"),
            json!(1),
            json!("Y"),
        ] {
            assert_eq!(read(yes), Ok(Flag(true)));
        }
        for no in [
            json!(false),
            json!("no"),
            json!("False"),
            json!("OFF"),
            json!(0),
            json!(0.0),
        ] {
            assert_eq!(read(no), Ok(Flag(false)));
        }
    }

    #[test]
    fn a_flag_says_what_it_wanted_and_what_it_found() {
        let message = |value| read::<Flag>(value).unwrap_err();
        assert_eq!(
            message(json!("maybe")),
            "expected a yes or a no, found the string `maybe`"
        );
        assert_eq!(
            message(json!(2)),
            "expected a yes or a no, found the number `2`"
        );
        assert_eq!(message(json!([])), "expected a yes or a no, found a list");
        assert_eq!(
            message(json!("")),
            "expected a yes or a no, found an empty string"
        );
    }

    #[test]
    fn long_strings_are_cut_in_messages_at_a_character() {
        let message = read::<Flag>(json!("é".repeat(100))).unwrap_err();
        assert!(
            message.ends_with(&format!("`{}…`", "é".repeat(60))),
            "{message}"
        );
    }

    #[test]
    fn text_of_scalars_is_as_ansible_prints_them() {
        for (value, text) in [
            (json!("a b"), "a b"),
            (json!(5), "5"),
            (json!(-5), "-5"),
            (json!(1.0), "1.0"),
            (json!(1.5), "1.5"),
            (json!(1e16), "1e+16"),
            (json!(0.00001), "1e-05"),
            (json!(true), "True"),
            (json!(false), "False"),
        ] {
            assert_eq!(read(value), Ok(Text::from(text)));
        }
        assert_eq!(
            read::<Text>(json!({"a": 1})).unwrap_err(),
            "expected text, found a mapping"
        );
        assert_eq!(
            read::<Text>(Value::Null).unwrap_err(),
            "expected text, found nothing"
        );
    }

    #[test]
    fn nothing_for_an_optional_argument_is_not_given() {
        assert_eq!(read::<Option<Text>>(Value::Null), Ok(None));
        assert_eq!(read::<Option<Flag>>(Value::Null), Ok(None));
    }

    #[test]
    fn numbers_read_numeric_strings_within_their_range() {
        assert_eq!(read(json!("6443")), Ok(Number(6443_u16)));
        assert_eq!(read(json!(6443)), Ok(Number(6443_u16)));
        assert_eq!(read(json!(5.0)), Ok(Number(5_u32)));
        assert_eq!(read(json!("-3")), Ok(Number(-3_i64)));
        assert_eq!(read(json!("0.5")), Ok(Number(0.5_f64)));
        let message = |value| read::<Number<u16>>(value).unwrap_err();
        let wanted = "expected a whole number from 0 to 65535, found";
        assert_eq!(message(json!("abc")), format!("{wanted} the string `abc`"));
        assert_eq!(
            message(json!(70000)),
            format!("{wanted} the number `70000`")
        );
        assert_eq!(message(json!(true)), format!("{wanted} the boolean `true`"));
        assert_eq!(message(json!("1.5")), format!("{wanted} the string `1.5`"));
    }

    #[test]
    fn a_list_is_a_list_a_comma_string_or_one_value() {
        let list = |items: &[&str]| Ok(List(items.iter().map(ToString::to_string).collect()));
        assert_eq!(read(json!(["a", 1, true])), list(&["a", "1", "True"]));
        assert_eq!(read(json!("a, b,,c ")), list(&["a", "b", "c"]));
        assert_eq!(read(json!("")), list(&[]));
        assert_eq!(read(json!(7)), list(&["7"]));
        assert_eq!(
            read::<List>(json!(["a", {}])).unwrap_err(),
            "item 2: expected text, found a mapping"
        );
        assert_eq!(read(json!("a,b")), Ok(Many(vec!["a,b".to_owned()])));
        let two = SpacedList(vec!["a,b".to_owned(), "c".to_owned()]);
        assert_eq!(read(json!(" a,b  c")), Ok(two));
        assert_eq!(read(json!(["a b"])), Ok(SpacedList(vec!["a b".to_owned()])));
    }

    #[test]
    fn a_secret_is_quoted_in_no_message() {
        assert_eq!(
            read::<SecretText>(json!("s3cret")).unwrap().expose(),
            "s3cret"
        );
        let message = read::<SecretText>(json!(["s3cret"])).unwrap_err();
        assert!(!message.contains("s3cret"), "{message}");
    }

    #[test]
    fn data_is_taken_as_it_is() {
        assert_eq!(
            read(json!({"a": [1, null]})),
            Ok(Data(json!({"a": [1, null]})))
        );
    }
}
