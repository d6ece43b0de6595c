//! Label selectors of workloads, as `kubectl --selector` takes them.

use serde_json::Value;

/// `matchLabels` and `matchExpressions` as one text; none when the selector is empty, which would
/// select everything.
pub fn text(selector: &Value) -> Option<String> {
    let labels = selector["matchLabels"].as_object();
    let mut terms: Vec<String> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    for expression in selector["matchExpressions"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let key = expression["key"].as_str()?;
        let values: Vec<&str> = expression["values"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let values = values.join(",");
        terms.push(match expression["operator"].as_str()? {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!terms.is_empty()).then(|| terms.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_kinds_of_terms_become_one_text() {
        let selector = json!({
            "matchLabels": {"k8s-app": "kube-dns"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        });
        assert_eq!(
            text(&selector).unwrap(),
            "k8s-app=kube-dns,tier in (a,b),!old"
        );
        assert_eq!(text(&json!({})), None);
    }
}
