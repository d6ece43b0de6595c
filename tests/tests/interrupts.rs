//! What a person at the terminal presses, and a terminal that goes away: the run ends in good order, and
//! the terminal is as it was.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use windlass_tests::program::Place;
use windlass_tests::terminal::{CTRL_C, CTRL_D, Session};

const HOST: &str = "h1 ansible_connection=local\n";

fn play(task: &str) -> String {
    format!("- hosts: all\n  gather_facts: false\n  tasks:\n    - {task}\n")
}

const DEBUG: &str = "debug: {msg: it ran}";

#[test]
fn an_interrupt_while_a_password_is_asked_for_leaves_the_terminal_as_it_was() {
    for (flag, question) in [("-k", "Login password: "), ("-K", "another user: ")] {
        let place = Place::new();
        let mut session = Session::start(&place.playing(HOST, &play(DEBUG), &[flag]));
        session.until(question);
        while session.echoes() {
            std::thread::sleep(Duration::from_millis(5));
        }
        session.press(CTRL_C);
        let (status, text) = session.end();
        assert_eq!(status, Some(99), "{text}");
        assert!(session.echoes(), "{text}");
        assert!(!text.contains("it ran"), "{text}");
    }
}

#[test]
fn a_password_is_not_shown_as_it_is_typed() {
    let place = Place::new();
    let mut session = Session::start(&place.playing(HOST, &play(DEBUG), &["-K"]));
    session.until("another user: ");
    while session.echoes() {
        std::thread::sleep(Duration::from_millis(5));
    }
    session.press(b"hunter2\n");
    let (status, text) = session.end();
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("it ran") && !text.contains("hunter2"),
        "{text}"
    );
    assert!(session.echoes());
}

#[test]
fn step_ends_with_an_interrupt_and_with_the_end_of_input() {
    let place = Place::new();
    let ask = || {
        let mut session = Session::start(&place.playing(HOST, &play(DEBUG), &["--step"]));
        session.until("without asking: ");
        session
    };
    let mut session = ask();
    session.press(CTRL_C);
    let (status, text) = session.end();
    assert_eq!(status, Some(99), "{text}");
    assert!(!text.contains("cannot ask"), "{text}");
    let mut session = ask();
    session.press(CTRL_D);
    let (status, text) = session.end();
    assert_eq!(status, Some(2), "{text}");
    assert!(text.contains("--step cannot ask"), "{text}");
    let mut session = ask();
    session.press(b"y\n");
    let (status, text) = session.end();
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("it ran"), "{text}");
}

#[test]
fn a_pause_that_is_interrupted_says_so_and_no_more() {
    for echo in ["true", "false"] {
        let place = Place::new();
        let task = format!("pause: {{prompt: Which one, echo: {echo}}}");
        let mut session =
            Session::start(&place.playing(HOST, &play(&task), &["--output", "plain"]));
        session.until("Which one: ");
        session.press(CTRL_C);
        let (status, text) = session.end();
        assert_eq!(status, Some(99), "{text}");
        assert!(text.contains("interrupted"), "{text}");
        assert!(!text.contains("no answer"), "{text}");
        assert!(!text.contains("as a variable"), "{text}");
        assert!(session.echoes());
    }
}

#[test]
fn what_waits_on_the_control_host_ends_with_an_interrupt() {
    let place = Place::new();
    let tasks = "debug: {msg: it begins}\n    - pause: {seconds: 300}";
    let plain = ["--output", "plain"];
    let mut session = Session::start(&place.playing(HOST, &play(tasks), &plain));
    session.until("it begins");
    // What waits says so only where lines move.
    std::thread::sleep(Duration::from_secs(1));
    session.press(CTRL_C);
    let (status, text) = session.end();
    assert_eq!(status, Some(99), "{text}");
}

/// Whether a process with these words is at work.
fn runs(words: &str) -> bool {
    let found = Command::new("pgrep").args(["-f", words]).output();
    found.is_ok_and(|found| found.status.success())
}

#[test]
fn a_terminal_that_goes_away_ends_what_runs() {
    let place = Place::new();
    let words = format!("sleep 397.{}", std::process::id());
    let task = format!("command: {words}");
    let mut command = place.playing(HOST, &play(&task), &[]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while !runs(&words) {
        assert!(Instant::now() < end, "it does not begin");
        std::thread::sleep(Duration::from_millis(50));
    }
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(99));
    assert!(!runs(&words));
}

#[test]
fn who_ignores_hangups_goes_on_without_a_terminal() {
    let place = Place::new();
    let inner = place.playing(HOST, &play("command: sleep 2"), &[]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(place.path())
        .env("HOME", place.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_full_disk_is_noticed() {
    for words in [
        &["schema"][..],
        &["doc", "copy"],
        &["completions", "bash"],
        &["--help"],
        &["inventory", "-i", "hosts.ini", "--list"],
        &["run", "site.yml", "-i", "hosts.ini"],
    ] {
        let place = Place::new();
        place.write("hosts.ini", HOST);
        place.write("site.yml", &play(DEBUG));
        let full = std::fs::File::options().write(true).open("/dev/full");
        let mut command = place.command();
        command
            .args(words)
            .stdout(full.unwrap())
            .stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(
            said.contains("cannot write: No space left"),
            "{words:?}: {said}"
        );
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let place = Place::new();
    let mut command = place.command();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.arg("schema").stdout(writer).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}
