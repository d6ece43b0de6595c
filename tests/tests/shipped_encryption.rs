//! `encryption.sh`: the stages of a new key, from any of which a stopped run goes on, with a kubectl of the test's own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use windlass_tests::program::{Place, root};

/// A control plane of the test's own.
struct Node {
    place: Place,
    shell: &'static [&'static str],
}

/// The shells that nodes have.
const SHELLS: [&[&str]; 2] = [&["dash"], &["busybox", "sh"]];

impl Node {
    fn new(shell: &'static [&'static str]) -> Self {
        let node = Self {
            place: Place::new(),
            shell,
        };
        let kubectl = "case $* in\n*'get namespaces'*) printf 'default\\nkube-system\\n' ;;\n\
             *'get secrets'*) cat HERE/refuses >/dev/null 2>&1 && exit 1; echo '{}' ;;\n\
             *replace*) cat >HERE/replaced.$$; grep -q 'not listed' HERE/replaced.$$ && echo 'error: no YAML' >&2; exit 0 ;;\nesac";
        node.place.program("kubectl", kubectl);
        // Nobody waits for the time between two tries.
        node.place.program("sleep", "");
        std::fs::create_dir_all(node.at("etc/pki/encryption")).expect("folders can be made");
        node
    }

    fn at(&self, name: &str) -> PathBuf {
        self.place.at(name)
    }

    /// The exit status, and all that it printed.
    fn run(&self, words: &[&str]) -> (i32, String) {
        let path = format!("{}:/usr/bin:/bin", self.place.path().display());
        let output = Command::new(self.shell[0])
            .args(&self.shell[1..])
            .arg(root().join("playbooks/files/encryption.sh"))
            .args(words)
            .env("PATH", path)
            .env("WINDLASS_KUBERNETES", self.at("etc"))
            .output()
            .expect("there is a shell");
        let text = |bytes| String::from_utf8(bytes).expect("it is text");
        (
            output.status.code().unwrap_or(-1),
            text(output.stdout) + &text(output.stderr),
        )
    }

    fn does(&self, words: &[&str], said: &str) {
        assert_eq!(self.run(words), (0, said.to_owned()), "{words:?}");
    }

    fn stage(&self) -> String {
        self.run(&["stage"]).1.trim().to_owned()
    }

    /// What the API server is given: `identity`, or the provider and the keys in their order, by number of their making.
    fn providers(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.at("etc/pki/encryption/config.yml"))
            .expect("there is a configuration");
        let mut names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- name: "))
            .collect();
        let order = names.clone();
        names.sort_unstable();
        let mut order = order.into_iter();
        text.lines()
            .filter_map(|line| match line.trim() {
                "- identity: {}" => Some("identity".to_owned()),
                line if line.starts_with("- name: ") => {
                    let name = order.next()?;
                    let at = names.iter().position(|one| *one == name)?;
                    Some(format!("key {at}"))
                }
                line => line
                    .strip_prefix("- ")
                    .and_then(|line| line.strip_suffix(':'))
                    .filter(|word| *word != "resources")
                    .map(str::to_owned),
            })
            .collect()
    }

    /// The secrets that are in a file.
    fn secrets(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.at("etc/pki/encryption/secrets.key"))
            .expect("there are keys");
        text.lines()
            .filter_map(|line| line.split(' ').nth(2).map(str::to_owned))
            .collect()
    }

    /// Names have seconds in them: as if the keys that are there had been made on another day.
    fn another_day(&self) {
        for file in ["secrets.key", "rewritten", "config.yml"] {
            let file = self.at("etc/pki/encryption").join(file);
            if let Ok(text) = std::fs::read_to_string(&file) {
                let text = text.replace("key-2", "key-1");
                std::fs::write(file, text).expect("it is ours");
            }
        }
    }
}

