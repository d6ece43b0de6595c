//! Windlass: runs Ansible-style playbooks over SSH.
//!
//! Data flows one way: text → [`yaml::Node`] → [`playbook::Playbook`] → diagnostics or a run →
//! [`event::Event`]s → reports. Each module here is a room; its first lines say what it turns into
//! what, and what it must not know.

#![cfg_attr(
    test,
    expect(clippy::disallowed_methods, reason = "tests read what was written")
)]

pub mod check;
pub mod cli;
pub mod engine;
pub mod event;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod inventory;
pub mod playbook;
pub mod report;
pub mod secrets;
pub mod template;
pub mod transport;
pub mod vars;
pub mod yaml;
