//! Requests that go on while the link is lost, against a real sshd.
#![cfg(feature = "fleet")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use windlass::transport::{Become, Connection, Method, ProgressSink, TaskSettings, Transport};
use windlass_modules::host::{Host, HostError, Input, Reply, Script, Unreachable};
use windlass_tests::fleet::{Fleet, count_processes, own, until_gone, until_running};

fn connection(fleet: &Fleet, user: &str) -> Arc<Connection> {
    Arc::new(fleet.connection(user, 1))
}

fn transport(fleet: &Fleet) -> Transport {
    Transport::new(fleet.limits())
}

fn root() -> Become {
    Become {
        method: Method::Sudo,
        user: "root".to_owned(),
        password: None,
        flags: Vec::new(),
        executable: None,
    }
}

/// Runs `script`, and drops the connection under it once `word` is seen in a command line.
async fn run_and_lose(
    transport: &Transport,
    connection: &Arc<Connection>,
    host: &Arc<dyn Host>,
    script: Script,
    word: &str,
) -> Result<Reply, HostError> {
    // A shell that has answered, so that its process is known.
    host.run(Script::new(":")).await.expect("the host answers");
    let running = Arc::clone(host);
    let run = tokio::spawn(async move { running.run(script).await });
    until_running(word).await;
    transport.reset(connection).await;
    run.await.expect("the task ends")
}

