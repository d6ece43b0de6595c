//! Values that arguments of several modules have where nobody gives one.

use crate::args::{NodePath, Number, Text};
use crate::kube::kubectl::ADMIN;

/// The kubeconfig that kubeadm writes for administrators.
pub(super) fn admin() -> NodePath {
    NodePath::from(ADMIN)
}

/// The kubectl of the `PATH`.
pub(super) fn kubectl() -> Text {
    Text::from("kubectl")
}

pub(super) fn one() -> Number<u32> {
    Number(1)
}

pub(super) fn five() -> Number<u32> {
    Number(5)
}

pub(super) fn two_seconds() -> Number<u64> {
    Number(2)
}

pub(super) fn one_minute() -> Number<u64> {
    Number(60)
}

pub(super) fn five_minutes() -> Number<u64> {
    Number(300)
}

pub(super) fn ten_minutes() -> Number<u64> {
    Number(600)
}
