use kubeplex_proto::health::{
    ApiFacts, CapacityFacts, CertificateFacts, DeprecatedApi, Expiry, Named, NodeFacts, Resources, Workload,
    WorkloadFacts,
};

use super::*;

const NOW_MS: i64 = 1_795_458_279_000;
const DAY_MS: i64 = 86_400_000;

/// All is well.
fn well() -> HealthFacts {
    let allocatable = Resources { cpu_milli: 10_000, memory_bytes: 1_000, pods: 100 };
    HealthFacts {
        api: ApiFacts { answered_ms: Some(7), ..ApiFacts::default() },
        nodes: Some(NodeFacts {
            total: 10,
            ready: 10,
            kubelets: [("v1.35.2".to_owned(), 10)].into(),
            ..NodeFacts::default()
        }),
        workloads: Some(WorkloadFacts { total: 20, ..WorkloadFacts::default() }),
        capacity: Some(CapacityFacts {
            allocatable,
            requested: Some(Resources { cpu_milli: 8_999, memory_bytes: 899, pods: 89 }),
            used: Some(Resources { cpu_milli: 5_000, memory_bytes: 899, pods: 0 }),
        }),
        certificates: Some(CertificateFacts {
            total: 1,
            soonest: vec![expiry(15)],
            ..CertificateFacts::default()
        }),
        deprecated: Vec::new(),
        not_known: Vec::new(),
    }
}

fn expiry(days: i64) -> Expiry {
    Expiry { not_after_ms: NOW_MS + days * DAY_MS, namespace: "shop".to_owned(), name: "web".to_owned() }
}

fn named(name: &str, why: &str) -> Named {
    Named { name: name.to_owned(), why: why.to_owned() }
}

fn workload(namespace: &str, name: &str, available: u64) -> Workload {
    Workload {
        kind: "deployment".to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        available,
        wanted: 2,
    }
}

fn look(facts: &HealthFacts) -> Look<'_> {
    Look {
        version: "v1.35.2",
        failure: None,
        facts: Some(facts),
        stale: None,
        now_ms: NOW_MS,
        clock_offset_ms: 5_000,
        newest: Minor::of("v1.36.0"),
    }
}

fn told(look: Look<'_>) -> (Verdict, Vec<String>) {
    let reasons = judge(look, &HealthThresholds::default());
    (verdict(&reasons), reasons.into_iter().map(|reason| reason.text).collect())
}

fn check(change: impl FnOnce(&mut HealthFacts), wanted: Verdict, reason: &str) {
    let mut facts = well();
    change(&mut facts);
    assert_eq!(told(look(&facts)), (wanted, vec![reason.to_owned()]));
}

#[test]
fn a_cluster_that_is_well_has_no_reasons() {
    assert_eq!(told(look(&well())), (Verdict::Healthy, Vec::new()));
}

#[test]
fn the_api_server_comes_first() {
    use Verdict::{Critical, Degraded};
    check(
        |facts| facts.api.answered_ms = Some(1_001),
        Degraded,
        "API server: took 1001 ms to say whether it is ready",
    );
    check(|facts| facts.api.failed_checks = vec!["etcd".into()], Critical, "API server: not ready: etcd");
    check(|facts| facts.api.problem = "refused".into(), Critical, "API server: refused");
}

#[test]
fn nodes_are_judged_by_how_many_are_not_ready() {
    use Verdict::{Critical, Degraded};
    fn nodes(facts: &mut HealthFacts) -> &mut NodeFacts {
        facts.nodes.as_mut().unwrap()
    }
    let gone = |ready: u64| {
        move |facts: &mut HealthFacts| {
            nodes(facts).ready = ready;
            nodes(facts).not_ready = vec![named("n1", "NodeStatusUnknown")];
        }
    };
    check(gone(9), Degraded, "nodes: 1 of 10 not ready: n1 (NodeStatusUnknown)");
    check(gone(8), Critical, "nodes: 2 of 10 not ready: n1 (NodeStatusUnknown) and 1 more");
    check(|facts| *nodes(facts) = NodeFacts::default(), Degraded, "nodes: there are none");
    check(|facts| nodes(facts).cordoned = 2, Degraded, "nodes: 2 of 10 cordoned");
    check(
        |facts| (nodes(facts).pressed_total, nodes(facts).pressed) = (1, vec![named("n1", "DiskPressure")]),
        Degraded,
        "nodes: 1 of 10 under pressure: n1 (DiskPressure)",
    );
    let kubelets = |version: &'static str| {
        move |facts: &mut HealthFacts| nodes(facts).kubelets = [(version.to_owned(), 4)].into()
    };
    check(
        kubelets("v1.31.9"),
        Degraded,
        "versions: 4 kubelets (v1.31.9) are not supported with an API server 1.35",
    );
    check(
        kubelets("v1.36.0"),
        Degraded,
        "versions: 4 kubelets (v1.36.0) are not supported with an API server 1.35",
    );
}