#[tokio::test]
async fn the_result_is_collected_after_the_link_was_lost() {
    let fleet = Fleet::start();
    for (user, become_user) in [
        ("dash", None),
        ("dash", Some(root())),
        ("bash", None),
        ("bash", Some(root())),
        ("busybox", Some(root())),
    ] {
        for stream in [false, true] {
            let case = format!("{user} {} {stream}", become_user.is_some());
            let transport = transport(&fleet);
            let connection = connection(&fleet, user);
            let seen = Arc::new(Mutex::new(String::new()));
            let sink = Arc::clone(&seen);
            let progress: ProgressSink = Arc::new(move |_, bytes: &[u8]| {
                sink.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(bytes));
            });
            let task = TaskSettings {
                become_user: become_user.clone(),
                progress: Some(progress),
                ..TaskSettings::default()
            };
            let host = transport.host(&connection, task);
            let mut script = Script::new(own(
                "read -r x; echo one; sleep 3.PID51; echo two; echo err $x >&2; exit 7",
            ))
            .stdin(Input::Bytes(b"input\n".to_vec()))
            .durable();
            script.stream = stream;
            let reply =
                run_and_lose(&transport, &connection, &host, script, "sleep\x003.PID").await;
            let reply = reply.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            assert_eq!(reply.status, 7, "{case}");
            assert_eq!(reply.text(), "one\ntwo\n", "{case}");
            assert_eq!(reply.error_text(), "err input\n", "{case}");
            // Each stream in its order; nothing says which of the two comes first.
            let seen = seen.lock().unwrap().clone();
            let (errors, others): (Vec<&str>, Vec<&str>) =
                seen.lines().partition(|line| line.starts_with("err"));
            if stream {
                assert_eq!(others, ["one", "two"], "{case}");
                assert_eq!(errors, ["err input"], "{case}");
            } else {
                assert_eq!(seen, "", "{case}");
            }
            assert_eq!(transport.count_connects(), 2, "{case}");
            transport.reset(&connection).await;
        }
    }
    // The last shell may still be about it.
    for wait in 0.. {
        let all = std::fs::read_dir(fleet.tmp())
            .unwrap()
            .filter_map(Result::ok);
        let kept = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with(".windlass-");
        if all.filter(|entry| kept(&entry.file_name())).count() == 0 {
            break;
        }
        assert!(wait < 300, "folders of kept output stay behind");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_request_that_dies_with_its_shell_is_lost() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let connection = connection(&fleet, "dash");
    let host = transport.host(&connection, TaskSettings::default());
    // The shell is killed while nobody is there to see it.
    let source = own("(sleep 2.PID52; kill -KILL $$) & sleep 4.PID53; echo survived");
    let script = Script::new(source).durable();
    let error = run_and_lose(&transport, &connection, &host, script, "sleep\x004.PID")
        .await
        .unwrap_err();
    assert!(
        matches!(
            &error,
            HostError::Unreachable {
                kind: Unreachable::Lost,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_time_limit_holds_on_the_host_while_the_link_is_lost() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let connection = connection(&fleet, "dash");
    let task = TaskSettings {
        limit: Some(Duration::from_secs(2)),
        ..TaskSettings::default()
    };
    let host = transport.host(&connection, task);
    let script = Script::new(own("echo so far; sleep 44.PID1; echo no")).durable();
    let error = run_and_lose(&transport, &connection, &host, script, "sleep\x0044.PID")
        .await
        .unwrap_err();
    let HostError::TimedOut { so_far, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(so_far.text(), "so far\n");
    assert_eq!(count_processes("sleep\x0044.PID"), 0);
}

#[tokio::test]
async fn a_host_that_stays_away_is_given_up_when_its_request_must_be_over() {
    let mut fleet = Fleet::start();
    let transport = transport(&fleet);
    let connection = connection(&fleet, "dash");
    let task = TaskSettings {
        limit: Some(Duration::from_secs(2)),
        ..TaskSettings::default()
    };
    let host = transport.host(&connection, task);
    host.run(Script::new(":")).await.unwrap();
    let running = Arc::clone(&host);
    let script = Script::new(own("sleep 46.PID1; :")).durable();
    let run = tokio::spawn(async move { running.run(script).await });
    until_running("sleep\x0046.PID").await;
    fleet.stop();
    transport.reset(&connection).await;
    // 27 s after its beginning; without a limit it would be five minutes.
    let error = tokio::time::timeout(Duration::from_secs(120), run).await;
    let error = error.expect("it is given up").unwrap().unwrap_err();
    assert!(matches!(&error, HostError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_interrupt_reaches_a_request_whose_link_was_lost() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let connection = connection(&fleet, "dash");
    let (interrupt, interrupted) = tokio::sync::watch::channel(false);
    let task = TaskSettings {
        interrupted,
        ..TaskSettings::default()
    };
    let host = transport.host(&connection, task);
    host.run(Script::new(":")).await.unwrap();
    let running = Arc::clone(&host);
    let run = tokio::spawn(async move {
        running
            .run(Script::new(own("sleep 45.PID1; :")).durable())
            .await
    });
    until_running("sleep\x0045.PID").await;
    transport.reset(&connection).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(count_processes("sleep\x0045.PID"), 1);
    interrupt.send(true).unwrap();
    assert!(matches!(run.await.unwrap(), Err(HostError::Interrupted)));
    assert_eq!(count_processes("sleep\x0045.PID"), 0);
}

#[tokio::test]
async fn input_that_is_cut_off_is_not_taken_for_the_whole() {
    let fleet = Fleet::start();
    let file = fleet.dir().join("large");
    std::fs::write(&file, vec![b'x'; 200 << 20]).unwrap();
    for (user, durable) in [("dash", false), ("busybox", false), ("bash", true)] {
        let transport = transport(&fleet);
        let connection = connection(&fleet, user);
        let host = transport.host(&connection, TaskSettings::default());
        let to = fleet.dir().join("home").join(user).join("to");
        // A slow reader, so that the link is lost in the middle.
        let source =
            own("sh -c 'head -c 1000000 >/dev/null; sleep 6.PID54; cat >to.PID' && mv to.PID to");
        let mut script = Script::new(source).stdin(Input::File(file.clone()));
        script.durable = durable;
        let error = run_and_lose(&transport, &connection, &host, script, "sleep\x006.PID").await;
        let error = error.unwrap_err();
        assert!(
            matches!(
                &error,
                HostError::Unreachable {
                    kind: Unreachable::Lost,
                    ..
                }
            ),
            "{error:?}"
        );
        until_gone("cat >to.PID").await;
        let size = std::fs::metadata(&to).map(|found| found.len());
        assert!(
            size.is_err(),
            "{user}: a part of {size:?} was taken for the whole"
        );
        transport.reset(&connection).await;
    }
}

#[tokio::test]
async fn the_end_of_sshds_own_process_is_a_lost_link() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let host = transport.host(&connection(&fleet, "dash"), TaskSettings::default());
    host.run(Script::new(":")).await.unwrap();
    // The parent of the host's shell is the sshd process of this connection.
    let script = Script::new("echo before; kill -KILL $PPID; sleep 1; echo after");
    let reply = host.run(script.clone().durable()).await.unwrap();
    assert_eq!(reply.text(), "before\nafter\n");
    let error = host.run(script).await.unwrap_err();
    assert!(
        matches!(
            &error,
            HostError::Unreachable {
                kind: Unreachable::Lost,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(
        host.run(Script::new("echo on")).await.unwrap().text(),
        "on\n"
    );
}
