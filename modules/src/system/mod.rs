//! Modules that look after a node's system: one file each. Their remote parts are in `kit/`, one
//! file of the same name each.

use crate::module::{Module, Of};

mod ping;
mod service;
mod systemd;

pub use ping::Ping;
pub use service::Service;
pub use systemd::Systemd;

/// The modules of this folder.
pub const MODULES: &[&dyn Module] = &[
    &Of::<Ping>::new(),
    &Of::<Service>::new(),
    &Of::<Systemd>::new(),
];
