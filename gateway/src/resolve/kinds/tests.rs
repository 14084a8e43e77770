use std::sync::Arc;

use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::visibility::{Reach, Visibility, VisibilityRule};

use super::*;
use crate::fleet::Fleet;
use crate::request::fixtures::{NOW_MS, cluster, fleet, kind, kinds, lost, sealer};

fn find_in(text: &str, fleet: &Fleet) -> Result<ResolvedKind, CallError> {
    find_as(&Visibility::everything(), text, fleet, fleet.clusters())
}

fn find_as(
    visibility: &Visibility,
    text: &str,
    fleet: &Fleet,
    asked: &[Arc<ClusterView>],
) -> Result<ResolvedKind, CallError> {
    let sealer = sealer();
    let time = resolve::TimeOfDay::new(NOW_MS);
    find(text, &resolve::Scope { fleet, visibility, caller: "anna", sealer: &sealer, time }, asked)
}

fn two_clusters() -> Fleet {
    let mut with_crds = cluster("b", &[]);
    with_crds.kinds = Some(Arc::new(kinds(&[
        kind("widgets.example.com", "gadgets", "Gadget", &["po"], &["v1"]),
        kind("other.example.com", "gadgets", "Gadget", &[], &["v2"]),
        kind("widgets.example.com", "deployments", "Deployment", &[], &["v1"]),
        kind("only.here.example.com", "sprockets", "Sprocket", &[], &["v1alpha1"]),
        kind("", "namespaces", "Namespace", &["ns"], &["v1"]),
    ])));
    fleet(vec![cluster("a", &[]), with_crds])
}

