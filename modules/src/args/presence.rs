//! Whether something should be there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether something should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It should.
    #[default]
    Present,
    /// It should not.
    Absent,
}

impl Presence {
    /// As playbooks write it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
        }
    }
}
