//! Modules that work on the control host alone, or on nothing: one file each.

use crate::module::modules;

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

modules! {
    /// The modules of this folder.
    Assert,
    Debug,
    Fail,
    IncludeVars,
    Pause,
    SetFact,
    ValidateArgumentSpec,
}
