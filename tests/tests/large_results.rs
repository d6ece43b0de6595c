//! What a run costs when hosts print much: the real program, on hosts with a local connection.
//!
//! The bound is what the documents promise: 1 MiB for each host, and one limit for all, beside what the
//! same run takes when hosts print little.

use std::process::Stdio;
use std::time::Duration;

use windlass_tests::program::{Place, high_water};

const MIB: u64 = 1 << 20;

/// How a run ended, and the most memory that it had at a time.
struct Ran {
    status: i32,
    out: String,
    peak: u64,
}

/// Runs a playbook on so many hosts.
fn run(hosts: usize, playbook: &str, words: &[&str]) -> Ran {
    let place = Place::new();
    let names: Vec<String> = (1..=hosts).map(|host| format!("h{host}")).collect();
    let names = names.join("\n");
    let inventory = format!("{names}\n[all:vars]\nansible_connection=local\n");
    let log = std::fs::File::create(place.path().join("log"));
    let log = log.expect("files can be made in the folder");
    let mut child = place
        .playing(&inventory, playbook, words)
        .env("WINDLASS_OUTPUT", "plain")
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file can be open twice"))
        .stderr(log)
        .spawn()
        .expect("the program was built and can be started");
    let mut peak = 0;
    let status = loop {
        if let Some(now) = high_water(child.id()) {
            peak = now;
        }
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Ran {
        status: status.code().unwrap_or(-1),
        out: std::fs::read_to_string(place.path().join("log")).expect("what it prints is text"),
        peak,
    }
}

/// A play that prints with `command`, registers it as `r` and asks what `asks` says.
fn play(command: &str, asks: &str) -> String {
    format!(
        "- hosts: all
  gather_facts: false
  tasks:
    - shell: \"{command}\"
      register: r
    - assert:
        that:
{asks}"
    )
}

/// Runs the same play with little output and with much, and gives what the second cost more.
fn cost(hosts: usize, command: &str, asks: &str, words: &[&str]) -> u64 {
    let little = run(hosts, &play("echo y", "          - r is changed\n"), words);
    assert_eq!(little.status, 0, "{}", little.out);
    let much = run(hosts, &play(command, asks), words);
    assert_eq!(much.status, 0, "{}", much.out);
    much.peak.saturating_sub(little.peak)
}

#[test]
fn sixty_megabytes_of_short_lines_stay_within_the_bounds_for_one_host_and_for_four() {
    let asks = "          - r.stdout_lines | length == 30000000
          - r.stdout_lines[5] == 'y'
          - r.stdout_lines[-1] == 'y'
          - r.stderr_lines == []
";
    for hosts in [1, 4] {
        let cost = cost(
            hosts,
            "yes | head -c 60000000",
            asks,
            &["--max-output-memory", "32M"],
        );
        assert!(cost <= (hosts as u64 + 32) * MIB, "{hosts} hosts: {cost}");
    }
}

#[test]
fn no_kind_of_bytes_costs_more() {
    for (command, lines) in [
        ("yes '' | head -c 60000000; printf x", 60_000_001),
        ("head -c 60000000 /dev/zero", 1),
        (
            "head -c 60000000 /dev/zero | tr '\\\\\\\\0' '\\\\\\\\377'",
            1,
        ),
        ("head -c 60000000 /dev/zero | tr '\\\\\\\\0' a", 1),
    ] {
        let asks = format!("          - r.stdout_lines | length == {lines}\n");
        let cost = cost(1, command, &asks, &["--max-output-memory", "32M"]);
        assert!(cost <= 33 * MIB, "{command}: {cost}");
    }
}

#[test]
fn a_text_is_read_back_where_a_template_uses_it() {
    let asks = "          - r.stdout | length == 9999999
          - \"'x' not in r.stdout\"
          - r.stdout is match('y')
";
    let cost = cost(
        1,
        "yes | head -c 10000000",
        asks,
        &["--max-output-memory", "64M"],
    );
    assert!(cost <= 65 * MIB, "{cost}");
}

#[test]
fn a_text_that_no_template_can_hold_is_an_error_where_it_is_used_and_not_before() {
    let playbook = "- hosts: all
  gather_facts: false
  tasks:
    - shell: yes | head -c 70000000
      register: r
    - debug: {msg: '{{ r.stdout_lines | length }}'}
    - debug: {msg: '{{ r.stdout | length }}'}
";
    let ran = run(1, playbook, &[]);
    assert_eq!(ran.status, 2, "{}", ran.out);
    assert!(ran.out.contains("35000000"), "{}", ran.out);
    assert!(
        ran.out
            .contains("this text has 69999999 bytes, and templates take no more than 64 MiB"),
        "{}",
        ran.out
    );
}

#[test]
fn a_task_that_prints_more_than_the_second_limit_fails_and_says_so_and_others_go_on() {
    let playbook = "- hosts: all
  gather_facts: false
  tasks:
    - raw: \"{{ 'yes' if inventory_hostname == 'h1' else 'echo well' }}\"
      register: r
    - debug: {msg: 'said {{ r.stdout }}'}
";
    let words = ["--max-output-memory", "1M", "--max-output-disk", "16M"];
    let ran = run(2, playbook, &words);
    assert_eq!(ran.status, 2, "{}", ran.out);
    assert!(
        ran.out.contains(
            "the results of this run have used up the room on disk that they may take (16 MiB); its \
             processes on the host were ended"
        ),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("--max-output-disk"), "{}", ran.out);
    assert!(ran.out.contains("said well"), "{}", ran.out);
}

#[test]
fn results_of_a_loop_are_each_kept_once() {
    let playbook = |count: u32| {
        format!(
            "- hosts: all
  gather_facts: false
  tasks:
    - shell: yes {{{{ item }}}} | head -c 1000000
      register: r
      loop: \"{{{{ range({count}) | list }}}}\"
      loop_control: {{label: x}}
    - assert:
        that:
          - r.results | length == {count}
          - r.results[-1].stdout_lines[7] == '{}'
          - (r.results | last).item == {}
",
            count - 1,
            count - 1,
        )
    };
    let words = ["--max-output-memory", "32M"];
    let (few, many) = (run(1, &playbook(1), &words), run(1, &playbook(100), &words));
    assert_eq!(few.status, 0, "{}", few.out);
    assert_eq!(many.status, 0, "{}", many.out);
    let cost = many.peak.saturating_sub(few.peak);
    assert!(cost <= 33 * MIB, "{cost}");
}

#[test]
fn what_is_told_of_a_large_result_is_bounded() {
    let playbook = play("yes | head -c 60000000", "          - r is changed\n");
    let ran = run(1, &playbook, &["--output", "json"]);
    assert_eq!(ran.status, 0, "{}", ran.out);
    assert!(ran.out.len() < 4 << 20, "{}", ran.out.len());
    assert!(ran.out.contains("[cut here: the text has 59999999 bytes]"));
}

#[test]
fn variables_that_are_set_are_within_the_same_limit_and_give_back_what_they_took() {
    let playbook = |names: &str| {
        let mut text = "- hosts: all
  gather_facts: false
  tasks:
    - raw: yes | head -c 8000000
      register: r
"
        .to_owned();
        for name in names.chars() {
            text.push_str("    - set_fact: {");
            text.push(name);
            text.push_str(": '{{ r.stdout }}'}\n");
        }
        text
    };
    let words = ["--max-output-memory", "64M"];
    let many = run(1, &playbook("abcdefghijkl"), &words);
    assert_eq!(many.status, 2, "{}", many.out);
    assert!(many.out.contains("too large"), "{}", many.out);
    assert!(many.out.contains("--max-output-memory"), "{}", many.out);
    let again = run(1, &playbook("aaaaaaaaaaaa"), &words);
    assert_eq!(again.status, 0, "{}", again.out);
}

#[test]
fn who_finds_no_room_for_what_templates_make_of_texts_waits_for_the_others() {
    let playbook = |length: u32| {
        format!(
            "- hosts: all
  gather_facts: false
  tasks:
    - shell: yes | head -c {length}
      register: r
    - assert: {{that: \"'y' not in r.stdout\", fail_msg: '{{{{ r.stdout }}}}'}}
      ignore_errors: true
    - debug: {{msg: '{{{{ r.stdout }}}}'}}
    - debug: {{msg: \"{{{{ 'x' not in r.stdout }}}}\"}}
"
        )
    };
    let little = run(4, &playbook(2), &[]);
    assert_eq!(little.status, 0, "{}", little.out);
    let much = run(4, &playbook(60_000_000), &[]);
    assert_eq!(much.status, 0, "{}", much.out);
    let cost = much.peak.saturating_sub(little.peak);
    assert!(cost <= (4 + 256) * MIB, "{cost}");
}
