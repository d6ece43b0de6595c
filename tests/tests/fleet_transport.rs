//! The transport against a real sshd and sudo.
#![cfg(feature = "fleet")]

use std::sync::Arc;
use std::time::Duration;

use windlass::transport::*;
use windlass_modules::host::{Host, HostError, Input, Script, Unreachable};
use windlass_modules::secret::Secret;
use windlass_tests::fleet::{Fleet, PASSWORD, Settings, count_processes, own, until_running};

fn transport(fleet: &Fleet) -> Transport {
    Transport::new(fleet.limits())
}

fn sudo(password: Option<&str>) -> TaskSettings {
    let user = Become {
        method: Method::Sudo,
        user: "root".to_owned(),
        password: password.map(Secret::new),
        flags: Vec::new(),
        executable: None,
    };
    TaskSettings {
        become_user: Some(user),
        ..TaskSettings::default()
    }
}

async fn text(host: &Arc<dyn Host>, source: &str) -> String {
    host.run(Script::new(source))
        .await
        .expect("the host answers")
        .text()
}

#[tokio::test]
async fn each_login_shell_serves_with_and_without_sudo() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    for user in ["dash", "bash", "busybox", "noisy", "readonly"] {
        let connection = Arc::new(fleet.connection(user, 1));
        let host = transport.host(&connection, TaskSettings::default());
        assert_eq!(text(&host, "id -un").await, format!("{user}\n"));
        let root = transport.host(&connection, sudo(None));
        assert_eq!(
            text(&root, "id -un; echo $HOME").await,
            "root\n/root\n",
            "{user}"
        );
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        for host in [host, root] {
            let script = Script::new("cat; echo err >&2").stdin(Input::Bytes(bytes.clone()));
            let reply = host.run(script).await.unwrap();
            assert!(reply.stdout == bytes, "{user}");
            assert_eq!(reply.error_text(), "err\n", "{user}");
        }
    }
    assert_eq!(transport.count_connects(), 5);
    assert_eq!(transport.count_round_trips(), 20);
}

/// The kind, message and hint of a host that is out of the run.
async fn unreachable(
    transport: &Transport,
    connection: Connection,
) -> (Unreachable, String, String) {
    let host = transport.host(&Arc::new(connection), TaskSettings::default());
    match host.run(Script::new(":")).await {
        Err(HostError::Unreachable {
            kind,
            message,
            hint,
        }) => (kind, message, hint),
        other => panic!("{other:?}"),
    }
}

fn ssh(connection: &mut Connection) -> &mut SshSettings {
    match &mut connection.kind {
        ConnectionKind::Ssh(settings) => settings,
        ConnectionKind::Local => panic!("not ssh"),
    }
}

