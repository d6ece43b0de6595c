//! A task, or a few, for each module; and what a playbook then does with the results.

use std::fmt::Write;

/// For each module: its tasks' arguments. The result of the last is `r`, which the uses are about.
const CASES: &[(&str, &[&str])] = &[
    (
        "apt",
        &["apt: {name: windlass-none, state: present, lock_timeout: 0}"],
    ),
    (
        "assert",
        &[
            "command: cat report.txt",
            "assert: {that: ['r.stdout is defined', '\"x\" not in (r.stdout | default(\"\"))'], fail_msg: '{{ r.stdout | default(0) }}'}",
        ],
    ),
    (
        "blockinfile",
        &[
            "blockinfile: {path: ~/block.conf, create: true, block: '{{ said }}', marker: '# {mark} ours', backup: true}",
        ],
    ),
    (
        "certificate_info",
        &["certificate_info: {paths: [/etc/kubernetes/pki/ca.crt], kubernetes: /etc/kubernetes}"],
    ),
    (
        "command",
        &[
            "command: cat report.txt",
            "command: {argv: [echo, '{{ said }}'], stdin: '{{ said }}'}",
        ],
    ),
    (
        "copy",
        &[
            "copy: {content: '{{ said }}', dest: ~/copied, mode: '0600', backup: true}",
            "copy: {src: large.bin, dest: ~/large}",
            "copy: {src: sent.txt, dest: ~/sent/, mode: '0644'}",
        ],
    ),
    (
        "debug",
        &[
            "command: cat report.txt",
            "debug: {msg: '{{ r.stdout | default(said) }}'}",
        ],
    ),
    ("dnf", &["dnf: {name: windlass-none, lock_timeout: 0}"]),
    (
        "etcd_member",
        &["etcd_member: {state: absent, peer_url: 'https://10.9.9.9:2380'}"],
    ),
    (
        "fail",
        &[
            "command: cat report.txt",
            "fail: {msg: '{{ r.stdout | default(said) }}'}",
        ],
    ),
    (
        "fetch",
        &[
            "fetch: {src: ~/report.txt, dest: ./, flat: true}",
            "fetch: {src: '$HOME/hosts.ini', dest: fetched/home/, flat: true}",
            "fetch: {src: /etc/hostname, dest: fetched/}",
            "fetch: {src: ~/big.bin, dest: fetched/}",
        ],
    ),
    (
        "file",
        &[
            "file: {path: ~/folder, state: directory, mode: '0700'}",
            "file: {path: ~/link, src: report.txt, state: link, force: true}",
        ],
    ),
    (
        "get_url",
        &["get_url: {url: 'http://127.0.0.1:9/x', dest: ~/got, timeout: 1}"],
    ),
    (
        "hostname",
        &["hostname: {name: other.example}", "hostname: {name: NODE}"],
    ),
    (
        "include_vars",
        &[
            "include_vars: {dir: ., depth: 1, files_matching: '^words[.]yml$', ignore_files: ['{{ said }}']}",
            "debug: {msg: '{{ words_of | default(0) }}'}",
        ],
    ),
    (
        "kube_apply",
        &[
            "kube_apply: {content: '{kind: ConfigMap, apiVersion: v1, metadata: {name: x}}', kubeconfig: /etc/hostname, retries: 0, delay: 0}",
        ],
    ),
    ("kube_nodes", &["kube_nodes: {kubeconfig: /etc/hostname}"]),
    (
        "kubeadm_init",
        &[
            "kubeadm_init: {content: '{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta3}', validate_only: true}",
            "kubeadm_init: {content: '{kind: ClusterConfiguration, apiVersion: kubeadm.k8s.io/v1beta3}', timeout: 1, settle: 0}",
        ],
    ),
    (
        "kubeadm_join",
        &[
            "kubeadm_join: {endpoint: '127.0.0.1:6443', token: qwerty.0123456789abcdef, ca_cert_hashes: ['sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'], timeout: 1, settle: 0}",
        ],
    ),
    (
        "kubeadm_reset",
        &["kubeadm_reset: {force: true, settle: 0}"],
    ),
    ("kubeadm_state", &["kubeadm_state: {settle: 0}"]),
    (
        "kubeadm_token",
        &[
            "kubeadm_token: {kubeconfig: /etc/hostname}",
            "kubeadm_token: {kubeconfig: /etc/hostname, certificate_key: true}",
        ],
    ),
    (
        "kubeconfig",
        &["kubeconfig: {src: /etc/hostname, dest: fetched/kubeconfig}"],
    ),
    (
        "lineinfile",
        &["lineinfile: {path: ~/lines.conf, line: 'a={{ said }}', regexp: '^a=', create: true}"],
    ),
    ("modprobe", &["modprobe: {name: windlass_none}"]),
    (
        "node_metadata",
        &[
            "node_metadata: {labels: {fine: {disk: ssd}}, taints: {fine: ['dedicated=db:NoSchedule']}, retries: 1, delay: 0, kubeconfig: /etc/hostname}",
        ],
    ),
    (
        "package",
        &["package: {name: windlass-none, lock_timeout: 0}"],
    ),
    ("pause", &["command: cat report.txt", "pause: {seconds: 0}"]),
    ("ping", &["ping: {data: '{{ said }}'}"]),
    ("raw", &["raw: cat report.txt"]),
    ("script", &["script: words.sh one"]),
    (
        "service",
        &["service: {name: windlass-none, state: started}"],
    ),
    (
        "set_fact",
        &[
            "command: cat report.txt",
            "set_fact: {kept: '{{ r.stdout | default(said) }}', whole: '{{ r }}'}",
        ],
    ),
    (
        "setup",
        &[
            "setup:",
            "setup: {gather_subset: ['!all', network], filter: 'ansible_*'}",
        ],
    ),
    ("shell", &["shell: seq 1 16000; cat report.txt >&2"]),
    ("slurp", &["slurp: {src: ~/report.txt}"]),
    (
        "stat",
        &["stat: {path: ~/link}", "stat: {path: ~/report.txt}"],
    ),
    (
        "sysctl",
        &[
            "sysctl: {name: windlass.none, value: 1, sysctl_file: /tmp/sysctl-none.conf, reload: false}",
        ],
    ),
    (
        "systemd",
        &["systemd: {name: windlass-none, state: started, enabled: true}"],
    ),
    (
        "template",
        &["template: {src: words.j2, dest: ~/rendered, mode: '0600'}"],
    ),
    (
        "validate_argument_spec",
        &[
            "validate_argument_spec: {argument_spec: {said: {type: str, required: true}}}",
            "validate_argument_spec: {argument_spec: {other: {}}, provided_arguments: {other: '{{ said }}'}}",
        ],
    ),
    (
        "wait_for",
        &["wait_for: {path: /etc/hostname, search_regex: '.', timeout: 1, sleep: 1}"],
    ),
    (
        "wait_for_connection",
        &["wait_for_connection: {timeout: 1, connect_timeout: 1, sleep: 1}"],
    ),
    (
        "wait_nodes",
        &[
            "wait_nodes: {names: [fine], timeout: 1, sleep: 1, api_grace: 1, kubeconfig: /etc/hostname}",
        ],
    ),
    (
        "wait_pods",
        &[
            "wait_pods: {selector: app=x, timeout: 1, sleep: 1, grace: 0, api_grace: 1, kubeconfig: /etc/hostname}",
        ],
    ),
];

