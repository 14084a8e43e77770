//! Descriptions: what is alike in several clusters once, each short enough to be read.

mod lines;

use std::collections::BTreeMap;

use kubeplex_proto::compare::without_noise;
use kubeplex_proto::json_len::json_len;
use kubeplex_proto::sheet::Sheet;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::escape::escaped;
use crate::limits::SHEET_BYTES;
use crate::merge::Gathered;
use crate::request::{LegId, SheetsQuery};

use super::coverage::{CoverageContent, Nouns, is_zero};
use super::{RenderContext, Rendered, is_false, omit, plain};

/// Clusters named beside a description.
const MOST_CLUSTERS: usize = 20;

/// Parts that give their last line when a description is too long, in this order.
const SHORTENED: [&str; 8] =
    ["uses", "children", "events", "changes", "logs", "selectedBy", "owners", "problems"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SheetsContent {
    descriptions: Vec<Value>,
    /// Those that there are beside.
    #[serde(skip_serializing_if = "is_zero")]
    more_descriptions: usize,
    clusters: CoverageContent,
    #[serde(skip_serializing_if = "is_false")]
    partial: bool,
}

/// The reply to a [`SheetsQuery`].
pub(crate) fn sheets(
    query: &SheetsQuery,
    gathered: &Gathered<Sheet>,
    context: &RenderContext<'_>,
) -> Rendered {
    let nouns = Nouns { shown: "objects", kind: &query.kind.resource, lack: None };
    let max_bytes = query.options.max_bytes;
    let mut clusters = CoverageContent::new(&gathered.coverage, nouns, false, context.now);
    clusters.leave_room(max_bytes);
    let mut alike: BTreeMap<String, (Vec<LegId>, &Sheet)> = BTreeMap::new();
    for (leg, sheet) in &gathered.items {
        alike.entry(key(sheet)).or_insert_with(|| (Vec::new(), sheet)).0.push(*leg);
    }
    let mut distinct: Vec<_> = alike.into_values().collect();
    distinct.sort_by_key(|(legs, _)| legs.first().copied());
    let descriptions = distinct.iter().map(|(legs, sheet)| {
        let now_ms =
            legs.first().map_or(context.now.since_1970_ms, |leg| cluster_now(gathered, *leg, context));
        fitted(description(query, legs, sheet, now_ms), SHEET_BYTES.min(max_bytes / 2))
    });
    let mut content = SheetsContent {
        descriptions: descriptions.collect(),
        more_descriptions: 0,
        clusters,
        partial: gathered.coverage.is_partial(),
    };
    while json_len(&content) > max_bytes && content.descriptions.len() > 1 {
        content.descriptions.pop();
        content.more_descriptions += 1;
    }
    Rendered { text: content.text(), structured: serde_json::to_value(&content).unwrap_or_default() }
}

/// The cluster's time, which ages of its sheet count from.
fn cluster_now(gathered: &Gathered<Sheet>, leg: LegId, context: &RenderContext<'_>) -> i64 {
    let head = gathered.heads.get(leg.0).and_then(Option::as_ref);
    head.map_or(context.now.since_1970_ms, |heard| {
        heard.head.cluster_now_ms.saturating_add_unsigned(context.now.steady.since_ms(heard.at))
    })
}

/// Alike is what somebody wanted and how it is; names that controllers draw, times and counts are each cluster's own.
fn key(sheet: &Sheet) -> String {
    let kinds = |relatives: &kubeplex_proto::sheet::Relatives| -> Vec<(String, String)> {
        let mut kinds: Vec<_> =
            relatives.shown.iter().map(|relative| (relative.kind.clone(), relative.state.clone())).collect();
        kinds.sort();
        kinds
    };
    let problems: Vec<_> = sheet.problems.iter().map(|problem| (&problem.cause, &problem.message)).collect();
    let mut events: Vec<_> = sheet.events.iter().map(|event| (&event.event_type, &event.reason)).collect();
    events.sort();
    let logs = sheet.logs.iter().flat_map(|logs| &logs.patterns).map(|pattern| &pattern.text);
    let all = (
        logs.collect::<Vec<_>>(),
        without_noise(&sheet.object),
        kinds(&sheet.children),
        (&sheet.uses.shown, &sheet.selected_by.shown),
        problems,
        events,
    );
    serde_json::to_string(&all).unwrap_or_default()
}

fn description(query: &SheetsQuery, legs: &[LegId], sheet: &Sheet, now_ms: i64) -> Value {
    let names = legs.iter().take(MOST_CLUSTERS).map(|leg| query.targets[leg.0].cluster.id.as_str());
    let mut told = Map::new();
    told.insert("clusters".to_owned(), names.collect());
    if legs.len() > MOST_CLUSTERS {
        told.insert("moreClusters".to_owned(), json!(legs.len() - MOST_CLUSTERS));
    }
    told.insert("object".to_owned(), sheet.object.clone());
    for (part, value) in lines::parts(sheet, now_ms) {
        told.insert(part.to_owned(), value);
    }
    escaped(Value::Object(told))
}

/// First the object gives what is large in it, then each part its last lines.
fn fitted(mut description: Value, max_bytes: usize) -> Value {
    let over = json_len(&description).saturating_sub(max_bytes);
    if over > 0 {
        let over = over.min(json_len(&description["object"]) / 2);
        omit::shorten_objects(&mut [&mut description["object"]], over);
    }
    let mut left_out = 0_usize;
    while json_len(&description) > max_bytes && shorten(&mut description) {
        left_out += 1;
        description["leftOut"] = json!(left_out);
    }
    description
}

fn shorten(description: &mut Value) -> bool {
    let longest = SHORTENED.into_iter().max_by_key(|part| description[*part].as_array().map_or(0, Vec::len));
    let lines = longest.and_then(|part| description[part].as_array_mut());
    lines.is_some_and(|lines| lines.pop().is_some())
}

impl SheetsContent {
    fn text(&self) -> String {
        let mut text = String::new();
        for description in &self.descriptions {
            lines::text(&mut text, description);
        }
        if self.descriptions.is_empty() {
            text.push_str("nothing found\n");
        }
        if self.more_descriptions > 0 {
            text.push_str(&format!("{} more; narrow cluster, namespace or name\n", self.more_descriptions));
        }
        plain::coverage(&mut text, &self.clusters, self.partial);
        text
    }
}

#[cfg(test)]
mod tests;
