//! `hostvars` and `vars`: mappings whose values are rendered when they are asked for.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::layers::PlayVars;
use super::rendering::Rendering;
use super::store::Store;
use super::view::View;
use crate::template::{self, Scope};

/// `hostvars`: each host's variables, without those of plays.
#[derive(Debug)]
pub(super) struct AllHosts {
    pub(super) store: Store,
    pub(super) play: Option<Arc<PlayVars>>,
    pub(super) rendering: Rendering,
}

impl Object for AllHosts {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let host = key.as_str()?;
        // The control host goes by several names.
        let host = &self.store.0.inventory.host(host)?.name;
        let (play, rendering) = (self.play.clone(), self.rendering.clone());
        let view = View::of_host(self.store.clone(), host, play, rendering);
        Some(Value::from_object(Everything(view)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let hosts = self.store.0.inventory.hosts();
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
        // Without itself: whoever walks all variables would not come to an end.
        let names = self
            .0
            .names()
            .into_iter()
            .filter(|name| !matches!(name.as_str(), "vars" | "hostvars" | "omit"));
        Enumerator::Values(names.map(Value::from).collect())
    }
}
