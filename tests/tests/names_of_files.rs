//! Which files of the control host are compiled: no host chooses one by what is in the name.

use windlass_tests::program::Place;

/// A host that says a name, and a file that an earlier run fetched from it.
fn place() -> Place {
    let place = Place::new();
    place.write("hosts.ini", "h1 ansible_connection=local\n");
    place.write(
        "fetched/app.yml",
        "- shell: touch canary\n- debug: msg={{ 'ca' ~ 'nary' }}\n",
    );
    place.write(
        "fetched/vars.yml",
        "found: \"{{ lookup('pipe', 'touch canary') }}\"\n",
    );
    place.write("fetched/app.j2", "{{ lookup('pipe', 'touch canary') }}\n");
    place.write(
        "fetched/role/tasks/main.yml",
        "- shell: touch canary\n- debug: msg={{ 'ca' ~ 'nary' }}\n",
    );
    for role in [
        "roles/good.yml/tasks/main.yml",
        "roles/os/tasks/os/good.yml",
    ] {
        place.write(role, "[]\n");
    }
    place.write("templates/in.j2", "{% include 'os/' ~ name %}\n");
    for folder in ["os", "vars/os", "tasks/os", "templates/os"] {
        place.write(&format!("{folder}/good.yml"), "[]\n");
        place.write(&format!("{folder}/good.j2"), "good\n");
    }
    place.write("vars/os/good.yml", "{}\n");
    place
}

const SAYS: &str =
    "    - {shell: 'echo NAME', register: r}\n    - {set_fact: {name: '{{ r.stdout }}'}}\n";

const USES: &[(&str, &str)] = &[
    (
        "../fetched/app.yml",
        "    - include_tasks: 'os/{{ r.stdout }}'\n",
    ),
    (
        "../fetched/app.yml",
        "    - include_tasks: 'os/{{ item }}'\n      loop: '{{ r.stdout_lines }}'\n",
    ),
    (
        "../fetched/role",
        "    - include_role: {name: '{{ r.stdout }}'}\n",
    ),
    (
        "../../../../fetched/role/tasks/main.yml",
        "    - include_role: {name: os, tasks_from: 'os/{{ r.stdout }}'}\n",
    ),
    (
        "../../fetched/vars.yml",
        "    - include_vars: 'os/{{ r.stdout }}'\n    - debug: msg={{ found | default }}\n",
    ),
    (
        "../fetched/app.j2",
        "    - template: {src: 'os/{{ r.stdout }}', dest: ./out}\n",
    ),
    (
        "../../fetched/app.j2",
        "    - template: {src: in.j2, dest: ./out}\n",
    ),
    (
        "../../fetched/app.j2",
        "    - debug: {msg: \"{{ lookup('template', 'os/' ~ name) }}\"}\n",
    ),
];

#[test]
fn a_host_does_not_choose_which_file_is_compiled() {
    for (evil, uses) in USES {
        for (says, refused) in [
            (*evil, true),
            (
                if evil.ends_with("j2") {
                    "good.j2"
                } else {
                    "good.yml"
                },
                false,
            ),
        ] {
            let place = place();
            let says = SAYS.replace("NAME", says);
            let uses = uses.replace("./out", &place.path().join("out").display().to_string());
            let playbook = format!("- hosts: all\n  gather_facts: false\n  tasks:\n{says}{uses}");
            place.write("site.yml", &playbook);
            let printed = place.run(&["run", "site.yml", "-i", "hosts.ini"]);
            assert_eq!(
                printed.status,
                if refused { 2 } else { 0 },
                "{uses}\n{}",
                printed.text()
            );
            let words = printed.out.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(
                words.contains("to another folder"),
                refused,
                "{}",
                printed.text()
            );
            assert!(!place.path().join("canary").exists(), "{uses}");
        }
    }
}

#[test]
fn a_host_does_not_choose_which_file_of_variables_is_read() {
    let place = place();
    let says = SAYS.replace("NAME", "../../fetched/vars");
    let playbook = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n{says}\
         - hosts: all\n  gather_facts: false\n  vars_files: ['os/{{{{ r.stdout }}}}.yml']\n  tasks:\n    \
         - debug: msg={{{{ found }}}}\n"
    );
    place.write("site.yml", &playbook);
    let printed = place.run(&["run", "site.yml", "-i", "hosts.ini"]);
    let words = printed.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("to another folder"), "{}", printed.text());
    assert!(!place.path().join("canary").exists());
}
