//! Hosts that misbehave while they are connected to: each learns nothing that is not for it, and keeps no other
//! host waiting.
#![cfg(feature = "fleet")]

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use windlass::transport::*;
use windlass_modules::host::{HostError, Script, Unreachable};
use windlass_modules::secret::Secret;
use windlass_tests::fleet::{Fleet, PASSWORD};
use windlass_tests::hostile::modes::Server;
use windlass_tests::hostile::server;

/// A fourth of the time for connecting in these tests.
const PATIENCE: Duration = Duration::from_secs(8);

fn connection(name: &str, settings: SshSettings) -> Arc<Connection> {
    Arc::new(Connection {
        name: name.to_owned(),
        kind: ConnectionKind::Ssh(settings),
    })
}

async fn refusal(transport: &Transport, settings: SshSettings) -> HostError {
    let host = transport.host(&connection("node", settings), TaskSettings::default());
    host.run(Script::new("echo in"))
        .await
        .expect_err("it is out of reach")
}

/// The port of a server that says its name and then nothing.
fn stalled() -> u16 {
    server::start(Server::BannerOnly, String::new())
}

#[tokio::test]
async fn hosts_that_hang_keep_no_other_waiting_at_the_gate() {
    let fleet = Fleet::start();
    let transport = Transport::new(Limits {
        connects_at_once: 1,
        ..fleet.limits()
    });
    let port = stalled();
    let hung = (0..3).map(|number| {
        let mut settings = fleet.ssh_settings("dash", 1);
        settings.address = format!("127.0.0.{}", number + 1);
        settings.port = Some(port);
        settings.connect_timeout = PATIENCE * 4;
        let transport = transport.clone();
        tokio::spawn(async move { refusal(&transport, settings).await })
    });
    let hung: Vec<_> = hung.collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let host = transport.host(
        &connection("well", fleet.ssh_settings("dash", 2)),
        TaskSettings::default(),
    );
    let begin = Instant::now();
    host.run(Script::new(":")).await.unwrap();
    // It waits for one of them, 32 s; for two it would be 64 s.
    let took = begin.elapsed();
    assert!(took < PATIENCE * 7, "{took:?}");
    for hung in hung {
        hung.abort();
    }
}

/// What becomes of such hosts and of those beside them is in the table of the hostile node (`server-…`, `shell-…`).
#[tokio::test]
async fn a_server_that_floods_is_told_in_few_words() {
    let fleet = Fleet::start();
    let transport = Transport::new(fleet.limits());
    for how in [Server::Flood, Server::Garbage, Server::BannerWords] {
        let mut settings = fleet.ssh_settings("dash", 1);
        "127.0.0.1".clone_into(&mut settings.address);
        settings.port = Some(server::start(how, String::new()));
        settings.connect_timeout = Duration::from_secs(3);
        let error = refusal(&transport, settings).await;
        assert!(
            matches!(&error, HostError::Unreachable { .. }),
            "{how:?}: {error:?}"
        );
        assert!(error.to_string().len() < 500, "{how:?}: {error}");
    }
}

#[tokio::test]
async fn many_who_wait_for_one_hung_host_wait_at_the_same_time() {
    let fleet = Fleet::start();
    let transport = Transport::new(fleet.limits());
    let mut settings = fleet.ssh_settings("dash", 1);
    "127.0.0.1".clone_into(&mut settings.address);
    settings.port = Some(stalled());
    settings.connect_timeout = Duration::from_secs(5);
    let begin = Instant::now();
    let all = (0..20).map(|_| refusal(&transport, settings.clone()));
    for error in futures::future::join_all(all).await {
        assert!(matches!(error, HostError::Unreachable { .. }), "{error:?}");
    }
    // One after the other they would take 100 s.
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test]
async fn a_password_is_tried_once() {
    let fleet = Fleet::start();
    let transport = Transport::new(fleet.limits());
    let mut wrong = fleet.ssh_settings("asks", 1);
    wrong.private_key_file = Some(fleet.wrong_key());
    wrong.password = Some(Secret::new("wrong horse"));
    let HostError::Unreachable {
        kind,
        message,
        hint,
    } = refusal(&transport, wrong).await
    else {
        panic!("not unreachable")
    };
    assert_eq!(kind, Unreachable::Authentication);
    assert!(
        message.contains("the password was not accepted"),
        "{message}"
    );
    assert!(hint.contains("check ansible_password"), "{hint}");
    let tried = fleet.log().matches("Failed password for asks").count();
    assert_eq!(tried, 1, "{}", fleet.log());
}

