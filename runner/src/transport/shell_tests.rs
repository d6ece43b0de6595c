//! The protocol, over shells of the control host.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use windlass_modules::host::{Host, HostError, Input, Output, Script};
use windlass_modules::kit::Part;
use windlass_modules::secret::Secret;
use windlass_modules::transcript::{Bounds, Full};

use super::test_shells::SHELLS;
use super::*;

fn local() -> Arc<Connection> {
    Arc::new(Connection {
        name: "here".to_owned(),
        kind: ConnectionKind::Local,
    })
}

fn transport(sh: &'static [&'static str]) -> Transport {
    Transport::with_local_shell(Limits::default(), sh, pool::FOR_LOCAL)
}

/// Runs `test` under each shell with a host of its own.
async fn under_each_shell<F, R>(task: TaskSettings, test: F)
where
    F: Fn(&'static [&'static str], Transport, Arc<dyn Host>) -> R,
    R: Future<Output = ()>,
{
    for sh in SHELLS.iter() {
        let transport = transport(sh);
        let host = transport.host(&local(), task.clone());
        test(sh, transport, host).await;
    }
}

fn bytes_of_all_kinds() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    bytes.extend_from_slice(b"\x1e0123456789abcdef0123456789abcdefe0\n\x1e");
    bytes
}

#[tokio::test]
async fn status_and_both_streams_come_back_apart() {
    under_each_shell(TaskSettings::default(), |sh, _, host| async move {
        let script = Script::new("echo out; printf 'err \\303\\251' >&2; exit 7");
        let reply = host.run(script).await.unwrap();
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (7, "out\n"),
            "{sh:?}"
        );
        assert_eq!(reply.error_text(), "err é", "{sh:?}");
    })
    .await;
}

#[tokio::test]
async fn every_byte_of_the_source_arrives() {
    under_each_shell(TaskSettings::default(), |sh, _, host| async move {
        let text: String = ('\u{1}'..='\u{2ff}').filter(|c| *c != '\'').collect();
        let reply = host
            .run(Script::new(format!("printf %s '{text}'")))
            .await
            .unwrap();
        assert_eq!(reply.text(), text, "{sh:?}");
    })
    .await;
}

#[tokio::test]
async fn requests_do_not_share_state_and_cost_one_round_trip_each() {
    under_each_shell(TaskSettings::default(), |sh, transport, host| async move {
        host.run(Script::new("a=1; cd /; set -eu; umask 077; exit 0"))
            .await
            .unwrap();
        host.run(Script::new("echo $$; if")).await.unwrap();
        let reply = host
            .run(Script::new("echo \"[$a$#]\"; pwd; umask"))
            .await
            .unwrap();
        let here = std::env::current_dir().unwrap();
        assert!(
            reply
                .text()
                .starts_with(&format!("[0]\n{}\n", here.display())),
            "{sh:?} {reply:?}"
        );
        assert_eq!(transport.count_round_trips(), 3, "{sh:?}");
    })
    .await;
}

#[tokio::test]
async fn input_is_safe_for_every_byte_and_exact() {
    under_each_shell(TaskSettings::default(), |sh, transport, host| async move {
        for length in [1, 4096, 10_000, 65_536, 65_537, 131_072, 300_000] {
            let bytes: Vec<u8> = bytes_of_all_kinds()
                .into_iter()
                .cycle()
                .take(length)
                .collect();
            let script = Script::new("cat").stdin(Input::Bytes(bytes.clone()));
            let reply = host.run(script).await.unwrap();
            assert!(reply.stdout == bytes, "{sh:?} {length}");
        }
        assert_eq!(transport.count_round_trips(), 7, "{sh:?}");
        assert_eq!(
            host.run(Script::new("cat; echo end")).await.unwrap().text(),
            "end\n"
        );
    })
    .await;
}

