//! `hostvars` and `vars`: mappings whose values are rendered when they are asked for.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use crate::inventory::Inventory;
use crate::template::{self, Scope};

/// `hostvars`: each host's variables, without those of plays.
pub(super) struct AllHosts<Of> {
    pub(super) inventory: Arc<Inventory>,
    /// The variables of the host of this name.
    pub(super) of: Of,
}

impl<Of> fmt::Debug for AllHosts<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_struct("AllHosts").finish_non_exhaustive()
    }
}

impl<Of: Fn(&str) -> Arc<dyn Scope> + Send + Sync + 'static> Object for AllHosts<Of> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let host = key.as_str()?;
        // The control host goes by several names.
        let host = &self.inventory.host(host)?.name;
        Some(Value::from_object(Everything((self.of)(host))))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let hosts = self.inventory.hosts();
        Enumerator::Values(hosts.map(|host| Value::from(host.name.as_str())).collect())
    }
}

/// All variables of a view, as a mapping.
#[derive(Debug)]
pub(super) struct Everything(pub(super) Arc<dyn Scope>);

impl Object for Everything {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match self.0.get(key.as_str()?)? {
            Ok(value) => value,
            // A variable that cannot be rendered is an error where it is used, not before.
            Err(error) => template::failed(error),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        // Tasks may add some.
        self.0.later("vars");
        // Without itself: whoever walks all variables would not come to an end.
        let names = self
            .0
            .names()
            .into_iter()
            .filter(|name| !matches!(name.as_str(), "vars" | "hostvars" | "omit"));
        Enumerator::Values(names.map(Value::from).collect())
    }
}
