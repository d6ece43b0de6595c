//! What a file can make of the program: each case is one that took all memory, all time or the stack.
//! They run in little address space, and must end with an error that says where and what to do, or
//! with success.

use std::fmt::Write as _;

use windlass_tests::program::{Place, Printed};

/// MiB of address space: more than any run of a few tasks needs.
const SPACE: u64 = 1024;

const HOST: &str = "h1 ansible_connection=local\n";

fn place() -> Place {
    let place = Place::new();
    place.write("hosts.ini", HOST);
    place
}

/// A play with these tasks.
fn play(tasks: &str) -> String {
    format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
}

fn run(place: &Place, playbook: &str) -> Printed {
    place.write("site.yml", playbook);
    place.run_bounded(SPACE, &["run", "site.yml", "-i", "hosts.ini"])
}

fn check(place: &Place, playbook: &str) -> Printed {
    place.write("site.yml", playbook);
    place.run_bounded(SPACE, &["check", "site.yml", "-i", "hosts.ini"])
}

fn inventory(place: &Place, text: &str) -> Printed {
    place.write("hosts.ini", text);
    place.run_bounded(SPACE, &["inventory", "-i", "hosts.ini", "--host", "h1"])
}

#[track_caller]
fn refused(printed: &Printed, words: &[&str]) {
    assert!([2, 4].contains(&printed.status), "{}", printed.text());
    let all = format!("{}{}", printed.out, printed.err);
    // Long messages are wrapped.
    let all = all.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(all.contains(word), "{word:?} in\n{}", printed.text());
    }
}

#[track_caller]
fn fine(printed: &Printed) {
    assert_eq!(printed.status, 0, "{}", printed.text());
}

#[test]
fn an_include_that_includes_itself_is_an_error_with_the_way_there() {
    for task in [
        "- include_tasks: t.yml\n",
        "- include_tasks: t.yml\n  when: true\n",
        "- include_tasks: t.yml\n  loop: [1]\n",
        "- block:\n    - block:\n        - include_tasks: t.yml\n",
    ] {
        let place = place();
        place.write("t.yml", task);
        let printed = run(&place, &play("    - include_tasks: t.yml\n"));
        refused(
            &printed,
            &[
                "more than 500 deep",
                "site.yml:4 → t.yml:",
                "`when` that ends it",
            ],
        );
    }
}

#[test]
fn includes_and_imports_in_a_long_row_are_bounded_before_the_run() {
    for kind in ["import_tasks", "include_tasks"] {
        let place = place();
        for index in 0..2000 {
            let text = format!("- {kind}: t{}.yml\n", index + 1);
            place.write(&format!("t{index}.yml"), &text);
        }
        place.write("t2000.yml", "- debug:\n");
        let playbook = play(&format!("    - {kind}: t0.yml\n"));
        refused(
            &check(&place, &playbook),
            &["100", "deep", "site.yml:4 → t0.yml:1 →"],
        );
        refused(
            &run(&place, &playbook),
            &["100", "deep", "site.yml:4 → t0.yml:1 →"],
        );
    }
}

#[test]
fn files_that_each_bring_in_the_next_one_twice_are_bounded() {
    for (kind, leaf) in [
        ("import_tasks", "- debug:\n"),
        ("include_tasks", "- debug:\n"),
        ("import_playbook", "- hosts: all\n  tasks: []\n"),
    ] {
        let place = place();
        for index in 0..24 {
            let text = format!("- {kind}: t{}.yml\n", index + 1).repeat(2);
            place.write(&format!("t{index}.yml"), &text);
        }
        place.write("t24.yml", leaf);
        let playbook = match kind {
            "import_playbook" => "- import_playbook: t0.yml\n".to_owned(),
            _ => play(&format!("    - {kind}: t0.yml\n")),
        };
        refused(&check(&place, &playbook), &["more than 50000", "→ t"]);
    }
}

