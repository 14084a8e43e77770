use std::collections::BTreeMap;

use kubeplex_proto::group::added;
use kubeplex_proto::sort::KeyValue;
use kubeplex_proto::status::{AgentErrorCode, LegStatus};
use kubeplex_test_support::list as answer;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::ErrorCode;
use crate::fleet::Fleet;
use crate::request::fixtures::{NOW, NOW_MS, cluster, fleet, list_query, resolved};
use crate::request::{Resume, legs};

/// What an agent counted: namespace, status, how many, restarts.
type Counted = (u8, u8, u64, Option<i64>);

fn shops() -> Fleet {
    fleet(vec![cluster("a", &["env=prod"]), cluster("b", &["env=prod"]), cluster("c", &["env=test"])])
}

fn head(total: u64) -> ListHead {
    ListHead { age_ms: 140, cluster_now_ms: NOW_MS, ..answer::head(Vec::new(), total) }
}

/// Each pair of namespace and status once, as an agent has them.
fn answered(counted: &[Counted]) -> GroupsAnswer {
    let unique: BTreeMap<_, _> =
        counted.iter().map(|(ns, status, n, sum)| ((ns, status), (n, sum))).collect();
    let groups: Vec<_> = unique
        .into_iter()
        .map(|((namespace, status), (count, sum))| Group {
            keys: vec![json!(format!("n{namespace}")), json!(format!("s{status}"))],
            count: *count,
            sums: vec![sum.map_or(KeyValue::Missing, KeyValue::from_integer)],
        })
        .collect();
    let total = groups.iter().map(|group| group.count).sum();
    GroupsAnswer {
        heard: Heard::new(head(total), NOW.steady),
        groups,
        end: ListEnd { more: false, cut: None },
    }
}

fn page(query: &ListQuery, answers: &[Vec<Counted>]) -> GroupPage {
    let mut merge = GroupsMerge::new(query, query.page.group.as_ref().unwrap());
    for (leg, _) in legs(&query.targets) {
        merge.answer(leg, Ok(answered(&answers[leg.0])));
    }
    merge.into_page().unwrap().page
}

fn counted() -> impl Strategy<Value = Vec<Counted>> {
    prop::collection::vec((0..4_u8, 0..3_u8, 1..50_u64, prop::option::of(0..100_i64)), 0..12)
}

proptest! {
    /// Page after page, the groups are those of all answers together, each once and in order.
    #[test]
    fn pages_are_the_sum_of_all_answers(
        answers in prop::collection::vec(counted(), 3),
        limit in 1..8_u64,
        sort in prop::sample::select(vec!["", "-count", "namespace,-status", "-sum(restarts),count", "cluster.labels.env"]),
    ) {
        let mut arguments = json!({"groupBy": "cluster.labels.env,namespace,status,sum(restarts)", "limit": limit});
        if !sort.is_empty() {
            arguments["sortBy"] = json!(sort);
        }
        let mut query = list_query(&shops(), "pods_list", &arguments);
        let mut expected: BTreeMap<String, (u64, KeyValue)> = BTreeMap::new();
        for (at, counted) in answers.iter().enumerate() {
            for group in answered(counted).groups {
                let env = if at < 2 { "prod" } else { "test" };
                let keys = json!([env, group.keys[0], group.keys[1]]).to_string();
                let known = expected.entry(keys).or_insert((0, KeyValue::Missing));
                *known = (known.0 + group.count, added(&known.1, &group.sums[0]));
            }
        }
        let mut shown = Vec::new();
        loop {
            let page = page(&query, &answers);
            prop_assert_eq!(page.total, expected.len() as u64);
            shown.extend(page.rows);
            let Some((after, _)) = shown.last().filter(|_| page.more) else { break };
            query.page.resume = Some(Resume { after: after.clone(), missing: Vec::new() });
        }
        prop_assert_eq!(shown.len(), expected.len());
        for (_, cells) in &shown {
            let (count, sum) = &expected[&json!(cells[..3]).to_string()];
            prop_assert_eq!(cells[3].as_u64(), Some(*count));
            let sum = match sum { KeyValue::Number(nanos) => json!(nanos / 1_000_000_000), _ => Value::Null };
            prop_assert_eq!(&cells[4], &sum);
        }
        if sort.is_empty() || sort == "-count" {
            prop_assert!(shown.is_sorted_by_key(|(_, cells)| std::cmp::Reverse(cells[3].as_u64())));
        }
    }
}

#[test]
fn a_cluster_that_did_not_count_everything_is_left_out_and_said() {
    let query = list_query(&shops(), "pods_list", &json!({"groupBy": "namespace,status,sum(restarts)"}));
    let by = query.page.group.as_ref().unwrap();
    let mut wrong = answered(&[(0, 0, 3, None)]);
    wrong.heard.head.total = 4;
    let mut narrow = answered(&[(0, 0, 3, None)]);
    narrow.groups[0].keys.pop();
    let timed_out = LegFailure::new(LegStatus::Timeout, "no answer within 9.0 s");
    for bad in [Ok(wrong), Ok(narrow), Err(timed_out)] {
        let mut merge = GroupsMerge::new(&query, by);
        merge.answer(LegId(0), Ok(answered(&[(1, 1, 5, Some(2))])));
        merge.answer(LegId(1), bad);
        let page = merge.into_page().unwrap();
        assert_eq!(page.page.rows.len(), 1);
        assert_eq!(page.page.rows[0].1, [json!("n1"), json!("s1"), json!(5), json!(2)]);
        assert_eq!((page.coverage.answered(), page.coverage.is_partial()), (1, true));
    }
}

#[test]
fn too_many_groups_and_refusals_of_all_fail_the_call() {
    let query = list_query(&shops(), "pods_list", &json!({"groupBy": "name"}));
    let by = query.page.group.as_ref().unwrap();
    let mut merge = GroupsMerge::new(&query, by);
    let groups: Vec<_> = (0..=crate::limits::MAX_GROUPS)
        .map(|at| Group { keys: vec![json!(at)], count: 1, sums: Vec::new() })
        .collect();
    let heard = Heard::new(head(groups.len() as u64), NOW.steady);
    merge.answer(LegId(0), Ok(GroupsAnswer { heard, groups, end: ListEnd { more: false, cut: None } }));
    assert_eq!(merge.into_page().unwrap_err().code, ErrorCode::TooLarge);

    let mut merge = GroupsMerge::new(&query, by);
    for leg in 0..3 {
        let refused = LegFailure::new(LegStatus::Error, "name makes more than 2000 groups");
        merge.answer(LegId(leg), Err(LegFailure { refusal: Some(AgentErrorCode::TooLarge), ..refused }));
    }
    assert_eq!(merge.into_page().unwrap_err().code, ErrorCode::TooLarge);
}

#[test]
fn what_groups_do_not_have_is_refused() {
    for (arguments, said) in [
        (json!({"groupBy": "namespace", "fields": "name"}), "leave fields out"),
        (json!({"groupBy": "namespace", "sortBy": "-restarts"}), "they have namespace, count"),
        (json!({"groupBy": "avg(restarts)"}), "sum(restarts)"),
    ] {
        let error = resolved(&shops(), "pods_list", &arguments).unwrap_err();
        assert!(error.message.contains(said), "{}", error.message);
    }
}
