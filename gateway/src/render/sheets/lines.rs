//! The parts of a description, a line a fact.

use kubeplex_proto::changes::{Change, Deed};
use kubeplex_proto::duration::human_duration;
use kubeplex_proto::health::Resources;
use kubeplex_proto::problems::Problem;
use kubeplex_proto::sheet::{Relatives, Sheet, SheetEvent, SheetLogs, SheetPattern, SheetUsage};
use serde_json::{Value, json};

use super::super::{folded, word};

/// Characters of a message.
const MESSAGE: usize = 160;

/// Each part that has something to say, in the order in which it is read.
pub(super) fn parts(sheet: &Sheet, now_ms: i64) -> Vec<(&'static str, Value)> {
    let ago = |at_ms: i64| human_duration(now_ms.saturating_sub(at_ms).max(0));
    let mut parts = Vec::new();
    if let Some(created_ms) = sheet.created_ms {
        parts.push(("age", json!(ago(created_ms))));
    }
    let mut lines = |part: &'static str, lines: Vec<String>| {
        if !lines.is_empty() {
            parts.push((part, json!(lines)));
        }
    };
    lines("problems", sheet.problems.iter().map(|problem| of_problem(problem, &ago)).collect());
    lines("changes", sheet.changes.iter().map(|change| of_change(change, &ago)).collect());
    lines("events", sheet.events.iter().map(|event| of_event(event, &ago)).collect());
    lines("logs", sheet.logs.as_ref().map(|logs| of_logs(logs, &ago)).unwrap_or_default());
    lines("owners", of_relatives(&sheet.owners));
    lines("children", of_relatives(&sheet.children));
    lines("uses", of_relatives(&sheet.uses));
    lines("selectedBy", of_relatives(&sheet.selected_by));
    lines("notTold", sheet.not_told.clone());
    if let Some(usage) = &sheet.usage {
        parts.push(("usage", of_usage(usage)));
    }
    parts
}

fn of_relatives(relatives: &Relatives) -> Vec<String> {
    let mut lines: Vec<String> = relatives
        .shown
        .iter()
        .map(|relative| {
            format!("{}/{} {}", relative.kind, relative.name, relative.state).trim_end().to_owned()
        })
        .collect();
    if relatives.more > 0 {
        lines.push(format!("and {} more", relatives.more));
    }
    lines
}

/// `critical CrashLoop since 60m: container main ends with exit code 1 (6 objects)`.
fn of_problem(problem: &Problem, ago: &dyn Fn(i64) -> String) -> String {
    let count = if problem.objects > 1 { format!(" ({} objects)", problem.objects) } else { String::new() };
    let evidence = problem.evidence.first().map(|evidence| format!("; {}", short(&evidence.text)));
    format!(
        "{} {} since {}: {}{count}{}",
        word(&problem.severity),
        problem.cause,
        ago(problem.first_seen_ms),
        short(&problem.message),
        evidence.unwrap_or_default()
    )
}

/// `5m ago kubectl: deployments/cart spec.replicas 2 → 3`.
fn of_change(change: &Change, ago: &dyn Fn(i64) -> String) -> String {
    let by = change.by.as_deref().map(|by| format!(" {by}")).unwrap_or_default();
    let mut fields: Vec<String> = change
        .fields
        .iter()
        .take(2)
        .map(|field| format!("{} {} → {}", field.path, value(&field.old), value(&field.new)))
        .collect();
    let deed = match change.deed {
        Deed::Changed | Deed::Followed => String::new(),
        ref deed => format!(" {}", word(deed)),
    };
    if change.deed == Deed::Followed {
        fields.push(folded(&change.folded));
    }
    let more = change.fields.len().saturating_sub(2) as u64 + u64::from(change.more_fields);
    let more = if more > 0 { format!(" and {more} more fields") } else { String::new() };
    let inferred = if change.inferred { " (inferred)" } else { "" };
    format!(
        "{} ago{by}: {}/{}{deed} {}{more}{inferred}",
        ago(change.at_ms),
        change.kind.resource,
        change.name,
        fields.join(", ")
    )
    .replace("  ", " ")
    .trim_end()
    .to_owned()
}

/// `2m ago Warning BackOff ×5 pod/cart-1: Back-off restarting`.
fn of_event(event: &SheetEvent, ago: &dyn Fn(i64) -> String) -> String {
    let count = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
    let SheetEvent { object, event_type, reason, message, last_ms, .. } = event;
    format!("{} ago {event_type} {reason}{count} {object}: {}", ago(*last_ms), short(message))
}

/// Where was looked, and then the sorts of errors: `×37, last 2m ago: connection to <*> refused`.
fn of_logs(logs: &SheetLogs, ago: &dyn Fn(i64) -> String) -> Vec<String> {
    let SheetLogs { pods, more_pods, containers, lines, patterns, more } = logs;
    let found = match (patterns.len() as u64, more) {
        (0, _) => "no errors".to_owned(),
        (1, 0) => "one sort of error".to_owned(),
        (sorts, 0) => format!("{sorts} sorts of errors"),
        (sorts, more) => format!("{sorts} of {} sorts of errors", sorts + more),
    };
    let of_pods = if *more_pods > 0 { format!("{pods} of {}", pods + more_pods) } else { pods.to_string() };
    let place =
        format!("{found} in the last {lines} lines of each container ({containers} in {of_pods} pods)");
    let pattern = |pattern: &SheetPattern| {
        let last = pattern.last_ms.map(|at_ms| format!(", last {} ago", ago(at_ms))).unwrap_or_default();
        format!("×{}{last}: {}", pattern.count, short(&pattern.text))
    };
    std::iter::once(place).chain(patterns.iter().map(pattern)).collect()
}

fn of_usage(usage: &SheetUsage) -> Value {
    let of = |part: fn(&Resources) -> u64, unit: fn(u64) -> String| {
        let used = usage.used.as_ref().map(|used| format!("{} used, ", unit(part(used)))).unwrap_or_default();
        let limit = part(&usage.limits);
        let limit = if limit > 0 { format!("{} limit", unit(limit)) } else { "no limit".to_owned() };
        format!("{used}{} requested, {limit}", unit(part(&usage.requested)))
    };
    json!({
        "pods": usage.requested.pods,
        "cpu": of(|part| part.cpu_milli, |milli| format!("{milli}m")),
        "memory": of(|part| part.memory_bytes, |bytes| format!("{}Mi", bytes >> 20)),
    })
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => short(text),
        other => short(&other.to_string()),
    }
}

fn short(text: &str) -> String {
    let mut characters = text.chars();
    let head: String = characters.by_ref().take(MESSAGE).collect();
    if characters.next().is_some() { format!("{head}…") } else { head }
}

/// A description for people.
pub(super) fn text(text: &mut String, description: &Value) {
    let names = |value: &Value| -> String {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let more =
        description["moreClusters"].as_u64().map(|more| format!(" and {more} more")).unwrap_or_default();
    text.push_str(&format!("# in {}{more}\n{}\n", names(&description["clusters"]), description["object"]));
    for (part, value) in description.as_object().into_iter().flatten() {
        match value {
            _ if matches!(part.as_str(), "clusters" | "moreClusters" | "object") => {}
            Value::Array(lines) => {
                text.push_str(&format!("{part}:\n"));
                let lines = lines.iter().filter_map(Value::as_str);
                lines.for_each(|line| text.push_str(&format!("  {line}\n")));
            }
            Value::String(line) => text.push_str(&format!("{part}: {line}\n")),
            other => text.push_str(&format!("{part}: {other}\n")),
        }
    }
}