#[test]
fn the_system_weighs_more_than_other_workloads() {
    use Verdict::{Critical, Degraded};
    let failing = |failing: Vec<Workload>, total: u64| {
        move |facts: &mut HealthFacts| {
            facts.workloads = Some(WorkloadFacts { total: 20, failing_total: total, failing });
        }
    };
    check(
        failing(vec![workload("kube-system", "coredns", 0)], 1),
        Critical,
        "control plane: deployment kube-system/coredns 0/2 available",
    );
    check(
        failing(vec![workload("kube-system", "coredns", 1)], 1),
        Degraded,
        "control plane: deployment kube-system/coredns 1/2 available",
    );
    check(
        failing(vec![workload("shop", "web", 0)], 3),
        Degraded,
        "workloads: 3 of 20 lack replicas: deployment shop/web 0/2 available and 2 more",
    );
    check(
        failing(vec![workload("shop", "web", 0)], 4),
        Critical,
        "workloads: 4 of 20 lack replicas: deployment shop/web 0/2 available and 3 more",
    );
}

#[test]
fn room_certificates_and_clocks_have_thresholds() {
    use Verdict::{Critical, Degraded};
    let requested = |cpu_milli: u64, pods: u64| {
        move |facts: &mut HealthFacts| {
            let requested = Resources { cpu_milli, memory_bytes: 0, pods };
            facts.capacity.as_mut().unwrap().requested = Some(requested);
        }
    };
    check(requested(9_000, 0), Degraded, "capacity: cpu 90% requested");
    check(requested(11_000, 100), Degraded, "capacity: cpu 110%, pods 100% requested");
    check(
        |facts| {
            facts.capacity.as_mut().unwrap().used =
                Some(Resources { memory_bytes: 950, ..Resources::default() });
        },
        Degraded,
        "capacity: memory 95% used",
    );
    let ends = |days: i64| {
        move |facts: &mut HealthFacts| facts.certificates.as_mut().unwrap().soonest = vec![expiry(days)]
    };
    check(ends(3), Degraded, "certificates: 1 end soon: shop/web in 3d");
    check(ends(-3), Critical, "certificates: 1 ended: shop/web 3d ago");
    check(
        |facts| {
            let certificates = facts.certificates.as_mut().unwrap();
            (certificates.not_ready_total, certificates.not_ready) =
                (1, vec![named("shop/web", "DoesNotExist")]);
        },
        Degraded,
        "certificates: 1 of 1 not ready: shop/web (DoesNotExist)",
    );
    let facts = well();
    let off = Look { clock_offset_ms: -65_000, ..look(&facts) };
    assert_eq!(told(off).1, ["clock: 65s behind its agent's"]);
}

#[test]
fn deprecated_apis_count_by_how_soon_they_go() {
    let api = |removed_in: u32, version: &str, objects: u64, requested: bool| DeprecatedApi {
        removed_in,
        version: version.to_owned(),
        resource: "things".to_owned(),
        objects,
        requested,
    };
    let with = |apis: Vec<DeprecatedApi>| move |facts: &mut HealthFacts| facts.deprecated = apis;
    check(
        with(vec![api(36, "a/v1beta1", 3, true)]),
        Verdict::Degraded,
        "deprecated APIs: 1 in use that are gone soon, or already: a/v1beta1 things until 1.36 (3 objects, requested)",
    );
    check(
        with(vec![api(37, "a/v1beta1", 1, false), api(40, "b/v1beta2", 0, true)]),
        Verdict::Healthy,
        "deprecated APIs: 2 in use that go later: a/v1beta1 things until 1.37 (1 object), b/v1beta2 things until 1.40 (requested)",
    );
}

#[test]
fn what_is_behind_old_or_silent_is_said() {
    let facts = well();
    let behind = Look { newest: Minor::of("v1.39.1"), ..look(&facts) };
    assert_eq!(
        told(behind),
        (
            Verdict::Degraded,
            vec!["versions: 1.35 is 4 minor releases behind 1.39, the newest of these clusters".into()]
        )
    );
    let stale = Look { stale: Some("no proof for 3m"), ..look(&facts) };
    assert_eq!(told(stale), (Verdict::Degraded, vec!["data: no proof for 3m".into()]));
    let silent = Look { facts: None, failure: Some("no link for 4m"), ..look(&facts) };
    assert_eq!(told(silent), (Verdict::Unknown, vec!["no answer: no link for 4m".into()]));
    let mut blind = well();
    blind.not_known = vec!["usage: forbidden".into()];
    assert_eq!(told(look(&blind)), (Verdict::Healthy, vec!["not known: usage: forbidden".into()]));
    let parts = ["nodes: nodes is forbidden: no", "pods: forbidden", "deprecated APIs: forbidden"];
    let mut blinder = HealthFacts { nodes: None, workloads: None, ..well() };
    blinder.not_known = parts.map(str::to_owned).into();
    assert_eq!(
        told(look(&blinder)),
        (
            Verdict::Unknown,
            vec![
                "no judgement: neither nodes nor workloads can be seen".into(),
                "not known: nodes, pods, deprecated APIs: nodes is forbidden: no".into()
            ]
        )
    );
}

#[test]
fn the_worst_reason_comes_first_and_decides() {
    let mut facts = well();
    facts.api.answered_ms = Some(3_000);
    facts.workloads.as_mut().unwrap().failing = vec![workload("kube-system", "coredns", 0)];
    facts.workloads.as_mut().unwrap().failing_total = 1;
    let (verdict, reasons) = told(look(&facts));
    assert_eq!(verdict, Verdict::Critical);
    assert!(reasons[0].starts_with("control plane") && reasons[1].starts_with("API server"), "{reasons:?}");
}
