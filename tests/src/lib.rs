//! Shared helpers of the tests that cross rooms or need a real host.

pub mod expressions;
pub mod fleet;
pub mod hostile;
pub mod kubeadm_secrets;
pub mod lab;
pub mod lair;
pub mod machine;
pub mod nodes;
pub mod program;
pub mod shipped;
pub mod shipped_plays;
pub mod shipped_variables;
pub mod stand_ins;
pub mod terminal;
pub mod watch;