/// What is done with `r` after each module, whatever it is: `words` are its texts. `X` is a place for the
/// condition, so that each way of using a text is there once.
const USES: &str = r#"
      - name: "use: its texts"
        set_fact:
          words: "{{ ([r.stdout | default('x'), (r.content | default('eA==')) | b64decode, r.source | default('x'), ansible_fqdn | default('x')] + (r.values() | select('string') | list) + (r.stdout_lines | default([]))[:20] + ((r.stat | default({})).values() | select('string') | list)) | map('truncate', 5000) | reject('equalto', 'x') | list | unique }}"
          kept: "{{ r }}"
          ansible_words: "{{ r.stdout | default(r.msg | default('x')) }}"
      - name: "use: a first text"
        set_fact: {word: "{{ (words | default(['x'])) | first | default('x') }}", a_name: "{{ (words | default(['x'])) | last | default('x') }}"}
      - name: "use: a condition of it whole"
        debug: {msg: "reached"}
        when: "{{ word }}"
      - name: "use: in a list of conditions"
        debug: {msg: "reached"}
        when: ["r is defined", "{{ word | default('') }}", "{{ r.stdout | default(r.msg | default(true)) }}"]
      - name: "use: a condition of a variable"
        debug: {msg: "reached"}
        vars: {inner: "{{ word }}", outer: "{{ inner }}"}
        when: "{{ outer }}"
      - name: "use: conditions of items"
        debug: {msg: "{{ item }}"}
        loop: "{{ (words | default([]))[:6] }}"
        when: "{{ item }}"
      - name: "use: as changed and failed"
        debug: {msg: "{{ word }}"}
        changed_when: "{{ word }}"
        failed_when: "{{ a_name | default(word) }}"
      - name: "use: until"
        debug: {msg: "{{ word }}"}
        register: tried
        until: "{{ tried.msg }}"
        retries: 1
        delay: 0
      - name: "use: assert"
        assert: {that: ["{{ word }}", "word is defined"], fail_msg: "{{ word }}", success_msg: "{{ word }}"}
      - name: "use: names and messages {{ word | default('') }}"
        debug: {msg: ["{{ word }}", "{{ kept | to_json }}", "{{ kept | to_nice_yaml }}", "{{ lookup('vars', 'word') }}", "{{ lookup('template', 'words.j2') }}"]}
      - name: "use: read as data"
        debug: {msg: ["{{ word | from_json }}"]}
      - name: "use: read as YAML"
        debug: {msg: ["{{ word | from_yaml }}", "{{ word | from_yaml_all | list }}"]}
      - name: "use: patterns and formats"
        debug: {msg: ["{{ word is match('(a+)+$') }}", "{{ word | regex_replace('(x+x+)+y', 'z') }}", "{{ 'x' | regex_replace('x', word) }}"]}
      - name: "use: as a format"
        debug: {msg: "{{ word | format('x', 1, 2) }}"}
      - name: "use: a variable"
        debug: {var: word}
