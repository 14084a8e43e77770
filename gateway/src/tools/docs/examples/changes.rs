//! What two agents tell of a rollout, and one of what followed.

use kubeplex_proto::changes::{Change, ChangesItem, Class, Deed, FieldChange, Folded, Gap, GapReason};
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::status::{LegStatus, Source};
use serde_json::{Value, json};

use super::minutes_ago;
use crate::merge::{Gather, Gathered, Heard};
use crate::request::fixtures::{NOW, NOW_MS};
use crate::request::{ChangesQuery, legs};

pub(super) fn gathered(query: &ChangesQuery) -> Gathered<ChangesItem> {
    let mut gather = Gather::new(&query.targets);
    for (leg, cluster) in legs(&query.targets) {
        let is_eu = cluster.id.as_str() == "prod-eu";
        let mut items = vec![ChangesItem::Change(Box::new(rollout(if is_eu { 24 } else { 21 })))];
        if is_eu {
            items.push(ChangesItem::Change(Box::new(flags())));
        } else {
            let (from_ms, to_ms) = (Some(minutes_ago(34)), minutes_ago(33));
            items.push(ChangesItem::Gap(Gap { from_ms, to_ms, kind: None, reason: GapReason::Restart }));
        }
        let head = GatherHead {
            status: LegStatus::Ok,
            message: None,
            source: Source::Cache,
            api_version: "apps/v1".to_owned(),
            total: if is_eu { 2 } else { 1 },
            age_ms: 140,
            cluster_now_ms: NOW_MS,
            clock_offset_ms: 0,
        };
        gather.head(leg, Heard::new(head, NOW.steady));
        gather.items(leg, items);
        gather.finish(leg, Ok(GatherEnd { cut: None }));
    }
    gather.into_gathered().unwrap()
}

fn change(
    minutes: i64,
    (group, resource, kind): (&str, &str, &str),
    name: &str,
    field: FieldChange,
) -> Change {
    Change {
        at_ms: minutes_ago(minutes),
        after_ms: None,
        kind: GroupResource::new(group, resource),
        kind_name: kind.to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
        deed: Deed::Changed,
        fields: vec![field],
        more_fields: 0,
        by: Some("argocd-controller".to_owned()),
        inferred: false,
        relation: String::new(),
        folded: Vec::new(),
        times: 1,
    }
}

fn field(path: &str, class: Class, old: &str, new: &str) -> FieldChange {
    let value = |text: &str| -> Value { json!(text) };
    FieldChange { path: path.to_owned(), class, old: value(old), new: value(new) }
}

fn rollout(minutes: i64) -> Change {
    let path = "spec.template.spec.containers[app].image";
    let image = field(path, Class::Image, "shop/checkout:1.8.1", "shop/checkout:1.8.2");
    let followed = |resource: &str, group: &str, created, deleted| Folded {
        kind: GroupResource::new(group, resource),
        created,
        deleted,
    };
    Change {
        folded: vec![followed("replicasets", "apps", 1, 0), followed("pods", "", 6, 6)],
        ..change(minutes, ("apps", "deployments", "Deployment"), "checkout", image)
    }
}

fn flags() -> Change {
    let data = field("data[features.json]", Class::Data, "41 bytes (9f86d0)", "42 bytes (60303a)");
    let by = Some("kubectl-edit".to_owned());
    let relation = "mounted".to_owned();
    Change { by, relation, ..change(9, ("", "configmaps", "ConfigMap"), "checkout-config", data) }
}
