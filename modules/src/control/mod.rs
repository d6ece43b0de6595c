//! Modules that work on the control host alone, or on nothing: one file each.

use crate::module::{Module, Of};

mod assert;
mod debug;
mod fail;
mod pause;
mod set_fact;

pub use assert::Assert;
pub use debug::Debug;
pub use fail::Fail;
pub use pause::Pause;
pub use set_fact::SetFact;

/// The modules of this folder.
pub const MODULES: &[&dyn Module] = &[
    &Of::<Assert>::new(),
    &Of::<Debug>::new(),
    &Of::<Fail>::new(),
    &Of::<Pause>::new(),
    &Of::<SetFact>::new(),
];
