//! What agents would tell of an object.

use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::health::Resources;
use kubeplex_proto::sheet::{Relative, Relatives, Sheet, SheetEvent, SheetUsage};
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::json;

use crate::merge::{Gather, Gathered, Heard};
use crate::request::fixtures::{NOW, NOW_MS};
use crate::request::{SheetsQuery, legs};

const MINUTE_MS: i64 = 60_000;

pub(super) fn gathered(query: &SheetsQuery) -> Gathered<Sheet> {
    let mut merge = Gather::new(&query.targets);
    for (leg, _) in legs(&query.targets) {
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: "apps/v1".to_owned(),
            total: 1,
            age_ms: 140,
            cluster_now_ms: NOW_MS,
            clock_offset_ms: 0,
        };
        merge.head(leg, Heard::new(head, NOW.steady));
        merge.items(leg, vec![sheet()]);
        merge.finish(leg, Ok(GatherEnd { cut: None }));
    }
    merge.into_gathered().unwrap()
}

fn sheet() -> Sheet {
    let relative = |kind: &str, name: &str, state: &str| Relative {
        kind: kind.to_owned(),
        name: name.to_owned(),
        state: state.to_owned(),
    };
    let of = |shown: Vec<Relative>| Relatives { shown, more: 0 };
    let resources =
        |cpu_milli, mebibytes: u64, pods| Resources { cpu_milli, memory_bytes: mebibytes << 20, pods };
    Sheet {
        object: json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cart", "namespace": "shop"},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "app", "image": "cart:1.8.1"}]}}},
            "status": {"replicas": 2, "readyReplicas": 1, "unavailableReplicas": 1},
        }),
        created_ms: Some(NOW_MS - 3 * 1_440 * MINUTE_MS),
        children: of(vec![
            relative("pod", "cart-7d9f8b6c5d-x2x9k", "CrashLoopBackOff 0/1, 7 restarts"),
            relative("replicaset", "cart-7d9f8b6c5d", "1/2 ready"),
            relative("pod", "cart-7d9f8b6c5d-b8r2m", "Running 1/1"),
        ]),
        uses: of(vec![relative("configmap", "cart-config", ""), relative("secret", "cart-db", "")]),
        selected_by: of(vec![
            relative("service", "cart", "1/2 endpoints ready"),
            relative("hpa", "cart", "2 to 10, 2 now, 2 wanted"),
        ]),
        usage: Some(SheetUsage {
            requested: resources(500, 512, 2),
            limits: resources(0, 1_024, 0),
            used: Some(resources(180, 700, 0)),
        }),
        events: vec![SheetEvent {
            object: "pod/cart-7d9f8b6c5d-x2x9k".to_owned(),
            event_type: "Warning".to_owned(),
            reason: "BackOff".to_owned(),
            message: "Back-off restarting failed container app".to_owned(),
            count: 31,
            last_ms: NOW_MS - 2 * MINUTE_MS,
        }],
        ..Sheet::default()
    }
}