#[test]
fn variables_that_use_one_another_are_each_looked_at_once() {
    // Looked at again each time, 24 of them took 20 s.
    let mut doubling = String::from("- hosts: all\n  gather_facts: false\n  vars:\n");
    for index in 0..38 {
        let next = index + 1;
        writeln!(
            doubling,
            "    v{index}: '{{{{ [v{next}, v{next}] | first }}}}'"
        )
        .unwrap();
    }
    doubling.push_str("    v38: x\n  tasks:\n    - debug: msg={{ v0 }}\n");
    fine(&check(&place(), &doubling));
    fine(&run(&place(), &doubling));
    let hosts = doubling
        .replace("[v", "[hostvars.h1.v")
        .replace(", v", ", hostvars.h1.v");
    let (variables, _) = hosts.split_once("  tasks:").unwrap();
    let (_, variables) = variables.split_once("vars:\n").unwrap();
    let place = place();
    place.write("host_vars/h1.yml", &variables.replace("    v", "v"));
    fine(&run(
        &place,
        &play("    - debug: msg={{ hostvars.h1.v0 }}\n"),
    ));

    let mut each = String::from("- hosts: all\n  gather_facts: false\n  vars:\n");
    for index in 0..10 {
        let others = (0..10).filter(|other| *other != index);
        let uses: Vec<String> = others.map(|other| format!("{{{{ v{other} }}}}")).collect();
        writeln!(each, "    v{index}: '{}'", uses.join(" ")).unwrap();
    }
    each.push_str("  tasks:\n    - debug: msg={{ v0 }}\n");
    fine(&check(&place, &each));
    refused(&run(&place, &each), &["`v0` is defined by itself"]);
}

#[test]
fn a_long_row_of_variables_is_no_deep_stack() {
    let mut row = String::from("- hosts: all\n  gather_facts: false\n  vars:\n");
    for index in 0..5_000 {
        writeln!(row, "    v{index}: '{{{{ v{} }}}}'", index + 1).unwrap();
    }
    row.push_str("    v5000: x\n  tasks:\n    - debug: msg={{ v0 }}\n");
    fine(&check(&place(), &row));
    refused(&run(&place(), &row), &["more than 40 variables"]);
}

#[test]
fn groups_that_share_children_take_no_longer_for_it() {
    let mut text = String::new();
    for index in 0..60 {
        let next = index + 1;
        writeln!(text, "[a{index}:children]\na{next}\nb{next}").unwrap();
        writeln!(text, "[b{index}:children]\na{next}\nb{next}").unwrap();
    }
    writeln!(text, "[a60]\n{HOST}[b60]\nh1").unwrap();
    let place = place();
    fine(&inventory(&place, &text));
    let printed = place.run_bounded(SPACE, &["inventory", "-i", "hosts.ini", "--graph"]);
    fine(&printed);
    assert!(printed.out.lines().count() < 50_000);
}

#[test]
fn a_long_chain_of_groups_is_an_error_with_the_way_there() {
    for reversed in [false, true] {
        let mut sections: Vec<String> = (0..20_000)
            .map(|index| {
                format!(
                    "[g{index}:children]\ng{}\n[g{index}]\nh{index}\n",
                    index + 1
                )
            })
            .collect();
        sections.push(format!("[g3000]\n{HOST}"));
        if reversed {
            sections.reverse();
        }
        let printed = inventory(&place(), &sections.concat());
        refused(&printed, &["more than 100 deep", "all → g0 → g1 →"]);
    }
}

#[test]
fn many_groups_of_many_hosts_are_an_error_that_says_so() {
    let mut text = String::from(HOST);
    for index in 0..300 {
        writeln!(text, "[g{index}]\nh[1:50000]").unwrap();
    }
    refused(
        &inventory(&place(), &text),
        &["name more than 2000000 hosts", "there are 50000 hosts"],
    );
}

#[test]
fn groups_that_each_have_all_hosts_below_them_are_an_error_that_says_so() {
    let mut text = format!("{HOST}[g0]\nh[1:50000]\n");
    for index in 0..80 {
        writeln!(text, "[g{}:children]\ng{index}", index + 1).unwrap();
    }
    refused(
        &inventory(&place(), &text),
        &["more than 2000000 ways", "`g0` names the most"],
    );
}

#[test]
fn ranges_with_much_text_are_bounded() {
    let text = "x".repeat(100_000);
    let printed = inventory(&place(), &format!("{HOST}w[1:100000] a={text}\n"));
    refused(
        &printed,
        &[
            "names and variables of ranges of hosts",
            "give the variables to a group",
        ],
    );
    let printed = inventory(&place(), &format!("{HOST}w[1:100000]{text}\n"));
    refused(&printed, &["more than 500 bytes"]);
    let many: String = (0..300_000).fold(String::new(), |mut text, index| {
        writeln!(text, "h{index}").unwrap();
        text
    });
    refused(&inventory(&place(), &many), &["more than 200000 hosts"]);
}

