//! `encrypt-secrets.yml`: Secrets are encrypted in etcd, a new key takes over from the old one, and a run that was stopped is gone
//! on with.

use windlass_tests::lab::unchanged;

use crate::life::Life;

const ON: [&str; 2] = ["-e", "encrypt_secrets=true"];

/// How a Secret stands in etcd: what comes before its value.
#[track_caller]
fn stored(life: &Life, secret: &str) -> String {
    let first = life.hosts.control_plane[0];
    let ask = format!(
        "pki=/etc/kubernetes/pki/etcd; set -- get /registry/secrets/default/{secret} --print-value-only
         set -- --endpoints https://127.0.0.1:2379 --cacert $pki/ca.crt --cert $pki/server.crt --key $pki/server.key \"$@\"
         id=$(crictl ps -q --name '^etcd$' 2>/dev/null | head -n 1)
         {{ if command -v etcdctl >/dev/null; then ETCDCTL_API=3 etcdctl \"$@\"
            else ctr -n k8s.io tasks exec --exec-id ask-$$ ${{id:-$(ctr -n k8s.io containers ls -q 'labels.\"io.kubernetes.container.name\"==etcd' | head -n 1)}} etcdctl \"$@\"; fi; }} |
         head -c 64 | tr -c '[:print:]' '.'"
    );
    life.lab.on(first, &ask).well()
}

/// The key that writes on each control plane, by its name.
#[track_caller]
fn keys(life: &Life) -> Vec<String> {
    let names = "cut -d ' ' -f 1 /etc/kubernetes/pki/encryption/secrets.key; stat -c %a /etc/kubernetes/pki/encryption/*";
    let of = |node: &&str| life.lab.on(node, names).well();
    let all: Vec<String> = life.hosts.control_plane.iter().map(of).collect();
    for text in &all {
        assert!(
            text.lines()
                .filter(|line| line.len() == 3)
                .all(|mode| mode == "600"),
            "{text}"
        );
    }
    let mut all: Vec<String> = all
        .iter()
        .map(|text| {
            text.lines()
                .filter(|line| line.len() != 3)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    all.dedup();
    assert_eq!(all.len(), 1, "the control planes have other keys: {all:?}");
    all[0]
        .split(' ')
        .filter(|name| *name != "identity")
        .map(str::to_owned)
        .collect()
}

pub fn encrypt_secrets(life: &Life) {
    let planes = life.hosts.control_plane.len();
    let _ = life
        .kubectl("create secret generic hidden --from-literal=word=swordfish")
        .well();
    assert!(
        !stored(life, "hidden").contains("k8s:enc:"),
        "it is encrypted before"
    );
    let refused = life.play("encrypt-secrets.yml", &[]);
    assert_eq!(refused.status, 2, "{}", refused.text);
    assert!(
        refused
            .text
            .contains("Set encrypt_secrets: true in the inventory"),
        "{}",
        refused.text
    );
    // Another playbook must not take half of the way.
    let elsewhere = life.play("reconfigure.yml", &ON);
    assert_eq!(elsewhere.status, 2, "{}", elsewhere.text);
    assert!(
        elsewhere.text.contains("encrypt-secrets.yml does that"),
        "{}",
        elsewhere.text
    );

    let done = life.play("encrypt-secrets.yml", &ON).well();
    let first = keys(life);
    assert_eq!(first.len(), 1, "{first:?}");
    let is = stored(life, "hidden");
    assert!(
        is.starts_with(&format!("k8s:enc:secretbox:v1:{}:", first[0])),
        "{is}"
    );
    let secret = life
        .lab
        .on(
            life.hosts.control_plane[0],
            "cut -d ' ' -sf 3 /etc/kubernetes/pki/encryption/secrets.key | head -n 1",
        )
        .well();
    assert!(
        secret.trim().len() > 40 && !done.contains(secret.trim()),
        "the key is in the output"
    );
    unchanged(&life.play("encrypt-secrets.yml", &ON).well(), planes);
    let told = life.play("reconfigure.yml", &ON).well();
    assert!(
        told.contains("What runs is what the variables say"),
        "{told}"
    );
    let forgotten = life.play("reconfigure.yml", &[]);
    assert_eq!(forgotten.status, 2, "{}", forgotten.text);

    let _ = life
        .play(
            "encrypt-secrets.yml",
            &[&ON[..], &["-e", "secrets_rotate=true"]].concat(),
        )
        .well();
    let second = keys(life);
    assert_eq!(second.len(), 1, "{second:?}");
    assert_ne!(first, second);
    let is = stored(life, "hidden");
    assert!(
        is.starts_with(&format!("k8s:enc:secretbox:v1:{}:", second[0])),
        "{is}"
    );
    let word = life
        .kubectl("get secret hidden -o jsonpath={.data.word}")
        .well();
    assert_eq!(word.trim(), "c3dvcmRmaXNo");
    unchanged(&life.play("encrypt-secrets.yml", &ON).well(), planes);
    let _ = life.kubectl("delete secret hidden").well();
    life.whole();
}
