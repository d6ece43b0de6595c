//! What a module returns, and what it does in check mode.

/// A value that a task registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    /// Its name; `stat.mode` is a value inside `stat`.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// What it is, and when it is there if that is not always.
    pub about: &'static str,
}

/// Makes constructors: each a name and what it is.
macro_rules! returns {
    ($($(#[$about:meta])+ $name:ident $kind:ident),+ $(,)?) => {
        impl Return {
            $(
                $(#[$about])+
                pub const fn $name(name: &'static str, about: &'static str) -> Self {
                    Self { name, kind: Type::$kind, about }
                }
            )+
        }
    };
}

returns! {
    /// A text.
    text Text,
    /// True or false.
    bool Bool,
    /// A whole number.
    int Int,
    /// A number.
    float Float,
    /// A list.
    list List,
    /// A mapping.
    map Map,
    /// Anything.
    any Any,
}

impl Return {
    /// Several lists as one, which has `N` values.
    pub const fn joined<const N: usize>(lists: &[&[Self]]) -> [Self; N] {
        let mut all = [Self::text("", ""); N];
        let mut count = 0;
        let mut list = 0;
        // Neither iterators nor `for` are there for constants.
        while list < lists.len() {
            let mut at = 0;
            while at < lists[list].len() {
                all[count] = lists[list][at];
                count += 1;
                at += 1;
            }
            list += 1;
        }
        assert!(count == N, "as many as there are");
        all
    }
}

/// The type of a value that a task registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A list.
    List,
    /// A mapping.
    Map,
    /// Anything.
    Any,
}

impl Type {
    /// What it is called in the reference.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "true or false",
            Self::Int => "whole number",
            Self::Float => "number",
            Self::List => "list",
            Self::Map => "mapping",
            Self::Any => "any value",
        }
    }

    /// Whether `value` is of this type.
    pub fn has(self, value: &serde_json::Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Bool => value.is_boolean(),
            Self::Int => value.is_i64() || value.is_u64(),
            Self::Float => value.is_number(),
            Self::List => value.is_array(),
            Self::Map => value.is_object(),
            Self::Any => true,
        }
    }
}

/// A failure that a module is for: whoever wrote the task decided what is to fail, and what is said then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusing {
    /// The argument with the conditions, all of which must hold; without one, the module always fails.
    pub unless: Option<&'static str>,
    /// The argument with the message.
    pub message: &'static str,
}

/// What a module does in check mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckMode {
    /// It finds out what would change, and changes nothing.
    Finds,
    /// It does the same as always: it never changes anything.
    Reads,
    /// The task is skipped.
    Skips,
    /// Something else, in a sentence.
    Does(&'static str),
}

impl CheckMode {
    /// In a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Finds => "It finds out what would change, and changes nothing.",
            Self::Reads => "It does the same as always: it never changes anything.",
            Self::Skips => "The task is skipped.",
            Self::Does(sentence) => sentence,
        }
    }
}