#[test]
fn very_many_hosts_are_read_however_they_are_written() {
    // What each costs must not grow with their number: then 50,000 took 16 s.
    let names = || (0..150_000).map(|index| format!("h{index}: "));
    let flow = format!(
        "all: {{hosts: {{{}}}}}\n",
        names().collect::<Vec<_>>().join(",")
    );
    let block: Vec<String> = names().map(|name| format!("    {name}\n")).collect();
    let block = format!("all:\n  hosts:\n{}", block.concat());
    for text in [flow, block] {
        let place = place();
        place.write("hosts.yml", &text);
        fine(&place.run_bounded(SPACE, &["inventory", "-i", "hosts.yml", "--host", "h1"]));
    }
}

#[test]
fn aliases_and_anchors_cannot_fill_memory() {
    let mut merged = String::from("- hosts: all\n  vars:\n    a0: &a0 {k0: x}\n");
    for index in 1..40 {
        let last = index - 1;
        writeln!(
            merged,
            "    a{index}: &a{index} {{<<: [*a{last}, *a{last}], k{index}: *a{last}}}"
        )
        .unwrap();
    }
    refused(&check(&place(), &merged), &["aliases make this document"]);
    let long = format!(
        "- hosts: all\n  vars:\n    a: &a {}\n",
        "x".repeat(1_000_000)
    );
    let long = format!("{long}    b: [{}]\n", vec!["*a"; 50_000].join(","));
    refused(&check(&place(), &long), &["aliases make this document"]);
    let text = "x".repeat(10_000_000);
    let nested: Vec<String> = (0..90).map(|index| format!("&a{index} [")).collect();
    let nested = nested.concat();
    let nested = format!(
        "- hosts: all\n  vars: {{a: {nested}{text}{}}}\n",
        "]".repeat(90)
    );
    refused(&check(&place(), &nested), &["marked for aliases"]);
}

#[test]
fn patterns_with_very_many_parts_are_bounded() {
    let place = place();
    place.write("hosts.ini", &format!("{HOST}[web]\nw[1:20000]\n"));
    for (pattern, refuses) in [
        ("web".to_owned() + &":!w1:web:h1".repeat(10_000), false),
        (
            "web".to_owned()
                + &(0..10_000)
                    .map(|host| format!(":!w{}", host + 1))
                    .collect::<Vec<_>>()
                    .concat()
                + ":h1",
            false,
        ),
        (
            (0..1_000)
                .map(|index| format!("x{index}*:"))
                .collect::<Vec<_>>()
                .concat()
                + "h1",
            true,
        ),
        (
            (0..1_000)
                .map(|index| format!("&web[{index}:]:"))
                .collect::<Vec<_>>()
                .concat()
                + "h1",
            true,
        ),
    ] {
        let playbook = format!("- hosts: \"{pattern}\"\n  gather_facts: false\n  tasks: []\n");
        let printed = check(&place, &playbook);
        if refuses {
            refused(&printed, &["parts that look at all hosts"]);
        } else {
            fine(&printed);
        }
    }
}

#[test]
fn a_literal_of_many_items_is_read_item_by_item() {
    let items: Vec<String> = (0..40_000).map(|index| index.to_string()).collect();
    let set = format!("{{{}}}", items.join(","));
    let dict: Vec<String> = (0..40_000).map(|index| format!("{index}:1")).collect();
    let dict = format!("{{{}}}", dict.join(","));
    let text = format!("{HOST}[all:vars]\na={set}\nb={dict}\n");
    fine(&inventory(&place(), &text));
}

