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
mod service;
mod setup;
mod sysctl;
mod systemd;
mod wait_for;
mod wait_for_connection;

pub use apt::AptArgs;
pub use dnf::DnfArgs;
pub use hostname::HostnameArgs;
pub use modprobe::ModprobeArgs;
pub use package::PackageArgs;
pub use packages::PackageState;
pub use ping::PingArgs;
pub use service::ServiceArgs;
pub use setup::SetupArgs;
pub use sysctl::SysctlArgs;
pub use systemd::SystemdArgs;
pub use wait_for::WaitForArgs;
pub use wait_for_connection::WaitForConnectionArgs;

modules! {
    /// The modules of this folder.
    AptArgs,
    DnfArgs,
    HostnameArgs,
    ModprobeArgs,
    PackageArgs,
    PingArgs,
    ServiceArgs,
    SetupArgs,
    SysctlArgs,
    SystemdArgs,
    WaitForArgs,
    WaitForConnectionArgs,
}