"#;

/// The same on another host: a few modules stand for all, since each of these takes its time.
const USES_ELSEWHERE: &str = r#"
      - name: "use: on another host, quoted"
        shell: "printf %s {{ word | truncate(3000) | quote }}"
        environment: {WORD: "{{ word | truncate(3000) }}"}
        delegate_to: good1
      - name: "use: on another host, as arguments"
        command: {argv: [printf, "%s", "{{ word | truncate(3000) }}"]}
        delegate_to: good1
      - name: "use: into a file of another host"
        copy: {content: "{{ word }}{{ kept | to_json }}", dest: "/tmp/of-{{ inventory_hostname }}-RUN"}
        delegate_to: good1
      - name: "use: into a line of another host"
        lineinfile: {path: "/tmp/lines-{{ inventory_hostname }}-RUN", line: "{{ word | truncate(3000) }}", create: true}
        delegate_to: good1
"#;

/// The modules that have a case.
pub fn modules() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|(name, _)| *name)
}

/// The playbook with these modules. `limit`: seconds for each task of a hostile host. `uses`: with all
/// that is done with results, or only what holds for 60 MB as well.
pub fn playbook(modules: &[&str], limit: u32, uses: bool, number: usize) -> String {
    let mut text = String::from(
        "- name: All\n  hosts: all\n  gather_facts: false\n  ignore_errors: true\n  ignore_unreachable: true\n  vars: {said: plain words}\n  tasks:\n",
    );
    text.push_str("    - {name: 'first', ping: , timeout: LIMIT, when: inventory_hostname in groups.hostile}\n");
    good(&mut text, "before");
    for (name, tasks) in CASES.iter().filter(|(name, _)| modules.contains(name)) {
        let _ = write!(
            text,
            "    - name: '{name}, and uses'\n      when: inventory_hostname in groups.hostile\n      timeout: LIMIT\n      block:\n"
        );
        for (number, task) in tasks.iter().enumerate() {
            let last = if number + 1 == tasks.len() {
                "module"
            } else {
                "step"
            };
            let _ = write!(
                text,
                "      - name: '{last} {name}'\n        {task}\n        register: r\n        environment: {{HOSTILE_MODULE: {name}}}\n"
            );
        }
        if uses {
            text.push_str(USES.trim_start_matches('\n'));
            if ["command", "setup", "slurp", "stat"].contains(name) || modules.first() == Some(name)
            {
                text.push_str(USES_ELSEWHERE.trim_start_matches('\n'));
            }
        } else {
            text.push_str("      - {name: 'use: a condition', debug: {msg: reached}, when: r.stdout is defined}\n");
        }
        good(&mut text, name);
    }
    text.push_str(AFTER);
    if uses {
        text.push_str(OTHERS);
    }
    text.replace("LIMIT", &limit.to_string())
        .replace("RUN", &run(number))
        .replace("NODE", &node())
}