#[test]
fn kinds_resolve_as_in_kubectl() {
    for (text, expected) in [
        ("pods", "pods"),
        ("po", "pods"),
        ("Pod", "pods"),
        ("pOD", "pods"),
        ("pod", "pods"),
        (" pods ", "pods"),
        ("pods.v1", "pods"),
        ("pods.v1.", "pods"),
        ("pods/v1", "pods"),
        ("nodes", "nodes"),
        ("PodMetrics", "pods.metrics.k8s.io"),
        ("pods.metrics.k8s.io", "pods.metrics.k8s.io"),
        ("events", "events"),
        ("ev", "events"),
        ("events.events.k8s.io", "events.events.k8s.io"),
        ("deploy", "deployments.apps"),
        ("deployments", "deployments.apps"),
        ("deployments.apps", "deployments.apps"),
        ("deployments.v1.apps", "deployments.apps"),
        ("deployments.apps/v1", "deployments.apps"),
        ("Deployment.v1.apps", "deployments.apps"),
        ("deployments.widgets.example.com", "deployments.widgets.example.com"),
        ("hpa", "horizontalpodautoscalers.autoscaling"),
        ("hpa.v2.autoscaling", "horizontalpodautoscalers.autoscaling"),
        ("cert", "certificates.cert-manager.io"),
        ("certificates.cert-manager.io/v1", "certificates.cert-manager.io"),
        ("certificates.cert-manager", "certificates.cert-manager.io"),
        ("sprockets", "sprockets.only.here.example.com"),
        ("gadgets.widgets.example.com", "gadgets.widgets.example.com"),
    ] {
        let found = find_in(text, &two_clusters()).map(|kind| kind.id.to_string());
        assert_eq!(found.as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn a_named_version_is_kept_and_must_be_served_somewhere() {
    let find = |text| find_in(text, &two_clusters());
    assert_eq!(find("certificates.cert-manager.io/v1alpha2").unwrap().version.as_deref(), Some("v1alpha2"));
    assert_eq!(find("pods").unwrap().version, None);
    for (text, message) in [
        (
            "certificates.cert-manager.io/v9",
            "kind: certificates.cert-manager.io has no version v9; served are v1, v1alpha2",
        ),
        ("pods/v9", "kind: pods has no version v9; served are v1"),
    ] {
        let error = find(text).unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (ErrorCode::NotFound, message));
    }
}

#[test]
fn what_is_unknown_or_ambiguous_is_said_with_what_would_be_right() {
    for (text, code, message) in [
        (
            "gadgets",
            ErrorCode::InvalidArgument,
            "\"gadgets\" is in several groups: gadgets.other.example.com, gadgets.widgets.example.com",
        ),
        ("podz", ErrorCode::NotFound, "kind: no cluster has \"podz\"; did you mean pods"),
        ("deploymnets", ErrorCode::NotFound, "did you mean deployments.apps"),
        ("certificates.example.com", ErrorCode::NotFound, "did you mean certificates.cert-manager.io"),
        ("deployment/cart", ErrorCode::InvalidArgument, "only a version may follow the slash"),
        ("pods,nodes", ErrorCode::InvalidArgument, "several kinds"),
        ("xyzzy", ErrorCode::NotFound, "kind: no cluster has \"xyzzy\""),
        ("", ErrorCode::NotFound, "kind: no cluster has \"\""),
        ("...", ErrorCode::NotFound, "kind: no cluster has"),
    ] {
        let error = find_in(text, &two_clusters()).unwrap_err();
        assert_eq!(error.code, code, "{text}");
        assert!(error.message.contains(message), "{text}: {}", error.message);
    }
}

fn only(kinds: &[&str]) -> Visibility {
    let kinds = Reach::of(kinds.iter().copied().map(Pattern::new));
    Visibility::of(vec![VisibilityRule::of(kinds, Reach::All)])
}

#[test]
fn what_the_caller_may_not_see_is_like_what_there_is_not() {
    let shop = Reach::of([Pattern::new("shop")]);
    let in_shop = Visibility::of(vec![VisibilityRule::of(Reach::All, shop)]);
    for (visibility, text, expected) in [
        (only(&["pods"]), "podz", Err("kind: no cluster has \"podz\"; did you mean pods?")),
        (only(&["pods"]), "sprocketz", Err("kind: no cluster has \"sprocketz\"")),
        (only(&["pods"]), "deploymnets", Err("kind: no cluster has \"deploymnets\"")),
        (only(&["pods"]), "deployments", Err("kind: no cluster has \"deployments\"")),
        (only(&["pods"]), "po", Ok("pods")),
        (only(&["gadgets.other.example.com"]), "gadgets", Ok("gadgets.other.example.com")),
        (only(&["gadgets.widgets.example.com"]), "po", Ok("gadgets.widgets.example.com")),
        (only(&["certificates.cert-manager.io"]), "pods/v9", Err("kind: no cluster has \"pods\"")),
        (in_shop.clone(), "pods", Ok("pods")),
        (in_shop.clone(), "namespaces", Ok("namespaces")),
        // They are in no namespace.
        (in_shop, "nodes", Err("kind: no cluster has \"nodes\"")),
    ] {
        let fleet = two_clusters();
        let found = find_as(&visibility, text, &fleet, fleet.clusters());
        let found = found.map(|kind| kind.id.to_string()).map_err(|error| error.message);
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    }
}

#[test]
fn groups_that_do_not_answer_are_a_hint() {
    let mut view = cluster("a", &[]);
    let mut table = kinds(&[]);
    table.failed_groups = vec![("custom.metrics.k8s.io".to_owned(), "503".to_owned())];
    view.kinds = Some(Arc::new(table));
    let fleet = fleet(vec![view]);
    for (visibility, told) in [
        (Visibility::everything(), true),
        (only(&["*.custom.metrics.k8s.io"]), true),
        (only(&["pods"]), false),
    ] {
        let error = find_as(&visibility, "xyzzy", &fleet, fleet.clusters()).unwrap_err();
        let hint = error.hint.unwrap_or_default();
        assert_eq!(hint.contains("custom.metrics.k8s.io"), told, "{visibility:?}: {hint}");
    }
}

fn unreported(name: &str) -> ClusterView {
    let mut view = cluster(name, &[]);
    view.kinds = None;
    view
}

#[test]
fn before_any_discovery_there_is_nothing_to_look_up_in() {
    let mut down = lost("b");
    down.kinds = None;
    let mut shut_out = unreported("c");
    Arc::make_mut(&mut shut_out.report).api_problem = "connection refused".to_owned();
    let fleet = fleet(vec![unreported("a"), down, shut_out]);
    let error = find_as(&Visibility::everything(), "pods", &fleet, fleet.clusters()).unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(error.retry_after_ms.is_some());
    assert_eq!(
        error.message,
        "kind: \"pods\" can't be looked up: none of the 3 clusters asked has reported its kinds yet: \
         a (its agent is still finding out what it serves), b (no link for 4m), c (connection refused)"
    );
}

#[test]
fn what_is_not_there_is_said_of_the_clusters_that_reported_their_kinds() {
    let fleet = fleet(vec![cluster("a", &[]), unreported("b"), cluster("c", &[])]);
    let asked = |range: std::ops::Range<usize>| &fleet.clusters()[range];
    let of = |text, asked| find_as(&Visibility::everything(), text, &fleet, asked).unwrap_err();
    let some = of("xyzzy", asked(0..3));
    assert_eq!(some.code, ErrorCode::NotFound);
    assert_eq!(
        some.message,
        "kind: no cluster has \"xyzzy\"; of 3 clusters, 1 has not reported its kinds: \
         b (its agent is still finding out what it serves)"
    );
    assert!(of("pods/v9", asked(0..2)).message.ends_with(
        "of 2 clusters, 1 has not reported its kinds: b (its agent is still finding out what it serves)"
    ));
    let none = of("xyzzy", asked(1..2));
    assert_eq!(none.code, ErrorCode::Unavailable, "{none:?}");
    assert_eq!(of("xyzzy", asked(2..3)).message, "kind: no cluster has \"xyzzy\"", "b was not asked");
    // What some cluster has can be asked of one whose kinds are not known.
    assert!(find_as(&Visibility::everything(), "pods", &fleet, asked(1..2)).is_ok());
}
