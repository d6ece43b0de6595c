//! What kubeadm is given for each version: the shipped templates, rendered with the shipped variables and
//! completed by the modules, up to the bytes that the node's kubeadm reads.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should end there"
)]

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use windlass::template::{FileOptions, Options, Scope, Templar, TemplateError, from_json, to_json};
use windlass::yaml::{self, Node};
use windlass_modules::fake::{Controller, Fake};
use windlass_modules::{Context, Input, Reply, registry};

/// The variables of a play on one host: the inventory's over those of `playbooks/vars/cluster.yml`.
#[derive(Clone)]
struct Variables {
    templar: Templar,
    defaults: Arc<Node>,
    data: Arc<Json>,
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables")
    }
}

impl Scope for Variables {
    fn get(&self, name: &str) -> Option<Result<minijinja::Value, TemplateError>> {
        if let Some(value) = self.data.get(name) {
            return Some(Ok(from_json(value)));
        }
        let node = self.defaults.as_mapping()?.get(name)?;
        let scope: Arc<dyn Scope> = Arc::new(self.clone());
        Some(self.templar.render(node, &scope))
    }

    fn names(&self) -> Vec<String> {
        let data = self
            .data
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys().cloned());
        let defaults = self
            .defaults
            .as_mapping()
            .into_iter()
            .flat_map(yaml::Mapping::iter);
        data.chain(defaults.filter_map(|(key, _)| Some(key.as_str()?.to_owned())))
            .collect()
    }
}

fn playbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../playbooks")
}

/// The API that `kubeadm_state` says to write for a version, by asking the module itself.
async fn state(version: &str) -> Json {
    let host = Fake::saying(&[&absent(version)]);
    outcome(&host, "kubeadm_state", json!({"control_plane": true})).await
}

/// What an empty node answers when it is looked at.
fn absent(version: &str) -> String {
    format!("version {}\n{version}\nnode_name 3\ncp1\n", version.len())
}

async fn outcome(host: &Fake, module: &str, arguments: Json) -> Json {
    let control = Controller::new(playbooks());
    let context = Context {
        host,
        control: &control,
        check: false,
        diff: false,
    };
    let task = registry::find(module).unwrap().parse(arguments).unwrap();
    Json::Object(task.run(&context).await.unwrap().data)
}

async fn variables(version: &str, inventory: &Json) -> Variables {
    let state = state(version).await;
    let mut data = json!({
        "groups": {"control_plane": ["cp1"], "workers": []},
        "group_names": ["control_plane"],
        "inventory_hostname": "cp1",
        "control_plane_endpoint": "192.0.2.10:6443",
        "runtime_cgroups": {"stdout": "systemd"},
        "hostvars": {"cp1": {"node_state": state}},
        "node_state": state,
    });
    for (name, value) in inventory.as_object().unwrap() {
        data[name] = value.clone();
    }
    Variables {
        templar: Templar::new(Options::default()),
        defaults: yaml::load(&playbooks().join("vars/cluster.yml")).unwrap(),
        data: Arc::new(data),
    }
}

fn rendered(variables: &Variables, template: &str) -> String {
    let path = playbooks().join("templates").join(template);
    let text = std::fs::read_to_string(&path).unwrap();
    let scope: Arc<dyn Scope> = Arc::new(variables.clone());
    variables
        .templar
        .render_text(&text, template, &FileOptions::default(), &scope)
        .unwrap()
}

/// The configuration that reaches a node's kubeadm over standard input.
async fn given(version: &str, module: &str, arguments: Json) -> String {
    let host = Fake::new([
        Ok(Reply {
            stdout: absent(version).into_bytes(),
            ..Reply::default()
        }),
        Ok(Reply::default()),
    ]);
    outcome(&host, module, arguments).await;
    match &host.scripts()[1].stdin {
        Input::Secret(secret) => secret.expose().to_owned(),
        other => panic!("the configuration should be a secret, not {other:?}"),
    }
}

async fn init(version: &str, inventory: &Json) -> String {
    let variables = variables(version, inventory).await;
    let content = rendered(&variables, "kubeadm-init.yml.j2");
    given(version, "kubeadm_init", json!({"content": content})).await
}

async fn join(version: &str, inventory: &Json, control_plane: bool) -> String {
    let variables = variables(version, inventory).await;
    let content = rendered(&variables, "kubeadm-join.yml.j2");
    let mut arguments = json!({
        "content": content,
        "endpoint": "192.0.2.10:6443",
        "token": "abcdef.0123456789abcdef",
        "ca_cert_hashes": ["sha256:00"],
        "control_plane": control_plane,
    });
    if control_plane && version != "v1.13.12" {
        arguments["certificate_key"] = json!("k3y");
    }
    given(version, "kubeadm_join", arguments).await
}

