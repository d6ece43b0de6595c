//! Arguments that several subcommands share, named as `ansible-playbook` names them.

use std::path::PathBuf;

use clap::{Args, value_parser};

use crate::report::Format;
use crate::transport::LONGEST_TIMEOUT;

/// Which playbooks, on which hosts, with which variables.
#[derive(Debug, Clone, Args)]
pub(crate) struct InputFlags {
    /// Playbooks, run in this order.
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub(crate) playbooks: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) hosts: Hosts,

    /// More variables, above all others: `name=value …`, JSON or YAML, or `@FILE`.
    #[arg(short = 'e', long = "extra-vars", value_name = "VARS")]
    pub(crate) extra_vars: Vec<String>,

    /// Only tasks with one of these tags.
    #[arg(short = 't', long, value_name = "TAGS", value_delimiter = ',')]
    pub(crate) tags: Vec<String>,

    /// No tasks with one of these tags.
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub(crate) skip_tags: Vec<String>,
}

/// Which hosts there are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Hosts {
    /// An inventory: a file (INI or YAML), a folder, a program that prints JSON, or `host1,host2,`.
    /// Given several times, they are merged in order.
    #[arg(
        short,
        long,
        value_name = "INVENTORY",
        env = "WINDLASS_INVENTORY",
        value_delimiter = '\0'
    )]
    pub(crate) inventory: Vec<String>,

    /// Only hosts that this pattern matches too.
    #[arg(short, long, value_name = "PATTERN")]
    pub(crate) limit: Option<String>,
}

/// How hosts are reached.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionFlags {
    /// Log in as this user, where the inventory says nothing.
    #[arg(short, long, value_name = "USER")]
    pub(crate) user: Option<String>,

    /// Log in with this key, where the inventory says nothing.
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    pub(crate) private_key: Option<PathBuf>,

    /// Ask for the login password.
    #[arg(short = 'k', long)]
    pub(crate) ask_pass: bool,

    /// `ssh` or `local`, where the inventory says nothing.
    #[arg(id = "connection", short = 'c', long, value_name = "HOW")]
    pub(crate) kind: Option<String>,

    /// Seconds to wait for a connection, up to a shell that is ready. Without it: 10 to reach the host, 30 in all.
    #[arg(short = 'T', long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=LONGEST_TIMEOUT))]
    pub(crate) timeout: Option<u64>,

    /// Take no file from a host that is larger than this: bytes, or with K, M, G or T.
    #[arg(long, value_name = "SIZE", default_value = "8G", value_parser = super::size::parse)]
    pub(crate) max_file: u64,

    /// More arguments for `ssh`.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(crate) ssh_common_args: Option<String>,

    /// More arguments for `ssh`, after the common ones.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(crate) ssh_extra_args: Option<String>,
}

/// As whom tasks run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Privileges")]
pub(crate) struct Privileges {
    /// Run tasks as another user (root, unless --become-user says otherwise).
    #[arg(short = 'b', long = "become")]
    pub(crate) r#become: bool,

    /// The user to become.
    #[arg(long, value_name = "USER")]
    pub(crate) become_user: Option<String>,

    /// `sudo`, `su` or `doas`.
    #[arg(long, value_name = "METHOD")]
    pub(crate) become_method: Option<String>,

    /// Ask for the password of `become`.
    #[arg(short = 'K', long)]
    pub(crate) ask_become_pass: bool,
}

/// What is shown, and how.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// The output format. Without it: `human` on a terminal, `plain` otherwise.
    #[arg(long, value_name = "FORMAT", env = "WINDLASS_OUTPUT")]
    pub(crate) output: Option<Format>,

    /// More: -v shows results, -vv where tasks stand and all data.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// How a run goes.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct RunFlags {
    #[command(flatten)]
    pub(crate) input: InputFlags,

    /// Show what would change, and change nothing.
    #[arg(short = 'C', long)]
    pub(crate) check: bool,

    /// Show differences of changed files.
    #[arg(short = 'D', long)]
    pub(crate) diff: bool,

    /// How many hosts work at once.
    #[arg(short, long, value_name = "N", default_value_t = 50)]
    pub(crate) forks: usize,

    /// Begin with the task of this name.
    #[arg(long, value_name = "NAME")]
    pub(crate) start_at_task: Option<String>,

    /// Ask before each task: no, yes, or continue without asking. Needs a terminal.
    #[arg(long)]
    pub(crate) step: bool,

    /// Run the handlers of a host although a task failed on it.
    #[arg(long)]
    pub(crate) force_handlers: bool,

    /// How much of what hosts print may be kept in memory, beyond 1 MiB for each; what is more goes to
    /// temporary files. Bytes, or with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = super::size::parse)]
    pub(crate) max_output_memory: u64,

    /// How much of what hosts print may be kept in temporary files (in the folder that TMPDIR names); a
    /// task that prints more fails. Bytes, or with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = super::size::parse)]
    pub(crate) max_output_disk: u64,

    /// Show the hosts of each play, and run nothing.
    #[arg(long)]
    pub(crate) list_hosts: bool,

    /// Show the tasks of each play, and run nothing.
    #[arg(long)]
    pub(crate) list_tasks: bool,

    /// Show the tags of each play's tasks, and run nothing.
    #[arg(long)]
    pub(crate) list_tags: bool,

    /// Read and check everything, and run nothing.
    #[arg(long)]
    pub(crate) syntax_check: bool,

    #[command(flatten)]
    pub(crate) connection: ConnectionFlags,

    #[command(flatten)]
    pub(crate) privileges: Privileges,

    #[command(flatten)]
    pub(crate) output: OutputFlags,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        connection: ConnectionFlags,
    }

    #[test]
    fn a_time_for_connecting_is_one_that_can_be_waited_for() {
        let timeout = |seconds| {
            Cli::try_parse_from(["run", "-T", seconds])
                .map(|cli| cli.connection.timeout)
                .map_err(|error| error.to_string())
        };
        assert_eq!(timeout("86400"), Ok(Some(86_400)));
        for wrong in ["0", "86401", "4000000000000000000"] {
            let error = timeout(wrong).unwrap_err();
            assert!(error.contains("is not in 1..=86400"), "{error}");
        }
    }
}
