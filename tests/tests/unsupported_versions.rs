//! Versions that do not go together are refused with the reason while nothing has been changed: by
//! `playbooks/tasks/state.yml`, on this machine with a stand-in for kubeadm.

use windlass_tests::program::{Place, Printed, root};

/// What stacked.yml does before it changes anything, on a node whose kubeadm is of this version.
fn look(kubeadm: &str, variables: &str) -> Printed {
    let place = Place::new();
    place.program("bin/kubeadm", &format!("echo {kubeadm}"));
    place.write(
        "hosts.ini",
        "[control_plane]\ncp1 node_name=first\ncp2 node_name=second\n[all:vars]\nansible_connection=local\ncontrol_plane_endpoint=192.0.2.1:6443\n",
    );
    let shipped = root().join("playbooks");
    let shipped = shipped.display();
    place.write(
        "site.yml",
        &format!(
            "- hosts: control_plane\n  gather_facts: false\n  vars_files: [{shipped}/vars/cluster.yml]\n  tasks:\n    - import_tasks: {shipped}/tasks/validate.yml\n    - import_tasks: {shipped}/tasks/state.yml\n"
        ),
    );
    let path = format!(
        "{}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        place.path().display()
    );
    let mut command = place.command();
    command.env("PATH", path);
    command.args(["run", "site.yml", "-i", "hosts.ini", "-e", variables]);
    place.printed(&mut command)
}

#[track_caller]
fn refused(printed: &Printed, words: &str) {
    assert_eq!(printed.status, 2, "{}", printed.text());
    let flowing = printed.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains(words), "{}", printed.text());
    assert!(flowing.contains("changed=0 "), "{}", printed.text());
}

#[test]
fn a_kubeadm_that_is_too_old_or_too_new() {
    refused(
        &look("v1.12.9", "{}"),
        "kubeadm v1.12.9 is older than v1.13",
    );
    refused(
        &look("v1.38.0", "{}"),
        "kubeadm v1.38.0 is newer than v1.37",
    );
}

#[test]
fn a_configuration_that_this_kubeadm_does_not_read() {
    for (kubeadm, api, reads) in [
        ("v1.14.10", "v1beta2", "v1beta1"),
        ("v1.22.0", "v1beta1", "v1beta2 or v1beta3"),
        ("v1.27.0", "v1beta2", "v1beta3"),
        ("v1.30.0", "v1beta4", "v1beta3"),
        ("v1.37.0", "v1beta3", "v1beta4"),
    ] {
        let printed = look(kubeadm, &format!("kubeadm_api_version={api}"));
        refused(
            &printed,
            &format!("reads its configuration as {reads}, not as {api}"),
        );
    }
}

#[test]
fn a_kubernetes_that_this_kubeadm_does_not_install() {
    for version in ["v1.29.4", "v1.32.0"] {
        let printed = look("v1.31.4", &format!("kubernetes_version={version}"));
        refused(&printed, &format!("Asked for is {version}"));
    }
    let printed = look("v1.31.4", "kubernetes_version=v1.30.0");
    assert_eq!(printed.status, 0, "{}", printed.text());
}

#[test]
fn uploaded_certificates_before_v1beta2() {
    refused(
        &look("v1.14.10", "{}"),
        "Set certificate_distribution: copy",
    );
    let printed = look("v1.14.10", "certificate_distribution=copy");
    assert_eq!(printed.status, 0, "{}", printed.text());
}