#[tokio::test]
async fn input_that_is_not_read_disturbs_nothing() {
    under_each_shell(TaskSettings::default(), |sh, _, host| async move {
        for length in [5, 60_000, 65_536, 1 << 20, 4 << 20] {
            for source in [
                "exit 3",
                "exec true",
                "head -c 2 >/dev/null",
                ":",
                "kill -9 $$x; exec 0</dev/null",
            ] {
                let bytes: Vec<u8> = bytes_of_all_kinds()
                    .into_iter()
                    .cycle()
                    .take(length)
                    .collect();
                let script = Script::new(source).stdin(Input::Bytes(bytes));
                let reply = host.run(script).await.unwrap();
                if source == "exit 3" {
                    assert_eq!(reply.status, 3, "{sh:?} {length}");
                }
                let reply = host.run(Script::new("echo well")).await.unwrap();
                assert_eq!(reply.text(), "well\n", "{sh:?} {length} {source}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn environment_and_secrets_arrive_in_the_request() {
    let task = TaskSettings {
        environment: vec![("A_B".to_owned(), "it's\n$x \\ é".to_owned())],
        ..TaskSettings::default()
    };
    under_each_shell(task, |sh, _, host| async move {
        let script = Script::new("sh -c 'printf %s \"$A_B\"'; read -r s; printf '%s' \"$s\" >&2")
            .stdin(Input::Secret(Secret::new("pass\n")));
        let reply = host.run(script).await.unwrap();
        assert_eq!(reply.text(), "it's\n$x \\ é", "{sh:?}");
        assert_eq!(reply.error_text(), "pass", "{sh:?}");
    })
    .await;
}

#[tokio::test]
async fn a_bad_variable_name_is_an_error_here() {
    let task = TaskSettings {
        environment: vec![("A;reboot".to_owned(), String::new())],
        ..TaskSettings::default()
    };
    let host = transport(&["sh"]).host(&local(), task);
    let error = host.run(Script::new(":")).await.unwrap_err();
    assert!(matches!(error, HostError::Local { .. }), "{error}");
}

static ONE: Part = Part {
    name: "one",
    source: "one() { echo \"one$1\"; }",
    needs: &[],
};
static PARTS: &[Part] = &[Part {
    name: "two",
    source: "# a comment\ntwo() {\n\tone 2\n}\n",
    needs: &[&ONE],
}];

#[tokio::test]
async fn parts_of_the_kit_come_with_what_they_need_once() {
    under_each_shell(TaskSettings::default(), |sh, transport, host| async move {
        for _ in 0..2 {
            let reply = host.run(Script::new("two").parts(PARTS)).await.unwrap();
            assert_eq!(reply.text(), "one2\n", "{sh:?} {reply:?}");
        }
        assert_eq!(transport.count_round_trips(), 2, "{sh:?}");
    })
    .await;
}

#[tokio::test]
async fn late_words_of_an_earlier_request_are_not_the_next_ones() {
    under_each_shell(TaskSettings::default(), |sh, _, host| async move {
        host.run(Script::new("{ sleep 0.1; echo late; echo late >&2; } &"))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let reply = host.run(Script::new("echo mine")).await.unwrap();
        assert_eq!(
            (reply.text().as_str(), reply.error_text().as_str()),
            ("mine\n", ""),
            "{sh:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_time_limit_ends_all_processes_of_the_request_and_no_others() {
    let task = TaskSettings {
        limit: Some(Duration::from_secs(1)),
        ..TaskSettings::default()
    };
    under_each_shell(task, |sh, _, host| async move {
        let before = host.run(Script::new(own("sleep 33.PID1 & echo $!"))).await.unwrap();
        let before: i32 = before.text().trim().parse().unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let source = own("trap '' TERM; echo so far; (trap '' TERM; sleep 340.PID1 & sleep 340.PID2) & sleep 340.PID3; echo no");
        let begin = Instant::now();
        let error = host.run(Script::new(source)).await.unwrap_err();
        let HostError::TimedOut { so_far, .. } = &error else { panic!("{sh:?} {error:?}") };
        assert_eq!(so_far.text(), "so far\n", "{sh:?}");
        assert!(begin.elapsed() < Duration::from_secs(120), "{sh:?} {:?}", begin.elapsed());
        // Killed they are by now; on a busy machine it takes a moment until they are gone.
        while processes("sleep\x00340.PID") > 0 {
            assert!(begin.elapsed() < Duration::from_secs(120), "{sh:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(std::path::Path::new(&format!("/proc/{before}")).exists(), "{sh:?}");
        let reply = host.run(Script::new(format!("kill {before}; echo on"))).await.unwrap();
        assert_eq!(reply.text(), "on\n", "{sh:?}");
    })
    .await;
}

/// `text` with a number in place of `PID` that no other test run on this machine has.
fn own(text: &str) -> String {
    text.replace("PID", &format!("{:010}", std::process::id()))
}

/// How many processes have `words` in their command line.
fn processes(words: &str) -> usize {
    let words = &own(words);
    let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    all.filter(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(words))
    })
    .count()
}

#[tokio::test]
async fn an_interrupt_ends_the_request() {
    for sh in SHELLS.iter() {
        let (interrupt, interrupted) = watch::channel(false);
        let task = TaskSettings {
            interrupted,
            ..TaskSettings::default()
        };
        let host = transport(sh).host(&local(), task);
        let run =
            tokio::spawn(async move { host.run(Script::new(own("sleep 35.PID1; echo no"))).await });
        while processes("sleep\x0035.PID") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        interrupt.send(true).unwrap();
        assert!(
            matches!(run.await.unwrap(), Err(HostError::Interrupted)),
            "{sh:?}"
        );
        assert_eq!(processes("sleep\x0035.PID"), 0, "{sh:?}");
    }
}

#[tokio::test]
async fn too_much_output_ends_the_request() {
    under_each_shell(TaskSettings::default(), |sh, _, host| async move {
        let error = host
            .run(Script::new(own("yes '36.PID and so on'")).answer(1 << 20))
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                HostError::TooMuchOutput {
                    full: Full::Answer(1_048_576)
                }
            ),
            "{sh:?} {error:?}"
        );
        assert_eq!(processes("yes\x0036.PID"), 0, "{sh:?}");
        assert_eq!(
            host.run(Script::new("echo on")).await.unwrap().text(),
            "on\n",
            "{sh:?}"
        );
    })
    .await;
}

/// A new file for a request's output, of which `size` bytes were announced.
fn file_for(path: &std::path::Path, size: u64) -> Output {
    let file = Arc::new(std::fs::File::create(path).unwrap());
    Output::File { file, size }
}

#[tokio::test]
async fn output_that_is_kept_goes_to_a_file_and_then_ends_the_request() {
    for sh in SHELLS.iter() {
        let output = Bounds {
            memory: 1 << 20,
            disk: 8 << 20,
        };
        let limits = Limits {
            output,
            ..Limits::default()
        };
        let transport = Transport::with_local_shell(limits, sh, pool::FOR_LOCAL);
        let host = transport.host(&local(), TaskSettings::default());
        let lines = |count: usize, word: &str| {
            Script::new(own(&format!("yes '{word}.PID' | head -n {count}"))).kept()
        };
        let small = host.run(lines(10, "37")).await.unwrap();
        assert!(small.stdout.in_memory().is_some());
        let large = host.run(lines(500_000, "38")).await.unwrap();
        assert!(large.stdout.in_memory().is_none(), "{sh:?}");
        assert!(transport.ledger().drawn().1 > 2 << 20, "{sh:?}");
        let transcript = large.stdout.transcript(true);
        assert_eq!(transcript.lines().count(), Ok(500_000));
        let error = host.run(lines(1_000_000_000, "40")).await.unwrap_err();
        assert!(
            matches!(&error, HostError::TooMuchOutput { full: Full::Disk(limit) } if *limit == 8 << 20),
            "{sh:?} {error:?}"
        );
        assert_eq!(processes("yes\x0040.PID"), 0, "{sh:?}");
        drop((small, transcript));
        assert_eq!(transport.ledger().drawn(), (0, 0), "{sh:?}");
        assert_eq!(
            host.run(Script::new("echo on")).await.unwrap().text(),
            "on\n"
        );
    }
}

#[tokio::test]
async fn output_for_a_file_may_be_as_large_as_was_announced() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    let bytes: Vec<u8> = bytes_of_all_kinds()
        .into_iter()
        .cycle()
        .take(5 << 20)
        .collect();
    std::fs::write(&from, &bytes).unwrap();
    for sh in SHELLS.iter() {
        let host = transport(sh).host(&local(), TaskSettings::default());
        let mut script = Script::new("cat").stdin(Input::File(from.clone()));
        script.stdout = file_for(&to, 5 << 20);
        assert_eq!(host.run(script).await.unwrap().status, 0);
        assert!(std::fs::read(&to).unwrap() == bytes, "{sh:?}");
        std::fs::remove_file(&to).unwrap();
    }
}

#[tokio::test]
async fn no_more_lands_in_a_file_than_was_announced_and_the_sender_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    under_each_shell(TaskSettings::default(), |sh, _, host| {
        let to = dir.path().join("to");
        async move {
            let mut script = Script::new(own("yes '39.PID and so on'"));
            script.stdout = file_for(&to, 100_000);
            let error = host.run(script).await.unwrap_err();
            assert!(
                matches!(error, HostError::MoreThanAnnounced { announced: 100_000 }),
                "{sh:?} {error:?}"
            );
            assert!(std::fs::metadata(&to).unwrap().len() <= 100_000, "{sh:?}");
            assert_eq!(processes("yes\x0039.PID"), 0, "{sh:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_larger_than_the_bound_is_not_even_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        max_transfer: 1000,
        ..Limits::default()
    };
    let transport = Transport::new(limits);
    let host = transport.host(&local(), TaskSettings::default());
    let mut script = Script::new("echo asked");
    script.stdout = file_for(&dir.path().join("to"), 1001);
    let error = host.run(script).await.unwrap_err();
    assert!(
        matches!(
            error,
            HostError::TooLarge {
                announced: 1001,
                limit: 1000
            }
        ),
        "{error:?}"
    );
    assert_eq!(transport.count_round_trips(), 0);
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_sent_is_sent_as_it_was_and_one_that_shrinks_is_an_error() {
    use std::io::Write;
    const LENGTH: usize = 20 << 20;
    let dir = tempfile::tempdir().unwrap();
    for (sh, grows) in SHELLS.iter().flat_map(|sh| [(sh, true), (sh, false)]) {
        let path = dir.path().join("file");
        let waits = dir.path().join("waits");
        let _ = std::fs::remove_file(&waits);
        std::fs::write(&path, vec![b'x'; LENGTH]).unwrap();
        let host = transport(sh).host(&local(), TaskSettings::default());
        let source = format!(
            "head -c 1 >/dev/null; : >{0}; sleep 1; wc -c",
            waits.display()
        );
        let script = Script::new(source).stdin(Input::File(path.clone()));
        let run = tokio::spawn(async move { host.run(script).await });
        while !waits.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut file = std::fs::File::options().append(true).open(&path).unwrap();
        if grows {
            file.write_all(&vec![b'y'; 1 << 20]).unwrap();
        } else {
            file.set_len(1 << 20).unwrap();
        }
        let reply = run.await.unwrap();
        if grows {
            // What `head` read ahead is not counted.
            let counted: usize = reply.unwrap().text().trim().parse().unwrap();
            assert!(
                (LENGTH - 65_536..LENGTH).contains(&counted),
                "{sh:?} {counted}"
            );
        } else {
            assert!(reply.is_err(), "{sh:?}: a part was taken for the whole");
        }
    }
}

#[tokio::test]
async fn streamed_lines_show_while_the_script_runs() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let progress: ProgressSink = Arc::new(move |stream, bytes: &[u8]| {
        sink.lock()
            .unwrap()
            .push((stream, bytes.to_vec(), Instant::now()));
    });
    let task = TaskSettings {
        progress: Some(progress),
        ..TaskSettings::default()
    };
    let host = transport(&["sh"]).host(&local(), task);
    host.run(Script::new("echo unseen")).await.unwrap();
    let reply = host
        .run(Script::new("echo a; sleep 0.5; echo b >&2").stream())
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].0, seen[0].1.as_slice()),
        (Stream::Stdout, &b"a\n"[..])
    );
    assert_eq!(
        (seen[1].0, seen[1].1.as_slice()),
        (Stream::Stderr, &b"b\n"[..])
    );
    assert!(seen[1].2 - seen[0].2 > Duration::from_millis(300));
    assert_eq!(
        (reply.text().as_str(), reply.error_text().as_str()),
        ("a\n", "b\n")
    );
}

#[tokio::test]
async fn requests_at_once_each_have_a_shell() {
    let host = transport(&["sh"]).host(&local(), TaskSettings::default());
    let begin = Instant::now();
    let all = (0..8).map(|n| {
        let host = Arc::clone(&host);
        async move {
            host.run(Script::new(format!("sleep 0.5; echo {n}")))
                .await
                .unwrap()
                .text()
        }
    });
    let all = futures::future::join_all(all).await;
    assert_eq!(all.concat(), "0\n1\n2\n3\n4\n5\n6\n7\n");
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_shell_that_is_killed_is_an_error_once() {
    under_each_shell(TaskSettings::default(), |sh, _, host| async move {
        let error = host
            .run(Script::new("kill -9 $$; sleep 0.1"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HostError::Unreachable { .. }),
            "{sh:?} {error:?}"
        );
        assert_eq!(
            host.run(Script::new("echo on")).await.unwrap().text(),
            "on\n",
            "{sh:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_durable_request_gives_the_same_answer_and_leaves_nothing() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let progress: ProgressSink = Arc::new(move |_, bytes: &[u8]| {
        sink.lock().unwrap().extend_from_slice(bytes);
    });
    let task = TaskSettings {
        progress: Some(progress),
        ..TaskSettings::default()
    };
    under_each_shell(task, |sh, transport, host| {
        let seen = Arc::clone(&seen);
        async move {
            let bytes = bytes_of_all_kinds();
            for stream in [false, true] {
                seen.lock().unwrap().clear();
                // One byte at a time, so that what follows is there for `cat`: not every `head` reads only what
                // it is told to, and nobody can give back to a pipe what was read too much.
                let source = "dd bs=1 count=5000 2>/dev/null; sleep 0.5; cat; echo err >&2; exit 9";
                let mut script = Script::new(source)
                    .stdin(Input::Bytes(bytes.clone()))
                    .durable();
                script.stream = stream;
                let reply = host.run(script).await.unwrap();
                assert_eq!(reply.status, 9, "{sh:?}");
                assert!(reply.stdout == bytes, "{sh:?}");
                assert_eq!(reply.error_text(), "err\n", "{sh:?}");
                let expected = if stream { bytes.len() + 4 } else { 0 };
                assert_eq!(seen.lock().unwrap().len(), expected, "{sh:?}");
                let reply = host
                    .run(Script::new("cat; exit 1").durable())
                    .await
                    .unwrap();
                assert_eq!((reply.status, reply.stdout.bytes().len()), (1, 0), "{sh:?}");
            }
            let reply = host
                .run(Script::new("echo \"$_w_dir\"; ls -ld \"$_w_dir\""))
                .await
                .unwrap();
            let text = reply.text();
            let (dir, listing) = text.split_once('\n').unwrap();
            assert!(listing.starts_with("drwx------"), "{sh:?} {listing}");
            transport.close();
            let begin = Instant::now();
            while std::path::Path::new(dir).exists() {
                assert!(
                    begin.elapsed() < Duration::from_secs(5),
                    "{sh:?} leaves {dir}"
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_durable_request_that_is_late_is_ended() {
    let task = TaskSettings {
        limit: Some(Duration::from_millis(500)),
        ..TaskSettings::default()
    };
    under_each_shell(task, |sh, _, host| async move {
        let script = Script::new(own("echo so far; sleep 37.PID1; :"))
            .durable()
            .stream();
        let error = host.run(script).await.unwrap_err();
        let HostError::TimedOut { so_far, .. } = &error else {
            panic!("{sh:?} {error:?}")
        };
        assert_eq!(so_far.text(), "so far\n", "{sh:?}");
        assert_eq!(processes("sleep\x0037.PID"), 0, "{sh:?}");
    })
    .await;
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_any_more_is_ended() {
    under_each_shell(TaskSettings::default(), |sh, _, host| async move {
        let waiting = host.run(Script::new(own("sleep 38.PID1; :")));
        assert!(
            tokio::time::timeout(Duration::from_millis(500), waiting)
                .await
                .is_err(),
            "{sh:?}"
        );
        let begin = Instant::now();
        while processes("sleep\x0038.PID") > 0 {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "{sh:?}: it runs on"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(
            host.run(Script::new("echo on")).await.unwrap().text(),
            "on\n",
            "{sh:?}"
        );
    })
    .await;
}

/// The modules' own tests run each script in a shell of its own; here they share one.
#[tokio::test]
async fn file_modules_work_over_one_long_lived_shell() {
    use serde_json::json;
    use windlass_modules::fake::{DIFF, FakeController, run};
    use windlass_modules::files::{copy::CopyArgs, file::FileArgs, lineinfile::LineInFileArgs};

    under_each_shell(TaskSettings::default(), |_, _, host| async move {
        let folder = tempfile::tempdir().unwrap();
        let control = FakeController::new(folder.path());
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("big"), vec![b'b'; 400_000]).unwrap();
        for round in 0..2 {
            let changes = [
                run::<FileArgs>(
                    &*host,
                    &control,
                    DIFF,
                    json!({"path": at("d/e"), "state": "directory"}),
                )
                .await,
                run::<CopyArgs>(
                    &*host,
                    &control,
                    DIFF,
                    json!({"content": "a\0b", "dest": at("d/x")}),
                )
                .await,
                run::<CopyArgs>(
                    &*host,
                    &control,
                    DIFF,
                    json!({"src": "big", "dest": at("d/")}),
                )
                .await,
                run::<LineInFileArgs>(
                    &*host,
                    &control,
                    DIFF,
                    json!({"path": at("d/x"), "line": "l"}),
                )
                .await,
                run::<LineInFileArgs>(
                    &*host,
                    &control,
                    DIFF,
                    json!({"path": at("d/y"), "line": "l", "create": true}),
                )
                .await,
            ];
            let changed: Vec<bool> = changes.map(|outcome| outcome.unwrap().changed).into();
            assert_eq!(changed, [round == 0, true, round == 0, true, round == 0]);
            let refused = json!({"content": "c", "dest": at("d/y"), "validate": "false %s"});
            let failure = run::<CopyArgs>(&*host, &control, DIFF, refused)
                .await
                .unwrap_err();
            assert!(failure.message.contains("refused"), "{}", failure.message);
            assert_eq!(std::fs::read(at("d/x")).unwrap(), b"a\0b\nl\n");
            assert_eq!(std::fs::read_dir(at("d")).unwrap().count(), 4);
        }
    })
    .await;
}

#[tokio::test]
async fn output_is_there_although_its_folder_was_deleted_meanwhile() {
    under_each_shell(TaskSettings::default(), |sh, _, host| async move {
        for stream in [false, true] {
            let source = "echo a; rm -rf \"$_w_dir\"; echo b; echo c >&2; exit 3";
            let mut script = Script::new(source).durable();
            script.stream = stream;
            let reply = host.run(script).await.unwrap();
            assert_eq!(
                (reply.status, reply.text(), reply.error_text()),
                (3, "a\nb\n".to_owned(), "c\n".to_owned()),
                "{sh:?} {stream}"
            );
            // The next request of this shell goes without.
            let reply = host.run(Script::new("echo on").durable()).await.unwrap();
            assert_eq!(reply.text(), "on\n", "{sh:?}");
        }
    })
    .await;
}
