//! Modules that look after a node's system: one file each. Their remote parts are in `kit/`, one
//! file of the same name each.

use crate::module::modules;

mod apt;
mod dnf;
mod facts;
mod hostname;
mod modprobe;
mod package;
mod packages;
mod ping;
mod presence;
mod service;
mod setup;
mod sysctl;
mod systemd;
mod wait_for;
mod wait_for_connection;

pub use apt::Apt;
pub use dnf::Dnf;
pub use hostname::Hostname;
pub use modprobe::Modprobe;
pub use package::Package;
pub use packages::PackageState;
pub use ping::Ping;
pub use presence::Presence;
pub use service::Service;
pub use setup::Setup;
pub use sysctl::Sysctl;
pub use systemd::Systemd;
pub use wait_for::WaitFor;
pub use wait_for_connection::WaitForConnection;

modules! {
    /// The modules of this folder.
    Apt,
    Dnf,
    Hostname,
    Modprobe,
    Package,
    Ping,
    Service,
    Setup,
    Sysctl,
    Systemd,
    WaitFor,
    WaitForConnection,
}
