//! Tables of controllers: Deployments and their kin, jobs, autoscalers, budgets.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age::{between, since};
use super::cell::{Column, View, age, containers, labels, name, or_none, selector};
use crate::json::{flag, flag_condition, int, items, text};

const CONTAINERS: Column = Column::text("Containers").wide();
const IMAGES: Column = Column::text("Images").wide();
const SELECTOR: Column = Column::text("Selector").wide();
const TEMPLATE_CONTAINERS: &str = "/spec/template/spec/containers";

/// What the rows of most workloads end with.
fn template_cells(object: &Value) -> impl Iterator<Item = Value> {
    let selector = selector(object, "/spec/selector");
    containers(object, TEMPLATE_CONTAINERS).into_iter().chain([selector])
}

fn ratio(part: i64, whole: i64) -> Value {
    format!("{part}/{whole}").into()
}

pub(super) const DEPLOYMENTS: View = View {
    columns: &[
        Column::name(),
        Column::text("Ready"),
        Column::text("Up-to-date"),
        Column::text("Available"),
        Column::age(),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |object, now| {
        let ready = ratio(int(object, "/status/readyReplicas"), int(object, "/spec/replicas"));
        let counts = [int(object, "/status/updatedReplicas"), int(object, "/status/availableReplicas")]
            .map(Value::from);
        let mut cells: Vec<Value> = [name(object), ready]
            .into_iter()
            .chain(counts)
            .chain([age(object, now)])
            .chain(template_cells(object))
            .collect();
        // Only here does the server leave the cell of an empty selector empty.
        cells.iter_mut().skip(7).filter(|cell| *cell == "<none>").for_each(|cell| *cell = "".into());
        cells
    },
};

pub(super) const REPLICA_SETS: View = View {
    columns: &[
        Column::name(),
        Column::integer("Desired"),
        Column::integer("Current"),
        Column::integer("Ready"),
        Column::age(),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |object, now| replica_cells(object, now, selector(object, "/spec/selector")),
};

pub(super) const REPLICATION_CONTROLLERS: View = View {
    columns: REPLICA_SETS.columns,
    cells: |object, now| replica_cells(object, now, labels(object, "/spec/selector")),
};

fn replica_cells(object: &Value, now: Timestamp, selector: Value) -> Vec<Value> {
    let counts = ["/spec/replicas", "/status/replicas", "/status/readyReplicas"]
        .map(|path| Value::from(int(object, path)));
    let ends = containers(object, TEMPLATE_CONTAINERS).into_iter().chain([selector]);
    [name(object)].into_iter().chain(counts).chain([age(object, now)]).chain(ends).collect()
}

pub(super) const STATEFUL_SETS: View = View {
    columns: &[Column::name(), Column::text("Ready"), Column::age(), CONTAINERS, IMAGES],
    cells: |object, now| {
        let ready = ratio(int(object, "/status/readyReplicas"), int(object, "/spec/replicas"));
        [name(object), ready, age(object, now)]
            .into_iter()
            .chain(containers(object, TEMPLATE_CONTAINERS))
            .collect()
    },
};

pub(super) const DAEMON_SETS: View = View {
    columns: &[
        Column::name(),
        Column::integer("Desired"),
        Column::integer("Current"),
        Column::integer("Ready"),
        Column::integer("Up-to-date"),
        Column::integer("Available"),
        Column::text("Node Selector"),
        Column::age(),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |object, now| {
        let fields = [
            "desiredNumberScheduled",
            "currentNumberScheduled",
            "numberReady",
            "updatedNumberScheduled",
            "numberAvailable",
        ];
        let counts = fields.map(|field| Value::from(int(object, &format!("/status/{field}"))));
        let nodes = labels(object, "/spec/template/spec/nodeSelector");
        [name(object)]
            .into_iter()
            .chain(counts)
            .chain([nodes, age(object, now)])
            .chain(template_cells(object))
            .collect()
    },
};

pub(super) const JOBS: View = View {
    columns: &[
        Column::name(),
        Column::text("Status"),
        Column::text("Completions"),
        Column::text("Duration"),
        Column::age(),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |object, now| {
        let row = [
            name(object),
            job_status(object).into(),
            completions(object).into(),
            duration(object, now).into(),
            age(object, now),
        ];
        row.into_iter().chain(template_cells(object)).collect()
    },
};

fn job_status(job: &Value) -> &'static str {
    let is_deleted = !text(job, "/metadata/deletionTimestamp").is_empty();
    let has = |condition: &str| flag_condition(job, condition);
    match () {
        () if has("Complete") => "Complete",
        () if has("Failed") => "Failed",
        () if is_deleted => "Terminating",
        () if has("Suspended") => "Suspended",
        () if has("FailureTarget") => "FailureTarget",
        () if has("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn completions(job: &Value) -> String {
    let succeeded = int(job, "/status/succeeded");
    let parallelism = int(job, "/spec/parallelism");
    match job.pointer("/spec/completions").and_then(Value::as_i64) {
        Some(wanted) => format!("{succeeded}/{wanted}"),
        None if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        None => format!("{succeeded}/1"),
    }
}

fn duration(job: &Value, now: Timestamp) -> String {
    let (start, end) = (text(job, "/status/startTime"), text(job, "/status/completionTime"));
    match (start, end) {
        ("", _) => String::new(),
        (start, "") => since(start, now),
        (start, end) => between(start, end).unwrap_or_default(),
    }
}

pub(super) const CRON_JOBS: View = View {
    columns: &[
        Column::name(),
        Column::text("Schedule"),
        Column::text("Timezone"),
        Column::boolean("Suspend"),
        Column::integer("Active"),
        Column::text("Last Schedule"),
        Column::age(),
        CONTAINERS,
        IMAGES,
        SELECTOR,
    ],
    cells: |object, now| {
        let last = match text(object, "/status/lastScheduleTime") {
            "" => "<none>".to_owned(),
            last => since(last, now),
        };
        // The server prints this boolean as Go text.
        let suspend = if flag(object, "/spec/suspend") { "True" } else { "False" };
        let row = [
            name(object),
            text(object, "/spec/schedule").into(),
            or_none(text(object, "/spec/timeZone")),
            suspend.into(),
            items(object, "/status/active").len().into(),
            last.into(),
            age(object, now),
        ];
        let ends = containers(object, "/spec/jobTemplate/spec/template/spec/containers");
        row.into_iter().chain(ends).chain([selector(object, "/spec/jobTemplate/spec/selector")]).collect()
    },
};

pub(super) const AUTOSCALERS: View = View {
    columns: &[
        Column::name(),
        Column::text("Reference"),
        Column::text("Targets"),
        Column::text("MinPods"),
        Column::text("MaxPods"),
        Column::text("Replicas"),
        Column::age(),
    ],
    cells: |object, now| {
        let reference = format!(
            "{}/{}",
            text(object, "/spec/scaleTargetRef/kind"),
            text(object, "/spec/scaleTargetRef/name")
        );
        let least = object.pointer("/spec/minReplicas").map_or("<unset>".to_owned(), ToString::to_string);
        vec![
            name(object),
            reference.into(),
            targets(object).into(),
            least.into(),
            int(object, "/spec/maxReplicas").into(),
            int(object, "/status/currentReplicas").into(),
            age(object, now),
        ]
    },
};

fn targets(autoscaler: &Value) -> String {
    let metrics = items(autoscaler, "/spec/metrics");
    if metrics.is_empty() {
        return "<none>".into();
    }
    let current =
        |index: usize| autoscaler.pointer(&format!("/status/currentMetrics/{index}")).unwrap_or(&Value::Null);
    let shown: Vec<String> =
        metrics.iter().enumerate().take(2).map(|(index, metric)| target(metric, current(index))).collect();
    let more = metrics.len().saturating_sub(2);
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} + {more} more...") } else { shown }
}

fn target(spec: &Value, status: &Value) -> String {
    let source = match text(spec, "/type") {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return "<unknown type>".into(),
    };
    let value =
        |of: &Value, place: &str, field: &str| of.pointer(&format!("/{source}/{place}/{field}")).cloned();
    let written = |value: Option<Value>, missing: &str| match value {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => missing.to_owned(),
    };
    let prefix = match source {
        "resource" | "containerResource" => format!("{}: ", text(spec, &format!("/{source}/name"))),
        _ => String::new(),
    };
    let average = value(spec, "target", "averageValue");
    if let Some(wanted) = average {
        let current = written(value(status, "current", "averageValue"), "<unknown>");
        let suffix = if matches!(source, "object" | "external") { " (avg)" } else { "" };
        return format!("{prefix}{current}/{}{suffix}", written(Some(wanted), ""));
    }
    if prefix.is_empty() {
        let current = written(value(status, "current", "value"), "<unknown>");
        return format!("{current}/{}", written(value(spec, "target", "value"), ""));
    }
    let percent =
        |value: Option<Value>, missing: &str| value.map_or(missing.to_owned(), |value| format!("{value}%"));
    let current = percent(value(status, "current", "averageUtilization"), "<unknown>");
    format!("{prefix}{current}/{}", percent(value(spec, "target", "averageUtilization"), "<auto>"))
}

pub(super) const BUDGETS: View = View {
    columns: &[
        Column::name(),
        Column::text("Min Available"),
        Column::text("Max Unavailable"),
        Column::integer("Allowed Disruptions"),
        Column::age(),
    ],
    cells: |object, now| {
        let bound = |pointer: &str| match object.pointer(pointer) {
            Some(Value::String(text)) => json!(text),
            Some(other) => json!(other.to_string()),
            None => json!("N/A"),
        };
        let allowed = int(object, "/status/disruptionsAllowed").into();
        vec![
            name(object),
            bound("/spec/minAvailable"),
            bound("/spec/maxUnavailable"),
            allowed,
            age(object, now),
        ]
    },
};

pub(super) const CONTROLLER_REVISIONS: View = View {
    columns: &[Column::name(), Column::text("Controller"), Column::text("Revision"), Column::age()],
    cells: |object, now| {
        let owner =
            items(object, "/metadata/ownerReferences").iter().find(|owner| flag(owner, "/controller"));
        let controller = owner.map_or("<none>".to_owned(), |owner| {
            let group = text(owner, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
            let kind = text(owner, "/kind").to_ascii_lowercase();
            let kind = if group.is_empty() { kind } else { format!("{kind}.{group}") };
            format!("{kind}/{}", text(owner, "/name"))
        });
        vec![name(object), controller.into(), int(object, "/revision").into(), age(object, now)]
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read_as_the_server_writes_them() {
        let metric = |kind: &str, body: Value| json!({"type": kind, kind.to_ascii_lowercase(): body});
        let cases = [
            (json!([]), json!([]), "<none>"),
            (
                json!([metric("Resource", json!({"name": "cpu", "target": {"averageUtilization": 70}}))]),
                json!([metric("Resource", json!({"current": {"averageUtilization": 12}}))]),
                "cpu: 12%/70%",
            ),
            (
                json!([metric("Resource", json!({"name": "cpu", "target": {}}))]),
                json!([]),
                "cpu: <unknown>/<auto>",
            ),
            (
                json!([metric("External", json!({"target": {"averageValue": "30"}}))]),
                json!([]),
                "<unknown>/30 (avg)",
            ),
        ];
        for (metrics, current, expected) in cases {
            let autoscaler = json!({"spec": {"metrics": metrics}, "status": {"currentMetrics": current}});
            assert_eq!(targets(&autoscaler), expected);
        }
    }
}