#[tokio::test]
async fn each_way_to_be_unreachable_says_what_and_what_to_do() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);

    let mut refused = fleet.connection("dash", 1);
    ssh(&mut refused).port = Some(1);
    let (kind, message, hint) = unreachable(&transport, refused).await;
    assert_eq!(kind, Unreachable::Refused);
    assert!(
        message.contains("node1 (127.0.1.2:1)") && message.contains("refused"),
        "{message}"
    );
    assert!(hint.contains("listens on port 1"), "{hint}");

    let mut changed = fleet.connection("dash", 2);
    ssh(&mut changed).common_args = Fleet::ssh_arguments(&fleet.wrong_hosts());
    let (kind, _, hint) = unreachable(&transport, changed).await;
    assert_eq!(kind, Unreachable::HostKeyChanged);
    assert!(
        hint.contains(&format!(
            "ssh-keygen -f {} -R '[127.0.1.3]:{}'",
            fleet.wrong_hosts().display(),
            fleet.port()
        )),
        "{hint}"
    );

    let nowhere = fleet.dir().join("nowhere");
    let mut unknown = fleet.connection("dash", 3);
    ssh(&mut unknown).common_args = Fleet::ssh_arguments(&nowhere);
    let (kind, _, hint) = unreachable(&transport, unknown).await;
    assert_eq!(kind, Unreachable::HostKeyUnknown);
    assert!(
        hint.contains(&format!("ssh-keyscan -p {} 127.0.1.4", fleet.port())),
        "{hint}"
    );

    let mut key = fleet.connection("dash", 4);
    ssh(&mut key).private_key_file = Some(fleet.wrong_key());
    let (kind, message, _) = unreachable(&transport, key).await;
    assert_eq!(kind, Unreachable::Authentication);
    assert!(message.contains("Permission denied"), "{message}");

    let mut name = fleet.connection("dash", 5);
    ssh(&mut name).address = "no-such-host.invalid".to_owned();
    assert_eq!(
        unreachable(&transport, name).await.0,
        Unreachable::UnknownName
    );

    let silent = std::net::TcpListener::bind((Fleet::address(5), 0)).unwrap();
    let mut mute = fleet.connection("dash", 5);
    ssh(&mut mute).port = Some(silent.local_addr().unwrap().port());
    ssh(&mut mute).connect_timeout = Duration::from_secs(1);
    assert_eq!(unreachable(&transport, mute).await.0, Unreachable::NoAnswer);

    let (kind, message, _) = unreachable(&transport, fleet.connection("nologin", 6)).await;
    assert_eq!(kind, Unreachable::NoShell);
    assert!(message.contains("not available"), "{message}");

    let mut missing = fleet.limits();
    missing.ssh_executable = "/nonexistent/ssh".into();
    let host = Transport::new(missing).host(
        &Arc::new(fleet.connection("dash", 7)),
        TaskSettings::default(),
    );
    assert!(matches!(
        host.run(Script::new(":")).await,
        Err(HostError::Local { .. })
    ));
}

#[tokio::test]
async fn unknown_host_keys_are_accepted_where_that_was_chosen() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let record = fleet.dir().join("record");
    for choice in [HostKeys::AcceptNew, HostKeys::Off] {
        let mut new = fleet.connection("dash", 1);
        ssh(&mut new).common_args = Fleet::ssh_arguments(&record);
        ssh(&mut new).host_keys = choice;
        let host = transport.host(&Arc::new(new), TaskSettings::default());
        assert_eq!(text(&host, "echo in").await, "in\n");
    }
    let mut changed = fleet.connection("dash", 2);
    ssh(&mut changed).common_args = Fleet::ssh_arguments(&fleet.wrong_hosts());
    ssh(&mut changed).host_keys = HostKeys::AcceptNew;
    assert_eq!(
        unreachable(&transport, changed).await.0,
        Unreachable::HostKeyChanged
    );
}

#[tokio::test]
async fn a_login_password_goes_to_ssh_by_a_pipe() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    for (password, right) in [(PASSWORD, true), ("wrong", false)] {
        let mut connection = fleet.connection("asks", 1);
        ssh(&mut connection).private_key_file = Some(fleet.wrong_key());
        ssh(&mut connection).password = Some(Secret::new(password));
        if right {
            let host = transport.host(&Arc::new(connection), TaskSettings::default());
            assert_eq!(text(&host, "id -un").await, "asks\n");
            transport.reset(&transport_key(&fleet)).await;
        } else {
            ssh(&mut connection).address = Fleet::address(2);
            assert_eq!(
                unreachable(&transport, connection).await.0,
                Unreachable::Authentication
            );
        }
    }
    let left = std::fs::read_dir(fleet.runtime_dir().join("windlass")).unwrap();
    let pipes = left.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("answers")
    });
    assert_eq!(pipes.count(), 0);
}

fn transport_key(fleet: &Fleet) -> Connection {
    fleet.connection("asks", 1)
}

