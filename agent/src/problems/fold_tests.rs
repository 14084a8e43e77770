use kubeplex_proto::call::{CallContext, Freshness, Identity};
use kubeplex_proto::events::Moment;
use kubeplex_proto::ids::CallId;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::problems::ProblemSeverity;
use kubeplex_proto::visibility::{Reach, VisibilityRule};

use super::super::Finding;
use super::*;

const NOW_MS: i64 = 1_795_458_279_000;

/// `pods/shop/cart-1`, `nodes//n1`.
fn object(text: &str) -> ObjectRef {
    let [kind, namespace, name] = text.split('/').collect::<Vec<_>>().try_into().unwrap();
    let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
    ObjectRef { kind: kind.parse().unwrap(), namespace, name: name.to_owned() }
}

fn finding(cause: &'static str, because_of: Option<&str>) -> Finding {
    Finding {
        cause,
        severity: Severity::Critical,
        message: format!("it has {cause}"),
        evidence: Vec::new(),
        since_ms: None,
        last_seen_ms: None,
        because_of: because_of.map(object),
        next: None,
    }
}

fn found_of(name: &str, owners: &[&str], findings: Vec<Finding>) -> FoundOf {
    let found = |finding| Found { finding, found_ms: NOW_MS };
    let owners = owners.iter().map(|owner| object(owner)).collect();
    (Arc::new(object(name)), Arc::new(Kept::by_hand(findings.into_iter().map(found).collect(), owners)))
}

fn request() -> ProblemsRequest {
    ProblemsRequest {
        context: CallContext {
            call_id: CallId("c".to_owned()),
            deadline_ms: 1,
            caller: Identity { user: "anna".to_owned(), groups: Vec::new() },
            visibility: Visibility::everything(),
            max_bytes: 1,
            freshness: Freshness::Cache,
        },
        kind: None,
        namespaces: Vec::new(),
        names: Vec::new(),
        since: None,
        until: None,
        severity: ProblemSeverity::Info,
        limit: 100,
    }
}

/// `3 CrashLoop deployments.apps/shop/cart: RolloutStuck 1`
fn line(problem: &Problem) -> String {
    let subject = &problem.subject;
    let namespace = subject.namespace.as_deref().unwrap_or_default();
    let symptoms: Vec<_> =
        problem.symptoms.iter().map(|symptom| format!("{} {}", symptom.cause, symptom.objects)).collect();
    let symptoms = if symptoms.is_empty() { String::new() } else { format!(": {}", symptoms.join(", ")) };
    let Problem { objects, cause, .. } = problem;
    format!("{objects} {cause} {}/{namespace}/{}{symptoms}", subject.kind, subject.name)
}

fn lines(found: &[FoundOf], visibility: &Visibility, request: Option<&ProblemsRequest>) -> Vec<String> {
    let beside = &BTreeSet::new();
    problems(found, &Wanted { visibility, request, beside, now_ms: NOW_MS }).iter().map(line).collect()
}

/// A workload that crashes and is stuck for it, and a node that is down with the pods on it.
fn trouble() -> Vec<FoundOf> {
    let crash = |name: &str| {
        let owners = ["replicasets.apps/shop/cart-7d", "deployments.apps/shop/cart"];
        found_of(name, &owners, vec![finding("CrashLoop", None)])
    };
    let lost = |name: &str| found_of(name, &[], vec![finding("NodeLost", Some("nodes//n1"))]);
    vec![
        crash("pods/shop/cart-7d-1"),
        crash("pods/shop/cart-7d-2"),
        found_of(
            "deployments.apps/shop/cart",
            &[],
            vec![finding("RolloutStuck", Some("pods/shop/cart-7d-1"))],
        ),
        found_of("nodes//n1", &[], vec![finding("NodeNotReady", None)]),
        lost("pods/shop/search-1"),
        lost("pods/pay/ledger-1"),
    ]
}

#[test]
fn replicas_fold_under_their_workload_and_symptoms_under_their_cause() {
    assert_eq!(
        lines(&trouble(), &Visibility::everything(), None),
        ["2 CrashLoop deployments.apps/shop/cart: RolloutStuck 1", "1 NodeNotReady nodes//n1: NodeLost 2"]
    );
}

#[test]
fn what_a_caller_may_not_see_is_neither_counted_nor_named() {
    let only = |pattern: &str| Reach::Only(vec![Pattern::new(pattern)]);
    let of = |rule| Visibility::of(vec![rule]);
    for (visibility, expected) in [
        (
            of(VisibilityRule::of(Reach::All, only("shop"))),
            &["2 CrashLoop deployments.apps/shop/cart: RolloutStuck 1", "1 NodeLost pods/shop/search-1"][..],
        ),
        (
            of(VisibilityRule { names: only("cart-7d-1"), ..VisibilityRule::of(only("pods"), Reach::All) }),
            &["1 CrashLoop pods/shop/cart-7d-1"],
        ),
        (
            of(VisibilityRule::of(only("deployments.apps"), Reach::All)),
            &["1 RolloutStuck deployments.apps/shop/cart"],
        ),
        (of(VisibilityRule::of_cluster_scoped(only("nodes"))), &["1 NodeNotReady nodes//n1"]),
        (Visibility::nothing(), &[]),
    ] {
        assert_eq!(lines(&trouble(), &visibility, None), expected, "{visibility:?}");
    }
}

