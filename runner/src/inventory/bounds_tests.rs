//! What an inventory can make of little text is bounded, and the error says by what.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Inventory, InventorySource, load};

fn read(name: &str, text: &str) -> Result<Inventory, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    read_path(&path)
}

fn read_path(path: &Path) -> Result<Inventory, String> {
    load(&[InventorySource::Path(path.to_owned())]).map_err(|errors| {
        assert!(errors.len() <= 500, "{} errors", errors.len());
        let help = |error: &crate::yaml::Diagnostic| error.help.clone().unwrap_or_default();
        let told = errors
            .iter()
            .map(|error| format!("{}; {}", error.message, help(error)));
        told.collect::<Vec<_>>().join("\n")
    })
}

#[track_caller]
fn refused(name: &str, text: &str, word: &str) {
    let error = read(name, text).err().unwrap();
    assert!(error.contains(word), "{error}");
}

#[test]
fn all_is_above_every_group_and_below_none() {
    refused(
        "hosts",
        "[x:children]\nall\n[x]\nh1\n",
        "it is above every group",
    );
    refused("hosts", "[x:children]\nall\n", "above every group");
    refused("hosts", "[ungrouped:children]\nall\n", "above every group");
    refused(
        "h.yml",
        "x: {hosts: {h1: }, children: {all: }}\n",
        "above every group",
    );
}

#[test]
fn the_variables_of_ranges_count_as_what_they_are_and_not_as_they_are_written() {
    let many = |count: usize| {
        (0..count)
            .map(|number| format!("a{number}: 1"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let alias = |value: &str| {
        format!(
            "all: {{vars: {{v: &v {{{}}}}}, hosts: {{\"h[00000:04999]\": {value}}}}}\n",
            many(200)
        )
    };
    for value in ["*v", "{<<: *v}", "{w: *v}"] {
        refused("h.yml", &alias(value), "give the variables to a group");
    }
    let words = (0..200).fold(String::new(), |mut words, number| {
        let _ = write!(words, " a{number}=1");
        words
    });
    refused(
        "hosts",
        &format!("h[0000:4999]{words}\n"),
        "give the variables to a group",
    );
    // What people write is far from it.
    read(
        "hosts",
        &format!("h[000:499]{words}\nbig[00000:99999] ansible_connection=local\n"),
    )
    .unwrap();
}

#[test]
fn names_are_kept_once_however_many_groups_a_host_is_in() {
    let long = "g".repeat(501);
    refused("hosts", &format!("[{long}]\nh1\n"), "more than 500 bytes");
    refused(
        "h.yml",
        &format!("{long}: {{hosts: {{h1: }}}}\n"),
        "more than 500 bytes",
    );
    refused(
        "h.yml",
        &format!("a: {{children: {long}}}\n"),
        "more than 500 bytes",
    );
    let inventory = read("hosts", "[a:children]\nb\n[b]\nh1\nh2\n").unwrap();
    let name = |group: &str| inventory.members(group)[0].as_ptr();
    assert_eq!(name("a"), name("b"));
    assert_eq!(name("a"), name("all"));
    let group = |host: &str| inventory.host(host).unwrap().groups[0].as_ptr();
    assert_eq!(group("h1"), group("h2"));
}

#[test]
fn no_more_is_told_than_anybody_reads() {
    let lines = |line: fn(usize) -> String| (0..2000).map(line).collect::<String>();
    for (name, text) in [
        ("hosts", lines(|number| format!("h{number}#\n"))),
        ("hosts", lines(|number| format!("h{number} a-b=1\n"))),
        (
            "h.yml",
            format!(
                "all:\n  vars:\n{}",
                lines(|number| format!("    a-{number}: 1\n"))
            ),
        ),
        ("hosts", lines(|number| format!("[g{number}]\ng{number}\n"))),
    ] {
        let inventory = read(name, &text).unwrap();
        assert_eq!(inventory.warnings().len(), 500, "{text:.20}");
    }
    for (name, text, word) in [
        (
            "h.yml",
            format!(
                "all:\n  vars:\n{}",
                lines(|number| format!("    {number}: 1\n"))
            ),
            "must be text",
        ),
        (
            "hosts",
            lines(|number| format!("[g{number}:vars]\n")),
            "no group is called",
        ),
        (
            "hosts",
            format!("[a:children]\n{}", lines(|number| format!("g{number}\n"))),
            "no group is called",
        ),
    ] {
        refused(name, &text, word);
    }
}

#[test]
fn a_host_that_is_named_again_is_no_more_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let groups =
        "[a]\nh[00000:99999]\n[b]\nh[00000:99999]\n[c]\ni[00000:99999]\n[d]\ni[00000:99999]\n";
    let path = folder.path().join("hosts");
    fs::write(&path, groups).unwrap();
    assert_eq!(read_path(&path).unwrap().hosts().len(), 200_000);
    fs::write(&path, format!("{groups}one\n")).unwrap();
    assert!(
        read_path(&path)
            .unwrap_err()
            .contains("more than 200000 hosts")
    );
}
