//! What agents would tell of their clusters.

use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::health::{
    ApiFacts, CapacityFacts, HealthFacts, Named, NodeFacts, Resources, Workload, WorkloadFacts,
};
use kubeplex_proto::status::{LegStatus, Source};

use crate::merge::{Gather, Gathered, Heard, LegFailure};
use crate::request::fixtures::{NOW, NOW_MS};
use crate::request::{HealthQuery, legs};

pub(super) fn gathered(query: &HealthQuery) -> Gathered<HealthFacts> {
    let mut merge = Gather::new(&query.targets);
    for (leg, cluster) in legs(&query.targets) {
        if let Some(failure) = LegFailure::of_cluster(cluster) {
            merge.finish(leg, Err(failure));
            continue;
        }
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: String::new(),
            total: 1,
            age_ms: 140,
            cluster_now_ms: NOW_MS,
            clock_offset_ms: 0,
        };
        merge.head(leg, Heard::new(head, NOW.steady));
        merge.items(leg, vec![facts(cluster.id.as_str())]);
        merge.finish(leg, Ok(GatherEnd { cut: None }));
    }
    merge.into_gathered().unwrap()
}

fn facts(cluster: &str) -> HealthFacts {
    let resources = |processors: u64, gibibytes: u64, pods| Resources {
        cpu_milli: processors * 1_000,
        memory_bytes: gibibytes << 30,
        pods,
    };
    let mut facts = HealthFacts {
        api: ApiFacts { answered_ms: Some(7), ..ApiFacts::default() },
        nodes: Some(NodeFacts {
            total: 12,
            ready: 12,
            kubelets: [("v1.35.2".to_owned(), 12)].into(),
            ..NodeFacts::default()
        }),
        workloads: Some(WorkloadFacts { total: 64, ..WorkloadFacts::default() }),
        capacity: Some(CapacityFacts {
            allocatable: resources(96, 384, 696),
            requested: Some(resources(61, 191, 412)),
            used: Some(resources(40, 150, 0)),
        }),
        ..HealthFacts::default()
    };
    if let (true, Some(nodes), Some(workloads)) =
        (cluster == "prod-us", facts.nodes.as_mut(), facts.workloads.as_mut())
    {
        nodes.ready = 11;
        nodes.not_ready = vec![Named { name: "ip-10-0-3-7".to_owned(), why: "NodeStatusUnknown".to_owned() }];
        workloads.failing_total = 1;
        workloads.failing = vec![Workload {
            kind: "deployment".to_owned(),
            namespace: "shop".to_owned(),
            name: "search".to_owned(),
            available: 0,
            wanted: 3,
        }];
    }
    facts
}
