//! Objects that somebody still writes in a version of the API that is going, or gone.
//!
//! Releases: <https://kubernetes.io/docs/reference/using-api/deprecation-guide/>, and for versions without a release yet the
//! lifecycle notes in `k8s.io/api`. The server converts what it keeps, so the objects stay; it is whoever writes them (a chart,
//! a pipeline) that fails with the release.

use super::kind::{self, NODES};
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{is_deleted, text};
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[Cause {
    name: "DeprecatedApi",
    severities: &[Severity::Warning, Severity::Info],
    looks_at: "the apiVersion in which an object was last written",
    when: "that version is deprecated; a warning where the cluster's release, by its nodes, no longer serves it or the next one will not",
}];

/// Group and version, the plural or `*` for all, the minor release that stops serving it (0: none is named), what to use.
type Row = (&'static str, &'static str, i64, &'static str);

const TABLE: &[Row] = &[
    ("extensions/v1beta1", "ingresses", 22, "networking.k8s.io/v1"),
    ("extensions/v1beta1", "networkpolicies", 16, "networking.k8s.io/v1"),
    ("extensions/v1beta1", "podsecuritypolicies", 16, "policy/v1beta1"),
    ("extensions/v1beta1", "*", 16, "apps/v1"),
    ("apps/v1beta1", "*", 16, "apps/v1"),
    ("apps/v1beta2", "*", 16, "apps/v1"),
    (
        "admissionregistration.k8s.io/v1beta1",
        "mutatingwebhookconfigurations",
        22,
        "admissionregistration.k8s.io/v1",
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "validatingwebhookconfigurations",
        22,
        "admissionregistration.k8s.io/v1",
    ),
    ("apiextensions.k8s.io/v1beta1", "*", 22, "apiextensions.k8s.io/v1"),
    ("apiregistration.k8s.io/v1beta1", "*", 22, "apiregistration.k8s.io/v1"),
    ("certificates.k8s.io/v1beta1", "certificatesigningrequests", 22, "certificates.k8s.io/v1"),
    ("coordination.k8s.io/v1beta1", "leases", 22, "coordination.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "ingresses", 22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "ingressclasses", 22, "networking.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "*", 22, "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1alpha1", "*", 22, "rbac.authorization.k8s.io/v1"),
    ("scheduling.k8s.io/v1beta1", "priorityclasses", 22, "scheduling.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "csidrivers", 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "csinodes", 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "storageclasses", 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "volumeattachments", 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "csistoragecapacities", 27, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "volumeattributesclasses", 0, "storage.k8s.io/v1"),
    ("batch/v1beta1", "cronjobs", 25, "batch/v1"),
    ("discovery.k8s.io/v1beta1", "endpointslices", 25, "discovery.k8s.io/v1"),
    ("events.k8s.io/v1beta1", "events", 25, "events.k8s.io/v1"),
    ("autoscaling/v2beta1", "horizontalpodautoscalers", 25, "autoscaling/v2"),
    ("autoscaling/v2beta2", "horizontalpodautoscalers", 26, "autoscaling/v2"),
    ("policy/v1beta1", "poddisruptionbudgets", 25, "policy/v1"),
    ("policy/v1beta1", "podsecuritypolicies", 25, "pod security admission"),
    ("node.k8s.io/v1beta1", "runtimeclasses", 25, "node.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta1", "*", 26, "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta2", "*", 29, "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta3", "*", 32, "flowcontrol.apiserver.k8s.io/v1"),
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let Some(written_as) = subject.written_as.filter(|_| !is_deleted(subject.object)) else { return };
    let Some((version, _, removed, instead)) = row(written_as, &subject.kind.resource) else { return };
    let minor = minor(world);
    let (severity, words) = match minor {
        _ if *removed == 0 => (Severity::Info, "which is deprecated".to_owned()),
        Some(minor) if minor >= *removed => {
            (Severity::Warning, format!("which is not served since 1.{removed}"))
        }
        Some(minor) if minor + 1 >= *removed => {
            (Severity::Warning, format!("which 1.{removed} does not serve any more"))
        }
        _ => (Severity::Info, format!("which 1.{removed} does not serve any more")),
    };
    let message = format!("it is written as {version}, {words}: use {instead}");
    let shown = [
        Some(Evidence::field("metadata.managedFields apiVersion", version)),
        minor.map(|minor| Evidence::field("nodes", format!("1.{minor}"))),
    ];
    verdict.add(Finding::new("DeprecatedApi", severity, message).shown_by(shown.into_iter().flatten()));
}

fn row(written_as: &str, kind: &str) -> Option<&'static Row> {
    let is_it =
        |(version, resource, ..): &&Row| *version == written_as && (*resource == "*" || *resource == kind);
    TABLE.iter().find(is_it)
}

/// The minor release that serves a version of a kind no more, where one is named.
pub(crate) fn removed_in(version: &str, resource: &str) -> Option<u32> {
    row(version, resource)
        .and_then(|(_, _, removed, _)| u32::try_from(*removed).ok())
        .filter(|removed| *removed > 0)
}

/// The newest release of a kubelet, which is never newer than the API server.
/// <https://kubernetes.io/releases/version-skew-policy/#kubelet>
fn minor(world: &dyn World) -> Option<i64> {
    let nodes = world.list(&kind::of(NODES), None);
    let minor = |version: &str| version.strip_prefix("v1.")?.split('.').next()?.parse().ok();
    nodes.iter().filter_map(|node| minor(text(node, "/status/nodeInfo/kubeletVersion"))).max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::Fixture;

    #[track_caller]
    fn check(release: Option<&str>, kind: &str, written_as: Option<&str>, expected: &[&str]) {
        let node = |version: &str| json!({"metadata": {"name": "n1"}, "status": {"nodeInfo": {"kubeletVersion": version}}});
        let world = release.map_or_else(Fixture::new, |release| Fixture::new().with("nodes", node(release)));
        let object = json!({"metadata": {"name": "web"}});
        assert_eq!(world.judge_written_as(judge, kind, &object, written_as).0, expected);
    }

    #[test]
    fn versions_that_go_by_the_cluster_they_are_in() {
        let flows = "flowschemas.flowcontrol.apiserver.k8s.io";
        let beta = Some("flowcontrol.apiserver.k8s.io/v1beta3");
        let goes = "it is written as flowcontrol.apiserver.k8s.io/v1beta3, which 1.32 does not serve any more: use flowcontrol.apiserver.k8s.io/v1";
        check(Some("v1.31.4"), flows, beta, &[&format!("Warning DeprecatedApi: {goes}")]);
        check(Some("v1.30.4-eks-1"), flows, beta, &[&format!("Info DeprecatedApi: {goes}")]);
        check(None, flows, beta, &[&format!("Info DeprecatedApi: {goes}")]);
        let gone = "it is written as policy/v1beta1, which is not served since 1.25: use policy/v1";
        check(
            Some("v1.37.2"),
            "poddisruptionbudgets.policy",
            Some("policy/v1beta1"),
            &[&format!("Warning DeprecatedApi: {gone}")],
        );
        let beta = "it is written as storage.k8s.io/v1beta1, which is deprecated: use storage.k8s.io/v1";
        check(
            Some("v1.37.2"),
            "volumeattributesclasses.storage.k8s.io",
            Some("storage.k8s.io/v1beta1"),
            &[&format!("Info DeprecatedApi: {beta}")],
        );
    }

    #[test]
    fn versions_that_stay() {
        check(Some("v1.37.2"), "deployments.apps", Some("apps/v1"), &[]);
        check(Some("v1.37.2"), "deployments.apps", None, &[]);
        check(Some("v1.37.2"), "ipaddresses.networking.k8s.io", Some("networking.k8s.io/v1beta1"), &[]);
    }
}
