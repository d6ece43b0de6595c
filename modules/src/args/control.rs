//! Texts that name something: a path of the node, or a file of the control host.

use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::unfit::{ReadArgument, Unfit};
use super::values::{Many, Text, by_read, inline_schema};

/// A type that is a text, or a list of texts, and whose description says what they name.
macro_rules! names {
    ($(#[$about:meta])+ $type:ident of $inner:ident, $target:ty, $kind:literal, $names:literal) => {
        $(#[$about])+
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
        pub struct $type(pub $inner);

        impl Deref for $type {
            type Target = $target;

            fn deref(&self) -> &$target {
                &self.0
            }
        }

        impl ReadArgument for $type {
            fn read(value: &Value) -> Result<Self, Unfit> {
                $inner::read(value).map(Self)
            }
        }

        by_read!($type);
        inline_schema!($type, $names, { "x-kind": $kind, "x-names": $names });
    };
}

/// A text that prints as it is.
macro_rules! named_text {
    ($(#[$about:meta])+ $type:ident, $names:literal) => {
        names!($(#[$about])+ $type of Text, str, "text", $names);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self)
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(Text::from(text))
            }
        }
    };
}

named_text!(
    /// A path of the node, or a pattern of such, as the module itself reads it.
    NodePath, "node"
);
named_text!(
    /// A file of the control host, below `files/` or beside the playbook; with the argument
    /// `remote_src` a path of the node.
    ControlFile, "file"
);
named_text!(
    /// A file of variables on the control host, below `vars/` or beside the playbook.
    ControlVariables, "variables"
);
named_text!(
    /// A folder of files of variables on the control host, below `vars/` or beside the playbook.
    ControlVariablesFolder, "variables_folder"
);
named_text!(
    /// A template of the control host, below `templates/` or beside the playbook.
    ControlTemplate, "template"
);
named_text!(
    /// A file of the control host, below `files/` or beside the playbook, and words after it.
    Script, "script"
);
named_text!(
    /// A file or folder of the control host that the module writes.
    Destination, "destination"
);
names!(
    /// Paths of the node.
    NodePaths of Many, [String], "many", "node"
);
names!(
    /// Files of the control host, and templates among them whose names end in `.j2`.
    Manifests of Many, [String], "many", "manifest"
);