#[tokio::test]
async fn each_way_in_which_sudo_refuses_says_what_to_do() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let cases = [
        (
            "asks",
            None,
            "needs a password, and none was given",
            "-K or ansible_become_password",
        ),
        (
            "asks",
            Some("wrong"),
            "the password was not accepted",
            "check the password",
        ),
        (
            "plain",
            Some(PASSWORD),
            "the user may not do that",
            "allow it in sudoers",
        ),
        ("tty", None, "it requires a terminal", "requiretty"),
    ];
    for (user, password, what, todo) in cases {
        let connection = Arc::new(fleet.connection(user, 1));
        let host = transport.host(&connection, sudo(password));
        let Err(HostError::Become { message, hint, .. }) = host.run(Script::new(":")).await else {
            panic!("{user} became root")
        };
        assert!(
            message.contains(what) && message.contains("node1"),
            "{user}: {message}"
        );
        assert!(hint.contains(todo), "{user}: {hint}");
        assert!(!message.contains("wrong"), "{message}");
        // The host goes on for tasks without it.
        let host = transport.host(&connection, TaskSettings::default());
        assert_eq!(text(&host, "id -un").await, format!("{user}\n"));
    }
    let connection = Arc::new(fleet.connection("asks", 1));
    let host = transport.host(&connection, sudo(Some(PASSWORD)));
    assert_eq!(text(&host, "id -un").await, "root\n");
    // A password that is not needed does no harm.
    let connection = Arc::new(fleet.connection("dash", 2));
    let host = transport.host(&connection, sudo(Some("not needed")));
    assert_eq!(text(&host, "id -un").await, "root\n");

    let mut nobody = sudo(None);
    nobody.become_user.as_mut().unwrap().user = "who".to_owned();
    let mut missing = sudo(None);
    missing.become_user.as_mut().unwrap().executable = Some("no-sudo".to_owned());
    for (task, what) in [
        (nobody, "no such user"),
        (missing, "the program is not there"),
    ] {
        let host = transport.host(&connection, task);
        let error = host.run(Script::new(":")).await.unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[tokio::test]
async fn su_asks_for_the_other_users_password() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let connection = Arc::new(fleet.connection("dash", 1));
    for (password, right) in [
        (Some(PASSWORD), true),
        (Some("wrong"), false),
        (None, false),
    ] {
        let mut task = sudo(password);
        let user = task.become_user.as_mut().unwrap();
        (user.method, user.user) = (Method::Su, "plain".to_owned());
        let host = transport.host(&connection, task);
        match host.run(Script::new("id -un")).await {
            Ok(reply) => assert!(right && reply.text() == "plain\n", "{reply:?}"),
            Err(HostError::Become { message, .. }) => assert!(!right, "{message}"),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn many_tasks_on_one_host_queue_for_its_channels() {
    for max_sessions in [10, 3] {
        let fleet = Fleet::start_with(&Settings {
            max_sessions,
            ..Settings::default()
        });
        let transport = transport(&fleet);
        let connection = Arc::new(fleet.connection("dash", 1));
        let tasks = (0..20).map(|number| {
            let task = if number % 2 == 0 {
                TaskSettings::default()
            } else {
                sudo(None)
            };
            let host = transport.host(&connection, task);
            async move { text(&host, &format!("sleep 0.1; echo {number}")).await }
        });
        let all = futures::future::join_all(tasks).await;
        let expected: Vec<String> = (0..20).map(|number| format!("{number}\n")).collect();
        assert_eq!(all, expected, "MaxSessions {max_sessions}");
        assert_eq!(transport.count_connects(), 1);
    }
}

#[tokio::test]
async fn connections_that_sshd_drops_are_tried_again() {
    let fleet = Fleet::start_with(&Settings {
        max_startups: "2",
        ..Settings::default()
    });
    let transport = Transport::new(Limits {
        connects_at_once: 8,
        ..fleet.limits()
    });
    let hosts = (1..=12).map(|number| {
        let host = transport.host(
            &Arc::new(fleet.connection("dash", number)),
            TaskSettings::default(),
        );
        async move { text(&host, "echo in").await }
    });
    let all = futures::future::join_all(hosts).await;
    assert!(all.iter().all(|text| text == "in\n"));
    assert!(
        fleet.log().contains("MaxStartups"),
        "nothing was dropped: the test proves nothing"
    );
}

#[tokio::test]
async fn the_next_run_finds_the_master_and_a_stale_socket_is_no_trouble() {
    let fleet = Fleet::start();
    let connection = Arc::new(fleet.connection("dash", 1));
    for (run, connects) in [1, 0].into_iter().enumerate() {
        let transport = transport(&fleet);
        let host = transport.host(&connection, TaskSettings::default());
        assert_eq!(text(&host, "echo in").await, "in\n");
        assert_eq!(transport.count_connects(), connects, "run {run}");
        transport.close();
    }
    let sockets = fleet.runtime_dir().join("windlass");
    let mut files = std::fs::read_dir(&sockets)
        .unwrap()
        .map(|file| file.unwrap().path());
    // What is to be known of the master lies beside it.
    let socket = files.find(|path| path.extension().is_none()).unwrap();
    transport(&fleet).connect(&connection).await.unwrap();
    let ours = transport(&fleet);
    ours.connect(&connection).await.unwrap();
    ours.reset(&connection).await;
    assert!(!socket.exists());
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let host = ours.host(&connection, TaskSettings::default());
    assert_eq!(text(&host, "echo in").await, "in\n");
    assert_eq!(ours.count_connects(), 1);
}

#[tokio::test]
async fn large_input_and_output_pass_whole() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let bytes: Vec<u8> = (0..=255).cycle().take((64 << 20) - 1).collect();
    for user in ["dash", "busybox"] {
        let connection = Arc::new(fleet.connection(user, 1));
        let host = transport.host(&connection, TaskSettings::default());
        let script = Script::new("cat")
            .stdin(Input::Bytes(bytes.clone()))
            .answer(bytes.len());
        let reply = host.run(script).await.unwrap();
        assert!(reply.stdout == bytes, "{user}");
    }
}

#[tokio::test]
async fn a_time_limit_ends_everything_on_the_host_under_sudo_too() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    for user in ["dash", "bash", "busybox"] {
        let connection = Arc::new(fleet.connection(user, 1));
        for become_root in [false, true] {
            let mut task = if become_root {
                sudo(None)
            } else {
                TaskSettings::default()
            };
            task.limit = Some(Duration::from_secs(1));
            let host = transport.host(&connection, task);
            let error = host
                .run(Script::new(own("(sleep 41.PID1; :) & sleep 41.PID2; :")))
                .await
                .unwrap_err();
            assert!(
                matches!(error, HostError::TimedOut { .. }),
                "{user} {error:?}"
            );
            assert_eq!(
                count_processes("sleep\x0041.PID"),
                0,
                "{user} {become_root}"
            );
            assert_eq!(text(&host, "echo on").await, "on\n");
        }
    }
}

#[tokio::test]
async fn an_interrupt_ends_the_request_on_the_host() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let connection = Arc::new(fleet.connection("asks", 1));
    for password in [None, Some(PASSWORD)] {
        let (interrupt, interrupted) = tokio::sync::watch::channel(false);
        let user = password.and_then(|_| sudo(password).become_user);
        let task = TaskSettings {
            become_user: user,
            interrupted,
            ..TaskSettings::default()
        };
        let host = transport.host(&connection, task);
        let run = tokio::spawn(async move { host.run(Script::new(own("sleep 42.PID1; :"))).await });
        until_running("sleep\x0042.PID").await;
        interrupt.send(true).unwrap();
        assert!(matches!(run.await.unwrap(), Err(HostError::Interrupted)));
        assert_eq!(count_processes("sleep\x0042.PID"), 0);
    }
}

