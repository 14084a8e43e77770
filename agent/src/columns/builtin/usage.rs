//! What pods and nodes use, beside what they asked for: columns of objects that the service puts together of two kinds each.
//! What they are called is the protocol's to say.

use kubeplex_proto::column::CellFormat;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::quantity::{mebibytes, millicores, parse_quantity, thousandths};
use serde_json::Value;

use super::field::{at, list, text, time};
use super::{Cell, Entry, NAME, narrow, wide, wide_age};

const PODS: &[Entry] = &[
    NAME,
    cpu("CPU", |pod| quantity(pod, "/usage/cpu")),
    cpu("CPU Request", |pod| quantity(pod, "/requests/cpu")),
    cpu("CPU Limit", |pod| quantity(pod, "/limits/cpu")),
    memory("Memory", |pod| quantity(pod, "/usage/memory")),
    memory("Memory Request", |pod| quantity(pod, "/requests/memory")),
    memory("Memory Limit", |pod| quantity(pod, "/limits/memory")),
    narrow("At Limit", at_limit),
    wide("CPU Percent", |pod| nearest_to_limit(pod, "cpu")),
    wide("Memory Percent", |pod| nearest_to_limit(pod, "memory")),
    wide("Node", |pod| quantity(pod, "/spec/nodeName")),
    wide_age("Sampled", |pod| time(pod, "/timestamp")),
];

const NODES: &[Entry] = &[
    NAME,
    cpu("CPU", |node| quantity(node, "/usage/cpu")),
    narrow("CPU Percent", |node| percent(node, "/allocatable/cpu", "/usage/cpu")),
    cpu("CPU Requested", |node| quantity(node, "/requests/cpu")),
    cpu("CPU Allocatable", |node| quantity(node, "/allocatable/cpu")),
    memory("Memory", |node| quantity(node, "/usage/memory")),
    narrow("Memory Percent", |node| percent(node, "/allocatable/memory", "/usage/memory")),
    memory("Memory Requested", |node| quantity(node, "/requests/memory")),
    memory("Memory Allocatable", |node| quantity(node, "/allocatable/memory")),
    wide_age("Sampled", |node| time(node, "/timestamp")),
];

/// Of core's pods and nodes; `None` for any other kind.
pub(in crate::columns) fn entries(kind: &GroupResource) -> Option<&'static [Entry]> {
    match (kind.group.as_str(), kind.resource.as_str()) {
        ("", "pods") => Some(PODS),
        ("", "nodes") => Some(NODES),
        _ => None,
    }
}

const fn cpu(name: &'static str, read: fn(&Value) -> Cell) -> Entry {
    Entry { name, wide: false, format: CellFormat::Cpu, read }
}

const fn memory(name: &'static str, read: fn(&Value) -> Cell) -> Entry {
    Entry { name, wide: false, format: CellFormat::Memory, read }
}

/// The text at a pointer; null where there is none.
fn quantity(object: &Value, pointer: &str) -> Cell {
    match text(object, pointer) {
        "" => Cell::Null,
        text => text.into(),
    }
}

/// Hundredths of its limit from which a container counts as being at it: who is held back is measured a little below.
const AT_LIMIT: i64 = 95;

/// `main cpu 25m of 25m`, of each container that uses what it may.
fn at_limit(pod: &Value) -> Cell {
    let shown = |container: &Value, resource: &str, show: fn(i128) -> String| {
        let (limit, used) = (format!("/limits/{resource}"), format!("/usage/{resource}"));
        let Cell::Integer(AT_LIMIT..) = percent(container, &limit, &used) else { return None };
        let amount = |pointer: &str| parse_quantity(text(container, pointer)).map(show).unwrap_or_default();
        Some(format!("{} {resource} {} of {}", text(container, "/name"), amount(&used), amount(&limit)))
    };
    let at = list(pod, "/containers").iter().flat_map(|container| {
        [shown(container, "cpu", millicores), shown(container, "memory", mebibytes)].into_iter().flatten()
    });
    let at: Vec<String> = at.collect();
    if at.is_empty() { Cell::Null } else { at.join(", ").into() }
}

