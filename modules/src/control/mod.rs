//! Modules that work on the control host alone, or on nothing: one file each.

use crate::module::{Module, Of};

mod assert;
mod debug;
mod fail;
mod include_vars;
mod pause;
mod set_fact;
mod validate_argument_spec;

pub use assert::Assert;
pub use debug::Debug;
pub use fail::Fail;
pub use include_vars::IncludeVars;
pub use pause::Pause;
pub use set_fact::SetFact;
pub use validate_argument_spec::ValidateArgumentSpec;

/// The modules of this folder.
pub const MODULES: &[&dyn Module] = &[
    &Of::<Assert>::new(),
    &Of::<Debug>::new(),
    &Of::<Fail>::new(),
    &Of::<IncludeVars>::new(),
    &Of::<Pause>::new(),
    &Of::<SetFact>::new(),
    &Of::<ValidateArgumentSpec>::new(),
];