#[tokio::test]
async fn a_lost_link_is_said_and_the_next_request_connects_again() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let connection = Arc::new(fleet.connection("dash", 1));
    let host = transport.host(&connection, TaskSettings::default());
    let running = Arc::clone(&host);
    let run = tokio::spawn(async move { running.run(Script::new(own("sleep 43.PID1; :"))).await });
    until_running("sleep\x0043.PID").await;
    transport.reset(&connection).await;
    let error = run.await.unwrap().unwrap_err();
    let HostError::Unreachable { kind, message, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*kind, Unreachable::Lost);
    assert!(message.contains("while a command ran"), "{message}");
    assert_eq!(text(&host, "echo again").await, "again\n");
    assert_eq!(transport.count_connects(), 2);
    // An idle shell whose link is lost costs nobody anything.
    transport.reset(&connection).await;
    assert_eq!(text(&host, "echo again").await, "again\n");
}

#[tokio::test]
async fn nothing_of_a_request_is_seen_in_ps() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let connection = Arc::new(fleet.connection("asks", 1));
    let mut task = sudo(Some(PASSWORD));
    task.environment = vec![("TOKEN".to_owned(), "in-environment".to_owned())];
    let host = transport.host(&connection, task);
    let seen = std::thread::spawn(|| {
        let secrets = ["in-environment", "in-input", "in-source", PASSWORD];
        let begin = std::time::Instant::now();
        let mut looks = 0;
        while begin.elapsed() < Duration::from_secs(3) {
            for secret in secrets {
                assert_eq!(count_processes(secret), 0, "{secret} is seen");
            }
            looks += 1;
        }
        looks
    });
    for _ in 0..5 {
        let source = "x=in-source; read -r y; sleep 0.1; echo $x $y $TOKEN";
        let script = Script::new(source).stdin(Input::Secret(Secret::new("in-input\n")));
        let reply = host.run(script).await.unwrap();
        assert_eq!(reply.text(), "in-source in-input in-environment\n");
    }
    assert!(seen.join().unwrap() > 3);
}