/// ssh's configuration for a jump host at address 1, with `more` for it.
fn jump(fleet: &Fleet, user: &str, more: &str) -> Vec<String> {
    let config = fleet.dir().join("config");
    let text = format!(
        "Host jump\n HostName {}\n User {user}\n Port {}\n {more}\nHost *\n \
         UserKnownHostsFile {}\n GlobalKnownHostsFile /dev/null\n IdentitiesOnly yes\n",
        Fleet::address(1),
        fleet.port(),
        fleet.known_hosts().display(),
    );
    std::fs::write(&config, text).expect("the folder is ours");
    vec!["-F".to_owned(), config.display().to_string()]
}

#[tokio::test]
async fn a_jump_host_gets_no_password_of_the_host_behind_it() {
    let fleet = Fleet::start();
    let ways = [
        vec!["-J".to_owned(), "jump".to_owned()],
        vec!["-o".to_owned(), "ProxyJump=jump".to_owned()],
    ];
    let mut target = fleet.ssh_settings("asks", 2);
    target.private_key_file = Some(fleet.wrong_key());
    target.password = Some(Secret::new(PASSWORD));
    for way in &ways {
        // The jump host would let in who has this password.
        let transport = Transport::new(fleet.limits());
        target.common_args = [jump(&fleet, "plain", ""), way.clone()].concat();
        let HostError::Unreachable {
            kind,
            message,
            hint,
        } = refusal(&transport, target.clone()).await
        else {
            panic!("not unreachable")
        };
        assert_eq!(kind, Unreachable::Authentication, "{message}");
        assert!(
            message.contains("the jump host did not let us in"),
            "{message}"
        );
        assert!(hint.contains("no jump host"), "{hint}");
        let log = fleet.log();
        assert!(!log.contains("Accepted password"), "{log}");
    }
    // With a key of its own for the jump host, the password reaches the host that it is for.
    let ways = [
        ways[0].clone(),
        vec![
            "-o".to_owned(),
            format!(
                "ProxyCommand=ssh -F {} -W %h:%p jump",
                fleet.dir().join("config").display()
            ),
        ],
    ];
    let key = format!("IdentityFile {}", fleet.key().display());
    for (number, way) in ways.into_iter().enumerate() {
        let transport = Transport::new(fleet.limits());
        target.common_args = [jump(&fleet, "dash", &key), way].concat();
        target.address = Fleet::address(number + 2);
        let host = transport.host(
            &connection("target", target.clone()),
            TaskSettings::default(),
        );
        let reply = host.run(Script::new("id -un")).await.unwrap();
        assert_eq!(reply.text(), "asks\n");
    }
}

#[tokio::test]
async fn a_password_too_long_to_arrive_is_said_before_connecting() {
    let fleet = Fleet::start();
    let transport = Transport::new(fleet.limits());
    let mut long = fleet.ssh_settings("asks", 1);
    long.password = Some(Secret::new("x".repeat(20_000)));
    let error = refusal(&transport, long).await;
    assert!(error.to_string().contains("20000 bytes"), "{error}");
    let task = TaskSettings {
        become_user: Some(Become {
            method: Method::Sudo,
            user: "root".to_owned(),
            password: Some(Secret::new("x".repeat(20_000))),
            flags: Vec::new(),
            executable: None,
        }),
        ..TaskSettings::default()
    };
    let host = transport.host(&connection("node", fleet.ssh_settings("asks", 1)), task);
    let error = host.run(Script::new(":")).await.unwrap_err();
    assert!(error.to_string().contains("20000 bytes"), "{error}");
    assert_eq!(transport.count_connects(), 0);
}

