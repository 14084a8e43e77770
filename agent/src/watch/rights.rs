//! What the agent itself may do, asked of the API server: a request that would be refused need not be made, and does not
//! stand in the cluster's audit log, where refusals are looked for.

use std::sync::Arc;
use std::time::Duration;

use kubeplex_proto::kind::{GroupResource, KindInfo};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Api, ApiError};
use crate::limits::{OWN_RULES_KEPT, WATCHED_NAMESPACES};
use crate::recent::Recent;

const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const RULES_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";

/// Asks for the rights of one agent. A namespace's are told whole, and kept for a moment: many kinds want to know at once.
pub(crate) struct OwnRights {
    api: Api,
    timeout: Duration,
    rules: Recent<String, Arc<Rules>>,
}

/// What the API server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Granted,
    Denied,
    /// It does not say: only trying tells.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
}

/// Where a verb would be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    Cluster,
    Namespace(&'a str),
    /// One object that is in no namespace.
    Object(&'a str),
}

/// The status of a SelfSubjectRulesReview.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rules {
    resource_rules: Vec<Rule>,
    /// Some authorizer can't say all that it would allow.
    incomplete: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    verbs: Vec<String>,
    api_groups: Vec<String>,
    resources: Vec<String>,
    resource_names: Vec<String>,
}

/// The status of a SelfSubjectAccessReview.
#[derive(Debug, Deserialize)]
struct Access {
    allowed: bool,
}

#[derive(Deserialize)]
struct Review<S> {
    status: S,
}

impl OwnRights {
    /// Asks through `api`, for so long at most.
    pub(crate) fn new(api: Api, timeout: Duration) -> Self {
        Self { api, timeout, rules: Recent::new(OWN_RULES_KEPT, WATCHED_NAMESPACES) }
    }

    /// Whether the agent may use a verb on objects of a kind there.
    pub(crate) async fn to(&self, verb: Verb, info: &KindInfo, place: Place<'_>) -> Right {
        if let Place::Namespace(namespace) = place {
            match self.rules_in(namespace).await.map_or(Right::Unknown, |rules| rules.say(verb, &info.id)) {
                Right::Unknown => {}
                said => return said,
            }
        }
        match self.ask::<Access>(ACCESS_REVIEWS, access_review(verb, info, place)).await {
            Ok(Access { allowed: true }) => Right::Granted,
            Ok(Access { allowed: false }) => Right::Denied,
            Err(_) => Right::Unknown,
        }
    }

    async fn rules_in(&self, namespace: &str) -> Result<Arc<Rules>, ApiError> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        });
        let rules = async { self.ask(RULES_REVIEWS, review).await.map(Arc::new) };
        self.rules.about(&namespace.to_owned()).or_find_out(rules).await
    }

    async fn ask<S: for<'de> Deserialize<'de>>(&self, path: &str, review: Value) -> Result<S, ApiError> {
        // In a box: whoever may have to ask seldom does.
        let asking = Box::pin(self.api.review(path, review.to_string().into_bytes(), self.timeout));
        let body = asking.await?;
        let review: Review<S> =
            serde_json::from_slice(&body).map_err(|source| ApiError::Decode { what: "a review", source })?;
        Ok(review.status)
    }
}

fn access_review(verb: Verb, info: &KindInfo, place: Place<'_>) -> Value {
    let (namespace, name) = match place {
        Place::Cluster => ("", ""),
        Place::Namespace(namespace) => (namespace, ""),
        Place::Object(name) => ("", name),
    };
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "verb": verb.as_str(),
            "group": info.id.group,
            "version": info.version,
            "resource": info.id.resource,
            "namespace": namespace,
            "name": name,
        }},
    })
}

impl Rules {
    /// What they say of all objects of a kind.
    fn say(&self, verb: Verb, kind: &GroupResource) -> Right {
        let holds = |list: &[String], wanted: &str| list.iter().any(|word| word == "*" || word == wanted);
        let granted = self.resource_rules.iter().any(|rule| {
            rule.resource_names.is_empty()
                && holds(&rule.verbs, verb.as_str())
                && holds(&rule.api_groups, &kind.group)
                && holds(&rule.resources, &kind.resource)
        });
        match (granted, self.incomplete) {
            (true, _) => Right::Granted,
            (false, false) => Right::Denied,
            (false, true) => Right::Unknown,
        }
    }
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(rules: &str, incomplete: bool) -> Rules {
        let status =
            format!(r#"{{"resourceRules": [{rules}], "nonResourceRules": [], "incomplete": {incomplete}}}"#);
        serde_json::from_str(&status).unwrap()
    }

    #[test]
    fn rules_say_what_they_grant_and_only_complete_ones_what_they_do_not() {
        let listing = r#"{"verbs": ["list"], "apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"]}"#;
        let anything = r#"{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}"#;
        let named =
            r#"{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["web-0"]}"#;
        let scale = r#"{"verbs": ["list"], "apiGroups": ["apps"], "resources": ["*/scale"]}"#;
        for (granted, verb, kind, said) in [
            (listing, Verb::List, "deployments.apps", Right::Granted),
            (listing, Verb::Watch, "deployments.apps", Right::Denied),
            (listing, Verb::List, "deployments", Right::Denied),
            (listing, Verb::List, "statefulsets.apps", Right::Denied),
            (anything, Verb::Watch, "widgets.example.com", Right::Granted),
            (named, Verb::List, "pods", Right::Denied),
            (scale, Verb::List, "deployments.apps", Right::Denied),
            ("", Verb::List, "pods", Right::Denied),
        ] {
            let kind = kind.parse().unwrap();
            assert_eq!(rules(granted, false).say(verb, &kind), said, "{granted} {verb:?} {kind}");
            let unsaid = if said == Right::Granted { Right::Granted } else { Right::Unknown };
            assert_eq!(
                rules(granted, true).say(verb, &kind),
                unsaid,
                "incomplete: {granted} {verb:?} {kind}"
            );
        }
    }
}
