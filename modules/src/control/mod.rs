//! Modules that work on the control host alone, or on nothing: one file each.

use crate::module::modules;

mod assert;
mod debug;
mod fail;
mod include_vars;
mod pause;
mod set_fact;
mod validate_argument_spec;

pub use assert::AssertArgs;
pub use debug::DebugArgs;
pub use fail::FailArgs;
pub use include_vars::IncludeVarsArgs;
pub use pause::PauseArgs;
pub use set_fact::SetFactArgs;
pub use validate_argument_spec::ValidateArgumentSpecArgs;

modules! {
    /// The modules of this folder.
    AssertArgs,
    DebugArgs,
    FailArgs,
    IncludeVarsArgs,
    PauseArgs,
    SetFactArgs,
    ValidateArgumentSpecArgs,
}
