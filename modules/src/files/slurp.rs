//! `slurp`: a file of the node, as a value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::args::path::RemotePath;
use crate::describe::{CheckMode, Return};
use crate::files::announced;
use crate::kit::{self, Records};
use crate::module::{Arguments, Context};
use crate::outcome::{Failure, Outcome};

/// Reads a file of the node into a variable: `{{ result.content | b64decode }}`. It changes nothing;
/// one round trip. For large files use `fetch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlurpArgs {
    /// The file on the node. Links are followed.
    #[schemars(extend("x-aliases" = ["path"]))]
    src: RemotePath,
}

impl Arguments for SlurpArgs {
    const NAME: &'static str = "slurp";
    const RETURNS: &'static [Return] = &[
        Return::text("content", "the bytes in base64"),
        Return::text("encoding", "`base64`"),
        Return::text("source", "the file"),
    ];
    const CHECK_MODE: CheckMode = CheckMode::Reads;
    const EXAMPLES: &'static [&'static str] = &[
        "- name: Read the list of users\n  slurp:\n    src: /etc/passwd\n  register: users\n\n- name: Use it\n  assert:\n    that: \"'root:' in users.content | b64decode\"\n",
    ];

    async fn run(&self, context: &Context<'_>) -> Result<Outcome, Failure> {
        let script = kit::script(&[kit::READ], format!("w_read {}", self.src.word()));
        let records = Records::read(&context.host.run(script).await?)?;
        let path = records.text("path").unwrap_or_default();
        match records.text("type").as_deref() {
            Some("absent") => {
                return Err(Failure::new(format!("{path} does not exist on the node")));
            }
            Some("directory") => {
                return Err(Failure::new(format!(
                    "{path} is a directory on the node, not a file"
                )));
            }
            _ => {}
        }
        let bytes = records.bytes("content").unwrap_or_default();
        // What an answer may have at most holds for a file that is said to be empty.
        let size = announced::size(&records)?;
        announced::check(bytes, size, u64::MAX, &self.src, context.host)?;
        let content = STANDARD.encode(bytes);
        Ok(Outcome::ok()
            .with("content", content)
            .with("encoding", "base64")
            .with("source", path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::fake::{self, CHECK, FakeController, run};
    use crate::host::Host;

    #[tokio::test]
    async fn bytes_come_back_in_one_trip() {
        for shell in fake::shells().into_iter().chain([fake::posix()]) {
            let control = FakeController::new("/");
            let large = vec![7; 200_000];
            for bytes in [b"".as_slice(), b"a\0\xff\ncontent -\n", &large] {
                fs::write(shell.at("it's"), bytes).unwrap();
                let arguments = json!({"src": shell.at("it's")});
                let outcome = run::<SlurpArgs>(&shell, &control, CHECK, arguments)
                    .await
                    .unwrap();
                let content = outcome.data["content"].as_str().unwrap();
                assert_eq!(STANDARD.decode(content).unwrap(), bytes, "{}", shell.name());
                assert_eq!(outcome.data["encoding"], "base64");
                assert_eq!(outcome.data["source"], shell.at("it's"));
            }
            assert_eq!(shell.trips(), 3);
            for (path, words) in [
                ("/none", "does not exist"),
                ("/etc", "is a directory"),
                ("/dev/null", "is a char"),
            ] {
                let failure = run::<SlurpArgs>(&shell, &control, CHECK, json!({"path": path}))
                    .await
                    .unwrap_err();
                assert!(failure.message.contains(words), "{}", failure.message);
            }
        }
    }

    #[tokio::test]
    async fn no_more_is_taken_than_was_announced() {
        for (size, length, fine) in [(10, 10, true), (10, 11, false), (0, 4096, true)] {
            let bytes = "x".repeat(length);
            let answer = format!(
                "path 2\n/x\ntype 4\nfile\nsize {}\n{size}\nmode 4\n0644\ncontent -\n{bytes}",
                size.to_string().len(),
            );
            let host = fake::Fake::saying(&[&answer]);
            let control = FakeController::new("/");
            match run::<SlurpArgs>(&host, &control, CHECK, json!({"src": "/x"})).await {
                Ok(_) => assert!(fine, "{length} of {size}"),
                Err(failure) => {
                    assert!(!fine, "{length} of {size}: {failure:?}");
                    let said = format!("than the {size} bytes that it had announced");
                    assert!(failure.message.contains(&said), "{}", failure.message);
                }
            }
        }
    }
}
