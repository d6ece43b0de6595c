//! kubeadm's configuration as a list of YAML documents: reading it, adding to it what a playbook does
//! not write into it (secrets), writing it. Knows no host.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The documents of a YAML text; empty ones are dropped.
pub fn read(text: &str) -> Result<Vec<Value>, String> {
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document).map_err(|error| error.to_string())?;
        match value {
            Value::Null => {}
            Value::Object(_) => documents.push(value),
            _ => return Err("one of its documents is not a mapping".to_owned()),
        }
    }
    Ok(documents)
}

/// The documents as one YAML text.
pub fn write(documents: &[Value]) -> Result<String, String> {
    let mut text = String::new();
    for document in documents {
        text.push_str("---\n");
        text.push_str(&serde_yaml::to_string(document).map_err(|error| error.to_string())?);
    }
    Ok(text)
}

/// The document of a kind; added in kubeadm's API `api` where there is none.
pub fn of_kind<'a>(documents: &'a mut Vec<Value>, kind: &str, api: &str) -> &'a mut Value {
    let position = documents
        .iter()
        .position(|document| document["kind"] == kind)
        .unwrap_or_else(|| {
            documents.insert(
                0,
                json!({"apiVersion": format!("kubeadm.k8s.io/{api}"), "kind": kind}),
            );
            0
        });
    &mut documents[position]
}

/// Sets a value deep in a document, making mappings on the way.
pub fn set(document: &mut Value, path: &[&str], value: Value) {
    let mut place = document;
    for key in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[*key];
    }
    *place = value;
}

/// Where kubeadm's documents have arguments for the components that it starts.
const EXTRA_ARGS: &[&[&str]] = &[
    &["nodeRegistration", "kubeletExtraArgs"],
    &["apiServer", "extraArgs"],
    &["controllerManager", "extraArgs"],
    &["scheduler", "extraArgs"],
    &["etcd", "local", "extraArgs"],
];

/// Writes extra arguments as the document's version of kubeadm's API wants them, so that one playbook
/// suits all: a mapping until v1beta3; from v1beta4 on a list of `name` and `value`. Values are texts.
pub fn fit_extra_args(document: &mut Value) {
    let Some(api) = document["apiVersion"]
        .as_str()
        .and_then(|api| api.strip_prefix("kubeadm.k8s.io/"))
    else {
        return;
    };
    let lists = !matches!(api, "v1beta1" | "v1beta2" | "v1beta3");
    for path in EXTRA_ARGS {
        let pointer = format!("/{}", path.join("/"));
        if let Some(arguments) = document.pointer_mut(&pointer) {
            let pairs = pairs(arguments);
            *arguments = if lists {
                let item = |(name, value)| json!({"name": name, "value": value});
                pairs.into_iter().map(item).collect()
            } else {
                Value::Object(pairs.into_iter().collect())
            };
        }
    }
}

/// Names and values of arguments in either form.
fn pairs(arguments: &Value) -> Vec<(String, Value)> {
    let text = |value: &Value| match value {
        Value::String(text) => Value::from(text.as_str()),
        // As kubelet and API server write booleans: `true`.
        other => Value::from(other.to_string()),
    };
    match arguments {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| Some((item["name"].as_str()?.to_owned(), text(&item["value"]))))
            .collect(),
        _ => Vec::new(),
    }
}

/// How a node finds and trusts the cluster that it joins.
#[derive(Debug, Clone, Copy)]
pub struct Discovery<'a> {
    /// `host:port` of the API.
    pub endpoint: &'a str,
    /// The bootstrap token.
    pub token: &'a str,
    /// Hashes of CA certificates, `sha256:…`.
    pub ca_cert_hashes: &'a [String],
    /// The key of the uploaded certificates.
    pub certificate_key: Option<&'a str>,
    /// Whether the node becomes a control plane.
    pub control_plane: bool,
    /// The name of its Node, if not the host name.
    pub node_name: Option<&'a str>,
}

