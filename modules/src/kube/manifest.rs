//! Manifests: texts of YAML documents, each with the objects that it holds. Which of them need what others of them
//! bring, and in which order they can be applied. Knows no host; the texts stay as they were written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::kube::documents;

/// A document as it was written.
#[derive(Debug)]
struct Document {
    text: String,
    /// What it holds; those of a `List` one by one.
    objects: Vec<Value>,
}

/// Some documents, in the order in which they can be applied.
#[derive(Debug, Default)]
pub struct Manifest(Vec<Document>);

/// Documents that can be tried before any is applied, and the objects that cannot.
#[derive(Debug, PartialEq, Eq)]
pub struct Parted {
    /// The first, as one text; empty where there are none.
    pub rest: String,
    /// The others, with the namespace that they would get.
    pub later: Vec<Value>,
}

impl Manifest {
    /// Takes in a text. `Err` says what is wrong with it.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let whole = documents::read(text)?;
        if whole.is_empty() {
            return Err("it holds no object".to_owned());
        }
        let count = whole.len();
        let mut found = 0;
        let mut read = Vec::new();
        for piece in pieces(text) {
            // A directive belongs to what comes after it.
            let Ok(objects) = documents::read(&piece) else {
                found = usize::MAX;
                break;
            };
            found += objects.len();
            if !objects.is_empty() {
                read.push(Document {
                    objects: objects.into_iter().flat_map(flat).collect(),
                    text: piece,
                });
            }
        }
        if found != count {
            // A text with directives or the like: it stays in one.
            read = vec![Document {
                text: text.to_owned(),
                objects: whole.into_iter().flat_map(flat).collect(),
            }];
        }
        self.0.append(&mut read);
        // What others need comes first, as helm and kustomize have it.
        self.0
            .sort_by_key(|document| document.objects.iter().map(rank).max());
        Ok(())
    }

    /// All of them as one text.
    pub fn text(&self) -> String {
        self.0
            .iter()
            .map(|document| separate(&document.text))
            .collect()
    }

    /// Parts what can be tried (a server's dry run does not know what an earlier document would make) from what
    /// needs a namespace, a kind or the like that comes with it and is not among `before`, what is there already.
    pub fn parted(&self, before: &[Value], namespace: &str) -> Parted {
        let there: BTreeSet<[&str; 3]> = before.iter().map(|object| key(object, "")).collect();
        let new: Vec<&Value> = self
            .0
            .iter()
            .flat_map(|document| &document.objects)
            .filter(|object| !is_there(&there, object, namespace))
            .collect();
        let mut parted = Parted {
            rest: String::new(),
            later: Vec::new(),
        };
        for document in &self.0 {
            let needy = |object: &&Value| {
                !is_there(&there, object, namespace)
                    && new.iter().any(|made| needs(object, made, namespace))
            };
            if !document.objects.iter().any(|object| needy(&object)) {
                parted.rest.push_str(&separate(&document.text));
                continue;
            }
            for object in &document.objects {
                if needy(&object) {
                    parted.later.push(placed(object, &new, namespace));
                } else {
                    parted.rest.push_str(&separate(&object.to_string()));
                }
            }
        }
        parted
    }
}

/// The documents of a text, each with the line that begins it: a line of three dashes begins one wherever it is.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let begins = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim_end().is_empty() || rest.starts_with([' ', '\t']));
        if begins {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(line);
        }
    }
    pieces
}

fn separate(text: &str) -> String {
    let dashes = if text.starts_with("---") { "" } else { "---\n" };
    format!("{dashes}{}\n", text.trim_end())
}

/// An object, or those of a list.
fn flat(mut object: Value) -> Vec<Value> {
    let is_list = object["kind"]
        .as_str()
        .is_some_and(|kind| kind.ends_with("List"));
    match object.get_mut("items") {
        Some(Value::Array(items)) if is_list => std::mem::take(items),
        _ => vec![object],
    }
}

