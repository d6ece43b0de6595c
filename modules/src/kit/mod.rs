//! The remote kit: POSIX sh functions that are sent once down each shell.
//!
//! The functions run under dash, bash and BusyBox ash, with GNU, BusyBox or mere POSIX tools. Their
//! names begin with `w_`, and so do their variables. They hand back *records* on standard output,
//! which [`Records`] reads. What each part offers is said at the head of its source:
//!
//! | part | file | for |
//! |---|---|---|
//! | [`RECORDS`] | `records.sh` | handing back values and failures; asking for tools |
//! | [`SYSTEMD`] | `systemd.sh` | units |
//! | [`SERVICE`] | `service.sh` | services, whatever starts them |
//! | [`PATHS`] | `paths.sh` | what is at a path; failing with a reason: disk full, read-only, … |
//! | [`ATTRIBUTES`] | `attributes.sh` | modes and owners |
//! | [`WRITE`] | `write.sh` | writing a file whole or not at all |
//! | [`TREE`] | `tree.sh` | folders and links |
//! | [`FILE`] | `file.sh` | what a path is: file, folder, link, nothing |
//! | [`READ`] | `read.sh` | reading files, and all that is known about a path |
//! | [`SYSCTL`] | `sysctl.sh` | kernel parameters |
//! | [`MODPROBE`] | `modprobe.sh` | kernel modules |
//! | [`HOSTNAME`] | `hostname.sh` | the name of the node |
//!
//! A module says `kit::script(&[kit::RECORDS], kit::call("w_need", &["sysctl", "to …"]))`, runs it, and reads
//! the reply with [`Records::read`], which turns a failure that the node reported into a
//! [`Failure`](crate::outcome::Failure).

mod part;
mod reply;

pub use part::{Part, with_needs};
pub use reply::Records;

use crate::host::Script;

/// Values and failures on their way back. Everything else needs it.
pub const RECORDS: Part = Part {
    name: "records",
    source: include_str!("records.sh"),
    needs: &[],
};

/// Units of systemd.
pub const SYSTEMD: Part = Part {
    name: "systemd",
    source: include_str!("systemd.sh"),
    needs: &[&RECORDS],
};

/// Services of systemd, OpenRC and init scripts.
pub const SERVICE: Part = Part {
    name: "service",
    source: include_str!("service.sh"),
    needs: &[&RECORDS, &SYSTEMD],
};

/// Looking at paths, and saying what is wrong with them.
pub const PATHS: Part = Part {
    name: "paths",
    source: include_str!("paths.sh"),
    needs: &[&RECORDS],
};

/// Modes and owners.
pub const ATTRIBUTES: Part = Part {
    name: "attributes",
    source: include_str!("attributes.sh"),
    needs: &[&PATHS],
};

/// Writing a file: whole or not at all.
pub const WRITE: Part = Part {
    name: "write",
    source: include_str!("write.sh"),
    needs: &[&ATTRIBUTES, &READ],
};

/// Folders and links.
pub const TREE: Part = Part {
    name: "tree",
    source: include_str!("tree.sh"),
    needs: &[&WRITE],
};

/// What a path is: file, folder, link, nothing.
pub const FILE: Part = Part {
    name: "file",
    source: include_str!("file.sh"),
    needs: &[&TREE],
};

/// Reading files, and all that is known about a path.
pub const READ: Part = Part {
    name: "read",
    source: include_str!("read.sh"),
    needs: &[&PATHS],
};

/// Kernel parameters.
pub const SYSCTL: Part = Part {
    name: "sysctl",
    source: include_str!("sysctl.sh"),
    needs: &[&RECORDS],
};

/// Kernel modules.
pub const MODPROBE: Part = Part {
    name: "modprobe",
    source: include_str!("modprobe.sh"),
    needs: &[&RECORDS],
};

/// The name of the node.
pub const HOSTNAME: Part = Part {
    name: "hostname",
    source: include_str!("hostname.sh"),
    needs: &[&RECORDS],
};

/// A script that runs `source` in the C locale, where sh counts bytes and tools speak English, with
/// `parts` available.
pub fn script(parts: &'static [Part], source: impl AsRef<str>) -> Script {
    Script::new(format!("LC_ALL=C; export LC_ALL\n{}", source.as_ref())).parts(parts)
}

/// A call of a function with arguments, as sh source.
pub fn call<S: AsRef<str>>(function: &str, arguments: &[S]) -> String {
    let mut source = function.to_owned();
    for argument in arguments {
        source.push(' ');
        source.push_str(&quote(argument.as_ref()));
    }
    source
}
/// `text` as one word of sh source.
pub fn quote(text: &str) -> String {
    if !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&b))
        && !text.starts_with('=')
    {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