#[tokio::test]
async fn a_changed_key_that_is_not_checked_is_told_once_a_run() {
    let fleet = Fleet::start();
    let mut changed = fleet.ssh_settings("dash", 1);
    changed.common_args = Fleet::ssh_arguments(&fleet.wrong_hosts());
    changed.host_keys = HostKeys::Off;
    // The second run finds the connection of the first.
    for run in 0..2 {
        let transport = Transport::new(fleet.limits());
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&told);
        let notices: NoticeSink =
            Arc::new(move |notice: &str| sink.lock().unwrap().push(notice.to_owned()));
        for _ in 0..2 {
            let task = TaskSettings {
                notices: Some(Arc::clone(&notices)),
                ..TaskSettings::default()
            };
            let host = transport.host(&connection("node", changed.clone()), task);
            host.run(Script::new(":")).await.unwrap();
        }
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 1, "run {run}: {told:?}");
        assert!(
            told[0].starts_with("node (") && told[0].contains("not the one on record"),
            "{told:?}"
        );
    }
    let transport = Transport::new(fleet.limits());
    let told = Arc::new(Mutex::new(0));
    let sink = Arc::clone(&told);
    let task = TaskSettings {
        notices: Some(Arc::new(move |_: &str| *sink.lock().unwrap() += 1)),
        ..TaskSettings::default()
    };
    let host = transport.host(&connection("well", fleet.ssh_settings("dash", 2)), task);
    host.run(Script::new(":")).await.unwrap();
    assert_eq!(*told.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_revoked_key_is_not_to_be_put_on_record() {
    let fleet = Fleet::start();
    let transport = Transport::new(fleet.limits());
    let record = std::fs::read_to_string(fleet.known_hosts()).unwrap();
    let revoked = fleet.dir().join("revoked");
    std::fs::write(&revoked, format!("@revoked {record}")).unwrap();
    let file = fleet.dir().join("host.pub");
    let by_file = [
        Fleet::ssh_arguments(&fleet.known_hosts()),
        vec![
            "-o".to_owned(),
            format!("RevokedHostKeys={}", file.display()),
        ],
    ];
    for arguments in [Fleet::ssh_arguments(&revoked), by_file.concat()] {
        let mut settings = fleet.ssh_settings("dash", 1);
        settings.common_args = arguments;
        let error = refusal(&transport, settings).await;
        let HostError::Unreachable {
            kind,
            message,
            hint,
        } = &error
        else {
            panic!("{error:?}")
        };
        assert_eq!(*kind, Unreachable::HostKeyRevoked, "{message}");
        assert!(message.contains("marked as revoked"), "{message}");
        assert!(!hint.contains("ssh-keyscan"), "{hint}");
    }
}

/// Gives the hosts' `/tmp` this size.
fn resize(fleet: &Fleet, size: &str) {
    let path = fleet.tmp();
    let process = path.components().nth(2).expect("/proc/PID").as_os_str();
    let done = Command::new("nsenter")
        .arg("-t")
        .arg(process)
        .args(["-m", "mount", "-o", &format!("remount,size={size}"), "/tmp"])
        .status();
    assert!(done.is_ok_and(|status| status.success()));
}

#[tokio::test]
async fn output_that_a_full_disk_lost_is_no_success() {
    let fleet = Fleet::start();
    let transport = Transport::new(fleet.limits());
    resize(&fleet, "300k");
    // The status is that of `:`, whatever became of the output.
    let print = "head -c 1048576 /dev/zero 2>/dev/null; :";
    for (number, user) in ["dash", "bash", "busybox"].into_iter().enumerate() {
        let host = transport.host(
            &connection(user, fleet.ssh_settings(user, number + 1)),
            TaskSettings::default(),
        );
        for stream in [false, true] {
            let mut script = Script::new(print).durable();
            script.stream = stream;
            let error = host.run(script).await.unwrap_err();
            let message = error.to_string();
            assert!(
                matches!(error, HostError::OutputLost { .. })
                    && message
                        .contains("the disk with /tmp is full (tmpfs, 100% used, 0 KiB free)"),
                "{user} {stream}: {message}"
            );
            // What needs little room, or none, goes on undisturbed.
            let reply = host.run(Script::new("echo on").durable()).await.unwrap();
            assert_eq!(reply.text(), "on\n", "{user}");
            let reply = host.run(Script::new(print)).await.unwrap();
            assert_eq!(reply.stdout.bytes().len(), 1_048_576, "{user}");
        }
    }
    // Where there is no room from the beginning, another folder is taken.
    std::fs::write(fleet.tmp().join("filler"), vec![0; 1 << 20]).unwrap_err();
    let host = transport.host(
        &connection("late", fleet.ssh_settings("dash", 9)),
        TaskSettings::default(),
    );
    let reply = host.run(Script::new(print).durable()).await.unwrap();
    assert_eq!(reply.stdout.bytes().len(), 1_048_576);
}
