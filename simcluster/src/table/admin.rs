//! Tables of what administrators look after: certificates, admission, the API server's own traffic and extensions.

use serde_json::Value;

use super::age::human;
use super::cell::{Column, View, age, name, or_none};
use super::{CREATION_DESCRIPTION, cell};
use crate::json::{flag_condition, int, items, text};

pub(super) const SIGNING_REQUESTS: View = View {
    columns: &[
        Column::name(),
        Column::age(),
        Column::text("SignerName"),
        Column::text("Requestor"),
        Column::text("RequestedDuration"),
        Column::text("Condition"),
    ],
    cells: |object, now| {
        let seconds = object.pointer("/spec/expirationSeconds").and_then(Value::as_i64);
        vec![
            name(object),
            age(object, now),
            or_none(text(object, "/spec/signerName")),
            text(object, "/spec/username").into(),
            seconds.map_or("<none>".to_owned(), human).into(),
            request_state(object).into(),
        ]
    },
};

/// Conditions of requests have no status: being there is enough.
fn request_state(request: &Value) -> String {
    let has = |kind: &str| {
        items(request, "/status/conditions").iter().any(|condition| text(condition, "/type") == kind)
    };
    let decided = match () {
        () if has("Denied") => "Denied",
        () if has("Approved") => "Approved",
        () => "Pending",
    };
    let failed = if has("Failed") { ",Failed" } else { "" };
    let issued = if text(request, "/status/certificate").is_empty() { "" } else { ",Issued" };
    format!("{decided}{failed}{issued}")
}

pub(super) const ADMISSION_POLICIES: View = View {
    columns: &[Column::name(), Column::integer("Validations"), Column::text("ParamKind"), Column::age()],
    cells: |object, now| {
        let kind = object.pointer("/spec/paramKind").map_or("<unset>".to_owned(), |kind| {
            format!("{}/{}", text(kind, "/apiVersion"), text(kind, "/kind"))
        });
        vec![name(object), items(object, "/spec/validations").len().into(), kind.into(), age(object, now)]
    },
};

pub(super) const ADMISSION_BINDINGS: View = View {
    columns: &[Column::name(), Column::text("PolicyName"), Column::text("ParamRef"), Column::age()],
    cells: |object, now| {
        let parameter = match (text(object, "/spec/paramRef/name"), text(object, "/spec/paramRef/namespace"))
        {
            ("", _) => object.pointer("/spec/paramRef/selector").map_or("<unset>".to_owned(), go_selector),
            (name, "") => format!("*/{name}"),
            (name, namespace) => format!("{namespace}/{name}"),
        };
        vec![name(object), text(object, "/spec/policyName").into(), parameter.into(), age(object, now)]
    },
};

/// The one cell for which the server prints a structure of Go.
fn go_selector(selector: &Value) -> String {
    let labels = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut labels: Vec<String> =
        labels.map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or(""))).collect();
    labels.sort();
    let requirement = |expression: &Value| {
        let values =
            items(expression, "/values").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        let (key, operator) = (text(expression, "/key"), text(expression, "/operator"));
        format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{values}],}},")
    };
    let requirements: String = items(selector, "/matchExpressions").iter().map(requirement).collect();
    let labels = labels.concat();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{requirements}}},}}"
    )
}

pub(super) const FLOW_SCHEMAS: View = View {
    columns: &[
        Column::name(),
        Column::text("PriorityLevel"),
        Column::text("MatchingPrecedence"),
        Column::text("DistinguisherMethod"),
        Column::age(),
        Column::text("MissingPL"),
    ],
    cells: |object, now| {
        let conditions = items(object, "/status/conditions");
        let dangling = conditions.iter().find(|condition| text(condition, "/type") == "Dangling");
        vec![
            name(object),
            text(object, "/spec/priorityLevelConfiguration/name").into(),
            int(object, "/spec/matchingPrecedence").into(),
            or_none(text(object, "/spec/distinguisherMethod/type")),
            age(object, now),
            dangling.map_or("?", |condition| text(condition, "/status")).into(),
        ]
    },
};

pub(super) const PRIORITY_LEVELS: View = View {
    columns: &[
        Column::name(),
        Column::text("Type"),
        Column::text("NominalConcurrencyShares"),
        Column::text("Queues"),
        Column::text("HandSize"),
        Column::text("QueueLengthLimit"),
        Column::age(),
    ],
    cells: |object, now| {
        let of = |outer: &str, field: &str| match object.pointer(outer) {
            Some(outer) => int(outer, field).into(),
            None => Value::from("<none>"),
        };
        let queuing = "/spec/limited/limitResponse/queuing";
        vec![
            name(object),
            text(object, "/spec/type").into(),
            of("/spec/limited", "/nominalConcurrencyShares"),
            of(queuing, "/queues"),
            of(queuing, "/handSize"),
            of(queuing, "/queueLengthLimit"),
            age(object, now),
        ]
    },
};

pub(super) const RUNTIME_CLASSES: View = View {
    columns: &[Column::name(), Column::text("Handler"), Column::age()],
    cells: |object, now| vec![name(object), text(object, "/handler").into(), age(object, now)],
};

pub(super) const COMPONENT_STATUSES: View = View {
    columns: &[Column::name(), Column::text("Status"), Column::text("Message"), Column::text("Error")],
    cells: |object, _| {
        let healthy =
            items(object, "/conditions").iter().find(|condition| text(condition, "/type") == "Healthy");
        let status = match healthy.map(|condition| text(condition, "/status")) {
            None => "Unknown",
            Some("True") => "Healthy",
            Some(_) => "Unhealthy",
        };
        let told = |field: &str| healthy.map_or("", |condition| text(condition, field)).into();
        vec![name(object), status.into(), told("/message"), told("/error")]
    },
};

pub(super) const DEFINITIONS: View = View {
    columns: &[
        Column::name(),
        Column::text("Scope").described("Cluster/Namespaced"),
        Column::text("Versions").described("Served versions"),
        Column::date("Created At").described(CREATION_DESCRIPTION),
        Column::text("Group").described("API group").wide(),
        Column::text("Kind").described("CustomResource kind").wide(),
        Column::text("ShortNames").described("Short names").wide(),
        Column::boolean("Established").described("Established status").wide(),
    ],
    cells: |object, _| {
        vec![
            name(object),
            text(object, "/spec/scope").into(),
            served_versions(object).into(),
            cell::created(object),
            text(object, "/spec/group").into(),
            text(object, "/spec/names/kind").into(),
            cell::joined(object, "/spec/names/shortNames").into(),
            flag_condition(object, "Established").into(),
        ]
    },
};

fn served_versions(definition: &Value) -> String {
    let served = items(definition, "/spec/versions").iter().filter(|version| version["served"] == true);
    let label = |version: &Value| {
        let stored = if version["storage"] == true { "(storage)" } else { "" };
        format!("{}{stored}", text(version, "/name"))
    };
    let mut labels: Vec<String> = served.map(label).collect();
    labels.sort();
    labels.join(",")
}
