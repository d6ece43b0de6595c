//! `blockinfile` under every shell: what a file of the node becomes. What lines become is tested in
//! `block`.

use std::fs;

use serde_json::json;

use super::BlockInFileArgs;
use crate::fake::{self, CHECK, DIFF, FakeController, REAL, run};
use crate::host::Host;

#[tokio::test]
async fn a_block_is_written_seen_and_removed() {
    for shell in fake::shells().into_iter().chain([fake::posix()]) {
        let control = FakeController::new("/");
        fs::write(shell.at("hosts"), "127.0.0.1 localhost").unwrap();
        let block = "10.0.0.1 cp1\n10.0.0.2 cp2 # 'q' \"ü\"\n";
        let mut arguments = json!({"path": shell.at("hosts"), "block": block,
            "marker": "# {mark} cluster", "marker_begin": "start"});
        let after = format!("127.0.0.1 localhost\n# start cluster\n{block}# END cluster\n");
        let checked = run::<BlockInFileArgs>(&shell, &control, CHECK, arguments.clone())
            .await
            .unwrap();
        assert!(checked.changed);
        let before = shell.trips();
        let first = run::<BlockInFileArgs>(&shell, &control, DIFF, arguments.clone())
            .await
            .unwrap();
        assert!(first.changed);
        assert_eq!(first.data["msg"], "Block inserted");
        for outcome in [&checked, &first] {
            assert_eq!(outcome.diff[0].before, "127.0.0.1 localhost");
            assert_eq!(outcome.diff[0].after, after);
        }
        assert_eq!(fs::read_to_string(shell.at("hosts")).unwrap(), after);
        let second = run::<BlockInFileArgs>(&shell, &control, DIFF, arguments.clone())
            .await
            .unwrap();
        assert!(!second.changed);
        assert_eq!(shell.trips(), before + 3, "{}", shell.name());
        arguments["state"] = json!("absent");
        let third = run::<BlockInFileArgs>(&shell, &control, REAL, arguments)
            .await
            .unwrap();
        assert_eq!(third.data["msg"], "Block removed");
        assert_eq!(
            fs::read(shell.at("hosts")).unwrap(),
            b"127.0.0.1 localhost\n"
        );
    }
}

#[tokio::test]
async fn a_file_is_created_only_when_asked_and_markers_must_differ() {
    let shell = fake::shells().remove(0);
    let control = FakeController::new("/");
    let mut arguments = json!({"path": shell.at("x"), "block": "a"});
    let failure = run::<BlockInFileArgs>(&shell, &control, REAL, arguments.clone())
        .await
        .unwrap_err();
    assert!(failure.message.ends_with("x does not exist on the node"));
    arguments["create"] = json!(true);
    assert!(
        run::<BlockInFileArgs>(&shell, &control, REAL, arguments.clone())
            .await
            .unwrap()
            .changed
    );
    assert_eq!(
        fs::read_to_string(shell.at("x")).unwrap(),
        "# BEGIN ANSIBLE MANAGED BLOCK\na\n# END ANSIBLE MANAGED BLOCK\n"
    );
    arguments["marker"] = json!("# managed");
    let failure = run::<BlockInFileArgs>(&shell, &control, REAL, arguments)
        .await
        .unwrap_err();
    assert!(
        failure.message.contains("put {mark} into `marker`"),
        "{}",
        failure.message
    );
}