#[tokio::test]
async fn the_agent_is_forwarded_where_the_configuration_says_so() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let socket = fleet.dir().join("agent");
    let mut agent = tokio::process::Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    for (number, forward) in [(1, "yes"), (2, "no")] {
        let mut connection = fleet.connection("dash", number);
        let agent = format!("IdentityAgent={}", socket.display());
        ssh(&mut connection).extra_args = ["-o", &agent, "-o", &format!("ForwardAgent={forward}")]
            .map(str::to_owned)
            .to_vec();
        let host = transport.host(&Arc::new(connection), TaskSettings::default());
        let given = text(&host, "echo ${SSH_AUTH_SOCK:+there}").await;
        assert_eq!(given.trim(), if forward == "yes" { "there" } else { "" });
        // Who finds the master knows whether it has to be asked for.
        let marks = std::fs::read_dir(fleet.runtime_dir().join("windlass")).unwrap();
        let marks = marks.filter(|file| {
            let path = file.as_ref().unwrap().path();
            path.extension()
                .is_some_and(|extension| extension == "plain")
        });
        assert_eq!(marks.count(), usize::from(forward == "no"));
    }
    agent.kill().await.unwrap();
}

#[tokio::test]
async fn a_jump_host_works() {
    let fleet = Fleet::start();
    let transport = transport(&fleet);
    let config = fleet.dir().join("config");
    let text_of = format!(
        "Host *\n UserKnownHostsFile {}\n GlobalKnownHostsFile /dev/null\n IdentityFile {}\n Port {}\n User dash\n\
         Host inside\n HostName 127.0.1.9\n ProxyJump 127.0.1.8\n",
        fleet.known_hosts().display(),
        fleet.key().display(),
        fleet.port()
    );
    std::fs::write(&config, text_of).unwrap();
    let mut settings = SshSettings::new("inside");
    settings.common_args = vec!["-F".to_owned(), config.display().to_string()];
    let connection = Connection {
        name: "inside".to_owned(),
        kind: ConnectionKind::Ssh(settings),
    };
    let host = transport.host(&Arc::new(connection), TaskSettings::default());
    assert_eq!(
        text(&host, "echo ${SSH_CONNECTION##* 127}")
            .await
            .split(' ')
            .next(),
        Some(".0.1.9")
    );
}
