//! A group as `groupby` gives it: a pair that also has names for its halves.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use crate::template::special::bury;

/// What the items have in common, and the items.
#[derive(Debug)]
pub(in crate::template) struct GroupTuple {
    pub(in crate::template) key: Value,
    pub(in crate::template) items: Value,
}

impl Drop for GroupTuple {
    fn drop(&mut self) {
        bury([
            std::mem::take(&mut self.key),
            std::mem::take(&mut self.items),
        ]);
    }
}

impl Object for GroupTuple {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_str(), key.as_usize()) {
            (Some("grouper"), _) | (None, Some(0)) => Some(self.key.clone()),
            (Some("list"), _) | (None, Some(1)) => Some(self.items.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }
}
