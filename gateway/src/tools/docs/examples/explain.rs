//! Of `resource_explain`.

use kubeplex_proto::explain::Field;
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::{Value, json};

use crate::merge::{Gather, Gathered, Heard};
use crate::request::fixtures::{NOW, NOW_MS};
use crate::request::{ExplainQuery, legs};

pub(super) fn example() -> (&'static str, Value) {
    (
        "How is a deployment told how to roll out?",
        json!({"kind": "deploy", "path": "spec.strategy", "depth": 2}),
    )
}

pub(super) fn gathered(query: &ExplainQuery) -> Gathered<Field> {
    let mut gather = Gather::new(&query.targets);
    let field = |path: &str, type_name: &str, description: &str| Field {
        path: path.to_owned(),
        type_name: type_name.to_owned(),
        description: description.to_owned(),
        ..Field::default()
    };
    let choice = Field {
        one_of: vec![json!("Recreate"), json!("RollingUpdate")],
        ..field("type", "string", "Type of deployment. Default is RollingUpdate.")
    };
    let surge = "The maximum number of pods that can be scheduled above the desired number of pods.";
    let fields = vec![
        field(
            "",
            "DeploymentStrategy",
            "The deployment strategy to use to replace existing pods with new ones.",
        ),
        field("rollingUpdate", "RollingUpdateDeployment", "Rolling update config params."),
        field("rollingUpdate.maxSurge", "IntOrString", surge),
        choice,
    ];
    for (leg, _) in legs(&query.targets) {
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Live,
            api_version: "apps/v1".to_owned(),
            total: fields.len() as u64,
            age_ms: 0,
            cluster_now_ms: NOW_MS,
            clock_offset_ms: 0,
        };
        gather.head(leg, Heard::new(head, NOW.steady));
        gather.items(leg, fields.clone());
        gather.finish(leg, Ok(GatherEnd { cut: None }));
    }
    gather.into_gathered().unwrap()
}
