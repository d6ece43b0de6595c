//! `template` under every shell: what it adds to `copy`.

use std::fs;

use serde_json::json;

use super::TemplateArgs;
use crate::controller::ControllerError;
use crate::fake::{self, CHECK, DIFF, FakeController, REAL, run};
use crate::host::Host;

#[tokio::test]
async fn what_is_rendered_is_written_in_one_trip() {
    for shell in fake::shells() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("templates")).unwrap();
        fs::write(
            folder.path().join("templates/x.cfg.j2"),
            "port {{ port }}\n",
        )
        .unwrap();
        let control = FakeController::new(folder.path())
            .rendering(|text, _| Ok(text.replace("{{ port }}", "6443")));
        let arguments = json!({"src": "x.cfg.j2", "dest": shell.at("x.cfg"), "mode": "0600",
            "validate": "grep -q 6443 %s"});
        assert!(
            run::<TemplateArgs>(&shell, &control, CHECK, arguments.clone())
                .await
                .unwrap()
                .changed
        );
        let outcome = run::<TemplateArgs>(&shell, &control, DIFF, arguments.clone())
            .await
            .unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.diff[0].after, "port 6443\n");
        assert!(outcome.diff[0].after_header.ends_with("templates/x.cfg.j2"));
        assert!(
            !run::<TemplateArgs>(&shell, &control, DIFF, arguments)
                .await
                .unwrap()
                .changed
        );
        assert_eq!(fs::read(shell.at("x.cfg")).unwrap(), b"port 6443\n");
        assert_eq!(shell.trips(), 3, "{}", shell.name());
    }
}

#[tokio::test]
async fn options_reach_the_renderer_and_the_result() {
    let shell = fake::shells().remove(0);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t"), "a\nb\n").unwrap();
    let control = FakeController::new(folder.path()).rendering(|text, options| {
        assert!(!options.trim_blocks && options.lstrip_blocks);
        let delimiters = options.delimiters.clone().unwrap();
        assert_eq!(delimiters, ["<%", "%}", "[[", "]]", "{#", "#}"]);
        Ok(text.to_owned())
    });
    let arguments = json!({"src": "t", "dest": format!("{}/", shell.at("")), "trim_blocks": false,
        "lstrip_blocks": true, "block_start_string": "<%", "variable_start_string": "[[",
        "variable_end_string": "]]", "newline_sequence": "\r\n"});
    let outcome = run::<TemplateArgs>(&shell, &control, REAL, arguments)
        .await
        .unwrap();
    assert_eq!(fs::read(shell.at("t")).unwrap(), b"a\r\nb\r\n");
    assert!(outcome.changed);
}

#[tokio::test]
async fn a_template_that_cannot_be_rendered_asks_nothing_of_the_node() {
    let shell = fake::shells().remove(0);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("t"), "{{ nope }}").unwrap();
    let control = FakeController::new(folder.path()).rendering(|_, _| {
        Err(ControllerError {
            message: "t:1: `nope` is undefined".to_owned(),
            hint: None,
        })
    });
    let arguments = json!({"src": "t", "dest": "/x"});
    let failure = run::<TemplateArgs>(&shell, &control, REAL, arguments)
        .await
        .unwrap_err();
    assert_eq!(failure.message, "t:1: `nope` is undefined");
    assert_eq!(shell.trips(), 0);
    let wrong = json!({"src": "t", "dest": "/x", "output_encoding": "latin-1"});
    let failure = run::<TemplateArgs>(&shell, &control, REAL, wrong)
        .await
        .unwrap_err();
    assert!(
        failure.message.contains("output_encoding"),
        "{}",
        failure.message
    );
    let missing = json!({"src": "none", "dest": "/x"});
    assert!(
        run::<TemplateArgs>(&shell, &control, REAL, missing)
            .await
            .is_err()
    );
    assert_eq!(shell.name(), "dash");
}
