//! The real kubeadm reads what the shipped template writes, in every version of the API that it knows.

use crate::life::Life;

/// Renders the shipped template on the node as the playbooks do.
const RENDER: &str = r#"
- name: Write down what kubeadm would be given
  hosts: control_plane[0]
  become: true
  gather_facts: true
  vars_files: ["{{ lab_root }}/playbooks/vars/cluster.yml"]
  tasks:
    - name: See what is there
      import_tasks: "{{ lab_root }}/playbooks/tasks/state.yml"
    - name: Render the shipped template
      template:
        src: "{{ lab_root }}/playbooks/templates/kubeadm-init.yml.j2"
        dest: /root/{{ cluster_api_version }}.yaml
        mode: "0600"
"#;

/// `kubeadm config migrate` and `init --dry-run` take v1beta1 and v1beta2 of ours, and what they make of it holds
/// what only we have said.
pub fn config_api(life: &Life) {
    for api in ["v1beta1", "v1beta2"] {
        rendered(life, api);
        let ours = life.lab.on("cp1", &format!("cat /root/{api}.yaml")).well();
        assert_eq!(
            ours.matches(&format!("apiVersion: kubeadm.k8s.io/{api}"))
                .count(),
            2,
            "{ours}"
        );
        migrated(life, api);
        tried(life, api);
    }
    // Nothing was made by it, and nothing is left for those who come after.
    let left = life
        .lab
        .on(
            "cp1",
            "rm -rf /etc/kubernetes/tmp /root/*.yaml; ls -A /etc/kubernetes",
        )
        .text;
    assert!(
        !left.contains("admin.conf") && !left.contains("manifests") && !left.contains("pki"),
        "{left}"
    );
}

fn rendered(life: &Life, api: &str) {
    let playbook = RENDER.replace(
        "{{ lab_root }}",
        &windlass_tests::program::root().display().to_string(),
    );
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("render.yml");
    std::fs::write(&file, playbook).expect("files can be written there");
    let variables = format!(
        r#"{{"kubeadm_api_version": "{api}", "pod_subnet": "10.77.0.0/16", "service_subnet": "10.78.0.0/16",
            "cert_sans": ["ours.example.com"], "kubernetes_version": "v1.20.2", "certificate_distribution": "copy",
            "kubeadm_cluster_extra": {{"apiServer": {{"extraArgs": {{"profiling": "false"}}}}}}}}"#
    );
    let inventory = life.inventory("hosts", &life.hosts);
    let file = file.display().to_string();
    let _ = life
        .lab
        .windlass_on(&inventory, &[&file, "-e", &variables])
        .well();
}

/// `kubeadm config migrate` writes the newest API it knows.
fn migrated(life: &Life, api: &str) {
    let migrate = format!(
        "kubeadm config migrate --old-config /root/{api}.yaml --new-config /root/new.yaml && cat /root/new.yaml"
    );
    let text = life.lab.on("cp1", &migrate).well();
    for said in [
        "apiVersion: kubeadm.k8s.io/v1beta2",
        "podSubnet: 10.77.0.0/16",
        "serviceSubnet: 10.78.0.0/16",
        "- ours.example.com",
        "profiling: \"false\"",
        "kubernetesVersion: v1.20.2",
    ] {
        assert!(text.contains(said), "{api}: no {said} in\n{text}");
    }
    let endpoint = format!("controlPlaneEndpoint: {}.1:6443", life.lab.subnet());
    assert!(text.contains(&endpoint), "{api}: no {endpoint} in\n{text}");
}

/// `kubeadm init --dry-run` shows the manifests that it would write.
fn tried(life: &Life, api: &str) {
    let init = format!(
        "kubeadm init --dry-run --config /root/{api}.yaml --ignore-preflight-errors=all 2>&1"
    );
    let text = life.lab.on("cp1", &init).well();
    for said in [
        "--service-cluster-ip-range=10.78.0.0/16",
        "--cluster-cidr=10.77.0.0/16",
        "--profiling=false",
        "ours.example.com",
        "cgroupDriver: cgroupfs",
    ] {
        assert!(text.contains(said), "{api}: no {said} in\n{text}");
    }
}
