//! The real program against a fleet of real hosts: sshd, sudo, and dash, bash and BusyBox.
#![cfg(feature = "fleet")]

mod batches;
mod bounds;
mod costs;
mod jump;
mod passwords;
mod rollout;
mod secrets;
mod site;
mod troubles;
mod twice;
mod untrusted;