/// One version of every span in which the configuration looks alike, and its neighbours.
const VERSIONS: &[&str] = &[
    "v1.13.12", "v1.15.12", "v1.20.2", "v1.22.17", "v1.27.16", "v1.31.4", "v1.34.1", "v1.37.0",
];

#[tokio::test]
async fn the_least_that_an_inventory_can_say() {
    for version in VERSIONS {
        let documents = init(version, &json!({})).await;
        insta::assert_snapshot!(format!("init_{version}"), documents);
    }
}

#[tokio::test]
async fn all_that_an_inventory_can_say() {
    let inventory = json!({
        "pod_subnet": "10.1.0.0/16",
        "service_subnet": "10.2.0.0/16",
        "cert_sans": ["api.example.com"],
        "node_ip": "192.0.2.11",
        "node_name": "first",
        "cri_socket": "unix:///run/crio/crio.sock",
        "image_repository": "registry.example.com/k8s",
        "kubeadm_init_extra": {"nodeRegistration": {"taints": [], "kubeletExtraArgs": {"v": 2}}},
        "kubeadm_cluster_extra": {"apiServer": {"extraArgs": {"profiling": false}}, "networking": {"dnsDomain": "example"}},
        "kubeadm_join_extra": {"nodeRegistration": {"kubeletExtraArgs": {"v": 2}}},
        "kubelet_extra": {"cgroupDriver": "cgroupfs", "maxPods": 200},
        "kube_proxy_extra": {"mode": "ipvs"},
    });
    for version in ["v1.20.2", "v1.31.4"] {
        insta::assert_snapshot!(
            format!("init_all_{version}"),
            init(version, &inventory).await
        );
        let joined = join(version, &inventory, true).await;
        insta::assert_snapshot!(format!("join_all_{version}"), joined);
    }
}

#[tokio::test]
async fn the_older_api_is_written_where_it_is_asked_for() {
    let documents = init("v1.20.2", &json!({"kubeadm_api_version": "v1beta1"})).await;
    assert_eq!(documents.matches("kubeadm.k8s.io/v1beta1").count(), 2);
}

#[tokio::test]
async fn joining_by_version_and_role() {
    for version in ["v1.13.12", "v1.20.2", "v1.37.0"] {
        let joined = join(version, &json!({}), true).await;
        insta::assert_snapshot!(format!("join_control_plane_{version}"), joined);
    }
    let joined = join("v1.20.2", &json!({}), false).await;
    assert!(!joined.contains("controlPlane"), "{joined}");
}

/// Expressions of `playbooks/vars/cluster.yml` that tasks depend on.
#[tokio::test]
async fn what_follows_from_the_variables() {
    let state = |name: &str, state: &str| json!({"inventory_hostname": name, "node_state": {"state": state, "version": "v1.20.2"}});
    let variables = variables(
        "v1.20.2",
        &json!({
            "groups": {"control_plane": ["cp1", "cp2", "cp3"], "workers": ["w1", "w2"]},
            "hostvars": {
                "cp1": state("cp1", "joined"), "cp2": state("cp2", "half"), "cp3": {"inventory_hostname": "cp3"},
                "w1": state("w1", "absent"), "w2": state("w2", "joined"),
            },
            "ansible_check_mode": true,
            "kubeconfig_dest": "/home/me/.kube/config",
        }),
    )
    .await;
    let value = |name: &str| to_json(&variables.get(name).unwrap().unwrap());
    assert_eq!(
        value("cluster_nodes_seen"),
        json!(["cp1", "cp2", "w1", "w2"])
    );
    assert_eq!(value("cluster_nodes_to_join"), json!(["cp2", "w1"]));
    assert_eq!(value("cluster_control_planes_to_join"), json!(["cp2"]));
    assert_eq!(value("cluster_is_up"), json!(true));
    assert_eq!(value("cluster_endpoint_host"), json!("192.0.2.10"));
    assert_eq!(value("cluster_endpoint_port"), json!("6443"));
    assert_eq!(value("cluster_kubernetes_version"), json!("v1.20.2"));
    assert_eq!(
        value("cluster_kubeconfig_dest"),
        json!("/home/me/.kube/config")
    );
    assert_eq!(value("cluster_repair"), json!(false));
}