/// A join configuration, complete: the user's documents with the discovery added.
pub fn join(text: &str, api: &str, discovery: Discovery<'_>) -> Result<String, String> {
    let mut documents = read(text)?;
    let document = of_kind(&mut documents, "JoinConfiguration", api);
    set(
        document,
        &["discovery", "bootstrapToken"],
        json!({
            "apiServerEndpoint": discovery.endpoint,
            "token": discovery.token,
            "caCertHashes": discovery.ca_cert_hashes,
        }),
    );
    if let Some(name) = discovery.node_name {
        set(document, &["nodeRegistration", "name"], json!(name));
    }
    if discovery.control_plane {
        if !document["controlPlane"].is_object() {
            set(document, &["controlPlane"], json!({}));
        }
        if let Some(key) = discovery.certificate_key {
            set(document, &["controlPlane", "certificateKey"], json!(key));
        }
    } else if let Some(document) = document.as_object_mut() {
        document.remove("controlPlane");
    }
    documents.iter_mut().for_each(fit_extra_args);
    write(&documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISCOVERY: Discovery<'_> = Discovery {
        endpoint: "10.0.0.10:6443",
        token: "abcdef.0123456789abcdef",
        ca_cert_hashes: &[],
        certificate_key: None,
        control_plane: false,
        node_name: None,
    };

    #[test]
    fn a_worker_joins_with_the_users_documents_and_the_discovery() {
        let text = "apiVersion: kubeadm.k8s.io/v1beta3\nkind: JoinConfiguration\nnodeRegistration:\n  kubeletExtraArgs:\n    v: \"2\"\n";
        let joined = join(text, "v1beta2", DISCOVERY).unwrap();
        insta::assert_snapshot!(joined, @r#"
        ---
        apiVersion: kubeadm.k8s.io/v1beta3
        kind: JoinConfiguration
        nodeRegistration:
          kubeletExtraArgs:
            v: '2'
        discovery:
          bootstrapToken:
            apiServerEndpoint: 10.0.0.10:6443
            token: abcdef.0123456789abcdef
            caCertHashes: []
        "#);
    }

    #[test]
    fn a_control_plane_joins_without_any_document_of_the_users() {
        let hashes = ["sha256:00".to_owned()];
        let discovery = Discovery {
            ca_cert_hashes: &hashes,
            certificate_key: Some("k3y"),
            control_plane: true,
            node_name: Some("cp2"),
            ..DISCOVERY
        };
        insta::assert_snapshot!(join("", "v1beta2", discovery).unwrap(), @r"
        ---
        apiVersion: kubeadm.k8s.io/v1beta2
        kind: JoinConfiguration
        discovery:
          bootstrapToken:
            apiServerEndpoint: 10.0.0.10:6443
            token: abcdef.0123456789abcdef
            caCertHashes:
            - sha256:00
        nodeRegistration:
          name: cp2
        controlPlane:
          certificateKey: k3y
        ");
    }

    #[test]
    fn extra_arguments_take_the_form_of_the_version() {
        let document = |api: &str, arguments: Value| json!({"apiVersion": api, "apiServer": {"extraArgs": arguments}});
        let mapping = json!({"v": 3, "profiling": false, "audit-log-path": "-"});
        let list = json!([
            {"name": "v", "value": "3"},
            {"name": "profiling", "value": "false"},
            {"name": "audit-log-path", "value": "-"},
        ]);
        let texts = json!({"v": "3", "profiling": "false", "audit-log-path": "-"});
        for given in [mapping, list.clone()] {
            let mut old = document("kubeadm.k8s.io/v1beta2", given.clone());
            fit_extra_args(&mut old);
            assert_eq!(old["apiServer"]["extraArgs"], texts);
            let mut new = document("kubeadm.k8s.io/v1beta4", given.clone());
            fit_extra_args(&mut new);
            assert_eq!(new["apiServer"]["extraArgs"], list);
            let mut other = document("kubelet.config.k8s.io/v1beta1", given.clone());
            fit_extra_args(&mut other);
            assert_eq!(other["apiServer"]["extraArgs"], given);
        }
    }

    #[test]
    fn what_is_no_yaml_is_refused() {
        assert!(read("a: [").is_err());
        assert!(read("- a\n").is_err());
        assert_eq!(read("---\n---\na: 1\n").unwrap(), [json!({"a": 1})]);
    }
}