/// The greatest percentage among the containers that have a limit, and of the pod's own where it has one.
fn nearest_to_limit(pod: &Value, resource: &str) -> Cell {
    let (limit, used) = (format!("/limits/{resource}"), format!("/usage/{resource}"));
    let all = list(pod, "/containers").iter().chain([pod]);
    let percents = all.filter_map(|at| match percent(at, &limit, &used) {
        Cell::Integer(percent) => Some(percent),
        _ => None,
    });
    percents.max().map_or(Cell::Null, Cell::Integer)
}

/// How many hundredths of a whole are used, rounded down, of thousandths rounded up: as `kubectl top nodes` counts it.
fn percent(object: &Value, whole: &str, used: &str) -> Cell {
    let amount = |pointer: &str| parse_quantity(at(object, pointer)?.as_str()?).map(thousandths);
    match (amount(used), amount(whole)) {
        (Some(used), Some(whole)) if whole > 0 => {
            i64::try_from(used.saturating_mul(100) / whole).map_or(Cell::Null, Cell::Integer)
        }
        _ => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::usage::{self, UsageColumn};
    use serde_json::json;

    use super::*;
    use crate::columns::Columns;

    #[test]
    fn columns_are_those_of_the_protocol() {
        for kind in ["pods", "nodes"] {
            let kind = GroupResource::new("", kind);
            let columns = Columns::of_usage(&kind).unwrap();
            let named = columns.defs().iter().map(|def| {
                let column = usage::find(&kind, &def.column.name).unwrap();
                assert_eq!(column.name, def.column.name);
                UsageColumn { name: column.name, format: def.column.format, usual: !def.wide }
            });
            assert_eq!(named.collect::<Vec<_>>(), usage::columns(&kind).unwrap());
        }
        assert!(Columns::of_usage(&GroupResource::new("apps", "deployments")).is_none());
    }

    #[test]
    fn the_container_that_is_nearest_to_its_limit_speaks_for_the_pod() {
        let container = |name: &str, cpu: &str, limits: Value| json!({"name": name, "usage": {"cpu": cpu, "memory": "50Mi"}, "limits": limits});
        let throttled = container("main", "24500000n", json!({"cpu": "25m", "memory": "64Mi"}));
        let proxy = container("proxy", "90m", json!({}));
        let full = container("cache", "1m", json!({"cpu": "1", "memory": "50Mi"}));
        for (containers, percents, told) in [
            (vec![&throttled, &proxy], (Cell::Integer(100), Cell::Integer(78)), "main cpu 25m of 25m".into()),
            (
                vec![&throttled, &full],
                (Cell::Integer(100), Cell::Integer(100)),
                "main cpu 25m of 25m, cache memory 50Mi of 50Mi".into(),
            ),
            (vec![&proxy], (Cell::Null, Cell::Null), Cell::Null),
        ] {
            let pod = json!({"containers": containers, "usage": {"cpu": "115m"}});
            assert_eq!((nearest_to_limit(&pod, "cpu"), nearest_to_limit(&pod, "memory")), percents);
            assert_eq!(at_limit(&pod), told);
        }
        let whole = json!({"containers": [proxy], "usage": {"cpu": "90m"}, "limits": {"cpu": "100m"}});
        assert_eq!(nearest_to_limit(&whole, "cpu"), Cell::Integer(90));
    }

    #[test]
    fn percents_are_those_of_kubectl() {
        for (used, whole, expected) in [
            ("24999999n", "25m", Cell::Integer(100)),
            ("24m", "25m", Cell::Integer(96)),
            ("500m", "2", Cell::Integer(25)),
            ("1", "0", Cell::Null),
            ("3Gi", "2Gi", Cell::Integer(150)),
        ] {
            let object = json!({"usage": {"cpu": used}, "limits": {"cpu": whole}});
            assert_eq!(percent(&object, "/limits/cpu", "/usage/cpu"), expected, "{used} of {whole}");
        }
        assert_eq!(percent(&json!({"usage": {"cpu": "1"}}), "/limits/cpu", "/usage/cpu"), Cell::Null);
    }
}