#[test]
fn nesting_is_bounded_wherever_it_is_read() {
    const DEEP: usize = 200_000;
    let lists = "[".repeat(DEEP) + &"]".repeat(DEEP);
    let maps = "{a: ".repeat(DEEP) + &"}".repeat(DEEP);
    let dashes = "- ".repeat(DEEP);
    for text in [&lists, &maps, &dashes] {
        refused(
            &check(&place(), text),
            &["more than 100 deep", "site.yml:1"],
        );
    }
    for text in [&lists, &maps] {
        refused(
            &check(&place(), &format!("- hosts: all\n  vars: {{a: {text}}}\n")),
            &["more than 100 deep", "site.yml:2"],
        );
        let place = place();
        place.write("hosts.json", &format!("{{\"all\": {text}}}"));
        refused(
            &place.run_bounded(SPACE, &["inventory", "-i", "hosts.json", "--list"]),
            &["more than 100 deep", "hosts.json:1"],
        );
        place.write("extra.yml", &format!("a: {text}"));
        place.write("site.yml", &play("    - debug:\n"));
        refused(
            &place.run_bounded(
                SPACE,
                &["run", "site.yml", "-i", "hosts.ini", "-e", "@extra.yml"],
            ),
            &["more than 100 deep", "extra.yml:1"],
        );
    }
    fine(&inventory(
        &place(),
        &format!("{HOST}[all:vars]\na={lists}\n"),
    ));
}

/// Expressions that make much of little.
const GROWING: &[&str] = &[
    "('a' * 1000) | replace('a', 'b' * 1000) | replace('b', 'c' * 1000) | length",
    "('a' * 1000).replace('a', 'b' * 1000).replace('b', 'c' * 1000) | length",
    "('a' * 1000) | regex_replace('a', 'b' * 1000) | regex_replace('b', 'c' * 1000) | length",
    "('a' * 10000) | regex_replace('^(.*)$', '\\1' * 10000) | length",
    "range(40) | combinations(20) | length",
    "range(40) | permutations(20) | length",
    "range(1000) | product(range(1000), range(1000)) | length",
    "[1, 2] | product(repeat=32) | length",
    "'x' * 10 ** 9",
    "[0] * 10 ** 9",
    "'%1000000000d' % 1",
    "('%4000d' * 100000) % (([1] * 100000) | list)",
    "('%(a)4000d' * 100000) % {'a': 1}",
    "('{0:4000}' * 100000).format(1)",
    "('a\n' * 1000) | indent('x' * 1000000) | length",
    "range(100000) | join('x' * 100000) | length",
    "('x' * 100000).join(['a'] * 100000) | length",
    "(['x' * 1000000] * 1000) | join | length",
    "('x' * 100000) | wordwrap(1, wrapstring='y' * 100000) | length",
    "('x' * 60000000) | b64encode | length",
    "('x' * 60000000) ~ ('x' * 60000000)",
    "('x' * 60000000) | list | length",
    "('<' * 60000000) | escape | length",
    "('a\n' * 1000) | comment(decoration='x' * 1000000) | length",
    "('a,' * 10000000).split(',') | length",
    "[1] | batch(1000000, 0) | product([1] * 1000) | length",
    "[1] | slice(1000000) | zip([1] * 1000000) | list | product([1, 2, 3, 4]) | length",
    "([[[[[1] * 100] * 100] * 100] * 100] * 100) | string | length",
    "([[[[[1] * 100] * 100] * 100] * 100] * 100) | flatten | length",
    "([[[[[1] * 100] * 100] * 100] * 100] * 100) == 1",
    "([[[['x' * 100000] * 30] * 30] * 30] * 30) | to_json | length",
    "lookup('sequence', 'start=1 end=1000000000') | length",
    "lookup('pipe', 'yes') | length",
    "lookup('lines', 'yes') | length",
    "lookup('file', '/dev/zero') | length",
    "'x' | password_hash('sha512', rounds=999999999)",
    "('x' * 1000000) | password_hash('sha512')",
    "'%1000000000Y' | strftime",
    "{} | json_query('(' * 100000 + 'a' + ')' * 100000)",
    "{} | json_query('[@,@]|' * 600 + '@')",
    "('[' * 100000 + ']' * 100000) | from_json",
    "('[' * 100000 + ']' * 100000) | from_yaml",
    "('[' + '1,' * 8000000 + '1]') | from_json | length",
];

/// Statements that do so.
const GROWING_TEXTS: &[&str] = &[
    "{% set n = namespace(x='xxxxxxxxxxxxxxxx') %}{% for i in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = (n.x, n.x) %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[1]) %}{% for i in range(40) %}{% set n.x = {1: n.x, 2: n.x} %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x == n.x }}",
    "{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = namespace(x=n.x) %}{% endfor %}",
    "{% set l = [1] %}{% for i in range(40) %}{% do l.extend(l) %}{% endfor %}",
    "{% for i in range(100000) %}{{ 'y' * 10000 }}z{% endfor %}",
];

