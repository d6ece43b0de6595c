//! The program when it is called as `ansible-playbook`: that program's usual arguments.

use std::ffi::OsString;

use clap::{Args, Command, FromArgMatches};

use super::args::RunFlags;

/// Reads `ansible-playbook`'s arguments.
pub(crate) fn parse(arguments: &[OsString]) -> Result<RunFlags, clap::Error> {
    let command = Command::new("ansible-playbook")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs Ansible playbooks; this is Windlass under another name")
        .max_term_width(100);
    let matches = RunFlags::augment_args(command).try_get_matches_from(arguments)?;
    RunFlags::from_arg_matches(&matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_arguments_are_read() {
        let line = "ansible-playbook -i hosts -l web -e a=1 -t x,y --skip-tags z -C -D -f 5 -b -u me -vv site.yml";
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let running = parse(&words).unwrap();
        assert_eq!(running.input.hosts.inventory, ["hosts"]);
        assert_eq!(running.input.hosts.limit.as_deref(), Some("web"));
        assert_eq!(running.input.tags, ["x", "y"]);
        assert_eq!(running.forks, 5);
        assert!(running.check && running.diff && running.privileges.r#become);
        assert_eq!(running.output.verbose, 2);
    }
}
