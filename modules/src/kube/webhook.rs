//! Webhooks that do not answer yet: what an operator brings is asked about its own objects, and starts as anything
//! does. Waits for the pods of the Service that the API server could not ask.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::kube::kubectl::{Answer, Kubectl, Question, reason, words};
use crate::kube::pods::{self, Health};
use crate::kube::selector;
use crate::module::Context;
use crate::outcome::Failure;

/// What an API server says when a webhook did not answer. What one refuses is said otherwise (`admission webhook
/// "x" denied the request`).
const UNANSWERED: &[&str] = &[
    "failed calling webhook",
    "failed to call webhook",
    "conversion webhook for",
];

/// Whether an error is that a webhook did not answer, and may be gone when asked again.
pub fn is_silent(error: &str) -> bool {
    UNANSWERED.iter().any(|sign| error.contains(sign))
}

/// How long pods may be broken, or there may be no Service, before that is taken to be final.
const GRACE: Duration = Duration::from_secs(30);

/// The Service of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Service {
    name: String,
    namespace: String,
}

impl Service {
    /// The one whose address an error names: `https://NAME.NAMESPACE.svc:443/…`.
    fn of(error: &str) -> Option<Self> {
        let host = error
            .split("https://")
            .nth(1)?
            .split([':', '/', '?', '"'])
            .next()?;
        let mut parts = host.split('.');
        let (name, namespace) = (parts.next()?, parts.next()?);
        (parts.next() == Some("svc")).then(|| Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        })
    }
}

/// How the pods of a Service are.
#[derive(Debug, PartialEq, Eq)]
struct State {
    /// In words.
    text: String,
    /// Whether it seldom repairs itself.
    broken: bool,
}

/// What is known of a webhook from one try to the next.
#[derive(Debug)]
pub struct Wait {
    since: Instant,
    broken: Option<Instant>,
    shown: String,
}

impl Wait {
    /// Begins now.
    pub fn new() -> Self {
        Self {
            since: Instant::now(),
            broken: None,
            shown: String::new(),
        }
    }

    /// Looks at the Service that `error` is about. A failure when there is no use in waiting any longer.
    pub async fn look(
        &mut self,
        context: &Context<'_>,
        kubectl: Kubectl<'_>,
        error: &str,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let state = match Service::of(error) {
            Some(service) => ask(context, kubectl, &service).await?,
            None => State {
                text: "it is not a Service of the cluster".to_owned(),
                broken: false,
            },
        };
        self.broken = match self.broken {
            since if state.broken => since.or_else(|| Some(Instant::now())),
            _ => None,
        };
        let in_vain = self.broken.is_some_and(|since| since.elapsed() >= GRACE);
        if in_vain || self.since.elapsed() >= timeout {
            return Err(Failure::new(format!(
                "kubectl apply failed: {}\n  the webhook did not answer for {} s: {}",
                reason(error),
                self.since.elapsed().as_secs(),
                state.text
            ))
            .hint(
                "see the pods of its operator (`kubectl get pods -A`); `webhook_timeout` gives them more time; of an operator \
                 that is gone, delete the webhook configuration (`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`)",
            ));
        }
        if self.shown != state.text {
            context
                .control
                .progress(&format!("waiting for a webhook: {}", state.text));
            self.shown = state.text;
        }
        Ok(())
    }
}

/// How the pods of a Service are, in two looks: the Service says which they are.
async fn ask(
    context: &Context<'_>,
    kubectl: Kubectl<'_>,
    service: &Service,
) -> Result<State, Failure> {
    let get = |what: &[&str]| -> [Question; 1] {
        let mut question = words(&["get", "--namespace", &service.namespace, "-o", "json"]);
        question.extend(words(what));
        [question]
    };
    let limit = Duration::from_secs(45);
    let asked = kubectl
        .ask(context, &get(&["service", &service.name]), limit)
        .await?;
    let selector = match asked.first() {
        Some(Ok(object)) => selector::text(&json!({"matchLabels": object["spec"]["selector"]})),
        _ => None,
    };
    let pods = match &selector {
        Some(selector) => {
            let question = get(&["pods", "--selector", selector]);
            kubectl.ask(context, &question, limit).await?.pop()
        }
        None => None,
    };
    Ok(state(service, asked.first(), pods.as_ref()))
}

/// How many pods are shown.
const SHOWN: usize = 3;