#[test]
fn no_template_makes_more_than_it_may() {
    let mut tasks = String::new();
    for text in GROWING {
        let quoted = serde_json::to_string(&format!("{{{{ {text} }}}}")).unwrap();
        writeln!(
            tasks,
            "    - debug:\n        msg: {quoted}\n      ignore_errors: true"
        )
        .unwrap();
    }
    for text in GROWING_TEXTS {
        let quoted = serde_json::to_string(text).unwrap();
        writeln!(
            tasks,
            "    - debug:\n        msg: {quoted}\n      ignore_errors: true"
        )
        .unwrap();
    }
    let place = place();
    place.write("site.yml", &play(&tasks));
    let words = ["run", "site.yml", "-i", "hosts.ini", "--output", "ansible"];
    let printed = place.run_bounded(SPACE, &words);
    fine(&printed);
    let failed = printed.out.matches("...ignoring").count();
    assert_eq!(
        failed,
        GROWING.len() + GROWING_TEXTS.len(),
        "{}",
        printed.text()
    );
}

#[test]
fn variables_that_each_repeat_the_next_ones_make_no_more_than_one_template_may() {
    let mut vars = String::from("- hosts: all\n  gather_facts: false\n  vars:\n");
    for index in 0..30 {
        let next = format!("{{{{ v{} }}}}", index + 1);
        writeln!(vars, "    v{index}: '{next} {next}'").unwrap();
    }
    vars.push_str("    v30: x\n  tasks:\n    - debug: msg={{ v0 | length }}\n");
    refused(&run(&place(), &vars), &["makes more than 64 MiB"]);
}

#[test]
fn an_expression_that_is_nested_or_long_is_no_deep_stack() {
    const DEEP: usize = 50_000;
    let nested = |open: &str, close: &str| open.repeat(DEEP) + "1" + &close.repeat(DEEP);
    for expression in [
        nested("(", ")"),
        nested("[", "]"),
        nested("{1: ", "}"),
        nested("not ", ""),
        nested("- ", ""),
        nested("", ".a"),
        nested("", "[0]"),
        nested("", "()"),
        nested("", " ~ 1"),
        nested("", " and 1"),
        nested("", " + 1"),
        nested("", " ** 1"),
        nested("", " | int"),
        nested("", " is defined"),
        nested("", " if 1 else 1"),
    ] {
        let tasks = format!("    - debug:\n        msg: \"{{{{ {expression} }}}}\"\n");
        refused(&run(&place(), &play(&tasks)), &["error"]);
        let tasks = format!("    - debug:\n      when: \"{expression}\"\n");
        refused(&run(&place(), &play(&tasks)), &["error"]);
    }
    for (open, close) in [
        ("{% if 1 %}", "{% endif %}"),
        ("{% for i in [1] %}", "{% endfor %}"),
    ] {
        let text = open.repeat(20_000) + &close.repeat(20_000);
        let tasks = format!("    - debug:\n        msg: \"{text}\"\n");
        refused(&run(&place(), &play(&tasks)), &["error"]);
    }
    let text = format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(20_000));
    let tasks = format!("    - debug:\n        msg: \"{text}\"\n");
    refused(&run(&place(), &play(&tasks)), &["nests too deeply"]);
}

/// A named pipe that nobody writes to.
fn pipe(place: &Place, name: &str) -> std::path::PathBuf {
    let path = place.path().join(name);
    let parent = path.parent().expect("it is below the folder");
    std::fs::create_dir_all(parent).expect("folders can be made");
    let status = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(status.expect("mkfifo is there").success());
    path
}

