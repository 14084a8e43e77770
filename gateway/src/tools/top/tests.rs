use kubeplex_proto::column::Column;
use kubeplex_proto::group::Group;
use kubeplex_proto::list::{ListEnd, ListHead, Row};
use kubeplex_proto::paths;
use kubeplex_proto::sort::{Direction, KeyValue, RowKey, SortBy, SortTerm};
use kubeplex_proto::status::{LegStatus, Source};
use kubeplex_test_support::list as answer;
use serde_json::Value;

use super::*;
use crate::fleet::Fleet;
use crate::merge::{Answered, GroupsAnswer, GroupsMerge, Heard, ListMerge, Merged, Step};
use crate::render::{RenderContext, Rendered};
use crate::request::fixtures::{NOW, cluster, fleet, list_query, resolved, sealer};
use crate::request::{LegContext, LegId};

fn clusters() -> Fleet {
    fleet(vec![cluster("bare", &[]), cluster("eu", &[])])
}

fn rendered(answered: Answered<'_>) -> Rendered {
    let sealer = sealer();
    let context = RenderContext { now: NOW, sealer: &sealer, nonce: [3; 24] };
    tool().render(Merged::by_hand(answered), &context).unwrap()
}

fn head(total: u64) -> ListHead {
    let column = |name: &str| {
        let format = usage::find(&GroupResource::new("", "pods"), name).unwrap().format;
        Column { name: name.to_owned(), format }
    };
    let columns = ["name", "cpu", "memory", "cpuPercent"].map(column).to_vec();
    ListHead { source: Source::Live, age_ms: 21_000, ..answer::head(columns, total) }
}

fn absent() -> ListHead {
    ListHead { status: LegStatus::Absent, ..answer::head(Vec::new(), 0) }
}

#[test]
fn usage_is_shown_as_kubectl_shows_it_and_what_is_not_measured_is_said() {
    let fleet = clusters();
    let query = list_query(&fleet, NAME, &json!({}));
    let row = |name: &str, cpu: Value, memory: Value, percent: Value| {
        let eu = KeyValue::Text("eu".to_owned());
        let key = RowKey {
            values: vec![KeyValue::from_json(&cpu), eu],
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            uid: name.to_owned(),
        };
        Row { key, cells: vec![name.into(), cpu, memory, percent] }
    };
    let mut merge = ListMerge::new(&query);
    merge.head(LegId(0), Heard::new(absent(), NOW.steady));
    merge.finish(LegId(0), Ok(ListEnd { more: false, cut: None }));
    merge.head(LegId(1), Heard::new(head(3), NOW.steady));
    merge.rows(
        LegId(1),
        vec![
            row("busy", json!("1000000001n"), json!("67108864"), json!(40)),
            row("idle", json!("1n"), json!("20480Ki"), Value::Null),
            row("new", Value::Null, Value::Null, Value::Null),
        ],
    );
    merge.finish(LegId(1), Ok(ListEnd { more: false, cut: None }));
    while merge.next() == Step::Row {}
    let rendered = rendered(Answered::List(&query, merge.into_page().unwrap()));
    let answer = &rendered.structured;
    assert_eq!(
        answer["groups"][0]["rows"],
        json!([
            ["eu", "shop", "busy", "1001m", "64Mi", 40],
            ["eu", "shop", "idle", "1m", "20Mi", null],
            ["eu", "shop", "new", null, null, null],
        ])
    );
    let covered = &answer["clusters"];
    assert_eq!((&covered["answered"], &covered["ageMs"]), (&json!(2), &json!(21_000)), "{covered}");
    assert_eq!(covered["source"], "live");
    let problem = &covered["problems"][0];
    assert_eq!((&problem["cluster"], &problem["status"]), (&json!("bare"), &json!("absent")), "{covered}");
    assert!(problem["message"].as_str().unwrap().contains("install metrics-server"), "{problem}");
    assert!(covered.get("absent").is_none() && answer.get("partial").is_none(), "{answer}");
    assert!(rendered.text.contains("bare absent: it has no metrics API"), "{}", rendered.text);
}