#[test]
fn a_question_about_objects_means_what_descends_from_them() {
    let all = "2 CrashLoop deployments.apps/shop/cart: RolloutStuck 1";
    for (kind, namespace, name, expected) in [
        ("deployments.apps", "", "cart", &[all][..]),
        ("replicasets.apps", "", "", &["2 CrashLoop deployments.apps/shop/cart: RolloutStuck 1"]),
        ("pods", "shop", "cart-7d-2", &["1 CrashLoop deployments.apps/shop/cart: RolloutStuck 1"]),
        // Whose trouble is another's, is told by its cause.
        ("pods", "pay", "", &["1 NodeNotReady nodes//n1: NodeLost 1"]),
        ("nodes", "", "", &["1 NodeNotReady nodes//n1: NodeLost 2"]),
        ("", "pay", "", &["1 NodeNotReady nodes//n1: NodeLost 1"]),
        ("deployments.apps", "", "search", &[]),
    ] {
        let patterns = |text: &str| if text.is_empty() { vec![] } else { vec![Pattern::new(text)] };
        let request = ProblemsRequest {
            kind: (!kind.is_empty()).then(|| kind.parse().unwrap()),
            namespaces: patterns(namespace),
            names: patterns(name),
            ..request()
        };
        let found = lines(&trouble(), &Visibility::everything(), Some(&request));
        assert_eq!(found, expected, "{kind} {namespace} {name}");
    }
}

#[test]
fn what_is_there_for_an_object_is_meant_with_it_where_it_may_be_seen() {
    let found = [
        found_of("horizontalpodautoscalers.autoscaling/shop/cart", &[], vec![finding("AtMaximum", None)]),
        found_of("horizontalpodautoscalers.autoscaling/shop/other", &[], vec![finding("AtMaximum", None)]),
    ];
    let asked = ProblemsRequest {
        kind: Some("deployments.apps".parse().unwrap()),
        names: vec![Pattern::new("cart")],
        ..request()
    };
    let only = |kind: &str| VisibilityRule::of(Reach::Only(vec![Pattern::new(kind)]), Reach::All);
    let told = |visibility: &Visibility, beside: &[&str]| {
        let beside = beside.iter().map(|name| object(name)).collect();
        let wanted = Wanted { visibility, request: Some(&asked), beside: &beside, now_ms: NOW_MS };
        problems(&found, &wanted).iter().map(line).collect::<Vec<_>>()
    };
    let scaler = ["horizontalpodautoscalers.autoscaling/shop/cart"];
    let everything = Visibility::everything();
    assert_eq!(told(&everything, &scaler), ["1 AtMaximum horizontalpodautoscalers.autoscaling/shop/cart"]);
    assert_eq!(told(&everything, &[]), Vec::<String>::new());
    assert_eq!(told(&Visibility::of(vec![only("deployments.apps")]), &scaler), Vec::<String>::new());
}

#[test]
fn causes_are_followed_to_the_last_that_is_known_and_circles_end() {
    let chain = |last: Option<&str>| {
        vec![
            found_of("pods/a/p", &[], vec![finding("Pending", Some("persistentvolumeclaims/a/c"))]),
            found_of("persistentvolumeclaims/a/c", &[], vec![finding("Unbound", Some("nodes//n"))]),
            found_of("nodes//n", &[], vec![finding("Down", last)]),
        ]
    };
    let told = |found: &[FoundOf]| lines(found, &Visibility::everything(), None);
    assert_eq!(told(&chain(None)), ["1 Down nodes//n: Pending 1, Unbound 1"]);
    assert_eq!(told(&chain(Some("nodes//gone"))), ["1 Down nodes//n: Pending 1, Unbound 1"]);
    assert_eq!(told(&chain(None)[..1]), ["1 Pending pods/a/p"]);
    assert_eq!(
        told(&chain(Some("pods/a/p"))),
        ["1 Down nodes//n", "1 Unbound persistentvolumeclaims/a/c", "1 Pending pods/a/p"],
        "in a circle each stands for itself"
    );
}

#[test]
fn static_pods_belong_to_nobody_and_what_made_a_workload_is_not_it() {
    let owners = ["deployments.apps/shop/cart", "shops.example.com/shop/all"];
    let found = [
        found_of("pods/shop/a", &owners, vec![finding("CrashLoop", None)]),
        found_of("pods/shop/b", &[], vec![finding("CrashLoop", None)]),
    ];
    assert_eq!(
        lines(&found, &Visibility::everything(), None),
        ["1 CrashLoop pods/shop/b", "1 CrashLoop deployments.apps/shop/cart"]
    );
}

#[test]
fn time_and_severity_restrict_and_the_gravest_come_first() {
    let with = |name: &str, severity, last_seen_ms| {
        let finding = Finding { severity, last_seen_ms, ..finding("Failed", None) };
        found_of(name, &[], vec![finding])
    };
    let found = [
        with("jobs.batch/a/minor", Severity::Info, None),
        with("jobs.batch/a/hour-ago", Severity::Warning, Some(NOW_MS - 3_600_000)),
        with("jobs.batch/a/now", Severity::Critical, None),
    ];
    let (hour_ago, now) = ("1 Failed jobs.batch/a/hour-ago", "1 Failed jobs.batch/a/now");
    let minor = "1 Failed jobs.batch/a/minor";
    let ago = |ms: u64| Some(Moment::Ago(ms));
    for (since, until, severity, expected) in [
        (None, None, ProblemSeverity::Info, &[now, hour_ago, minor][..]),
        (None, None, ProblemSeverity::Warning, &[now, hour_ago]),
        (ago(600_000), None, ProblemSeverity::Info, &[now, minor]),
        (None, ago(600_000), ProblemSeverity::Info, &[hour_ago]),
        (ago(7_200_000), ago(0), ProblemSeverity::Critical, &[now]),
    ] {
        let request = ProblemsRequest { since, until, severity, ..request() };
        let told = lines(&found, &Visibility::everything(), Some(&request));
        assert_eq!(told, expected, "{since:?} {until:?} {severity:?}");
    }
}