#[test]
fn a_key_reads_before_it_writes_and_an_old_one_goes_last() {
    for shell in SHELLS {
        let node = Node::new(shell);
        assert_eq!(node.stage(), "none 0");
        node.does(&["add", "secretbox"], "changed\n");
        assert_eq!(node.stage(), "added 1");
        assert_eq!(node.providers(), ["identity", "secretbox", "key 0"]);
        // A run that was stopped does the same once more.
        node.does(&["add", "secretbox"], "");
        node.does(&["promote"], "changed\n");
        node.does(&["promote"], "");
        assert_eq!(node.stage(), "promoted 1");
        assert_eq!(node.providers(), ["secretbox", "key 0", "identity"]);
        node.does(&["rewrite", "secrets"], "changed\n");
        node.does(&["rewrite", "secrets"], "");
        assert_eq!(node.stage(), "settled 1");
        node.does(&["drop"], "");
        let old = node.secrets();

        node.another_day();
        node.does(&["add", "aescbc"], "changed\n");
        assert_eq!(node.stage(), "added 2");
        assert_eq!(
            node.providers(),
            ["secretbox", "key 0", "aescbc", "key 1", "identity"]
        );
        let (status, said) = node.run(&["drop"]);
        assert_eq!(status, 1);
        assert!(said.contains("no key is dropped"), "{said}");
        node.does(&["promote"], "changed\n");
        assert_eq!(
            node.providers(),
            ["aescbc", "key 1", "secretbox", "key 0", "identity"]
        );
        node.does(&["rewrite", "secrets"], "changed\n");
        assert_eq!(node.stage(), "rewritten 2");
        node.does(&["drop"], "changed\n");
        assert_eq!(node.stage(), "settled 1");
        assert_eq!(node.providers(), ["aescbc", "key 0", "identity"]);
        assert_ne!(node.secrets(), old);
        for file in ["secrets.key", "config.yml"] {
            let file =
                std::fs::metadata(node.at("etc/pki/encryption").join(file)).expect("it is there");
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
    }
}

/// A list that broke off is not an empty one, and what is not rewritten is not called so.
#[test]
fn secrets_that_could_not_be_listed_are_not_taken_for_written() {
    for shell in SHELLS {
        let node = Node::new(shell);
        node.does(&["add", "secretbox"], "changed\n");
        node.does(&["promote"], "changed\n");
        std::fs::write(node.at("refuses"), "").expect("it can be written");
        let (status, said) = node.run(&["rewrite", "secrets"]);
        assert_eq!(status, 1, "{said}");
        assert!(
            said.contains("not all secrets in the namespace default"),
            "{said}"
        );
        assert_eq!(node.stage(), "promoted 1");
    }
}

#[test]
fn a_key_of_the_users_is_taken_once_and_never_left_or_shown() {
    let mine = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    for shell in SHELLS {
        let node = Node::new(shell);
        let give = |key: &str| {
            std::fs::write(node.at("etc/pki/encryption/key.new"), format!("{key}\n"))
                .expect("it can be written");
        };
        let taken = || !node.at("etc/pki/encryption/key.new").exists();
        give("MDEy");
        let (status, said) = node.run(&["new", "secretbox"]);
        assert_eq!((status, taken()), (1, true));
        assert!(said.contains("has 3 bytes"), "{said}");
        assert!(!said.contains("MDEy"), "{said}");

        give(mine);
        node.does(&["new", "secretbox"], "changed\n");
        assert!(taken());
        assert_eq!(node.secrets(), [mine]);
        assert_eq!(node.stage(), "settled 1");
        node.does(&["new", "secretbox"], "");

        node.another_day();
        give(mine);
        let (status, said) = node.run(&["add", "secretbox"]);
        assert_eq!((status, taken()), (1, true));
        assert!(
            said.contains("a key that the cluster has already"),
            "{said}"
        );
        assert!(!said.contains(mine), "{said}");
        assert_eq!(node.stage(), "settled 1");
    }
}
