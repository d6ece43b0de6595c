//! Turns inventories (INI, YAML, folders, programs, lists of hosts) into hosts, groups and their
//! variables, and host patterns into lists of hosts. Knows no templates and no playbooks.

mod beside;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod ini;
mod layers;
mod listing;
mod literal;
mod load;
mod model;
mod parts;
mod pattern;
mod range;
mod script;
mod select;
mod shared;
mod text;
mod tree;
mod yaml_file;

pub use beside::variables_of;
pub use layers::{InventoryLayer, PLACES};
pub use listing::to_json;
pub use load::{InventorySource, load, load_partly};
pub use model::{Inventory, LOCALHOST};
pub use parts::{Beside, Group, Host, Variables};
pub use pattern::{Pattern, PatternError};
pub use text::{from_json, load as load_yaml};

#[cfg(test)]
mod bounds_tests;
#[cfg(test)]
mod tests;
