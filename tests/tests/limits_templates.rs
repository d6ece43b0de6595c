//! What a template can make of a host's large answer, and of values in values: each case is one that took all
//! memory, all time or the stack, in little address space.

use std::fmt::Write as _;

use windlass_tests::program::{Place, Printed};

/// MiB of address space.
const SPACE: u64 = 1024;

/// Less, for what has only to do with a few lines of many.
const LITTLE: u64 = 320;

/// A play of tasks that each show a text, and go on if that fails.
fn play(first: &str, texts: &[&str]) -> String {
    let mut play = format!("- hosts: all\n  gather_facts: false\n  tasks:\n{first}");
    for text in texts {
        let quoted = serde_json::to_string(text).expect("it is text");
        let task = format!("    - debug:\n        msg: {quoted}\n      ignore_errors: true");
        writeln!(play, "{task}").expect("a string takes all");
    }
    play
}

fn run(space: u64, playbook: &str) -> Printed {
    let place = Place::new();
    place.write("hosts.ini", "h1 ansible_connection=local\n");
    place.write("site.yml", playbook);
    let words = ["run", "site.yml", "-i", "hosts.ini", "--output", "ansible"];
    let printed = place.run_bounded(space, &words);
    assert_eq!(printed.status, 0, "{}", printed.text());
    printed
}

/// How often each of these is in what was printed.
#[track_caller]
fn counts(printed: &Printed, expected: &[(&str, usize)]) {
    for (text, count) in expected {
        let found = printed.out.matches(text).count();
        assert_eq!(found, *count, "{text:?} in\n{}", printed.text());
    }
}

/// Values in values, by every kind of object that a template makes.
const NESTED: &[&str] = &[
    "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
    "{% set ns = namespace(x=1) %}{% for i in range(300000) %}{% set ns.x = cycler(ns.x) %}{% endfor %}done",
    "{% set ns = namespace(x=1) %}{% for i in range(200000) %}{% for j in [ns.x] %}{% set ns.x = loop %}{% endfor %}{% endfor %}done",
    "{% set ns = namespace(x=1) %}{% macro m() %}{% set ns.x = varargs %}{% endmacro %}{% for i in range(200000) %}{{ m(ns.x) }}{% endfor %}done",
    "{% set ns = namespace(x=1) %}{% macro m() %}{% set ns.x = kwargs %}{% endmacro %}{% for i in range(200000) %}{{ m(a=ns.x) }}{% endfor %}done",
    "{% set ns = namespace(x=1) %}{% for i in range(300000) %}{% set ns.x = [{'a': ns.x}] | groupby('a') | first %}{% endfor %}done",
    "{% set ns = namespace(x='a') %}{% for i in range(35) %}{% set ns.x = cycler(ns.x, ns.x) %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace(x='a') %}{% for i in range(35) %}{% set ns.x = cycler(ns.x, ns.x) %}{% endfor %}{{ ns.x == 1 }}",
    "{% set l = [] %}{% do l.append((l,)) %}{{ l }}",
    "{% set d = {} %}{% do d.update({'x': (d,)}) %}{{ d }}",
    "{% for i in [1] %}{{ loop.changed(loop) }}{% endfor %}",
];

/// Objects that templates may make, and that say no more than what they are.
const OBJECTS: &[&str] = &[
    "{% set ns = namespace(x=1) %}{{ ns }}{{ ns == ns }}{{ ns == namespace(x=1) }}",
    "{% set c = cycler('a', 'b') %}{{ c }}{{ c == cycler('a', 'b') }}",
    "{% macro m() %}{% endmacro %}{{ m }}{{ m in [m] }}",
    "{% for i in [1, 2] %}{{ loop }}{% endfor %}",
];

#[test]
fn values_in_values_are_no_deep_stack_by_any_object() {
    let printed = run(SPACE, &play("", NESTED));
    counts(&printed, &[("...ignoring", NESTED.len())]);
    counts(
        &printed,
        &[
            ("in each other more than 100 deep", NESTED.len() - 3),
            ("more than 1000000 others", 3),
        ],
    );
    let printed = run(SPACE, &play("", OBJECTS));
    counts(
        &printed,
        &[
            ("...ignoring", 0),
            ("<namespace>TrueFalse", 1),
            ("<cycler of 2>False", 1),
            ("<macro m>True", 1),
            ("<loop 1/2><loop 2/2>", 1),
        ],
    );
}

/// Ten million bytes in five million lines.
const LINES: &str = "    - shell: yes | head -c 10000000\n      register: r\n";

#[test]
fn a_slice_of_a_large_answer_takes_what_it_picks() {
    let texts = [
        "{{ r.stdout_lines[-5:] }}",
        "{{ r.stdout_lines[:3] + r.stdout_lines[10:4:-3] }}",
        "{{ r.stdout[:4] | to_json }}{{ r.stdout[-3:] | to_json }}{{ r.stdout[6::-2] }}",
        "{{ r.stdout_lines | first }}{{ r.stdout_lines | last }}{{ r.stdout_lines | length }}",
        "{{ r.stdout_lines[:400000:40] | length }}",
        "{{ r.stdout_lines[:] }}",
        "{{ r.stdout_lines[::-1] }}",
    ];
    let printed = run(LITTLE, &play(LINES, &texts));
    counts(&printed, &[("...ignoring", 2)]);
    let five = "[\"y\", \"y\", \"y\", \"y\", \"y\"]";
    let lists = printed.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let lists = lists.replace("[ ", "[").replace(" ]", "]");
    assert_eq!(lists.matches(five).count(), 2, "{}", printed.text());
    counts(&printed, &[("yy5000000", 1), ("10000", 1)]);
}

#[test]
fn a_text_that_is_set_or_returned_counts_each_time() {
    let texts = [
        "{% set ns = namespace(l=[]) %}{% for i in range(150) %}{% set t %}{{ r.stdout }}{% endset %}{% do ns.l.append(t) %}{% endfor %}",
        "{% macro m() %}{{ r.stdout }}{% endmacro %}{% set l = [] %}{% for i in range(150) %}{% do l.append(m()) %}{% endfor %}",
        "{% set l = [] %}{% set big = range(90000) | list %}{% for i in range(3000) %}{% do l.append(big) %}{% endfor %}",
    ];
    let printed = run(SPACE, &play(LINES, &texts));
    counts(
        &printed,
        &[("...ignoring", 3), ("makes more than 64 MiB", 3)],
    );
}

#[test]
fn yaml_of_a_host_is_bounded_by_what_is_made_of_it() {
    let answers = "    - shell: printf '{'; yes a, | head -n 300000; printf '}'\n      register: r\n    \
                   - shell: yes -- '- []' | head -n 1000000\n      register: l\n    \
                   - shell: yes 'a{{ ':' }} 1' | head -n 1000000\n      register: m\n";
    let texts = [
        "{{ r.stdout | from_yaml }}",
        "{{ l.stdout | from_yaml }}",
        "{{ m.stdout | from_yaml }}",
    ];
    let printed = run(SPACE, &play(answers, &texts));
    counts(
        &printed,
        &[("...ignoring", 3), ("699050 values", 2), ("given twice", 1)],
    );
}
