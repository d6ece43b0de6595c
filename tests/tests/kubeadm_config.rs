//! What kubeadm is given for each version: the shipped templates, rendered with the shipped variables and
//! completed by the modules, up to the bytes that the node's kubeadm reads.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should end there"
)]

use serde_json::{Value as Json, json};
use windlass::template::{Scope, to_json};
use windlass_modules::fake::{Fake, FakeController};
use windlass_modules::kube::{documents, versions};
use windlass_modules::{Context, Input, Reply, registry};
use windlass_tests::shipped_variables::{Variables, playbooks};

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
    let control = FakeController::new(playbooks());
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
        match (name.as_str(), value) {
            // Beside the node's own.
            ("hostvars", Json::Object(hosts)) => {
                for (host, of_host) in hosts {
                    data["hostvars"][host] = of_host.clone();
                }
            }
            _ => data[name] = value.clone(),
        }
    }
    Variables::new(&["cluster.yml"], data)
}

/// The configuration that reaches a node's kubeadm over standard input.
async fn given(version: &str, module: &str, arguments: Json) -> String {
    let host = Fake::new([
        Ok(Reply {
            stdout: absent(version).into_bytes().into(),
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
    let content = variables.rendered("kubeadm-init.yml.j2");
    given(version, "kubeadm_init", json!({"content": content})).await
}

async fn join(version: &str, inventory: &Json, control_plane: bool) -> String {
    let mut inventory = inventory.clone();
    if !control_plane {
        inventory["group_names"] = json!(["workers"]);
    }
    let variables = variables(version, &inventory).await;
    let content = variables.rendered("kubeadm-join.yml.j2");
    let mut arguments = json!({
        "content": content,
        "endpoint": "192.0.2.10:6443",
        "token": "abcdef.0123456789abcdef",
        "ca_cert_hashes": [format!("sha256:{}", "00".repeat(32))],
        "control_plane": control_plane,
    });
    // join-token.yml makes none where state.yml has certificates copied.
    if control_plane && !version.starts_with("v1.13.") && !version.starts_with("v1.14.") {
        arguments["certificate_key"] = json!("0123456789abcdef".repeat(4));
    }
    given(version, "kubeadm_join", arguments).await
}

/// All that an inventory can say, with etcd on hosts of its own.
fn everything() -> Json {
    json!({
        "pod_subnet": "10.1.0.0/16",
        "service_subnet": "10.2.0.0/16",
        "cert_sans": ["api.example.com"],
        "node_ip": "192.0.2.11",
        "node_name": "first",
        "cri_socket": "unix:///run/crio/crio.sock",
        "image_repository": "registry.example.com/k8s",
        "kubeadm_init_extra": {"nodeRegistration": {"taints": [], "kubeletExtraArgs": {"v": 2}}},
        "kubeadm_cluster_extra": {
            "apiServer": {"extraArgs": {"profiling": false}},
            "controllerManager": {"extraArgs": {"profiling": false}},
            "scheduler": {"extraArgs": {"profiling": false}},
            "networking": {"dnsDomain": "example"},
        },
        "kubeadm_join_extra": {"nodeRegistration": {"kubeletExtraArgs": {"v": 2}}},
        "kubelet_extra": {"cgroupDriver": "cgroupfs", "maxPods": 200},
        "kube_proxy_extra": {"mode": "ipvs"},
        "groups": {"control_plane": ["cp1"], "workers": ["w1"], "etcd": ["etcd1", "etcd2", "etcd3"]},
        "hostvars": {
            "etcd1": {"node_ip": "192.0.2.21"},
            "etcd2": {"node_ip": "192.0.2.22"},
            "etcd3": {"ansible_facts": {"default_ipv4": {"address": "192.0.2.23"}}},
        },
    })
}

/// What kubeadm and the kubelet of an etcd host are given, in the order in which they are needed.
async fn etcd_host(version: &str) -> String {
    etcd_host_of(version, everything()).await
}

async fn etcd_host_of(version: &str, mut inventory: Json) -> String {
    let mut state = state(version).await;
    state["node_name"] = json!("etcd2");
    for (name, value) in [
        ("inventory_hostname", json!("etcd2")),
        ("group_names", json!(["etcd"])),
        ("node_state", state),
        (
            "runtime",
            json!({"stdout": "/run/containerd/containerd.sock"}),
        ),
        (
            "etcd_look",
            json!({"stdout_lines": ["kubelet /usr/bin/kubelet"]}),
        ),
    ] {
        inventory[name] = value;
    }
    for name in ["etcd1", "etcd2", "etcd3"] {
        inventory["hostvars"][name]["node_state"] = json!({"node_name": name});
    }
    let variables = variables(version, &inventory).await;
    let files = [
        "etcd-kubelet.yml.j2",
        "etcd-kubelet.conf.j2",
        "etcd-kubeadm.yml.j2",
    ];
    files.map(|file| variables.rendered(file)).join("\n")
}

/// All that a node's kubeadm is given, for every minor version that is supported: with the least that an
/// inventory can say, and with everything.
#[tokio::test]
async fn every_version_from_the_oldest_to_the_newest() {
    for minor in versions::OLDEST..=versions::NEWEST {
        let version = format!("v1.{minor}.0");
        let (least, all) = (json!({}), everything());
        let parts = [
            ("init", init(&version, &least).await),
            ("join, a control plane", join(&version, &least, true).await),
            ("join, a worker", join(&version, &least, false).await),
            ("everything: init", init(&version, &all).await),
            (
                "everything: join, a control plane",
                join(&version, &all, true).await,
            ),
            (
                "everything: join, a worker",
                join(&version, &all, false).await,
            ),
            ("everything: an etcd host", etcd_host(&version).await),
        ];
        let text: Vec<String> = parts
            .iter()
            .map(|(title, documents)| format!("# {title}\n{documents}"))
            .collect();
        insta::assert_snapshot!(format!("v1.{minor:02}"), text.join("\n"));
    }
}

/// What the table of versions says, asked of the documents themselves: so that a snapshot that was accepted
/// unread is found out.
#[tokio::test]
async fn the_documents_follow_the_table_of_versions() {
    for minor in versions::OLDEST..=versions::NEWEST {
        let version = format!("v1.{minor}.0");
        let api = match minor {
            ..15 => "kubeadm.k8s.io/v1beta1",
            15..22 => "kubeadm.k8s.io/v1beta2",
            22..31 => "kubeadm.k8s.io/v1beta3",
            _ => "kubeadm.k8s.io/v1beta4",
        };
        let documents = documents::read(&init(&version, &everything()).await).unwrap();
        let of_kind = |kind: &str| documents.iter().find(|one| one["kind"] == kind).unwrap();
        let cluster = of_kind("ClusterConfiguration");
        assert_eq!(cluster["apiVersion"], api, "1.{minor}");
        assert_eq!(of_kind("InitConfiguration")["apiVersion"], api, "1.{minor}");
        let lists = minor >= 31;
        for component in ["apiServer", "controllerManager", "scheduler"] {
            let expected = if lists {
                json!([{"name": "profiling", "value": "false"}])
            } else {
                json!({"profiling": "false"})
            };
            assert_eq!(cluster[component]["extraArgs"], expected, "1.{minor}");
        }
        let external = &cluster["etcd"]["external"];
        assert_eq!(external["endpoints"][2], "https://192.0.2.23:2379");
        // Up to 1.15 kubeadm refuses to be told of files under its own names.
        let own = external["certFile"] == "/etc/kubernetes/pki/apiserver-etcd-client.crt";
        assert_eq!(own, minor >= 16, "1.{minor}");
        assert_eq!(of_kind("KubeletConfiguration")["cgroupDriver"], "cgroupfs");
        assert_eq!(of_kind("KubeProxyConfiguration")["mode"], "ipvs");

        let etcd = etcd_host(&version).await;
        assert!(etcd.contains(&format!("apiVersion: {api}\n")), "{etcd}");
        assert_eq!(etcd.contains("name: initial-cluster\n"), lists, "{etcd}");
        // In the configuration, or as a flag that went away.
        assert_eq!(
            etcd.contains("--container-runtime=remote"),
            minor < 24,
            "{etcd}"
        );
        assert_eq!(
            etcd.contains("\ncontainerRuntimeEndpoint: "),
            minor >= 27,
            "{etcd}"
        );

        let joins = documents::read(&join(&version, &everything(), true).await).unwrap();
        let joins = &joins[0];
        assert_eq!(joins["apiVersion"], api, "1.{minor}");
        let arguments = &joins["nodeRegistration"]["kubeletExtraArgs"];
        assert_eq!(arguments.is_array(), lists, "1.{minor}");
        let key = joins["controlPlane"].get("certificateKey").is_some();
        assert_eq!(key, minor >= 15, "1.{minor}");
    }
}

#[tokio::test]
async fn the_older_api_is_written_where_it_is_asked_for() {
    let documents = init("v1.20.2", &json!({"kubeadm_api_version": "v1beta1"})).await;
    assert_eq!(documents.matches("kubeadm.k8s.io/v1beta1").count(), 2);
    // Extra arguments follow the API that is written, not the version.
    let mut inventory = everything();
    inventory["kubeadm_api_version"] = json!("v1beta3");
    let documents = documents::read(&init("v1.31.0", &inventory).await).unwrap();
    let cluster = documents
        .iter()
        .find(|one| one["kind"] == "ClusterConfiguration");
    let arguments = &cluster.unwrap()["apiServer"]["extraArgs"];
    assert_eq!(*arguments, json!({"profiling": "false"}));
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

/// The same arguments, as a mapping and as the list that v1beta4 has.
fn in_both_forms(arguments: &Json) -> [Json; 2] {
    let items = arguments.as_object().unwrap().iter();
    let list = items.map(|(name, value)| json!({"name": name, "value": value}));
    [arguments.clone(), list.collect()]
}

fn with_arguments(arguments: &Json) -> Json {
    let mut inventory = everything();
    for extra in ["kubeadm_init_extra", "kubeadm_join_extra"] {
        inventory[extra] = json!({"nodeRegistration": {"kubeletExtraArgs": arguments}});
    }
    inventory["etcd_extra"] =
        json!({"extraArgs": arguments, "serverCertSANs": ["etcd.example.com"]});
    inventory["kubeadm_cluster_extra"] = json!({"apiServer": {"certSANs": ["192.0.2.1"]}});
    inventory
}

/// In whichever form a user writes arguments, they stand beside those of the playbook, and win over them by name.
#[tokio::test]
async fn arguments_of_the_users_are_merged_by_name_in_either_form() {
    for minor in [20, 30, 31, versions::NEWEST] {
        let version = format!("v1.{minor}.0");
        for (arguments, node_ip) in [
            (json!({"v": "2"}), "192.0.2.11"),
            (json!({"v": "2", "node-ip": "192.0.2.99"}), "192.0.2.99"),
        ] {
            for given in in_both_forms(&arguments) {
                let inventory = with_arguments(&given);
                let texts = [
                    init(&version, &inventory).await,
                    join(&version, &inventory, true).await,
                    join(&version, &inventory, false).await,
                ];
                for text in &texts {
                    let documents = documents::read(text).unwrap();
                    let node = documents
                        .iter()
                        .find(|one| one.get("nodeRegistration").is_some());
                    let written = &node.unwrap()["nodeRegistration"]["kubeletExtraArgs"];
                    assert_eq!(
                        by_name(written),
                        [("node-ip", node_ip), ("v", "2")],
                        "{text}"
                    );
                }
                let names = &documents::read(&texts[0]).unwrap()[1]["apiServer"]["certSANs"];
                assert_eq!(*names, json!(["api.example.com", "192.0.2.1"]));
            }
        }
        for arguments in
            in_both_forms(&json!({"quota-backend-bytes": 8_589_934_592_u64, "name": "mine"}))
        {
            let text = etcd_host_of(&version, with_arguments(&arguments)).await;
            let documents = documents::read(
                text.rsplit_once("# Written by")
                    .unwrap()
                    .1
                    .split_once('\n')
                    .unwrap()
                    .1,
            );
            let local = documents.unwrap().pop().unwrap()["etcd"]["local"].take();
            let members = "etcd1=https://192.0.2.21:2380,etcd2=https://192.0.2.22:2380,etcd3=https://192.0.2.23:2380";
            let expected = [
                ("initial-cluster", members),
                ("initial-cluster-state", "new"),
                ("name", "mine"),
                ("quota-backend-bytes", "8589934592"),
            ];
            assert_eq!(by_name(&local["extraArgs"]), expected, "{text}");
            assert_eq!(local["extraArgs"].is_array(), minor >= 31, "{text}");
            assert_eq!(
                local["serverCertSANs"],
                json!(["192.0.2.22", "etcd.example.com"])
            );
        }
    }
}

/// Arguments in either form, sorted by their names.
fn by_name(arguments: &Json) -> Vec<(&str, &str)> {
    let mut pairs: Vec<(&str, &str)> = match arguments {
        Json::Object(map) => map
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect(),
        list => list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["name"].as_str().unwrap(),
                    one["value"].as_str().unwrap(),
                )
            })
            .collect(),
    };
    pairs.sort_unstable();
    pairs
}

/// Where a node's own name servers are known, its kubelet goes by them; what the user says of it counts more.
#[tokio::test]
async fn a_node_whose_resolver_is_itself_has_its_kubelet_go_by_another_file() {
    let file = "/run/NetworkManager/no-stub-resolv.conf";
    for (version, list) in [("v1.30.0", false), ("v1.37.2", true)] {
        for own in [
            json!({}),
            json!({"kubeletExtraArgs": {"resolv-conf": "/etc/mine"}}),
        ] {
            let inventory = json!({
                "node_resolver": file,
                "node_ip": "192.0.2.11",
                "kubeadm_init_extra": {"nodeRegistration": own},
                "kubeadm_join_extra": {"nodeRegistration": own},
            });
            let expected = if own == json!({}) { file } else { "/etc/mine" };
            for text in [
                init(version, &inventory).await,
                join(version, &inventory, true).await,
                join(version, &inventory, false).await,
            ] {
                let documents = documents::read(&text).unwrap();
                let arguments = &documents[0]["nodeRegistration"]["kubeletExtraArgs"];
                let has = if list {
                    arguments
                        .as_array()
                        .unwrap()
                        .contains(&json!({"name": "resolv-conf", "value": expected}))
                } else {
                    arguments["resolv-conf"] == expected
                };
                assert!(has, "{version} {text}");
            }
        }
    }
}

/// `reconfigure.yml` gives kubeadm's phases on a node that runs what init would be given, in the form that the version reads.
#[tokio::test]
async fn phases_are_told_what_init_would_be_told() {
    let inventory = json!({
        "cert_sans": ["a.example"],
        "encrypt_secrets": true,
        "kubelet_extra": {"maxPods": 7},
        "kubeadm_cluster_extra": {
            "apiServer": {"extraArgs": {"v": 3, "profiling": false}},
            "etcd": {"local": {"extraArgs": [{"name": "quota", "value": "1"}]}},
        },
    });
    for (version, lists) in [("v1.20.2", false), ("v1.30.0", false), ("v1.37.2", true)] {
        let variables = variables(version, &inventory).await;
        let told = documents::read(&variables.rendered("reconfigure.yml.j2")).unwrap();
        let of = |kind: &str| told.iter().find(|one| one["kind"] == kind).unwrap();
        assert_eq!(told.len(), 3, "{told:#?}");
        assert_eq!(of("InitConfiguration")["nodeRegistration"]["name"], "cp1");
        assert_eq!(
            of("InitConfiguration")["localAPIEndpoint"],
            json!({"advertiseAddress": "@ADDRESS@", "bindPort": "@PORT@"})
        );
        assert_eq!(of("KubeletConfiguration")["maxPods"], 7);
        let cluster = of("ClusterConfiguration");
        assert_eq!(cluster["apiServer"]["certSANs"], json!(["a.example"]));
        let config = "/etc/kubernetes/pki/encryption/config.yml";
        let mut given = cluster["apiServer"]["extraArgs"].clone();
        if let Json::Array(list) = &given {
            assert!(lists, "{given}");
            let pairs = list.iter().map(|one| {
                (
                    one["name"].as_str().unwrap().to_owned(),
                    one["value"].clone(),
                )
            });
            given = Json::Object(pairs.collect());
        } else {
            assert!(!lists, "{given}");
        }
        assert_eq!(
            given,
            json!({"v": "3", "profiling": "false", "encryption-provider-config": config})
        );
        let quota = &cluster["etcd"]["local"]["extraArgs"];
        let expected = if lists {
            json!([{"name": "quota", "value": "1"}])
        } else {
            json!({"quota": "1"})
        };
        assert_eq!(*quota, expected);
    }
}