#[test]
fn pipes_and_devices_are_no_input() {
    let place = place();
    place.write("site.yml", &play("    - debug:\n"));
    pipe(&place, "pipe");
    for (input, why) in [
        ("pipe", "it is a named pipe"),
        ("/dev/zero", "it is a device"),
    ] {
        let with = |words: &[&str]| refused(&place.run_bounded(SPACE, words), &[why]);
        with(&["run", input, "-i", "hosts.ini"]);
        with(&["check", input, "-i", "hosts.ini"]);
        with(&["run", "site.yml", "-i", input]);
        with(&["inventory", "-i", input, "--list"]);
        with(&[
            "run",
            "site.yml",
            "-i",
            "hosts.ini",
            "-e",
            &format!("@{input}"),
        ]);
        with(&[
            "run",
            "site.yml",
            "-i",
            "hosts.ini",
            "-l",
            &format!("@{input}"),
        ]);
        for task in [
            "copy: src=IN dest=DIR/to",
            "template: src=IN dest=DIR/to",
            "script: IN",
        ] {
            let task = task.replace("IN", &place.path().join(input).display().to_string());
            let task = task.replace("DIR", &place.path().display().to_string());
            place.write("more.yml", &play(&format!("    - {task}\n")));
            with(&["run", "more.yml", "-i", "hosts.ini"]);
        }
        let lookup = format!("    - debug: msg={{{{ lookup('file', '{input}') }}}}\n");
        place.write("more.yml", &play(&lookup));
        with(&["run", "more.yml", "-i", "hosts.ini"]);
    }
}

#[test]
fn pipes_in_the_place_of_variables_are_no_input() {
    let files =
        "- hosts: all\n  gather_facts: false\n  vars_files: [more.yml]\n  tasks: [debug: ]\n";
    let plain = play("    - debug:\n");
    for (name, playbook) in [
        ("group_vars/all.yml", &*plain),
        ("group_vars/all", &plain),
        ("group_vars/all/more.yml", &plain),
        ("host_vars/h1.yml", &plain),
        ("more.yml", files),
    ] {
        let place = place();
        pipe(&place, name);
        refused(
            &run(&place, playbook),
            &["it is a named pipe", name, "1 error"],
        );
    }
}

#[test]
fn what_a_shell_hands_over_as_a_pipe_is_read() {
    let place = place();
    place.write("site.yml", &play("    - debug: msg={{ a }}\n"));
    let script = "exec bash -c '\"$0\" run site.yml -i <(echo h1 ansible_connection=local) -e @<(echo \"a: seen\")' \"$0\"";
    let mut command = place.command();
    let program = command.get_program().to_owned();
    command = {
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", script])
            .arg(program)
            .current_dir(place.path());
        shell
    };
    let printed = place.printed(&mut command);
    fine(&printed);
    assert!(printed.out.contains("seen"), "{}", printed.text());
}

/// Two links in a folder that lead back to it: each way down has as many more as there are links.
fn link_back(place: &Place, folder: &str) {
    for name in ["l1", "l2"] {
        let link = place.path().join(folder).join(name);
        std::os::unix::fs::symlink(".", link).expect("links can be made");
    }
}

#[test]
fn links_that_lead_back_to_their_folder_are_not_gone_through_for_ever() {
    let place = place();
    place.write("inv/hosts.ini", HOST);
    place.write("inv/group_vars/all/a.yml", "of_all: 1\n");
    place.write("roles/r/vars/main/a.yml", "of_role: 2\n");
    place.write("extra/a.yml", "of_folder: 3\n");
    let tasks = "- include_vars: {dir: \"{{ playbook_dir }}/extra\"}\n\
                 - debug: {msg: \"sum {{ of_all + of_role + of_folder }}\"}\n";
    place.write("roles/r/tasks/main.yml", tasks);
    for folder in ["inv", "inv/group_vars/all", "roles/r/vars/main", "extra"] {
        link_back(&place, folder);
    }
    let playbook = "- hosts: all\n  gather_facts: false\n  roles: [r]\n";
    place.write("site.yml", playbook);
    let printed = place.run_bounded(SPACE, &["run", "site.yml", "-i", "inv"]);
    fine(&printed);
    assert!(printed.out.contains("sum 6"), "{}", printed.text());
}

#[test]
fn a_folder_that_is_copied_with_a_link_to_itself_is_an_error() {
    let place = place();
    place.write("files/d/a", "x");
    link_back(&place, "files/d");
    let task = format!(
        "    - copy: {{src: d, dest: {}/there/, local_follow: true}}\n",
        place.path().display()
    );
    let printed = run(&place, &play(&task));
    refused(&printed, &["l1", "a link to a folder that it is in"]);
}
