//! What `resource_explain` asks: which field of which kind, and of which cluster.

use std::sync::Arc;

use kubeplex_proto::kind::KindInfo;

use crate::error::CallError;
use crate::fleet::{ClusterView, LinkState};
use crate::limits::{MAX_EXPLAINED_PATH, USUAL_EXPLAINED_DEPTH};
use crate::request::{ExplainQuery, Request};

use super::guard::short;
use super::kinds::{self, ResolvedKind};
use super::plan::{options, some_clusters, targets};
use super::{Arguments, Scope, Understood};

/// The fields of a kind.
///
/// # Errors
/// Whatever is wrong with the arguments; `not_found` for a kind that no cluster has.
pub(crate) fn explain(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let kind = kinds::find(arguments.text("kind").unwrap_or_default(), scope, &clusters)?;
    let path = arguments.text("path").map(steps).transpose()?.unwrap_or_default();
    let depth = arguments.integer("depth").and_then(|depth| u32::try_from(depth).ok());
    let asked = first_that_has(&clusters, &kind);
    let others = asked.map(|asked| other_versions(&clusters, &kind, asked)).unwrap_or_default();
    let asked = asked.unwrap_or(&clusters[0]);
    Ok(Request::Explain(ExplainQuery {
        targets: targets(vec![Arc::clone(asked)], None),
        kind: kind.id,
        scope: kind.scope,
        version: kind.version,
        path,
        depth: depth.unwrap_or(USUAL_EXPLAINED_DEPTH),
        others,
        options: options(arguments),
        understood: Understood(()),
    }))
}

/// `spec.template.spec.containers[*].image` → the names; lists are passed through whatever is said of their elements.
fn steps(text: &str) -> Result<Vec<String>, CallError> {
    let wrong = |problem: &str| {
        Err(CallError::invalid(format!(
            "path: \"{}\" {problem}; spec.template.spec.containers is an example",
            short(text, 60)
        )))
    };
    let steps: Vec<_> = text
        .trim()
        .trim_start_matches('.')
        .split('.')
        .map(|step| step.split('[').next().unwrap_or_default().to_owned())
        .collect();
    if steps.len() > MAX_EXPLAINED_PATH {
        return wrong("has too many steps");
    }
    if steps.iter().any(String::is_empty) {
        return wrong("has an empty step");
    }
    Ok(steps)
}

/// Of those that answer, the first that has the kind in the version asked for; of the others, the first.
fn first_that_has<'c>(clusters: &'c [Arc<ClusterView>], kind: &ResolvedKind) -> Option<&'c Arc<ClusterView>> {
    let has = |cluster: &&Arc<ClusterView>| {
        served(cluster, kind)
            .is_some_and(|info| kind.version.as_ref().is_none_or(|version| info.versions.contains(version)))
    };
    let linked = clusters.iter().filter(|cluster| cluster.link == LinkState::Connected).find(has);
    linked.or_else(|| clusters.iter().find(has))
}

fn served<'c>(cluster: &'c ClusterView, kind: &ResolvedKind) -> Option<&'c KindInfo> {
    cluster.kinds.as_deref()?.get(&kind.id)
}

fn other_versions(
    clusters: &[Arc<ClusterView>],
    kind: &ResolvedKind,
    asked: &ClusterView,
) -> Vec<(String, String)> {
    let version = |cluster: &ClusterView| served(cluster, kind).map(|info| info.version.clone());
    let of_asked = kind.version.clone().or_else(|| version(asked));
    let others = clusters.iter().filter_map(|cluster| Some((cluster.id.to_string(), version(cluster)?)));
    others.filter(|(_, version)| Some(version) != of_asked.as_ref()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::request::fixtures::{cluster, fleet, kind, kinds, lost, resolved};

    fn ask(arguments: &Value) -> Result<ExplainQuery, CallError> {
        let mut older = cluster("us", &[]);
        let certificates = kind("cert-manager.io", "issuers", "Issuer", &[], &["v1alpha2"]);
        older.kinds = Some(Arc::new(kinds(&[certificates])));
        let mut newer = cluster("eu", &[]);
        let certificates = kind("cert-manager.io", "issuers", "Issuer", &[], &["v1", "v1alpha2"]);
        newer.kinds = Some(Arc::new(kinds(&[certificates])));
        let fleet = fleet(vec![lost("ap"), cluster("dev", &[]), newer, older]);
        match resolved(&fleet, "resource_explain", arguments)? {
            Request::Explain(query) => Ok(query),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_cluster_is_asked_that_is_there_and_has_the_kind() {
        for (arguments, asked, others) in [
            (json!({"kind": "deploy"}), "dev", vec![]),
            (json!({"kind": "deploy", "cluster": "ap"}), "ap", vec![]),
            (json!({"kind": "issuers"}), "eu", vec![("us", "v1alpha2")]),
            (json!({"kind": "issuers.cert-manager.io/v1alpha2", "cluster": "us"}), "us", vec![]),
        ] {
            let query = ask(&arguments).unwrap();
            assert_eq!(query.targets.len(), 1);
            assert_eq!(query.targets[0].cluster.id.as_str(), asked, "{arguments}");
            let told: Vec<_> = query.others.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(told, others, "{arguments}");
        }
    }

    #[test]
    fn paths_are_read_with_dots_and_brackets() {
        for (path, steps) in [
            (".spec.template", &["spec", "template"][..]),
            ("spec.containers[*].image", &["spec", "containers", "image"]),
            ("spec.containers[0]", &["spec", "containers"]),
        ] {
            assert_eq!(ask(&json!({"kind": "po", "path": path})).unwrap().path, steps);
        }
        for (arguments, said) in [
            (json!({"kind": "po", "path": "spec..image"}), "path: \"spec..image\" has an empty step"),
            (json!({"kind": "po", "path": vec!["a"; 50].join(".")}), "has too many steps"),
            (json!({"kind": "po", "depth": 9}), "depth: 9 is not right"),
            (json!({}), "kind is missing"),
        ] {
            let error = ask(&arguments).unwrap_err();
            assert!(error.message.contains(said), "{}", error.message);
        }
    }
}