#[test]
fn sums_are_in_the_units_of_their_columns() {
    let fleet = clusters();
    let arguments = json!({"groupBy": "namespace,sum(cpu),sum(memoryLimit),sum(containers[0].usage.cpu)"});
    let query = list_query(&fleet, NAME, &arguments);
    let by = query.page.group.as_ref().unwrap();
    let group = |namespace: &str, cpu: i128, memory: KeyValue| Group {
        keys: vec![namespace.into()],
        count: 2,
        sums: vec![KeyValue::Number(cpu), memory, KeyValue::Number(cpu)],
    };
    let mut merge = GroupsMerge::new(&query, by);
    for leg in [LegId(0), LegId(1)] {
        let groups = vec![
            group("shop", 250_000_000, KeyValue::Number(1_000_000_000 << 30)),
            group("pay", 1, KeyValue::Missing),
        ];
        let heard = Heard::new(head(4), NOW.steady);
        merge.answer(leg, Ok(GroupsAnswer { heard, groups, end: ListEnd { more: false, cut: None } }));
    }
    let rendered = rendered(Answered::Groups(&query, merge.into_page().unwrap()));
    let rows = &rendered.structured["groups"][0]["rows"];
    assert_eq!(rows, &json!([["pay", 4, "1m", null, 2e-9], ["shop", 4, "500m", "2048Mi", 0.5]]));
}

#[test]
fn an_agent_is_asked_for_usage_and_the_busiest_first() {
    let fleet = clusters();
    let asked = |arguments: Value| {
        let query = list_query(&fleet, NAME, &arguments);
        let context = LegContext {
            call_id: kubeplex_proto::ids::CallId("c".to_owned()),
            deadline_ms: 1_000,
            caller: kubeplex_proto::call::Identity { user: "ann".to_owned(), groups: Vec::new() },
            visibility: kubeplex_proto::visibility::Visibility::everything(),
        };
        query.leg_request(&query.targets[0].cluster, 5, 1_000, None, context)
    };
    let pods = asked(json!({}));
    assert_eq!((pods.path(), pods.kind.to_string().as_str()), (paths::USAGE, "pods"));
    let busiest = SortTerm { by: SortBy::Field("cpu".to_owned()), direction: Direction::Descending };
    assert_eq!(pods.sort[0], busiest);
    assert_eq!(asked(json!({"kind": "nodes"})).kind.to_string(), "nodes");
}

#[test]
fn what_there_is_not_is_refused_by_name() {
    let fleet = clusters();
    for (arguments, said) in [
        (json!({"fields": "cpus"}), "fields: pods in top have no column \"cpus\"; did you mean cpu?"),
        (json!({"sortBy": "-cpuRequested"}), "did you mean cpuRequest"),
        (json!({"kind": "nodes", "sortBy": "cpuLimit"}), "nodes in top have no column \"cpuLimit\""),
        (json!({"groupBy": "sampled"}), "is the time since a moment"),
        (json!({"groupBy": "Age"}), "is the time since a moment"),
        (json!({"groupBy": "sum(node)"}), "sum(node) adds up what are no amounts; cpu, cpuRequest"),
        (json!({"groupBy": "sum(cpuPercent)"}), "adds up what are no amounts"),
        (json!({"kind": "deployments"}), "deployments"),
        (json!({"kind": "nodes", "namespace": "shop"}), "nodes are in no namespace"),
        (json!({"fieldSelector": "a=b"}), "fieldSelector"),
    ] {
        let error = resolved(&fleet, NAME, &arguments).unwrap_err();
        assert!(error.message.contains(said), "{arguments}: {}", error.message);
    }
    for arguments in [
        json!({"fields": "*"}),
        json!({"fields": "name,cpu-percent,node,age,cluster.labels.env,metadata.labels['app']"}),
        json!({"kind": "nodes", "sortBy": "-memoryPercent,name"}),
        json!({"groupBy": "cluster,node,sum(containers[0].usage.cpu)", "sortBy": "-count"}),
    ] {
        assert!(resolved(&fleet, NAME, &arguments).is_ok(), "{arguments}");
    }
}