/// What the answers amount to.
fn state(service: &Service, asked: Option<&Answer>, pods: Option<&Answer>) -> State {
    let name = format!("Service {} in {}", service.name, service.namespace);
    let state = |broken: bool, text: String| State { text, broken };
    match (asked, pods) {
        (Some(Err(error)), _) if error.contains("NotFound") => {
            state(true, format!("there is no {name}"))
        }
        (Some(Err(error)), _) | (_, Some(Err(error))) => {
            state(false, format!("{name} cannot be looked at: {error}"))
        }
        (_, None) => state(false, format!("{name} does not say which pods are its own")),
        (_, Some(Ok(list))) => {
            let pods: Vec<&Value> = list["items"].as_array().into_iter().flatten().collect();
            let healths: Vec<Health> = pods.iter().map(|pod| pods::health(pod)).collect();
            if healths.contains(&Health::Healthy) {
                return state(
                    false,
                    format!(
                        "{name} has ready pods; what they serve with is not trusted, or not there yet"
                    ),
                );
            }
            let broken = healths.iter().find_map(|health| match health {
                Health::Broken(reason) => Some(reason.as_str()),
                _ => None,
            });
            let mut text = format!("{name} has no ready pods");
            let lines = pods.iter().take(SHOWN).map(|pod| pods::line(pod));
            let lines = lines.collect::<Vec<_>>().join("; ");
            let more = [lines.as_str(), broken.unwrap_or_default()];
            for (sign, more) in [": ", "; "].iter().zip(more) {
                if !text.contains(more) {
                    text.push_str(sign);
                    text.push_str(more);
                }
            }
            state(broken.is_some(), text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: &str = r#"Error from server (InternalError): error when creating "pool.yml": Internal error occurred: failed calling webhook "ipaddresspoolvalidationwebhook.metallb.io": failed to call webhook: Post "https://webhook-service.metallb-system.svc:443/validate?timeout=10s": no endpoints available for service "webhook-service""#;

    #[test]
    fn what_did_not_answer_is_told_from_what_refused() {
        assert!(is_silent(NONE));
        for error in [
            r#"Error from server: conversion webhook for metallb.io/v1alpha1, Kind=AddressPool failed: Post "https://webhook-service.metallb-system.svc:443/convert?timeout=30s": dial tcp 10.96.0.7:443: connect: connection refused"#,
            r#"failed calling webhook "webhook.cert-manager.io": Post "https://cert-manager-webhook.cert-manager.svc:443/mutate?timeout=10s": x509: certificate signed by unknown authority"#,
        ] {
            assert!(is_silent(error));
        }
        for error in [
            r#"admission webhook "validate.x.io" denied the request: no"#,
            "Error from server (Forbidden): exceeded quota",
        ] {
            assert!(!is_silent(error));
        }
    }

    #[test]
    fn the_service_is_found_in_the_address_that_was_called() {
        let service = Service::of(NONE).unwrap();
        assert_eq!(
            (&*service.name, &*service.namespace),
            ("webhook-service", "metallb-system")
        );
        assert_eq!(
            Service::of(r#"Post "https://policy.example.org/validate": EOF"#),
            None
        );
        assert_eq!(Service::of("x"), None);
    }

    #[test]
    fn what_is_wrong_with_its_pods_is_said() {
        let service = Service::of(NONE).unwrap();
        let pod = |status: Value| {
            Ok(
                json!({"items": [{"metadata": {"name": "controller-1"}, "spec": {"containers": [{}]}, "status": status}]}),
            )
        };
        let found = Ok(json!({}));
        let said = |asked: &Answer, pods: Option<&Answer>| {
            let state = state(&service, Some(asked), pods);
            (state.text, state.broken)
        };
        let waiting = json!({"phase": "Pending", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}]});
        assert_eq!(
            said(&found, Some(&pod(waiting))),
            ("Service webhook-service in metallb-system has no ready pods: controller-1 0/1 ContainerCreating".to_owned(), false)
        );
        let broken = json!({"phase": "Pending", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ErrImagePull"}}}]});
        assert_eq!(
            said(&found, Some(&pod(broken))),
            ("Service webhook-service in metallb-system has no ready pods: controller-1 0/1 ErrImagePull of container c".to_owned(), true)
        );
        let ready =
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
        assert!(!said(&found, Some(&pod(ready))).1);
        assert_eq!(
            said(&found, Some(&Ok(json!({"items": []})))).0,
            "Service webhook-service in metallb-system has no ready pods"
        );
        let gone = Err("Error from server (NotFound): services \"x\" not found".to_owned());
        assert_eq!(
            said(&gone, None),
            (
                "there is no Service webhook-service in metallb-system".to_owned(),
                true
            )
        );
    }
}