/// The name that the hosts have already.
fn node() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.expect("a Linux machine").trim().to_owned()
}

/// The number of a run as it stands in paths.
pub fn run(number: usize) -> String {
    format!("{number:08}")
}

/// What the other hosts do meanwhile; every result is the same each time.
fn good(text: &mut String, when: &str) {
    let _ = write!(
        text,
        "    - name: 'good, {when}'\n      shell: 'echo well good ok changed fedcba.0123456789abcdef {when}; echo fine >&2'\n      \
         register: mine\n      when: inventory_hostname in groups.good\n"
    );
}

/// The other hosts go on as before, and results of hostile ones change nothing of how these are reached.
const AFTER: &str = r#"
- name: The others
  hosts: good
  gather_facts: false
  tasks:
    - name: good file
      copy: {content: "well good ok changed {{ inventory_hostname }}\n", dest: "/tmp/{{ inventory_hostname }}-RUN.txt"}
    - name: good look
      slurp: {src: "/tmp/{{ inventory_hostname }}-RUN.txt"}
      register: mine
    - name: good facts
      setup: {gather_subset: ["!all"], filter: ansible_system}
    - name: good words
      debug: {msg: "{{ mine.content | b64decode }} well good ok changed"}
    - name: good end
      shell: 'echo well good ok changed; echo fine >&2'
- name: Again
  hosts: hostile
  gather_facts: true
  timeout: LIMIT
  ignore_errors: true
  ignore_unreachable: true
  tasks:
    - {name: again, ping: , timeout: LIMIT}
"#;

/// What a host does with the words of another.
const OTHERS: &str = r#"
- name: Of others
  hosts: good
  gather_facts: false
  ignore_errors: true
  tasks:
    - name: "use: a condition of another host's"
      debug: {msg: "{{ item }}"}
      loop: "{{ groups.hostile }}"
      when: "{{ hostvars[item].word | default(hostvars[item].r.msg | default('x')) }}"
    - name: "use: facts of another host"
      debug: {msg: "{{ hostvars[item].ansible_facts | default({}) | to_json | truncate(2000) }}"}
      loop: "{{ groups.hostile }}"
    - name: "use: a file of all"
      template: {src: all.j2, dest: "/tmp/all-{{ inventory_hostname }}-RUN"}
"#;