/// Namespaces, then kinds, then all else.
fn rank(object: &Value) -> u8 {
    match object["kind"].as_str() {
        Some("Namespace") => 0,
        Some("CustomResourceDefinition") => 1,
        _ => 2,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Kind, namespace and name.
fn key<'a>(object: &'a Value, namespace: &'a str) -> [&'a str; 3] {
    let own = text(&object["metadata"]["namespace"]);
    let namespace = if own.is_empty() { namespace } else { own };
    [
        text(&object["kind"]),
        namespace,
        text(&object["metadata"]["name"]),
    ]
}

/// Whether an object of a manifest is there: one that names no namespace is in the one that is given, in the
/// default one, or in none.
fn is_there(there: &BTreeSet<[&str; 3]>, object: &Value, namespace: &str) -> bool {
    [namespace, "default", ""]
        .iter()
        .any(|namespace| there.contains(&key(object, namespace)))
}

/// Whether an object cannot be tried before `made` is there.
fn needs(object: &Value, made: &Value, namespace: &str) -> bool {
    let [_, own, _] = key(object, namespace);
    let name = text(&made["metadata"]["name"]);
    let spec = &object["spec"];
    let is_pod = object["kind"] == "Pod";
    match text(&made["kind"]) {
        "Namespace" => object["kind"] != "Namespace" && own == name,
        "CustomResourceDefinition" => {
            let group = text(&object["apiVersion"])
                .split_once('/')
                .map(|(group, _)| group);
            object["kind"] == made["spec"]["names"]["kind"]
                && group == made["spec"]["group"].as_str()
        }
        // The server asks for them when a pod is made; what makes pods later waits for them.
        "ServiceAccount" => {
            is_pod && key(made, namespace)[1] == own && spec["serviceAccountName"] == name
        }
        "PriorityClass" => is_pod && spec["priorityClassName"] == name,
        "RuntimeClass" => is_pod && spec["runtimeClassName"] == name,
        _ => false,
    }
}

/// An object that cannot be tried, where it would be.
fn placed(object: &Value, new: &[&Value], namespace: &str) -> Value {
    let mut object = object.clone();
    let kind = new
        .iter()
        .find(|made| made["kind"] == "CustomResourceDefinition" && needs(&object, made, namespace));
    let namespace = match kind {
        Some(kind) if kind["spec"]["scope"] == "Cluster" => "",
        Some(_) if namespace.is_empty() => "default",
        _ => namespace,
    };
    if object["metadata"].is_object()
        && object["metadata"]["namespace"].is_null()
        && !namespace.is_empty()
    {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: lb}\n";
    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: lb}\n";
    const KIND: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: pools.x.io}\nspec: {group: x.io, scope: Namespaced, names: {kind: Pool}}\n";
    const POOL: &str = "apiVersion: x.io/v1\nkind: Pool\nmetadata: {name: p}\n";
    const OTHER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";

    fn manifest(parts: &[&str]) -> Manifest {
        let mut manifest = Manifest::default();
        for part in parts {
            manifest.add(part).unwrap();
        }
        manifest
    }

    fn value(text: &str) -> Value {
        documents::read(text).unwrap().remove(0)
    }

    #[test]
    fn what_others_need_comes_first_and_texts_stay_as_they_were() {
        let quoted = "# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 'yes', b: |\n  -- x\n  }\n";
        let whole = format!("{POOL}---\n# nothing\n--- # and more\n{OTHER}\n---\n{KIND}");
        assert_eq!(
            manifest(&[&whole, SPACE]).text(),
            format!("---\n{SPACE}---\n{KIND}---\n{POOL}--- # and more\n{OTHER}")
        );
        let quoted = quoted.replace("b: |\n  -- x\n  }", "b: 'no'}");
        assert_eq!(manifest(&[&quoted]).text(), format!("---\n{quoted}"));
        let directive = format!("%YAML 1.1\n---\n{OTHER}");
        assert!(manifest(&[&directive]).text().contains(&directive));
    }

    #[test]
    fn what_needs_a_namespace_or_a_kind_that_comes_with_it_is_not_tried() {
        let all = manifest(&[SPACE, MAP, KIND, POOL, OTHER]);
        let parted = all.parted(&[], "");
        assert_eq!(parted.rest, format!("---\n{SPACE}---\n{KIND}---\n{OTHER}"));
        let mut pool = value(POOL);
        pool["metadata"]["namespace"] = json!("default");
        assert_eq!(parted.later, [value(MAP), pool]);
        // What is there already is asked for.
        let there = [value(SPACE), value(KIND)];
        let parted = all.parted(&there, "");
        assert_eq!((parted.rest, parted.later), (all.text(), Vec::new()));
    }

    #[test]
    fn the_namespace_of_the_task_counts_where_an_object_names_none() {
        let all = manifest(&[SPACE, OTHER]);
        assert!(all.parted(&[], "").later.is_empty());
        assert_eq!(
            all.parted(&[], "lb").later[0]["metadata"]["namespace"],
            "lb"
        );
        assert_eq!(all.parted(&[value(OTHER)], "lb").later, [json!(null); 0]);
    }

    #[test]
    fn of_a_list_what_can_be_tried_is_tried() {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [value(SPACE), value(MAP), value(OTHER)]});
        let parted = manifest(&[&list.to_string()]).parted(&[], "");
        assert_eq!(parted.later, [value(MAP)]);
        assert_eq!(
            documents::read(&parted.rest).unwrap(),
            [value(SPACE), value(OTHER)]
        );
    }

    #[test]
    fn a_pod_needs_its_account_and_its_classes() {
        let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: n}\n";
        let class =
            "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\n";
        let pod = |spec: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: n}}\nspec: {spec}\n"
            )
        };
        for (made, spec, later) in [
            (account, "{serviceAccountName: a}", 1),
            (account, "{serviceAccountName: b}", 0),
            (class, "{priorityClassName: high}", 1),
        ] {
            assert_eq!(
                manifest(&[made, &pod(spec)]).parted(&[], "").later.len(),
                later,
                "{spec}"
            );
        }
    }
}
